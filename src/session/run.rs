//! What a session is, and the processes that run it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::address::Address;
use super::digest::Digest;
use super::ids::{SessionId, WorkflowId};
use super::outcome::Failure;
use super::stored::Stored;

/// What kind of workflow a session runs; decides how an id that names it is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// Steps or stages.
    #[default]
    Standard,
    /// Setup, map and reduce.
    Mapreduce,
}

impl SessionKind {
    /// The word as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Mapreduce => "mapreduce",
        }
    }

    fn is_standard(&self) -> bool {
        *self == Self::Standard
    }
}

/// What a session is: fixed at its start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionStarted {
    /// Version of the journal's format.
    pub format: u32,
    /// Version of the program.
    pub prodigy: String,
    /// The session.
    pub session_id: SessionId,
    /// Its short id.
    pub workflow_id: WorkflowId,
    /// What kind of workflow it runs.
    #[serde(rename = "type", default, skip_serializing_if = "SessionKind::is_standard")]
    pub kind: SessionKind,
    /// The workflow's name.
    pub name: String,
    /// The workflow file, absolute.
    pub workflow_path: PathBuf,
    /// Hash of its text.
    pub workflow_hash: Digest,
    /// Working directory of the run, absolute.
    pub directory: PathBuf,
    /// Name under `state/` of the repository or directory.
    pub repository: String,
    /// Given with `--param` and `--param-file`, converted, in the order of the file.
    #[serde(default)]
    pub parameters: Vec<(String, Stored)>,
    /// Passes: one value of `ARG` each (`--arg`, `--map`); empty without passes.
    #[serde(default)]
    pub passes: Vec<Stored>,
    /// `-n`: repeat until a pass changes nothing, at most this often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_iterations: Option<u64>,
    /// `--profile`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Steps of all passes.
    pub total_steps: usize,
    /// The session this one replaces (`resume --force`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<SessionId>,
    /// Steps and values of an imported or hand-written checkpoint that this session starts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted_from: Option<String>,
    /// Stages in order (empty without stages).
    #[serde(default)]
    pub stages: Vec<String>,
}

/// One process that runs the session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// Counted from 1.
    pub run: u32,
    /// Its process.
    pub pid: i32,
    /// Host, boot and pid namespace: process groups are only ended where all match.
    pub host: String,
    /// The kernel's boot id.
    pub boot_id: String,
    /// The pid namespace.
    pub pid_namespace: String,
    /// `cook` or `resume`, as typed.
    pub command: String,
    /// Ties the log lines and events of this run together.
    pub correlation_id: String,
    /// Digests of the environment values that the workflow names.
    #[serde(default)]
    pub environment: Vec<(String, Digest)>,
    /// HEAD, in a git repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// `--durability relaxed`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub relaxed: bool,
    /// `resume --max-retries N` for the steps that this run starts at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u32>,
}

/// The failure that ended a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFailure {
    /// Its id for `recovery`.
    pub id: String,
    /// The first unhandled failure's step.
    pub step: Address,
    /// Why.
    pub failure: Failure,
}
