//! The state of a session: the fold of its events. No IO, no clock.

use chrono::{DateTime, Utc};

use super::address::Address;
use super::event::{Event, EventKind, SessionStatus, WaitReason};
use super::lifetime::Lifetime;
use super::outcome::{Failure, Report};
use super::run::{RunFailure, SessionStarted};
use super::standing::Standing;
use super::stored::Stored;

/// Everything that is known of a session after some event.
#[derive(Debug, Clone, Default)]
pub struct SessionState {
    /// Number of the last event.
    pub last_seq: u64,
    /// When the last event was written.
    pub updated_at: Option<DateTime<Utc>>,
    /// What the session is; absent only before its first event.
    pub started: Option<Box<SessionStarted>>,
    /// When it started.
    pub started_at: Option<DateTime<Utc>>,
    /// How it stands.
    pub status: Option<SessionStatus>,
    /// What ended the last run.
    pub failure: Option<RunFailure>,
    /// What it waits for.
    pub waiting: Option<Waiting>,
    /// What never goes back: attempts, costs, processes, versions.
    pub lifetime: Lifetime,
    /// Results, captures and position: what a rewind forgets.
    pub standing: Standing,
}

/// What a session waits for.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// The stage or step.
    pub address: Address,
    /// Why.
    pub reason: WaitReason,
    /// What to do.
    pub message: String,
    /// When it may go on by itself.
    pub until: Option<DateTime<Utc>>,
}

impl SessionState {
    /// The state after one more event.
    pub fn apply(&mut self, event: &Event) {
        self.last_seq = event.seq;
        self.updated_at = Some(event.at);
        self.lifetime.apply(event);
        match &event.kind {
            EventKind::SessionStarted(started) => {
                self.started = Some(started.clone());
                self.started_at = Some(event.at);
                self.status = Some(SessionStatus::Running);
            }
            EventKind::RunStarted(_) => {
                self.status = Some(SessionStatus::Running);
                self.failure = None;
                self.waiting = None;
                self.standing.doubt_what_was_running();
            }
            EventKind::Waiting { address, reason, message, until } => {
                self.waiting = Some(Waiting {
                    address: address.clone(),
                    reason: *reason,
                    message: message.clone(),
                    until: *until,
                });
            }
            EventKind::RunFinished { status, failure, .. } => {
                self.status = Some(*status);
                self.failure.clone_from(failure);
            }
            EventKind::WorkflowChanged { workflow_hash, total_steps, stages, .. } => {
                if let Some(started) = &mut self.started {
                    started.workflow_hash = workflow_hash.clone();
                    started.total_steps = *total_steps;
                    started.stages.clone_from(stages);
                }
                self.standing.apply(event);
            }
            _ => self.standing.apply(event),
        }
    }

    /// Takes over results, captures and position of `earlier`, the state after event `seq` (a
    /// rewind of the whole session), in the workflow as it is edited since; what never goes
    /// back stays.
    pub fn return_to(&mut self, earlier: SessionState, seq: u64) {
        self.standing = earlier.standing;
        for kept in self.lifetime.edits_after(seq) {
            self.standing.rename(kept);
        }
        self.standing.doubt_what_was_running();
    }

    /// What the session is.
    ///
    /// # Panics
    /// Never: journals without a first event are refused when they are opened.
    #[must_use]
    pub fn header(&self) -> Option<&SessionStarted> {
        self.started.as_deref()
    }
}

/// The failure of a report, or a bare one.
#[must_use]
pub fn failure_of(report: &Report) -> Failure {
    report.failure.clone().unwrap_or_else(|| Failure {
        kind: super::outcome::FailureKind::Exit,
        class: super::class::FailureClass::Unknown,
        message: Stored::plain("the step failed"),
    })
}
