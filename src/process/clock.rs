//! Active time: a clock that stands still while this process is kept from running.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A waiter looks at the clock at least this often.
pub(super) const TICK: Duration = Duration::from_millis(250);

/// A gap this long between two looks was no waiting: the process was suspended (Ctrl-Z,
/// SIGSTOP). Nothing has to tell the clock, so nothing can forget to.
const SUSPENDED: Duration = Duration::from_secs(1);

/// Measures active time since it was made.
pub(super) struct Clock(Mutex<Reading>);

struct Reading {
    made: Instant,
    seen: Instant,
    lost: Duration,
    watchers: usize,
}

/// Held by a loop that looks at the clock at every [`TICK`]: only then a gap means something.
pub(super) struct Watching<'a>(&'a Clock);

impl Default for Clock {
    fn default() -> Self {
        let now = Instant::now();
        Self(Mutex::new(Reading { made: now, seen: now, lost: Duration::ZERO, watchers: 0 }))
    }
}

impl Clock {
    /// Active time so far.
    pub(super) fn active(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).look(Instant::now())
    }

    /// Begins to look regularly, until the result is dropped.
    pub(super) fn watch(&self) -> Watching<'_> {
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reading.look(Instant::now());
        reading.watchers += 1;
        Watching(self)
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        let mut reading = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        reading.look(Instant::now());
        reading.watchers -= 1;
    }
}

impl Reading {
    fn look(&mut self, now: Instant) -> Duration {
        let gap = now.saturating_duration_since(self.seen);
        if self.watchers > 0 && gap >= SUSPENDED {
            self.lost += gap;
        }
        self.seen = self.seen.max(now);
        self.seen.saturating_duration_since(self.made).saturating_sub(self.lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_gap_under_a_watcher_does_not_count() {
        let made = Instant::now();
        let at = |seconds: f64| made + Duration::from_secs_f64(seconds);
        let mut reading = Reading { made, seen: made, lost: Duration::ZERO, watchers: 1 };
        assert_eq!(reading.look(at(0.25)), Duration::from_millis(250));
        assert_eq!(reading.look(at(60.25)), Duration::from_millis(250), "suspended for a minute");
        assert_eq!(reading.look(at(60.5)), Duration::from_millis(500));
        reading.watchers = 0;
        assert_eq!(reading.look(at(70.5)), Duration::from_millis(10_500), "nobody was looking");
    }
}
