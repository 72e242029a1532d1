//! Ends what a run has left behind: one that died, or our own at its end.

use std::collections::HashSet;
use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getpid, getppid};

use super::ending::signal_process;
use super::stop::{has_no_children, has_only_own_children};
use super::table::{self, Entry};
use super::user::hostname;

/// How often we look who still lives.
const CHECK: Duration = Duration::from_millis(10);
/// After SIGKILL nobody lives on, unless the kernel itself hangs in a call.
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// Where process numbers mean the same: only there a recorded number may be ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The name of the machine.
    pub host: String,
    /// Which start of the machine, `""` where the kernel does not tell.
    pub boot_id: String,
    /// Which container's view of processes, `""` where the kernel does not tell.
    pub pid_namespace: String,
}

impl Machine {
    /// Here and now.
    #[must_use]
    pub fn present() -> Self {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        Self {
            host: hostname(),
            boot_id: boot.trim().to_owned(),
            pid_namespace: namespace.to_string_lossy().into_owned(),
        }
    }
}

/// A process that was ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Its number.
    pub pid: i32,
    /// Its command line, for people.
    pub command: String,
}

/// Ends what a dead run left behind: the groups it recorded (pid and start time of their
/// leaders), and every process that carries one of the markers (name and value) in its
/// environment, with its descendants. SIGTERM, `grace`, SIGKILL. Never this process, nor one it
/// descends from.
///
/// Only to be called on the [`Machine`] where the groups were recorded. A recorded group is
/// ended only if its leader is still the recorded one, or one of its members carries a marker.
#[must_use]
pub fn end_leftovers(
    groups: &[(i32, u64)],
    markers: &[(String, String)],
    grace: Duration,
) -> Vec<Leftover> {
    Search { groups, markers, line: own_line(), found: Vec::new(), below: None }.end(grace)
}

/// Ends what the programs of this process left running in the background, at the end of its
/// session: whoever carries a marker, and, where orphans come back to us
/// ([`super::Stop::install`]), every descendant of this process. SIGTERM, `grace`, SIGKILL.
#[must_use]
pub fn end_background(markers: &[(String, String)], grace: Duration) -> Vec<Leftover> {
    let only_own = has_only_own_children();
    if only_own && has_no_children() {
        // Whoever loses its parent below us becomes our child: without one nothing is left,
        // and nobody needs to read the environment of every process of the machine.
        return Vec::new();
    }
    let below = only_own.then(|| getpid().as_raw_pid());
    Search { groups: &[], markers, line: own_line(), found: Vec::new(), below }.end(grace)
}

struct Search<'a> {
    groups: &'a [(i32, u64)],
    markers: &'a [(String, String)],
    /// This process and those it descends from.
    line: HashSet<i32>,
    /// All that ever belonged: an orphan whose parent died meanwhile still does.
    found: Vec<Entry>,
    /// Everything below this process belongs.
    below: Option<i32>,
}

impl Search<'_> {
    fn end(mut self, grace: Duration) -> Vec<Leftover> {
        let mut ended = Vec::new();
        let begin = Instant::now();
        let (polite, last) = (begin + grace, begin + grace + KILL_LIMIT);
        loop {
            let living = self.look();
            let now = Instant::now();
            if living.is_empty() || now >= last {
                return ended;
            }
            for entry in living {
                let known = ended.iter().any(|leftover: &Leftover| leftover.pid == entry.pid);
                if !known {
                    let command = table::command_line(entry.pid);
                    ended.push(Leftover { pid: entry.pid, command });
                }
                if now >= polite {
                    signal_process(&entry, Signal::KILL);
                } else if !known {
                    signal_process(&entry, Signal::TERM);
                    signal_process(&entry, Signal::CONT);
                }
            }
            std::thread::sleep(CHECK);
        }
    }

    /// Who lives now and belongs to the run.
    fn look(&mut self) -> Vec<Entry> {
        let mut processes = table::living();
        processes.retain(|entry| !self.line.contains(&entry.pid));
        let marked: HashSet<i32> =
            processes.iter().filter(|entry| self.is_marked(entry)).map(|entry| entry.pid).collect();
        let recorded: HashSet<i32> = processes
            .iter()
            .filter(|entry| marked.contains(&entry.pid) || self.is_recorded_leader(entry))
            .map(|entry| entry.group)
            .filter(|group| self.groups.iter().any(|(leader, _)| leader == group))
            .collect();
        let living = table::with_descendants(processes, |entry| {
            marked.contains(&entry.pid)
                || recorded.contains(&entry.group)
                || self.below == Some(entry.parent)
                || self.knows(entry)
        });
        let new: Vec<_> = living.iter().filter(|entry| !self.knows(entry)).copied().collect();
        self.found.extend(new);
        living
    }

    fn knows(&self, entry: &Entry) -> bool {
        self.found.iter().any(|known| known.is(entry))
    }

    fn is_recorded_leader(&self, entry: &Entry) -> bool {
        self.groups
            .iter()
            .any(|(leader, start)| *leader == entry.pid && *start == entry.start && *start > 0)
    }

    fn is_marked(&self, entry: &Entry) -> bool {
        let environment = table::environment(entry.pid);
        self.markers.iter().any(|(name, value)| table::holds(&environment, name, value))
    }
}

