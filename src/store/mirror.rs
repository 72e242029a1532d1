//! Writes snapshot and index card behind a running session. Both are caches of the journal:
//! that they cannot be written stops nothing.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::session::SessionState;

use super::files::Keep;
use super::snapshot::write_snapshot;
use super::{Card, Home, StoreError, files};

/// What has been written last.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    written: Mutex<Written>,
}

#[derive(Debug, Default)]
struct Written {
    seq: u64,
    keep: Option<Keep>,
}

impl Mirror {
    /// Snapshots in the background are at least this far apart.
    pub(super) const PAUSE: Duration = Duration::from_secs(1);

    /// Writes both for the state that `look` copies (with the last event on disk), unless they
    /// are there already. Returns the time to wait before the next one in the background: so
    /// long that all of them together take less than a twentieth of the run.
    pub(super) fn write(
        &self,
        home: &Home,
        keep: Keep,
        look: impl FnOnce() -> (SessionState, u64),
    ) -> Duration {
        let began = Instant::now();
        // Held while writing: an older state must not replace a newer one.
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, synced) = look();
        let there = written.seq == state.last_seq
            && (keep == Keep::Cached || written.keep == Some(Keep::Durable));
        if !there {
            match write(home, &state, synced, keep) {
                Ok(()) => *written = Written { seq: state.last_seq, keep: Some(keep) },
                Err(error) => tracing::debug!("no snapshot: {error}"),
            }
        }
        Self::PAUSE.max(began.elapsed() * 20)
    }
}

/// Writes both for a session that is not running and whose journal is on disk.
pub(super) fn replace(home: &Home, state: &SessionState) -> Result<(), StoreError> {
    write(home, state, state.last_seq, Keep::Durable)
}

/// The snapshot is never synced; the card is when it has to outlive a power cut.
fn write(home: &Home, state: &SessionState, synced: u64, keep: Keep) -> Result<(), StoreError> {
    let Some(card) = Card::of(state, synced) else { return Ok(()) };
    card.write(home, keep)?;
    let path = home.snapshot(&card.repository, &card.workflow_id);
    files::make_directory(files::parent_of(&path))?;
    files::write_cached(&path, |out| write_snapshot(state, synced, out))
}
