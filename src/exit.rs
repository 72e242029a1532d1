//! The one door for errors: what ended the program, in words and as an exit code (SPEC 2).

use std::fmt;
use std::process::ExitCode;

/// How the program ends; the numbers are its exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitKind {
    /// Everything went well, also *completed with failures*.
    Success = 0,
    /// The workflow failed, or the program could not do what was asked.
    Failed = 1,
    /// Wrong usage, or an invalid workflow.
    Usage = 2,
    /// A file, session or checkpoint is not there.
    NotFound = 3,
    /// Another process holds the session.
    Busy = 4,
    /// State that cannot be read, written or trusted.
    Damaged = 5,
    /// A person has to answer, and there is no terminal to ask at.
    NeedsPerson = 6,
    /// Parked until a provider's limit resets; `resume` continues.
    Parked = 7,
    /// Stopped by SIGHUP.
    Hangup = 129,
    /// Stopped by SIGINT.
    Interrupted = 130,
    /// Stopped by SIGTERM.
    Terminated = 143,
}

/// Every exit code with its meaning, as help texts and docs show them.
pub const EXIT_CODES: [(ExitKind, &str); 11] = [
    (ExitKind::Success, "success, also when a workflow completed with failures that it allows"),
    (ExitKind::Failed, "the workflow failed"),
    (ExitKind::Usage, "wrong usage, or an invalid workflow"),
    (ExitKind::NotFound, "a file, session or checkpoint was not found"),
    (ExitKind::Busy, "another process holds the session"),
    (ExitKind::Damaged, "the state is damaged, unreadable, or cannot be written"),
    (ExitKind::NeedsPerson, "a person has to answer or decide"),
    (ExitKind::Parked, "parked until a provider's limit resets; resume continues"),
    (ExitKind::Hangup, "stopped by SIGHUP"),
    (ExitKind::Interrupted, "stopped by SIGINT (Ctrl-C)"),
    (ExitKind::Terminated, "stopped by SIGTERM"),
];

/// Why the program could not do what was asked.
///
/// Shown as: what happened and where, why, and the exact next command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub kind: ExitKind,
    /// What happened and where; one line where that is possible.
    pub message: String,
    /// Why, the nearest cause first.
    pub causes: Vec<String>,
    /// The next command, or what else to do.
    pub help: Option<String>,
}

impl ExitKind {
    /// The exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<ExitKind> for ExitCode {
    fn from(kind: ExitKind) -> Self {
        Self::from(kind.code())
    }
}

impl Failure {
    /// A failure without causes and help.
    #[must_use]
    pub fn new(kind: ExitKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), help: None }
    }

    /// A failure that tells the whole chain of `error`.
    #[must_use]
    pub fn of(kind: ExitKind, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut failure = Self::new(kind, error.to_string());
        let mut cause = error.source();
        while let Some(error) = cause {
            failure.push_cause(error.to_string());
            cause = error.source();
        }
        failure
    }

    /// The same, with one more cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.push_cause(cause.into());
        self
    }

    /// The same, with the next command.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Many errors repeat their cause in their own message; nothing is said twice.
    fn push_cause(&mut self, cause: String) {
        let told = self.causes.last().unwrap_or(&self.message);
        if !cause.is_empty() && !told.contains(&cause) {
            self.causes.push(cause);
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        for cause in &self.causes {
            write!(formatter, "\n  because: {cause}")?;
        }
        if let Some(help) = &self.help {
            write!(formatter, "\nhelp: {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

impl From<anyhow::Error> for Failure {
    /// A [`Failure`] in the chain keeps its kind and help; everything else is a plain failure.
    fn from(error: anyhow::Error) -> Self {
        let error = match error.downcast::<Failure>() {
            Ok(failure) => return failure,
            Err(error) => error,
        };
        Self::of(ExitKind::Failed, error.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn a_failure_says_what_why_and_what_next() {
        let failure = Failure::new(ExitKind::NotFound, "no file a.yaml")
            .because("the directory is empty")
            .with_help("prodigy init");
        assert_eq!(
            failure.to_string(),
            "no file a.yaml\n  because: the directory is empty\nhelp: prodigy init"
        );
    }

    #[test]
    fn a_cause_that_was_told_is_not_told_again() {
        let error = std::io::Error::other("disk on fire");
        let chain = anyhow::Error::new(error).context("cannot read x: disk on fire");
        assert_eq!(Failure::from(chain).to_string(), "cannot read x: disk on fire");
        let chain = Err::<(), _>(std::io::Error::other("disk on fire")).context("cannot read x");
        assert_eq!(
            Failure::from(chain.unwrap_err()).causes,
            vec!["disk on fire".to_owned()],
            "the cause is new"
        );
    }

    #[test]
    fn a_failure_inside_a_chain_keeps_its_exit_code() {
        let failure = Failure::new(ExitKind::Busy, "held").with_help("wait");
        let chain = anyhow::Error::new(failure.clone()).context("while opening");
        assert_eq!(Failure::from(chain), failure);
    }
}