/// This process, its parent and so on.
fn own_line() -> HashSet<i32> {
    let mut line = HashSet::from([getpid().as_raw_pid()]);
    let mut next = getppid().map(Pid::as_raw_pid);
    while let Some(pid) = next.filter(|pid| line.insert(*pid)) {
        next = table::entry(pid).map(|entry| entry.parent).filter(|parent| *parent > 0);
    }
    line
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// A group of its own, with a marker; says `ready` once it has set itself up.
    fn start(script: &str, marker: Option<&str>) -> Child {
        let mut command = Command::new("sh");
        command.args(["-c", script]).process_group(0).stdout(Stdio::piped());
        if let Some(value) = marker {
            command.env("PRODIGY_SESSION_ID", value);
        }
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
        assert_eq!(line, "ready\n");
        child
    }

    fn marker(value: &str) -> Vec<(String, String)> {
        vec![("PRODIGY_SESSION_ID".to_owned(), value.to_owned())]
    }

    fn number(child: &Child) -> i32 {
        i32::try_from(child.id()).unwrap()
    }

    fn is_over(child: &mut Child) -> bool {
        child.try_wait().unwrap().is_some()
    }

    #[test]
    fn who_carries_the_marker_is_ended_and_nobody_else() {
        let mine = format!("session-mine-{}", std::process::id());
        let wait = "trap '' TERM; echo ready; while :; do sleep 1; done";
        let mut marked = start(wait, Some(&mine));
        let mut other = start("echo ready; exec sleep 1000", Some(&format!("{mine}-other")));
        let ended = end_leftovers(&[], &marker(&mine), Duration::from_millis(50));
        assert!(is_over(&mut marked), "also when it ignores the first signal");
        assert!(!is_over(&mut other));
        let leader = ended.iter().find(|leftover| leftover.pid == number(&marked)).unwrap();
        assert_eq!(leader.command, format!("sh -c {wait}"));
        other.kill().unwrap();
        other.wait().unwrap();
    }

    #[test]
    fn a_recorded_group_is_ended_if_it_still_is_the_recorded_one() {
        let mut child = start("sleep 1000 & echo ready; wait", None);
        let pid = number(&child);
        let start_time = table::start_of(pid);
        assert_eq!(end_leftovers(&[(pid, start_time + 1)], &[], Duration::ZERO), []);
        assert_eq!(end_leftovers(&[(pid, 0)], &marker("none"), Duration::ZERO), []);
        assert!(!is_over(&mut child));
        let ended = end_leftovers(&[(pid, start_time)], &[], Duration::from_secs(60));
        assert_eq!(ended.len(), 2, "{ended:?}");
        assert!(is_over(&mut child));
    }

    #[test]
    fn a_group_without_its_leader_is_known_by_the_marker_of_a_member() {
        let mine = format!("session-member-{}", std::process::id());
        let script = "(sleep 1000 & env -u PRODIGY_SESSION_ID sleep 2000 & echo ready) ; exit 0";
        let mut child = start(script, Some(&mine));
        child.wait().unwrap();
        let members =
            |group: i32| table::living().iter().filter(|entry| entry.group == group).count();
        assert_eq!(members(number(&child)), 2);
        let recorded = [(number(&child), 1)];
        assert_eq!(end_leftovers(&recorded, &marker("another"), Duration::ZERO), []);
        let ended = end_leftovers(&recorded, &marker(&mine), Duration::from_secs(60));
        assert_eq!((ended.len(), members(number(&child))), (2, 0));
    }

    #[test]
    fn this_machine_is_itself() {
        let machine = Machine::present();
        assert_eq!(machine, Machine::present());
        assert!(!machine.host.is_empty());
    }
}
