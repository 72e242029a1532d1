//! What runs but is probably not meant: `$NAME` as a field, `finally` steps that take away
//! what a resume needs (DECISIONS A10, B17).

use std::sync::LazyLock;

use regex::Regex;

use crate::playbook::model::{Action, EnvEntry, EnvValue, Workflow};
use crate::playbook::{Position, Problem, inner_secrets};

use super::moment::{Moment, Part};
use super::text::Text;

/// All of them.
pub(super) fn hints(workflow: &Workflow, moments: &[Moment<'_>]) -> Vec<Problem> {
    let hints = moments.iter().filter_map(hint);
    hints.chain(tears_down(workflow, moments)).chain(late_secrets(workflow)).collect()
}

/// What a command prints while the run is under way may have been shown before it is secret.
fn late_secrets(workflow: &Workflow) -> impl Iterator<Item = Problem> {
    let late = |(entry, _): &(&EnvEntry, &Position)| matches!(entry.value, EnvValue::Command(_));
    inner_secrets(workflow).into_iter().filter(late).map(|(entry, at)| {
        let message = format!(
            "`{}` is secret, so its value must be known before the first step runs",
            entry.name
        );
        Problem::error(at.clone(), 1, message)
            .with_help("write it under `env` or `secrets` of the workflow")
    })
}

fn hint(moment: &Moment<'_>) -> Option<Problem> {
    let Moment::Text(text @ Text::Plain(template), _, standing) = moment else { return None };
    let name = template.source().strip_prefix('$')?;
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|each| each.is_ascii_alphanumeric() || each == '_');
    if !is_name || name == "ARG" {
        return None;
    }
    let span = 0..template.source().len();
    let at = text.locate(&span, standing.at);
    let message = format!("`${name}` is taken as it stands here");
    let problem = Problem::warning(at, text.length(&span), message);
    Some(problem.with_help(format!("write `${{{name}}}` for its value")))
}

/// One warning for a `finally` that removes things without asking how the run ended: it also
/// runs after an interrupt, and the resume then misses them.
fn tears_down(workflow: &Workflow, moments: &[Moment<'_>]) -> Option<Problem> {
    let asks = moments.iter().any(|moment| match moment {
        Moment::Text(text, _, standing) => {
            standing.part == Part::Finally
                && text.uses().iter().any(|used| used.path.root == "workflow")
        }
        _ => false,
    });
    let removes = |action: &Action| match action {
        Action::Shell(command) => REMOVES.is_match(command.source()),
        _ => false,
    };
    let step = workflow.finally.iter().find(|step| step.when.is_none() && removes(&step.action))?;
    (!asks).then(|| {
        let message = "this also runs when the run is interrupted, before it is resumed";
        Problem::warning(step.at.clone(), 1, message).with_help(
            "to keep what a resume needs, add `when: ${workflow.status} != 'interrupted'`",
        )
    })
}

#[expect(clippy::expect_used, reason = "a constant pattern, read in every test run")]
static REMOVES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\brm\s+-\w*[rR]|\bcompose\s+down\b|\bdropdb\b|\b(?:terraform|vagrant)\s+destroy\b|\bkubectl\s+delete\b|\bworktree\s+remove\b")
        .expect("a pattern that can be read")
});
