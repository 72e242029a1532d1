//! How many steps of a session ended how.

use std::fmt;

use serde::Serialize;

use crate::session::{SessionState, SessionStatus, StepStatus};

/// Steps that stand directly in the workflow, a stage or a pass; not those of handlers and loops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct StepCounts {
    /// Steps in all.
    pub total: usize,
    /// Their own command succeeded.
    pub done: usize,
    /// Their handlers succeeded.
    pub recovered: usize,
    /// They failed.
    pub failed: usize,
    /// They were passed over.
    pub skipped: usize,
    /// They are still to come; 0 once the session is completed, however many passes or
    /// stages it left out.
    pub not_run: usize,
}

impl StepCounts {
    /// Counts the steps of `state`.
    #[must_use]
    pub fn of(state: &SessionState) -> Self {
        let total = state.header().map_or(0, |header| header.total_steps);
        let mut counts = Self { total, ..Self::default() };
        for (address, record) in state.standing.records() {
            let Some(result) = record.result.as_ref().filter(|_| address.is_top_level()) else {
                continue;
            };
            match result.status {
                StepStatus::Success => counts.done += 1,
                StepStatus::Recovered => counts.recovered += 1,
                StepStatus::Failed => counts.failed += 1,
                StepStatus::Skipped => counts.skipped += 1,
            }
        }
        let ended = counts.done + counts.recovered + counts.failed + counts.skipped;
        if !state.status.is_some_and(SessionStatus::is_completed) {
            counts.not_run = total.saturating_sub(ended);
        }
        counts
    }

    /// True where no step has begun and none is to come.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.done + self.recovered + self.failed + self.skipped + self.not_run == 0
    }
}

/// `7 done, 1 recovered, 2 to do`; what is zero is left out, except when all is.
impl fmt::Display for StepCounts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.done, "done"),
            (self.recovered, "recovered"),
            (self.failed, "failed"),
            (self.skipped, "skipped"),
            (self.not_run, "to do"),
        ];
        let mut first = true;
        for (number, word) in parts.into_iter().filter(|(number, _)| *number > 0) {
            write!(formatter, "{}{number} {word}", if first { "" } else { ", " })?;
            first = false;
        }
        if first { formatter.write_str("none") } else { Ok(()) }
    }
}
