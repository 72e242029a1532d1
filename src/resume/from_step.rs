//! `--from-step`: one step runs again, with `--downstream` what follows it too (SPEC 7.3,
//! DECISIONS A49).

use crate::playbook::model::{Body, Count, Step, Workflow};
use crate::session::{
    Address, EventKind, ItemStanding, Reach, RewindCause, SessionState, StepStatus, item_address,
    map_address, rewound,
};

use super::foresee::{Earlier, foresee};
use super::map;
use super::path::{Astray, Level, Path};
use super::request::{Decision, Downstream, Refusal, Request, marked, reopen_around, skipped};
use super::tree::passes;

const CAUSE: RewindCause = RewindCause::FromStep;

/// The step at `address`, if `--from-step` can make it run again by itself.
#[must_use]
pub fn step_alone<'w>(
    address: &Address,
    workflow: &'w Workflow,
    state: &SessionState,
) -> Option<&'w Step> {
    Path::to(address, workflow, state).ok()?.step()
}

/// Adds the events that make the step at `address` the next one to run. What has ended before
/// it stays; what has not is passed over.
pub(super) fn go_to(
    state: &SessionState,
    workflow: &Workflow,
    address: &Address,
    request: &Request,
    earlier: &Earlier<'_>,
    decision: &mut Decision,
) -> Result<(), Refusal> {
    let path = find(state, workflow, address, request)?;
    refuse_marked_item(state, workflow, &path, request)?;
    // What failed later starts again, as in every resume.
    let there = foresee(state, &decision.events, earlier);
    pass_over(&there, workflow, &path, request, decision)?;
    let there = foresee(&there, &decision.events, earlier);
    if request.downstream == Downstream::Again {
        for event in what_follows(&there, workflow, &path) {
            decision.events.push(event);
        }
    }
    decision.events.push(rewound(address, Reach::Subtree, CAUSE));
    // Around a whole round stands its loop.
    let round = path.levels.last().is_some_and(|level| level.each.is_some());
    let inside = if round { address.step(1) } else { address.clone() };
    reopen_around(&there, &[inside], CAUSE, decision);
    decision.starting.insert(address.clone());
    decision.asked.push(address.clone());
    Ok(())
}

/// The way to `address`, if something can run there.
fn find<'w>(
    state: &SessionState,
    workflow: &'w Workflow,
    address: &Address,
    request: &Request,
) -> Result<Path<'w>, Refusal> {
    let astray = |astray| match astray {
        Astray::NoStep => Refusal::NoStep(address.clone()),
        Astray::NotAlone(reason, instead) => {
            Refusal::NotAlone { address: address.clone(), reason, instead }
        }
    };
    let path = Path::to(address, workflow, state).map_err(astray)?;
    let from_step = |at: &Address| Some(format!("--from-step {}", crate::view::typed(at.as_str())));
    if let Some(item) = path.item {
        if !state.standing.frozen {
            return Err(Refusal::NoItems);
        }
        if !request.items.contains(&item) {
            return Err(Refusal::NoStep(address.clone()));
        }
        let ended = state.standing.items.standing(item) != ItemStanding::Pending;
        if ended && !path.levels.is_empty() {
            let reason = "of an item that ended only its result is kept: it runs as a whole";
            return Err(astray(Astray::NotAlone(reason, from_step(&item_address(item)))));
        }
    }
    for level in &path.levels {
        let Some((_, round)) = level.each else { continue };
        let at = level.step();
        let items = state.standing.record(&at).and_then(|record| record.items.as_ref());
        let Some(items) = items else {
            let reason = "its loop has not begun, so that its rounds are not known";
            return Err(astray(Astray::NotAlone(reason, from_step(&at))));
        };
        if round == 0 || round > items.len() {
            return Err(Refusal::NoStep(address.clone()));
        }
    }
    Ok(path)
}

/// What an item that ended has run cannot be looked into: its marked steps were among it.
fn refuse_marked_item(
    state: &SessionState,
    workflow: &Workflow,
    path: &Path<'_>,
    request: &Request,
) -> Result<(), Refusal> {
    let (Some(item), Body::MapReduce(job)) = (path.item, &workflow.body) else { return Ok(()) };
    let at = item_address(item);
    if state.standing.items.standing(item) == ItemStanding::Pending || request.rerun.contains(&at) {
        return Ok(());
    }
    match job.map.template.iter().find_map(marked) {
        Some(mark) => Err(Refusal::Marked(at, mark)),
        None => Ok(()),
    }
}

