//! A map workflow: `setup`, `map`, `reduce` (SPEC 3.4, DECISIONS B20, B21).

use super::error_policy::{error_policy, item_retry};
use super::stage::{content, plain};
use super::{aggregates, step};
use crate::expr::SortKeys;
use crate::playbook::mapreduce::{Map, MapReduce};
use crate::playbook::model::{Count, Limit, Stage, Step};
use crate::playbook::reading::{Field, Fields, Reader};
use crate::playbook::yaml::Kind;

/// How many items run at a time when the file does not say.
const DEFAULT_PARALLEL: u64 = 10;

/// Keys of other workflows.
const OTHER_BODIES: [&str; 3] = ["commands", "steps", "stages"];

/// Keys that stand beside `map:`.
const BESIDE: [&str; 2] = ["setup", "reduce"];

/// Whether the file is a map workflow: it has `map:`, or `mode:` says so. What else it says of
/// maps is refused when it is none.
pub fn is_map(reader: &Reader, fields: &mut Fields<'_>) -> bool {
    const MODES: [(&str, bool); 2] = [("standard", false), ("mapreduce", true)];
    let mode = fields.take("mode");
    let chosen = mode.and_then(|field| reader.choice(field, &MODES));
    if let (Some(field), Some(false), true) = (mode, chosen, fields.has("map")) {
        let message = "`map` stands in a file of `mode: standard`";
        reader.error_with_help(field.value, message, "remove `mode`, or write `mode: mapreduce`");
    }
    if fields.has("map") || chosen == Some(true) {
        return true;
    }
    // A composed file may get its map from elsewhere.
    if ["extends", "imports", "template"].iter().any(|name| fields.node().entry(name).is_some()) {
        for name in BESIDE {
            fields.take_any_value(name);
        }
    }
    for name in BESIDE.into_iter().chain(super::error_policy::KEYS).chain(["error_policy"]) {
        let message = format!("`{name}` is for map workflows, and this file has no `map`");
        fields.refuse(name, message, "write `map:` with `input:` and `agent_template:`");
    }
    false
}

/// The body of a map workflow.
pub fn map_reduce<'n>(reader: &'n Reader, fields: &mut Fields<'n>) -> Option<MapReduce> {
    for name in OTHER_BODIES {
        let message = format!("`{name}` stands beside `map`");
        let help = "a map workflow has `setup`, `map` and `reduce`: put the steps into one of them";
        if fields.refuse(name, message, help) {
            reader.lose_names();
        }
    }
    if let Some(entry) = fields.node().entry("continue_on_error") {
        reader.error_with_help(
            &entry.key,
            "`continue_on_error` has no effect in a map workflow, which runs once",
            "what failed items mean is said by `error_policy`",
        );
    }
    let setup = fields.take("setup").and_then(|field| setup(reader, field));
    let given = fields.has("map");
    let field = fields.take("map");
    let map = field.and_then(|field| map(reader, field));
    let reduce = fields.take("reduce").and_then(|field| phase(reader, field, "reduce"));
    let (policy, retry_config) = error_policy(reader, fields);
    if !given && !fields.probably_meant(&["map"]) {
        let help = "write `map:` with `input:` and `agent_template:`";
        reader.error_with_help(fields.node(), "the map workflow has no `map`", help);
    }
    if map.is_none() {
        reader.lose_names();
    }
    let mut map = map?;
    match (&map.retry, retry_config) {
        (Some(_), Some((field, _))) if field.name == "retry_config" => reader.error_with_help(
            field.key,
            "`retry_config` and `retry` under `map` say the same",
            "keep one of them",
        ),
        (None, Some((_, retry))) => map.retry = Some(retry),
        _ => {}
    }
    Some(MapReduce { setup, map, reduce, policy })
}

/// `setup:`: as every phase, and `capture_outputs`.
fn setup(reader: &Reader, field: Field<'_>) -> Option<Stage> {
    if field.value.items().is_some() {
        return phase(reader, field, "setup");
    }
    let mut fields = Fields::open(reader, field.value, "`setup`")?;
    let mut stage = content(reader, &mut fields, "`setup`");
    if let Some(captures) = fields.take("capture_outputs") {
        capture_outputs(reader, captures, &mut stage.steps);
    }
    fields.finish();
    Some(Stage { name: "setup".to_owned(), ..stage })
}

