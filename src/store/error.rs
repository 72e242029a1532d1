//! What can go wrong on the disk; every message names the path.

use std::path::PathBuf;

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
}
