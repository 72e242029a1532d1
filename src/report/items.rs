//! The items of a map as a person sees them go by: each one of a small job, the progress of a
//! large one.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};

use super::failure::tail_of;
use super::level::Level;
use super::lines::{Lines, WIDTH};
use crate::mapreduce::Pace;
use crate::session::{
    Address, Disposition, Event, EventKind, ItemFailure, ItemStatus, RewindCause, SessionState,
    item_address, item_number,
};
use crate::view::{self, Ink};

/// Of larger jobs only the progress is told, and what failed.
const EACH: u32 = 1000;

/// How far the map is, as one line.
#[derive(Debug, Default)]
pub struct Progress {
    pace: Option<Pace>,
    told: Option<DateTime<Utc>>,
}

impl Progress {
    /// A process begins to run the session.
    pub fn begin(&mut self, at: DateTime<Utc>) {
        self.pace = Some(Pace::starting_at(at));
        self.told = Some(at);
    }

    /// `12345/100000 items, 12.3/s, 1h 59m left, 3 failed, $0.40`.
    pub fn words(&self, at: DateTime<Utc>, state: &SessionState) -> String {
        let items = &state.standing.items;
        let (ended, total) = (items.ended(), state.lifetime.items);
        let mut text = format!("{ended}/{total} items");
        let left = u64::from(total.saturating_sub(ended));
        if let Some(rate) = self.pace.as_ref().and_then(|pace| pace.per_second(at)) {
            let _ = match rate {
                10.0.. => write!(text, ", {rate:.0}/s"),
                1.0.. => write!(text, ", {rate:.1}/s"),
                _ => write!(text, ", {:.1}/min", rate * 60.0),
            };
        }
        let remaining = self.pace.as_ref().and_then(|pace| pace.remaining(left, at));
        if let Some(remaining) = remaining.filter(|_| left > 0) {
            let _ = write!(text, ", {} left", view::duration(remaining.as_secs()));
        }
        for (number, word) in [(items.failed(), "failed"), (items.skipped(), "skipped")] {
            if number > 0 {
                let _ = write!(text, ", {number} {word}");
            }
        }
        if state.lifetime.cost_usd > 0.0 {
            let _ = write!(text, ", {}", view::dollars(state.lifetime.cost_usd));
        }
        text
    }

    /// One more item ended: true when that is the time to tell how far a large job is.
    fn finish(&mut self, at: DateTime<Utc>, state: &SessionState) -> bool {
        if let Some(pace) = &mut self.pace {
            pace.finish(at);
        }
        let last = state.standing.items.ended() >= state.lifetime.items;
        let due = self.told.is_none_or(|told| at - told >= TimeDelta::seconds(1)) || last;
        if due {
            self.told = Some(at);
        }
        due
    }
}

/// True for what happens inside an item: its end tells enough.
pub fn is_inside(address: &Address) -> bool {
    item_number(address).is_some()
}

impl Lines {
    /// The lines of an event of the map or inside an item: true when there are no others.
    pub(super) fn of_item(&mut self, event: &Event, state: &SessionState) -> bool {
        match &event.kind {
            // What setup took says nothing about the items.
            EventKind::JobStarted { .. } => {
                self.progress.begin(event.at);
                false
            }
            EventKind::ItemFinished { item, status, .. } => {
                self.item_finished(event.at, *item, *status, state);
                true
            }
            EventKind::ItemFailed { failure, .. } => {
                self.item_failed(failure, state);
                true
            }
            EventKind::StepFinished { address, .. } => {
                is_inside(address) && self.level() < Level::Verbose
            }
            EventKind::Rewound { scope, cause, .. } => {
                let again = matches!(
                    cause,
                    RewindCause::Retry | RewindCause::DlqRetry | RewindCause::FromCheckpoint
                );
                again && is_inside(scope) && self.level() < Level::Verbose
            }
            _ => false,
        }
    }

    fn item_finished(
        &mut self,
        at: DateTime<Utc>,
        item: u32,
        status: ItemStatus,
        state: &SessionState,
    ) {
        let due = self.progress.finish(at, state);
        if self.level() == Level::Quiet {
            return;
        }
        let total = state.lifetime.items;
        if total > EACH {
            if due {
                let words = self.progress.words(at, state);
                self.word("map", Ink::Strong, &Address::root(), state);
                let _ = writeln!(self.text, "{words}");
            }
            return;
        }
        let (word, ink) = match status {
            ItemStatus::Success => ("done", Ink::Good),
            ItemStatus::Failed => ("failed", Ink::Bad),
            ItemStatus::Skipped => ("skipped", Ink::Caution),
        };
        self.word(word, ink, &item_address(item), state);
        let ended = state.standing.items.ended();
        let _ = writeln!(self.text, " ({ended}/{total})");
    }

    /// A run of an item failed: where, why, what it printed, and what follows.
    fn item_failed(&mut self, failure: &ItemFailure, state: &SessionState) {
        let before = self.text.len();
        let final_one = failure.disposition != Disposition::Retry;
        if self.level() == Level::Quiet && !final_one {
            return;
        }
        self.word("failed", Ink::Bad, &failure.step, state);
        let message = failure.failure.message.shown();
        let took = view::duration_ms(failure.duration_ms);
        let _ = write!(self.text, ": {} ({took}", view::clip(&message, WIDTH));
        if let Some(cost) = failure.cost_usd {
            let _ = write!(self.text, ", {}", view::dollars(cost));
        }
        let _ = writeln!(
            self.text,
            "{}){}",
            if failure.run > 1 { format!(", run {}", failure.run) } else { String::new() },
            match failure.disposition {
                Disposition::Retry => ", runs again",
                Disposition::Stop => ", the map stops",
                Disposition::Dlq | Disposition::Skip => "",
            }
        );
        self.output_and_log(&failure.step, failure.attempt, tail_of(&failure.output), state);
        let told = self.text.split_off(before);
        self.text.extend(self.item_errors.push(told));
    }

    /// What has been held back is told when the map or the run is over.
    pub(super) fn left_of_items(&mut self, event: &Event) {
        let over = match &event.kind {
            EventKind::ScopeFinished { address, .. } => address.as_str() == "map",
            EventKind::RunFinished { .. } => true,
            _ => false,
        };
        if over {
            self.text.extend(self.item_errors.take());
        }
    }
}
