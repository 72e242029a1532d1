//! All attempts of a session in the order in which they started, under the addresses that their
//! steps have now.

use std::collections::BTreeMap;

use super::address::Address;
use super::event::{Event, EventKind};
use super::lifetime::edited_address;
use super::log_names::LogName;
use super::state::SessionState;

/// One attempt of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Where the step stands now, or stood when an edit removed it.
    pub step: Address,
    /// True when an edit removed the step.
    pub gone: bool,
    /// Where its output is.
    pub log: LogName,
}

/// The correlation ids of the steps, stages and so on that failed or were tried again.
#[must_use]
pub fn correlations(events: &[Event]) -> BTreeMap<Address, String> {
    let mut ids = BTreeMap::new();
    for event in events {
        match &event.kind {
            EventKind::ErrorRaised { address, step, correlation_id, .. } => {
                ids.insert(address.clone(), correlation_id.clone());
                ids.insert(step.clone(), correlation_id.clone());
            }
            EventKind::RetryScheduled { address, correlation_id, .. }
                if !correlation_id.is_empty() =>
            {
                ids.insert(address.clone(), correlation_id.clone());
            }
            _ => {}
        }
    }
    ids
}

/// Those of `events`.
#[must_use]
pub fn attempts(events: &[Event]) -> Vec<Attempt> {
    let edited = |event: &Event| matches!(event.kind, EventKind::WorkflowChanged { .. });
    let moves = events.iter().any(edited);
    let mut state = SessionState::default();
    let mut made: Vec<Attempt> = Vec::new();
    for event in events {
        // Without an edit every step stands where it ran.
        if moves {
            state.apply(event);
        }
        match &event.kind {
            EventKind::StepStarted { address, attempt, .. } => made.push(Attempt {
                step: address.clone(),
                gone: false,
                log: state.lifetime.log_name(address, *attempt),
            }),
            EventKind::WorkflowChanged { kept, edited, .. } => {
                for one in made.iter_mut().filter(|one| !one.gone) {
                    match edited_address(&one.step, kept, edited) {
                        Some(now) => one.step = now,
                        None => one.gone = true,
                    }
                }
            }
            _ => {}
        }
    }
    made
}
