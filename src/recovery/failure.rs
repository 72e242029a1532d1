//! The failures of a session: one record for each run that ended failed (DECISIONS A63).

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::session::{
    Address, Event, EventKind, Evidence, FailureClass, FailureKind, Report, RunFailure, SessionId,
    SessionState, SessionStatus, WorkflowId, explain, item_number,
};
use crate::store::Loaded;

/// A failure that a recovery can go after.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailureRecord {
    /// `failure-<6 hex of the session>-<n>`; n is 0 for damage that no run met.
    pub id: String,
    /// The session.
    pub session_id: SessionId,
    /// Its short id.
    pub workflow_id: WorkflowId,
    /// Name of its repository under `state/`.
    pub repository: String,
    /// The step that failed and that nothing handled.
    pub step: Option<Address>,
    /// The innermost step that made it fail.
    pub cause: Option<Address>,
    /// What kind of thing went wrong.
    pub kind: Option<FailureKind>,
    /// The class.
    pub class: FailureClass,
    /// Why that class, for people.
    pub why: String,
    /// What failed, in one line.
    pub message: String,
    /// Exit code, where a command ended.
    pub exit_code: Option<i32>,
    /// The end of what it printed.
    #[serde(skip)]
    pub stdout: String,
    /// The end of what it printed to stderr.
    #[serde(skip)]
    pub stderr: String,
    /// When.
    pub at: Option<DateTime<Utc>>,
}

/// The id of the failure that no run met: damage.
#[must_use]
pub fn damage_id(session: &SessionId) -> String {
    session.failure_id(0)
}

/// The ids of all failures of a session and when they happened, oldest first.
#[must_use]
pub fn failure_ids(events: &[Event]) -> Vec<(String, DateTime<Utc>)> {
    let failure = |event: &Event| match &event.kind {
        EventKind::RunFinished { failure: Some(failure), .. } => {
            Some((failure.id.clone(), event.at))
        }
        _ => None,
    };
    events.iter().filter_map(failure).collect()
}

/// The failure that the session stands at: of its last run, or, when its records are damaged,
/// that damage. None where it did not fail.
#[must_use]
pub fn present_failure(loaded: &Loaded) -> Option<FailureRecord> {
    let state = &loaded.state;
    if let Some(damage) = &loaded.damage {
        let message = damage.to_string();
        let header = state.header()?;
        return Some(FailureRecord {
            id: damage_id(&header.session_id),
            session_id: header.session_id.clone(),
            workflow_id: header.workflow_id.clone(),
            repository: header.repository.clone(),
            step: None,
            cause: None,
            kind: None,
            class: FailureClass::CorruptState,
            why: "records of the session are damaged".to_owned(),
            message,
            exit_code: None,
            stdout: String::new(),
            stderr: String::new(),
            at: state.updated_at,
        });
    }
    let failure = match state.status? {
        SessionStatus::Failed => state.failure.as_ref()?,
        status if !status.is_completed() => state.unanswered.as_ref()?,
        _ => return None,
    };
    let at = failure_ids(&loaded.events).into_iter().rev().find(|(id, _)| *id == failure.id);
    record(state, failure, at.map(|(_, at)| at))
}

fn record(
    state: &SessionState,
    failure: &RunFailure,
    at: Option<DateTime<Utc>>,
) -> Option<FailureRecord> {
    let header = state.header()?;
    let step = &failure.step;
    let cause = innermost(state, step);
    let record = state.standing.record(&cause);
    let report = record.and_then(|record| record.latest_report().cloned());
    let report = report.unwrap_or_else(|| item_report(state, &cause));
    let command = record.map(|record| record.command.clone()).unwrap_or_default();
    let of_cause = report.failure.as_ref().unwrap_or(&failure.failure);
    let (stdout, stderr) = (report.stdout.text.shown(), report.stderr.text.shown());
    let verdict = explain(&Evidence {
        kind: of_cause.kind,
        exit_code: report.exit_code,
        command: &command,
        stdout: &stdout,
        stderr: &stderr,
    });
    // What was recorded when it happened decides; the words are for people.
    let why = match verdict.class == of_cause.class {
        true => verdict.why.to_owned(),
        false => of_cause.message.shown(),
    };
    Some(FailureRecord {
        id: failure.id.clone(),
        session_id: header.session_id.clone(),
        workflow_id: header.workflow_id.clone(),
        repository: header.repository.clone(),
        step: Some(step.clone()),
        kind: Some(of_cause.kind),
        class: of_cause.class,
        why,
        message: of_cause.message.shown(),
        exit_code: report.exit_code,
        stdout,
        stderr,
        at,
        cause: Some(cause),
    })
}

/// The innermost failed step at or below `step`, handlers and checks left aside: a loop fails
/// because a step in it does.
fn innermost(state: &SessionState, step: &Address) -> Address {
    let failed = state.standing.records_within(step).filter(|(address, record)| {
        !address.is_aside() && record.result.as_ref().is_some_and(|result| !result.goes_on)
    });
    let deepest = failed.max_by_key(|(address, record)| {
        let depth = address.as_str().matches(['/', '.']).count();
        (depth, std::cmp::Reverse(record.finished_seq))
    });
    deepest.map_or_else(|| step.clone(), |(address, _)| address.clone())
}

/// What is kept of the failure of an item of a map.
fn item_report(state: &SessionState, cause: &Address) -> Report {
    let last = item_number(cause)
        .and_then(|item| state.lifetime.dead.get(&item)?.history.last())
        .map(|(_, failure)| failure);
    let Some(last) = last else { return Report::default() };
    let mut report = Report::failed(last.failure.clone());
    report.exit_code = last.exit_code;
    report.stderr.text = last.output.clone();
    report
}
