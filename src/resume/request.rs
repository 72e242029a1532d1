//! From what a person asks to the events that send the session there.

use std::collections::HashSet;
use std::sync::Arc;

use crate::playbook::model::{OnResume, Step, Workflow};
use crate::session::{
    Address, EventKind, ItemStanding, PersonsAnswer, Progress, Reach, RewindCause, SessionState,
    SessionStatus, StepResult, StepStatus, item_address, item_number, rewound,
};

use super::checkpoint;
use super::edited;
use super::failed;
use super::foresee::{Earlier, foresee};
use super::from_step;
use super::map::{self, ReduceAfter, Requeue};
use super::path::Path;
use super::tree::{Place, places};

/// What a person asks of a resume.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `--from-checkpoint`: `vN`, the name of an explicit checkpoint, or of a stage.
    pub from_checkpoint: Option<String>,
    /// `--from-step ADDRESS`.
    pub from_step: Option<Address>,
    /// What becomes of what has ended behind the step that runs again, or behind an edit.
    pub downstream: Downstream,
    /// The steps, as they stand now, at which an edited workflow differs from what has run.
    pub edited: Vec<Address>,
    /// True when the edit changed which items the map has.
    pub rereads_items: bool,
    /// `--accept-changes`: a completed session goes on with what is new in it.
    pub accepts_edit: bool,
    /// `--rerun ADDRESS`.
    pub rerun: Vec<Address>,
    /// `--done ADDRESS`.
    pub done: Vec<Address>,
    /// `resume-job --force`, `dlq retry`: items that run again.
    pub requeue: Requeue,
    /// What becomes of reduce then.
    pub reduce: ReduceAfter,
    /// The numbers of all items of the map, where the request needs them.
    pub items: Vec<u32>,
    /// `--force`: items that have not ended are passed over.
    pub pass_over: bool,
}

/// What becomes of results that are older than what runs again before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Downstream {
    /// They stay.
    #[default]
    Kept,
    /// `--downstream`: they run again too.
    Again,
}

