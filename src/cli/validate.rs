//! `prodigy validate FILE…`: all problems of workflow files at once (DECISIONS B43).

use std::io::ErrorKind;
use std::path::Path;

use crate::exit::{ExitKind, Failure};
use crate::playbook::model::Workflow;
use crate::playbook::{self, AGENT_INSTALL, AGENT_PROGRAM, LoadError, Problem};

use super::args::Validate;
use super::output::Console;

/// Checks every file; the worst finding decides the exit code.
pub(super) fn run(arguments: &Validate, console: &mut Console) -> Result<ExitKind, Failure> {
    let mut found = Vec::new();
    let mut worst = ExitKind::Success;
    for file in &arguments.files {
        let mut note = None;
        let (problems, text, kind) = match playbook::load(file) {
            Ok(loaded) => {
                note = missing(&loaded.workflow);
                (loaded.problems, loaded.text, ExitKind::Success)
            }
            Err(LoadError::Problems(problems, text)) => (problems, text, ExitKind::Usage),
            Err(LoadError::Read(path, source)) => {
                let failure = unreadable(&path, &source);
                worst = worse(worst, failure.kind);
                console.error(&failure);
                continue;
            }
        };
        worst = worse(worst, kind);
        if !arguments.json {
            show(file, &problems, &text, console);
            if kind == ExitKind::Success && !console.quiet {
                let (name, warnings) = (file.display(), warnings(&problems));
                let note = note.unwrap_or_default();
                console.output.line(format_args!("{name}: ok{warnings}{note}"));
            }
        }
        found.extend(problems);
    }
    if arguments.json {
        console.output.json(&playbook::to_json(&found));
    }
    Ok(worst)
}

/// Tells what is wrong with a workflow that was to be run.
pub(super) fn refuse(file: &Path, error: LoadError, console: &mut Console) -> Failure {
    match error {
        LoadError::Read(path, source) => unreadable(&path, &source),
        LoadError::Problems(problems, text) => {
            show(file, &problems, &text, console);
            Failure::new(ExitKind::Usage, format!("{} cannot run", file.display()))
                .with_help(format!("correct it, then: prodigy validate {}", file.display()))
        }
    }
}

/// Shows problems with the lines they are in.
pub(super) fn show(file: &Path, problems: &[Problem], text: &str, console: &mut Console) {
    if problems.is_empty() {
        return;
    }
    // Problems may lie in files that this one is composed of.
    let text_of = |path: &Path| match path == file {
        true => Some(text.to_owned()),
        false => std::fs::read_to_string(path).ok(),
    };
    let colored = console.errors.colored();
    console.errors.text(playbook::show(problems, &text_of, colored));
}

/// The programs that it needs and that are not there: no fault of the file.
fn missing(workflow: &Workflow) -> Option<String> {
    let agent = super::agents::missing_program(workflow).map(str::to_owned);
    let mut programs = super::requirements::missing_tools(workflow);
    if let Some(agent) = agent
        && !programs.iter().any(|tool| tool.split(' ').next() == Some(agent.as_str()))
    {
        programs.insert(0, agent);
    }
    let installs = programs.iter().any(|program| program == AGENT_PROGRAM);
    let help = match installs {
        true => format!("; install {AGENT_PROGRAM} with: {AGENT_INSTALL}"),
        false => String::new(),
    };
    match programs.as_slice() {
        [] => None,
        [one] => Some(format!(" (it needs {one}, which is not there{help})")),
        all => Some(format!(" (it needs {}, which are not there{help})", all.join(", "))),
    }
}

fn warnings(problems: &[Problem]) -> String {
    match problems.len() {
        0 => String::new(),
        1 => ", 1 warning".to_owned(),
        count => format!(", {count} warnings"),
    }
}

fn unreadable(path: &Path, source: &std::io::Error) -> Failure {
    let message = format!("cannot read {}", path.display());
    if source.kind() == ErrorKind::NotFound {
        return Failure::new(ExitKind::NotFound, message)
            .because(source.to_string())
            .with_help("name a workflow file, or write an example: prodigy init");
    }
    Failure::new(ExitKind::Usage, message).because(source.to_string())
}

/// Several files: the worst code; a file that is not there is worse than one that is wrong.
fn worse(one: ExitKind, other: ExitKind) -> ExitKind {
    if other.code() > one.code() { other } else { one }
}
