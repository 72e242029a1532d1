//! What a workflow, or the user's own file, says about recoveries (DECISIONS A56).

use std::time::Duration;

use serde::Serialize;

use super::model::Step;
use super::position::Position;
use crate::expr::{Expression, Value};
use crate::session::FailureClass;

/// `recovery:` of a workflow, or a whole `recovery.yaml`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Recovery {
    /// `auto:`: recover unattended after a failure.
    pub auto: Option<bool>,
    /// `max_recoveries:` of one step, over all its failures.
    pub max_recoveries: Option<u32>,
    /// `allow_rollback:`: a rule may roll back without a person's yes.
    pub allow_rollback: Option<bool>,
    /// `rules:`; the first that matches decides.
    pub rules: Vec<RecoveryRule>,
}

/// One rule.
#[derive(Debug, Clone, Serialize)]
pub struct RecoveryRule {
    /// Where it stands.
    #[serde(skip)]
    pub at: Position,
    /// `class:`; empty for any.
    pub classes: Vec<FailureClass>,
    /// `when:` over `error.*`.
    pub when: Option<Expression>,
    /// `strategy:`.
    pub strategy: RecoveryStrategy,
    /// `fix:`: steps before the failed step runs again.
    pub fix: Vec<Step>,
    /// `delay:` before the first attempt; it doubles from attempt to attempt.
    pub delay: Option<Duration>,
    /// `attempts:` of the recovery, at least 1.
    pub attempts: Option<u32>,
    /// The rule as it is written, to be read again after a crash.
    #[serde(skip)]
    pub written: Value,
}

/// What a rule leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryStrategy {
    /// Fix, wait, run the failed step again.
    Retry,
    /// Go on from the last checkpoint that is valid.
    Resume,
    /// Back to a known good checkpoint.
    Rollback,
    /// Nothing by itself: a person has to look.
    Person,
}

impl RecoveryStrategy {
    /// The word in a file.
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
