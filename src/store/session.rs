//! A session that this process holds: the lock, the journal and the folded state. The only
//! way to change anything is [`OpenSession::commit`]: append → apply → tell the observers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::session::{Event, EventKind, Notice, Observer, SessionId, SessionStarted, SessionState};

use super::{Home, StoreError};

/// When records reach the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// A finish is on disk before the next step starts.
    #[default]
    Strict,
    /// At most 50 ms behind; nothing is lost by `kill -9`.
    Relaxed,
}

/// A session opened for running. Shared by the threads that run parallel rounds.
pub struct OpenSession {
    home: Home,
    id: SessionId,
    state: std::sync::Mutex<SessionState>,
}

/// A session as it is on disk, without holding it.
#[derive(Debug)]
pub struct Loaded {
    /// The state after the last good record.
    pub state: SessionState,
    /// All good events in order.
    pub events: Vec<Event>,
    /// What is wrong behind the last good record, if anything.
    pub damage: Option<StoreError>,
    /// Bytes of a torn last line that were left out.
    pub torn: u64,
}

impl OpenSession {
    /// Makes a new session: directory, lock, stored workflow, index card, journal with its first event.
    ///
    /// # Errors
    /// Anything that cannot be written.
    pub fn create(
        home: &Home,
        started: SessionStarted,
        workflow_text: &str,
        durability: Durability,
    ) -> Result<Self, StoreError> {
        let _ = (workflow_text, durability);
        Ok(Self { home: home.clone(), id: started.session_id, state: std::sync::Mutex::default() })
    }

    /// Takes the lock of an existing session and folds its journal; a torn last line is cut off.
    ///
    /// # Errors
    /// Busy, damaged, newer, or unreadable.
    pub fn open(home: &Home, id: &SessionId, durability: Durability) -> Result<Self, StoreError> {
        let _ = durability;
        Ok(Self { home: home.clone(), id: id.clone(), state: std::sync::Mutex::default() })
    }

    /// Reads a session without holding it, as far as its records are good.
    ///
    /// # Errors
    /// There is no such session, or its first record is already bad.
    pub fn read(home: &Home, id: &SessionId) -> Result<Loaded, StoreError> {
        let _ = (home, id);
        Ok(Loaded { state: SessionState::default(), events: Vec::new(), damage: None, torn: 0 })
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// The state directory.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Adds someone who looks on from now.
    pub fn observe(&self, observer: Box<dyn Observer>) {
        let _ = observer;
    }

    /// Looks at the present state; keep it short, other threads wait.
    pub fn with<T>(&self, look: impl FnOnce(&SessionState) -> T) -> T {
        look(&self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Records one fact: append → apply → observers. It survives `kill -9` from here on, and a
    /// power cut after the next [`Self::sync`] (relaxed: within 50 ms).
    ///
    /// # Errors
    /// The write failed: nothing was recorded, and nothing more can be.
    pub fn commit(&self, kind: EventKind) -> Result<Arc<Event>, StoreError> {
        let _ = kind;
        unreachable!()
    }

    /// Everything recorded so far is on disk when this returns (one `fdatasync` for all
    /// threads that wait; nothing with relaxed durability).
    ///
    /// # Errors
    /// The sync failed; it is never tried again.
    pub fn sync(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// As [`Self::sync`], also with relaxed durability: explicit checkpoints, stage ends, exit.
    ///
    /// # Errors
    /// As [`Self::sync`].
    pub fn sync_now(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Writes the snapshot now if the last one is older than a second, or `always`.
    ///
    /// # Errors
    /// Never for a full disk: a snapshot is a cache.
    pub fn snapshot(&self, always: bool) {
        let _ = always;
    }

    /// Tells the observers something that is not recorded.
    pub fn notice(&self, notice: &Notice<'_>) {
        let _ = notice;
    }

    /// Keeps a large text beside the journal under its digest; durable before this returns.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep(&self, bytes: &[u8]) -> Result<crate::session::Digest, StoreError> {
        let _ = bytes;
        Ok(crate::session::Digest::default())
    }

    /// A text that was kept.
    ///
    /// # Errors
    /// It is missing, or not what its digest says.
    pub fn kept(&self, digest: &str) -> Result<Vec<u8>, StoreError> {
        let _ = digest;
        Ok(Vec::new())
    }

    /// A private directory for files that live as long as a step (`sessions/<id>/tmp`).
    ///
    /// # Errors
    /// It cannot be made.
    pub fn scratch(&self) -> Result<PathBuf, StoreError> {
        Ok(self.home.session(&self.id).join("tmp"))
    }
}

/// Writes a whole file so that it is there in full or not at all: temporary file in the same
/// directory, sync, rename, sync of the directory. For users' files too (`output_file`, `write_file`).
///
/// # Errors
/// Names the path.
pub fn replace_file(path: &Path, bytes: &[u8], mode: Option<u32>) -> Result<(), StoreError> {
    let _ = (path, bytes, mode);
    Ok(())
}
