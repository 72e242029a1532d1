//! Words that several views share: the standing of steps, causes, counts, labels, agents.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Ink, line};
use crate::session::{Address, RewindCause, SessionState, StepStatus};

/// The standing of a step in one word, and its colour.
#[must_use]
pub fn step_words(status: StepStatus) -> (&'static str, Ink) {
    match status {
        StepStatus::Success => ("done", Ink::Good),
        StepStatus::Recovered => ("recovered", Ink::Caution),
        StepStatus::Failed => ("failed", Ink::Bad),
        StepStatus::Skipped => ("skipped", Ink::Faint),
    }
}

/// Why a session went back.
#[must_use]
pub fn rewind_words(cause: RewindCause) -> &'static str {
    match cause {
        RewindCause::Retry => "retry",
        RewindCause::Rerun => "run again after its handler",
        RewindCause::PartialResume => "partial resume",
        RewindCause::Resume => "resumed after it failed",
        RewindCause::FromCheckpoint => "resume from a checkpoint",
        RewindCause::FromStep => "resume from a step",
        RewindCause::PersonsRerun => "a person wants it run again",
        RewindCause::Always => "runs at every resume",
        RewindCause::Edited => "the workflow was edited",
        RewindCause::Rollback => "rollback",
        RewindCause::DlqRetry => "retry from the dead letter queue",
    }
}

/// `1 step`, `3 steps`.
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// The word that stands in the journal for a variant without fields: `rate_limit`.
#[must_use]
pub fn journal_word(variant: &impl Serialize) -> String {
    match serde_json::to_value(variant) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// Appends how people call the place: `3/10` for a step that stands directly in the
/// workflow, else its address; `the start` for the whole session.
pub fn push_label(text: &mut String, address: &Address, state: &SessionState) {
    if address.is_root() {
        text.push_str("the start");
        return;
    }
    let number = address.as_str();
    let plain = number.bytes().all(|byte| byte.is_ascii_digit());
    match state.header() {
        Some(header)
            if plain
                && header.stages.is_empty()
                && header.passes.is_empty()
                && header.max_iterations.is_none() =>
        {
            let _ = write!(text, "{number}/{}", header.total_steps);
        }
        _ => text.push_str(&line(number)),
    }
}
