//! Keys of older files and keys in the wrong place: what to say about each (SPEC 3.5, DECISIONS B22).

/// What to say about a key that is known, but not here or not any more.
pub struct Refusal {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: &'static str,
}

/// One key of older files: where it stood, why it is refused, what to write, and the key that replaces it.
struct OlderKey {
    whole: &'static str,
    name: &'static str,
    why: &'static str,
    help: &'static str,
    new: &'static str,
}

const fn older(
    whole: &'static str,
    name: &'static str,
    why: &'static str,
    help: &'static str,
    new: &'static str,
) -> OlderKey {
    OlderKey { whole, name, why, help, new }
}

const OLDER_KEYS: [OlderKey; 49] = [
    older(
        "a step",
        "analyze",
        "is a step of older versions",
        "write a `claude:` or `shell:` step that does the analysis",
        "shell",
    ),
    older(
        "a step",
        "analysis",
        "is an option of older versions",
        "remove it; put the analysis into a step of its own",
        "",
    ),
    older(
        "a step",
        "handler",
        "is a step of older versions",
        "write the command as `shell:`",
        "shell",
    ),
    older(
        "a step",
        "command",
        "is a step of older versions",
        "write `shell: COMMAND`, or `claude: /COMMAND`",
        "shell",
    ),
    older("a step", "cmd", "is not the name of a step", "write `shell:`", "shell"),
    older("a step", "run", "is not the name of a step", "write `shell:`", "shell"),
    older("a step", "script", "is not the name of a step", "write `shell:`", "shell"),
    older(
        "a step",
        "bash",
        "is not the name of a step",
        "write `shell:`; the program is chosen by `shell: [bash, -c]` at top level",
        "shell",
    ),
    older("a step", "prompt", "is not the name of a step", "write `claude:`", "claude"),
    older(
        "a step",
        "args",
        "is an option of older versions",
        "write the whole call: `claude: \"/NAME ARGUMENTS\"`",
        "claude",
    ),
    older(
        "a step",
        "options",
        "is an option of older versions",
        "write the whole call: `claude: \"/NAME ARGUMENTS\"`",
        "claude",
    ),
    older(
        "a step",
        "metadata",
        "is an option of older versions",
        "write `timeout`, `retry`, `env` … beside the command",
        "",
    ),
    older(
        "a step",
        "outputs",
        "is an option of older versions",
        "use `capture_output: NAME`, or read `${step.files_changed}`",
        "",
    ),
    older("a step", "step_validate", "is an option of older versions", "write `validate:`", ""),
    older(
        "a step",
        "skip_validation",
        "is an option of older versions",
        "leave `validate:` away",
        "",
    ),
    older(
        "a step",
        "validation_timeout",
        "is an option of older versions",
        "write `timeout:` under `validate:`",
        "",
    ),
    older(
        "a step",
        "ignore_validation_failure",
        "is an option of older versions",
        "write `fail_workflow: false` under `on_incomplete:`",
        "",
    ),
    older(
        "a step",
        "commit_config",
        "is an option of older versions",
        "write `commit_message:` with `auto_commit: true`",
        "",
    ),
    older(
        "a step",
        "clear_env",
        "is an option of older versions",
        "write `shell: \"env -i COMMAND\"`",
        "",
    ),
    older(
        "a step",
        "temporary",
        "is an option of older versions",
        "remove it: `env` of a step always ends with the step",
        "",
    ),
    older("a step", "parallel", "is no option of a step", "use `foreach:` with `parallel:`", ""),
    older(
        "a step",
        "max_attempts",
        "is no option of a step",
        "write `retry: {attempts: N}`, or put it under `on_failure:`",
        "",
    ),
    older("a step", "max_retries", "is no option of a step", "write `retry: N`", ""),
    older("a step", "retries", "is no option of a step", "write `retry: N`", ""),
    older("a step", "timeout_secs", "is no option of a step", "write `timeout:`", ""),
    older("a step", "timeout_seconds", "is no option of a step", "write `timeout:`", ""),
    older("the workflow", "max_iterations", "is no key of a workflow", "run it with `-n N`", ""),
    older(
        "the workflow",
        "active_profile",
        "is no key of a workflow",
        "run it with `--profile NAME`",
        "",
    ),
    older("a step", "if", "is not the name of a condition", "write `when:`", ""),
    older(
        "a step",
        "commands",
        "is no option of a step",
        "write the commands as steps of their own",
        "shell",
    ),
    older(
        "the workflow",
        "defaults",
        "is a key of older versions",
        "write `default:` under each of `parameters:`",
        "",
    ),
    older(
        "the workflow",
        "sub_workflows",
        "is a key of older versions",
        "a step `workflow: FILE` will take its place",
        "",
    ),
    older(
        "the workflow",
        "template",
        "is a key of older versions",
        "`templates:` with a step `use: NAME` will take its place",
        "",
    ),
    older(
        "the workflow",
        "agent_template",
        "belongs under `map:`",
        "write it below `map:`, beside `input:`",
        "",
    ),
    older("the workflow", "agent_merge", "is a key of older versions", "remove it", ""),
    older(
        "`map`",
        "aggregations",
        "is not the name of that key",
        "write `variables: {NAME: {sum: EXPRESSION}}`",
        "",
    ),
    older(
        "`map`",
        "validation",
        "is no key of a map",
        "write `validate:` in a step of `agent_template`",
        "",
    ),
    older("`map`", "limit", "is no key of a map", "write `max_items:`", "max_items"),
    older(
        "`map`",
        "batch_size",
        "is no key of a map",
        "`max_parallel` says how many items run at a time",
        "",
    ),
    older(
        "`map`",
        "checkpoint_interval",
        "is no key of a map",
        "write `checkpoint_frequency:`",
        "",
    ),
    older("`map`", "retry_on_failure", "is no key of a map", "write `retry: N`", ""),
    older(
        "`map`",
        "input_format",
        "is no key of a map",
        "remove it: JSON, JSON Lines and lines are told apart",
        "",
    ),
    older(
        "`map`",
        "commands",
        "is no key of a map",
        "write the steps under `agent_template:`",
        "agent_template",
    ),
    older("`map`", "timeout", "is no key of a map", "write `agent_timeout_secs:`", ""),
    older("an aggregate", "type", "is not the name of that key", "write `function:`", "function"),
    older(
        "an aggregate",
        "strategy",
        "is not the name of that key",
        "write `function:`",
        "function",
    ),
    older(
        "an aggregate",
        "initial",
        "is an option of older versions",
        "remove it: every aggregate begins empty",
        "",
    ),
    older(
        "`validate`",
        "expected_schema",
        "is an option of older versions that never had an effect",
        "remove it",
        "",
    ),
    older(
        "`on_incomplete`",
        "prompt",
        "is an option of older versions that never had an effect",
        "remove it",
        "",
    ),
];

