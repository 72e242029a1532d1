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
    /// The source with a caret below the place, for people: `source\n   ^^^`. Of a source
    /// with several lines only the line of the place is shown.
    #[must_use]
    pub fn with_caret(&self, source: &str) -> String {
        let start = boundary(source, self.span.start);
        let end = boundary(source, self.span.end).max(start);
        let before = source.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = source.get(start..).unwrap_or_default();
        let line_end = rest.find('\n').map_or(source.len(), |newline| start + newline);
        let line = source.get(line_start..line_end).unwrap_or_default();
        let indent: String = before
            .get(line_start..)
            .unwrap_or_default()
            .chars()
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        let marked = source.get(start..end.min(line_end)).unwrap_or_default();
        let carets = "^".repeat(marked.chars().count().max(1));
        format!("{line}\n{indent}{carets}")
    }
}

/// The nearest character boundary at or before `offset`.
fn boundary(source: &str, offset: usize) -> usize {
    let mut offset = offset.min(source.len());
    while !source.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
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

impl EvalError {
    /// An error without advice.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// The same with advice.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(span: Range<usize>) -> SyntaxError {
        SyntaxError { message: "wrong".to_owned(), span, help: None }
    }

    #[test]
    fn the_caret_stands_below_the_place() {
        assert_eq!(error(2..4).with_caret("a ?? b"), "a ?? b\n  ^^");
        assert_eq!(error(6..6).with_caret("a ?? b"), "a ?? b\n      ^");
    }

    #[test]
    fn only_the_line_of_the_place_is_shown() {
        assert_eq!(error(4..20).with_caret("one\ntwo\nthree"), "two\n^^^");
    }

    #[test]
    fn tabs_and_wide_characters_keep_the_caret_in_its_column() {
        assert_eq!(error(3..4).with_caret("\tä?"), "\tä?\n\t ^");
    }

    #[test]
    fn a_place_outside_or_inside_a_character_is_no_panic() {
        assert_eq!(error(1..99).with_caret("ä"), "ä\n^");
        assert_eq!(error(7..9).with_caret(""), "\n^");
    }
}
