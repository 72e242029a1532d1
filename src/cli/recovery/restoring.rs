//! The part of a rollback that changes something: the present state is saved, files are restored, the
//! position is set; in this order, so that a crash anywhere can be finished.

use std::path::PathBuf;

use chrono::Utc;
use serde_json::{Value as Json, json};

use crate::cli::file_store::file_store;
use crate::cli::output::Console;
use crate::executor::{kept_before, kept_files};
use crate::exit::{ExitKind, Failure};
use crate::git::{
    Change, FileStore, GitError, Kept, Left, Repository, Restoration, WhyLeft, WhyLeftOut,
};
use crate::playbook::model::Snapshots;
use crate::playbook::{Loaded, parse};
use crate::recovery::{
    FilesReach, RecoveryState, RecoveryStatus, Rollback, RollbackTarget, Shelf, StepWord,
};
use crate::session::{
    Address, EventKind, PersonsAnswer, RestoredFiles, RewindCause, RollbackStarted, SessionStarted,
    Version, returned_to,
};
use crate::store::{self, OpenSession};
use crate::view;

/// The name of the checkpoint that the state before a rollback becomes.
const BEFORE: &str = "before-rollback";

/// How many paths are told one by one.
const TOLD: usize = 20;

/// What is known before anything changes.
pub(super) struct Saved {
    files: Option<SavedFiles>,
}

struct SavedFiles {
    store: FileStore,
    now: Kept,
    plan: Restoration,
}

/// A rollback that is done.
pub(super) struct Done {
    pub(super) version: Version,
    pub(super) undo_version: u32,
    pub(super) reason: Option<String>,
    /// Where HEAD is, which never moves.
    pub(super) head: Option<String>,
    /// Whether there were files to restore.
    reach: FilesReach,
    /// What happened to them; absent where it is not known any more.
    files: Option<DoneFiles>,
    /// What runs again; absent where a crash was finished.
    pub(super) dropped: Option<Rollback>,
}

struct DoneFiles {
    written: Vec<PathBuf>,
    removed: Vec<PathBuf>,
    left: Vec<Left>,
}

/// The workflow as it ran.
pub(super) fn workflow_of(session: &OpenSession) -> Result<Loaded, Failure> {
    let text = store::stored_workflow(session.home(), session.id())?;
    parse(&session.home().workflow(session.id()), &text).map_err(|error| {
        Failure::new(ExitKind::Damaged, "the stored workflow cannot be read")
            .because(error.to_string())
    })
}

/// Keeps the files as they are, and looks at what restoring those of `version` would change.
/// Nothing is recorded yet.
pub(super) fn save(
    session: &OpenSession,
    store: Option<FileStore>,
    version: &Version,
) -> Result<Saved, Failure> {
    let (Some(store), Some(files)) = (store, &version.files) else {
        return Ok(Saved { files: None });
    };
    let holder = session.id().as_str();
    if !store.holds(&files.tree)? {
        return Err(Failure::new(
            ExitKind::Damaged,
            format!("the files kept at v{} are not complete any more", version.version),
        )
        .because(
            "objects are missing, or the session was imported without them; nothing was changed",
        )
        .with_help(format!(
            "prodigy resume {} --from-checkpoint v{}   (variables and position only)",
            crate::cli::resume::header_of(&session.with(Clone::clone))?.workflow_id,
            version.version
        )));
    }
    let now = store.keep(holder)?;
    let plan = store.plan(holder, &now, &kept_before(files))?;
    Ok(Saved { files: Some(SavedFiles { store, now, plan }) })
}

/// A rollback under way: the session, and how far it is.
pub(super) struct Rolling<'a> {
    pub(super) session: &'a OpenSession,
    pub(super) header: &'a SessionStarted,
    pub(super) state: &'a mut RecoveryState,
}

