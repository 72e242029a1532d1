//! The processes of this machine, as the kernel lists them.

use std::fs::{self, File};
use std::io::Read;

use rustix::process::getpid;

/// One process, as it was when looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) pid: i32,
    pub(super) parent: i32,
    pub(super) group: i32,
    /// Dead, but not yet waited for by its parent.
    pub(super) zombie: bool,
    /// When it started, in the kernel's ticks since boot: with the pid its identity.
    pub(super) start: u64,
}

impl Entry {
    /// Whether this is the same process, looked at another time: its parent may have died since.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.pid == other.pid && self.start == other.start
    }
}

/// All processes that can be seen. Without `/proc`, what `ps` lists.
fn all() -> Vec<Entry> {
    match fs::read_dir("/proc") {
        Ok(names) => names
            .filter_map(|name| name.ok()?.file_name().to_str()?.parse().ok())
            .filter_map(entry)
            .collect(),
        Err(_) => listed_by_ps(),
    }
}

/// One process, while it exists.
pub(super) fn entry(pid: i32) -> Option<Entry> {
    let mut text = [0; 512];
    let length = File::open(format!("/proc/{pid}/stat")).ok()?.read(&mut text).ok()?;
    parse(pid, text.get(..length)?)
}

/// The start time of a process; 0 where the kernel does not tell.
pub(super) fn start_of(pid: i32) -> u64 {
    entry(pid).map_or(0, |entry| entry.start)
}

/// All that live, except this process.
pub(super) fn living() -> Vec<Entry> {
    let own = getpid().as_raw_pid();
    all().into_iter().filter(|entry| !entry.zombie && entry.pid != own).collect()
}

/// The processes that belong, with all their descendants among the others.
pub(super) fn with_descendants(
    processes: Vec<Entry>,
    belongs: impl Fn(&Entry) -> bool,
) -> Vec<Entry> {
    let (mut found, mut rest): (Vec<Entry>, Vec<Entry>) = processes.into_iter().partition(belongs);
    let mut next = 0;
    while let Some(parent) = found.get(next).map(|entry| entry.pid) {
        let (children, others) = rest.into_iter().partition(|entry| entry.parent == parent);
        found.extend::<Vec<_>>(children);
        rest = others;
        next += 1;
    }
    found
}

/// The environment a process was started with, as far as we may read it.
pub(super) fn environment(pid: i32) -> Vec<u8> {
    fs::read(format!("/proc/{pid}/environ")).unwrap_or_default()
}

/// True when the environment holds exactly `name=value`.
pub(super) fn holds(environment: &[u8], name: &str, value: &str) -> bool {
    environment.split(|byte| *byte == 0).any(|variable| {
        variable
            .strip_prefix(name.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"="))
            .is_some_and(|found| found == value.as_bytes())
    })
}

/// The command line of a process, for people.
pub(super) fn command_line(pid: i32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<_> = bytes.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    words.join(" ").trim_end().to_owned()
}

/// `pid (name) state ppid pgrp … starttime …`: the name may hold spaces and parentheses.
fn parse(pid: i32, stat: &[u8]) -> Option<Entry> {
    let after_name = stat.iter().rposition(|byte| *byte == b')')? + 1;
    let rest = std::str::from_utf8(stat.get(after_name..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    // Field 22 of proc(5); the group was field 5.
    let start = fields.nth(16)?.parse().ok()?;
    Some(Entry { pid, parent, group, zombie: matches!(state, "Z" | "X" | "x"), start })
}

fn listed_by_ps() -> Vec<Entry> {
    let listing = std::process::Command::new("ps")
        .args(["-A", "-o", "pid=", "-o", "ppid=", "-o", "pgid=", "-o", "stat="])
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .output();
    let Ok(listing) = listing else { return Vec::new() };
    String::from_utf8_lossy(&listing.stdout).lines().filter_map(parse_ps).collect()
}

fn parse_ps(line: &str) -> Option<Entry> {
    let mut fields = line.split_ascii_whitespace();
    let pid = fields.next()?.parse().ok()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let zombie = fields.next()?.starts_with('Z');
    Some(Entry { pid, parent, group, zombie, start: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let stat = b"42 (a) b (c) S 7 9 9 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 3141 1 2\n";
        let expected = Entry { pid: 42, parent: 7, group: 9, zombie: false, start: 3141 };
        assert_eq!(parse(42, stat), Some(expected));
        assert_eq!(parse(42, b"42 (cut"), None);
        assert_eq!(parse(42, b""), None);
        let expected = Entry { pid: 5, parent: 1, group: 5, zombie: true, start: 0 };
        assert_eq!(parse_ps("  5     1     5 Z+"), Some(expected));
    }

    #[test]
    fn a_variable_matches_as_a_whole() {
        let environment = b"A=1\0PRODIGY_STEP=2/3\0B=PRODIGY_STEP=2\0";
        assert!(holds(environment, "PRODIGY_STEP", "2/3"));
        assert!(!holds(environment, "PRODIGY_STEP", "2"));
        assert!(!holds(environment, "STEP", "2/3"));
        assert!(!holds(b"", "A", ""));
    }

    #[test]
    fn descendants_come_along_in_any_order() {
        let entry = |pid, parent| Entry { pid, parent, group: pid, zombie: false, start: 1 };
        let processes = vec![entry(5, 4), entry(4, 2), entry(2, 1), entry(3, 1), entry(6, 3)];
        let mut found = with_descendants(processes, |entry| entry.pid == 2);
        found.sort_by_key(|entry| entry.pid);
        assert_eq!(found, [entry(2, 1), entry(4, 2), entry(5, 4)]);
    }

    #[test]
    fn this_process_is_listed() {
        let own = i32::try_from(std::process::id()).unwrap();
        let found = all().into_iter().find(|entry| entry.pid == own);
        assert_eq!(found.map(|entry| entry.zombie), Some(false));
    }
}
