//! `goal_seek:` (SPEC 3.3).

use super::action::single_command;
use crate::playbook::model::{Action, GoalSeek, Step};
use crate::playbook::reading::{Field, Fields, Reader};
use crate::playbook::yaml::{Kind, Node};

/// Runs of the improver when the file does not say.
const DEFAULT_ATTEMPTS: u32 = 5;

/// A goal with the step that improves and the one that measures.
pub fn goal_seek(reader: &Reader, field: Field<'_>) -> Option<GoalSeek> {
    let mut fields = Fields::open(reader, field.value, "`goal_seek`")?;
    let goal = required(reader, &mut fields, field.key, "goal")
        .and_then(|field| reader.filled_template(field));
    let given = fields.has("claude") || fields.has("shell");
    let improve = single_command(reader, &mut fields, "goal_seek");
    if !given && !fields.probably_meant(&["claude", "shell"]) {
        reader.error(field.key, "`goal_seek` has no `claude` or `shell` that improves");
    }
    let measure = required(reader, &mut fields, field.key, "validate")
        .and_then(|field| measure(reader, field));
    let threshold = fields.take("threshold").and_then(|field| reader.number(field, 0.0, 100.0));
    let max_attempts = fields.take("max_attempts").and_then(|field| reader.small_count(field, 1));
    let timeout =
        fields.take_either("timeout_seconds", "timeout").and_then(|field| reader.limit(field));
    let fail_on_incomplete = reader.flag_or_false(fields.take("fail_on_incomplete"));
    fields.finish();
    Some(GoalSeek {
        goal: goal?,
        improve: improve?,
        measure: measure?,
        threshold: threshold.unwrap_or(100.0),
        max_attempts: max_attempts.unwrap_or(DEFAULT_ATTEMPTS),
        timeout,
        fail_on_incomplete,
    })
}

fn required<'n>(
    reader: &Reader,
    fields: &mut Fields<'n>,
    at: &Node,
    name: &'static str,
) -> Option<Field<'n>> {
    let given = fields.has(name);
    let field = fields.take(name);
    if !given && !fields.probably_meant(&[name]) {
        reader.error(at, format!("`goal_seek` has no `{name}`"));
    }
    field
}

/// A command, or `{shell}` or `{claude}` with its options.
fn measure(reader: &Reader, field: Field<'_>) -> Option<Step> {
    if Kind::of(field.value) != Kind::Map {
        let text = reader.shell_text(field)?;
        return Some(Step::plain(reader.position(field.value), Action::Shell(text)));
    }
    let mut fields = Fields::open(reader, field.value, "`validate`")?;
    let given = ["shell", "claude", "command"].iter().any(|name| fields.has(name));
    let step = single_command(reader, &mut fields, "validate");
    if !given {
        reader.error(field.key, "`validate` of `goal_seek` has no `shell` or `claude`");
    }
    fields.finish();
    step
}
