//! Every kind of event in a few words: its type, its place, what it says.

use super::{clip, count, duration_ms, journal_word, line, rewind_words, status_words, step_words};
use crate::session::{
    Address, EventKind, FailureClass, ItemStatus, KeptFiles, PersonsAnswer, Report, WaitReason,
};

/// The types by name, as in the journal and for `--type`.
pub const EVENT_TYPES: [&str; 35] = [
    "session_started",
    "run_started",
    "step_started",
    "step_spawned",
    "agent_ended",
    "attempt_finished",
    "retry_scheduled",
    "handler_started",
    "handler_skipped",
    "handler_finished",
    "error_raised",
    "error_settled",
    "loop_started",
    "scored",
    "step_finished",
    "scope_finished",
    "rewound",
    "confirmed",
    "waiting",
    "answered",
    "job_started",
    "item_finished",
    "item_failed",
    "dlq_cleared",
    "workflow_changed",
    "run_finished",
    "files_kept",
    "checkpoint_made",
    "rollback_started",
    "files_restored",
    "recovery_started",
    "recovery_finished",
    "forked",
    "moved",
    "superseded",
];

/// The type of an event.
#[must_use]
pub fn event_type(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::SessionStarted(_) => "session_started",
        EventKind::RunStarted(_) => "run_started",
        EventKind::StepStarted { .. } => "step_started",
        EventKind::StepSpawned { .. } => "step_spawned",
        EventKind::AgentEnded { .. } => "agent_ended",
        EventKind::AttemptFinished { .. } => "attempt_finished",
        EventKind::RetryScheduled { .. } => "retry_scheduled",
        EventKind::HandlerStarted { .. } => "handler_started",
        EventKind::HandlerSkipped { .. } => "handler_skipped",
        EventKind::HandlerFinished { .. } => "handler_finished",
        EventKind::ErrorRaised { .. } => "error_raised",
        EventKind::ErrorSettled { .. } => "error_settled",
        EventKind::LoopStarted { .. } => "loop_started",
        EventKind::Scored { .. } => "scored",
        EventKind::StepFinished { .. } => "step_finished",
        EventKind::ScopeFinished { .. } => "scope_finished",
        EventKind::Rewound { .. } => "rewound",
        EventKind::Confirmed { .. } => "confirmed",
        EventKind::Waiting { .. } => "waiting",
        EventKind::Answered { .. } => "answered",
        EventKind::WorkflowChanged { .. } => "workflow_changed",
        EventKind::RunFinished { .. } => "run_finished",
        EventKind::JobStarted { .. } => "job_started",
        EventKind::ItemFinished { .. } => "item_finished",
        EventKind::ItemFailed { .. } => "item_failed",
        EventKind::DlqCleared { .. } => "dlq_cleared",
        EventKind::Forked { .. } => "forked",
        EventKind::FilesKept(_) => "files_kept",
        EventKind::CheckpointMade { .. } => "checkpoint_made",
        EventKind::RollbackStarted(_) => "rollback_started",
        EventKind::FilesRestored { .. } => "files_restored",
        EventKind::RecoveryStarted(_) => "recovery_started",
        EventKind::RecoveryFinished(_) => "recovery_finished",
        EventKind::Moved { .. } => "moved",
        EventKind::Superseded { .. } => "superseded",
    }
}

/// The place an event is about; none for those about the session.
#[must_use]
pub fn event_address(kind: &EventKind) -> Option<&Address> {
    match kind {
        EventKind::StepStarted { address, .. }
        | EventKind::StepSpawned { address, .. }
        | EventKind::AgentEnded { address, .. }
        | EventKind::AttemptFinished { address, .. }
        | EventKind::RetryScheduled { address, .. }
        | EventKind::HandlerStarted { address, .. }
        | EventKind::HandlerSkipped { address, .. }
        | EventKind::HandlerFinished { address, .. }
        | EventKind::ErrorRaised { address, .. }
        | EventKind::ErrorSettled { address, .. }
        | EventKind::LoopStarted { address, .. }
        | EventKind::Scored { address, .. }
        | EventKind::StepFinished { address, .. }
        | EventKind::ScopeFinished { address, .. }
        | EventKind::Confirmed { address, .. }
        | EventKind::Waiting { address, .. }
        | EventKind::Answered { address, .. }
        | EventKind::CheckpointMade { address, .. }
        | EventKind::Rewound { scope: address, .. } => Some(address),
        EventKind::ItemFailed { failure, .. } => Some(&failure.step),
        EventKind::RecoveryStarted(started) => started.step.as_ref(),
        EventKind::SessionStarted(_)
        | EventKind::RunStarted(_)
        | EventKind::WorkflowChanged { .. }
        | EventKind::JobStarted { .. }
        | EventKind::ItemFinished { .. }
        | EventKind::DlqCleared { .. }
        | EventKind::RunFinished { .. }
        | EventKind::Forked { .. }
        | EventKind::FilesKept(_)
        | EventKind::RollbackStarted(_)
        | EventKind::FilesRestored { .. }
        | EventKind::RecoveryFinished(_)
        | EventKind::Moved { .. }
        | EventKind::Superseded { .. } => None,
    }
}

