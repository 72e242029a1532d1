//! YAML → one strict `Workflow`, or all problems of the file at once (SPEC 3).

mod check;
pub mod failure;
pub mod model;
mod position;
mod problem;

pub use check::check;
pub use position::Position;
pub use problem::{Problem, Severity};
