//! The state of a session: the fold of its events. One transition table, no IO, no clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::address::Address;
use super::event::{
    Event, EventKind, PersonsAnswer, RewindCause, RunFailure, SessionStarted, SessionStatus,
    WaitReason,
};
use super::lifetime::Lifetime;
use super::names::Names;
use super::outcome::{Failure, Report, StepKind, StepResult, StepStatus};
use super::record::{Progress, RaisedError, Record, RetryPlan};
use super::stored::{MissingSecret, Secrets, Stored};

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

/// The part of the state that rewinds go back over.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    records: BTreeMap<Address, Record>,
    scopes: BTreeMap<Address, ScopeStanding>,
    errors: BTreeMap<Address, RaisedError>,
    answers: BTreeMap<Address, PersonsAnswer>,
    confirmed: BTreeMap<Address, bool>,
    scores: BTreeMap<Address, Score>,
    handlers: BTreeMap<Address, HandlerStanding>,
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
            _ => self.standing.apply(event),
        }
    }

    /// Takes over results, captures and position of `earlier`, the state after an older
    /// event (a rewind of the whole session); what never goes back stays.
    pub fn return_to(&mut self, earlier: SessionState) {
        self.standing = earlier.standing;
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

impl Standing {
    /// What is known of the step at `address`.
    #[must_use]
    pub fn record(&self, address: &Address) -> Option<&Record> {
        self.records.get(address)
    }

    /// The result of a finished step.
    #[must_use]
    pub fn result(&self, address: &Address) -> Option<&Arc<StepResult>> {
        self.records.get(address)?.result.as_ref()
    }

    /// All records in the order of their addresses as text.
    pub fn records(&self) -> impl Iterator<Item = (&Address, &Record)> {
        self.records.iter()
    }

    /// The records of `scope` and below.
    pub fn records_within(&self, scope: &Address) -> impl Iterator<Item = (&Address, &Record)> {
        range_within(&self.records, scope)
    }

    /// How a stage or pass ended.
    #[must_use]
    pub fn scope(&self, address: &Address) -> Option<ScopeStanding> {
        self.scopes.get(address).copied()
    }

    /// The error raised at this step, stage or workflow, settled or not.
    #[must_use]
    pub fn error(&self, address: &Address) -> Option<&RaisedError> {
        self.errors.get(address)
    }

    /// All errors raised and not settled, outermost first.
    pub fn active_errors(&self) -> impl Iterator<Item = (&Address, &RaisedError)> {
        self.errors.iter().filter(|(_, error)| error.settled.is_none())
    }

    /// How far the handler at `address` is.
    #[must_use]
    pub fn handler(&self, address: &Address) -> Option<&HandlerStanding> {
        self.handlers.get(address)
    }

    /// Handlers that have started and not ended.
    pub fn active_handlers(&self) -> impl Iterator<Item = (&Address, &HandlerStanding)> {
        self.handlers.iter().filter(|(_, handler)| handler.ended.is_none())
    }

    /// A measurement of a loop.
    #[must_use]
    pub fn score(&self, address: &Address) -> Option<&Score> {
        self.scores.get(address)
    }

    /// The latest measurement of the loop of the step `at` (`4.goal[…]`, `4.validate[…]`).
    #[must_use]
    pub fn latest_score(&self, at: &Address) -> Option<&Score> {
        range_within(&self.scores, at).max_by_key(|(_, score)| score.seq).map(|(_, score)| score)
    }

    /// The latest measurement of all.
    #[must_use]
    pub fn last_score(&self) -> Option<&Score> {
        self.scores.values().max_by_key(|score| score.seq)
    }

    /// A secret that a recorded value refers to and that is not set now.
    #[must_use]
    pub fn missing_secret(&self, secrets: &Secrets) -> Option<MissingSecret> {
        let results = self.records.values().filter_map(|record| record.result.as_ref());
        results
            .flat_map(|result| {
                let captures = result.captures.iter().filter_map(|it| it.value.as_ref());
                captures.chain([&result.report.stdout.text, &result.report.stderr.text])
            })
            .find_map(|stored| stored.missing(secrets))
    }

    /// A person's answer for a marked step.
    #[must_use]
    pub fn answer(&self, address: &Address) -> Option<PersonsAnswer> {
        self.answers.get(address).copied()
    }

    /// Whether a stage or step was confirmed.
    #[must_use]
    pub fn confirmed(&self, address: &Address) -> bool {
        self.confirmed.get(address).copied().unwrap_or(false)
    }

    fn apply(&mut self, event: &Event) {
        match &event.kind {
            EventKind::StepStarted {
                address, attempt, id, command, agent_session, head, ..
            } => {
                let record = self.records.entry(address.clone()).or_default();
                record.start(*attempt, command, event.at);
                if agent_session.is_some() {
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
            EventKind::AttemptFinished { address, report, .. } => {
                self.records.entry(address.clone()).or_default().attempt_ended(report);
            }
            EventKind::RetryScheduled { address, attempt, delay_ms, not_before, uncounted } => {
                let record = self.records.entry(address.clone()).or_default();
                if *uncounted {
                    record.tries = record.tries.saturating_sub(1);
                }
                record.spent_ms = record.spent_ms.saturating_add(*delay_ms);
                record.retry = Some(RetryPlan {
                    attempt: *attempt,
                    delay_ms: *delay_ms,
                    not_before: *not_before,
                });
            }
            EventKind::StepFinished { address, id, result, .. } => {
                let record = self.records.entry(address.clone()).or_default();
                record.finish(result, event);
                if result.kind == StepKind::Foreach {
                    self.names.forget_rounds(address);
                }
                self.names.record(address, id.as_deref(), result, event.seq);
                self.answers.remove(address);
                self.latest = Some(address.clone());
            }
            EventKind::ScopeFinished { address, status, goes_on } => {
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
            EventKind::WorkflowChanged { kept, .. } => self.rename(kept),
            EventKind::SessionStarted(_)
            | EventKind::RunStarted(_)
            | EventKind::Waiting { .. }
            | EventKind::RunFinished { .. }
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
            }
            EventKind::HandlerFinished { address, success, error, output, capture, .. } => {
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

    /// After a crash nobody knows how a running attempt ended: it does not count as a try.
    fn doubt_what_was_running(&mut self) {
        for record in self.records.values_mut() {
            if record.progress == Progress::Running {
                record.progress = Progress::InDoubt;
                record.tries = record.tries.saturating_sub(1);
            }
        }
    }

    fn rewind(&mut self, rewound: &EventKind) {
        let EventKind::Rewound { scope, from, reach, cause, to_seq, .. } = rewound else { return };
        if to_seq.is_some() {
            return; // The loader returns to the state after that event.
        }
        let covers = |address: &Address| covers(scope, *from, *reach, address);
        retain_within(&mut self.records, scope, |address| !covers(address));
        retain_within(&mut self.scopes, scope, |address| !covers(address));
        retain_within(&mut self.errors, scope, |address| !covers(address));
        retain_within(&mut self.scores, scope, |address| !covers(address));
        retain_within(&mut self.handlers, scope, |address| !covers(address));
        retain_within(&mut self.confirmed, scope, |address| !covers(address));
        if *cause != RewindCause::Rerun {
            self.names.forget(covers);
        }
    }

    /// Gives finished steps the addresses they have in an edited workflow; what is not kept goes.
    fn rename(&mut self, kept: &[(Address, Address)]) {
        let mut renamed =
            Standing { names: std::mem::take(&mut self.names), ..Standing::default() };
        for (old, new) in kept {
            move_subtree(&mut self.records, &mut renamed.records, old, new);
            move_subtree(&mut self.scopes, &mut renamed.scopes, old, new);
            move_subtree(&mut self.errors, &mut renamed.errors, old, new);
            move_subtree(&mut self.scores, &mut renamed.scores, old, new);
            move_subtree(&mut self.handlers, &mut renamed.handlers, old, new);
            move_subtree(&mut self.confirmed, &mut renamed.confirmed, old, new);
        }
        renamed.names.rename(kept);
        *self = renamed;
    }
}

fn covers(
    scope: &Address,
    from: Option<usize>,
    reach: super::event::Reach,
    address: &Address,
) -> bool {
    if !address.is_within(scope) {
        return false;
    }
    if let Some(from) = from {
        return match address.index_in(scope) {
            Some(index) => index >= from,
            // Stages, handlers and the like of the scope itself go with it.
            None => address == scope || !scope.is_root(),
        };
    }
    match reach {
        super::event::Reach::Subtree => true,
        super::event::Reach::Own => {
            let rest = address.as_str().get(scope.as_str().len()..).unwrap_or_default();
            let inside = if scope.is_root() {
                !rest.is_empty() && !rest.starts_with("on_failure[")
            } else {
                rest.starts_with(".do[") || rest.starts_with('/')
            };
            !inside
        }
    }
}

/// The entries of `scope` and below: itself, and two neighbouring ranges of the map.
fn range_within<'map, T>(
    map: &'map BTreeMap<Address, T>,
    scope: &Address,
) -> Box<dyn Iterator<Item = (&'map Address, &'map T)> + 'map> {
    if scope.is_root() {
        return Box::new(map.iter());
    }
    let (low, high) = bounds(scope);
    Box::new(map.get_key_value(scope).into_iter().chain(map.range::<str, _>((
        std::ops::Bound::Included(low.as_str()),
        std::ops::Bound::Excluded(high.as_str()),
    ))))
}

/// `scope.` and `scope/` are neighbours, and `scope0` is the first text after both.
fn bounds(scope: &Address) -> (String, String) {
    (format!("{scope}."), format!("{scope}0"))
}

fn retain_within<T>(
    map: &mut BTreeMap<Address, T>,
    scope: &Address,
    keep: impl Fn(&Address) -> bool,
) {
    if map.is_empty() {
        return;
    }
    let gone: Vec<Address> = range_within(map, scope)
        .map(|(address, _)| address.clone())
        .filter(|address| !keep(address))
        .collect();
    for address in gone {
        map.remove(&address);
    }
}

fn move_subtree<T>(
    from: &mut BTreeMap<Address, T>,
    to: &mut BTreeMap<Address, T>,
    old: &Address,
    new: &Address,
) {
    let moved: Vec<Address> = range_within(from, old).map(|(address, _)| address.clone()).collect();
    for address in moved {
        if let Some(entry) = from.remove(&address) {
            to.insert(address.moved(old, new), entry);
        }
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
