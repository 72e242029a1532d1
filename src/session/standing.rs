//! What a rewind goes back over: results, captures and position, and how each event changes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::address::Address;
use super::class::FailureClass;
use super::event::{Event, EventKind};
use super::items::{Items, ResultPlace, ResultRef, item_address};
use super::names::Names;
use super::outcome::{Failure, FailureKind, StepKind, StepResult, StepStatus};
use super::record::{RaisedError, Record, RetryPlan};
use super::status::PersonsAnswer;
use super::stored::Stored;

/// The part of the state that rewinds go back over.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    pub(super) records: BTreeMap<Address, Record>,
    pub(super) scopes: BTreeMap<Address, ScopeStanding>,
    pub(super) errors: BTreeMap<Address, RaisedError>,
    pub(super) answers: BTreeMap<Address, PersonsAnswer>,
    pub(super) confirmed: BTreeMap<Address, bool>,
    pub(super) scores: BTreeMap<Address, Score>,
    pub(super) handlers: BTreeMap<Address, HandlerStanding>,
    /// The items of the map.
    pub items: Items,
    /// True while the frozen items are those of the latest setup.
    pub frozen: bool,
    /// Ids and captures.
    pub names: Names,
    /// The address of the last step that ended.
    pub latest: Option<Address>,
}

/// How a stage or pass ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScopeStanding {
    /// Its standing.
    pub status: StepStatus,
    /// True when the workflow goes on.
    pub goes_on: bool,
}

/// One measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The event that recorded it.
    pub seq: u64,
    /// 0–100.
    pub score: f64,
    /// True when it reaches the threshold.
    pub reached: bool,
    /// What it was read from.
    pub detail: Stored,
}

/// How far a handler is.
#[derive(Debug, Clone, PartialEq)]
pub struct HandlerStanding {
    /// Its id, or its number in the chain.
    pub id: String,
    /// Its strategy.
    pub strategy: String,
    /// Which run of it.
    pub attempt: u32,
    /// Absent while it runs.
    pub ended: Option<HandlerEnd>,
}

/// How a handler ended.
#[derive(Debug, Clone, PartialEq)]
pub struct HandlerEnd {
    /// Whether all its commands succeeded.
    pub success: bool,
    /// True when its condition was false: it neither succeeded nor failed.
    pub passed_over: bool,
    /// Why it failed.
    pub error: Option<String>,
    /// Its output.
    pub output: Stored,
}

impl Standing {
    pub(super) fn apply(&mut self, event: &Event) {
        match &event.kind {
            EventKind::StepStarted {
                address,
                attempt,
                id,
                name,
                command,
                agent_session,
                head,
                ..
            } => {
                let record = self.records.entry(address.clone()).or_default();
                record.start(*attempt, command, event.at);
                record.name.clone_from(name);
                if agent_session.is_some() {
                    record.agent_to_fork = None;
                    record.agent_session.clone_from(agent_session);
                }
                if head.is_some() && record.head_before.is_none() {
                    record.head_before.clone_from(head);
                }
                if let Some(id) = id {
                    self.names.define_id(address, id);
                }
            }
            EventKind::StepSpawned { address, pid, born } => {
                if let Some(record) = self.records.get_mut(address) {
                    record.group = Some((*pid, *born));
                }
            }
            EventKind::AgentEnded { address, attempt, agent } => {
                self.records.entry(address.clone()).or_default().agent_ended(*attempt, agent);
            }
            EventKind::AttemptFinished { address, report, .. } => {
                self.records.entry(address.clone()).or_default().attempt_ended(report);
            }
            EventKind::RetryScheduled {
                address,
                attempt,
                delay_ms,
                not_before,
                max_attempts,
                uncounted,
                ..
            } => {
                let record = self.records.entry(address.clone()).or_default();
                record.max_attempts = max_attempts.or(record.max_attempts);
                record.schedule(RetryPlan {
                    attempt: *attempt,
                    delay_ms: *delay_ms,
                    not_before: *not_before,
                    uncounted: *uncounted,
                });
            }
            EventKind::StepFinished { address, id, result, name, .. } => {
                let record = self.records.entry(address.clone()).or_default();
                if record.title().is_empty() {
                    record.name.clone_from(name);
                }
                record.finish(id.as_deref(), result, event);
                if result.kind == StepKind::Foreach {
                    self.names.forget_rounds(address);
                }
                self.names.record(address, id.as_deref(), result, event.seq);
                self.answers.remove(address);
                self.latest = Some(address.clone());
            }
            EventKind::ScopeFinished { address, status, goes_on, .. } => {
                self.scopes
                    .insert(address.clone(), ScopeStanding { status: *status, goes_on: *goes_on });
            }
            EventKind::LoopStarted { address, items } => {
                self.records.entry(address.clone()).or_default().items =
                    Some(Arc::new(items.clone()));
            }
            EventKind::Scored { address, score, reached, detail } => {
                let score = Score {
                    seq: event.seq,
                    score: *score,
                    reached: *reached,
                    detail: detail.clone(),
                };
                self.scores.insert(address.clone(), score);
            }
            EventKind::Confirmed { address, yes, .. } => {
                self.confirmed.insert(address.clone(), *yes);
            }
            EventKind::Answered { address, answer } => {
                self.answers.insert(address.clone(), *answer);
            }
            EventKind::ErrorRaised { .. }
            | EventKind::ErrorSettled { .. }
            | EventKind::HandlerStarted { .. }
            | EventKind::HandlerSkipped { .. }
            | EventKind::HandlerFinished { .. } => self.apply_failure(event),
            EventKind::Rewound { .. } => self.rewind(&event.kind),
            EventKind::WorkflowChanged { kept, items, .. } => {
                self.rename(kept);
                self.frozen &= !items;
            }
            EventKind::ItemFinished { item, status, value, result } => {
                let place = match (value, *result) {
                    (Some(_), _) => ResultPlace::Record(event.seq),
                    (None, ResultRef::NONE) => ResultPlace::Nowhere,
                    (None, result) => ResultPlace::File(result),
                };
                self.items.end(*item, *status, place);
                self.forget_inside(&item_address(*item));
            }
            EventKind::Forked { .. } => self.fork(),
            EventKind::JobStarted { .. } => {
                self.frozen = true;
            }
            EventKind::ItemFailed { .. }
            | EventKind::DlqCleared { .. }
            | EventKind::SessionStarted(_)
            | EventKind::RunStarted(_)
            | EventKind::Waiting { .. }
            | EventKind::RunFinished { .. }
            | EventKind::FilesKept(_)
            | EventKind::FilesRestored { .. }
            | EventKind::CheckpointMade { .. }
            | EventKind::RollbackStarted(_)
            | EventKind::RecoveryStarted(_)
            | EventKind::RecoveryFinished(_)
            | EventKind::Moved { .. }
            | EventKind::Superseded { .. } => {}
        }
    }

