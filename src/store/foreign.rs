//! Reads checkpoint files without a journal: of older versions, carried along in a repository,
//! or written by hand (SPEC 7.1). Missing fields get defaults; wrong ones are told.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};

use crate::session::{Address, SessionId, SessionStatus, WorkflowId};

use super::error::{NamePath, io_error};
use super::{SNAPSHOT_FORMAT, StoreError, files};

/// A checkpoint file. It comes from outside: nothing in it is trusted.
#[derive(Debug, Clone, PartialEq)]
pub struct ForeignCheckpoint {
    /// Its file.
    pub path: PathBuf,
    /// Its short id; the file's stem where it does not say.
    pub workflow_id: Option<WorkflowId>,
    /// The session, where it has one.
    pub session_id: Option<SessionId>,
    /// The workflow's name.
    pub workflow_name: Option<String>,
    /// The workflow file as written, perhaps relative.
    pub workflow_path: Option<PathBuf>,
    /// Hash of the workflow file.
    pub workflow_hash: Option<String>,
    /// Number of the checkpoint.
    pub version: u32,
    /// When it was written.
    pub timestamp: Option<DateTime<Utc>>,
    /// How the session stands; interrupted where it does not say.
    pub status: SessionStatus,
    /// The 0-based step to continue with; behind the finished ones where it does not say.
    pub current_step_index: usize,
    /// Steps in all, where it says.
    pub total_steps: Option<usize>,
    /// The stage it is in.
    pub stage: Option<String>,
    /// Values by name, nested at their dots.
    pub variables: Map<String, Json>,
    /// Finished steps in order of their index.
    pub completed_steps: Vec<ForeignStep>,
    /// The retry under way.
    pub retry: Option<ForeignRetry>,
    /// Errors and handlers, as written.
    pub error_recovery_state: Option<Json>,
    /// The state of a map, as written.
    pub mapreduce_state: Option<Json>,
}

/// A finished step of a checkpoint file.
#[derive(Debug, Clone, PartialEq)]
pub struct ForeignStep {
    /// Its place, from 0.
    pub index: usize,
    /// Its address, in files of this program.
    pub address: Option<Address>,
    /// What was run (`shell: make`).
    pub command: String,
    /// Whether it succeeded.
    pub success: bool,
    /// What it printed.
    pub output: Option<String>,
    /// Its exit code; 0 or 1 by `success` where it does not say.
    pub exit_code: i32,
    /// How long it took.
    pub duration: Duration,
    /// How often it ran.
    pub attempts: u32,
    /// When it ended.
    pub timestamp: Option<DateTime<Utc>>,
    /// Names it gave to values.
    pub captured_variables: Map<String, Json>,
}

/// A retry under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignRetry {
    /// The attempt that ran last.
    pub current_attempt: u32,
    /// The most there may be.
    pub max_attempts: Option<u32>,
    /// How the last one failed.
    pub last_error: Option<String>,
}

/// Names with more dots are not nested.
const DEEPEST: usize = 8;

/// Larger files are no checkpoints.
const LARGEST: u64 = 256 << 20;

/// Reads a checkpoint file.
///
/// # Errors
/// It cannot be read, is no checkpoint (naming the key that is wrong), or newer.
pub fn read_foreign(path: &Path) -> Result<ForeignCheckpoint, StoreError> {
    let size = fs::metadata(path).named("read", path)?.len();
    if size > LARGEST {
        return Err(unreadable(path, format!("{size} bytes are too many for a checkpoint")));
    }
    let bytes = files::read_private(path).named("read", path)?;
    let json: Json = serde_json::from_slice(&bytes)
        .map_err(|error| unreadable(path, format!("it is no JSON: {error}")))?;
    let found = format(&json).unwrap_or(SNAPSHOT_FORMAT);
    if found > SNAPSHOT_FORMAT {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: SNAPSHOT_FORMAT });
    }
    Fields::of(&json, "the checkpoint")
        .and_then(|fields| checkpoint(path, &fields))
        .map_err(|reason| unreadable(path, reason))
}

