//! What can be known to be wrong with a workflow before anything runs: names, order, stages
//! (DECISIONS B1–B17, B28, B35, B46). Problems of single values are found by the lowering.

mod again;
mod checkpoints;
mod command_words;
mod declared;
mod fields;
mod forms;
mod hints;
mod look;
mod moment;
mod names;
mod never;
mod refused;
mod seen;
mod text;
mod variables;
mod walk;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::model::Workflow;
use super::recovery::RecoveryRule;
use super::{Position, Problem, Severity};
use crate::expr::Dialect;

/// All problems of the names in `workflow`, one for each cause, in the order they are met;
/// `file` is where they are said to be when nothing closer is known.
#[must_use]
pub fn check(workflow: &Workflow, file: &Arc<PathBuf>) -> Vec<Problem> {
    let start = Position { file: Arc::clone(file), line: 1, column: 1 };
    let moments = walk::walk(workflow, &start);
    let declared = declared::Declared::of(workflow, &moments);
    let dialect = workflow.shell.words.first().map_or(Dialect::Posix, |shell| Dialect::of(shell));
    [
        names::names(workflow, &moments, &start),
        variables::variables(&workflow.variables, &start),
        checkpoints::checkpoints(workflow, &moments),
        look::look(&moments, &declared, dialect),
        never::never(&moments),
        hints::hints(workflow, &moments),
    ]
    .concat()
}

/// What is wrong with the names in the fix of a rule that stands in another file, for a session
/// of `workflow`.
#[must_use]
pub fn check_fix(workflow: &Workflow, rule: &RecoveryRule) -> Vec<Problem> {
    let mut with_rule = workflow.clone();
    with_rule.recovery.rules = vec![rule.clone()];
    let mut problems = check(&with_rule, &Arc::default());
    problems.retain(|it| it.at.file == rule.at.file && it.severity == Severity::Error);
    problems
}

/// The names that steps and handlers of `workflow` give to what they bring about: ids and
/// captures, whether they will run or not.
#[must_use]
pub fn step_names(workflow: &Workflow) -> HashSet<String> {
    let start = Position { file: Arc::default(), line: 1, column: 1 };
    let named = walk::walk(workflow, &start).into_iter().filter_map(|moment| match moment {
        moment::Moment::Named(definition) if definition.meaning != moment::Meaning::Aggregate => {
            Some(definition.name.to_owned())
        }
        _ => None,
    });
    named.collect()
}

#[cfg(test)]
mod tests;
