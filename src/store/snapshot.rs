//! The snapshot: the state of a session as one JSON file in the documented checkpoint format
//! (SPEC 7.1). A cache of the journal for people and other programs; nothing depends on it.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};

use crate::session::{
    Address, Digest, FailureClass, FailureKind, JobProgress, Output, Progress, RaisedError, Record,
    SessionId, SessionStarted, SessionState, SessionStatus, StepKind, StepResult, StepStatus,
    WorkflowId,
};

/// Version of the checkpoint format.
pub const SNAPSHOT_FORMAT: u32 = 1;

/// More of a step's output than this stands only in the journal and the logs.
const SHOWN_OUTPUT: usize = 16 * 1024;

/// The checkpoint file of a session in this state; null before its first event.
/// `last_synced_seq` is the last event known to be on disk.
#[must_use]
pub fn snapshot(state: &SessionState, last_synced_seq: u64) -> Json {
    let snapshot = Snapshot::of(state, last_synced_seq);
    snapshot.and_then(|snapshot| serde_json::to_value(snapshot).ok()).unwrap_or_default()
}

/// The checkpoint file with what it leaves out: the finished steps inside of others
/// (`inner_steps`), and those that run, wait for a retry or were caught by a crash (`open_steps`).
/// `status` is how the session really stands, which a killed one cannot say itself.
#[must_use]
pub fn snapshot_in_full(state: &SessionState, last_synced_seq: u64, status: SessionStatus) -> Json {
    let Some(mut snapshot) = Snapshot::of(state, last_synced_seq) else { return Json::Null };
    snapshot.execution_state.status = status;
    let mut json = serde_json::to_value(snapshot).unwrap_or_default();
    if let Some(fields) = json.as_object_mut() {
        let inner = finished_steps(state, |address| !address.is_top_level());
        fields.insert("inner_steps".to_owned(), serde_json::to_value(inner).unwrap_or_default());
        let open = open_steps(state, status);
        fields.insert("open_steps".to_owned(), serde_json::to_value(open).unwrap_or_default());
    }
    json
}

/// Writes the same as [`snapshot`], piece by piece: all outputs together may be large. Nothing
/// before the first event of a session.
pub(super) fn write_snapshot(
    state: &SessionState,
    last_synced_seq: u64,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Some(snapshot) = Snapshot::of(state, last_synced_seq) else { return Ok(()) };
    serde_json::to_writer_pretty(&mut *out, &snapshot)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Snapshot<'s> {
    workflow_id: &'s WorkflowId,
    session_id: &'s SessionId,
    session_type: &'static str,
    workflow_name: &'s str,
    workflow_path: &'s Path,
    workflow_hash: &'s Digest,
    version: u32,
    format_version: u32,
    timestamp: Option<DateTime<Utc>>,
    last_seq: u64,
    last_synced_seq: u64,
    execution_state: ExecutionState<'s>,
    variables: Map<String, Json>,
    completed_steps: Vec<CompletedStep<'s>>,
    retry_state: Option<RetryState<'s>>,
    error_recovery_state: Option<ErrorRecoveryState<'s>>,
    mapreduce_state: Option<JobProgress>,
}

#[derive(Serialize)]
struct ExecutionState<'s> {
    status: SessionStatus,
    current_step_index: usize,
    total_steps: usize,
    stage: Option<&'s str>,
    start_time: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
struct CompletedStep<'s> {
    step_index: usize,
    address: &'s Address,
    command: String,
    status: StepStatus,
    success: bool,
    #[serde(serialize_with = "shown")]
    output: &'s Output,
    exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    duration: Duration,
    attempts: u32,
    timestamp: Option<DateTime<Utc>>,
    #[serde(serialize_with = "captured")]
    captured_variables: &'s StepResult,
}

#[derive(Serialize)]
struct OpenStep<'s> {
    address: &'s Address,
    command: &'s str,
    /// `running`, `in_doubt` after a crash, `between_attempts` or `pending`.
    status: &'static str,
    exit_code: Option<i32>,
    error: Option<String>,
    attempts: u32,
    timestamp: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
struct Duration {
    secs: u64,
    nanos: u64,
}

#[derive(Serialize)]
struct RetryState<'s> {
    address: &'s Address,
    current_attempt: u32,
    max_attempts: Option<u32>,
    last_error: Option<String>,
    next_attempt_at: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
struct ErrorRecoveryState<'s> {
    active_handlers: Vec<ActiveHandler<'s>>,
    error_context: Option<ErrorContext<'s>>,
    handler_execution_history: Vec<HandlerExecution<'s>>,
    retry_state: Option<RetryState<'s>>,
    correlation_id: Option<&'s str>,
}

