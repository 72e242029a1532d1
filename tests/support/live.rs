//! Runs that are watched, signalled and killed while they live.

#![allow(dead_code, reason = "each test file uses the parts it needs")]

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::SignalKind;

use super::{Ran, Sandbox};

/// Whatever a test waits for comes sooner, or the test fails.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Waits until `condition` holds.
#[track_caller]
pub fn wait_until(what: &str, condition: impl FnMut() -> bool) {
    assert!(eventually(LIMIT, condition), "waited in vain: {what}");
}

/// True as soon as `condition` holds; false when it does not within `limit`.
pub fn eventually(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    while !condition() {
        let left = limit.saturating_sub(begin.elapsed());
        if left.is_zero() {
            return false;
        }
        std::thread::sleep(left.min(Duration::from_millis(1)));
    }
    true
}

/// Under `nohup`, or in the background of a script, a test is born deaf to signals, and so is
/// whatever it starts. A signal that it listens to has its usual effect again on what it starts.
pub fn hear_signals() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored =
            ignored.map_or(0, |mask| u64::from_str_radix(mask.trim(), 16).unwrap_or_default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let _listening = runtime.enter();
        for signal in [SignalKind::hangup(), SignalKind::interrupt(), SignalKind::terminate()] {
            if ignored & (1 << (signal.as_raw_value() - 1)) != 0 {
                drop(tokio::signal::unix::signal(signal).unwrap());
            }
        }
    });
}

/// A process of the test that is killed when the test fails.
pub struct Live {
    child: Option<Child>,
}

impl Live {
    /// Starts it.
    pub fn start(mut command: Command) -> Self {
        Self { child: Some(command.spawn().unwrap()) }
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    pub fn is_over(&mut self) -> bool {
        self.child.as_mut().unwrap().try_wait().unwrap().is_some()
    }

    /// What it did; the test fails when it does not end.
    #[track_caller]
    pub fn end(mut self) -> Ran {
        wait_until("the end of prodigy", || self.is_over());
        Ran::of(self.child.take().unwrap().wait_with_output().unwrap())
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Sandbox {
    /// The command lines of all processes that work in the sandbox, whoever started them.
    pub fn living(&self) -> Vec<String> {
        let root = self.root().canonicalize().unwrap();
        let mut found: Vec<String> = std::fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| command_line_in(&entry.ok()?.path(), &root))
            .collect();
        found.sort();
        found
    }

    /// True when a file in the working directory holds this line.
    pub fn said(&self, name: &str, word: &str) -> bool {
        let text = std::fs::read_to_string(self.directory().join(name)).unwrap_or_default();
        text.lines().any(|line| line == word)
    }

    /// The words of a file in the working directory.
    pub fn words(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.directory().join(name)).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The status of the only session, or of the latest.
    #[track_caller]
    pub fn status(&self) -> String {
        let list = self.run(&["sessions", "list", "--json"]).exits(0).json();
        list[0]["status"].as_str().unwrap_or_default().to_owned()
    }

    /// The events of the only session as they are exported.
    #[track_caller]
    pub fn events(&self) -> String {
        self.run(&["events", "export"]).exits(0).stdout
    }
}

fn command_line_in(process: &Path, root: &Path) -> Option<String> {
    let directory = std::fs::read_link(process.join("cwd")).ok()?;
    if !directory.starts_with(root) {
        return None;
    }
    let state = std::fs::read_to_string(process.join("stat")).ok()?;
    if state.rsplit(')').next()?.trim_start().starts_with(['Z', 'X']) {
        return None;
    }
    let line = std::fs::read(process.join("cmdline")).ok()?;
    Some(String::from_utf8_lossy(&line).replace('\0', " ").trim().to_owned())
}
