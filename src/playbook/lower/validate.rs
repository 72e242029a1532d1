//! `validate:` of a step with its `on_incomplete:` (SPEC 3.3, DECISIONS B39).

use super::action::single_command;
use super::step::{bare_step, steps};
use crate::playbook::model::{OnIncomplete, Step, Validate};
use crate::playbook::reading::{Field, Fields, Reader};
use crate::playbook::yaml::Kind;

/// A validation loop.
pub fn validate(reader: &Reader, field: Field<'_>) -> Option<Validate> {
    if Kind::of(field.value) != Kind::Map {
        let steps = short_form(reader, field);
        return Some(Validate {
            steps,
            result_file: None,
            threshold: 100.0,
            timeout: None,
            on_incomplete: None,
        });
    }
    let mut fields = Fields::open(reader, field.value, "`validate`")?;
    let result_file = fields.take("result_file").and_then(|field| reader.filled_template(field));
    let threshold = fields.take("threshold").and_then(|field| reader.number(field, 0.0, 100.0));
    let timeout = fields.take("timeout").and_then(|field| reader.limit(field));
    let on_incomplete = fields.take("on_incomplete").and_then(|field| on_incomplete(reader, field));
    let steps = commands(reader, field, &mut fields);
    fields.finish();
    Some(Validate {
        steps,
        result_file,
        threshold: threshold.unwrap_or(100.0),
        timeout,
        on_incomplete,
    })
}

fn on_incomplete(reader: &Reader, field: Field<'_>) -> Option<OnIncomplete> {
    if Kind::of(field.value) != Kind::Map {
        let steps = short_form(reader, field);
        return Some(OnIncomplete {
            steps,
            max_attempts: 2,
            fail_workflow: true,
            commit_required: false,
        });
    }
    let mut fields = Fields::open(reader, field.value, "`on_incomplete`")?;
    let max_attempts = fields.take("max_attempts").and_then(|field| reader.small_count(field, 1));
    let fail_workflow = fields.take("fail_workflow").and_then(|field| reader.flag(field));
    let commit_required = reader.flag_or_false(fields.take("commit_required"));
    let steps = commands(reader, field, &mut fields);
    fields.finish();
    Some(OnIncomplete {
        steps,
        max_attempts: max_attempts.unwrap_or(2),
        fail_workflow: fail_workflow.unwrap_or(true),
        commit_required,
    })
}

/// A text or a list in place of the mapping.
fn short_form(reader: &Reader, field: Field<'_>) -> Vec<Step> {
    match field.value.items() {
        Some(_) => steps(reader, field),
        None => bare_step(reader, field.value).into_iter().collect(),
    }
}

/// `shell`, `claude`, the older `command`, or `commands`.
fn commands(reader: &Reader, field: Field<'_>, fields: &mut Fields<'_>) -> Vec<Step> {
    const NAMES: [&str; 5] = ["shell", "claude", "command", "commands", "steps"];
    let given = NAMES.iter().any(|name| fields.has(name));
    let list = fields.take_either("commands", "steps");
    let single = single_command(reader, fields, field.name);
    if let (Some(list), Some(_)) = (list, &single) {
        reader.error_with_help(
            list.key,
            format!("`{}` has a command beside `{}`", field.name, list.name),
            format!("write all of them under `{}:`", list.name),
        );
    }
    if !given && field.value.entry("result_file").is_none() && !fields.probably_meant(&NAMES) {
        reader.error_with_help(
            field.key,
            format!("`{}` has no command", field.name),
            "give it one of: shell, claude, commands",
        );
    }
    match list {
        Some(list) => steps(reader, list),
        None => single.into_iter().collect(),
    }
}
