//! Where a map workflow goes on: at the start of a phase, or with items of the dead letter queue
//! that run again (SPEC 7.3, DECISIONS A28).

use crate::mapreduce::{MapVerdict, Tally};
use crate::playbook::mapreduce::MapReduce;
use crate::playbook::model::{Body, OnResume, Workflow};
use crate::session::{
    Address, EventKind, ItemStanding, ItemStatus, JobProgress, Phase, Reach, ResultRef,
    RewindCause, SessionState, StepStatus, item_address, map_address, rewound,
};

use super::checkpoint::pass_over_steps;
use super::foresee::{Earlier, foresee};
use super::request::{Decision, Refusal, Request, reopen_around};
use super::tree::Place;

/// Which items of the dead letter queue run again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Requeue {
    /// None.
    #[default]
    Nothing,
    /// All that wait there.
    All,
    /// Those with these numbers.
    These(Vec<u32>),
}

/// What becomes of a reduce that has begun when items run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReduceAfter {
    /// It runs again, on the new results.
    #[default]
    Again,
    /// It stays as it is.
    Kept,
}

/// A map that stopped before its end goes on with the items that have not ended.
pub(super) fn reopen_stopped(state: &SessionState, cause: RewindCause, decision: &mut Decision) {
    let at = map_address();
    let stopped = state.standing.scope(&at).is_some_and(|end| !end.goes_on);
    if stopped {
        decision.events.push(rewound(&at, Reach::Own, cause));
        reopen_around(state, &[at], cause, decision);
    }
}

/// True when there are items to run again.
pub(super) fn asks_for_items(state: &SessionState, request: &Request) -> bool {
    match &request.requeue {
        Requeue::Nothing => false,
        Requeue::All => state.lifetime.waiting_dead().next().is_some(),
        Requeue::These(items) => !items.is_empty(),
    }
}

/// True when more items wait in the dead letter queue than the policy allows: of some a person may
/// have cleared it since the session failed.
pub(super) fn is_beyond_policy(state: &SessionState, workflow: &Workflow) -> bool {
    let Body::MapReduce(job) = &workflow.body else { return true };
    let dead = state.lifetime.waiting_dead().count() as u64;
    let total = u64::from(state.lifetime.items);
    job.policy.verdict(&Tally { total, dead, skipped: 0, open: 0 }) == MapVerdict::Failed
}

/// Items of the dead letter queue run again; a reduce that saw their failures does too.
pub(super) fn requeue(
    state: &SessionState,
    request: &Request,
    decision: &mut Decision,
) -> Result<(), Refusal> {
    let waiting: Vec<u32> = state.lifetime.waiting_dead().map(|(item, _)| item).collect();
    let items = match &request.requeue {
        Requeue::Nothing => Vec::new(),
        Requeue::All => waiting,
        Requeue::These(items) => {
            if let Some(other) = items.iter().find(|item| waiting.binary_search(item).is_err()) {
                return Err(Refusal::NotDead(*other));
            }
            items.clone()
        }
    };
    if items.is_empty() {
        decision.notes.push("the dead letter queue is empty".to_owned());
        return Ok(());
    }
    let cause = RewindCause::DlqRetry;
    let many = if items.len() == 1 { "item runs" } else { "items run" };
    decision.notes.push(format!("{} {many} again from the dead letter queue", items.len()));
    let reduce = phase_address(Phase::Reduce);
    if begun(state, &reduce) {
        match request.reduce {
            ReduceAfter::Again => {
                decision.events.push(rewound(&reduce, Reach::Subtree, cause));
                decision.notes.push("reduce runs again afterwards, on the new results".to_owned());
            }
            ReduceAfter::Kept => {
                decision.notes.push("reduce is kept as it is (--no-reduce)".to_owned());
            }
        }
    }
    let map = map_address();
    if state.standing.scope(&map).is_some() {
        decision.events.push(rewound(&map, Reach::Own, cause));
    }
    reopen_around(state, &[map, reduce], cause, decision);
    // Last: a crash between these records leaves no item pending in a map that is over.
    for item in &items {
        let at = item_address(*item);
        decision.events.push(rewound(&at, Reach::Subtree, cause));
        decision.starting.insert(at);
    }
    Ok(())
}

/// Where the items have to be read again, a reduce that has begun saw others.
pub(super) fn renew_reduce(there: &SessionState, request: &Request, decision: &mut Decision) {
    let reduce = phase_address(Phase::Reduce);
    if there.lifetime.job.is_none() || there.standing.frozen || !begun(there, &reduce) {
        return;
    }
    let cause = match request.from_checkpoint {
        Some(_) => RewindCause::FromCheckpoint,
        None => RewindCause::Edited,
    };
    decision.events.push(rewound(&reduce, Reach::Subtree, cause));
    reopen_around(there, &[reduce], cause, decision);
}

