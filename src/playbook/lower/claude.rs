//! `claude:` as a step with its options, and as the defaults of a workflow (SPEC 3.1, 3.3).

use crate::expr::Template;
use crate::playbook::model::{ClaudeCall, ClaudeDefaults};
use crate::playbook::reading::{Field, Fields, Reader, value};
use crate::playbook::yaml::Kind;
use crate::playbook::{OWN_ARGUMENTS, PERMISSION_MODES};

/// The options of one call.
const STEP_OPTIONS: [&str; 8] = [
    "model",
    "max_turns",
    "max_budget_usd",
    "allowed_tools",
    "permission_mode",
    "skip_permissions",
    "extra_args",
    "output_schema",
];

/// A call with the options that stand beside it.
pub fn call(reader: &Reader, kind: Field<'_>, fields: &mut Fields<'_>) -> Option<ClaudeCall> {
    let prompt = prompt(reader, kind);
    let options = options(reader, fields);
    let output_schema = fields.take("output_schema").and_then(|field| {
        if Kind::of(field.value) != Kind::Map {
            reader.wrong_kind(field, "a JSON Schema");
            return None;
        }
        Some(value(field.value))
    });
    Some(ClaudeCall { prompt: prompt?, options, output_schema })
}

/// The prompt of a call.
pub fn prompt(reader: &Reader, field: Field<'_>) -> Option<Template> {
    reader.filled_template(field)
}

/// `claude:` of a workflow.
pub fn defaults(reader: &Reader, field: Field<'_>) -> Option<ClaudeDefaults> {
    let mut fields = Fields::open(reader, field.value, "`claude`")?;
    let mut defaults = options(reader, &mut fields);
    defaults.command = fields.take("command").map(|field| words(reader, field)).unwrap_or_default();
    fields.finish();
    Some(defaults)
}

/// Reports the options of a Claude call on a step of another kind (DECISIONS B41).
pub fn refuse_options(fields: &mut Fields<'_>) {
    for name in STEP_OPTIONS {
        fields.refuse(name, format_args!("`{name}` is only for claude steps"), "remove it");
    }
}

fn options(reader: &Reader, fields: &mut Fields<'_>) -> ClaudeDefaults {
    let permission_mode = fields
        .take("permission_mode")
        .and_then(|field| reader.choice(field, &PERMISSION_MODES.map(|mode| (mode, mode))));
    let skip_permissions = fields.take("skip_permissions").and_then(|field| {
        let skips = reader.flag(field)?;
        if let Some(mode) = permission_mode.filter(|mode| skips && *mode != "bypassPermissions") {
            let message = format!("`skip_permissions` contradicts `permission_mode: {mode}`");
            reader.error_with_help(field.value, message, "say only one of them");
        }
        Some(skips)
    });
    ClaudeDefaults {
        model: fields.take("model").and_then(|field| reader.filled_template(field)),
        permission_mode: permission_mode.map(str::to_owned),
        allowed_tools: fields
            .take("allowed_tools")
            .map(|field| tools(reader, field))
            .unwrap_or_default(),
        skip_permissions,
        max_turns: fields.take("max_turns").and_then(|field| reader.small_count(field, 1)),
        max_budget_usd: fields.take("max_budget_usd").and_then(|field| dollars(reader, field)),
        extra_args: fields
            .take("extra_args")
            .map(|field| extra_words(reader, field))
            .unwrap_or_default(),
        command: Vec::new(),
    }
}

/// A list of tools, or one text with commas between them (`Read, Bash(git *)`).
fn tools(reader: &Reader, field: Field<'_>) -> Vec<String> {
    if field.value.items().is_some() {
        return reader.texts(field);
    }
    let Some(text) = reader.filled_text(field) else { return Vec::new() };
    let mut tools = vec![String::new()];
    let mut depth = 0_usize;
    for character in text.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if character == ',' && depth == 0 {
            tools.push(String::new());
        } else if let Some(last) = tools.last_mut() {
            last.push(character);
        }
    }
    tools.iter().map(|tool| tool.trim().to_owned()).filter(|tool| !tool.is_empty()).collect()
}

/// What one call may cost; for nothing there is no call.
fn dollars(reader: &Reader, field: Field<'_>) -> Option<f64> {
    let dollars = reader.number(field, 0.0, f64::INFINITY)?;
    if dollars == 0.0 {
        reader.error(field.value, format!("`{}` must be more than 0", field.name));
    }
    Some(dollars)
}

/// What is passed on to the CLI.
fn extra_words(reader: &Reader, field: Field<'_>) -> Vec<String> {
    let words = words(reader, field);
    let is_own = |word: &str| OWN_ARGUMENTS.contains(&word.split('=').next().unwrap_or(word));
    if let Some(own) = words.iter().find(|word| is_own(word)) {
        let message = format!("`extra_args` must not hold `{own}`");
        let help = "prodigy sets it itself, to follow and resume the agent";
        reader.error_with_help(field.value, message, help);
    }
    words
}

/// A list of words, or one text that is split as a shell would.
pub fn words(reader: &Reader, field: Field<'_>) -> Vec<String> {
    if field.value.items().is_some() {
        let words = reader.texts(field);
        if words.is_empty() {
            reader.error(field.value, format!("`{}` is empty", field.name));
        }
        return words;
    }
    let Some(text) = reader.filled_text(field) else { return Vec::new() };
    shlex::split(text).unwrap_or_else(|| {
        reader.error(field.value, format!("`{}` has a quote that is not closed", field.name));
        Vec::new()
    })
}