/// Where keys belong that people put elsewhere.
const HOMES: [(&str, &str); 37] = [
    ("max_parallel", "under `map:`"),
    ("agent_template", "under `map:`"),
    ("agent_timeout_secs", "under `map:`"),
    ("json_path", "under `map:` or `foreach:`"),
    ("max_items", "under `map:` or `foreach:`"),
    ("do", "beside `foreach:`"),
    ("on_incomplete", "under `validate:`"),
    ("threshold", "under `validate:` or `goal_seek:`"),
    ("result_file", "under `validate:`"),
    ("strategy", "under `on_failure:`"),
    ("max_attempts", "under `on_failure:`"),
    ("fail_workflow", "under `on_failure:`"),
    ("retry_original", "under `on_failure:`"),
    ("handler_failure_fatal", "under `on_failure:`"),
    ("handlers", "under `on_failure:`"),
    ("backoff", "under `retry:`"),
    ("initial_delay", "under `retry:`"),
    ("max_delay", "under `retry:`"),
    ("retry_on", "under `retry:`"),
    ("retry_budget", "under `retry:`"),
    ("jitter", "under `retry:`"),
    ("attempts", "under `retry:`"),
    ("profiles", "at top level"),
    ("secrets", "at top level"),
    ("env_files", "at top level"),
    ("parameters", "at top level"),
    ("variables", "at top level"),
    ("stages", "at top level"),
    ("finally", "at top level"),
    ("error_policy", "at top level"),
    ("on_item_failure", "at top level"),
    ("continue_on_failure", "at top level"),
    ("max_failures", "at top level"),
    ("failure_threshold", "at top level"),
    ("error_collection", "at top level"),
    ("model", "beside `claude:`, in the step or at top level"),
    ("cache", "beside `command:` of an `env` value"),
];

/// What to say about an older key of `whole`.
#[must_use]
pub fn refusal(whole: &str, name: &str) -> Option<Refusal> {
    let older = find(whole, name)?;
    Some(Refusal { message: format!("`{name}` {}", older.why), help: older.help })
}

/// The key that stands in the place of an older one.
#[must_use]
pub fn replaces(whole: &str, name: &str) -> Option<&'static str> {
    find(whole, name).map(|older| older.new).filter(|new| !new.is_empty())
}

/// Where a key belongs: `under …`, `beside …`, `at top level`.
#[must_use]
pub fn home_of(name: &str) -> Option<&'static str> {
    HOMES.iter().find(|(key, _)| *key == name).map(|(_, home)| *home)
}

fn find(whole: &str, name: &str) -> Option<&'static OlderKey> {
    OLDER_KEYS.iter().find(|older| older.whole == whole && older.name == name)
}
