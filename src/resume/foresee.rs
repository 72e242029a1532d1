//! The state as it will be once events are recorded.

use chrono::Utc;

use crate::session::{Event, EventKind, SessionState};

/// Tells the state after an older event of the session.
pub type Earlier<'a> = dyn Fn(u64) -> Option<SessionState> + 'a;

/// `state` after `events`, as the store will fold them.
#[must_use]
pub fn foresee(state: &SessionState, events: &[EventKind], earlier: &Earlier<'_>) -> SessionState {
    let mut state = state.clone();
    for kind in events {
        let event = Event::new(state.last_seq + 1, Utc::now(), kind.clone());
        state.apply(&event);
        if let EventKind::Rewound { to_seq: Some(seq), .. } = kind
            && let Some(earlier) = earlier(*seq)
        {
            state.return_to(earlier, kind);
        }
    }
    state
}