/// A phase: a list of steps, or everything a stage has.
fn phase(reader: &Reader, field: Field<'_>, name: &'static str) -> Option<Stage> {
    if field.value.items().is_some() {
        let steps = step::steps(reader, field);
        return Some(plain(reader.position(field.key), name, steps));
    }
    if Kind::of(field.value) != Kind::Map {
        reader.wrong_kind(field, "a list of steps, or a mapping with `commands`");
        return None;
    }
    let whole = if name == "setup" { "`setup`" } else { "`reduce`" };
    let mut fields = Fields::open(reader, field.value, whole)?;
    let stage = content(reader, &mut fields, whole);
    fields.finish();
    Some(Stage { name: name.to_owned(), ..stage })
}

/// `capture_outputs:` of older files: name → index of the step (from 0), or a mapping with it.
fn capture_outputs(reader: &Reader, field: Field<'_>, steps: &mut [Step]) {
    let Some(entries) = field.value.entries() else {
        reader.wrong_kind(field, "a mapping from names to indexes of steps (the first is 0)");
        reader.lose_names();
        return;
    };
    for entry in entries.iter().filter(|entry| !entry.name.starts_with("x-")) {
        let name = reader.name(Field { name: field.name, key: &entry.key, value: &entry.key });
        let index = Field { name: &entry.name, key: &entry.key, value: &entry.value };
        let Some((name, index)) = name.zip(step_index(reader, index)) else {
            reader.lose_names();
            continue;
        };
        let count = steps.len();
        let Some(step) = usize::try_from(index).ok().and_then(|index| steps.get_mut(index)) else {
            let message = format!("`setup` has no step {index}: it has {count}, the first is 0");
            reader.error(&entry.value, message);
            continue;
        };
        match &step.capture.name {
            Some(other) if *other != name => {
                let message = format!("the output of step {index} is already called `{other}`");
                reader.error_with_help(&entry.key, message, format!("use `${{{other}}}`"));
            }
            _ => step.capture.name = Some(name),
        }
    }
}

fn step_index(reader: &Reader, field: Field<'_>) -> Option<u64> {
    if Kind::of(field.value) != Kind::Map {
        return reader.count(field, 0);
    }
    let mut fields = Fields::open(reader, field.value, "`capture_outputs`")?;
    let index = fields.take("command_index").and_then(|field| reader.count(field, 0));
    if index.is_none() && field.value.entry("command_index").is_none() {
        reader.error(field.key, format!("`{}` has no `command_index`", field.name));
    }
    for (name, help) in [
        ("source", "write `capture_streams:` in that step"),
        ("pattern", "let the command print only what is wanted"),
        ("json_path", "write `capture_format: json` in that step, and `${NAME.field}`"),
        ("max_size", "write `capture_limit:` at top level"),
        ("default", "write `${NAME:-default}`"),
        ("multiline", "write `capture_format: lines` in that step"),
    ] {
        let message = format!("`{name}` under `capture_outputs` is an option of older versions");
        fields.refuse(name, message, help);
    }
    fields.finish();
    index
}

fn map(reader: &Reader, field: Field<'_>) -> Option<Map> {
    let mut fields = Fields::open(reader, field.value, "`map`")?;
    let (has_input, has_template) = (fields.has("input"), fields.has("agent_template"));
    let input = fields.take("input").and_then(|field| match Kind::of(field.value) {
        Kind::List | Kind::Map => {
            reader.error_with_help(
                field.value,
                "`input` is a file or a command",
                "write the items to a JSON file in `setup`, for example with `write_file`",
            );
            None
        }
        _ => reader.shell_text(field),
    });
    let json_path = fields
        .take("json_path")
        .filter(|field| field.value.text() != Some(""))
        .and_then(|field| json_path(reader, field));
    let filter = fields.take("filter").and_then(|field| reader.expression(field));
    let sort_by = fields.take("sort_by").and_then(|field| sort_keys(reader, field));
    let distinct = fields.take("distinct").and_then(|field| reader.expression(field));
    let offset = fields.take("offset").and_then(|field| reader.count(field, 0)).unwrap_or(0);
    let max_items = fields.take("max_items").and_then(|field| reader.count_or_hole(field, 0));
    let parallel = fields.take("max_parallel").and_then(|field| reader.count_or_hole(field, 1));
    let template = fields.take("agent_template").map(|field| template(reader, field));
    let item_timeout = item_timeout(reader, &mut fields);
    let retry = fields.take("retry").and_then(|field| item_retry(reader, field));
    let checkpoint_frequency =
        fields.take("checkpoint_frequency").and_then(|field| reader.small_count(field, 1));
    let variables = fields.take("variables").map(|field| aggregates::aggregates(reader, field));
    local_only(reader, &mut fields);
    for (given, name, help) in [
        (has_input, "input", "a file with the items, or a command that prints them"),
        (has_template, "agent_template", "the steps that run for each item"),
    ] {
        if !given && !fields.probably_meant(&[name]) {
            reader.error_with_help(field.key, format!("`map` has no `{name}`"), help);
        }
    }
    fields.finish();
    Some(Map {
        at: reader.position(field.key),
        input: input?,
        json_path,
        filter,
        sort_by,
        distinct,
        offset,
        max_items,
        template: template?,
        max_parallel: parallel.unwrap_or(Count::Fixed(DEFAULT_PARALLEL)),
        item_timeout,
        retry,
        checkpoint_frequency,
        variables: variables.unwrap_or_default(),
    })
}

