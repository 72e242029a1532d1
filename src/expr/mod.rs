//! Values, `${…}` templates, shell quoting and the one expression language (SPEC 4). Does no IO.

mod scope;
mod value;

pub use scope::{Lookup, Path, Scope, Segment};
pub use value::{Origin, Value};
