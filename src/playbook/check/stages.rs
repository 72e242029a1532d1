//! Names of stages and checkpoints: both are what `--from-checkpoint` takes (DECISIONS A6, A23, B28).

use std::collections::HashMap;

use crate::playbook::model::{Body, Workflow};
use crate::playbook::{Position, Problem};

use super::moment::Moment;

/// Names that addresses and phases use themselves.
const RESERVED: &[&str] = &["map", "setup", "reduce", "merge", "finally"];

/// All problems with names of stages and checkpoints.
pub(super) fn stages(workflow: &Workflow, moments: &[Moment<'_>]) -> Vec<Problem> {
    let stages = match &workflow.body {
        Body::Steps(_) => &[][..],
        Body::Stages(stages) => stages,
    };
    let stages = stages.iter().map(|stage| ("stage", stage.name.as_str(), &stage.at));
    let checkpoints = moments.iter().filter_map(|moment| match moment {
        Moment::Checkpoint(name, at) => Some(("checkpoint", *name, *at)),
        _ => None,
    });
    let mut first: HashMap<&str, (&str, &Position)> = HashMap::new();
    let mut problems = Vec::new();
    for (what, name, at) in stages.chain(checkpoints) {
        if let Some((why, help)) = unfit(name) {
            let message = format!("{name:?} cannot be the name of a {what}: {why}");
            problems.push(Problem::error(at.clone(), 1, message).with_help(help));
        } else if let Some((other, place)) = first.get(name) {
            let message =
                format!("the {what} `{name}` has the name of the {other} at line {}", place.line);
            let help = "`resume --from-checkpoint` takes both, so the names must differ";
            problems.push(Problem::error(at.clone(), 1, message).with_help(help));
        } else {
            first.insert(name, (what, at));
        }
    }
    problems
}

/// Why a name cannot be told from something else, and what to do.
fn unfit(name: &str) -> Option<(&'static str, &'static str)> {
    const LETTERS: &str = "use letters, digits, spaces, `.`, `_` and `-`";
    const OTHER: &str = "choose another name";
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|each| each.is_ascii_digit());
    let allowed =
        |each: char| each.is_ascii_alphanumeric() || matches!(each, ' ' | '.' | '_' | '-');
    if name.trim().is_empty() {
        Some(("it is empty", LETTERS))
    } else if name.trim() != name {
        Some(("it begins or ends with a space", LETTERS))
    } else if !name.chars().all(allowed) {
        Some(("it holds other characters than letters, digits, spaces, `.`, `_` and `-`", LETTERS))
    } else if name.starts_with('.') {
        Some(("it begins with a dot", OTHER))
    } else if digits(name) {
        Some(("a number is the address of a step", OTHER))
    } else if name.strip_prefix('v').is_some_and(digits) {
        Some(("it looks like a version of a checkpoint", OTHER))
    } else if RESERVED.contains(&name) {
        Some(("it is the name of a phase", OTHER))
    } else {
        None
    }
}
