//! Which class a failure belongs to: decided by exit code, signal and output (DECISIONS A58, A60). Pure.

use serde::{Deserialize, Serialize};

/// The classes that `retry_on` and recovery speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// Formatting or lint findings.
    Lint,
    /// Tests failed.
    Test,
    /// A build failed.
    Build,
    /// The network, as a tool saw it.
    Network,
    /// Our own time limit.
    Timeout,
    /// A provider refused because of too many requests, or an account limit.
    RateLimit,
    /// A server answered with an error (5xx, overloaded).
    ServerError,
    /// Missing or wrong credentials.
    Auth,
    /// File permissions.
    Permission,
    /// A program that is not there.
    MissingTool,
    /// Killed for memory, or an allocation failed.
    OutOfMemory,
    /// No space, or over quota.
    DiskFull,
    /// git could not merge.
    MergeConflict,
    /// State that cannot be trusted.
    CorruptState,
    /// Nothing more is known.
    #[default]
    Unknown,
}
