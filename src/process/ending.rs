//! Everything a program started, also what left its group: to signal it and see it gone.

use std::sync::{Mutex, PoisonError};

use rustix::process::{
    Pid, Signal, WaitOptions, getpid, kill_process, kill_process_group, waitpgid, waitpid,
};

use super::table::{self, Entry};

/// The living processes that belong to one program.
pub(super) struct Family {
    leader: Pid,
    /// The leader's start: nothing older can be its descendant.
    since: u64,
    /// Session and step, as their environment names them.
    marker: Option<(String, String)>,
    living: Vec<Entry>,
    /// All that ever belonged to it: a child whose parent died meanwhile still does.
    known: Vec<Entry>,
}

impl Family {
    /// Finds the family of a leader that has not been waited for yet, so that its number and
    /// that of its group still mean it.
    pub(super) fn of(leader: Pid, since: u64, marker: Option<&(String, String)>) -> Self {
        let marker = marker.cloned();
        let mut family = Self { leader, since, marker, living: Vec::new(), known: Vec::new() };
        family.look();
        family
    }

    /// Looks who lives now; false when nobody does.
    pub(super) fn look(&mut self) -> bool {
        let leader = self.leader.as_raw_pid();
        let processes =
            table::living().into_iter().filter(|entry| entry.start >= self.since).collect();
        self.living = table::with_descendants(processes, |entry| {
            entry.pid == leader
                || entry.group == leader
                || self.knows(entry)
                || self.is_marked(entry)
        });
        let new: Vec<_> = self.living.iter().filter(|entry| !self.knows(entry)).copied().collect();
        self.known.extend(new);
        !self.living.is_empty()
    }

    fn knows(&self, entry: &Entry) -> bool {
        self.known.iter().any(|known| known.is(entry))
    }

    fn is_marked(&self, entry: &Entry) -> bool {
        self.marker.as_ref().is_some_and(|(session, step)| {
            let environment = table::environment(entry.pid);
            table::holds(&environment, "PRODIGY_SESSION_ID", session)
                && table::holds(&environment, "PRODIGY_STEP", step)
        })
    }

    /// Signals the group and everyone outside of it.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.leader, signal);
        for entry in &self.living {
            if entry.group != self.leader.as_raw_pid() {
                signal_process(entry, signal);
            }
        }
    }

    /// Takes the exit status of those that became our children and died.
    pub(super) fn bury(&self) {
        let own = getpid().as_raw_pid();
        for known in self.known.iter().filter(|known| known.pid != self.leader.as_raw_pid()) {
            // Looked at again: the number of someone already buried may be another child's now.
            let ours = table::entry(known.pid)
                .is_some_and(|now| now.start == known.start && now.zombie && now.parent == own);
            if let (true, Some(pid)) = (ours, Pid::from_raw(known.pid)) {
                let _ = waitpid(Some(pid), WaitOptions::NOHANG);
            }
        }
        leave_group(self.leader);
    }
}

/// Signals a process if it is still the one that was seen.
pub(super) fn signal_process(seen: &Entry, signal: Signal) {
    let same = table::entry(seen.pid).is_none_or(|now| now.start == seen.start);
    if let (true, Some(pid)) = (same, Pid::from_raw(seen.pid)) {
        let _ = kill_process(pid, signal);
    }
}

/// Groups of programs that are over, with members that live on and became our children.
static LINGERING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// After a program's end: takes the exit status of what died in its group, now or once it does,
/// so that no zombies pile up. The programs others wait for have groups of their own.
pub(super) fn leave_group(leader: Pid) {
    let mut lingering = LINGERING.lock().unwrap_or_else(PoisonError::into_inner);
    lingering.retain(|group| bury_group(*group));
    if bury_group(leader) {
        lingering.push(leader);
    }
}

/// True when living members that are our children remain.
fn bury_group(leader: Pid) -> bool {
    loop {
        match waitpgid(leader, WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}
