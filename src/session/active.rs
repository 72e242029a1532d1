//! How long the runs of a session were active, also those that were killed (DECISIONS A41).

use chrono::{DateTime, Utc};

use super::event::{Event, EventKind};

/// The active time of all runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActiveTime {
    /// Of the runs before the one without an end, in milliseconds.
    earlier_ms: u64,
    /// The run that has no end: when it began, and when it was last heard of.
    unended: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl ActiveTime {
    /// Of the runs before the present one, in milliseconds. One that was killed counts from its
    /// beginning to its last record.
    #[must_use]
    pub fn earlier_ms(&self) -> u64 {
        self.earlier_ms
    }

    /// Of all runs as far as is recorded, in milliseconds.
    #[must_use]
    pub fn ms(&self) -> u64 {
        let unended = self.unended.map_or(0, |(began, heard)| {
            u64::try_from((heard - began).num_milliseconds()).unwrap_or(0)
        });
        self.earlier_ms.saturating_add(unended)
    }

    pub(super) fn apply(&mut self, event: &Event) {
        match &event.kind {
            EventKind::RunStarted(_) => {
                self.earlier_ms = self.ms();
                self.unended = Some((event.at, event.at));
            }
            EventKind::RunFinished { active_ms, .. } => {
                self.earlier_ms = self.earlier_ms.saturating_add(*active_ms);
                self.unended = None;
            }
            kind if is_work(kind) => {
                if let Some((_, heard)) = &mut self.unended {
                    *heard = event.at.max(*heard);
                }
            }
            _ => {}
        }
    }
}

/// What only a run records; a rollback or a label may come long after it was killed.
fn is_work(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::StepStarted { .. }
            | EventKind::StepSpawned { .. }
            | EventKind::AgentEnded { .. }
            | EventKind::AttemptFinished { .. }
            | EventKind::RetryScheduled { .. }
            | EventKind::HandlerStarted { .. }
            | EventKind::HandlerFinished { .. }
            | EventKind::StepFinished { .. }
            | EventKind::ScopeFinished { .. }
            | EventKind::ItemFinished { .. }
    )
}
