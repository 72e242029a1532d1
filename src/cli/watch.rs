//! Looks on while another process runs a session.

use std::time::{Duration, Instant};

use crate::exit::Failure;
use crate::session::SessionId;
use crate::store::{self, Loaded};

use super::lookup::Place;

/// How often the journal is looked at.
const TICK: Duration = Duration::from_millis(100);

/// What has been seen of a session.
pub(super) struct Watch<'a> {
    place: &'a Place,
    id: &'a SessionId,
    /// Bytes of records that were seen.
    length: Option<u64>,
    cost: Duration,
}

impl<'a> Watch<'a> {
    /// Nothing has been seen yet.
    pub(super) fn new(place: &'a Place, id: &'a SessionId) -> Self {
        Self { place, id, length: None, cost: Duration::ZERO }
    }

    /// True while a process holds the session. Asked before [`Self::news`], so that what was
    /// recorded until the end is still seen.
    pub(super) fn is_running(&self) -> bool {
        store::holder(&self.place.home, self.id).is_some()
    }

    /// The session as it is now, if its journal has changed since the last look.
    pub(super) fn news(&mut self) -> Result<Option<Loaded>, Failure> {
        if self.length.is_some_and(|seen| !store::has_more(&self.place.home, self.id, seen)) {
            return Ok(None);
        }
        let started = Instant::now();
        let loaded = self.place.read(self.id)?;
        self.cost = started.elapsed();
        self.length = Some(loaded.length);
        Ok(Some(loaded))
    }

    /// Waits a little; longer where a look costs much, so that looking never takes more than
    /// a tenth of the time.
    pub(super) fn pause(&self) {
        std::thread::sleep(TICK.max(self.cost * 10));
    }
}
