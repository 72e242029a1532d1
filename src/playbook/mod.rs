//! YAML → one strict `Workflow`, or all problems of the file at once (SPEC 3).

mod check;
pub mod failure;
pub mod model;
mod position;
mod problem;
mod schema;
mod show;

pub use check::check;
pub use position::Position;
pub use problem::{Problem, Severity};
pub use schema::schema;
pub use show::{show, to_json};
