//! A session that this process holds: the lock, the journal and the folded state. The only
//! way to change anything is [`OpenSession::commit`]: append → apply → tell the observers.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::Utc;

use crate::session::{
    Digest, Event, EventKind, Notice, Observer, SessionId, SessionStarted, SessionState,
};

use super::error::NamePath;
use super::files::Keep;
use super::journal::{End, Journal};
use super::lock::{self, Held};
use super::scan::{Scan, read_journal};
use super::sync::GroupSync;
use super::{Home, JOURNAL_FORMAT, StoreError, files, replay};

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
    durability: Durability,
    recorded: Mutex<Recorded>,
    observers: Mutex<Vec<Box<dyn Observer>>>,
    disk: Arc<GroupSync>,
    _held: Held,
}

/// The journal and the state after its last event.
struct Recorded {
    journal: Journal,
    state: SessionState,
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
        mut started: SessionStarted,
        workflow_text: &str,
        durability: Durability,
    ) -> Result<Self, StoreError> {
        let id = started.session_id.clone();
        let held = lock::take(home, &id)?;
        files::make_directory(&home.session(&id))?;
        files::write_private(&home.workflow(&id), workflow_text.as_bytes(), Keep::Durable)?;
        files::make_directory(&home.checkpoints(&started.repository))?;
        let journal = Journal::open(&home.journal(&id), End::default())?;
        let session = Self::hold(home, &id, held, journal, SessionState::default(), durability)?;
        started.format = JOURNAL_FORMAT;
        session.commit(EventKind::SessionStarted(Box::new(started)))?;
        session.sync_now()?;
        let directory = home.session(&id);
        files::sync_directory(&directory).named("sync", &directory)?;
        Ok(session)
    }

    /// Takes the lock of an existing session and folds its journal; a torn last line is cut off.
    ///
    /// # Errors
    /// Busy, damaged, newer, or unreadable.
    pub fn open(home: &Home, id: &SessionId, durability: Durability) -> Result<Self, StoreError> {
        let held = lock::take(home, id)?;
        let scan = scan_session(home, id)?;
        if let Some(damage) = scan.damage {
            return Err(damage);
        }
        let state = replay::fold(&scan.events);
        let journal = Journal::open(&home.journal(id), scan.end)?;
        let session = Self::hold(home, id, held, journal, state, durability)?;
        // What a dead run wrote may not have reached the disk; it will be built upon.
        session.sync_now()?;
        Ok(session)
    }

    /// Reads a session without holding it, as far as its records are good.
    ///
    /// # Errors
    /// There is no such session, or its first record is already bad.
    pub fn read(home: &Home, id: &SessionId) -> Result<Loaded, StoreError> {
        let Scan { events, damage, torn, .. } = scan_session(home, id)?;
        Ok(Loaded { state: replay::fold(&events), events, damage, torn })
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
        self.observers().push(observer);
    }

    /// Looks at the present state; keep it short, other threads wait.
    pub fn with<T>(&self, look: impl FnOnce(&SessionState) -> T) -> T {
        look(&self.recorded().state)
    }

    /// Records one fact: append → apply → observers. It survives `kill -9` from here on, and a
    /// power cut after the next [`Self::sync`] (relaxed: within 50 ms).
    ///
    /// # Errors
    /// The write failed: nothing was recorded, and nothing more can be.
    pub fn commit(&self, kind: EventKind) -> Result<Arc<Event>, StoreError> {
        let mut recorded = self.recorded();
        let earlier = match replay::goes_to(&kind) {
            Some(target) => Some(self.state_after(target, recorded.state.last_seq)?),
            None => None,
        };
        let event = Event { seq: recorded.state.last_seq + 1, at: Utc::now(), kind };
        recorded.journal.append(&event)?;
        self.disk.appended(event.seq);
        recorded.state.apply(&event);
        if let Some(earlier) = earlier {
            recorded.state.return_to(earlier);
        }
        let event = Arc::new(event);
        for observer in self.observers().iter_mut() {
            observer.event(&event, &recorded.state);
        }
        Ok(event)
    }

    /// Everything recorded so far is on disk when this returns (one `fdatasync` for all
    /// threads that wait; nothing with relaxed durability).
    ///
    /// # Errors
    /// The sync failed; it is never tried again.
    pub fn sync(&self) -> Result<(), StoreError> {
        match self.durability {
            Durability::Strict => self.disk.sync(),
            Durability::Relaxed => Ok(()),
        }
    }

    /// As [`Self::sync`], also with relaxed durability: explicit checkpoints, stage ends, exit.
    ///
    /// # Errors
    /// As [`Self::sync`].
    pub fn sync_now(&self) -> Result<(), StoreError> {
        self.disk.sync()
    }

    /// Writes the snapshot now if the last one is older than a second, or `always`.
    pub fn snapshot(&self, always: bool) {
        let _ = always;
    }

    /// Tells the observers something that is not recorded.
    pub fn notice(&self, notice: &Notice<'_>) {
        for observer in self.observers().iter_mut() {
            observer.notice(notice);
        }
    }

    /// Keeps a large text beside the journal under its digest; durable before this returns.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        let path = self.home.blob(&self.id, &digest);
        if read_blob(&self.home, &self.id, &digest).is_err() {
            files::make_directory(&self.home.blobs(&self.id))?;
            files::write_private(&path, bytes, Keep::Durable)?;
        }
        Ok(digest)
    }

    /// A text that was kept.
    ///
    /// # Errors
    /// It is missing, or not what its digest says.
    pub fn kept(&self, digest: &str) -> Result<Vec<u8>, StoreError> {
        kept(&self.home, &self.id, digest)
    }

    /// A private directory for files that live as long as a step (`sessions/<id>/tmp`).
    ///
    /// # Errors
    /// It cannot be made.
    pub fn scratch(&self) -> Result<PathBuf, StoreError> {
        let path = self.home.scratch(&self.id);
        files::make_directory(&path)?;
        Ok(path)
    }

    fn hold(
        home: &Home,
        id: &SessionId,
        held: Held,
        journal: Journal,
        state: SessionState,
        durability: Durability,
    ) -> Result<Self, StoreError> {
        let scratch = home.scratch(id);
        if scratch.exists() {
            std::fs::remove_dir_all(&scratch).named("empty", &scratch)?;
        }
        let path = home.journal(id);
        let disk = Arc::new(GroupSync::new(journal.file(), path, journal.failure(), 0));
        disk.appended(state.last_seq);
        Ok(Self {
            home: home.clone(),
            id: id.clone(),
            durability,
            recorded: Mutex::new(Recorded { journal, state }),
            observers: Mutex::default(),
            disk,
            _held: held,
        })
    }

    /// The state after event `target`, read from the journal itself.
    fn state_after(&self, target: u64, last: u64) -> Result<SessionState, StoreError> {
        let path = self.home.journal(&self.id);
        let scan = read_journal(&path, last)?;
        if let Some(damage) = scan.damage {
            return Err(damage);
        }
        let events = usize::try_from(target).ok().and_then(|count| scan.events.get(..count));
        let Some(events) = events else {
            let reason = format!("there is no record {target} to go back to");
            return Err(StoreError::Unreadable { path, reason });
        };
        Ok(replay::fold(events))
    }

    fn recorded(&self) -> MutexGuard<'_, Recorded> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn observers(&self) -> MutexGuard<'_, Vec<Box<dyn Observer>>> {
        self.observers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A text kept by a session, without holding it.
///
/// # Errors
/// It is missing, or not what its digest says.
pub fn kept(home: &Home, id: &SessionId, digest: &str) -> Result<Vec<u8>, StoreError> {
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let digest = Some(digest)
        .filter(|text| text.len() == 64 && text.bytes().all(hexadecimal))
        .and_then(|text| serde_json::from_value(text.into()).ok());
    match digest {
        Some(digest) => read_blob(home, id, &digest),
        None => {
            let reason = "a record names a text by something that is no digest".to_owned();
            Err(StoreError::Unreadable { path: home.journal(id), reason })
        }
    }
}

fn read_blob(home: &Home, id: &SessionId, digest: &Digest) -> Result<Vec<u8>, StoreError> {
    let path = home.blob(id, digest);
    let bytes = files::read_private(&path).named("read", &path)?;
    if Digest::of(&bytes) != *digest {
        let reason = "damaged: it is not what its name says".to_owned();
        return Err(StoreError::Unreadable { path, reason });
    }
    Ok(bytes)
}

fn scan_session(home: &Home, id: &SessionId) -> Result<Scan, StoreError> {
    let not_found = || StoreError::NotFound {
        what: "session",
        name: id.to_string(),
        searched: home.sessions(),
    };
    let path = home.journal(id);
    let scan = match read_journal(&path, 0) {
        Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            return Err(not_found());
        }
        scan => scan?,
    };
    match scan.damage {
        Some(damage) if scan.events.is_empty() => Err(damage),
        // Killed before its first record: there has never been a session.
        None if scan.events.is_empty() => Err(not_found()),
        damage => Ok(Scan { damage, ..scan }),
    }
}
