//! Values, `${…}` templates, shell quoting and the one expression language (SPEC 4). Does no IO.

mod access;
mod comparison;
mod cursor;
mod error;
mod evaluation;
mod expression;
mod filter;
mod hole;
mod nearest;
mod parser;
mod pattern;
mod place;
#[cfg(test)]
mod sample;
mod scope;
mod shell;
mod shell_text;
mod sort_keys;
mod template;
mod tree;
mod uses;
mod value;
mod written;

pub use error::{EvalError, SyntaxError};
pub use expression::Expression;
pub use nearest::nearest;
pub use place::Place;
pub use scope::{Lookup, Path, Scope, Segment};
pub use shell_text::{Dialect, ShellScript, ShellText};
pub use sort_keys::SortKeys;
pub use template::Template;
pub use uses::{Form, Quoting, Use};
pub use value::{Origin, Value};
