//! Folds the events of a journal into a state, with rewinds to the state after an older event.

use std::collections::{BTreeSet, HashMap};

use crate::session::{Event, EventKind, SessionState};

/// The state after `events`. One pass: the states that later rewinds go back to are kept as
/// they come by, which also follows rewinds that lie before them.
#[must_use]
pub fn fold(events: &[Event]) -> SessionState {
    let targets: BTreeSet<u64> = events.iter().filter_map(|event| goes_to(&event.kind)).collect();
    let mut kept: HashMap<u64, SessionState> = HashMap::new();
    let mut state = SessionState::default();
    for event in events {
        state.apply(event);
        if let Some(target) = goes_to(&event.kind) {
            state.return_to(kept.get(&target).cloned().unwrap_or_default(), &event.kind);
        }
        if targets.contains(&event.seq) {
            // What a rewind takes over, and no more.
            let earlier = SessionState {
                standing: state.standing.clone(),
                status: state.status,
                failure: state.failure.clone(),
                waiting: state.waiting.clone(),
                ..SessionState::default()
            };
            kept.insert(event.seq, earlier);
        }
    }
    state
}

/// The event whose state a rewind of the whole session returns to.
pub(super) fn goes_to(kind: &EventKind) -> Option<u64> {
    match kind {
        EventKind::Rewound { to_seq, .. } => *to_seq,
        _ => None,
    }
}
