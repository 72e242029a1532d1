//! What can go wrong on the disk; every message names the path.

use std::io;
use std::path::{Path, PathBuf};

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Reading or writing failed.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried (`read`, `append to`, `sync`).
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No space, or over quota: nothing was acknowledged.
    #[error("the disk is full: cannot write {}", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// A record that is not what was written.
    #[error("{}:{line}: damaged: {reason}", path.display())]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// The first bad line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The frozen items of a job are not those that were written.
    #[error("{}: damaged: {reason}", path.display())]
    DamagedItems {
        /// `items.jsonl`.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A result of an item is not what was written.
    #[error("{}: damaged: {reason}", path.display())]
    DamagedResult {
        /// `results.jsonl`.
        path: PathBuf,
        /// Which it is.
        reason: String,
    },
    /// Written by a newer version of the program.
    #[error("{} has format {found}, this prodigy knows {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// Another process holds the session.
    #[error("session {session} is in use by {holder}")]
    Busy {
        /// The session.
        session: String,
        /// pid, host and start time of the holder, as one phrase.
        holder: String,
    },
    /// Nothing of that name.
    #[error("no {what} {name:?} in {}", searched.display())]
    NotFound {
        /// `session`, `checkpoint`.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// Where it was looked for.
        searched: PathBuf,
    },
    /// No session belongs to a job.
    #[error("no job {name:?}: {}", searched.join("; "))]
    NoJob {
        /// What was asked for.
        name: String,
        /// What was looked at, and what came of it.
        searched: Vec<String>,
    },
    /// An id that fits several.
    #[error("{name:?} fits {} sessions", candidates.len())]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// The ids it fits.
        candidates: Vec<String>,
    },
    /// The state directory cannot be trusted.
    #[error("{} is not private to you: {reason}", path.display())]
    Untrusted {
        /// The directory.
        path: PathBuf,
        /// Owner or mode.
        reason: String,
    },
    /// Nobody can tell where the state directory is.
    #[error("no state directory: {reason}; set PRODIGY_HOME to an absolute path")]
    NoHome {
        /// Which variable is missing or wrong.
        reason: String,
    },
    /// A file that should hold something else: a checkpoint, card or archive that is not one.
    #[error("{}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// The error of doing `doing` with the file at `path`.
pub(super) fn io_error(doing: &'static str, path: &Path, source: io::Error) -> StoreError {
    if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        StoreError::DiskFull { path: path.to_owned() }
    } else {
        StoreError::Io { doing, path: path.to_owned(), source }
    }
}

/// Names the path in an error of the system.
pub(super) trait NamePath<T> {
    /// Says what was tried with which file.
    fn named(self, doing: &'static str, path: &Path) -> Result<T, StoreError>;
}

impl<T> NamePath<T> for io::Result<T> {
    fn named(self, doing: &'static str, path: &Path) -> Result<T, StoreError> {
        self.map_err(|source| io_error(doing, path, source))
    }
}

/// A failed write or sync that is told again to everyone who comes later: after it nobody
/// knows what is on the disk, so nothing more may be acknowledged.
#[derive(Debug)]
pub(super) struct Latched {
    doing: &'static str,
    path: PathBuf,
    kind: io::ErrorKind,
    code: Option<i32>,
}

impl Latched {
    pub(super) fn new(doing: &'static str, path: &Path, source: &io::Error) -> Self {
        Self { doing, path: path.to_owned(), kind: source.kind(), code: source.raw_os_error() }
    }

    pub(super) fn error(&self) -> StoreError {
        let source = self.code.map_or_else(|| self.kind.into(), io::Error::from_raw_os_error);
        io_error(self.doing, &self.path, source)
    }
}
