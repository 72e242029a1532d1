//! YAML → one strict `Workflow`, or all problems of the file at once (SPEC 3).

mod agents;
mod check;
mod checkpoint_name;
mod describe;
mod digest;
pub mod failure;
mod find;
mod inputs;
mod load;
mod lower;
pub mod mapreduce;
pub mod model;
mod position;
mod problem;
mod reading;
pub mod recovery;
mod schema;
mod show;
mod values;
pub mod walk;
mod yaml;

pub use agents::{AGENT_PROGRAM, PERMISSION_MODES};
pub use check::{check, step_names};
pub use checkpoint_name::check_checkpoint_name;
pub use digest::digest;
pub use find::find_step;
pub use load::{LoadError, Loaded, load, parse, parse_recovery};
pub use position::Position;
pub use problem::{Problem, Severity};
pub use reading::{parse_duration, spell_duration};
pub use schema::schema;
pub use show::{show, to_json};
pub use values::{read_values, yaml_block};
pub use walk::count_steps;
