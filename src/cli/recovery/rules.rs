//! The rules that hold for a session: those of its workflow as it is now, and the user's own.

use std::path::Path;

use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};
use crate::playbook::model::Workflow;
use crate::playbook::recovery::{Recovery, RecoveryRule};
use crate::playbook::{LoadError, check_fix, parse, parse_recovery};
use crate::recovery::Rules;
use crate::store::{Card, Home, stored_workflow};

/// The rules for a session. A workflow file that cannot be read any more is told of; its copy
/// speaks for it.
pub(super) fn rules(home: &Home, card: &Card, console: &mut Console) -> Result<Rules, Failure> {
    let user = home.recovery_rules();
    let user = match std::fs::read_to_string(&user) {
        Ok(text) => {
            parse_recovery(&user, &text).map_err(|error| wrong_rules(&user, error, console))?
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Recovery::default(),
        Err(error) => {
            return Err(Failure::new(ExitKind::Usage, format!("cannot read {}", user.display()))
                .because(error.to_string())
                .with_help("make it a file that you can read, or remove it"));
        }
    };
    Ok(Rules { workflow: workflow(home, card, console)?.recovery, user })
}

fn workflow(home: &Home, card: &Card, console: &mut Console) -> Result<Workflow, Failure> {
    let path = &card.workflow_path;
    if let Ok(text) = std::fs::read_to_string(path) {
        match parse(path, &text) {
            Ok(loaded) => return Ok(loaded.workflow),
            Err(_) => console.remark(format_args!(
                "{} has errors: the rules of the stored copy hold",
                path.display()
            )),
        }
    }
    let stored = home.workflow(&card.session_id);
    let text = stored_workflow(home, &card.session_id)?;
    let loaded = parse(&stored, &text).map_err(|error| wrong(&stored, error, console))?;
    Ok(loaded.workflow)
}

fn wrong(path: &Path, error: LoadError, console: &mut Console) -> Failure {
    crate::cli::validate::refuse(path, error, console)
}

/// The user's own rules cannot be read: nothing is recovered by halves of them.
fn wrong_rules(path: &Path, error: LoadError, console: &mut Console) -> Failure {
    let failure =
        Failure::new(ExitKind::Usage, format!("the rules in {} cannot be read", path.display()));
    match error {
        LoadError::Read(_, source) => failure.because(source.to_string()),
        LoadError::Problems(problems, text) => {
            crate::cli::validate::show(path, &problems, &text, console);
            failure.with_help("correct them, or remove the file")
        }
    }
}

/// Looks at the names in the fix of a rule of the user's: it is for all workflows, so that only a
/// session can say which there are.
pub(super) fn check_names(
    home: &Home,
    card: &Card,
    rule: &RecoveryRule,
    console: &mut Console,
) -> Result<(), Failure> {
    let problems = check_fix(&workflow(home, card, console)?, rule);
    if problems.is_empty() {
        return Ok(());
    }
    let path = home.recovery_rules();
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    crate::cli::validate::show(&path, &problems, &text, console);
    let name = &card.name;
    Err(Failure::new(ExitKind::Usage, format!("the fix in {} does not fit {name}", path.display()))
        .because("it names what this workflow does not have; nothing was recovered")
        .with_help(format!(
            "correct it, or put a rule for this class into {}",
            card.workflow_path.display()
        )))
}

/// Reads a rule again that a recovery was begun with.
pub(super) fn read_again(written: &serde_json::Value) -> Result<RecoveryRule, Failure> {
    let text = serde_json::json!({ "rules": [written] }).to_string();
    let damaged = |why: String| {
        Failure::new(ExitKind::Damaged, "the rule of this recovery cannot be read again")
            .because(why)
            .with_help("prodigy recovery initiate ID --type retry   (begins a new one)")
    };
    match parse_recovery(Path::new("recovery"), &text) {
        Ok(recovery) => {
            let rule = recovery.rules.into_iter().next();
            rule.ok_or_else(|| damaged("it is empty".to_owned()))
        }
        Err(LoadError::Problems(problems, _)) => {
            let first = problems.into_iter().next();
            Err(damaged(first.map(|problem| problem.message).unwrap_or_default()))
        }
        Err(error) => Err(damaged(error.to_string())),
    }
}
