//! Recoveries as the journal tells of them: the audit trail (DECISIONS A61).

use serde::{Deserialize, Serialize};

use super::address::Address;
use super::ids::RecoveryId;

/// The ways back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryType {
    /// Fix, wait, run the failed step again.
    Retry,
    /// Go on from the last checkpoint that is valid.
    Resume,
    /// Back to a known good checkpoint, files included.
    Rollback,
    /// None by itself: it waits for a person. Such a recovery is never begun, so that no journal
    /// tells of it.
    Person,
}

impl RecoveryType {
    /// All of them, as dashboards list them.
    pub const ALL: [Self; 4] = [Self::Retry, Self::Resume, Self::Rollback, Self::Person];

    /// The word as it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Resume => "resume",
            Self::Rollback => "rollback",
            Self::Person => "person",
        }
    }
}

/// A recovery, or a further attempt of it, begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecoveryStarted {
    /// The recovery.
    pub recovery: RecoveryId,
    /// The failure that it goes after.
    pub failure: String,
    /// The way.
    #[serde(rename = "type")]
    pub kind: RecoveryType,
    /// The step that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Address>,
    /// The attempt of the recovery, from 1.
    pub attempt: u32,
    /// Why this way, for people.
    #[serde(default)]
    pub reason: String,
}

/// A recovery is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecoveryFinished {
    /// The recovery.
    pub recovery: RecoveryId,
    /// Whether it did what it was for.
    pub success: bool,
    /// What came of it, for people.
    #[serde(default)]
    pub reason: String,
}