/// Says so where setup runs again and the items stay those that were read after an earlier run
/// of it.
pub(super) fn tell_of_items_that_stay(
    state: &SessionState,
    places: &[Place<'_>],
    earlier: &Earlier<'_>,
    decision: &mut Decision,
) {
    let Some(header) = state.header().filter(|_| state.standing.frozen) else { return };
    let there = foresee(state, &decision.events, earlier);
    let setup = phase_address(Phase::Setup);
    let runs = |place: &&Place<'_>| {
        place.sequence == setup
            && place.step.on_resume != OnResume::Always
            && there.standing.result(&place.address).is_none()
    };
    if there.standing.frozen
        && let Some(place) = places.iter().find(runs)
    {
        decision.notes.push(format!(
            "step {} runs again, but the items stay as they were read before; to read them again: \
             prodigy resume {} --from-checkpoint setup",
            place.address, header.workflow_id
        ));
    }
}

/// The phase called `name`, where the workflow has it.
pub(super) fn phase_named(job: &MapReduce, name: &str) -> Option<Phase> {
    match name {
        // Without steps of its own it is where the items are read.
        "setup" => Some(Phase::Setup),
        "map" => Some(Phase::Map),
        "reduce" if job.reduce.is_some() => Some(Phase::Reduce),
        _ => None,
    }
}

/// The start of a phase, backward or forward.
pub(super) fn go_to_phase(
    state: &SessionState,
    places: &[Place<'_>],
    phase: Phase,
    request: &Request,
    decision: &mut Decision,
) -> Result<(), Refusal> {
    if phase != Phase::Setup {
        pass_over_setup(state, places, decision);
    }
    let ended = JobProgress::of(state).map_or(0, |progress| progress.processed);
    if phase == Phase::Reduce {
        pass_over_items(state, request, decision)?;
    }
    let cause = RewindCause::FromCheckpoint;
    // The last first: a crash between these records leaves no phase that saw what is gone.
    for later in [Phase::Reduce, Phase::Map, Phase::Setup] {
        let at = phase_address(later);
        // Of a setup that was edited as a whole nothing is left, but its items are.
        let known = begun(state, &at) || (later == Phase::Setup && state.standing.frozen);
        if rank(later) >= rank(phase) && known {
            // Items that are read again keep their results where they are the same.
            let items_stay = later == Phase::Map && phase == Phase::Setup;
            let reach = if items_stay { Reach::Own } else { Reach::Subtree };
            decision.events.push(rewound(&at, reach, cause));
        }
    }
    reopen_around(state, &[phase_address(phase)], cause, decision);
    let again = match phase {
        Phase::Setup if ended > 0 => {
            ": the items are read again; those that are the same keep their results".to_owned()
        }
        Phase::Map if ended > 0 => format!(": {ended} items that had ended run again"),
        _ => String::new(),
    };
    decision.notes.push(format!("going to the start of {}{again}", phase.as_str()));
    Ok(())
}

fn pass_over_setup(state: &SessionState, places: &[Place<'_>], decision: &mut Decision) {
    let setup = phase_address(Phase::Setup);
    let mut steps = places.iter().filter(|place| place.sequence == setup).peekable();
    if steps.peek().is_none() || state.standing.scope(&setup).is_some_and(|end| end.goes_on) {
        return;
    }
    pass_over_steps(state, steps, decision);
    decision.events.push(EventKind::ScopeFinished {
        address: setup,
        status: StepStatus::Skipped,
        goes_on: true,
        checkpoint: None,
    });
}

/// Reduce may only begin when every item ended, or a person passes over the others.
pub(super) fn pass_over_items(
    state: &SessionState,
    request: &Request,
    decision: &mut Decision,
) -> Result<(), Refusal> {
    let Some(progress) = JobProgress::of(state).filter(|_| state.standing.frozen) else {
        return Err(Refusal::NoItems);
    };
    let map = map_address();
    if progress.pending > 0 {
        if !request.pass_over {
            return Err(Refusal::PendingItems(progress.pending));
        }
        for item in &request.items {
            if state.standing.items.standing(*item) == ItemStanding::Pending {
                let at = item_address(*item);
                if begun(state, &at) {
                    decision.events.push(rewound(&at, Reach::Subtree, RewindCause::FromCheckpoint));
                }
                decision.events.push(EventKind::ItemFinished {
                    item: *item,
                    status: ItemStatus::Skipped,
                    value: None,
                    result: ResultRef::NONE,
                });
            }
        }
        decision
            .notes
            .push(format!("{} items that have not ended are passed over", progress.pending));
    }
    if state.standing.scope(&map).is_none_or(|end| !end.goes_on) {
        if state.standing.scope(&map).is_some() || state.standing.error(&map).is_some() {
            decision.events.push(rewound(&map, Reach::Own, RewindCause::FromCheckpoint));
        }
        decision.events.push(EventKind::ScopeFinished {
            address: map,
            status: StepStatus::Failed,
            goes_on: true,
            checkpoint: None,
        });
    }
    Ok(())
}

fn phase_address(phase: Phase) -> Address {
    Address::root().join(phase.as_str())
}

fn rank(phase: Phase) -> u8 {
    match phase {
        Phase::Setup => 0,
        Phase::Map => 1,
        Phase::Reduce => 2,
    }
}

/// True when something at or below `at` is recorded.
pub(super) fn begun(state: &SessionState, at: &Address) -> bool {
    let standing = &state.standing;
    standing.records_within(at).next().is_some()
        || standing.scope(at).is_some()
        || standing.error(at).is_some()
        || (*at == map_address() && standing.items.ended() > 0)
}