#[derive(Serialize)]
struct ActiveHandler<'s> {
    id: &'s str,
    address: &'s Address,
    strategy: &'s str,
    attempt: u32,
}

#[derive(Serialize)]
struct ErrorContext<'s> {
    address: &'s Address,
    step: &'s Address,
    kind: FailureKind,
    class: FailureClass,
    message: String,
    exit_code: Option<i32>,
    attempt: u32,
    output: String,
    stderr: String,
    timestamp: DateTime<Utc>,
    /// Whether the workflow goes on; absent while handlers are at it.
    goes_on: Option<bool>,
}

#[derive(Serialize)]
struct HandlerExecution<'s> {
    handler_id: &'s str,
    address: &'s Address,
    executed_at: DateTime<Utc>,
    success: bool,
    error: Option<&'s str>,
    attempt: u32,
}

impl<'s> Snapshot<'s> {
    fn of(state: &'s SessionState, last_synced_seq: u64) -> Option<Self> {
        let header = state.header()?;
        let completed_steps = finished_steps(state, Address::is_top_level);
        Some(Self {
            workflow_id: &header.workflow_id,
            session_id: &header.session_id,
            session_type: state.kind().as_str(),
            workflow_name: &header.name,
            workflow_path: &header.workflow_path,
            workflow_hash: &header.workflow_hash,
            version: state.lifetime.latest_version().map_or(0, |version| version.version),
            format_version: SNAPSHOT_FORMAT,
            timestamp: state.updated_at,
            last_seq: state.last_seq,
            last_synced_seq,
            execution_state: ExecutionState {
                status: state.status.unwrap_or(SessionStatus::Running),
                current_step_index: completed_steps.len(),
                total_steps: header.total_steps,
                stage: stage(state, header),
                start_time: state.started_at,
            },
            variables: variables(state),
            completed_steps,
            retry_state: retry_state(state),
            error_recovery_state: error_recovery_state(state),
            mapreduce_state: JobProgress::of(state),
        })
    }
}

/// The steps that ended, of the addresses that are `wanted`, in the order they ended.
fn finished_steps(
    state: &SessionState,
    wanted: impl Fn(&Address) -> bool,
) -> Vec<CompletedStep<'_>> {
    let mut finished: Vec<(&Address, &Record)> = state
        .standing
        .records()
        .filter(|(address, record)| wanted(address) && record.result.is_some())
        .collect();
    finished.sort_by_key(|(_, record)| record.finished_seq);
    finished
        .into_iter()
        .enumerate()
        .filter_map(|(place, (address, record))| completed_step(place, address, record))
        .collect()
}

fn open_steps(state: &SessionState, status: SessionStatus) -> Vec<OpenStep<'_>> {
    let open = state.standing.records().filter(|(_, record)| record.result.is_none());
    let open = open.map(|(address, record)| {
        let report = record.latest_report();
        OpenStep {
            address,
            command: &record.command,
            status: match record.progress {
                Progress::Running if status == SessionStatus::Running => "running",
                Progress::Running | Progress::InDoubt => "in_doubt",
                Progress::Between => "between_attempts",
                Progress::Pending | Progress::Done => "pending",
            },
            exit_code: report.and_then(|report| report.exit_code),
            error: report
                .and_then(|report| report.failure.as_ref())
                .map(|failure| failure.message.shown()),
            attempts: record.attempt,
            timestamp: record.started,
        }
    });
    open.collect()
}

/// One finished step. The index of a step in a stage or pass is its place among the finished ones.
fn completed_step<'s>(
    place: usize,
    address: &'s Address,
    record: &'s Record,
) -> Option<CompletedStep<'s>> {
    let result = record.result.as_ref()?;
    let report = &result.report;
    let kind = result.kind.as_str();
    let command = match record.command.strip_prefix(kind) {
        Some(rest) if rest.starts_with(':') => record.command.clone(),
        _ => format!("{kind}: {}", record.command),
    };
    Some(CompletedStep {
        step_index: address.as_str().parse().map_or(place, |index: usize| index.saturating_sub(1)),
        address,
        command,
        status: result.status,
        success: result.status != StepStatus::Failed,
        output: &report.stdout,
        exit_code: report.exit_code,
        error: report.failure.as_ref().map(|failure| failure.message.shown()),
        duration: Duration {
            secs: report.duration_ms / 1000,
            nanos: report.duration_ms % 1000 * 1_000_000,
        },
        attempts: result.attempts,
        timestamp: record.finished,
        captured_variables: result,
    })
}

// Both make their text when it is written, so that the texts of all steps are never there at once.

fn captured<S: Serializer>(result: &StepResult, out: S) -> Result<S::Ok, S::Error> {
    out.collect_map(result.captures.iter().map(|captured| {
        let value = captured.value.as_ref().unwrap_or(&result.report.stdout.text);
        (&captured.name, value.to_json())
    }))
}

