//! Reads a session without holding it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use crate::session::{Event, SessionId, SessionState};

use super::error::NamePath;
use super::journal::ROOM;
use super::scan::{Scan, walk_journal};
use super::{Card, Home, StoreError, files, replay};

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
    /// Bytes of the good records.
    pub length: u64,
}

impl Loaded {
    /// The state after an older event, where there is one.
    #[must_use]
    pub fn at(&self, seq: u64) -> Option<SessionState> {
        Some(replay::fold(self.events.get(..usize::try_from(seq).ok()?)?))
    }
}

/// True when a journal holds more than its first `length` bytes, or cannot be looked at. Its size
/// does not tell: there is room for the next records in it.
#[must_use]
pub fn has_more(home: &Home, id: &SessionId, length: u64) -> bool {
    let mut next = [0];
    match File::open(home.journal(id)).and_then(|file| file.read_at(&mut next, length)) {
        Ok(read) => read > 0 && next != [0],
        Err(_) => true,
    }
}

/// The workflow as a session ran it, for when its file is gone.
///
/// # Errors
/// It is missing, cannot be read, or is no text.
pub fn stored_workflow(home: &Home, id: &SessionId) -> Result<String, StoreError> {
    let path = home.workflow(id);
    let bytes = files::read_private(&path).named("read", &path)?;
    String::from_utf8(bytes)
        .map_err(|_| StoreError::Unreadable { path, reason: "it is no text".to_owned() })
}

/// True when a journal that takes time to read ends in the middle of a run: its last whole
/// record tells, without the others.
pub(super) fn stops_in_a_run(home: &Home, id: &SessionId) -> bool {
    const LARGE: u64 = 1 << 20;
    let large = std::fs::metadata(home.journal(id)).is_ok_and(|journal| journal.len() > LARGE);
    large
        && last_record(home, id).is_ok_and(|record| {
            let middle = [
                "step_started",
                "step_spawned",
                "step_finished",
                "attempt_finished",
                "item_finished",
                "scope_finished",
                "retry_scheduled",
            ];
            let kind = |name: &&str| record.contains(&format!("\"event\":{{\"{name}\""));
            record.starts_with("{\"crc\":\"") && middle.iter().any(kind)
        })
}

/// The last whole line of a journal, as far as it stands within its last bytes before the room
/// for more.
fn last_record(home: &Home, id: &SessionId) -> io::Result<String> {
    const LAST: u64 = 16 * 1024 + ROOM as u64;
    let file = File::open(home.journal(id))?;
    let size = file.metadata()?.len();
    let mut bytes = vec![0; usize::try_from(size.min(LAST)).unwrap_or_default()];
    file.read_exact_at(&mut bytes, size.saturating_sub(LAST))?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
    let lines = bytes.get(..whole).unwrap_or_default();
    let start = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    Ok(String::from_utf8_lossy(lines.get(start..).unwrap_or_default()).into_owned())
}

/// Reads and folds the journal of a session, as far as its records are good.
pub(super) fn read_session(home: &Home, id: &SessionId) -> Result<Loaded, StoreError> {
    let Scan { events, damage, torn, end, .. } = read_events(home, id)?;
    Ok(Loaded { state: replay::fold(&events), events, damage, torn, length: end.length })
}

/// Folds the journal of a session without holding all of its events at once.
pub(super) fn read_state(home: &Home, id: &SessionId) -> Result<(Scan, SessionState), StoreError> {
    let (mut state, mut returns) = (SessionState::default(), false);
    let scan = walk_events(home, id, &mut |event| {
        returns |= replay::goes_to(&event.kind).is_some();
        if !returns {
            state.apply(&event);
        }
    })?;
    if !returns {
        return Ok((scan, state));
    }
    // Which earlier states are wanted is only known at the end.
    let mut scan = read_events(home, id)?;
    let state = replay::fold(&std::mem::take(&mut scan.events));
    Ok((scan, state))
}

/// Reads the journal of a session: at least one good record, or an error.
pub(super) fn read_events(home: &Home, id: &SessionId) -> Result<Scan, StoreError> {
    let mut events = Vec::new();
    let mut scan = walk_events(home, id, &mut |event| events.push(event))?;
    scan.events = events;
    Ok(scan)
}

/// As [`read_events`], which are handed over one by one.
fn walk_events(
    home: &Home,
    id: &SessionId,
    take: &mut dyn FnMut(Event),
) -> Result<Scan, StoreError> {
    let not_found = || StoreError::NotFound {
        what: "session",
        name: id.to_string(),
        searched: home.sessions(),
    };
    // Before the journal: it only grows.
    let card = Card::read(home, id);
    if let Err(newer @ StoreError::Newer { .. }) = card {
        return Err(newer);
    }
    let path = home.journal(id);
    let mut scan = match walk_journal(&path, take) {
        Err(StoreError::Io { source, .. }) if is_missing(&source) && card.is_err() => {
            return Err(not_found());
        }
        Err(StoreError::Io { source, .. })
            if is_missing(&source) && card.as_ref().is_ok_and(|card| card.cleaned_at.is_some()) =>
        {
            return Err(StoreError::NotFound {
                what: "journal (its session was cleaned)",
                name: id.to_string(),
                searched: path,
            });
        }
        scan => scan?,
    };
    let synced = match &card {
        Ok(card) => Some(card.last_synced_seq),
        Err(_) => synced_of_snapshot(home, &scan),
    };
    if let Some(synced) = synced {
        scan.forgive_hole(synced);
        scan.check_length(&path, synced);
    }
    if let Some(started) = &scan.header
        && started.session_id != *id
    {
        let reason = format!("it is the journal of {}", started.session_id);
        return Err(StoreError::Unreadable { path, reason });
    }
    if scan.last == 0 {
        // Killed before its first record: there has never been a session.
        return Err(scan.damage.unwrap_or_else(not_found));
    }
    Ok(scan)
}

/// The last event on disk as the snapshot knows it, where the card is lost.
fn synced_of_snapshot(home: &Home, scan: &Scan) -> Option<u64> {
    let header = scan.header.as_ref()?;
    let path = home.snapshot(&header.repository, &header.workflow_id);
    let bytes = files::read_private(&path).named("read", &path).ok()?;
    let snapshot: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    let same = snapshot.get("session_id")?.as_str()? == header.session_id.as_str();
    snapshot.get("last_synced_seq")?.as_u64().filter(|_| same)
}

fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}
