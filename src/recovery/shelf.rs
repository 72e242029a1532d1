//! Where recoveries are kept: read as a list, written one by one.

use std::path::PathBuf;

use crate::session::{RecoveryId, SessionId};
use crate::store::{Home, StoreError, read_recoveries, write_recovery};

use super::state::RecoveryState;

/// The recoveries of a home.
#[derive(Debug)]
pub struct Shelf<'a> {
    home: &'a Home,
}

/// Why a recovery cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// The disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file that is not what was written.
    #[error("{}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl<'a> Shelf<'a> {
    /// The recoveries kept in `home`.
    #[must_use]
    pub fn of(home: &'a Home) -> Self {
        Self { home }
    }

    /// Writes a recovery as it stands; on disk when this returns.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep(&self, state: &RecoveryState) -> Result<(), ShelfError> {
        let path = self.home.recovery_state(&state.repository, &state.id);
        let mut bytes = serde_json::to_vec_pretty(state)
            .map_err(|error| ShelfError::Unreadable { path, reason: error.to_string() })?;
        bytes.push(b'\n');
        Ok(write_recovery(self.home, &state.repository, &state.id, &bytes)?)
    }

    /// All recoveries, the oldest first, and what cannot be read.
    ///
    /// # Errors
    /// A directory cannot be read.
    pub fn all(&self) -> Result<(Vec<RecoveryState>, Vec<ShelfError>), ShelfError> {
        let (mut states, mut problems) = (Vec::new(), Vec::new());
        for (path, bytes) in read_recoveries(self.home)? {
            match serde_json::from_slice::<RecoveryState>(&bytes) {
                Ok(state) => states.push(state),
                Err(error) => {
                    let reason = error.to_string();
                    problems.push(ShelfError::Unreadable { path, reason });
                }
            }
        }
        states.sort_by(|a, b| (a.started_at, &a.id).cmp(&(b.started_at, &b.id)));
        Ok((states, problems))
    }

    /// The recovery with this id.
    ///
    /// # Errors
    /// A directory cannot be read, or its file is not what was written.
    pub fn find(&self, id: &RecoveryId) -> Result<Option<RecoveryState>, ShelfError> {
        let (states, problems) = self.all()?;
        let found = states.into_iter().find(|state| state.id == *id);
        let is_its_file = |problem: &ShelfError| match problem {
            ShelfError::Unreadable { path, .. } => {
                path.file_stem().is_some_and(|stem| stem == id.as_str())
            }
            ShelfError::Store(_) => false,
        };
        match problems.into_iter().find(is_its_file) {
            Some(problem) if found.is_none() => Err(problem),
            _ => Ok(found),
        }
    }

    /// The recoveries of a session, the oldest first.
    ///
    /// # Errors
    /// A directory cannot be read.
    pub fn of_session(&self, id: &SessionId) -> Result<Vec<RecoveryState>, ShelfError> {
        let mut states = self.all()?.0;
        states.retain(|state| state.recovery_context.session_id == *id);
        Ok(states)
    }

    /// The recoveries of a failure, the oldest first.
    ///
    /// # Errors
    /// A directory cannot be read.
    pub fn of_failure(&self, failure: &str) -> Result<Vec<RecoveryState>, ShelfError> {
        let mut states = self.all()?.0;
        states.retain(|state| state.failure_id == failure);
        Ok(states)
    }
}