impl Rolling<'_> {
    /// Makes the present state a checkpoint and goes back to `version`.
    pub(super) fn go(
        &mut self,
        version: &Version,
        saved: Saved,
        reason: Option<String>,
        answers: Vec<(Address, PersonsAnswer)>,
    ) -> Result<Done, Failure> {
        let id = &self.header.workflow_id;
        self.state.target_checkpoint_id = Some(format!("{id}@v{}", version.version));
        self.begin(StepWord::SavePresentState)?;
        let session = self.session;
        let address = session.with(|state| state.standing.latest.clone()).unwrap_or_default();
        session.commit(EventKind::CheckpointMade { address, name: Some(BEFORE.to_owned()) })?;
        if let Some(files) = &saved.files {
            session.commit(EventKind::FilesKept(Box::new(kept_files(&files.now))))?;
        }
        let undo = session.with(|state| state.lifetime.latest_version().map(|it| it.version));
        let files = saved.files.as_ref().map(|files| RestoredFiles {
            from: files.plan.from.clone(),
            goal: files.plan.goal.clone(),
        });
        let started = RollbackStarted {
            version: version.version,
            to_seq: version.seq,
            undo_version: undo.unwrap_or(0),
            files,
            reason,
            recovery: Some(self.state.id.clone()),
            answers,
        };
        session.commit(EventKind::RollbackStarted(Box::new(started.clone())))?;
        session.sync_now()?;
        // Before a file changes, lists tell that something is to be finished.
        session.snapshot(true);
        self.state.rollback_checkpoint_id = Some(format!("{id}@v{}", started.undo_version));
        self.end(None)?;
        let files = match &saved.files {
            Some(files) => Some(self.put_back(&files.store, &files.plan)?),
            None => None,
        };
        self.set_position(&started)?;
        Ok(Done { files, ..nothing_left(session, self.header, &started)? })
    }

    /// Does the rest of a rollback that a crash cut off.
    pub(super) fn finish(&mut self, started: &RollbackStarted) -> Result<Done, Failure> {
        let (session, header) = (self.session, self.header);
        self.state.rollback_checkpoint_id =
            Some(format!("{}@v{}", header.workflow_id, started.undo_version));
        self.end(None)?;
        let files = match &started.files {
            None => None,
            Some(files) => {
                let store = file_store(session.home(), &header.repository, &header.directory)
                    .ok_or_else(|| gone(header))?;
                // What a person changed since the crash is not lost either.
                store.keep(session.id().as_str())?;
                let plan = store.planned(&files.from, &files.goal)?;
                Some(self.put_back(&store, &plan)?)
            }
        };
        self.set_position(started)?;
        Ok(Done { files, ..nothing_left(session, header, started)? })
    }

    /// The rollback is done, and only this recovery does not know yet.
    pub(super) fn close(&mut self, started: &RollbackStarted) -> Result<Done, Failure> {
        self.completed(started)?;
        nothing_left(self.session, self.header, started)
    }

    fn put_back(&mut self, store: &FileStore, plan: &Restoration) -> Result<DoneFiles, Failure> {
        self.begin(StepWord::RestoreFiles)?;
        let blocked = store.restore(plan, &self.header.directory)?;
        let is_blocked = |path: &PathBuf| blocked.iter().any(|left| left.path == *path);
        let changed = plan.changes.iter().filter(|change| !is_blocked(&change.path));
        let (removed, written): (Vec<_>, Vec<_>) = changed.partition(|change| change.removes());
        let paths = |changes: Vec<&Change>| -> Vec<PathBuf> {
            changes.into_iter().map(|change| change.path.clone()).collect()
        };
        let mut left = plan.left.clone();
        left.extend(blocked);
        // What is left differs, too: only the whole tells whether anything changed since.
        let tree = store.keep(self.session.id().as_str())?.tree;
        self.session.commit(EventKind::FilesRestored { tree })?;
        self.end(Some(counts(written.len(), removed.len())))?;
        Ok(DoneFiles { written: paths(written), removed: paths(removed), left })
    }

    fn set_position(&mut self, started: &RollbackStarted) -> Result<(), Failure> {
        self.begin(StepWord::SetPosition)?;
        self.session.commit(returned_to(started.to_seq, RewindCause::Rollback))?;
        self.session.sync_now()?;
        self.session.snapshot(true);
        self.end(None)?;
        self.completed(started)
    }

    fn completed(&mut self, started: &RollbackStarted) -> Result<(), Failure> {
        let result = format!("back at v{}", started.version);
        self.state.finish(RecoveryStatus::Completed, &result, Utc::now());
        self.keep()
    }

    fn begin(&mut self, step: StepWord) -> Result<(), Failure> {
        self.state.begin(step, None, Utc::now());
        self.keep()
    }

    fn end(&mut self, detail: Option<String>) -> Result<(), Failure> {
        self.state.end(RecoveryStatus::Completed, detail, Utc::now());
        self.keep()
    }

    fn keep(&self) -> Result<(), Failure> {
        Ok(Shelf::of(self.session.home()).keep(self.state)?)
    }
}

