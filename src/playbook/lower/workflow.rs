//! The whole file: a list of steps, or the mapping of SPEC 3.1.

use std::path::Path;

use super::mapreduce::{is_map, map_reduce};
use super::on_failure::on_failure;
use super::recovery::recovery;
use super::stage::{ids_of, stages};
use super::step::steps;
use super::{claude, env, parameters, requires, retry, secrets};
use crate::playbook::model::{
    Body, Budget, ClaudeDefaults, Limits, Requirements, Shell, Snapshots, Variable, Workflow,
};
use crate::playbook::reading::{Field, Fields, Reader, Sequence, constant};
use crate::playbook::recovery::Recovery;
use crate::playbook::yaml::{Kind, Node};

/// The largest captured value when the file does not say.
const DEFAULT_CAPTURE_LIMIT: u64 = 16 << 20;

/// Keys of SPEC that come with composition and git.
const NOT_YET: [&str; 5] = ["merge", "imports", "templates", "extends", "workflows"];

/// The words of `snapshots`.
const SNAPSHOTS: [(&str, Snapshots); 4] = [
    ("auto", Snapshots::Auto),
    ("always", Snapshots::Always),
    ("explicit", Snapshots::Explicit),
    ("off", Snapshots::Off),
];

/// Kinds of steps, which some write at top level.
const STEP_KINDS: [&str; 7] =
    ["claude", "goal_seek", "foreach", "write_file", "test", "workflow", "use"];

/// A workflow from the root of its file. What cannot be read is noted and replaced, so
/// that everything else is looked at too.
pub fn workflow(reader: &Reader, root: &Node, file: &Path) -> Option<Workflow> {
    let mut workflow = empty(file);
    if root.items().is_some() {
        let field = Field { name: "the file", key: root, value: root };
        workflow.body = Body::Steps(steps(reader, field));
        return Some(workflow);
    }
    if Kind::of(root) != Kind::Map {
        let found = Kind::of(root).with_article();
        reader.error_with_help(
            root,
            format!("a workflow is a list of steps or a mapping, not {found}"),
            "write the steps under `commands:`",
        );
        return None;
    }
    let mut fields = Fields::open(reader, root, "the workflow")?;
    // What steps refer to comes first.
    set_context(reader, &mut fields, &mut workflow);
    describe(reader, &mut fields, &mut workflow);
    settings(reader, &mut fields, &mut workflow);
    body(reader, &mut fields, &mut workflow);
    fields.finish();
    Some(workflow)
}

fn empty(file: &Path) -> Workflow {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    Workflow {
        name: stem.filter(|stem| !stem.is_empty()).unwrap_or_else(|| "workflow".to_owned()),
        description: None,
        body: Body::Steps(Vec::new()),
        variables: Vec::new(),
        parameters: Vec::new(),
        env: Vec::new(),
        env_files: Vec::new(),
        secrets: Vec::new(),
        profiles: Vec::new(),
        timeout: None,
        on_failure: None,
        finally: Vec::new(),
        recovery: Recovery::default(),
        snapshots: Snapshots::default(),
        shell: Shell { words: vec!["sh".to_owned(), "-c".to_owned()] },
        claude: ClaudeDefaults::default(),
        continue_on_error: false,
        budget: Budget::default(),
        limits: Limits::default(),
        capture_limit: DEFAULT_CAPTURE_LIMIT,
        artifacts: Vec::new(),
        requires: Requirements::default(),
    }
}

fn set_context(reader: &Reader, fields: &mut Fields<'_>, workflow: &mut Workflow) {
    if let Some(field) = fields.take("profiles") {
        let _ = reader.profiles.set(env::profile_names(field.value));
        workflow.profiles = env::profiles(reader, field);
    }
    if let Some(field) = fields.take("retry_defaults")
        && let Some(defaults) = retry::fields(reader, field)
    {
        if defaults.has_fallback() {
            let help = "write `on_failure: fallback`; each step's `on_failure` stands in";
            reader.error_with_help(
                field.key,
                "`retry_defaults` cannot hold a fallback command",
                help,
            );
        }
        let _ = reader.retry_defaults.set(defaults);
    }
}

