//! What a text or an expression can ask for: the values that a name stands for.

use std::fmt::{self, Write as _};

use super::{Origin, Value};

/// One part of a path: `.field`, `['key']` or `[0]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// `.name` or `['name']`.
    Field(String),
    /// `[n]`; negative counts from the end.
    Index(i64),
}

/// A path as written between `${` and `}`: `build.exit_code`, `item['file name'][0]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path {
    /// The first name.
    pub root: String,
    /// What follows it.
    pub rest: Vec<Segment>,
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.root)?;
        for segment in &self.rest {
            match segment {
                Segment::Index(index) => write!(formatter, "[{index}]")?,
                Segment::Field(name) if is_plain(name) => write!(formatter, ".{name}")?,
                Segment::Field(name) => {
                    formatter.write_str("['")?;
                    for character in name.chars() {
                        if matches!(character, '\'' | '\\') {
                            formatter.write_char('\\')?;
                        }
                        formatter.write_char(character)?;
                    }
                    formatter.write_str("']")?;
                }
            }
        }
        Ok(())
    }
}

/// Whether a field can stand after a dot.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// What a scope says of a path.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup {
    /// Nobody knows the first name.
    Unknown,
    /// The scope resolved the root and the first `used` segments of the rest; the caller
    /// walks on into `value` with what remains (a missing field below is null).
    Found {
        /// The value found.
        value: Value,
        /// Who wrote it.
        origin: Origin,
        /// How many segments of [`Path::rest`] the scope has already walked.
        used: usize,
    },
}

/// The names visible at one place of the workflow.
pub trait Scope {
    /// The value of `path`, as far as this scope knows it.
    fn lookup(&self, path: &Path) -> Lookup;

    /// All first names, for "did you mean".
    fn names(&self) -> Vec<String>;
}
