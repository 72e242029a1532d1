//! `stages:` (SPEC 3.2, DECISIONS B26, B28).

use super::on_failure::on_failure;
use super::step::{checkpoint_name, steps};
use super::{env, retry};
use crate::playbook::Position;
use crate::playbook::model::{Stage, Step};
use crate::playbook::reading::{Field, Fields, Reader, Sequence};
use crate::playbook::yaml::Node;

/// Names that addresses of other things begin with.
const RESERVED: [&str; 5] = ["map", "setup", "reduce", "merge", "finally"];

/// A list of at least one stage with unique names.
pub fn stages(reader: &Reader, field: Field<'_>) -> Vec<Stage> {
    let Some(items) = field.value.items() else {
        reader.wrong_kind(field, "a list of stages");
        return Vec::new();
    };
    if items.is_empty() {
        reader.error(field.value, "`stages` is empty");
    }
    let mut stages: Vec<Stage> = Vec::new();
    for item in items {
        let Some(stage) = stage(reader, item) else { continue };
        if let Some(first) = stages.iter().find(|known| known.name == stage.name)
            && !stage.name.is_empty()
        {
            let node = item.entry("name").map_or(item, |entry| &entry.value);
            let message = format!("stage `{}` is already on line {}", stage.name, first.at.line);
            reader.error_with_help(node, message, "give each stage its own name");
        }
        stages.push(stage);
    }
    stages
}

fn stage(reader: &Reader, node: &Node) -> Option<Stage> {
    let mut fields = Fields::open(reader, node, "a stage")?;
    let given = fields.has("name");
    let name = fields.take("name").and_then(|field| stage_name(reader, field));
    let stage = content(reader, &mut fields, "this stage");
    if !given && !fields.probably_meant(&["name"]) {
        reader.error_with_help(
            node,
            "this stage has no `name`",
            "`resume --from-checkpoint NAME` goes to its start",
        );
    }
    fields.finish();
    Some(Stage { name: name.unwrap_or_default(), ..stage })
}

/// Everything of a stage but its name; `whole` is what it is called in messages. Whoever
/// opened the fields finishes them.
pub fn content(reader: &Reader, fields: &mut Fields<'_>, whole: &str) -> Stage {
    let node = fields.node();
    if let Some(field) = fields.take("description") {
        reader.text(field);
    }
    let when = fields.take("when").and_then(|field| reader.expression(field));
    let env = fields.take("env").map(|field| env::env(reader, field)).unwrap_or_default();
    let timeout = fields.take("timeout").and_then(|field| reader.limit(field));
    let retry =
        fields.take_either("retry", "retry_config").and_then(|field| retry::retry(reader, field));
    let requires_confirmation = reader.flag_or_false(fields.take("requires_confirmation"));
    let checkpoint = fields.take("checkpoint").and_then(|field| checkpoint(reader, field));
    let has_steps = fields.has("commands") || fields.has("steps");
    let commands = fields.take_either("commands", "steps");
    let ids = commands.map(|field| ids_of(field.value)).unwrap_or_default();
    let on_failure = fields
        .take("on_failure")
        .and_then(|field| on_failure(reader, field, Some(Sequence { ids: &ids, at: None })));
    if !has_steps && !fields.probably_meant(&["commands", "steps"]) {
        let message = format!("{whole} has no steps");
        reader.error_with_help(node, message, "write them under `commands:`");
    }
    let steps = commands.map(|field| steps(reader, field)).unwrap_or_default();
    Stage {
        when,
        env,
        timeout,
        retry,
        on_failure,
        checkpoint,
        requires_confirmation,
        ..plain(reader.position(node), "", steps)
    }
}

/// A stage that has only steps.
pub fn plain(at: Position, name: &str, steps: Vec<Step>) -> Stage {
    Stage {
        at,
        name: name.to_owned(),
        steps,
        when: None,
        env: Vec::new(),
        timeout: None,
        retry: None,
        on_failure: None,
        checkpoint: None,
        requires_confirmation: false,
    }
}

fn stage_name(reader: &Reader, field: Field<'_>) -> Option<String> {
    let name = checkpoint_name(reader, field)?;
    if RESERVED.contains(&name.as_str()) {
        let message = format!("a stage cannot be called `{name}`: addresses use that name");
        reader.error_with_help(field.value, message, "give it another name");
    } else if name.contains('.') {
        let message = format!(
            "a stage cannot be called `{name}`: in an address such as `3.on_failure[1]` a `.` leads to what hangs below a step"
        );
        let help = format!("write `{}`", name.replace('.', "-"));
        reader.error_with_help(field.value, message, help);
    }
    Some(name)
}

/// The end of a stage is always a checkpoint; a name is one more way to call it.
fn checkpoint(reader: &Reader, field: Field<'_>) -> Option<String> {
    match field.value.text() {
        Some("true") => None,
        Some("false") => {
            reader.error_with_help(
                field.value,
                "the end of a stage is always a checkpoint",
                "remove `checkpoint`",
            );
            None
        }
        _ => checkpoint_name(reader, field),
    }
}

/// The ids of the steps of a list.
pub fn ids_of(list: &Node) -> Vec<Option<&str>> {
    let items = list.items().unwrap_or_default();
    items.iter().map(|item| item.entry("id").and_then(|entry| entry.value.text())).collect()
}