/// What stands before the step and has not ended so that the workflow goes on.
fn pass_over(
    state: &SessionState,
    workflow: &Workflow,
    path: &Path<'_>,
    request: &Request,
    decision: &mut Decision,
) -> Result<(), Refusal> {
    let before = passes(state).into_iter().take_while(|pass| *pass != path.pass);
    for pass in before.collect::<Vec<_>>() {
        match &workflow.body {
            Body::Steps(steps) => pass_over_steps(state, &pass, steps, decision),
            Body::Stages(stages) => {
                for stage in stages {
                    pass_over_scope(state, &pass.join(&stage.name), &stage.steps, decision);
                }
            }
            Body::MapReduce(_) => {}
        }
        end_scope(state, &pass, decision);
    }
    match &workflow.body {
        Body::Steps(_) => {}
        Body::Stages(stages) => {
            let earlier = stages.iter().take_while(|stage| Some(&*stage.name) != path.stage);
            for stage in earlier {
                pass_over_scope(state, &path.pass.join(&stage.name), &stage.steps, decision);
            }
        }
        Body::MapReduce(job) => {
            if path.stage != Some("setup")
                && let Some(setup) = &job.setup
            {
                pass_over_scope(state, &Address::root().join("setup"), &setup.steps, decision);
            }
            if path.stage == Some("reduce") {
                map::pass_over_items(state, request, decision)?;
            }
        }
    }
    for Level { sequence, steps, index, .. } in &path.levels {
        let before = steps.get(..index - 1).unwrap_or_default();
        pass_over_steps(state, sequence, before, decision);
    }
    Ok(())
}

fn pass_over_scope(state: &SessionState, at: &Address, steps: &[Step], decision: &mut Decision) {
    if state.standing.scope(at).is_some_and(|end| end.goes_on) {
        return;
    }
    pass_over_steps(state, at, steps, decision);
    end_scope(state, at, decision);
}

fn pass_over_steps(
    state: &SessionState,
    sequence: &Address,
    steps: &[Step],
    decision: &mut Decision,
) {
    for (index, step) in steps.iter().enumerate() {
        let at = sequence.step(index + 1);
        if state.standing.result(&at).is_some_and(|result| result.goes_on) {
            continue;
        }
        if state.standing.record(&at).is_some() {
            decision.events.push(rewound(&at, Reach::Subtree, CAUSE));
        }
        decision.events.push(skipped(&at, step));
        decision.starting.remove(&at);
        decision.passed_over.push(at);
    }
}

/// A stage or pass that is passed over is over.
fn end_scope(state: &SessionState, at: &Address, decision: &mut Decision) {
    if state.standing.scope(at).is_some_and(|end| end.goes_on) {
        return;
    }
    if state.standing.scope(at).is_some() || state.standing.error(at).is_some() {
        decision.events.push(rewound(at, Reach::Own, CAUSE));
    }
    decision.events.push(EventKind::ScopeFinished {
        address: at.clone(),
        status: StepStatus::Skipped,
        goes_on: true,
        checkpoint: None,
    });
}

/// What stands behind the step in its sequence and in those around it, as far as it has begun.
fn what_follows(state: &SessionState, workflow: &Workflow, path: &Path<'_>) -> Vec<EventKind> {
    let mut events = Vec::new();
    let setup = Address::root().join("setup");
    let all = |at: &Address, events: &mut Vec<EventKind>| {
        if map::begun(state, at) {
            events.push(rewound(at, Reach::Subtree, CAUSE));
        }
    };
    for Level { sequence, index, each, .. } in path.levels.iter().rev() {
        let loop_at = sequence.step(*index);
        if let Some((each, round)) = each
            && let Count::Fixed(1) = each.parallel
        {
            let rounds = state.standing.record(&loop_at).and_then(|it| it.items.as_ref());
            for later in round + 1..=rounds.map_or(0, |items| items.len()) {
                all(&loop_at.below_numbered("do", later), &mut events);
            }
        }
        events.extend(match *sequence == setup {
            // What makes the items runs again, and may make others.
            true => Some(rest(sequence, index + 1, CAUSE)),
            false => rest_of_sequence(state, sequence, index + 1, CAUSE),
        });
    }
    match &workflow.body {
        Body::Steps(_) => {}
        Body::Stages(stages) => {
            let later = stages.iter().skip_while(|stage| Some(&*stage.name) != path.stage).skip(1);
            for stage in later {
                all(&path.pass.join(&stage.name), &mut events);
            }
        }
        Body::MapReduce(_) => {
            if path.stage == Some("setup") {
                all(&map_address(), &mut events);
            }
            if path.stage != Some("reduce") {
                all(&Address::root().join("reduce"), &mut events);
            }
        }
    }
    for pass in passes(state).into_iter().skip_while(|pass| *pass != path.pass).skip(1) {
        all(&pass, &mut events);
    }
    events
}

/// The steps of a sequence from `index` on, if any of them has begun.
pub(super) fn rest_of_sequence(
    state: &SessionState,
    sequence: &Address,
    index: usize,
    cause: RewindCause,
) -> Option<EventKind> {
    let mut records = state.standing.records_within(sequence);
    let begun = records.any(|(address, _)| address.index_in(sequence) >= Some(index));
    begun.then(|| rest(sequence, index, cause))
}

fn rest(sequence: &Address, index: usize, cause: RewindCause) -> EventKind {
    EventKind::Rewound {
        scope: sequence.clone(),
        from: Some(index),
        reach: Reach::Subtree,
        to_seq: None,
        cause,
        by: None,
    }
}
