//! The part of a rollback that changes something: the present state is saved, files are restored, the
//! position is set; in this order, so that a crash anywhere can be finished.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use crate::cli::output::Console;
use crate::executor::{kept_before, kept_files};
use crate::exit::{ExitKind, Failure};
use crate::git::{FileStore, GitError, Kept, Left, Repository, Restoration, WhyLeft, WhyLeftOut};
use crate::recovery::Rollback;
use crate::session::{
    Address, EventKind, PersonsAnswer, Reach, RestoredFiles, RewindCause, RollbackStarted,
    SessionStarted, SessionState, Version,
};
use crate::store::{Home, OpenSession};
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
    /// Absent outside of a repository.
    files: Option<DoneFiles>,
    /// What runs again; absent where a crash was finished.
    pub(super) dropped: Option<Rollback>,
}

struct DoneFiles {
    written: Vec<PathBuf>,
    removed: Vec<PathBuf>,
    left: Vec<Left>,
}

/// Where the files of a session are kept, in a git repository.
pub(super) fn store_of(home: &Home, header: &SessionStarted) -> Option<FileStore> {
    let repository = Repository::find(&header.directory)?;
    Some(FileStore::new(repository, home.kept_files(&header.repository)))
}

/// What the session is.
pub(super) fn header_of(state: &SessionState) -> Result<SessionStarted, Failure> {
    state
        .header()
        .cloned()
        .ok_or_else(|| Failure::new(ExitKind::Damaged, "the session's first record is missing"))
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
        .because("objects are missing; nothing was changed"));
    }
    let now = store.keep(holder)?;
    let plan = store.plan(holder, &now, &kept_before(files))?;
    Ok(Saved { files: Some(SavedFiles { store, now, plan }) })
}

/// Makes the present state a checkpoint and goes back.
pub(super) fn restore(
    session: &OpenSession,
    header: &SessionStarted,
    version: &Version,
    saved: Saved,
    reason: Option<String>,
    answers: Vec<(Address, PersonsAnswer)>,
) -> Result<Done, Failure> {
    let address = session.with(|state| state.standing.latest.clone()).unwrap_or_default();
    session.commit(EventKind::CheckpointMade { address, name: Some(BEFORE.to_owned()) })?;
    if let Some(files) = &saved.files {
        session.commit(EventKind::FilesKept(Box::new(kept_files(&files.now))))?;
    }
    let undo_version =
        session.with(|state| state.lifetime.latest_version().map_or(0, |version| version.version));
    let restored = saved.files.as_ref().map(|files| RestoredFiles {
        from: files.plan.from.clone(),
        goal: files.plan.goal.clone(),
    });
    let started = RollbackStarted {
        version: version.version,
        to_seq: version.seq,
        undo_version,
        files: restored,
        reason,
        recovery: None,
        answers,
    };
    session.commit(EventKind::RollbackStarted(Box::new(started.clone())))?;
    session.sync_now()?;
    let files = match &saved.files {
        Some(files) => Some(put_back(&files.store, &files.plan, header)?),
        None => None,
    };
    set_position(session, &started)?;
    done(session, header, &started, files)
}

/// Does the rest of a rollback that a crash cut off.
pub(super) fn finish(
    session: &OpenSession,
    header: &SessionStarted,
    started: &RollbackStarted,
    _console: &mut Console,
) -> Result<Done, Failure> {
    let files = match &started.files {
        None => None,
        Some(files) => {
            let store = store_of(session.home(), header).ok_or_else(|| {
                Failure::new(
                    ExitKind::NotFound,
                    format!(
                        "{} is no git repository any more, and the files of the rollback are only restored in part",
                        header.directory.display()
                    ),
                )
                .with_help("put the repository back, then do the same again")
            })?;
            // What a person changed since the crash is not lost either.
            store.keep(session.id().as_str())?;
            let plan = store.planned(&files.from, &files.goal)?;
            Some(put_back(&store, &plan, header)?)
        }
    };
    set_position(session, started)?;
    done(session, header, started, files)
}

fn put_back(
    store: &FileStore,
    plan: &Restoration,
    header: &SessionStarted,
) -> Result<DoneFiles, Failure> {
    let blocked = store.restore(plan, &header.directory)?;
    let is_blocked = |path: &PathBuf| blocked.iter().any(|left| left.path == *path);
    let (removed, written): (Vec<_>, Vec<_>) = plan
        .changes
        .iter()
        .filter(|change| !is_blocked(&change.path))
        .partition(|change| change.removes());
    let paths = |changes: Vec<&crate::git::Change>| -> Vec<PathBuf> {
        changes.into_iter().map(|change| change.path.clone()).collect()
    };
    let mut left = plan.left.clone();
    left.extend(blocked);
    Ok(DoneFiles { written: paths(written), removed: paths(removed), left })
}

fn set_position(session: &OpenSession, started: &RollbackStarted) -> Result<(), Failure> {
    session.commit(EventKind::Rewound {
        scope: Address::root(),
        from: None,
        reach: Reach::Subtree,
        to_seq: Some(started.to_seq),
        cause: RewindCause::Rollback,
        by: None,
    })?;
    session.sync_now()?;
    session.snapshot(true);
    Ok(())
}

fn done(
    session: &OpenSession,
    header: &SessionStarted,
    started: &RollbackStarted,
    files: Option<DoneFiles>,
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
        files,
        dropped: None,
    })
}

impl Saved {
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
    /// Lines about files and HEAD.
    pub(super) fn words(&self) -> Vec<String> {
        let Some(files) = &self.files else {
            return vec![
                "files: as they are (this is no git repository; variables and position only)"
                    .to_owned(),
            ];
        };
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
