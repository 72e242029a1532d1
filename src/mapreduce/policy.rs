//! What failed items mean: for themselves, for the rest of the map, and at its end
//! (SPEC 3.4 `error_policy`, DECISIONS A27).

use serde::Serialize;

use crate::playbook::mapreduce::{ErrorCollection, ErrorPolicy, OnItemFailure};

/// The ends of a map so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// All items of the map.
    pub total: u64,
    /// Items in the dead letter queue.
    pub dead: u64,
    /// Items that failed and were skipped.
    pub skipped: u64,
    /// Items that have not ended.
    pub open: u64,
}

/// Why nothing more is started.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StopReason {
    /// `on_item_failure: stop` or `continue_on_failure: false`, and an item failed.
    FirstFailure,
    /// More than `max_failures` items failed.
    TooMany {
        /// As written.
        allowed: u64,
        /// Items in the dead letter queue.
        dead: u64,
    },
    /// More than the share of `failure_threshold` failed.
    TooLargeShare {
        /// As written, 0–1.
        allowed: f64,
        /// Items in the dead letter queue.
        dead: u64,
        /// All items.
        total: u64,
    },
}

/// What came of a map (and what it means for the exit code, DECISIONS A27).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MapVerdict {
    /// Every item succeeded: exit code 0.
    Success,
    /// Items failed or were skipped, and the policy allows it: exit code 0.
    CompletedWithFailures,
    /// More failed than the policy allows: exit code 1, after the reduce has run.
    Failed,
    /// It was stopped before every item had its turn: exit code 1, and no reduce.
    Stopped,
}

impl MapVerdict {
    /// Whether the reduce runs: on complete results only.
    #[must_use]
    pub fn reduces(self) -> bool {
        self != Self::Stopped
    }
}

impl ErrorPolicy {
    /// Whether, with these ends, nothing more is started. Only failures that are certain
    /// count: a share is one of all items, so that early failures of a long map do not stop it.
    #[must_use]
    pub fn stop_reason(&self, tally: &Tally) -> Option<StopReason> {
        let stops_at_once =
            self.on_item_failure == OnItemFailure::Stop || !self.continue_on_failure;
        if stops_at_once && tally.dead + tally.skipped > 0 {
            return Some(StopReason::FirstFailure);
        }
        self.excess(tally)
    }

    /// What came of the map, once nothing runs any more.
    #[must_use]
    pub fn verdict(&self, tally: &Tally) -> MapVerdict {
        let nothing_written = self.max_failures.is_none() && self.failure_threshold.is_none();
        let none_allowed = nothing_written || self.on_item_failure == OnItemFailure::Stop;
        if tally.open > 0 {
            MapVerdict::Stopped
        } else if self.excess(tally).is_some() || (none_allowed && tally.dead > 0) {
            MapVerdict::Failed
        } else if tally.dead + tally.skipped > 0 {
            MapVerdict::CompletedWithFailures
        } else {
            MapVerdict::Success
        }
    }

    /// The written limit that is exceeded.
    fn excess(&self, tally: &Tally) -> Option<StopReason> {
        let Tally { total, dead, .. } = *tally;
        if let Some(allowed) = self.max_failures.filter(|allowed| dead > *allowed) {
            return Some(StopReason::TooMany { allowed, dead });
        }
        #[expect(clippy::cast_precision_loss, reason = "exact for any number of items")]
        let exceeded = |share: &f64| dead as f64 > share * total as f64;
        let allowed = self.failure_threshold.filter(exceeded)?;
        Some(StopReason::TooLargeShare { allowed, dead, total })
    }
}

impl std::fmt::Display for StopReason {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::FirstFailure => formatter.write_str("an item failed, and the policy is to stop"),
            Self::TooMany { allowed, dead } => {
                let items = if *dead == 1 { "item" } else { "items" };
                write!(formatter, "{dead} {items} failed, `max_failures` allows {allowed}")
            }
            Self::TooLargeShare { allowed, dead, total } => write!(
                formatter,
                "{dead} of {total} items failed, `failure_threshold` allows a share of {allowed}"
            ),
        }
    }
}

/// Failures on their way to a report.
#[derive(Debug, Clone)]
pub struct ErrorCollector<T> {
    mode: ErrorCollection,
    held: Vec<T>,
}

impl<T> ErrorCollector<T> {
    /// An empty one.
    #[must_use]
    pub fn new(mode: ErrorCollection) -> Self {
        Self { mode, held: Vec::new() }
    }

    /// One more failure; what is to be reported now.
    #[must_use]
    pub fn push(&mut self, failure: T) -> Vec<T> {
        self.held.push(failure);
        let full = match self.mode {
            ErrorCollection::Aggregate => false,
            ErrorCollection::Immediate => true,
            ErrorCollection::Batched(size) => self.held.len() >= size.get() as usize,
        };
        if full { self.take() } else { Vec::new() }
    }

