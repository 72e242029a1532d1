//! How the executor asks a person; the command line answers.

/// A person's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Yes.
    Yes,
    /// No.
    No,
    /// There is nobody to ask.
    Nobody,
}

/// Asks a person.
pub trait Confirm: Sync {
    /// A yes-or-no question.
    fn ask(&self, question: &str) -> Answer;

    /// One of several words; `None` when there is nobody to ask.
    fn choose(&self, question: &str, choices: &[&str]) -> Option<usize>;
}
