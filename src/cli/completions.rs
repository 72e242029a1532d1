//! `prodigy completions SHELL`.

use clap::CommandFactory as _;

use crate::exit::{ExitKind, Failure};

use super::args::{Arguments, Completions};
use super::output::Console;

/// Prints the completion script of a shell.
pub(super) fn run(arguments: &Completions, console: &mut Console) -> Result<ExitKind, Failure> {
    let mut command = Arguments::command();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "prodigy", &mut script);
    console.output.text(String::from_utf8_lossy(&script));
    Ok(ExitKind::Success)
}
