//! The snapshot: the state of a session as one JSON file in the documented checkpoint format
//! (SPEC 7.1). A cache of the journal for people and other programs; nothing depends on it.

use serde_json::{Map, Value as Json, json};

use crate::session::{
    Address, Output, Progress, RaisedError, Record, SessionState, SessionStatus, StepKind,
    StepStatus,
};

/// Version of the checkpoint format.
pub const SNAPSHOT_FORMAT: u32 = 1;

/// More of a step's output than this stands only in the journal and the logs.
const SHOWN_OUTPUT: usize = 16 * 1024;

/// The checkpoint file of a session in this state; null before its first event.
/// `last_synced_seq` is the last event known to be on disk.
#[must_use]
pub fn snapshot(state: &SessionState, last_synced_seq: u64) -> Json {
    let Some(header) = state.header() else { return Json::Null };
    let completed = completed_steps(state);
    json!({
        "workflow_id": header.workflow_id,
        "session_id": header.session_id,
        "session_type": "standard",
        "workflow_name": header.name,
        "workflow_path": header.workflow_path,
        "workflow_hash": header.workflow_hash,
        "version": state.lifetime.latest_version().map_or(0, |version| version.version),
        "format_version": SNAPSHOT_FORMAT,
        "timestamp": state.updated_at,
        "last_seq": state.last_seq,
        "last_synced_seq": last_synced_seq,
        "execution_state": {
            "status": state.status.unwrap_or(SessionStatus::Running).as_str(),
            "current_step_index": completed.len(),
            "total_steps": header.total_steps,
            "stage": stage(state),
            "start_time": state.started_at,
        },
        "variables": variables(state),
        "completed_steps": completed,
        "retry_state": retry_state(state),
        "error_recovery_state": error_recovery_state(state),
        "mapreduce_state": null,
    })
}

fn completed_steps(state: &SessionState) -> Vec<Json> {
    let mut finished: Vec<(&Address, &Record)> = state
        .standing
        .records()
        .filter(|(address, record)| address.is_top_level() && record.result.is_some())
        .collect();
    finished.sort_by_key(|(_, record)| record.finished_seq);
    finished
        .into_iter()
        .enumerate()
        .filter_map(|(place, (address, record))| completed_step(place, address, record))
        .collect()
}

/// One finished step. The index of a step in a stage or pass is its place among the finished ones.
fn completed_step(place: usize, address: &Address, record: &Record) -> Option<Json> {
    let result = record.result.as_ref()?;
    let report = &result.report;
    let index = address.as_str().parse::<usize>().map_or(place, |index| index.saturating_sub(1));
    let kind = result.kind.as_str();
    let command = match record.command.strip_prefix(kind) {
        Some(rest) if rest.starts_with(':') => record.command.clone(),
        _ => format!("{kind}: {}", record.command),
    };
    let mut step = json!({
        "step_index": index,
        "address": address,
        "command": command,
        "status": result.status,
        "success": result.status != StepStatus::Failed,
        "output": shown_output(&report.stdout),
        "exit_code": report.exit_code,
        "duration": duration(report.duration_ms),
        "attempts": result.attempts,
        "timestamp": record.finished,
        "captured_variables": captured(result),
    });
    if let (Some(failure), Some(fields)) = (&report.failure, step.as_object_mut()) {
        fields.insert("error".to_owned(), failure.message.shown().into());
    }
    Some(step)
}

