//! Steps (SPEC 3.3): bare texts, mappings, and lists of both.

use super::action::action;
use super::on_failure::on_failure;
use super::{capture, claude, env, requires, retry, validate};
use crate::expr::Template;
use crate::playbook::check_checkpoint_name;
use crate::playbook::failure::HandlerSet;
use crate::playbook::model::{Action, Checkpoint, ClaudeCall, ClaudeDefaults, OnResume, Step};
use crate::playbook::reading::{Field, Fields, Reader, Sequence};
use crate::playbook::yaml::{Kind, Node};

/// A list of at least one step.
pub fn steps(reader: &Reader, field: Field<'_>) -> Vec<Step> {
    let Some(items) = field.value.items() else {
        let found = Kind::of(field.value).with_article();
        let message = format!("`{}` must be a list of steps, not {found}", field.name);
        reader.error_with_help(
            field.value,
            message,
            "write each step on a line that starts with `- `",
        );
        return Vec::new();
    };
    if items.is_empty() {
        reader.error(field.value, format!("`{}` is empty", field.name));
    }
    list(reader, items)
}

/// One step, or a list of at least one.
pub fn one_or_more_steps(reader: &Reader, field: Field<'_>) -> Vec<Step> {
    match field.value.items() {
        Some(_) => steps(reader, field),
        None => list(reader, std::slice::from_ref(field.value)),
    }
}

fn list(reader: &Reader, items: &[Node]) -> Vec<Step> {
    let ids: Vec<Option<&str>> =
        items.iter().map(|item| item.entry("id").and_then(|entry| entry.value.text())).collect();
    items
        .iter()
        .enumerate()
        .filter_map(|(index, item)| step(reader, item, Sequence { ids: &ids, at: Some(index + 1) }))
        .collect()
}

/// One step.
fn step(reader: &Reader, node: &Node, sequence: Sequence<'_>) -> Option<Step> {
    match Kind::of(node) {
        Kind::Text => bare_step(reader, node),
        Kind::Map => {
            let mut fields = Fields::open(reader, node, "a step")?;
            let step = step_from(reader, &mut fields, sequence);
            fields.finish();
            Some(step)
        }
        Kind::Null => {
            reader.error_with_help(node, "a step is empty", "write a command, or remove the `-`");
            None
        }
        kind @ (Kind::Bool(_) | Kind::Number | Kind::List) => {
            let found = kind.with_article();
            reader.error(node, format!("a step must be a text or a mapping, not {found}"));
            None
        }
    }
}

/// A bare text: a shell command, or a Claude command when it starts with `/` (DECISIONS B3).
pub fn bare_step(reader: &Reader, node: &Node) -> Option<Step> {
    let field = Field { name: "a step", key: node, value: node };
    let text = reader.filled_text(field)?;
    let first = text.split_whitespace().next().unwrap_or_default();
    if first.strip_prefix('/').is_some_and(|rest| rest.contains(['/', '.'])) {
        reader.error_with_help(
            node,
            format!("`{first}` may be a program or a Claude command"),
            "write `shell:` or `claude:` in front of it",
        );
        return None;
    }
    let action = if text.starts_with('/') {
        claude::prompt(reader, field).map(|prompt| Action::Claude(Box::new(bare_call(prompt))))
    } else {
        reader.shell_text(field).map(Action::Shell)
    };
    let mut step = Step::plain(reader.position(node), action?);
    step.retry = retry::default_of(reader, &step.action);
    Some(step)
}

/// A step from the fields of a mapping that may hold other keys as well; whoever opened
/// the fields finishes them.
pub fn step_from<'n>(reader: &'n Reader, fields: &mut Fields<'n>, sequence: Sequence<'_>) -> Step {
    let mut step = Step::plain(reader.position(fields.node()), placeholder());
    step.id = fields.take("id").and_then(|field| reader.name(field));
    step.name = fields.take("name").and_then(|field| reader.template(field));
    if let Some(field) = fields.take("description") {
        reader.text(field);
    }
    step.when = fields.take("when").and_then(|field| reader.expression(field));
    step.timeout = fields.take("timeout").and_then(|field| reader.limit(field));
    step.env = fields.take("env").map(|field| env::env(reader, field)).unwrap_or_default();
    step.working_dir =
        fields.take_either("working_dir", "cwd").and_then(|field| reader.filled_template(field));
    step.capture = capture::capture(reader, fields);
    step.output_file = fields.take("output_file").and_then(|field| reader.filled_template(field));
    step.on_success =
        fields.take("on_success").map(|field| one_or_more_steps(reader, field)).unwrap_or_default();
    step.on_exit_code =
        fields.take("on_exit_code").map(|field| on_exit_code(reader, field)).unwrap_or_default();
    step.continue_on_error =
        reader.flag_or_false(fields.take_either("continue_on_error", "allow_failure"));
    step.checkpoint = fields
        .take("checkpoint")
        .and_then(|field| checkpoint(reader, field))
        .unwrap_or(Checkpoint::Implicit);
    step.on_resume = fields
        .take("on_resume")
        .and_then(|field| reader.choice(field, &ON_RESUME))
        .unwrap_or(OnResume::Rerun);
    step.requires_confirmation = reader.flag_or_false(fields.take("requires_confirmation"));
    commit_options(reader, fields, &mut step);
    step.validate =
        fields.take("validate").and_then(|field| validate::validate(reader, field)).map(Box::new);
    step.artifacts = fields
        .take("artifacts")
        .map(|field| requires::artifacts(reader, field))
        .unwrap_or_default();
    step.requires =
        fields.take("requires").map(|field| requires::requires(reader, field)).unwrap_or_default();
    let handlers = fields.take("on_failure");
    let retry = fields.take_either("retry", "retry_config");
    let (action, handlers_of_test) = action(reader, fields, sequence);
    step.action = action.unwrap_or_else(placeholder);
    if let Some(field) = handlers {
        take_handlers(reader, &mut step, field, on_failure(reader, field, Some(sequence)));
    }
    if let Some((field, set)) = handlers_of_test {
        take_handlers(reader, &mut step, field, set);
    }
    match retry {
        Some(field) => retry::retry_of_step(reader, field, &mut step),
        None => step.retry = retry::default_of(reader, &step.action),
    }
    refuse_foreign_keys(reader, &step, fields);
    step
}

