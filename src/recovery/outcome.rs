//! What the journal says of a recovery: the file may be a crash behind it.

use crate::session::{
    Address, Event, EventKind, ItemStatus, Record, RecoveryId, RecoveryType, SessionState,
    SessionStatus, item_number,
};
use crate::store::Loaded;

use super::failure::present_failure;
use super::state::{RecoveryState, RecoveryStatus};

/// How a recovery stands by what the session has recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The step that failed did not fail again.
    Recovered(String),
    /// It failed again, or something before it did.
    FailedAgain(String),
    /// The session has not come that far.
    Open,
}

/// How the recovery of the failure of `step` stands; without a step, that of a damaged session.
#[must_use]
pub fn outcome(state: &SessionState, step: Option<&Address>) -> Outcome {
    if state.status.is_some_and(SessionStatus::is_completed) {
        return Outcome::Recovered("the workflow went to its end".to_owned());
    }
    if state.unanswered.is_some() {
        return Outcome::Open; // Nothing was gone back over yet.
    }
    if let Some(step) = step
        && is_past(state, step)
    {
        return Outcome::Recovered(format!("step {step} did not fail again"));
    }
    match (state.status, &state.failure) {
        (Some(SessionStatus::Failed), Some(failure)) => {
            let why = step.and_then(|step| fix_that_failed(state, step)).unwrap_or_else(|| {
                format!("step {}: {}", failure.step, failure.failure.message.shown())
            });
            Outcome::FailedAgain(format!("{why} ({})", failure.id))
        }
        (Some(SessionStatus::Failed), None) => {
            Outcome::FailedAgain("the workflow failed".to_owned())
        }
        _ => Outcome::Open,
    }
}

/// Ends an open recovery that the session has left behind; true when it did.
pub fn catch_up(state: &mut RecoveryState, loaded: &Loaded) -> bool {
    let Some((success, why)) = end_of(state, loaded) else { return false };
    let status = if success { RecoveryStatus::Completed } else { RecoveryStatus::Failed };
    if state.status == RecoveryStatus::Pending {
        // What it would have done was never begun.
        state.recovery_type = RecoveryType::Person;
    }
    let at = loaded.state.updated_at.unwrap_or(state.started_at);
    state.finish(status, &why, at);
    true
}

/// Whether an open recovery is over by what the session has recorded: with success or not, and why.
fn end_of(state: &RecoveryState, loaded: &Loaded) -> Option<(bool, String)> {
    if let Some(success) = loaded.state.lifetime.recovered(&state.id) {
        return Some((success, "as the journal says".to_owned()));
    }
    let still = || present_failure(loaded).is_some_and(|it| it.id == state.failure_id);
    let completed = || loaded.state.status.is_some_and(SessionStatus::is_completed);
    let by = match (state.status, state.recovery_type) {
        (RecoveryStatus::Pending, _) if !still() => "a person went on: ",
        // One that is under way may be about to go back from the end of the workflow.
        (RecoveryStatus::InProgress, RecoveryType::Rollback) => return None,
        // It was killed between the end of its last run and its own.
        (RecoveryStatus::InProgress, _) if completed() => "",
        _ => return None,
    };
    match outcome(&loaded.state, state.recovery_context.step.as_ref()) {
        Outcome::Recovered(why) => Some((true, format!("{by}{why}"))),
        Outcome::FailedAgain(why) => Some((false, format!("{by}{why}"))),
        Outcome::Open => None,
    }
}

/// True when the step ended since so that the workflow goes on.
fn is_past(state: &SessionState, step: &Address) -> bool {
    match item_number(step) {
        Some(item) => state
            .standing
            .items
            .results()
            .any(|(number, status, _)| number == item && status == ItemStatus::Success),
        None => {
            let step_is = state.standing.result(step).is_some_and(|result| result.goes_on);
            step_is || state.standing.scope(step).is_some_and(|scope| scope.goes_on)
        }
    }
}

/// What the latest fix of `step` failed at, where the step itself has not run again since.
fn fix_that_failed(state: &SessionState, step: &Address) -> Option<String> {
    let last = match item_number(step) {
        Some(_) => state.lifetime.last_item_seq,
        None => state.standing.record(step)?.finished_seq,
    };
    let failed = |(at, record): &(&Address, &Record)| {
        let of_fix = at.is_of_recovery() && at.sequence().owner().as_ref() == Some(step);
        of_fix
            && record.finished_seq > last
            && record.result.as_ref().is_some_and(|result| !result.goes_on)
            && !state.standing.scope(at).is_some_and(|scope| scope.goes_on)
    };
    let (at, record) = state.standing.records_within(step).filter(failed).last()?;
    let failure = record.latest_report()?.failure.as_ref()?;
    Some(format!("the fix failed at step {at}: {}", failure.message.shown()))
}

/// The latest attempt of a recovery that the journal knows, and whether its run ended in good
/// order.
#[must_use]
pub fn last_attempt(events: &[Event], id: &RecoveryId) -> Option<(u32, bool)> {
    let (index, attempt) = latest_start(events, id)?;
    let after = events.get(index..).unwrap_or_default();
    let ended = after.iter().any(|event| matches!(event.kind, EventKind::RunFinished { .. }));
    Some((attempt, ended))
}

/// True when the steps of the fix of this attempt ended well, and something was gone back over
/// or run since, in whichever process.
#[must_use]
pub fn is_past_fix(events: &[Event], id: &RecoveryId, attempt: u32) -> bool {
    let begins = |event: &Event| match &event.kind {
        EventKind::RecoveryStarted(started) => {
            started.recovery == *id && started.attempt == attempt
        }
        _ => false,
    };
    let after = events.iter().skip_while(|event| !begins(event));
    let mut after = after.filter(|event| match &event.kind {
        EventKind::Rewound { scope, .. } => !scope.is_of_recovery(),
        EventKind::StepStarted { address, .. } => {
            !address.is_of_recovery() && !address.is_of_finally()
        }
        _ => false,
    });
    after.next().is_some()
}

/// Where the latest attempt of a recovery starts, and its number.
fn latest_start(events: &[Event], id: &RecoveryId) -> Option<(usize, u32)> {
    events.iter().enumerate().rev().find_map(|(index, event)| match &event.kind {
        EventKind::RecoveryStarted(started) if started.recovery == *id => {
            Some((index, started.attempt))
        }
        _ => None,
    })
}