fn gone(header: &SessionStarted) -> Failure {
    let directory = header.directory.display();
    Failure::new(
        ExitKind::NotFound,
        format!(
            "{directory} is no git repository any more, and its files are restored only in part"
        ),
    )
    .with_help("put the repository back, then do the same again")
}

/// Keeps the files before another kind of recovery begins; what goes wrong is only told.
pub(super) fn keep_present(session: &OpenSession, console: &mut Console) -> Result<(), Failure> {
    let header = session.with(|state| state.header().cloned());
    let store = header
        .as_ref()
        .and_then(|header| file_store(session.home(), &header.repository, &header.directory));
    let Some(store) = store else { return Ok(()) };
    let wanted =
        workflow_of(session).is_ok_and(|loaded| loaded.workflow.snapshots != Snapshots::Off);
    if !wanted || session.with(|state| state.lifetime.files_are_kept()) {
        return Ok(());
    }
    match store.keep(session.id().as_str()) {
        Ok(kept) => {
            session.commit(EventKind::FilesKept(Box::new(kept_files(&kept))))?;
        }
        Err(error) => console.errors.line(format_args!("warning: the files are not kept: {error}")),
    }
    Ok(())
}

/// A rollback that is done already and left nothing to do.
pub(super) fn nothing_left(
    session: &OpenSession,
    header: &SessionStarted,
    started: &RollbackStarted,
) -> Result<Done, Failure> {
    let number = started.version;
    let version = session
        .with(|state| state.lifetime.all_versions().find(|it| it.version == number).cloned())
        .ok_or_else(|| Failure::new(ExitKind::Damaged, format!("there is no v{number}")))?;
    Ok(Done {
        version,
        undo_version: started.undo_version,
        reason: started.reason.clone(),
        head: Repository::find(&header.directory).and_then(|repository| repository.head()),
        reach: if started.files.is_some() { FilesReach::Repository } else { FilesReach::Nowhere },
        files: None,
        dropped: None,
    })
}

impl Saved {
    /// True when the files are as the latest rollback left them, whose tree is `restored`.
    pub(super) fn are_still(&self, restored: Option<&str>) -> bool {
        self.files.as_ref().is_none_or(|files| {
            files.plan.changes.is_empty() || restored == Some(files.now.tree.as_str())
        })
    }

    /// What happens to files, as the end of a sentence.
    pub(super) fn words(&self) -> String {
        let Some(files) = &self.files else {
            return "; files stay as they are (no git repository)".to_owned();
        };
        let removed = files.plan.changes.iter().filter(|change| change.removes()).count();
        let written = files.plan.changes.len() - removed;
        let mut text = format!("; {}", counts(written, removed));
        if !files.plan.left.is_empty() {
            let left = view::count(files.plan.left.len() as u64, "path");
            text = format!("{text}, {left} left as they are");
        }
        text
    }
}

impl Done {
    /// True when this is what was asked for, by a command that says the same again.
    pub(super) fn answers(&self, target: &RollbackTarget) -> bool {
        match target {
            RollbackTarget::LastGood => true,
            RollbackTarget::Version(number) => *number == self.version.version,
            RollbackTarget::Undo => self.version.name.as_deref() == Some(BEFORE),
        }
    }

