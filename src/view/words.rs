//! Words that several views share: the standing of steps, causes, counts, labels, agents.

use std::fmt::Write as _;

use super::{Ink, dollars, line};
use crate::session::{Address, Lifetime, RewindCause, SessionState, StepStatus};

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
        RewindCause::Resume => "resume",
        RewindCause::FromCheckpoint => "resume from a checkpoint",
        RewindCause::FromStep => "resume from a step",
        RewindCause::PersonsRerun => "a person wants it run again",
        RewindCause::Always => "runs at every resume",
        RewindCause::Edited => "the workflow was edited",
        RewindCause::Rollback => "rollback",
        RewindCause::NewRun => "finally of a new run",
    }
}

/// `1 step`, `3 steps`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
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

/// What agents cost so far: `4 calls, $1.24, 20000 tokens`; none without agents.
#[must_use]
pub fn agent_words(lifetime: &Lifetime) -> Option<String> {
    let known = lifetime.cost_usd > 0.0;
    if lifetime.agent_calls == 0 && !known && lifetime.tokens == 0 {
        return None;
    }
    let calls = usize::try_from(lifetime.agent_calls).unwrap_or(usize::MAX);
    let mut text = count(calls, "call");
    if known {
        let _ = write!(text, ", {}", dollars(lifetime.cost_usd));
    }
    if lifetime.unknown_costs > 0 {
        let unknown = usize::try_from(lifetime.unknown_costs).unwrap_or(usize::MAX);
        let _ = write!(text, ", cost of {} unknown", count(unknown, "call"));
    }
    if lifetime.tokens > 0 {
        let _ = write!(text, ", {} tokens", lifetime.tokens);
    }
    Some(text)
}
