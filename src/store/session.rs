//! A session that this process holds: the lock, the journal and the folded state. The only
//! way to change anything is [`OpenSession::commit`]: append → apply → tell the observers.

use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{SubsecRound as _, Utc};

use crate::session::{
    Address, Digest, Event, EventKind, Notice, Observer, SessionId, SessionStarted, SessionState,
    SessionStatus,
};

use super::background::Background;
use super::error::NamePath;
use super::files::Keep;
use super::journal::Journal;
use super::lock::{self, Held};
use super::mirror::Mirror;
use super::read::{Loaded, read_events, read_session, read_state};
use super::sync::GroupSync;
use super::{Card, Home, JOURNAL_FORMAT, StoreError, blobs, files, replay};

/// Background syncs of relaxed sessions are this far apart: with the sync itself, what was
/// recorded is less than 50 ms old when it reaches the disk.
const SYNC_PAUSE: Duration = Duration::from_millis(30);

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
///
/// Dropping it ends its threads, syncs, and writes snapshot and index card a last time.
pub struct OpenSession {
    shared: Arc<Shared>,
    durability: Durability,
    observers: Mutex<Vec<Box<dyn Observer>>>,
    mirroring: Option<Background>,
    syncing: Option<Background>,
    torn: u64,
    _held: Held,
}

/// What the threads of a session share.
struct Shared {
    home: Home,
    id: SessionId,
    recorded: Mutex<Recorded>,
    disk: GroupSync,
    mirror: Mirror,
}

/// What a record needs to count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    Alone,
    WithNext,
}