    fn apply_failure(&mut self, event: &Event) {
        match &event.kind {
            EventKind::ErrorRaised {
                address,
                step,
                failure,
                exit_code,
                attempt,
                output,
                stderr,
                correlation_id,
            } => {
                let raised = RaisedError {
                    step: step.clone(),
                    failure: failure.clone(),
                    exit_code: *exit_code,
                    attempt: *attempt,
                    output: output.clone(),
                    stderr: stderr.clone(),
                    correlation_id: correlation_id.clone(),
                    at: event.at,
                    settled: None,
                };
                self.errors.insert(address.clone(), raised);
            }
            EventKind::ErrorSettled { address, goes_on } => {
                if let Some(error) = self.errors.get_mut(address) {
                    error.settled = Some(*goes_on);
                }
            }
            EventKind::HandlerStarted { address, id, strategy, attempt, .. } => {
                let standing = HandlerStanding {
                    id: id.clone(),
                    strategy: strategy.clone(),
                    attempt: *attempt,
                    ended: None,
                };
                self.handlers.insert(address.clone(), standing);
            }
            EventKind::HandlerSkipped { address, id, reason, failed } => {
                let end = HandlerEnd {
                    success: false,
                    passed_over: !failed,
                    error: Some(reason.clone()),
                    output: Stored::default(),
                };
                let standing = HandlerStanding {
                    id: id.clone(),
                    strategy: String::new(),
                    attempt: 0,
                    ended: Some(end),
                };
                self.handlers.insert(address.clone(), standing);
                if is_name(id) {
                    let mut result = StepResult::skipped(StepKind::Shell);
                    if *failed {
                        result.status = StepStatus::Failed;
                        result.report.failure = Some(inner_failure(reason));
                    }
                    self.names.record_handler(address, id, result);
                }
            }
            EventKind::HandlerFinished {
                address,
                id,
                success,
                error,
                output,
                capture,
                attempt,
            } => {
                if is_name(id) {
                    let result = self.handler_result(address, *success, error, output, *attempt);
                    self.names.record_handler(address, id, result);
                }
                if let Some(handler) = self.handlers.get_mut(address) {
                    handler.ended = Some(HandlerEnd {
                        success: *success,
                        passed_over: false,
                        error: error.clone(),
                        output: output.clone(),
                    });
                    if *success {
                        self.names.note_handler(address, output);
                        if let Some(name) = capture {
                            self.names.capture_handler(address, name, output);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// A handler as a step: its last command, with the handler's own output and standing.
    fn handler_result(
        &self,
        at: &Address,
        success: bool,
        error: &Option<String>,
        output: &Stored,
        attempt: u32,
    ) -> StepResult {
        let ended = self.records_within(at).filter_map(|(_, record)| {
            record.result.as_ref().map(|result| (record.finished_seq, result))
        });
        let last = ended.max_by_key(|(seq, _)| *seq).map(|(_, result)| result);
        let mut result = StepResult::skipped(last.map_or(StepKind::Shell, |last| last.kind));
        result.status = if success { StepStatus::Success } else { StepStatus::Failed };
        result.attempts = attempt;
        if let Some(last) = last {
            result.report = last.report.clone();
        }
        result.report.stdout.text = output.clone();
        result.report.failure = error.as_deref().map(inner_failure);
        result
    }
}

/// Whether a handler has an `id`; else it goes by its number or exit code, which no text can name.
fn is_name(id: &str) -> bool {
    id.starts_with(|first: char| first.is_alphabetic() || first == '_') && !id.contains(' ')
}

fn inner_failure(message: &str) -> Failure {
    Failure {
        kind: FailureKind::Inner,
        class: FailureClass::Unknown,
        message: Stored::plain(message),
        help: None,
    }
}
