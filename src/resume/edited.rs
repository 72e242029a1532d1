//! `--accept-changes --downstream`: what has ended behind an edited, new, removed or moved step
//! runs again too (DECISIONS A5).

use crate::playbook::model::OnResume;
use crate::session::{
    Address, Reach, RewindCause, SessionState, item_number, map_address, rewound,
};

use super::map;
use super::request::{Decision, Request, reopen_around};
use super::tree::Place;

const CAUSE: RewindCause = RewindCause::Edited;

/// Adds the events that make everything run again that has ended behind the first difference.
/// It goes by position: what depends on what cannot be known of steps that talk through files.
pub(super) fn run_what_follows(
    state: &SessionState,
    places: &[Place<'_>],
    request: &Request,
    decision: &mut Decision,
) {
    let mut after = false;
    let mut again: Vec<Address> = Vec::new();
    let map = map_address();
    let setup = Address::root().join("setup");
    for place in places {
        let address = &place.address;
        let in_item = item_number(address).is_some();
        // The items are made by setup: all run again when it does.
        if after && !again.contains(&map) && !place.sequence.is_within(&setup) {
            let has_map = state.lifetime.job.is_some() && map::begun(state, &map);
            again.extend(has_map.then(|| map.clone()));
        }
        let here = request.edited.contains(address);
        let over = state.standing.result(address).is_some();
        if (after || here) && over && !in_item && place.step.on_resume != OnResume::Always {
            decision.after_edit.insert(address.clone());
            again.push(address.clone());
        }
        // Items run beside each other: an edit of one step of theirs says nothing of the others.
        after |= here && !in_item;
    }
    for address in &again {
        decision.events.push(rewound(address, Reach::Subtree, CAUSE));
    }
    reopen_around(state, &again, CAUSE, decision);
}
