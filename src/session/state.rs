//! The state of a session: the fold of its events. No IO, no clock.

use chrono::{DateTime, Utc};

use super::address::Address;
use super::event::{Event, EventKind, RewindCause};
use super::files::RollbackStarted;
use super::items::{ItemStanding, item_number, map_address};
use super::lifetime::Lifetime;
use super::outcome::{Failure, Report};
use super::run::{RunFailure, SessionKind, SessionStarted};
use super::standing::Standing;
use super::status::{SessionStatus, WaitReason};
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
    /// What ended the run before, until this run goes back over it: a crash in between must
    /// not let the failure stand as if it had just happened.
    pub unanswered: Option<RunFailure>,
    /// What it waits for.
    pub waiting: Option<Waiting>,
    /// A rollback that was begun and is not done: files and position may not belong together.
    pub rollback: Option<Box<RollbackStarted>>,
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
                self.unanswered = self.failure.take().or_else(|| self.unanswered.take());
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
                if status.is_completed() || *status == SessionStatus::Failed {
                    self.unanswered = None;
                }
            }
            EventKind::Forked { .. } => {
                self.status = Some(SessionStatus::Interrupted);
                // A version that was made behind the end of a failed run stands at its failure.
                self.unanswered = self.failure.take().or_else(|| self.unanswered.take());
                self.waiting = None;
                self.standing.apply(event);
            }
            EventKind::WorkflowChanged { workflow_hash, total_steps, stages, .. } => {
                if let Some(started) = &mut self.started {
                    started.workflow_hash = workflow_hash.clone();
                    started.total_steps = *total_steps;
                    started.stages.clone_from(stages);
                }
                self.standing.apply(event);
            }
            EventKind::RollbackStarted(rollback) => {
                self.rollback = Some(rollback.clone());
                // It has to be finished, also where nothing was left to do before.
                self.status = Some(SessionStatus::Interrupted);
            }
            EventKind::StepStarted { address, .. } => {
                if !address.is_of_recovery() {
                    self.unanswered = None;
                }
                self.standing.apply(event);
            }
            EventKind::Moved { directory, workflow_path } => {
                if let Some(started) = &mut self.started {
                    started.directory.clone_from(directory);
                    started.workflow_path.clone_from(workflow_path);
                }
            }
            EventKind::Rewound { scope, reach, .. } => {
                self.unanswered = None;
                let ended = self.standing.ended_items(scope, *reach);
                self.lifetime.note_items_again(ended.into_iter());
                self.standing.apply(event);
                self.settle_dead(item_number(scope));
            }
            EventKind::JobStarted { .. } => {
                self.standing.apply(event);
                self.settle_dead(None);
            }
            _ => self.standing.apply(event),
        }
    }

    /// Items that have to run again do not wait in the dead letter queue.
    fn settle_dead(&mut self, only: Option<u32>) {
        let items = &self.standing.items;
        let pending = |item| items.standing(item) == ItemStanding::Pending;
        self.lifetime.take_from_dlq(pending, only);
    }

    /// True when the map went to its end and nothing failed but items that wait in the dead
    /// letter queue: what goes on from here is `dlq retry`.
    #[must_use]
    pub fn only_dead_items_failed(&self) -> bool {
        self.status == Some(SessionStatus::Failed) && self.only_dead_items_are_left()
    }

    /// The same of a session that may have been taken up since, so that it is not failed any more.
    #[must_use]
    pub fn only_dead_items_are_left(&self) -> bool {
        let map_is_over = self.standing.scope(&map_address()).is_some_and(|end| end.goes_on);
        let step_failed = || {
            self.standing.records().any(|(address, record)| {
                !address.is_aside()
                    && !address.is_of_finally()
                    && record.result.as_ref().is_some_and(|result| !result.goes_on)
            })
        };
        map_is_over && self.lifetime.waiting_dead().next().is_some() && !step_failed()
    }

    /// What kind of workflow it runs.
    #[must_use]
    pub fn kind(&self) -> SessionKind {
        match self.header() {
            // An edited workflow may have a map where there was none.
            Some(header) if self.lifetime.job.is_none() => header.kind,
            Some(_) => SessionKind::Mapreduce,
            None => SessionKind::Standard,
        }
    }

    /// Takes over results, captures and position of `earlier`, the state after the event that
    /// `rewound` names (a rewind of the whole session), in the workflow as it is edited since;
    /// what never goes back stays.
    pub fn return_to(&mut self, earlier: SessionState, rewound: &EventKind) {
        let EventKind::Rewound { to_seq: Some(seq), cause, .. } = rewound else { return };
        let now = std::mem::replace(&mut self.standing, earlier.standing);
        for kept in self.lifetime.edits_after(*seq) {
            self.standing.rename(kept);
        }
        let job = self.lifetime.job.is_some();
        if job && (!now.frozen || self.lifetime.items_since > *seq) {
            self.standing.read_items_again(&now.items);
        }
        self.standing.doubt_what_was_running();
        self.settle_dead(None);
        if *cause == RewindCause::Rollback {
            self.rolled_back(earlier.status, earlier.failure, earlier.waiting);
        }
    }

    /// A rollback runs nothing: the session stands as it stood, or is interrupted where it ran.
    fn rolled_back(
        &mut self,
        status: Option<SessionStatus>,
        failure: Option<RunFailure>,
        waiting: Option<Waiting>,
    ) {
        self.status = match status {
            None | Some(SessionStatus::Running) => Some(SessionStatus::Interrupted),
            status => status,
        };
        self.failure = failure;
        self.waiting = waiting;
        if let Some(rollback) = self.rollback.take() {
            self.standing.answers.extend(rollback.answers);
        }
    }

    /// The same, with the steps where they stand in the workflow as `later` knows it edited.
    #[must_use]
    pub fn as_edited_by(&self, later: &Self) -> Self {
        let mut edited = self.clone();
        for kept in later.lifetime.edits_after(self.last_seq) {
            edited.standing.rename(kept);
        }
        edited
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
        help: None,
    })
}
