//! The files of a git working tree are kept while the workflow runs, so that a person can go back to
//! them (DECISIONS A14).

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::expr::Value;
use crate::git::{FileStore, GitError, Kept, LeftOut, Repository, WhyLeftOut};
use crate::playbook::model::{Checkpoint, Snapshots, Step};
use crate::session::{
    Address, EventKind, KeptFiles, LeftOutFile, LeftOutReason, Secrets, Stored, item_number,
};

use super::halt::Halt;
use super::run::Run;

/// Between two snapshots that nobody asked for: this many times what the last one took.
const SHARE: u32 = 20;

/// What the first one is taken to take.
const FIRST_COST: Duration = Duration::from_millis(50);

/// Why files are kept now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// At a checkpoint that the workflow asks for, or the end of a stage or phase.
    Checkpoint,
    /// Before or after an agent's work.
    Agent,
    /// After any other step.
    Step,
}

/// Keeps files for one run; does nothing outside of a git repository.
pub(super) struct FileKeeper {
    store: Option<FileStore>,
    wish: Snapshots,
    pace: Mutex<Pace>,
}

/// How long ago the last snapshot was, and what it took.
struct Pace {
    since: Instant,
    cost: Duration,
    /// It failed once: it is not tried again in this run.
    broken: bool,
}

impl FileKeeper {
    /// Keeps the files of `repository` in `place` as the workflow wants it.
    pub(super) fn new(repository: Option<&Repository>, place: PathBuf, wish: Snapshots) -> Self {
        let repository = repository.filter(|_| wish != Snapshots::Off).cloned();
        Self {
            store: repository.map(|repository| FileStore::new(repository, place)),
            wish,
            pace: Mutex::new(Pace { since: Instant::now(), cost: FIRST_COST, broken: false }),
        }
    }

    /// The store, if it is time to use it.
    fn due(&self, moment: Moment) -> Option<&FileStore> {
        let store = self.store.as_ref()?;
        let pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = match (self.wish, moment) {
            (Snapshots::Off, _) => false,
            (Snapshots::Always, _) | (_, Moment::Checkpoint) => true,
            (Snapshots::Explicit, _) => false,
            (Snapshots::Auto, Moment::Agent) => true,
            (Snapshots::Auto, Moment::Step) => pace.since.elapsed() >= pace.cost * SHARE,
        };
        (wanted && !pace.broken).then_some(store)
    }

    fn took(&self, began: Instant, broken: bool) {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        pace.since = Instant::now();
        pace.cost = began.elapsed();
        pace.broken = broken;
    }
}

impl Run<'_> {
    /// Before a step that stands directly in the workflow: what an agent may change is kept.
    pub(super) fn keep_files_before(&self, step: &Step, address: &Address) -> Result<(), Halt> {
        if self.files.store.is_some() && address.is_top_level() && has_agent(step) {
            self.keep_files(Moment::Agent)?;
        }
        Ok(())
    }

    /// Before the items of a map run: what their agents may change is kept once for all of them.
    pub(super) fn keep_files_before_items(&self, template: &[Step]) -> Result<(), Halt> {
        if self.files.store.is_some() && template.iter().any(has_agent) {
            self.keep_files(Moment::Agent)?;
        }
        Ok(())
    }

    /// After a step has ended with a restore point.
    pub(super) fn keep_files_after(&self, step: &Step, address: &Address) -> Result<(), Halt> {
        if self.files.store.is_none() {
            return Ok(());
        }
        let explicit = !matches!(step.checkpoint, Checkpoint::Implicit);
        if !(address.is_top_level() || explicit) || runs_beside_others(address) {
            return Ok(());
        }
        let moment = match explicit {
            true => Moment::Checkpoint,
            false if has_agent(step) => Moment::Agent,
            false => Moment::Step,
        };
        self.keep_files(moment)
    }

    /// Keeps the files as they are now, where it is time to, and records where they are. What
    /// goes wrong is no reason to stop: it is told once.
    pub(super) fn keep_files(&self, moment: Moment) -> Result<(), Halt> {
        let Some(store) = self.files.due(moment) else { return Ok(()) };
        if self.session.with(|state| state.lifetime.files_are_kept()) {
            return Ok(());
        }
        let began = Instant::now();
        let kept = store.keep(self.session.id().as_str());
        self.files.took(began, kept.is_err());
        match kept {
            Ok(kept) => {
                self.commit(EventKind::FilesKept(Box::new(kept_files(&kept))))?;
                self.session.sync()?;
            }
            Err(GitError::Stopped) => {}
            Err(error) => self.warn(&format!(
                "the files are not kept, so that `recovery rollback` can only restore variables and position: {error}"
            )),
        }
        Ok(())
    }
}