/// How an item ended, in one word.
fn item_words(status: ItemStatus) -> &'static str {
    match status {
        ItemStatus::Success => "done",
        ItemStatus::Failed => "failed",
        ItemStatus::Skipped => "skipped",
    }
}

/// What an event says, in one line that is fit for a terminal.
#[must_use]
pub fn event_words(kind: &EventKind) -> String {
    let text = match kind {
        EventKind::SessionStarted(started) => {
            format!("{}, {}", started.name, count(started.total_steps as u64, "step"))
        }
        EventKind::RunStarted(run) => {
            format!("run {} on {}, pid {}: {}", run.run, run.host, run.pid, run.command)
        }
        EventKind::StepStarted { attempt, name, command, .. } => {
            let name = if name.is_empty() { String::new() } else { format!("{name} - ") };
            // What an item runs is not recorded.
            match format!("{name}{command}") {
                none if none.is_empty() => format!("attempt {attempt}"),
                what => format!("attempt {attempt}: {}", clip(&what, 120)),
            }
        }
        EventKind::StepSpawned { pid, .. } => format!("pid {pid}"),
        EventKind::AgentEnded { attempt, agent, .. } => {
            let cost = agent.cost_usd.map_or("cost unknown".to_owned(), super::dollars);
            let tokens = agent.tokens.map(|tokens| format!(", {tokens} tokens"));
            format!("agent of attempt {attempt} ended: {cost}{}", tokens.unwrap_or_default())
        }
        EventKind::JobStarted { job, items, .. } => {
            format!("{job}, {}", count(u64::from(*items), "item"))
        }
        EventKind::ItemFinished { item, status, .. } => {
            format!("item_{item} {}", item_words(*status))
        }
        EventKind::ItemFailed { item, failure } => {
            format!(
                "item_{item} run {}: {}",
                failure.run,
                clip(&failure.failure.message.shown(), 120)
            )
        }
        EventKind::DlqCleared { items } => {
            format!("{} cleared", count(items.len() as u64, "item"))
        }
        EventKind::AttemptFinished { attempt, report, .. } => {
            format!("attempt {attempt}: {}", report_words(report))
        }
        EventKind::RetryScheduled { attempt, delay_ms, uncounted, .. } => format!(
            "attempt {attempt} in {}{}",
            duration_ms(*delay_ms),
            if *uncounted { ", not counted" } else { "" }
        ),
        EventKind::HandlerStarted { id, strategy, attempt, .. } => {
            format!("handler {id}, {strategy}, run {attempt}")
        }
        EventKind::HandlerSkipped { id, reason, failed, .. } => {
            format!("handler {id} {}: {reason}", if *failed { "failed" } else { "passed over" })
        }
        EventKind::HandlerFinished { id, success, error, .. } => match (success, error) {
            (true, _) => format!("handler {id} succeeded"),
            (false, Some(error)) => format!("handler {id} failed: {error}"),
            (false, None) => format!("handler {id} failed"),
        },
        EventKind::ErrorRaised { step, failure, attempt, correlation_id, .. } => format!(
            "step {step}, attempt {attempt}: {}{}, correlation id {correlation_id}",
            failure.message.shown(),
            class_words(failure.class)
        ),
        EventKind::ErrorSettled { goes_on, .. } => goes_on_words(*goes_on).to_owned(),
        EventKind::LoopStarted { items, .. } => count(items.len() as u64, "item"),
        EventKind::Scored { score, reached, .. } => {
            format!("{score}, threshold {}", if *reached { "reached" } else { "not reached" })
        }
        EventKind::StepFinished { result, checkpoint, name, .. } => {
            let mut text = step_words(result.status).0.to_owned();
            if !name.is_empty() {
                text = format!("{text}: {}", clip(name, 120));
            }
            if result.report != Report::default() {
                text = format!("{text}: {}", report_words(&result.report));
            }
            if result.attempts > 1 {
                text = format!("{text}, {} attempts", result.attempts);
            }
            match checkpoint.as_deref() {
                Some("") => format!("{text}, checkpoint"),
                Some(name) => format!("{text}, checkpoint {name}"),
                None => text,
            }
        }
        EventKind::ScopeFinished { status, goes_on, .. } => {
            format!("{}, {}", step_words(*status).0, goes_on_words(*goes_on))
        }
        EventKind::Rewound { from, to_seq, cause, by, .. } => {
            let mut text = rewind_words(*cause).to_owned();
            if let Some(from) = from {
                text = format!("{text}, from step {from}");
            }
            if let Some(to_seq) = to_seq {
                text = format!("{text}, to event {to_seq}");
            }
            match by {
                Some(by) => format!("{text}, asked for by {by}"),
                None => text,
            }
        }
        EventKind::Confirmed { yes, by, .. } => {
            format!("{} by {by}", if *yes { "confirmed" } else { "refused" })
        }
        EventKind::Waiting { reason, message, .. } => {
            format!("for {}: {}", reason_words(*reason), clip(message, 120))
        }
        EventKind::Answered { answer, .. } => match answer {
            PersonsAnswer::Done => "it was done".to_owned(),
            PersonsAnswer::Rerun => "run it again".to_owned(),
        },
        EventKind::WorkflowChanged { kept, .. } => {
            format!("edited; as before: {}", count(kept.len() as u64, "step"))
        }
        EventKind::RunFinished { status, active_ms, failure } => {
            let text = format!("{} after {}", status_words(*status).0, duration_ms(*active_ms));
            match failure {
                Some(failure) => {
                    format!("{text}: step {}: {}", failure.step, failure.failure.message.shown())
                }
                None => text,
            }
        }
        EventKind::Forked { from, version, .. } => match version {
            Some(version) => format!("from {from} at v{version}"),
            None => format!("from {from}"),
        },
        EventKind::FilesKept(files) => files_words(files),
        EventKind::CheckpointMade { name, .. } => match name {
            Some(name) => format!("checkpoint {name}"),
            None => "checkpoint".to_owned(),
        },
        EventKind::RollbackStarted(rollback) => {
            let files = if rollback.files.is_some() { " with files" } else { "" };
            format!("to v{}{files}; undone by v{}", rollback.version, rollback.undo_version)
        }
        EventKind::FilesRestored { tree } => format!("tree {}", tree.get(..12).unwrap_or(tree)),
        EventKind::RecoveryStarted(started) => {
            let attempt = match started.attempt {
                1 => String::new(),
                attempt => format!(", attempt {attempt}"),
            };
            let (way, id) = (started.kind.as_str(), &started.recovery);
            format!("{way} ({id}){attempt}: {}", started.reason)
        }
        EventKind::RecoveryFinished(finished) => {
            let word = if finished.success { "recovered" } else { "not recovered" };
            format!("{word} ({}): {}", finished.recovery, finished.reason)
        }
        EventKind::Moved { directory, .. } => format!("to {}", directory.display()),
        EventKind::Superseded { by } => format!("by {by}"),
    };
    clip(&line(&text), 300).into_owned()
}

