//! How fast items finish and how long the rest will take. Pure: every time is an argument.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, Utc};

/// How many of the latest finishes the rate is made of: enough to smooth over a burst of
/// parallel finishes, few enough to follow a provider that becomes slow.
const REMEMBERED: usize = 100;

/// The pace of one run. A run that continues an earlier one starts afresh: how fast an
/// earlier run was, and the pause between the two, say nothing about this one.
#[derive(Debug, Clone)]
pub struct Pace {
    started: DateTime<Utc>,
    finished: u64,
    /// The times of the latest finishes, oldest first.
    latest: VecDeque<DateTime<Utc>>,
}

impl Pace {
    /// The pace of a run that starts at `now`.
    #[must_use]
    pub fn starting_at(now: DateTime<Utc>) -> Self {
        Self { started: now, finished: 0, latest: VecDeque::with_capacity(REMEMBERED) }
    }

    /// One more item finished.
    pub fn finish(&mut self, at: DateTime<Utc>) {
        // A clock that went back must not make the rate negative or infinite.
        let at = self.latest.back().copied().unwrap_or(self.started).max(at);
        if self.latest.len() == REMEMBERED
            && let Some(oldest) = self.latest.pop_front()
        {
            self.started = oldest;
        }
        self.latest.push_back(at);
        self.finished += 1;
    }

    /// Items that finished in this run.
    #[must_use]
    pub fn finished(&self) -> u64 {
        self.finished
    }

    /// Items per second over the latest finishes, up to `now`: a stall lowers it. `None`
    /// before the first finish and while no time has passed.
    #[must_use]
    pub fn per_second(&self, now: DateTime<Utc>) -> Option<f64> {
        let seconds = (now - self.started).to_std().ok()?.as_secs_f64();
        let finishes = u32::try_from(self.latest.len()).ok()?;
        (finishes > 0 && seconds > 0.0).then(|| f64::from(finishes) / seconds)
    }

    /// The time that `left` more items will take at this rate, in whole seconds; `None`
    /// when there is no rate yet, or the answer would be beyond a hundred years.
    #[must_use]
    pub fn remaining(&self, left: u64, now: DateTime<Utc>) -> Option<Duration> {
        const CENTURY: f64 = 100.0 * 365.0 * 86_400.0;
        if left == 0 {
            return Some(Duration::ZERO);
        }
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let seconds = left as f64 / self.per_second(now)?;
        (seconds <= CENTURY).then(|| Duration::from_secs_f64(seconds.ceil()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_800_000_000_000 + milliseconds).unwrap()
    }

    #[test]
    fn nothing_is_said_before_something_finished() {
        let mut pace = Pace::starting_at(at(0));
        assert_eq!(pace.per_second(at(500)), None);
        assert_eq!(pace.remaining(10, at(500)), None);
        assert_eq!(pace.remaining(0, at(500)), Some(Duration::ZERO));
        pace.finish(at(0));
        assert_eq!(pace.per_second(at(0)), None, "no time has passed");
    }

    #[test]
    fn a_steady_run_is_estimated_exactly() {
        let mut pace = Pace::starting_at(at(0));
        for number in 1..=1000 {
            pace.finish(at(number * 200));
        }
        assert_eq!(pace.finished(), 1000);
        let rate = pace.per_second(at(200_000)).unwrap();
        assert!((rate - 5.0).abs() < 1e-9, "{rate}");
        assert_eq!(pace.remaining(500, at(200_000)), Some(Duration::from_secs(100)));
    }

    #[test]
    fn the_latest_finishes_decide_and_a_stall_shows() {
        let mut pace = Pace::starting_at(at(0));
        for number in 1..=1000 {
            pace.finish(at(number));
        }
        for number in 1..=100 {
            pace.finish(at(1000 + number * 1000));
        }
        let rate = pace.per_second(at(101_000)).unwrap();
        assert!((rate - 1.0).abs() < 0.02, "{rate}");
        assert!(pace.per_second(at(201_000)).unwrap() < 0.6);
    }

    #[test]
    fn a_clock_that_goes_back_does_no_harm() {
        let mut pace = Pace::starting_at(at(10_000));
        pace.finish(at(0));
        assert_eq!(pace.per_second(at(0)), None);
        pace.finish(at(11_000));
        assert!(pace.per_second(at(11_000)).unwrap().is_finite());
        assert_eq!(pace.remaining(u64::MAX, at(11_000)), None, "beyond a century");
    }
}
