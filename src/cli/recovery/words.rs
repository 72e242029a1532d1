//! A recovery as a person reads it.

use std::fmt::Write as _;

use chrono::Utc;

use crate::recovery::{ProgressStep, RecoveryState, RecoveryStatus, StepWord};
use crate::session::RecoveryType;
use crate::view::{clip, duration_ms, line, paragraph, time};

use super::decide::NEXT;

/// The recovery in a few lines of name and value.
pub(super) fn state(state: &RecoveryState) -> String {
    let context = &state.recovery_context;
    let now = Utc::now();
    let way = match state.recovery_type {
        RecoveryType::Person if state.status.is_open() => "it waits for a person",
        way => way.as_str(),
    };
    let mut text = format!("{} {}: {way}\n", state.id, status_words(state.status));
    let mut add = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<11} {value}");
    };
    if !state.failure_id.is_empty() {
        add("failure", &line(&state.failure_id));
    }
    add("session", &format!("{} ({})", context.workflow_id, context.session_id));
    if let Some(step) = &context.step {
        let class = crate::view::journal_word(&context.class);
        add("step", &line(&format!("{step} ({class}), recovery {} of it", context.number)));
    }
    add("why", &paragraph(&context.reason, 14));
    if let Some(target) = &state.target_checkpoint_id {
        add("target", &line(target));
    }
    if let Some(undo) = &state.rollback_checkpoint_id {
        add("undo", &line(undo));
    }
    add("started", &time(Some(state.started_at), now));
    if state.completed_at.is_some() {
        add("ended", &time(state.completed_at, now));
    }
    for step in &state.progress_steps {
        add("step", &progress(step));
    }
    let done = state.progress_steps.iter().map(|step| step.step);
    let left: Vec<&str> = match state.status.is_open() {
        true => {
            let done: Vec<StepWord> = done.collect();
            let left = state.recovery_plan.iter().filter(|step| !done.contains(step));
            left.map(|step| step_words(*step)).collect()
        }
        false => Vec::new(),
    };
    if !left.is_empty() {
        add("to do", &left.join(", "));
    }
    if let Some(result) = state.metadata.get("result").and_then(|it| it.as_str()) {
        add("result", &paragraph(result, 14));
    }
    if state.status.is_open() {
        let next = state.metadata.get(NEXT).and_then(|it| it.as_str());
        let command = match (next, state.failure_id.as_str()) {
            (Some(next), _) => line(next).into_owned(),
            (None, "") => format!("prodigy recovery rollback {}", context.workflow_id),
            (None, id) => format!("prodigy recovery initiate --failure-id {}", line(id)),
        };
        add("to go on", &command);
    }
    text
}

fn progress(step: &ProgressStep) -> String {
    let mut text = step_words(step.step).to_owned();
    if let Some(attempt) = step.attempt {
        let _ = write!(text, ", attempt {attempt}");
    }
    let _ = write!(text, ": {}", status_words(step.status));
    if let Some(ended) = step.completed_at {
        let spent = (ended - step.started_at).num_milliseconds();
        let _ = write!(text, " ({})", duration_ms(u64::try_from(spent).unwrap_or(0)));
    }
    if let Some(detail) = &step.detail {
        let _ = write!(text, ", {}", clip(detail, 160));
    }
    text
}

/// A step of a recovery in words.
pub(super) fn step_words(step: StepWord) -> &'static str {
    match step {
        StepWord::ValidateState => "validate",
        StepWord::SavePresentState => "save the present state",
        StepWord::RestoreContext => "restore the checkpoint",
        StepWord::Wait => "wait",
        StepWord::ApplyFix => "fix",
        StepWord::RetryStep => "run the failed step again",
        StepWord::ResumeExecution => "go on",
        StepWord::RestoreFiles => "restore the files",
        StepWord::SetPosition => "restore variables and position",
    }
}

/// A status in words.
pub(super) fn status_words(status: RecoveryStatus) -> &'static str {
    match status {
        RecoveryStatus::Pending => "pending",
        RecoveryStatus::InProgress => "in progress",
        RecoveryStatus::Completed => "completed",
        RecoveryStatus::Failed => "failed",
    }
}