    /// What is left to be reported at the end.
    #[must_use]
    pub fn take(&mut self) -> Vec<T> {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(total: u64, dead: u64, skipped: u64, open: u64) -> Tally {
        Tally { total, dead, skipped, open }
    }

    #[test]
    fn by_default_everything_runs_and_any_dead_item_fails_the_job() {
        let policy = ErrorPolicy::default();
        assert_eq!(policy.stop_reason(&tally(10, 9, 0, 1)), None);
        assert_eq!(policy.verdict(&tally(10, 1, 0, 0)), MapVerdict::Failed);
        assert!(MapVerdict::Failed.reduces());
        assert_eq!(policy.verdict(&tally(10, 0, 0, 0)), MapVerdict::Success);
        assert_eq!(policy.verdict(&tally(0, 0, 0, 0)), MapVerdict::Success);
        assert_eq!(policy.verdict(&tally(10, 0, 1, 0)), MapVerdict::CompletedWithFailures);
    }

    #[test]
    fn a_written_limit_allows_failures_and_one_more_stops() {
        let policy = ErrorPolicy { max_failures: Some(2), ..ErrorPolicy::default() };
        assert_eq!(policy.stop_reason(&tally(10, 2, 0, 5)), None);
        let reason = policy.stop_reason(&tally(10, 3, 0, 5)).unwrap();
        assert_eq!(reason.to_string(), "3 items failed, `max_failures` allows 2");
        assert_eq!(policy.verdict(&tally(10, 2, 0, 0)), MapVerdict::CompletedWithFailures);
        assert_eq!(policy.verdict(&tally(10, 3, 0, 0)), MapVerdict::Failed);
        assert_eq!(policy.verdict(&tally(10, 3, 0, 5)), MapVerdict::Stopped);
        assert!(!MapVerdict::Stopped.reduces());
        let none = ErrorPolicy { max_failures: Some(0), ..ErrorPolicy::default() };
        assert!(none.stop_reason(&tally(10, 1, 0, 9)).is_some(), "written, so it stops");
    }

    #[test]
    fn a_share_is_one_of_all_items() {
        let policy = ErrorPolicy { failure_threshold: Some(0.3), ..ErrorPolicy::default() };
        assert_eq!(policy.stop_reason(&tally(10, 3, 0, 7)), None);
        let reason = policy.stop_reason(&tally(10, 4, 0, 6)).unwrap();
        assert_eq!(
            reason.to_string(),
            "4 of 10 items failed, `failure_threshold` allows a share of 0.3"
        );
        assert_eq!(policy.verdict(&tally(10, 3, 0, 0)), MapVerdict::CompletedWithFailures);
        let all = ErrorPolicy { failure_threshold: Some(1.0), ..ErrorPolicy::default() };
        assert_eq!(all.verdict(&tally(10, 10, 0, 0)), MapVerdict::CompletedWithFailures);
    }

    #[test]
    fn of_two_limits_both_hold() {
        let policy = ErrorPolicy {
            max_failures: Some(5),
            failure_threshold: Some(0.1),
            ..ErrorPolicy::default()
        };
        assert_eq!(policy.verdict(&tally(10, 2, 0, 0)), MapVerdict::Failed);
        assert_eq!(policy.verdict(&tally(1000, 6, 0, 0)), MapVerdict::Failed);
        assert_eq!(policy.verdict(&tally(1000, 5, 0, 0)), MapVerdict::CompletedWithFailures);
    }

    #[test]
    fn stopping_policies_stop_at_the_first_failure() {
        let stop = ErrorPolicy { on_item_failure: OnItemFailure::Stop, ..ErrorPolicy::default() };
        let quit = ErrorPolicy { continue_on_failure: false, ..ErrorPolicy::default() };
        for policy in [&stop, &quit] {
            assert_eq!(policy.stop_reason(&tally(5, 0, 0, 5)), None);
            assert_eq!(policy.stop_reason(&tally(5, 1, 0, 4)), Some(StopReason::FirstFailure));
            assert_eq!(policy.verdict(&tally(5, 1, 0, 4)), MapVerdict::Stopped);
        }
        let last = ErrorPolicy { max_failures: Some(9), ..stop };
        assert_eq!(last.verdict(&tally(5, 1, 0, 0)), MapVerdict::Failed, "also the last item");
    }

    #[test]
    fn failures_are_reported_as_asked() {
        let reported = |mode| {
            let mut collector = ErrorCollector::new(mode);
            let mut batches: Vec<Vec<u32>> = (1..=5).map(|n| collector.push(n)).collect();
            batches.push(collector.take());
            batches.retain(|batch| !batch.is_empty());
            batches
        };
        assert_eq!(reported(ErrorCollection::Aggregate), [vec![1, 2, 3, 4, 5]]);
        assert_eq!(reported(ErrorCollection::Immediate).len(), 5);
        let two = std::num::NonZeroU32::new(2).unwrap();
        assert_eq!(reported(ErrorCollection::Batched(two)), [vec![1, 2], vec![3, 4], vec![5]]);
    }
}