fn captured(result: &crate::session::StepResult) -> Map<String, Json> {
    let mut captured = Map::new();
    for capture in &result.captures {
        let value = capture.value.as_ref().unwrap_or(&result.report.stdout.text);
        captured.insert(capture.name.clone(), value.to_json());
    }
    captured
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

fn duration(milliseconds: u64) -> Json {
    json!({ "secs": milliseconds / 1000, "nanos": milliseconds % 1000 * 1_000_000 })
}

/// The first stage that has not ended, once the session is in it.
fn stage(state: &SessionState) -> Option<&String> {
    let stages = &state.header()?.stages;
    stages.iter().find(|stage| state.standing.scope(&Address::root().join(stage)).is_none())
}

/// What later steps see: captures, nested at a dot in their name, and the latest output of each kind.
fn variables(state: &SessionState) -> Map<String, Json> {
    let root = Address::root();
    let names = &state.standing.names;
    let mut variables = Map::new();
    for (name, value) in names.captures(&root) {
        nest(&mut variables, name, value.to_json());
    }
    for kind in [StepKind::Shell, StepKind::Claude] {
        if let Some(result) = names.latest(&root, Some(kind)) {
            let name = format!("{}.output", kind.as_str());
            nest(&mut variables, &name, result.report.stdout.text.to_json());
        }
    }
    variables
}

fn nest(into: &mut Map<String, Json>, name: &str, value: Json) {
    match name.split_once('.') {
        Some((first, last)) if !last.contains('.') => {
            let inner = into.entry(first).or_insert_with(|| Json::Object(Map::new()));
            if let Json::Object(inner) = inner {
                inner.insert(last.to_owned(), value);
            }
        }
        _ => {
            into.insert(name.to_owned(), value);
        }
    }
}

/// How far the retries are of the step that the session is at.
fn retry_state(state: &SessionState) -> Json {
    let under_way = |record: &Record| {
        let open =
            matches!(record.progress, Progress::Running | Progress::InDoubt | Progress::Between);
        open && (record.attempt > 1 || record.retry.is_some())
    };
    let step = state.standing.records().filter(|(_, record)| under_way(record));
    match step.max_by_key(|(_, record)| record.started) {
        Some((address, record)) => {
            let failure = record.latest_report().and_then(|report| report.failure.as_ref());
            json!({
                "address": address,
                "current_attempt": record.attempt,
                "max_attempts": null,
                "last_error": failure.map(|failure| failure.message.shown()),
                "next_attempt_at": record.retry.as_ref().map(|retry| retry.not_before),
            })
        }
        None => Json::Null,
    }
}

/// Errors that handlers are answering, and how handlers fared so far.
fn error_recovery_state(state: &SessionState) -> Json {
    let standing = &state.standing;
    let innermost = standing.active_errors().max_by_key(|(_, error)| error.at);
    let history = &state.lifetime.handler_history;
    if innermost.is_none() && history.is_empty() {
        return Json::Null;
    }
    let active: Vec<Json> = standing
        .active_handlers()
        .map(|(address, handler)| {
            json!({
                "id": handler.id,
                "address": address,
                "strategy": handler.strategy,
                "attempt": handler.attempt,
            })
        })
        .collect();
    let history: Vec<Json> = history
        .iter()
        .map(|execution| {
            json!({
                "handler_id": execution.handler_id,
                "address": execution.address,
                "executed_at": execution.executed_at,
                "success": execution.success,
                "error": execution.error,
                "attempt": execution.attempt,
            })
        })
        .collect();
    let correlation_id = match innermost {
        Some((_, error)) => Some(error.correlation_id.clone()),
        None => state.lifetime.runs.last().map(|run| run.correlation_id.clone()),
    };
    json!({
        "active_handlers": active,
        "error_context": innermost.map_or_else(|| json!({}), error_context),
        "handler_execution_history": history,
        "retry_state": retry_state(state),
        "correlation_id": correlation_id,
    })
}

fn error_context((address, error): (&Address, &RaisedError)) -> Json {
    json!({
        "address": address,
        "step": error.step,
        "kind": error.failure.kind,
        "class": error.failure.class,
        "message": error.failure.message.shown(),
        "exit_code": error.exit_code,
        "attempt": error.attempt,
        "output": error.output.shown(),
        "stderr": error.stderr.shown(),
        "timestamp": error.at,
    })
}