fn describe(reader: &Reader, fields: &mut Fields<'_>, workflow: &mut Workflow) {
    if let Some(name) = fields.take("name").and_then(|field| reader.filled_text(field)) {
        workflow.name = name.trim().to_owned();
    }
    workflow.description =
        fields.take("description").and_then(|field| reader.text(field)).map(str::to_owned);
    if let Some(field) = fields.take("version") {
        reader.text(field);
    }
    workflow.variables =
        fields.take("variables").map(|field| variables(reader, field)).unwrap_or_default();
    workflow.parameters = fields
        .take("parameters")
        .map(|field| parameters::parameters(reader, field))
        .unwrap_or_default();
    workflow.env = fields.take("env").map(|field| env::env(reader, field)).unwrap_or_default();
    if let Some(field) = fields.take("env_files") {
        let files: Vec<&Node> =
            field.value.items().map_or(vec![field.value], |items| items.iter().collect());
        workflow.env_files = files
            .into_iter()
            .filter_map(|file| reader.filled_template(field.member(file)))
            .collect();
    }
    workflow.secrets =
        fields.take("secrets").map(|field| secrets::secrets(reader, field)).unwrap_or_default();
}

fn settings(reader: &Reader, fields: &mut Fields<'_>, workflow: &mut Workflow) {
    workflow.timeout = fields.take("timeout").and_then(|field| reader.limit(field));
    if let Some(field) = fields.take("shell") {
        workflow.shell.words = shell_words(reader, field);
    }
    if fields.node().entry("claude").is_some_and(|entry| Kind::of(&entry.value) != Kind::Text)
        && let Some(field) = fields.take("claude")
    {
        workflow.claude = claude::defaults(reader, field).unwrap_or_default();
    }
    workflow.continue_on_error = reader.flag_or_false(fields.take("continue_on_error"));
    if let Some(field) = fields.take("budget") {
        workflow.budget = budget(reader, field).unwrap_or_default();
    }
    if let Some(field) = fields.take("limits") {
        workflow.limits = limits(reader, field).unwrap_or_default();
    }
    if let Some(limit) = fields.take("capture_limit").and_then(|field| byte_count(reader, field)) {
        workflow.capture_limit = limit;
    }
    if let Some(field) = fields.take("requires") {
        workflow.requires = requires::requires(reader, field);
    }
    if let Some(field) = fields.take("artifacts") {
        workflow.artifacts = requires::artifacts(reader, field);
    }
    if let Some(field) = fields.take("finally") {
        workflow.finally = steps(reader, field);
    }
    if let Some(snapshots) =
        fields.take("snapshots").and_then(|field| reader.choice(field, &SNAPSHOTS))
    {
        workflow.snapshots = snapshots;
    }
    if let Some(field) = fields.take("recovery") {
        workflow.recovery = recovery(reader, field.value).unwrap_or_default();
    }
    if fields.node().entry("isolation").and_then(|entry| entry.value.text()) == Some("none") {
        fields.take("isolation");
    }
    fields.refuse_not_yet(&["isolation"]);
    if fields.refuse_not_yet(&NOT_YET) {
        reader.lose_names();
    }
}

/// The steps: `commands` (or `steps`), `stages` or `map`, only one of them.
fn body<'n>(reader: &'n Reader, fields: &mut Fields<'n>, workflow: &mut Workflow) {
    if is_map(reader, fields) {
        workflow.on_failure =
            fields.take("on_failure").and_then(|field| on_failure(reader, field, None));
        if let Some(job) = map_reduce(reader, fields) {
            workflow.body = Body::MapReduce(Box::new(job));
        }
        return;
    }
    let given = ["commands", "steps", "stages"].iter().any(|name| fields.has(name));
    let commands = fields.take_either("commands", "steps");
    let stage_list = fields.take("stages");
    if let (Some(commands), Some(list)) = (commands, stage_list) {
        reader.error_with_help(
            list.key,
            format!("`stages` stands beside `{}`", commands.name),
            "put the steps into a stage",
        );
    }
    let stage_names: Vec<Option<&str>>;
    let ids = match (commands, stage_list) {
        (Some(field), _) => ids_of(field.value),
        (None, Some(field)) => {
            let items = field.value.items().unwrap_or_default();
            stage_names = items
                .iter()
                .map(|stage| stage.entry("name").and_then(|entry| entry.value.text()))
                .collect();
            stage_names
        }
        (None, None) => Vec::new(),
    };
    workflow.on_failure = fields
        .take("on_failure")
        .and_then(|field| on_failure(reader, field, Some(Sequence { ids: &ids, at: None })));
    if let Some(field) = commands {
        workflow.body = Body::Steps(steps(reader, field));
    } else if let Some(field) = stage_list {
        workflow.body = Body::Stages(stages(reader, field));
    }
    let composed =
        NOT_YET.iter().chain(&["template"]).any(|name| fields.node().entry(name).is_some());
    if !given && !composed {
        missing_body(reader, fields);
    }
}

