//! A session that failed starts again at the steps that failed: what runs again are those, and
//! what stands around them ends anew.

use crate::playbook::model::{Body, Workflow};
use crate::session::{
    Address, EventKind, Reach, RewindCause, SessionState, SessionStatus, WaitReason, item_number,
    map_address, rewound,
};

use super::map;
use super::request::{Decision, Request, reopen_around};
use super::tree::places;

/// Adds the events that start what failed again, if the session stands at a failure.
pub(super) fn start_again(
    state: &SessionState,
    workflow: &Workflow,
    request: &Request,
    decision: &mut Decision,
) {
    let intervened = state
        .waiting
        .as_ref()
        .filter(|waiting| waiting.reason == WaitReason::Intervention)
        .map(|waiting| waiting.address.clone());
    // A step that has not ended is answered where its handlers are.
    if let Some(at) = &intervened
        && request.done.contains(at)
        && state.standing.result(at).is_none()
    {
        return;
    }
    let failed = state.status == Some(SessionStatus::Failed)
        || state.unanswered.is_some()
        || died_failed(state, workflow);
    if failed || intervened.is_some() {
        rewind_failed(state, intervened, decision);
    }
}

/// The events that start what failed again, in a run that found the failure recorded and has only
/// answered it.
#[must_use]
pub fn failed_again(state: &SessionState) -> Vec<EventKind> {
    let mut decision = Decision::default();
    rewind_failed(state, None, &mut decision);
    decision.events
}

fn rewind_failed(state: &SessionState, intervened: Option<Address>, decision: &mut Decision) {
    let mut failed: Vec<Address> = state
        .standing
        .records()
        .filter(|(address, record)| {
            !address.is_aside()
                && !address.is_of_finally()
                // What the failure of an item means is still to be decided, or was.
                && item_number(address).is_none()
                && record.result.as_ref().is_some_and(|result| !result.goes_on)
                // The stage around it goes on all the same.
                && !state.standing.scope(&address.sequence()).is_some_and(|end| end.goes_on)
        })
        .map(|(address, _)| address.clone())
        .collect();
    let intervened = intervened.filter(|at| !failed.contains(at));
    failed.extend(intervened);
    // A workflow that failed because of its own artifacts is looked at again.
    if state.standing.error(&Address::root()).is_some_and(|error| error.step.is_root()) {
        decision.events.push(rewound(&Address::root(), Reach::Own, RewindCause::Resume));
    }
    for address in &failed {
        let holds_others = failed.iter().any(|other| other != address && other.is_within(address));
        let reach = if holds_others { Reach::Own } else { Reach::Subtree };
        decision.events.push(rewound(address, reach, RewindCause::Resume));
        decision.starting.insert(address.clone());
    }
    reopen_around(state, &failed, RewindCause::Resume, decision);
    map::reopen_stopped(state, RewindCause::Resume, decision);
}

/// Adds the events that start what failed again, where an earlier point of the session that it
/// goes back to stands at a failure.
pub(super) fn start_again_there(
    there: &SessionState,
    workflow: &Workflow,
    decision: &mut Decision,
) {
    if stands_at_failure(there, workflow) {
        rewind_failed(there, None, decision);
    }
}

/// True for a session that was killed after the failure that ends it was recorded, when nothing
/// was left to answer it: it differs from a failed one only in that nobody wrote so down.
fn died_failed(state: &SessionState, workflow: &Workflow) -> bool {
    matches!(state.status, Some(SessionStatus::Running | SessionStatus::Interrupted))
        && stands_at_failure(state, workflow)
}

/// True when the failure that would end the session is recorded, and nothing is left to answer it.
fn stands_at_failure(state: &SessionState, workflow: &Workflow) -> bool {
    let settled =
        |at: &Address| state.standing.error(at).is_some_and(|error| error.settled == Some(false));
    let through = |sequence: &Address, pass: &Address| {
        let workflows = workflow.on_failure.is_none() || settled(pass);
        let stages: Vec<_> = match &workflow.body {
            Body::Steps(_) => Vec::new(),
            Body::Stages(stages) => stages.iter().collect(),
            Body::MapReduce(job) => [&job.setup, &job.reduce].into_iter().flatten().collect(),
        };
        let stage = stages.into_iter().find(|stage| pass.join(&stage.name) == *sequence);
        let over = state.standing.scope(sequence).is_some_and(|end| !end.goes_on);
        workflows && stage.is_none_or(|it| (it.on_failure.is_none() && it.retry.is_none()) || over)
    };
    let goes_on_after = workflow.continue_on_error;
    let step_failed = places(workflow, state).iter().any(|place| {
        let pass = super::tree::pass_of(&place.address);
        item_number(&place.address).is_none()
            && state.standing.result(&place.address).is_some_and(|result| !result.goes_on)
            && through(&place.sequence, &pass)
            && (pass.is_root() || !goes_on_after)
    });
    let map_failed = state.standing.scope(&map_address()).is_some_and(|end| !end.goes_on)
        && through(&map_address(), &Address::root());
    step_failed || map_failed
}
