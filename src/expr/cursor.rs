//! Reads a source text from left to right: characters, words and paths.

use std::ops::Range;

use super::{Path, Segment, SyntaxError, tree::Name};

/// How deep parentheses, holes and defaults may be nested.
const DEPTH_LIMIT: usize = 64;

/// A place in a source text that moves forward.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    source: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(source: &'a str, at: usize) -> Self {
        Self { source, at, depth: 0 }
    }

    /// The byte offset of the next character.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Goes (back) to a byte offset that [`Self::at`] gave.
    pub(super) fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    pub(super) fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    pub(super) fn text(&self, span: Range<usize>) -> &'a str {
        self.source.get(span).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    pub(super) fn starts_with(&self, text: &str) -> bool {
        self.rest().starts_with(text)
    }

    /// Steps over `text` when it comes next.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let found = self.starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    pub(super) fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    /// One level deeper; every call is paired with [`Self::leave`].
    pub(super) fn enter(&mut self) -> Result<(), SyntaxError> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(self.error(format!("nested deeper than {DEPTH_LIMIT} levels")));
        }
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// A name: letters, digits, `_` and `-`, not beginning with a digit or `-`.
    pub(super) fn word(&mut self) -> Option<&'a str> {
        if !self.peek().is_some_and(|c| c.is_alphabetic() || c == '_') {
            return None;
        }
        let start = self.at;
        while self.peek().is_some_and(is_word) {
            self.next();
        }
        Some(self.text(start..self.at))
    }

    /// A keyword, in lower or upper case, as a whole word.
    pub(super) fn keyword(&mut self, keyword: &str) -> bool {
        let start = self.at;
        let found =
            self.word().is_some_and(|word| word == keyword || word == keyword.to_ascii_uppercase());
        if !found {
            self.at = start;
        }
        found
    }

    /// `root.field[0]['key']`, without spaces.
    pub(super) fn path(&mut self) -> Result<Option<Name>, SyntaxError> {
        let start = self.at;
        let Some(root) = self.word() else {
            return Ok(None);
        };
        let mut rest = Vec::new();
        loop {
            let before = self.at;
            if self.take(".") {
                let from = self.at;
                while self.peek().is_some_and(is_word) {
                    self.next();
                }
                if from == self.at {
                    return Err(self.error("a field name is missing after `.`"));
                }
                rest.push(Segment::Field(self.text(from..self.at).to_owned()));
            } else if self.take("[") {
                rest.push(self.subscript(before)?);
            } else {
                let path = Path { root: root.to_owned(), rest };
                return Ok(Some(Name { path, span: start..self.at }));
            }
        }
    }

    /// What stands between `[` (already read, at `open`) and `]`.
    fn subscript(&mut self, open: usize) -> Result<Segment, SyntaxError> {
        let segment = match self.peek() {
            Some(quote @ ('\'' | '"')) => {
                self.next();
                let mut key = String::new();
                loop {
                    match self.next() {
                        None => {
                            return Err(self.error_at(open..self.at, "this quote is not closed"));
                        }
                        Some(c) if c == quote => break,
                        Some('\\') if matches!(self.peek(), Some(c) if c == quote || c == '\\') => {
                            key.extend(self.next());
                        }
                        Some(c) => key.push(c),
                    }
                }
                Segment::Field(key)
            }
            _ => {
                let from = self.at;
                self.take("-");
                while self.peek().is_some_and(|c| c.is_ascii_digit()) {
                    self.next();
                }
                match self.text(from..self.at).parse() {
                    Ok(index) => Segment::Index(index),
                    Err(_) => {
                        return Err(self
                            .error("a number or a quoted key belongs between `[` and `]`")
                            .with_help("write `[0]`, `[-1]` or `['key']`"));
                    }
                }
            }
        };
        if self.take("]") {
            Ok(segment)
        } else {
            Err(self.error_at(open..self.at, "this `[` is not closed"))
        }
    }

    /// An error at the next character.
    pub(super) fn error(&self, message: impl Into<String>) -> SyntaxError {
        let length = self.peek().map_or(0, char::len_utf8);
        self.error_at(self.at..self.at + length, message)
    }

    pub(super) fn error_at(&self, span: Range<usize>, message: impl Into<String>) -> SyntaxError {
        SyntaxError { message: message.into(), span, help: None }
    }
}

impl SyntaxError {
    /// The same with advice.
    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Whether a character can stand inside a name.
pub(super) fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '-'
}