/// Where the session goes on.
#[derive(Debug, Clone, Default)]
pub struct Decision {
    /// To be recorded in this order, after the start of the run.
    pub events: Vec<EventKind>,
    /// The steps that the run starts at: in progress, or failed before.
    pub starting: HashSet<Address>,
    /// The step that a person asked for (`--from-step`).
    pub asked: Vec<Address>,
    /// Steps that run again because they follow an edit (`--downstream`).
    pub after_edit: HashSet<Address>,
    /// Steps that are passed over because the person goes to a later point.
    pub passed_over: Vec<Address>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// Why a session cannot go on as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Everything has been done.
    #[error("the session is completed: there is nothing to resume")]
    Completed,
    /// A new session took its place.
    #[error("the session was restarted as {0}")]
    Superseded(String),
    /// A rollback was killed half-way.
    #[error("a rollback to v{0} was interrupted: files and position do not belong together")]
    HalfRolledBack(u32),
    /// No such restore point.
    #[error("no checkpoint, stage or version called {0:?}")]
    NoCheckpoint(String),
    /// No such step.
    #[error("the workflow has no step {0}")]
    NoStep(Address),
    /// It does not run by itself.
    #[error("{address} cannot be run by itself: {reason}")]
    NotAlone {
        /// What was asked for.
        address: Address,
        /// Why not.
        reason: &'static str,
        /// The flags that do what may have been meant.
        instead: Option<String>,
    },
    /// A marked step would run again, and only a person may say so.
    #[error("step {0} is marked `on_resume: {1}`, so that nothing automatic repeats it")]
    Marked(Address, &'static str),
    /// Nothing failed but items that wait in the dead letter queue.
    #[error("{} in the dead letter queue, and nothing else is left to run", wait(*count))]
    DeadItems {
        /// How many wait.
        count: usize,
    },
    /// An item that was named does not wait in the dead letter queue.
    #[error("item_{0} does not wait in the dead letter queue")]
    NotDead(u32),
    /// Reduce was asked for while items have not ended.
    #[error("{} not ended: reduce would miss their results", have(*.0))]
    PendingItems(u32),
    /// Reduce was asked for before there are items.
    #[error("the items of the map are not known yet: reduce has nothing to work on")]
    NoItems,
}

fn wait(count: usize) -> String {
    if count == 1 { "1 item waits".to_owned() } else { format!("{count} items wait") }
}

fn have(count: u32) -> String {
    if count == 1 { "1 item has".to_owned() } else { format!("{count} items have") }
}

/// Decides where a session goes on.
///
/// # Errors
/// It cannot go on as asked.
pub fn decide(
    state: &SessionState,
    workflow: &Workflow,
    request: &Request,
    earlier: &Earlier<'_>,
) -> Result<Decision, Refusal> {
    if let Some(by) = &state.lifetime.superseded_by {
        return Err(Refusal::Superseded(by.to_string()));
    }
    if let Some(rollback) = &state.rollback {
        return Err(Refusal::HalfRolledBack(rollback.version));
    }
    let asked = request.from_checkpoint.is_some()
        || (request.accepts_edit && (!request.edited.is_empty() || request.rereads_items))
        || request.from_step.is_some()
        || !request.rerun.is_empty()
        || map::asks_for_items(state, request);
    if state.status.is_some_and(SessionStatus::is_completed) && !asked {
        return Err(Refusal::Completed);
    }
    if state.only_dead_items_failed() && !asked && map::is_beyond_policy(state, workflow) {
        return Err(Refusal::DeadItems { count: state.lifetime.waiting_dead().count() });
    }
    let places = places(workflow, state);
    let mut decision = Decision::default();
    match &request.from_checkpoint {
        Some(name) => {
            checkpoint::go_to(state, workflow, &places, name, request, earlier, &mut decision)?;
        }
        None => failed::start_again(state, workflow, request, &mut decision),
    }
    map::renew_reduce(&foresee(state, &decision.events, earlier), request, &mut decision);
    if request.downstream == Downstream::Again && !request.edited.is_empty() {
        edited::run_what_follows(state, &places, request, &mut decision);
    }
    if let Some(address) = &request.from_step {
        from_step::go_to(state, workflow, address, request, earlier, &mut decision)?;
    }
    if request.requeue != Requeue::Nothing {
        map::requeue(&foresee(state, &decision.events, earlier), request, &mut decision)?;
    }
    let there = foresee(state, &decision.events, earlier);
    answer(state, &there, &places, request, &mut decision)?;
    refuse_marked(state, workflow, &decision.events, request)?;
    map::tell_of_items_that_stay(state, &places, earlier, &mut decision);
    run_always(&there, &places, &mut decision);
    for (address, record) in there.standing.records() {
        if matches!(record.progress, Progress::Running | Progress::InDoubt | Progress::Between) {
            decision.starting.insert(address.clone());
        }
    }
    Ok(decision)
}

/// Scopes and loops around `steps` are not over any more.
pub(super) fn reopen_around(
    state: &SessionState,
    steps: &[Address],
    cause: RewindCause,
    decision: &mut Decision,
) {
    let mut around: Vec<Address> = Vec::new();
    for step in steps {
        let mut at = step.clone();
        loop {
            let sequence = at.sequence();
            let outer = if sequence == at { None } else { Some(sequence) };
            match outer {
                None => break,
                Some(scope) => {
                    let owner = scope.owner();
                    let known = owner.clone().unwrap_or_else(|| scope.clone());
                    if !around.contains(&known) {
                        around.push(known.clone());
                    }
                    if known.is_root() {
                        break;
                    }
                    at = known;
                }
            }
        }
    }
    around.retain(|scope| !steps.contains(scope));
    for scope in around {
        let ended = state.standing.scope(&scope).is_some()
            || state.standing.error(&scope).is_some()
            || state.standing.result(&scope).is_some();
        if ended {
            decision.events.push(rewound(&scope, Reach::Own, cause));
        }
    }
}

/// `--rerun` and `--done`.
fn answer(
    before: &SessionState,
    state: &SessionState,
    places: &[Place<'_>],
    request: &Request,
    decision: &mut Decision,
) -> Result<(), Refusal> {
    let answers = request
        .rerun
        .iter()
        .map(|address| (address, PersonsAnswer::Rerun))
        .chain(request.done.iter().map(|address| (address, PersonsAnswer::Done)));
    for (address, answer) in answers {
        let item = item_number(address).filter(|item| item_address(*item) == *address);
        let items = &before.standing.items;
        let known = places.iter().any(|place| place.address == *address)
            || before.standing.record(address).is_some()
            || item.is_some_and(|item| items.standing(item) != ItemStanding::Pending)
            || state.standing.record(address).is_some()
            || state.standing.handler(address).is_some();
        if !known {
            return Err(Refusal::NoStep(address.clone()));
        }
        let over = state.standing.result(address).is_some();
        // A fix that is over belongs to the past.
        if over && address.is_of_recovery() {
            return Err(Refusal::NoStep(address.clone()));
        }
        let rewound_already = decision.starting.contains(address);
        if over && !rewound_already {
            decision.events.push(rewound(address, Reach::Subtree, RewindCause::PersonsRerun));
            let steps = [address.clone()];
            reopen_around(state, &steps, RewindCause::PersonsRerun, decision);
        }
        decision.events.push(EventKind::Answered { address: address.clone(), answer });
    }
    Ok(())
}

/// Going back over a finished marked step needs a person's word for that step.
fn refuse_marked(
    state: &SessionState,
    workflow: &Workflow,
    events: &[EventKind],
    request: &Request,
) -> Result<(), Refusal> {
    for (address, record) in state.standing.records() {
        let done = record.result.as_ref().is_some_and(|it| it.status == StepStatus::Success);
        let answered = request.rerun.contains(address) || request.done.contains(address);
        if !done || answered {
            continue;
        }
        let covered = events.iter().any(|event| match event {
            EventKind::Rewound { to_seq: Some(seq), .. } => record.finished_seq > *seq,
            EventKind::Rewound { scope, from, reach: Reach::Subtree, .. } => {
                let index = address.index_in(scope);
                address.is_within(scope) && from.is_none_or(|from| index >= Some(from))
            }
            EventKind::Rewound { scope, .. } => address == scope,
            _ => false,
        });
        if !covered {
            continue;
        }
        let step = Path::to(address, workflow, state).ok().and_then(|path| path.step());
        if let Some(mark) = step.and_then(marked) {
            return Err(Refusal::Marked(address.clone(), mark));
        }
    }
    Ok(())
}

/// The word of a step that nothing automatic repeats.
pub(super) fn marked(step: &Step) -> Option<&'static str> {
    match step.on_resume {
        OnResume::Rerun | OnResume::Always => None,
        OnResume::Confirm => Some("confirm"),
        OnResume::Skip => Some("skip"),
        OnResume::Fail => Some("fail"),
    }
}

/// `on_resume: always`: what serves later steps is started anew.
fn run_always(state: &SessionState, places: &[Place<'_>], decision: &mut Decision) {
    let again: Vec<Address> = places
        .iter()
        .filter(|place| place.step.on_resume == OnResume::Always)
        .filter(|place| state.standing.result(&place.address).is_some())
        .map(|place| place.address.clone())
        .collect();
    for address in &again {
        decision.events.push(rewound(address, Reach::Subtree, RewindCause::Always));
    }
    reopen_around(state, &again, RewindCause::Always, decision);
}

/// A step that a person passes over.
pub(super) fn skipped(address: &Address, step: &Step) -> EventKind {
    EventKind::StepFinished {
        address: address.clone(),
        id: step.id.clone(),
        result: Arc::new(StepResult::skipped(step.kind())),
        checkpoint: None,
        name: step.title(),
    }
}
