//! What is wrong with a workflow file, with the place and the way out.

use super::Position;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The file cannot run.
    Error,
    /// It runs, but probably not as meant.
    Warning,
}

/// One problem of a workflow file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Where.
    pub at: Position,
    /// How many characters of the line are meant, at least 1.
    pub length: usize,
    /// What is wrong, one line.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Problem {
    /// An error at `at`.
    #[must_use]
    pub fn error(at: Position, length: usize, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, at, length, message: message.into(), help: None }
    }

    /// A warning at `at`.
    #[must_use]
    pub fn warning(at: Position, length: usize, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, at, length, message: message.into(), help: None }
    }

    /// The same, with what to write instead.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