    /// Lines about files and HEAD.
    pub(super) fn words(&self) -> Vec<String> {
        if self.reach == FilesReach::Nowhere {
            let words =
                "files: as they are (this is no git repository; variables and position only)";
            return vec![words.to_owned()];
        }
        let Some(files) = &self.files else { return Vec::new() };
        let mut lines =
            vec![format!("files: {}", counts(files.written.len(), files.removed.len()))];
        for left in files.left.iter().take(TOLD) {
            let path = left.path.display().to_string();
            let why = why_words(left.why);
            lines.push(format!("left as it is: {} ({why})", view::line(&path)));
        }
        if files.left.len() > TOLD {
            lines.push(format!("and {} more", files.left.len() - TOLD));
        }
        if self.head != self.version.head {
            let short = |head: &Option<String>| match head {
                Some(head) => head.get(..12).unwrap_or(head).to_owned(),
                None => "no commit".to_owned(),
            };
            let (now, then) = (short(&self.head), short(&self.version.head));
            lines.push(format!("HEAD was {then} at this checkpoint; it stays at {now}"));
        }
        lines
    }

    /// What happened to files, in JSON; null outside of a repository.
    pub(super) fn files_object(&self) -> Json {
        let Some(files) = &self.files else { return Json::Null };
        let paths = |paths: &[PathBuf]| -> Vec<String> {
            paths.iter().map(|path| path.display().to_string()).collect()
        };
        let left: Vec<Json> = files
            .left
            .iter()
            .map(|left| {
                json!({ "path": left.path.display().to_string(), "reason": why_word(left.why) })
            })
            .collect();
        json!({
            "written": paths(&files.written),
            "removed": paths(&files.removed),
            "left": left,
        })
    }
}

fn counts(written: usize, removed: usize) -> String {
    match (written, removed) {
        (0, 0) => "no file changes".to_owned(),
        (0, removed) => format!("{} removed", view::count(removed as u64, "file")),
        (written, 0) => format!("{} restored", view::count(written as u64, "file")),
        (written, removed) => {
            format!("{} restored, {removed} removed", view::count(written as u64, "file"))
        }
    }
}

fn why_words(why: WhyLeft) -> &'static str {
    match why {
        WhyLeft::IgnoredNow => "ignored now",
        WhyLeft::IgnoredThen => "ignored then",
        WhyLeft::NotCovered(WhyLeftOut::TooLarge) => "larger than 50 MB",
        WhyLeft::NotCovered(WhyLeftOut::Repository) => "a submodule or another repository",
        WhyLeft::NotCovered(WhyLeftOut::Unreadable) => "cannot be read",
        WhyLeft::NotCovered(WhyLeftOut::Special) => "no plain file",
        WhyLeft::InTheWay => "something that is not kept stands in its way",
    }
}

fn why_word(why: WhyLeft) -> &'static str {
    match why {
        WhyLeft::IgnoredNow => "ignored_now",
        WhyLeft::IgnoredThen => "ignored_then",
        WhyLeft::NotCovered(WhyLeftOut::TooLarge) => "too_large",
        WhyLeft::NotCovered(WhyLeftOut::Repository) => "repository",
        WhyLeft::NotCovered(WhyLeftOut::Unreadable) => "unreadable",
        WhyLeft::NotCovered(WhyLeftOut::Special) => "special",
        WhyLeft::InTheWay => "in_the_way",
    }
}

impl From<GitError> for Failure {
    fn from(error: GitError) -> Self {
        let failure = Self::new(ExitKind::Failed, "the files cannot be kept or restored")
            .because(error.to_string());
        match error {
            GitError::Start(_) => failure.with_help("install git, and see that it is in PATH"),
            GitError::Io { .. } => {
                failure.with_help("see that the files can be written, then do the same again")
            }
            GitError::Failed { .. } | GitError::Stopped => failure,
        }
    }
}