/// The journal and the state after its last event.
struct Recorded {
    journal: Journal,
    state: SessionState,
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
        files::write_new(&home.workflow(&id), workflow_text.as_bytes())?;
        let journal = Journal::create(&home.journal(&id))?;
        let session = Self::hold(home, &id, held, journal, SessionState::default(), durability)?;
        started.format = JOURNAL_FORMAT;
        session.commit(EventKind::SessionStarted(Box::new(started)))?;
        session.sync_now()?;
        // The journal is enough to rebuild both.
        session.shared.mirror(Keep::Cached);
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
        let (scan, state) = read_state(home, id)?;
        if let Some(damage) = scan.damage {
            return Err(damage);
        }
        let journal = Journal::resume(&home.journal(id), scan.end)?;
        let mut session = Self::hold(home, id, held, journal, state, durability)?;
        session.torn = scan.torn;
        // What a dead run wrote may not have reached the disk; it will be built upon.
        session.sync_now()?;
        Ok(session)
    }

    /// Reads a session without holding it, as far as its records are good.
    ///
    /// # Errors
    /// There is no such session, or its first record is already bad.
    pub fn read(home: &Home, id: &SessionId) -> Result<Loaded, StoreError> {
        read_session(home, id)
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &SessionId {
        &self.shared.id
    }

    /// The state directory.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.shared.home
    }

    /// Bytes of a torn last line that were cut off when the session was opened: the last
    /// moments before a crash, which a person should be told once.
    #[must_use]
    pub fn torn(&self) -> u64 {
        self.torn
    }

    /// Adds someone who looks on from now. Observers must not call the session.
    pub fn observe(&self, observer: Box<dyn Observer>) {
        self.observers().push(observer);
    }

    /// Looks at the present state; keep it short, other threads wait, and do not call the
    /// session in it.
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
        let before = recorded.state.status;
        let event = self.record(&mut recorded, kind, Stands::Alone)?;
        self.settle(recorded, before)?;
        Ok(event)
    }

    /// Records facts that stand only together: a crash leaves all of them, or none.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub fn commit_together(&self, kinds: Vec<EventKind>) -> Result<(), StoreError> {
        let mut recorded = self.recorded();
        let before = recorded.state.status;
        let mut left = kinds.len();
        for kind in kinds {
            left -= 1;
            let stands = if left == 0 { Stands::Alone } else { Stands::WithNext };
            self.record(&mut recorded, kind, stands)?;
        }
        self.settle(recorded, before)
    }

    fn record(
        &self,
        recorded: &mut Recorded,
        kind: EventKind,
        stands: Stands,
    ) -> Result<Arc<Event>, StoreError> {
        let earlier = match replay::goes_to(&kind) {
            Some(target) => Some(self.state_after(target, recorded.state.last_seq)?),
            None => None,
        };
        // Milliseconds are as much as anyone reads, and a third of the text.
        let at = Utc::now().trunc_subsecs(3);
        let with_next = stands == Stands::WithNext;
        let event = Event { seq: recorded.state.last_seq + 1, at, with_next, kind };
        recorded.journal.append(&event)?;
        if !with_next {
            self.shared.disk.appended(event.seq);
        }
        recorded.state.apply(&event);
        if let Some(earlier) = earlier {
            recorded.state.return_to(earlier, &event.kind);
        }
        let event = Arc::new(event);
        for observer in self.observers().iter_mut() {
            observer.event(&event, &recorded.state);
        }
        Ok(event)
    }

    /// Brings up to date what follows the journal.
    fn settle(
        &self,
        recorded: MutexGuard<'_, Recorded>,
        before: Option<SessionStatus>,
    ) -> Result<(), StoreError> {
        let card = runs_again(before, &recorded.state)
            .then(|| Card::of(&recorded.state, self.synced_seq()))
            .flatten();
        drop(recorded);
        if let Some(card) = card {
            card.write(&self.shared.home, Keep::Durable)?;
        }
        for background in [&self.mirroring, &self.syncing].into_iter().flatten() {
            background.ask();
        }
        Ok(())
    }

    /// True for `--durability relaxed`.
    #[must_use]
    pub fn is_relaxed(&self) -> bool {
        self.durability == Durability::Relaxed
    }

    /// Everything recorded so far is on disk when this returns (one `fdatasync` for all
    /// threads that wait; nothing with relaxed durability).
    ///
    /// # Errors
    /// The sync failed; it is never tried again.
    pub fn sync(&self) -> Result<(), StoreError> {
        match self.durability {
            Durability::Strict => self.shared.disk.sync(),
            Durability::Relaxed => Ok(()),
        }
    }

    /// As [`Self::sync`], also with relaxed durability: explicit checkpoints, stage ends, exit.
    ///
    /// # Errors
    /// As [`Self::sync`].
    pub fn sync_now(&self) -> Result<(), StoreError> {
        self.shared.disk.sync()
    }

    /// The last event that is known to be on disk: bounds what a power cut can repeat.
    #[must_use]
    pub fn synced_seq(&self) -> u64 {
        self.shared.disk.synced()
    }

    /// Writes snapshot and index card now, so that they outlive a power cut, when `always`;
    /// else soon, at most once a second. A failure is no error: both are caches.
    pub fn snapshot(&self, always: bool) {
        if always {
            self.shared.mirror(Keep::Durable);
        } else if let Some(background) = &self.mirroring {
            background.ask();
        }
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
        blobs::keep(&self.shared.home, &self.shared.id, bytes)
    }

    /// A text that was kept.
    ///
    /// # Errors
    /// It is missing, or not what its digest says.
    pub fn kept(&self, digest: &str) -> Result<Vec<u8>, StoreError> {
        blobs::kept(&self.shared.home, &self.shared.id, digest)
    }

    /// A private directory for files that live as long as a step (`sessions/<id>/tmp`); empty
    /// when the session is opened.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn scratch(&self) -> Result<PathBuf, StoreError> {
        let path = self.shared.home.scratch(&self.shared.id);
        files::make_directory(&path)?;
        Ok(path)
    }

    /// A new private file in [`Self::scratch`] that holds `bytes`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn scratch_file(&self, bytes: &[u8]) -> Result<PathBuf, StoreError> {
        let path = self.scratch()?.join(uuid::Uuid::new_v4().to_string());
        files::write_private(&path, bytes, Keep::Cached)?;
        Ok(path)
    }

    /// A new private file for the output of an attempt (`logs/<address>.<attempt>.log`).
    ///
    /// # Errors
    /// It cannot be made.
    pub fn log(&self, address: &Address, attempt: u32) -> Result<File, StoreError> {
        let Shared { home, id, .. } = &*self.shared;
        files::make_directory(&home.logs(id))?;
        let name = self.with(|state| state.lifetime.log_name(address, attempt));
        let path = home.log(id, &name);
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(true);
        files::open_private(&path, &mut options).named("write", &path)
    }

    /// Replaces the stored copy of the workflow, when an edited one was accepted.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn replace_workflow(&self, text: &str) -> Result<(), StoreError> {
        let path = self.shared.home.workflow(&self.shared.id);
        files::write_private(&path, text.as_bytes(), Keep::Durable)
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
        files::remove_leftovers(&home.session(id));
        if let Some(header) = state.header() {
            files::remove_leftovers(&home.checkpoints(&header.repository));
        }
        let disk = GroupSync::new(journal.file(), home.journal(id), journal.failure());
        disk.appended(state.last_seq);
        let shared = Arc::new(Shared {
            home: home.clone(),
            id: id.clone(),
            recorded: Mutex::new(Recorded { journal, state }),
            disk,
            mirror: Mirror::default(),
        });
        let mirrored = Arc::clone(&shared);
        let mirroring =
            Background::start("snapshot", Mirror::PAUSE, move || mirrored.mirror(Keep::Cached));
        let syncing = match durability {
            Durability::Strict => None,
            Durability::Relaxed => {
                let synced = Arc::clone(&shared);
                Some(Background::start("sync", Duration::ZERO, move || {
                    // A failure is remembered and told by the next commit.
                    let _ = synced.disk.sync();
                    SYNC_PAUSE
                }))
            }
        };
        Ok(Self {
            shared,
            durability,
            observers: Mutex::default(),
            mirroring: Some(mirroring.named("start the thread for", &home.session(id))?),
            syncing: syncing.transpose().named("start the thread for", &home.session(id))?,
            torn: 0,
            _held: held,
        })
    }

    /// The state after an older event, read from the journal itself.
    ///
    /// # Errors
    /// There is no such event, or the journal cannot be read.
    pub fn at(&self, seq: u64) -> Result<SessionState, StoreError> {
        let last = self.recorded().state.last_seq;
        self.state_after(seq, last)
    }

    /// The state after event `target`, read from the journal itself.
    fn state_after(&self, target: u64, last: u64) -> Result<SessionState, StoreError> {
        let Shared { home, id, .. } = &*self.shared;
        let scan = read_events(home, id)?;
        if let Some(damage) = scan.damage {
            return Err(damage);
        }
        let events = usize::try_from(target).ok().and_then(|count| scan.events.get(..count));
        match events {
            Some(events) if target <= last => Ok(replay::fold(events)),
            _ => {
                let reason = format!("there is no record {target} to go back to");
                Err(StoreError::Unreadable { path: home.journal(id), reason })
            }
        }
    }

    fn recorded(&self) -> MutexGuard<'_, Recorded> {
        self.shared.recorded()
    }

    fn observers(&self) -> MutexGuard<'_, Vec<Box<dyn Observer>>> {
        self.observers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session that had stopped runs again: its card must say so before anything happens, since
/// whoever looks at it after a kill would take the session for what it was (and clean it).
fn runs_again(before: Option<SessionStatus>, now: &SessionState) -> bool {
    before.is_some_and(|before| before != SessionStatus::Running)
        && now.status == Some(SessionStatus::Running)
}

impl Shared {
    fn recorded(&self) -> MutexGuard<'_, Recorded> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes snapshot and index card; returns how long to wait before the next time.
    fn mirror(&self, keep: Keep) -> Duration {
        self.mirror.write(&self.home, keep, || {
            // What is on disk now is at most what the state tells, never more.
            let synced = self.disk.synced();
            (self.recorded().state.clone(), synced)
        })
    }
}

impl Drop for OpenSession {
    fn drop(&mut self) {
        self.mirroring = None;
        self.syncing = None;
        let _ = self.shared.disk.sync();
        self.shared.mirror(Keep::Durable);
    }
}