/// The checkpoint files of a directory: stem (`<workflow-id>`) and path, sorted. None where
/// there is no such directory.
///
/// # Errors
/// It cannot be read.
pub fn checkpoint_files(directory: &Path) -> Result<Vec<(String, PathBuf)>, StoreError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_error("read", directory, error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.named("read", directory)?.path();
        let stem = path.file_name().and_then(|name| name.to_str()).and_then(stem);
        found.extend(stem.map(|stem| (stem.to_owned(), path.clone())));
    }
    found.sort();
    Ok(found)
}

fn stem(name: &str) -> Option<&str> {
    let stem = name.strip_suffix(".json")?;
    let stem = stem.strip_suffix(".checkpoint").unwrap_or(stem);
    (!stem.starts_with('.')).then_some(stem)
}

impl ForeignCheckpoint {
    /// The workflow file, if it is there and lies inside `directory`: a checkpoint that came
    /// with a repository may not name files outside of it.
    #[must_use]
    pub fn workflow_inside(&self, directory: &Path) -> Option<PathBuf> {
        let directory = fs::canonicalize(directory).ok()?;
        let workflow = fs::canonicalize(directory.join(self.workflow_path.as_ref()?)).ok()?;
        workflow.starts_with(&directory).then_some(workflow)
    }
}

fn checkpoint(path: &Path, fields: &Fields<'_>) -> Result<ForeignCheckpoint, String> {
    let execution = fields.inner("execution_state")?;
    let execution = execution.as_ref();
    let inner = |name: &'static str| execution.map_or(Ok(None), |inner| inner.count(name));
    let mut completed_steps = Vec::new();
    for (place, step) in fields.list("completed_steps")?.iter().enumerate() {
        completed_steps.push(completed_step(place, step)?);
    }
    completed_steps.sort_by_key(|step| step.index);
    let behind = completed_steps.last().map_or(0, |step| step.index + 1);
    let mut variables = Map::new();
    for step in &completed_steps {
        merge(&mut variables, &step.captured_variables);
    }
    for name in ["captured_variables", "variable_state", "variables"] {
        if let Some(values) = fields.object(name)? {
            merge(&mut variables, values);
        }
    }
    let file = path.file_name().and_then(|name| name.to_str()).and_then(stem);
    let workflow_id = match fields.text("workflow_id")? {
        Some(text) => {
            Some(WorkflowId::parse(text).ok_or_else(|| format!("workflow_id {text:?} is no id"))?)
        }
        None => file.and_then(WorkflowId::parse),
    };
    let status = match execution.map_or(Ok(None), |inner| inner.text("status"))? {
        Some(text) => status(text)?,
        None => SessionStatus::Interrupted,
    };
    Ok(ForeignCheckpoint {
        path: path.to_owned(),
        workflow_id,
        session_id: fields.text("session_id")?.and_then(SessionId::parse),
        workflow_name: fields.text("workflow_name")?.map(str::to_owned),
        workflow_path: fields.text("workflow_path")?.map(PathBuf::from),
        workflow_hash: fields.text("workflow_hash")?.map(str::to_owned),
        version: version(fields)?,
        timestamp: fields.time("timestamp")?,
        status,
        current_step_index: inner("current_step_index")?.unwrap_or(behind),
        total_steps: match inner("total_steps")? {
            None => fields.count("total_steps")?,
            steps => steps,
        },
        stage: execution.map_or(Ok(None), |inner| inner.text("stage"))?.map(str::to_owned),
        variables,
        completed_steps,
        retry: retry(fields)?,
        error_recovery_state: fields.given("error_recovery_state").cloned(),
        mapreduce_state: fields.given("mapreduce_state").cloned(),
    })
}