fn missing_body(reader: &Reader, fields: &mut Fields<'_>) {
    if let Some(kind) = STEP_KINDS.iter().find(|name| fields.has(name)) {
        let message = format!("`{kind}` is a step, and steps stand in a list");
        fields.refuse(kind, message, format!("write `commands:` and below it `- {kind}: …`"));
        return;
    }
    if !fields.probably_meant(&["commands", "steps", "stages", "map"]) {
        reader.error_with_help(
            fields.node(),
            "the workflow has no steps",
            "write them under `commands:`, or in stages under `stages:`",
        );
    }
}

fn variables(reader: &Reader, field: Field<'_>) -> Vec<Variable> {
    let Some(entries) = field.value.entries() else {
        reader.wrong_kind(field, "a mapping from names to values");
        reader.lose_names();
        return Vec::new();
    };
    entries
        .iter()
        .filter_map(|entry| {
            let name = reader.name(Field { name: "variables", key: &entry.key, value: &entry.key });
            let value =
                constant(reader, Field { name: &entry.name, key: &entry.key, value: &entry.value });
            if name.is_none() || value.is_none() {
                reader.lose_names();
            }
            Some(Variable { name: name?, value: value? })
        })
        .collect()
}

/// `[bash, -euo, pipefail, -c]`, the same as one text, or only the name of a shell.
fn shell_words(reader: &Reader, field: Field<'_>) -> Vec<String> {
    let mut words = claude::words(reader, field);
    if words.len() == 1 {
        words.push("-c".to_owned());
    }
    words
}

fn budget(reader: &Reader, field: Field<'_>) -> Option<Budget> {
    let mut fields = Fields::open(reader, field.value, "`budget`")?;
    let budget = Budget {
        usd: fields.take("usd").and_then(|field| reader.number(field, 0.0, f64::INFINITY)),
        tokens: fields.take("tokens").and_then(|field| reader.count(field, 0)),
        agent_calls: fields.take("agent_calls").and_then(|field| reader.count(field, 0)),
        wall_time: fields.take("wall_time").and_then(|field| reader.duration(field)),
    };
    fields.finish();
    Some(budget)
}

fn limits(reader: &Reader, field: Field<'_>) -> Option<Limits> {
    let mut fields = Fields::open(reader, field.value, "`limits`")?;
    let limits = Limits {
        max_wait: fields.take("max_wait").and_then(|field| reader.duration_or_zero(field)),
        idle_timeout: fields.take("idle_timeout").and_then(|field| reader.duration(field)),
    };
    fields.finish();
    Some(limits)
}

/// Bytes, or a size such as `64 MB` (powers of 1024).
fn byte_count(reader: &Reader, field: Field<'_>) -> Option<u64> {
    let text = reader.text(field)?.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim().to_ascii_uppercase().as_str() {
        "" | "B" => Some(0),
        "K" | "KB" | "KIB" => Some(10),
        "M" | "MB" | "MIB" => Some(20),
        "G" | "GB" | "GIB" => Some(30),
        _ => None,
    };
    let bytes = shift.and_then(|shift| number.parse::<u64>().ok()?.checked_mul(1 << shift));
    let bytes = bytes.filter(|bytes| *bytes > 0);
    if bytes.is_none() {
        let message = format!("`{}` must be a size such as 64MB, not `{text}`", field.name);
        reader.error(field.value, message);
    }
    bytes
}
