//! `prodigy docs`: docs/cli.md, written from the same table as `--help`.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory as _};

use crate::exit::{EXIT_CODES, ExitKind, Failure};

use super::args::Arguments;
use super::output::Console;

/// Prints the reference of the command line as Markdown.
pub(super) fn run(console: &mut Console) -> Result<ExitKind, Failure> {
    console.output.text(reference());
    Ok(ExitKind::Success)
}

fn reference() -> String {
    let mut program = Arguments::command();
    program.build();
    let mut page = String::from(
        "# Command line\n\n\
         This page is printed by `prodigy docs` from the table that also makes `--help`,\n\
         `prodigy man` and `prodigy completions`. Change it in `src/cli/args`.\n\n\
         ## Exit codes\n\n| code | meaning |\n|---|---|\n",
    );
    for (kind, meaning) in EXIT_CODES {
        let _ = writeln!(page, "| {} | {meaning} |", kind.code());
    }
    page.push_str("\n## Options of every command\n\n");
    options(&mut page, program.get_arguments().filter(|argument| argument.is_global_set()));
    for command in program.get_subcommands().filter(|command| !command.is_hide_set()) {
        section(&mut page, "prodigy", command);
    }
    page
}

fn section(page: &mut String, parent: &str, command: &Command) {
    let name = format!("{parent} {}", command.get_name());
    let inner: Vec<&Command> =
        command.get_subcommands().filter(|inner| !inner.is_hide_set()).collect();
    if inner.is_empty() {
        let _ = writeln!(page, "\n## {name}\n");
        describe(page, &name, command);
    }
    for inner in inner {
        section(page, &name, inner);
    }
}

fn describe(page: &mut String, name: &str, command: &Command) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(page, "{about}.");
    let aliases: Vec<&str> = command.get_visible_aliases().collect();
    if !aliases.is_empty() {
        let _ = writeln!(page, "Also called `{}`.", aliases.join("`, `"));
    }
    let usage = command.clone().bin_name(name).render_usage().to_string();
    let _ = writeln!(page, "\n```\n{}\n```\n", usage.trim_start_matches("Usage: "));
    options(page, command.get_arguments().filter(|argument| !argument.is_global_set()));
    if let Some(after) = command.get_after_help() {
        let _ = writeln!(page, "\n```text\n{}\n```", after.to_string().trim_end());
    }
}

fn options<'a>(page: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    let mut rows = arguments
        .filter(|argument| !argument.is_hide_set() && argument.get_id() != "help")
        .peekable();
    if rows.peek().is_none() {
        return;
    }
    page.push_str("| | |\n|---|---|\n");
    for argument in rows {
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(
            page,
            "| `{}` | {} |",
            cell(&spelling(argument)),
            cell(&(help + &choices(argument)))
        );
    }
}

/// `-n`, `--max-iterations <N>`.
fn spelling(argument: &Arg) -> String {
    let mut names: Vec<String> = Vec::new();
    let shorts = argument.get_short().into_iter();
    let aliases = argument.get_visible_short_aliases().unwrap_or_default();
    names.extend(shorts.chain(aliases).map(|short| format!("-{short}")));
    let longs = argument.get_long().into_iter();
    let aliases = argument.get_visible_aliases().unwrap_or_default();
    names.extend(longs.chain(aliases).map(|long| format!("--{long}")));
    let mut text = names.join(", ");
    if argument.get_action().takes_values() {
        let values = argument.get_value_names().unwrap_or_default();
        let many = argument.get_num_args().is_some_and(|range| range.max_values() > 1);
        for value in values {
            let space = if text.is_empty() { "" } else { " " };
            let dots = if many { "…" } else { "" };
            let _ = write!(text, "{space}{value}{dots}");
        }
    }
    text
}

fn choices(argument: &Arg) -> String {
    if !argument.get_action().takes_values() {
        return String::new();
    }
    let mut text = String::new();
    let values = argument.get_possible_values();
    let names: Vec<&str> = values.iter().map(clap::builder::PossibleValue::get_name).collect();
    if !names.is_empty() && !argument.is_hide_possible_values_set() {
        let _ = write!(text, ": {}", names.join(", "));
    }
    let defaults: Vec<_> =
        argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if !defaults.is_empty() {
        let _ = write!(text, " (default {})", defaults.join(" "));
    }
    text
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
