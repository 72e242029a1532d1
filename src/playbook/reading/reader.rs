//! One reading of a file: where things stand, and everything that is wrong with it.

use std::cell::{Cell, OnceCell, RefCell};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexSet;

use super::super::lower::RetryFields;
use super::super::yaml::{Content, Kind, Node, Style};
use super::super::{Position, Problem};
use crate::expr::{Place, SyntaxError};

/// Collects the problems of one file while its tree is read.
pub struct Reader {
    file: Arc<PathBuf>,
    problems: RefCell<IndexSet<Problem>>,
    names_lost: Cell<bool>,
    /// `retry_defaults:`, known before the first step is read.
    pub retry_defaults: OnceCell<RetryFields>,
    /// The names under `profiles:`, known before the first `env:` is read.
    pub profiles: OnceCell<Vec<String>>,
}

/// A value with the name the file knows it by, for messages.
#[derive(Debug, Clone, Copy)]
pub struct Field<'n> {
    /// The key, or that of the list it is a member of.
    pub name: &'n str,
    /// Where the key stands; the value itself for members of lists.
    pub key: &'n Node,
    /// The value.
    pub value: &'n Node,
}

/// The list of steps that a step stands in, as far as `from_step` needs to see it.
#[derive(Debug, Clone, Copy)]
pub struct Sequence<'n> {
    /// The `id` of each step.
    pub ids: &'n [Option<&'n str>],
    /// The index of the step that may fail, from 1; `None` when it can be any of them.
    pub at: Option<usize>,
}

impl<'n> Field<'n> {
    /// A member of the list that this is.
    #[must_use]
    pub fn member(self, value: &'n Node) -> Field<'n> {
        Field { name: self.name, key: value, value }
    }
}

impl Reader {
    /// A reading of `file`.
    #[must_use]
    pub fn new(file: &Path) -> Self {
        Self {
            file: Arc::new(file.to_path_buf()),
            problems: RefCell::default(),
            names_lost: Cell::new(false),
            retry_defaults: OnceCell::new(),
            profiles: OnceCell::new(),
        }
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> Arc<PathBuf> {
        Arc::clone(&self.file)
    }

    /// Where a node stands.
    #[must_use]
    pub fn position(&self, node: &Node) -> Position {
        self.position_at(node.line, node.column)
    }

    /// A position in this file.
    #[must_use]
    pub fn position_at(&self, line: usize, column: usize) -> Position {
        Position { file: Arc::clone(&self.file), line, column }
    }

    /// Where the text of a scalar begins.
    #[must_use]
    pub fn place(&self, node: &Node) -> Place {
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        let (quote, block_indent) = match node.content {
            Content::Scalar(_, Style::Block(indent)) => (0, Some(indent)),
            Content::Scalar(_, Style::Quoted) => (1, None),
            _ => (0, None),
        };
        Place { line: number(node.line), column: number(node.column + quote), block_indent }
    }

    /// An error at a node, not noted yet.
    #[must_use]
    pub fn problem(&self, at: &Node, message: impl Into<String>) -> Problem {
        Problem::error(self.position(at), at.length, message)
    }

    /// Notes an error at a node.
    pub fn error(&self, at: &Node, message: impl Into<String>) {
        self.note(self.problem(at, message));
    }

    /// Notes an error with the way out.
    pub fn error_with_help(&self, at: &Node, message: impl Into<String>, help: impl Into<String>) {
        self.note(self.problem(at, message).with_help(help));
    }

    /// Notes that a field has a value of the wrong kind.
    pub fn wrong_kind(&self, field: Field<'_>, wanted: &str) {
        let found = Kind::of(field.value).with_article();
        self.error(field.value, format!("`{}` must be {wanted}, not {found}", field.name));
    }

    /// Notes an error inside a text.
    pub fn syntax_error(&self, node: &Node, source: &str, error: &SyntaxError) {
        let (line, column) = self.place(node).locate(source, error.span.start);
        let length = source
            .get(error.span.clone())
            .map_or(1, |text| text.lines().next().unwrap_or_default().chars().count().max(1));
        let problem = Problem::error(self.position_at(line, column), length, &error.message);
        self.note(match &error.help {
            Some(help) => problem.with_help(help),
            None => problem,
        });
    }

    /// Notes any problem. The same thing (an alias is read twice) is noted once.
    pub fn note(&self, problem: Problem) {
        self.problems.borrow_mut().insert(problem);
    }

    /// Remembers that a part which may define names could not be read: names that nobody
    /// knows are then no problem of their own.
    pub fn lose_names(&self) {
        self.names_lost.set(true);
    }

    /// Whether all names that the file defines could be read.
    #[must_use]
    pub fn has_all_names(&self) -> bool {
        !self.names_lost.get()
    }

    /// Whether there are so many problems that nobody reads what was meant by each.
    #[must_use]
    pub fn has_enough(&self) -> bool {
        self.problems.borrow().len() > 200
    }

    /// All problems in file order.
    #[must_use]
    pub fn into_problems(self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = self.problems.into_inner().into_iter().collect();
        problems.sort_by_key(|problem| (problem.at.line, problem.at.column));
        problems
    }
}
