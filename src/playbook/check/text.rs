//! The three kinds of text that use names, seen as one.

use std::ops::Range;

use crate::expr::{Expression, Place, ShellText, Template, Use};
use crate::playbook::Position;

/// A text of the workflow.
#[derive(Debug, Clone, Copy)]
pub(super) enum Text<'a> {
    /// A prompt, path or other field.
    Plain(&'a Template),
    /// A condition.
    Condition(&'a Expression),
    /// A shell command.
    Command(&'a ShellText),
}

impl<'a> Text<'a> {
    pub(super) fn source(&self) -> &'a str {
        match self {
            Self::Plain(text) => text.source(),
            Self::Condition(text) => text.source(),
            Self::Command(text) => text.source(),
        }
    }

    pub(super) fn uses(&self) -> Vec<Use> {
        match self {
            Self::Plain(text) => text.uses(),
            Self::Condition(text) => text.uses(),
            Self::Command(text) => text.uses(),
        }
    }

    fn place(&self) -> Place {
        match self {
            Self::Plain(text) => text.place(),
            Self::Condition(text) => text.place(),
            Self::Command(text) => text.place(),
        }
    }

    /// Where `span` of this text stands in the file; `around` where the text has no place.
    pub(super) fn locate(&self, span: &Range<usize>, around: &Position) -> Position {
        let place = self.place();
        if place.line == 0 {
            return around.clone();
        }
        let (line, column) = place.locate(self.source(), span.start);
        Position { file: around.file.clone(), line, column }
    }

    /// How many characters of its first line `span` covers, at least 1.
    pub(super) fn length(&self, span: &Range<usize>) -> usize {
        let written = self.source().get(span.clone()).unwrap_or_default();
        written.lines().next().unwrap_or_default().chars().count().max(1)
    }
}
