//! YAML → one strict `Workflow`, or all problems of the file at once (SPEC 3).

mod agents;
pub mod builtins;
mod check;
mod describe;
mod digest;
pub mod failure;
mod inputs;
mod load;
mod lower;
pub mod mapreduce;
pub mod model;
mod position;
mod problem;
mod reading;
mod schema;
mod show;
mod values;
pub mod walk;
mod yaml;

pub use agents::{AGENT_PROGRAM, PERMISSION_MODES};
pub use check::{check, step_names};
pub use digest::digest;
pub use load::{LoadError, Loaded, load, parse};
pub use position::Position;
pub use problem::{Problem, Severity};
pub use reading::{parse_duration, spell_duration};
pub use schema::schema;
pub use show::{show, to_json};
pub use values::{read_values, yaml_block};
pub use walk::{count_steps, inner_secrets};
