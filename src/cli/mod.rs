//! The command line: one file per subcommand that parses, calls and shows.

pub mod args;
mod completions;
mod confirm;
mod cook;
mod docs;
mod failure;
mod init;
mod man;
mod output;
mod panic;
mod resume;
mod start;
mod trace;
mod usage;

pub use output::{Console, Output};
pub use start::run;
