//! `--from-checkpoint`: back to a version or named checkpoint, or to the start of a stage (DECISIONS A23).

use crate::playbook::model::{Body, Workflow};
use crate::session::{
    Address, EventKind, ItemStanding, Reach, RewindCause, SessionState, StepStatus, returned_to,
    rewound,
};

use super::failed;
use super::foresee::{Earlier, foresee};
use super::map;
use super::request::{Decision, Refusal, Request, skipped};
use super::tree::{Place, passes};

/// Adds the events that send the session to `name`.
pub(super) fn go_to(
    state: &SessionState,
    workflow: &Workflow,
    places: &[Place<'_>],
    name: &str,
    request: &Request,
    earlier: &Earlier<'_>,
    decision: &mut Decision,
) -> Result<(), Refusal> {
    if let Body::MapReduce(job) = &workflow.body
        && let Some(phase) = map::phase_named(job, name)
    {
        return map::go_to_phase(state, places, phase, request, decision);
    }
    if let Body::Stages(stages) = &workflow.body
        && let Some(number) = stages.iter().position(|stage| stage.name == name)
    {
        go_to_stage(state, places, name, number, decision);
        return Ok(());
    }
    let version =
        state.lifetime.find_version(name).ok_or_else(|| Refusal::NoCheckpoint(name.to_owned()))?;
    decision.events.push(returned_to(version.seq, RewindCause::FromCheckpoint));
    let dropped = state
        .standing
        .records()
        .filter(|(address, record)| address.is_top_level() && record.finished_seq > version.seq)
        .count();
    let there = foresee(state, &decision.events, earlier);
    failed::start_again_there(&there, workflow, decision);
    let items = earlier(version.seq).map_or(0, |then| items_ended_since(&then, state));
    let and_items = match items {
        0 => String::new(),
        1 => " and 1 item that had ended".to_owned(),
        _ => format!(" and {items} items that had ended"),
    };
    decision.notes.push(format!(
        "going back to v{} (after step {}): {dropped} finished {}{and_items} run again",
        version.version,
        version.address,
        if dropped == 1 { "step" } else { "steps" }
    ));
    Ok(())
}

/// How many items ended, or ended otherwise, between two states.
fn items_ended_since(then: &SessionState, now: &SessionState) -> usize {
    let ended = now.standing.items.results();
    ended
        .filter(|(item, status, result)| {
            then.standing.items.standing(*item) != ItemStanding::Ended(*status, *result)
        })
        .count()
}

/// The start of a stage, backward or forward, in the pass that the session stands in.
fn go_to_stage(
    state: &SessionState,
    places: &[Place<'_>],
    name: &str,
    number: usize,
    decision: &mut Decision,
) {
    let passes = passes(state);
    let open = passes.iter().find(|pass| state.standing.scope(pass).is_none());
    let Some(pass) = open.or(passes.last()) else { return };
    let start = pass.join(name);
    let in_pass = places.iter().filter(|place| place.address.is_within(pass));
    pass_over_steps(state, in_pass.take_while(|place| place.sequence != start), decision);
    let mut scopes: Vec<&Address> = Vec::new();
    for place in places.iter().filter(|place| place.address.is_within(pass)) {
        if !scopes.contains(&&place.sequence) {
            scopes.push(&place.sequence);
        }
    }
    for (index, scope) in scopes.iter().enumerate() {
        if index >= number {
            if state.standing.records_within(scope).next().is_some()
                || state.standing.scope(scope).is_some()
            {
                let cause = RewindCause::FromCheckpoint;
                decision.events.push(rewound(scope, Reach::Subtree, cause));
            }
        } else if state.standing.scope(scope).is_none_or(|it| !it.goes_on) {
            decision.events.push(EventKind::ScopeFinished {
                address: (*scope).clone(),
                status: StepStatus::Skipped,
                goes_on: true,
                checkpoint: None,
            });
        }
    }
    for scope in [pass.clone(), Address::root()] {
        if state.standing.scope(&scope).is_some() || state.standing.error(&scope).is_some() {
            decision.events.push(rewound(&scope, Reach::Own, RewindCause::FromCheckpoint));
        }
    }
    decision.notes.push(format!("going to the start of stage {name:?}"));
}

/// Steps before the point that a person goes to are recorded as passed over, where they have
/// not ended so that the workflow goes on.
pub(super) fn pass_over_steps<'p>(
    state: &SessionState,
    steps: impl Iterator<Item = &'p Place<'p>>,
    decision: &mut Decision,
) {
    for place in steps {
        let goes_on = state.standing.result(&place.address).is_some_and(|it| it.goes_on);
        if !goes_on {
            if state.standing.record(&place.address).is_some() {
                let cause = RewindCause::FromCheckpoint;
                decision.events.push(rewound(&place.address, Reach::Subtree, cause));
            }
            decision.events.push(skipped(&place.address, place.step));
            decision.passed_over.push(place.address.clone());
        }
    }
}