fn completed_step(place: usize, json: &Json) -> Result<ForeignStep, String> {
    let name = format!("completed_steps[{place}]");
    let fields = Fields::of(json, &name)?;
    let success = fields.flag("success")?.unwrap_or(true);
    let exit_code = match fields.given("exit_code") {
        None => None,
        Some(code) => match code.as_i64().and_then(|code| i32::try_from(code).ok()) {
            None => return fields.wrong("exit_code", "exit code"),
            code => code,
        },
    };
    let mut captured = Map::new();
    if let Some(values) = fields.object("captured_variables")? {
        merge(&mut captured, values);
    }
    let address = match fields.text("address")? {
        Some(text) => Some(Address::parse(text)?),
        None => None,
    };
    let attempts = match (fields.count("attempts")?, fields.inner("retry_state")?) {
        (None, Some(retry)) => retry.count("current_attempt")?,
        (attempts, _) => attempts,
    };
    Ok(ForeignStep {
        index: fields.count("step_index")?.unwrap_or(place),
        address,
        command: fields.text("command")?.unwrap_or_default().to_owned(),
        success,
        output: fields.text("output")?.map(str::to_owned),
        exit_code: exit_code.unwrap_or(i32::from(!success)),
        duration: fields.duration("duration")?.unwrap_or_default(),
        attempts: attempts.and_then(|count| u32::try_from(count).ok()).unwrap_or(1).max(1),
        timestamp: match fields.time("timestamp")? {
            None => fields.time("completed_at")?,
            time => time,
        },
        captured_variables: captured,
    })
}

fn retry(fields: &Fields<'_>) -> Result<Option<ForeignRetry>, String> {
    let Some(retry) = fields.inner("retry_state")? else { return Ok(None) };
    let count = |name| Ok::<_, String>(retry.count(name)?.and_then(|n| u32::try_from(n).ok()));
    Ok(Some(ForeignRetry {
        current_attempt: count("current_attempt")?.unwrap_or(1),
        max_attempts: count("max_attempts")?,
        last_error: retry.text("last_error")?.map(str::to_owned),
    }))
}

/// `running`, `Running`, `in_progress` …: older files spell them with capitals.
fn status(text: &str) -> Result<SessionStatus, String> {
    Ok(match text.to_ascii_lowercase().replace(['_', '-'], "").as_str() {
        // Whoever wrote it is not there any more.
        "running" | "inprogress" | "initializing" | "interrupted" | "paused" | "cancelled" => {
            SessionStatus::Interrupted
        }
        "completed" => SessionStatus::Completed,
        "completedwithfailures" => SessionStatus::CompletedWithFailures,
        "failed" => SessionStatus::Failed,
        "waiting" => SessionStatus::Waiting,
        "parked" => SessionStatus::Parked,
        _ => return Err(format!("execution_state.status {text:?} is no status")),
    })
}

/// `3`, `"3"` or `"v3"`.
fn version(fields: &Fields<'_>) -> Result<u32, String> {
    let number = match fields.given("version") {
        None => Some(1),
        Some(Json::String(text)) => text.strip_prefix('v').unwrap_or(text).parse().ok(),
        Some(other) => other.as_u64().and_then(|number| u32::try_from(number).ok()),
    };
    number.ok_or_else(|| "version is no number".to_owned())
}

fn format(json: &Json) -> Option<u32> {
    let names = ["format_version", "checkpoint_version", "checkpoint_format_version"];
    names.iter().find_map(|name| json.get(name)?.as_u64()?.try_into().ok())
}

/// Adds values, nested at the dots of their names; what older versions kept for themselves
/// (`__…`) is left out.
fn merge(into: &mut Map<String, Json>, values: &Map<String, Json>) {
    for (name, value) in values.iter().filter(|(name, _)| !name.starts_with("__")) {
        match (name.split_once('.'), value) {
            (Some((first, rest)), _)
                if !first.is_empty() && !rest.is_empty() && depth_of(name) <= DEEPEST =>
            {
                let mut inner = Map::new();
                inner.insert(rest.to_owned(), value.clone());
                merge_object(into, first, &inner);
            }
            (_, Json::Object(fields)) => merge_object(into, name, fields),
            _ => {
                into.insert(name.clone(), value.clone());
            }
        }
    }
}

