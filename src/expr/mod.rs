//! Values, `${…}` templates, shell quoting and the one expression language (SPEC 4). Does no IO.

mod error;
mod expression;
mod place;
mod scope;
mod shell_text;
mod template;
mod uses;
mod value;

pub use error::{EvalError, SyntaxError};
pub use expression::Expression;
pub use place::Place;
pub use scope::{Lookup, Path, Scope, Segment};
pub use shell_text::{Dialect, ShellScript, ShellText};
pub use template::Template;
pub use uses::{Form, Quoting, Use};
pub use value::{Origin, Value};