/// A list of steps, or the older `{commands: […]}`.
fn template(reader: &Reader, field: Field<'_>) -> Vec<Step> {
    if Kind::of(field.value) != Kind::Map {
        return step::steps(reader, field);
    }
    let Some(mut fields) = Fields::open(reader, field.value, "`agent_template`") else {
        return Vec::new();
    };
    let given = fields.has("commands") || fields.has("steps");
    let commands = fields.take_either("commands", "steps");
    if !given && !fields.probably_meant(&["commands", "steps"]) {
        let help = "write the steps as a list below it";
        reader.error_with_help(field.key, "`agent_template` has no steps", help);
    }
    fields.finish();
    commands.map(|field| step::steps(reader, field)).unwrap_or_default()
}

/// RFC 9535, checked here so that a slip is told before anything runs.
pub fn json_path(reader: &Reader, field: Field<'_>) -> Option<String> {
    let text = reader.filled_text(field)?;
    match serde_json_path::JsonPath::parse(text) {
        Ok(_) => Some(text.to_owned()),
        Err(error) => {
            reader.error(field.value, format!("`json_path` cannot be read: {error}"));
            None
        }
    }
}

fn sort_keys(reader: &Reader, field: Field<'_>) -> Option<SortKeys> {
    let text = reader.filled_text(field)?;
    match SortKeys::parse(text) {
        Ok(keys) => Some(keys.at(reader.place(field.value))),
        Err(error) => {
            reader.syntax_error(field.value, text, &error);
            None
        }
    }
}

/// `agent_timeout_secs`, or that of `timeout_config`, whose other keys have no effect.
fn item_timeout(reader: &Reader, fields: &mut Fields<'_>) -> Option<Limit> {
    let direct = fields.take("agent_timeout_secs");
    let Some(config) = fields.take("timeout_config") else {
        return direct.and_then(|field| reader.limit(field));
    };
    let mut inner = Fields::open(reader, config.value, "`timeout_config`")?;
    let nested = inner.take("agent_timeout_secs");
    if let Some(policy) = inner.take("timeout_policy") {
        let per_agent = |text: &str| matches!(text, "per_agent" | "PerAgent");
        if reader.text(policy).is_some_and(|text| !per_agent(text)) {
            reader.error_with_help(
                policy.value,
                "only `timeout_policy: per_agent` is possible",
                "limit single commands with `timeout:` in the steps of `agent_template`",
            );
        }
    }
    for (name, help) in [
        ("command_timeouts", "write `timeout:` in the steps of `agent_template`"),
        ("timeout_action", "a timeout is a failure like any other: see `on_item_failure`"),
        ("cleanup_grace_period_secs", "remove it: what is stopped always has some time to end"),
        ("enable_monitoring", "remove it"),
    ] {
        let message = format!("`{name}` is an option of older versions that never had an effect");
        inner.refuse(name, message, help);
    }
    inner.finish();
    if let (Some(_), Some(second)) = (direct, nested) {
        let message = "`agent_timeout_secs` is given twice for this map";
        reader.error_with_help(second.key, message, "keep one of them");
    }
    direct.or(nested).and_then(|field| reader.limit(field))
}

/// Where items run: on this machine, in the directory of the run.
fn local_only(reader: &Reader, fields: &mut Fields<'_>) {
    if let Some(field) = fields.take("executor")
        && reader.text(field).is_some_and(|text| text != "local")
    {
        let help = "items run on this machine: write `local`, or remove it";
        reader.error_with_help(field.value, "`executor` can only be `local`", help);
    }
    if fields.node().entry("isolation").and_then(|entry| entry.value.text()) == Some("none") {
        fields.take("isolation");
    }
    fields.refuse_not_yet(&["isolation"]);
}
