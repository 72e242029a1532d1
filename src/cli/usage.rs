//! Help, version, and what is said about a command line that makes no sense.

use std::ffi::OsString;
use std::io::Write as _;

use clap::{CommandFactory as _, ValueEnum as _};

use crate::exit::ExitKind;

use super::args::{Arguments, Color};
use super::output::Output;

/// Shows what clap has to say: help and version on stdout, everything else on stderr.
pub(super) fn answer(error: &clap::Error, arguments: &[OsString]) -> ExitKind {
    let color = color_of(arguments);
    if !error.use_stderr() {
        let mut output = Output::stdout(color);
        show(&mut output, &error.render());
        return if output.failure().is_some() { ExitKind::Failed } else { ExitKind::Success };
    }
    let mut errors = Output::stderr(color);
    let shown = error.render();
    let text = if errors.colored() { shown.ansi().to_string() } else { shown.to_string() };
    match text.find("For more information, try") {
        Some(end) => {
            let text = text.get(..end).unwrap_or_default().trim_end();
            errors.line(format_args!("{text}\n\nhelp: {} --help", command_of(arguments)));
        }
        None => errors.text(text),
    }
    ExitKind::Usage
}

fn show(output: &mut Output, text: &clap::builder::StyledStr) {
    if output.colored() {
        output.text(text.ansi());
    } else {
        output.text(text);
    }
    let _ = output.flush();
}

/// The command that `arguments` got as far as: `prodigy checkpoints list`.
fn command_of(arguments: &[OsString]) -> String {
    let mut command = Arguments::command();
    let mut words = vec!["prodigy".to_owned()];
    for argument in arguments.iter().skip(1).filter_map(|argument| argument.to_str()) {
        let Some(found) = command.find_subcommand(argument).cloned() else { continue };
        words.push(found.get_name().to_owned());
        command = found;
    }
    words.join(" ")
}

/// `--color` of arguments that could not be parsed, or were not because of `--help`.
fn color_of(arguments: &[OsString]) -> Color {
    let mut words = arguments.iter().filter_map(|argument| argument.to_str());
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--color") {
            Some("") => words.next(),
            Some(value) => value.strip_prefix('='),
            None => None,
        };
        if let Some(color) = value.and_then(|value| Color::from_str(value, false).ok()) {
            return color;
        }
    }
    Color::Auto
}
