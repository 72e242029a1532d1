//! Restore points: versions, their names, and the files that were kept of them.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::address::Address;
use super::event::{Event, EventKind};
use super::files::KeptFiles;
use super::lifetime::Lifetime;
use super::outcome::StepStatus;

/// A restore point: the state after event `seq`.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Counted from 1; never used twice.
    pub version: u32,
    /// The event.
    pub seq: u64,
    /// The step or stage that ended there.
    pub address: Address,
    /// The name of an explicit checkpoint.
    pub name: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
    /// True when what ended there ended well.
    pub good: bool,
    /// HEAD at that moment, in a git repository.
    pub head: Option<String>,
    /// The files of that moment, where they were kept.
    pub files: Option<Arc<KeptFiles>>,
}

impl Lifetime {
    /// The latest restore point.
    #[must_use]
    pub fn latest_version(&self) -> Option<&Version> {
        self.versions.last()
    }

    /// The restore point called `vN`, `N` or by an explicit name (the latest of that name);
    /// `v0` is the beginning.
    #[must_use]
    pub fn find_version(&self, name: &str) -> Option<&Version> {
        let number = name.strip_prefix('v').unwrap_or(name).parse::<usize>().ok();
        match number {
            Some(0) => self.beginning.as_ref(),
            Some(number) => self.versions.get(number.checked_sub(1)?),
            None => {
                self.versions.iter().rev().find(|version| version.name.as_deref() == Some(name))
            }
        }
    }

    /// All restore points with the beginning, oldest first.
    pub fn all_versions(&self) -> impl DoubleEndedIterator<Item = &Version> {
        self.beginning.iter().chain(&self.versions)
    }

    /// The version with files that is fewest versions away, an earlier one rather than a later
    /// one.
    #[must_use]
    pub fn nearest_with_files(&self, version: u32) -> Option<u32> {
        let with_files = self.all_versions().filter(|version| version.files.is_some());
        let numbers = with_files.map(|version| version.version);
        numbers.min_by_key(|number| (number.abs_diff(version), *number))
    }

    /// True when the session has come through this restore point on its way to where it is: no
    /// rewind has gone back over it since.
    #[must_use]
    pub fn is_current(&self, version: &Version) -> bool {
        let mut before = u64::MAX;
        for (at, to) in self.returns.iter().rev() {
            if *at > before {
                continue;
            }
            if version.seq > *at {
                break;
            }
            before = *to;
        }
        version.seq <= before
    }

    /// True when the files are kept as they were after the latest version, and nothing has run
    /// since.
    #[must_use]
    pub fn files_are_kept(&self) -> bool {
        let latest = self.versions.last().or(self.beginning.as_ref());
        !self.has_moved_on && latest.is_some_and(|version| version.files.is_some())
    }

    pub(super) fn add_version(
        &mut self,
        event: &Event,
        address: &Address,
        name: Option<String>,
        good: Good,
    ) {
        let number = u32::try_from(self.versions.len()).unwrap_or(u32::MAX).saturating_add(1);
        let version = self.version(number, event, address, name);
        // Where nothing ran in between, the files are those of the version before.
        let made = matches!(event.kind, EventKind::CheckpointMade { .. });
        let before = self.versions.last().or(self.beginning.as_ref());
        let files = before.filter(|_| !self.has_moved_on && !made).and_then(|it| it.files.clone());
        self.versions.push(Version { good: good == Good::Yes, files, ..version });
        self.has_moved_on = false;
    }

    pub(super) fn version(
        &self,
        number: u32,
        event: &Event,
        address: &Address,
        name: Option<String>,
    ) -> Version {
        Version {
            version: number,
            seq: event.seq,
            address: address.clone(),
            name,
            at: event.at,
            good: true,
            head: self.head.clone(),
            files: None,
        }
    }

    /// Files belong to the latest version while nothing has run since it.
    pub(super) fn keep(&mut self, files: &KeptFiles) {
        self.head.clone_from(&files.head);
        let latest = self.versions.last_mut().or(self.beginning.as_mut());
        if let Some(version) = latest.filter(|_| !self.has_moved_on)
            && version.files.is_none()
        {
            version.head.clone_from(&files.head);
            version.files = Some(Arc::new(files.clone()));
        }
    }
}

/// Whether a version is one that a person would go back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Good {
    Yes,
    No,
}

