//! Continues a damaged session from its last good record; what is cut off is kept aside.

use std::path::PathBuf;

use chrono::Utc;

use crate::session::SessionId;

use super::error::NamePath;
use super::files::Keep;
use super::read::read_events;
use super::{Home, StoreError, files, journal::Journal, lock, mirror, replay};

/// What a repair did.
#[derive(Debug)]
pub struct Repaired {
    /// What was wrong; absent when nothing was.
    pub damage: Option<StoreError>,
    /// The last good record, which the session continues after.
    pub last_seq: u64,
    /// Bytes that were cut off.
    pub lost_bytes: u64,
    /// Where they are kept, if there were any.
    pub saved: Option<PathBuf>,
}

/// Cuts a journal behind its last good record. Only on a person's wish: what the lost records
/// told will run again.
///
/// # Errors
/// Busy, not even the first record is good, newer, or something cannot be written.
pub fn repair(home: &Home, id: &SessionId) -> Result<Repaired, StoreError> {
    let _held = lock::take(home, id)?;
    let scan = read_events(home, id)?;
    let path = home.journal(id);
    let bytes = files::read_private(&path).named("read", &path)?;
    let state = replay::fold(&scan.events);
    let mut repaired =
        Repaired { damage: scan.damage, last_seq: state.last_seq, lost_bytes: 0, saved: None };
    if repaired.damage.is_none() {
        return Ok(repaired);
    }
    let good = usize::try_from(scan.end.length).unwrap_or(usize::MAX);
    let filled = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    if let Some(lost) = bytes.get(good..filled).filter(|lost| !lost.is_empty()) {
        let aside = home.damaged_journal(id, &Utc::now());
        files::write_private(&aside, lost, Keep::Durable)?;
        repaired.lost_bytes = lost.len() as u64;
        repaired.saved = Some(aside);
    }
    let journal = Journal::resume(&path, scan.end)?;
    journal.file().sync_all().named("sync", &path)?;
    // Both tell how far the journal must reach.
    mirror::replace(home, &state)?;
    Ok(repaired)
}
