//! From the arguments to the exit code: parses, calls one command, shows what went wrong once.

use std::ffi::OsString;
use std::io::Write as _;

use clap::Parser as _;

use crate::exit::{ExitKind, Failure};

use super::args::{Arguments, Command};
use super::output::Console;
use super::{
    checkpoints, completions, cook, dlq, docs, events, init, logs, man, panic, recovery, resume,
    resume_job, schema, sessions, trace, usage, validate,
};

/// Runs the program with `arguments`, of which the first is its own name.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitKind {
    panic::install();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let parsed = match Arguments::try_parse_from(&arguments) {
        Ok(parsed) => parsed,
        Err(error) => return usage::answer(&error, &arguments),
    };
    let mut console = Console::new(&parsed.global);
    trace::install(parsed.global.verbose, console.errors.colored());
    let result = enter(&parsed)
        .and_then(|()| dispatch(&parsed.command, &mut console))
        .and_then(|kind| written(&mut console).map(|()| kind));
    let kind = match result {
        Ok(kind) => kind,
        Err(failure) => {
            console.error(&failure);
            failure.kind
        }
    };
    let _ = console.errors.flush();
    kind
}

fn dispatch(command: &Command, console: &mut Console) -> Result<ExitKind, Failure> {
    match command {
        Command::Cook(arguments) => cook::run(arguments, console),
        Command::Resume(arguments) => resume::run(arguments, console),
        Command::ResumeJob(arguments) => resume_job::run(arguments, console),
        Command::Checkpoints(command) => checkpoints::run(command, console),
        Command::Sessions(command) => sessions::run(command, console),
        Command::Dlq(command) => dlq::run(command, console),
        Command::Recovery(command) => recovery::run(command, console),
        Command::Events(command) => events::run(command, console),
        Command::Logs(arguments) => logs::run(arguments, console),
        Command::Validate(arguments) => validate::run(arguments, console),
        Command::Schema(arguments) => schema::run(arguments, console),
        Command::Init(arguments) => init::run(arguments, console),
        Command::Completions(arguments) => completions::run(arguments, console),
        Command::Man(arguments) => man::run(arguments, console),
        Command::Docs => docs::run(console),
    }
}

/// `-C DIR`.
fn enter(arguments: &Arguments) -> Result<(), Failure> {
    let Some(directory) = &arguments.global.directory else { return Ok(()) };
    std::env::set_current_dir(directory).map_err(|error| {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => ExitKind::NotFound,
            _ => ExitKind::Failed,
        };
        Failure::new(kind, format!("cannot work in {}", directory.display()))
            .because(error.to_string())
            .with_help("give -C a directory that exists")
    })
}

/// The output counts as shown only when it was written.
fn written(console: &mut Console) -> Result<(), Failure> {
    let _ = console.output.flush();
    match console.output.failure() {
        None => Ok(()),
        Some(error) => Err(Failure::new(ExitKind::Failed, "cannot write to standard output")
            .because(error.to_string())),
    }
}
