//! How a session stands, what it waits for, and what a person said.

use serde::{Deserialize, Serialize};

/// Why a session waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitReason {
    /// A stage or step asks for a yes.
    Confirmation,
    /// `strategy: intervene`.
    Intervention,
    /// A marked step's standing is only known to a person.
    OnResume,
    /// A provider's limit.
    Limit,
    /// The session's budget.
    Budget,
}

/// What a person said of a marked step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonsAnswer {
    /// It was done: go past it.
    Done,
    /// Run it again.
    Rerun,
}

/// How a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    /// A process runs it (or died without a word: the lock tells).
    Running,
    /// Stopped by a signal, or killed.
    Interrupted,
    /// Ended well.
    Completed,
    /// Ended, with failures that the workflow lets pass.
    CompletedWithFailures,
    /// Ended by a failure that nothing handled.
    Failed,
    /// Waits for a person.
    Waiting,
    /// Waits for a provider's limit or a larger budget.
    Parked,
}

impl SessionStatus {
    /// The word as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Completed => "completed",
            Self::CompletedWithFailures => "completed_with_failures",
            Self::Failed => "failed",
            Self::Waiting => "waiting",
            Self::Parked => "parked",
        }
    }

    /// True when there is nothing left to resume.
    #[must_use]
    pub fn is_completed(self) -> bool {
        matches!(self, Self::Completed | Self::CompletedWithFailures)
    }
}