fn files_words(files: &KeptFiles) -> String {
    let short = |id: &str| id.get(..10).unwrap_or(id).to_owned();
    let mut text = format!("tree {}", short(&files.tree));
    if let Some(head) = &files.head {
        text = format!("{text}, HEAD {}", short(head));
    }
    match files.left_out.len() as u64 {
        0 => text,
        left_out => format!("{text}, {} left out", count(left_out, "path")),
    }
}

fn report_words(report: &Report) -> String {
    let time = duration_ms(report.duration_ms);
    match (&report.failure, report.exit_code) {
        (Some(failure), _) => {
            format!("{}{} ({time})", failure.message.shown(), class_words(failure.class))
        }
        (None, Some(code)) => format!("exit code {code} ({time})"),
        (None, None) => format!("ended ({time})"),
    }
}

fn class_words(class: FailureClass) -> String {
    match class {
        FailureClass::Unknown => String::new(),
        class => format!(" [{}]", journal_word(&class)),
    }
}

fn goes_on_words(goes_on: bool) -> &'static str {
    if goes_on { "the workflow goes on" } else { "the failure goes up" }
}

fn reason_words(reason: WaitReason) -> &'static str {
    match reason {
        WaitReason::Confirmation => "a confirmation",
        WaitReason::Intervention => "a person",
        WaitReason::OnResume => "a person's answer",
        WaitReason::Limit => "a provider's limit",
        WaitReason::Budget => "a larger budget",
    }
}
