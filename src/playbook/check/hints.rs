//! What runs but is probably not meant: `$NAME` as a field, handler conditions that cannot be
//! read, `finally` steps that take away what a resume needs (DECISIONS A10, B17).

use std::sync::LazyLock;

use regex::Regex;

use crate::playbook::Problem;
use crate::playbook::model::{Action, Workflow};

use super::moment::{Moment, Part};
use super::text::Text;

/// All of them.
pub(super) fn hints(workflow: &Workflow, moments: &[Moment<'_>]) -> Vec<Problem> {
    moments.iter().filter_map(hint).chain(tears_down(workflow, moments)).collect()
}

fn hint(moment: &Moment<'_>) -> Option<Problem> {
    match moment {
        Moment::Text(text @ Text::Plain(template), _, standing) => {
            let name = template.source().strip_prefix('$')?;
            let is_name = name
                .starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && name.chars().all(|each| each.is_ascii_alphanumeric() || each == '_');
            let span = 0..template.source().len();
            (is_name && name != "ARG").then(|| {
                Problem::warning(
                    text.locate(&span, standing.at),
                    text.length(&span),
                    format!("`${name}` is taken as it stands here"),
                )
                .with_help(format!("write `${{{name}}}` for its value"))
            })
        }
        Moment::Unreadable { source, reason, at } => {
            let message = format!("the condition `{source}` cannot be read: {reason}");
            Some(
                Problem::warning((*at).clone(), 1, message)
                    .with_help("the handler counts as failed and the next one is tried"),
            )
        }
        _ => None,
    }
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
