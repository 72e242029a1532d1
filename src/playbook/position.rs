//! Where something stands in a workflow file.

use std::path::PathBuf;
use std::sync::Arc;

/// A place in a file; line and column count from 1, as editors do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Position {
    /// The file.
    pub file: Arc<PathBuf>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl std::fmt::Display for Position {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}