fn depth_of(name: &str) -> usize {
    name.bytes().filter(|byte| *byte == b'.').count()
}

fn merge_object(into: &mut Map<String, Json>, name: &str, fields: &Map<String, Json>) {
    let slot = into.entry(name).or_insert_with(|| Json::Object(Map::new()));
    if !slot.is_object() {
        *slot = Json::Object(Map::new());
    }
    if let Json::Object(inner) = slot {
        merge(inner, fields);
    }
}

/// The fields of one object, with its name for messages.
struct Fields<'j> {
    map: &'j Map<String, Json>,
    name: String,
}

impl<'j> Fields<'j> {
    fn of(json: &'j Json, name: &str) -> Result<Self, String> {
        match json {
            Json::Object(map) => Ok(Self { map, name: name.to_owned() }),
            _ => Err(format!("{name} is no mapping")),
        }
    }

    fn given(&self, name: &str) -> Option<&'j Json> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    fn wrong<T>(&self, name: &str, shape: &str) -> Result<T, String> {
        Err(format!("{name} of {} is no {shape}", self.name))
    }

    fn inner(&self, name: &str) -> Result<Option<Fields<'j>>, String> {
        self.given(name).map(|json| Fields::of(json, name)).transpose()
    }

    fn object(&self, name: &str) -> Result<Option<&'j Map<String, Json>>, String> {
        Ok(self.inner(name)?.map(|fields| fields.map))
    }

    fn list(&self, name: &str) -> Result<&'j [Json], String> {
        match self.given(name) {
            None => Ok(&[]),
            Some(Json::Array(items)) => Ok(items),
            Some(_) => self.wrong(name, "list"),
        }
    }

    fn text(&self, name: &str) -> Result<Option<&'j str>, String> {
        match self.given(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) => self.wrong(name, "text"),
        }
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, String> {
        match self.given(name) {
            None => Ok(None),
            Some(Json::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => self.wrong(name, "true or false"),
        }
    }

    fn count(&self, name: &str) -> Result<Option<usize>, String> {
        match self.given(name) {
            None => Ok(None),
            Some(json) => match json.as_u64().and_then(|count| usize::try_from(count).ok()) {
                Some(count) => Ok(Some(count)),
                None => self.wrong(name, "count"),
            },
        }
    }

    fn time(&self, name: &str) -> Result<Option<DateTime<Utc>>, String> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match DateTime::parse_from_rfc3339(text) {
            Ok(time) => Ok(Some(time.to_utc())),
            Err(_) => self.wrong(name, "time (RFC 3339)"),
        }
    }

    /// `{"secs": 1, "nanos": 5}`, seconds as a number, or `"1m 30s"`.
    fn duration(&self, name: &str) -> Result<Option<Duration>, String> {
        let read = match self.given(name) {
            None => return Ok(None),
            Some(Json::String(text)) => match text.parse() {
                Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
                Err(_) => humantime::parse_duration(text).ok(),
            },
            Some(Json::Object(parts)) => {
                let part = |name: &str| parts.get(name).map_or(Some(0), Json::as_u64);
                let nanos = part("nanos").and_then(|nanos| u32::try_from(nanos).ok());
                part("secs")
                    .zip(nanos.filter(|nanos| *nanos < 1_000_000_000))
                    .map(|(secs, nanos)| Duration::new(secs, nanos))
            }
            Some(other) => {
                other.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            }
        };
        match read {
            Some(duration) => Ok(Some(duration)),
            None => self.wrong(name, "duration"),
        }
    }
}

fn unreadable(path: &Path, reason: String) -> StoreError {
    StoreError::Unreadable { path: path.to_owned(), reason }
}
