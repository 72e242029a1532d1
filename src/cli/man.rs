//! `prodigy man [COMMAND…]`.

use clap::CommandFactory as _;

use crate::exit::{ExitKind, Failure};

use super::args::{Arguments, Man};
use super::output::Console;

/// Prints the manual page of the program, or of one command.
pub(super) fn run(arguments: &Man, console: &mut Console) -> Result<ExitKind, Failure> {
    let mut program = Arguments::command();
    program.build();
    let mut command = &program;
    for word in &arguments.command {
        command = command.find_subcommand(word).ok_or_else(|| {
            Failure::new(
                ExitKind::Usage,
                format!("there is no command {}", arguments.command.join(" ")),
            )
            .with_help("prodigy --help")
        })?;
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .render(&mut page)
        .map_err(|error| Failure::of(ExitKind::Failed, &error))?;
    console.output.text(String::from_utf8_lossy(&page));
    Ok(ExitKind::Success)
}