/// Gives a step its handlers. `on_failure: {fail_workflow: false}` alone means what
/// `continue_on_error: true` does.
fn take_handlers(reader: &Reader, step: &mut Step, field: Field<'_>, set: Option<HandlerSet>) {
    let Some(set) = set else { return };
    if step.on_failure.is_some() {
        reader.error(field.key, "`on_failure` is given twice for this step");
        return;
    }
    match set.handlers.as_slice() {
        [only] if only.does_nothing() => {
            step.continue_on_error |= only.fail_workflow == Some(false);
        }
        _ => step.on_failure = Some(set),
    }
}

fn commit_options(reader: &Reader, fields: &mut Fields<'_>, step: &mut Step) {
    step.commit_required = reader.flag_or_false(fields.take("commit_required"));
    step.auto_commit = reader.flag_or_false(fields.take("auto_commit"));
    if let Some(field) = fields.take("commit_message") {
        step.commit_message = reader.filled_template(field);
        if !step.auto_commit {
            reader.error_with_help(
                field.key,
                "`commit_message` has no effect here",
                "add `auto_commit: true`",
            );
        }
    }
}

/// Keys that the kind of this step has no use for (DECISIONS B41).
fn refuse_foreign_keys(reader: &Reader, step: &Step, fields: &mut Fields<'_>) {
    let kind = match step.action {
        Action::Shell(_) | Action::Claude(_) => return,
        Action::GoalSeek(_) => "goal_seek",
        Action::Foreach(_) => "foreach",
        Action::WriteFile(_) => "write_file",
    };
    let node = fields.node();
    for name in ["capture_format", "capture_streams", "output_file", "on_exit_code"] {
        if let Some(entry) = node.entry(name) {
            let message = format!("`{name}` is only for shell and claude steps, this is `{kind}`");
            reader.error_with_help(&entry.key, message, "remove it");
        }
    }
}

const ON_RESUME: [(&str, OnResume); 5] = [
    ("rerun", OnResume::Rerun),
    ("confirm", OnResume::Confirm),
    ("skip", OnResume::Skip),
    ("fail", OnResume::Fail),
    ("always", OnResume::Always),
];

/// `checkpoint: true` or `checkpoint: NAME`.
pub fn checkpoint(reader: &Reader, field: Field<'_>) -> Option<Checkpoint> {
    match (Kind::of(field.value), field.value.text()) {
        (Kind::Bool(true), _) | (Kind::Text, Some("true")) => Some(Checkpoint::Explicit),
        (Kind::Bool(false), _) | (Kind::Text, Some("false")) => Some(Checkpoint::Implicit),
        _ => checkpoint_name(reader, field).map(Checkpoint::Named),
    }
}

/// A name that `--from-checkpoint` can tell from a version or an address (DECISIONS B28).
pub fn checkpoint_name(reader: &Reader, field: Field<'_>) -> Option<String> {
    let text = reader.filled_text(field)?;
    let Err(problem) = check_checkpoint_name(text) else { return Some(text.to_owned()) };
    let message = format!("`{}: {text}` cannot name a checkpoint: {problem}", field.name);
    reader.error(field.value, message);
    None
}

fn on_exit_code(reader: &Reader, field: Field<'_>) -> Vec<(u8, Vec<Step>)> {
    let Some(entries) = field.value.entries() else {
        reader.wrong_kind(field, "a mapping from exit codes to steps");
        return Vec::new();
    };
    let mut codes: Vec<(u8, Vec<Step>)> = Vec::new();
    for entry in entries.iter().filter(|entry| !entry.name.starts_with("x-")) {
        let member = Field { name: "on_exit_code", key: &entry.key, value: &entry.value };
        let steps = one_or_more_steps(reader, member);
        match entry.name.parse::<u8>() {
            Ok(code) if codes.iter().any(|(known, _)| *known == code) => {
                reader.error(&entry.key, format!("exit code {code} is given twice"));
            }
            Ok(code) => codes.push((code, steps)),
            Err(_) => reader.error_with_help(
                &entry.key,
                format!("`{}` is no exit code", entry.name),
                "write a number from 0 to 255",
            ),
        }
    }
    codes
}

/// What stands for a step whose command could not be read; the file is refused anyway.
fn placeholder() -> Action {
    Action::Claude(Box::new(bare_call(Template::literal(""))))
}

fn bare_call(prompt: Template) -> ClaudeCall {
    ClaudeCall { prompt, options: ClaudeDefaults::default(), output_schema: None }
}
