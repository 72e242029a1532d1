//! The command line: one file per subcommand that parses, calls and shows.

mod adopt;
mod adoptable;
pub mod args;
mod checkpoints;
mod clean;
mod completions;
pub mod confirm;
mod cook;
mod dlq;
mod docs;
mod events;
mod failure;
mod glob;
mod init;
mod logs;
mod lookup;
mod man;
mod output;
mod panic;
mod person;
mod plan;
mod refusal;
mod rehearse;
mod resume;
mod resume_job;
mod rows;
mod running;
mod schema;
mod sessions;
mod start;
mod trace;
mod usage;
mod validate;
mod watch;

pub use output::{Console, Output};
pub use start::run;
