//! What nothing automatic may repeat: steps marked with `on_resume` (DECISIONS A11).

use crate::playbook::find_step;
use crate::playbook::model::{Body, OnResume, Workflow};
use crate::playbook::walk::each_step_below;
use crate::session::{Address, EventKind, Reach, SessionState, covers, item_number};

/// A marked step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// Where it stands.
    pub address: Address,
    /// How it is marked.
    pub mark: &'static str,
}

/// The first marked step that has ever been started and that would run again once `events`
/// are recorded.
#[must_use]
pub fn repeated_mark(
    workflow: &Workflow,
    state: &SessionState,
    events: &[EventKind],
) -> Option<Marked> {
    for event in events {
        let EventKind::Rewound { scope, reach, from, to_seq, .. } = event else { continue };
        let (reach, from) = (*reach, *from);
        // What had ended by then is not gone back over.
        let stays = |address: &Address| {
            to_seq.is_some_and(|seq| {
                let record = state.standing.record(address);
                record.is_some_and(|it| it.result.is_some() && it.finished_seq <= seq)
            })
        };
        // The steps of an item that succeeded once are not remembered one by one.
        if reach == Reach::Subtree
            && item_number(scope).is_some()
            && let Some(marked) = marked_in_template(workflow, scope)
        {
            return Some(marked);
        }
        for address in state.lifetime.ever_started(scope) {
            // What a fix did is not done again by going back over the step that it was for.
            if !address.is_of_recovery()
                && covers(scope, from, reach, address)
                && !stays(address)
                && let Some(mark) = mark_of(workflow, address)
            {
                return Some(Marked { address: address.clone(), mark });
            }
        }
    }
    None
}

/// Any marked step of the workflow that is not known to have ended: after damage nobody can
/// say whether it has run.
#[must_use]
pub fn doubtful_mark(workflow: &Workflow, state: &SessionState) -> Option<Marked> {
    crate::resume::places(workflow, state).into_iter().find_map(|place| {
        if state.standing.result(&place.address).is_some() {
            return None;
        }
        let mut mark = word(place.step.on_resume);
        each_step_below(place.step, &mut |step, _| mark = mark.or(word(step.on_resume)));
        Some(Marked { address: place.address, mark: mark? })
    })
}

fn marked_in_template(workflow: &Workflow, scope: &Address) -> Option<Marked> {
    let Body::MapReduce(job) = &workflow.body else { return None };
    let item = crate::session::item_address(item_number(scope)?);
    job.map.template.iter().enumerate().find_map(|(index, step)| {
        let mut mark = word(step.on_resume);
        each_step_below(step, &mut |inner, _| mark = mark.or(word(inner.on_resume)));
        Some(Marked { address: item.step(index + 1), mark: mark? })
    })
}

fn mark_of(workflow: &Workflow, address: &Address) -> Option<&'static str> {
    word(find_step(workflow, address)?.on_resume)
}

fn word(on_resume: OnResume) -> Option<&'static str> {
    match on_resume {
        OnResume::Rerun | OnResume::Always => None,
        OnResume::Confirm => Some("confirm"),
        OnResume::Skip => Some("skip"),
        OnResume::Fail => Some("fail"),
    }
}