impl Good {
    pub(super) fn of(goes_on: bool, status: StepStatus) -> Self {
        if goes_on && status != StepStatus::Failed { Self::Yes } else { Self::No }
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use super::*;

    /// A session of events one after the other.
    #[derive(Default)]
    struct Tale {
        state: SessionState,
    }

    impl Tale {
        fn add(&mut self, kind: EventKind) -> u64 {
            let seq = self.state.last_seq + 1;
            let at = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
            self.state.apply(&Event::new(seq, at, kind));
            seq
        }

        fn run(&mut self) {
            let run = serde_json::json!({
                "run": 1, "pid": 1, "host": "h", "boot_id": "b", "pid_namespace": "n",
                "command": "cook", "correlation_id": "c", "head": "aaaa",
            });
            self.add(EventKind::RunStarted(serde_json::from_value(run).unwrap()));
        }

        fn start(&mut self, step: usize) {
            let started = serde_json::json!({ "step_started": { "address": step.to_string() } });
            self.add(serde_json::from_value(started).unwrap());
        }

        fn step(&mut self, step: usize) -> u64 {
            self.start(step);
            self.finish(step)
        }

        fn finish(&mut self, step: usize) -> u64 {
            let mut result = StepResult::skipped(StepKind::Shell);
            result.status = StepStatus::Success;
            self.add(EventKind::StepFinished {
                address: Address::root().step(step),
                id: None,
                name: String::new(),
                result: Arc::new(result),
                checkpoint: None,
            })
        }

        fn keep(&mut self, tree: &str) {
            let files = serde_json::json!({ "tree": tree, "head": "bbbb" });
            self.add(EventKind::FilesKept(serde_json::from_value(files).unwrap()));
        }

        fn back(&mut self, to_seq: u64) {
            self.add(returned_to(to_seq, RewindCause::Rollback));
        }

        fn tree(&self, version: u32) -> Option<&str> {
            let mut versions = self.state.lifetime.all_versions();
            let version = versions.find(|it| it.version == version).unwrap();
            version.files.as_ref().map(|files| files.tree.as_str())
        }

        fn current(&self) -> Vec<u32> {
            let lifetime = &self.state.lifetime;
            let versions = lifetime.versions.iter();
            versions.filter(|it| lifetime.is_current(it)).map(|it| it.version).collect()
        }
    }

    #[test]
    fn files_belong_to_the_version_after_which_nothing_ran() {
        let mut tale = Tale::default();
        tale.run();
        tale.keep("start");
        tale.step(1);
        tale.step(2);
        tale.keep("two");
        tale.keep("edited since");
        assert!(tale.state.lifetime.files_are_kept());
        tale.start(3);
        tale.keep("in the middle");
        assert!(!tale.state.lifetime.files_are_kept());
        tale.finish(3);
        assert_eq!([0, 1, 2, 3].map(|it| tale.tree(it)), [Some("start"), None, Some("two"), None]);
        assert_eq!(tale.state.lifetime.nearest_with_files(3), Some(2));
        assert_eq!(tale.state.lifetime.nearest_with_files(1), Some(0));
        assert_eq!(tale.state.lifetime.find_version("v0").unwrap().seq, 1);
        assert_eq!(tale.state.lifetime.head.as_deref(), Some("bbbb"));
    }

    #[test]
    fn where_nothing_ran_in_between_the_files_are_the_same() {
        let mut tale = Tale::default();
        tale.run();
        tale.step(1);
        tale.keep("one");
        tale.finish(2); // Skipped: it was never started.
        tale.add(EventKind::ScopeFinished {
            address: Address::root().join("build"),
            status: StepStatus::Success,
            goes_on: true,
            checkpoint: None,
        });
        assert_eq!([tale.tree(2), tale.tree(3)], [Some("one"), Some("one")]);
        tale.add(EventKind::CheckpointMade { address: Address::root(), name: Some("x".into()) });
        assert_eq!(tale.tree(4), None, "a person may have changed them");
        assert!(!tale.state.lifetime.versions[3].good);
        tale.keep("now");
        tale.back(3);
        tale.keep("after going back");
        assert_eq!(tale.tree(4), Some("now"));
    }

    #[test]
    fn a_fork_begins_with_the_files_of_now() {
        let mut tale = Tale::default();
        tale.run();
        tale.step(1);
        let from = SessionId::parse("session-00000000-0000-4000-8000-000000000002").unwrap();
        tale.add(EventKind::Forked { from, seq: tale.state.last_seq, version: Some(1) });
        tale.keep("of now");
        assert_eq!(tale.tree(1), None);
        tale.step(2);
        tale.keep("two");
        assert_eq!(tale.tree(2), Some("two"));
    }

    #[test]
    fn only_versions_that_the_session_came_through_are_current() {
        let mut tale = Tale::default();
        tale.run();
        let one = tale.step(1);
        let two = tale.step(2);
        tale.step(3);
        assert_eq!(tale.current(), [1, 2, 3]);
        tale.back(one);
        assert_eq!(tale.current(), [1]);
        tale.step(2);
        assert_eq!(tale.current(), [1, 4]);
        tale.back(two); // Forward again, to a version that was left.
        assert_eq!(tale.current(), [1, 2]);
        tale.step(3);
        assert_eq!(tale.current(), [1, 2, 5]);
    }

    #[test]
    fn a_rollback_is_open_until_the_rewind_and_sets_the_status() {
        let mut tale = Tale::default();
        tale.run();
        tale.step(1);
        let started = serde_json::json!({
            "version": 1, "to_seq": 3, "undo_version": 2, "answers": [["1", "done"]],
        });
        let started: RollbackStarted = serde_json::from_value(started).unwrap();
        tale.add(EventKind::RollbackStarted(Box::new(started)));
        assert!(tale.state.rollback.is_some());
        assert_eq!(tale.state.status, Some(SessionStatus::Interrupted));
        tale.back(3);
        let rewound = returned_to(3, RewindCause::Rollback);
        let earlier =
            SessionState { status: Some(SessionStatus::Failed), ..SessionState::default() };
        tale.state.return_to(earlier, &rewound);
        assert!(tale.state.rollback.is_none() && tale.state.lifetime.rests_on_rollback);
        assert_eq!(tale.state.status, Some(SessionStatus::Failed), "as it stood");
        let one = Address::root().step(1);
        assert_eq!(tale.state.standing.answer(&one), Some(PersonsAnswer::Done));
    }
}