fn has_agent(step: &Step) -> bool {
    !step.agent_steps().is_empty()
}

/// Items and rounds may run several at a time: what the files are then belongs to none of them.
fn runs_beside_others(address: &Address) -> bool {
    item_number(address).is_some() || address.as_str().contains(".do[")
}

/// What was kept, for the journal.
#[must_use]
pub fn kept_files(kept: &Kept) -> KeptFiles {
    let left_out = kept.left_out.iter().map(|it| LeftOutFile {
        path: stored_path(&it.path),
        reason: match it.reason {
            WhyLeftOut::TooLarge => LeftOutReason::TooLarge,
            WhyLeftOut::Repository => LeftOutReason::Repository,
            WhyLeftOut::Unreadable => LeftOutReason::Unreadable,
            WhyLeftOut::Special => LeftOutReason::Special,
        },
    });
    KeptFiles {
        tree: kept.tree.clone(),
        head: kept.head.clone(),
        rules: kept.rules.clone(),
        left_out: left_out.collect(),
        tracked: kept.tracked.iter().map(|path| stored_path(path)).collect(),
    }
}

/// What was kept, as the journal tells it.
#[must_use]
pub fn kept_before(files: &KeptFiles) -> Kept {
    let left_out = files.left_out.iter().filter_map(|it| {
        Some(LeftOut {
            path: path_of(&it.path)?,
            reason: match it.reason {
                LeftOutReason::TooLarge => WhyLeftOut::TooLarge,
                LeftOutReason::Repository => WhyLeftOut::Repository,
                LeftOutReason::Unreadable => WhyLeftOut::Unreadable,
                LeftOutReason::Special => WhyLeftOut::Special,
            },
        })
    });
    Kept {
        tree: files.tree.clone(),
        head: files.head.clone(),
        rules: files.rules.clone(),
        left_out: left_out.collect(),
        tracked: files.tracked.iter().filter_map(path_of).collect(),
    }
}

fn stored_path(path: &std::path::Path) -> Stored {
    use std::os::unix::ffi::OsStrExt;
    let bytes = path.as_os_str().as_bytes().to_vec();
    Stored::seal(&Value::text(bytes), &Secrets::default())
}

fn path_of(stored: &Stored) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let value = stored.open(&Secrets::default()).ok()?;
    Some(PathBuf::from(std::ffi::OsString::from_vec(value.to_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_the_same_after_the_journal() {
        use std::os::unix::ffi::OsStringExt;
        let odd = std::ffi::OsString::from_vec(b"a \xff\n\"$\"/b".to_vec());
        let kept = Kept {
            tree: "ab".repeat(20),
            head: None,
            rules: Some("cd".repeat(20)),
            tracked: vec![odd.clone().into()],
            left_out: vec![LeftOut { path: odd.into(), reason: WhyLeftOut::TooLarge }],
        };
        let text = serde_json::to_string(&kept_files(&kept)).unwrap();
        assert_eq!(kept_before(&serde_json::from_str(&text).unwrap()), kept);
    }

    #[test]
    fn nobody_waits_for_snapshots_that_nobody_asked_for() {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(place.path().join(".git")).unwrap();
        std::fs::write(place.path().join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
        let repository = Repository::find(place.path()).unwrap();
        let keeper = |wish| FileKeeper::new(Some(&repository), "/nowhere".into(), wish);
        let due = |wish, moment| keeper(wish).due(moment).is_some();
        let dues = |wish| [Moment::Checkpoint, Moment::Agent, Moment::Step].map(|it| due(wish, it));
        assert_eq!(dues(Snapshots::Off), [false, false, false]);
        assert_eq!(dues(Snapshots::Explicit), [true, false, false]);
        assert_eq!(dues(Snapshots::Auto), [true, true, false]);
        assert_eq!(dues(Snapshots::Always), [true, true, true]);
        let keeper = keeper(Snapshots::Auto);
        keeper.took(Instant::now(), false);
        keeper.pace.lock().unwrap().cost = Duration::ZERO;
        assert!(keeper.due(Moment::Step).is_some(), "it takes no time");
        keeper.took(Instant::now(), true);
        assert!(keeper.due(Moment::Checkpoint).is_none(), "it failed once");
        assert!(FileKeeper::new(None, "/nowhere".into(), Snapshots::Always).store.is_none());
    }
}
