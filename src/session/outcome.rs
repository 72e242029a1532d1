//! What came of an attempt and of a step. A failing command is data, never an error.

use serde::{Deserialize, Serialize};

use super::class::FailureClass;
use super::digest::Digest;
use super::stored::Stored;

/// The final standing of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Its own command finally succeeded.
    Success,
    /// Its command failed, its handlers succeeded (`partial_success`).
    Recovered,
    /// It failed and the workflow may or may not go on.
    Failed,
    /// Its `when` was false, or a person or `on_resume: skip` passed over it.
    Skipped,
}

/// What kind of thing went wrong (`error.kind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The command ended with a code other than 0.
    Exit,
    /// The command died by a signal.
    Signal,
    /// The step's, handler's or stage's time limit passed.
    Timeout,
    /// The agent printed nothing for the idle limit.
    IdleTimeout,
    /// The command could not be started.
    Start,
    /// A value, condition or template could not be resolved.
    Expression,
    /// A captured value did not have its format.
    Capture,
    /// A captured value was larger than the limit.
    CaptureTooLarge,
    /// `commit_required`, and HEAD did not move.
    NoCommit,
    /// `validate` found the work incomplete, or its result unreadable.
    Incomplete,
    /// `goal_seek` did not reach its threshold.
    GoalNotReached,
    /// A file could not be written or read.
    File,
    /// A file that it declares under `artifacts:` is not there.
    MissingArtifact,
    /// The agent's answer says that it failed.
    Agent,
    /// The command waited for input from a terminal.
    TtyInput,
    /// A crash or a stop caught it, and `on_resume: fail` says that is a failure.
    Interrupted,
    /// A step inside a loop or handler failed.
    Inner,
}

/// Why an attempt or a step failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of thing went wrong.
    pub kind: FailureKind,
    /// The class that `retry_on` and recovery look at.
    pub class: FailureClass,
    /// One line for people (`error.message`).
    pub message: Stored,
    /// What a person can do about it, where the message leaves that open. Nothing is decided by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// What came of one attempt, or of a step as a whole.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Report {
    /// Exit code; 128+N for a death by signal N; absent where no command ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// stdout, or the agent's final text, or the content written: complete, or cut and marked.
    #[serde(default, skip_serializing_if = "Output::is_empty")]
    pub stdout: Output,
    /// stderr: complete, or cut and marked.
    #[serde(default, skip_serializing_if = "Output::is_empty")]
    pub stderr: Output,
    /// Time it took, in milliseconds of active time.
    #[serde(default)]
    pub duration_ms: u64,
    /// Why it failed; absent on success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Facts of an agent call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Box<AgentReport>>,
}

impl Report {
    /// The report of something that failed before a command could run.
    #[must_use]
    pub fn failed(failure: Failure) -> Self {
        Self { failure: Some(failure), ..Self::default() }
    }
}

/// Output as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Output {
    /// The text as far as it is here.
    #[serde(default)]
    pub text: Stored,
    /// Bytes in all, also those that are only in the log.
    #[serde(default)]
    pub bytes: u64,
    /// True when `text` is only head and tail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

impl Output {
    /// True when nothing was printed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes == 0 && self.text.is_null()
    }
}

/// What an agent call cost and where its conversation is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AgentReport {
    /// The agent's own session id.
    pub session_id: String,
    /// Dollars, when the CLI said; unknown is not zero.
    pub cost_usd: Option<f64>,
    /// Input and output tokens together, cache included.
    pub tokens: Option<u64>,
    /// Turns of the conversation.
    pub turns: Option<u64>,
    /// How often a tool was refused.
    pub denials: u64,
}

/// The kinds of steps.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// `shell`.
    #[default]
    Shell,
    /// `claude`.
    Claude,
    /// `goal_seek`.
    GoalSeek,
    /// `foreach`.
    Foreach,
    /// `write_file`.
    WriteFile,
}

impl StepKind {
    /// The key in a workflow file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::Claude => "claude",
            Self::GoalSeek => "goal_seek",
            Self::Foreach => "foreach",
            Self::WriteFile => "write_file",
        }
    }
}

/// A name that a step gave to a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Captured {
    /// The name.
    pub name: String,
    /// The value; absent: the step's stdout as recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Stored>,
}

/// The result of a finished step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepResult {
    /// What kind of step it was.
    #[serde(default)]
    pub kind: StepKind,
    /// Its final standing.
    pub status: StepStatus,
    /// True when the failure (if any) was dealt with so that the workflow goes on.
    pub goes_on: bool,
    /// Attempts in all, over every resume.
    pub attempts: u32,
    /// What came of it.
    #[serde(default)]
    pub report: Report,
    /// Names it gave to values, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub captures: Vec<Captured>,
    /// Output of the handler that dealt with the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handler: Option<Stored>,
    /// HEAD after the step, in a git repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// The results of a loop's rounds (`ID.results`), or of a validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Stored>,
    /// The files that it declares under `artifacts:`, and those of the workflow that it changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<Artifact>,
}

/// A declared file or directory, as it was when its step finished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    /// Its path, relative to the working directory of the run unless it was declared absolute.
    pub path: Stored,
    /// The checksum of its content; of a directory: of all names and contents in it.
    pub digest: Digest,
    /// Its size; of a directory: of all files in it together.
    pub bytes: u64,
}

impl StepResult {
    /// A step that was passed over.
    #[must_use]
    pub fn skipped(kind: StepKind) -> Self {
        Self {
            kind,
            status: StepStatus::Skipped,
            goes_on: true,
            attempts: 0,
            report: Report::default(),
            captures: Vec::new(),
            handler: None,
            head: None,
            detail: None,
            artifacts: Vec::new(),
        }
    }
}
