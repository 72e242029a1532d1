//! The command line: one file per subcommand that parses, calls and shows.

mod adopt;
pub mod args;
mod completions;
mod confirm;
mod cook;
mod docs;
mod failure;
mod glob;
mod init;
mod man;
mod output;
mod panic;
mod person;
mod plan;
mod rehearse;
mod resume;
mod running;
mod start;
mod trace;
mod usage;

pub use output::{Console, Output};
pub use start::run;