fn shown<S: Serializer>(output: &Output, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&shown_output(output))
}

fn shown_output(output: &Output) -> String {
    let mut text = output.text.shown();
    if text.len() > SHOWN_OUTPUT {
        let end = (0..=SHOWN_OUTPUT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push_str("\n… (cut)");
    }
    text
}

/// The first stage that has not ended.
fn stage<'s>(state: &SessionState, header: &'s SessionStarted) -> Option<&'s str> {
    let open = |stage: &&String| state.standing.scope(&Address::root().join(stage)).is_none();
    header.stages.iter().find(open).map(String::as_str)
}

/// What later steps see: captures, nested at a dot in their name, and the latest output of
/// each kind.
fn variables(state: &SessionState) -> Map<String, Json> {
    let root = Address::root();
    let names = &state.standing.names;
    let mut variables = Map::new();
    for (name, value) in names.captures(&root) {
        nest(&mut variables, Cow::Borrowed(name), value.to_json());
    }
    for kind in [StepKind::Shell, StepKind::Claude] {
        if let Some(result) = names.latest(&root, Some(kind)) {
            let name = format!("{}.output", kind.as_str());
            nest(&mut variables, Cow::Owned(name), result.report.stdout.text.to_json());
        }
    }
    variables
}

fn nest(into: &mut Map<String, Json>, name: Cow<'_, str>, value: Json) {
    match name.split_once('.') {
        Some((first, last)) if !last.contains('.') => {
            let inner = into.entry(first).or_insert_with(|| Json::Object(Map::new()));
            if let Json::Object(inner) = inner {
                inner.insert(last.to_owned(), value);
            }
        }
        _ => {
            into.insert(name.into_owned(), value);
        }
    }
}

/// How far the retries are of the step that the session is at.
fn retry_state(state: &SessionState) -> Option<RetryState<'_>> {
    let under_way = |record: &Record| {
        let open =
            matches!(record.progress, Progress::Running | Progress::InDoubt | Progress::Between);
        open && (record.attempt > 1 || record.retry.is_some())
    };
    let steps = state.standing.records().filter(|(_, record)| under_way(record));
    let (address, record) = steps.max_by_key(|(_, record)| record.started)?;
    let failure = record.latest_report().and_then(|report| report.failure.as_ref());
    Some(RetryState {
        address,
        // Counted as the allowed ones are: anew after a person resumed a failed step.
        current_attempt: match record.progress {
            Progress::InDoubt => record.tries + 1,
            _ => record.tries.max(1),
        },
        max_attempts: record.max_attempts,
        last_error: failure.map(|failure| failure.message.shown()),
        next_attempt_at: record.retry.as_ref().map(|retry| retry.not_before),
    })
}

/// Errors that handlers are answering, and how handlers fared so far.
fn error_recovery_state(state: &SessionState) -> Option<ErrorRecoveryState<'_>> {
    let standing = &state.standing;
    // The one that handlers are at, or the last that they were at.
    let innermost = standing
        .active_errors()
        .max_by_key(|(_, error)| error.at)
        .or_else(|| standing.errors().max_by_key(|(_, error)| error.at));
    let history = &state.lifetime.handler_history;
    if innermost.is_none() && history.is_empty() {
        return None;
    }
    let active = standing.active_handlers().map(|(address, handler)| ActiveHandler {
        id: &handler.id,
        address,
        strategy: &handler.strategy,
        attempt: handler.attempt,
    });
    let history = history.iter().map(|execution| HandlerExecution {
        handler_id: &execution.handler_id,
        address: &execution.address,
        executed_at: execution.executed_at,
        success: execution.success,
        error: execution.error.as_deref(),
        attempt: execution.attempt,
    });
    let correlation_id = match innermost {
        Some((_, error)) => Some(error.correlation_id.as_str()),
        None => state.lifetime.runs.last().map(|run| run.correlation_id.as_str()),
    };
    Some(ErrorRecoveryState {
        active_handlers: active.collect(),
        error_context: innermost.map(error_context),
        handler_execution_history: history.collect(),
        retry_state: retry_state(state),
        correlation_id,
    })
}

fn error_context<'s>((address, error): (&'s Address, &'s RaisedError)) -> ErrorContext<'s> {
    ErrorContext {
        address,
        step: &error.step,
        kind: error.failure.kind,
        class: error.failure.class,
        message: error.failure.message.shown(),
        exit_code: error.exit_code,
        attempt: error.attempt,
        output: error.output.shown(),
        stderr: error.stderr.shown(),
        timestamp: error.at,
        goes_on: error.settled,
    }
}
