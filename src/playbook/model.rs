//! The one strict type that a workflow file becomes: every option has its value (SPEC 3).
//!
//! Everything here serializes; the canonical JSON of a step without its position is
//! what its content hash is made of (DECISIONS A5).

use std::time::Duration;

use serde::Serialize;

use super::failure::{HandlerSet, Retry};
use super::mapreduce::MapReduce;
use super::position::Position;
use super::recovery::Recovery;
use crate::expr::{Expression, ShellText, Template, Value};

pub use super::requirements::Requirements;

pub use super::inputs::{
    Constant, EnvEntry, EnvValue, Parameter, ParameterKind, Profile, Secret, SecretSource, Variable,
};

/// A whole workflow, ready to run.
#[derive(Debug, Clone, Serialize)]
pub struct Workflow {
    /// `name:`, or else the file stem.
    pub name: String,
    /// `description:`.
    pub description: Option<String>,
    /// Steps or stages.
    pub body: Body,
    /// `variables:` in file order; texts may hold `${…}` of parameters and earlier variables.
    pub variables: Vec<Variable>,
    /// `parameters:` in file order.
    pub parameters: Vec<Parameter>,
    /// `env:` in file order.
    pub env: Vec<EnvEntry>,
    /// `env_files:`, relative to the working directory of the run.
    pub env_files: Vec<Template>,
    /// `secrets:`.
    pub secrets: Vec<Secret>,
    /// `profiles:`: name → environment entries that replace those of `env`.
    pub profiles: Vec<Profile>,
    /// `timeout:` of the whole session, counted in active time.
    pub timeout: Option<Limit>,
    /// `on_failure:` of workflow scope.
    pub on_failure: Option<HandlerSet>,
    /// `finally:`: steps at the orderly end of each run.
    pub finally: Vec<Step>,
    /// `snapshots:`.
    pub snapshots: Snapshots,
    /// `recovery:`.
    pub recovery: Recovery,
    /// `shell:`: program and arguments in front of the command text.
    pub shell: Shell,
    /// `claude:` defaults of agent steps.
    pub claude: ClaudeDefaults,
    /// `continue_on_error:` at top level: the next pass of `--arg`/`--map` starts although one failed.
    pub continue_on_error: bool,
    /// `budget:` of the whole session.
    pub budget: Budget,
    /// `limits:`.
    pub limits: Limits,
    /// `capture_limit:` in bytes: a larger captured value fails its step (default 16 MB).
    pub capture_limit: u64,
    /// `artifacts:` of the whole workflow: paths and patterns of files that it makes.
    pub artifacts: Vec<Template>,
    /// `requires:` of the whole workflow.
    pub requires: Requirements,
}

/// `snapshots:`: when the files of a git working tree are kept, besides before each recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Snapshots {
    /// At explicit checkpoints, at ends of stages and phases, before and after agent steps, and
    /// otherwise as often as it takes at most 5 % of the time.
    #[default]
    Auto,
    /// At every checkpoint.
    Always,
    /// At explicit checkpoints and at ends of stages and phases.
    Explicit,
    /// Never.
    Off,
}

/// What a workflow consists of.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// `commands:`.
    Steps(Vec<Step>),
    /// `stages:`.
    Stages(Vec<Stage>),
    /// `map:` with its setup and reduce.
    MapReduce(Box<MapReduce>),
}

/// One stage; its end is a named checkpoint (SPEC 3.2).
#[derive(Debug, Clone, Serialize)]
pub struct Stage {
    /// Where it stands.
    #[serde(skip)]
    pub at: Position,
    /// `name:`, unique.
    pub name: String,
    /// `commands:`.
    pub steps: Vec<Step>,
    /// `when:`.
    pub when: Option<Expression>,
    /// `env:` of its steps.
    pub env: Vec<EnvEntry>,
    /// `timeout:` of one pass over its steps.
    pub timeout: Option<Limit>,
    /// `retry:`: the whole stage runs again.
    pub retry: Option<Retry>,
    /// `on_failure:` of stage scope.
    pub on_failure: Option<HandlerSet>,
    /// `checkpoint: NAME`: what its end is called besides.
    pub checkpoint: Option<String>,
    /// `requires_confirmation:`.
    pub requires_confirmation: bool,
}

/// One step (SPEC 3.3).
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// Where it stands.
    #[serde(skip)]
    pub at: Position,
    /// `id:`: its name in variables.
    pub id: Option<String>,
    /// `name:`: only shown.
    pub name: Option<Template>,
    /// What it does.
    pub action: Action,
    /// `when:`.
    pub when: Option<Expression>,
    /// `timeout:` of one attempt.
    pub timeout: Option<Limit>,
    /// `retry:`, with `retry_defaults` filled in.
    pub retry: Option<Retry>,
    /// `env:`.
    pub env: Vec<EnvEntry>,
    /// `working_dir:`.
    pub working_dir: Option<Template>,
    /// `capture_output`, `capture`, `capture_format`, `capture_streams`.
    pub capture: Capture,
    /// `output_file:`.
    pub output_file: Option<Template>,
    /// `on_failure:` of step scope.
    pub on_failure: Option<HandlerSet>,
    /// `on_success:`.
    pub on_success: Vec<Step>,
    /// `on_exit_code:`: code → steps, tried before `on_failure`.
    pub on_exit_code: Vec<(u8, Vec<Step>)>,
    /// `continue_on_error:`.
    pub continue_on_error: bool,
    /// `checkpoint:`.
    pub checkpoint: Checkpoint,
    /// `on_resume:`.
    pub on_resume: OnResume,
    /// `requires_confirmation:`.
    pub requires_confirmation: bool,
    /// `commit_required:`.
    pub commit_required: bool,
    /// `auto_commit:`.
    pub auto_commit: bool,
    /// `commit_message:` of `auto_commit`.
    pub commit_message: Option<Template>,
    /// `validate:`.
    pub validate: Option<Box<Validate>>,
    /// `artifacts:`: paths and patterns of files that it makes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<Template>,
    /// `requires:`; no part of its content hash, because it changes nothing of what the step does.
    #[serde(skip)]
    pub requires: Requirements,
}

/// The kind of a step.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// `shell:` (and the older `test:`).
    Shell(ShellText),
    /// `claude:`.
    Claude(Box<ClaudeCall>),
    /// `goal_seek:`.
    GoalSeek(Box<GoalSeek>),
    /// `foreach:`.
    Foreach(Box<Foreach>),
    /// `write_file:`.
    WriteFile(Box<WriteFile>),
}

/// Program and arguments that a command text is appended to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shell {
    /// e.g. `sh`, `-c`.
    pub words: Vec<String>,
}

/// An agent call.
#[derive(Debug, Clone, Serialize)]
pub struct ClaudeCall {
    /// The prompt.
    pub prompt: Template,
    /// Step options over the workflow's defaults.
    pub options: ClaudeDefaults,
    /// `output_schema:`: JSON Schema that the final text must satisfy.
    pub output_schema: Option<Value>,
}

/// Options of agent steps, at workflow or step level; `None` and empty mean "not said here".
#[derive(Debug, Clone, Default, Serialize)]
pub struct ClaudeDefaults {
    /// `model:`.
    pub model: Option<Template>,
    /// `permission_mode:` as the CLI spells it.
    pub permission_mode: Option<String>,
    /// `allowed_tools:`.
    pub allowed_tools: Vec<String>,
    /// `skip_permissions:`.
    pub skip_permissions: Option<bool>,
    /// `max_turns:`, at least 1.
    pub max_turns: Option<u32>,
    /// `max_budget_usd:`.
    pub max_budget_usd: Option<f64>,
    /// `extra_args:`.
    pub extra_args: Vec<String>,
    /// `command:`: the program instead of `claude`, with leading arguments.
    pub command: Vec<String>,
}

/// `goal_seek:`.
#[derive(Debug, Clone, Serialize)]
pub struct GoalSeek {
    /// `goal:`.
    pub goal: Template,
    /// The step that improves (`claude` or `shell`).
    pub improve: Step,
    /// The step whose output holds the score (`validate`).
    pub measure: Step,
    /// `threshold:` 0–100 (default 100).
    pub threshold: f64,
    /// `max_attempts:`.
    pub max_attempts: u32,
    /// `timeout_seconds:` for all attempts together.
    pub timeout: Option<Limit>,
    /// `fail_on_incomplete:`.
    pub fail_on_incomplete: bool,
}

/// `foreach:`.
#[derive(Debug, Clone, Serialize)]
pub struct Foreach {
    /// Where the items come from.
    pub items: Items,
    /// `do:`.
    pub steps: Vec<Step>,
    /// `parallel:`: how many rounds at a time (1 = in order; `true` = 10).
    pub parallel: Count,
    /// `max_items:`.
    pub max_items: Option<Count>,
    /// `continue_on_error:` of the loop.
    pub continue_on_error: bool,
}

/// Where the items of a loop come from.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Items {
    /// Written in the file; texts may hold `${…}`, and an item that is exactly one hole
    /// naming a list stands for its elements.
    List(Vec<ItemTemplate>),
    /// The output of a command: JSON array, JSON Lines or plain lines.
    Command(ShellText),
    /// `input:` file (or command when no such file exists) with an optional `json_path`.
    Input {
        /// The file or command.
        input: ShellText,
        /// RFC 9535 path; the whole document when absent.
        json_path: Option<String>,
    },
    /// A text that is nothing but one `${…}`: the list of that name.
    Value(Template),
}

/// One written item.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemTemplate {
    /// Text with holes.
    Text(Template),
    /// Any other YAML value.
    Constant(Value),
}

/// `write_file:`.
#[derive(Debug, Clone, Serialize)]
pub struct WriteFile {
    /// `path:`.
    pub path: Template,
    /// `content:`.
    pub content: Template,
    /// `format:`.
    pub format: FileFormat,
    /// `mode:` permission bits.
    pub mode: Option<u32>,
    /// `create_dirs:`.
    pub create_dirs: bool,
}

/// How `write_file` checks and lays out its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// As it is.
    Text,
    /// Must be JSON; written indented.
    Json,
    /// Must be YAML; written as block YAML.
    Yaml,
}

/// `validate:`: a validation loop after a step succeeded.
#[derive(Debug, Clone, Serialize)]
pub struct Validate {
    /// The steps whose last output is the result.
    pub steps: Vec<Step>,
    /// `result_file:` to read the result from instead of the output.
    pub result_file: Option<Template>,
    /// `threshold:` 0–100.
    pub threshold: f64,
    /// `timeout:` of one validation.
    pub timeout: Option<Limit>,
    /// `on_incomplete:`.
    pub on_incomplete: Option<OnIncomplete>,
}

/// `validate.on_incomplete:`.
#[derive(Debug, Clone, Serialize)]
pub struct OnIncomplete {
    /// The steps that complete the work.
    pub steps: Vec<Step>,
    /// `max_attempts:` (default 2).
    pub max_attempts: u32,
    /// `fail_workflow:` (default true).
    pub fail_workflow: bool,
    /// `commit_required:`.
    pub commit_required: bool,
}

/// What is captured of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Capture {
    /// The name of `capture_output: NAME` or `capture: NAME`.
    pub name: Option<String>,
    /// `capture_format:`; `None` keeps the text and lets paths look into JSON.
    pub format: Option<CaptureFormat>,
    /// `capture_streams:`.
    pub streams: CaptureStreams,
}

/// `capture_format:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureFormat {
    /// Text.
    String,
    /// A JSON document.
    Json,
    /// A list of lines.
    Lines,
    /// A number.
    Number,
    /// `true`/`false`, `yes`/`no`, `1`/`0`, or else whether the command succeeded.
    Boolean,
}

/// `capture_streams:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CaptureStreams {
    /// stdout is in the captured value (default).
    pub stdout: bool,
    /// stderr is in the captured value.
    pub stderr: bool,
}

/// `checkpoint:`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Checkpoint {
    /// Only the restore point every finished step is.
    Implicit,
    /// `true`: an explicit one.
    Explicit,
    /// A name for `--from-checkpoint`.
    Named(String),
}

/// `on_resume:`: what happens to a step that a crash or interrupt caught running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnResume {
    /// Run it again.
    Rerun,
    /// Ask a person.
    Confirm,
    /// Take it as skipped.
    Skip,
    /// Take it as failed.
    Fail,
    /// Run it again at the start of every resume, also when it had finished.
    Always,
}

/// A time limit: written, or a `${…}` resolved when the step starts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// A duration greater than zero.
    Fixed(Duration),
    /// Text that must become a duration.
    Computed(Template),
}

/// A count: written, or a `${…}` resolved when it is needed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// A number.
    Fixed(u64),
    /// Text that must become a number.
    Computed(Template),
}

/// `budget:`; `None` is no limit.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Budget {
    /// `usd:`.
    pub usd: Option<f64>,
    /// `tokens:`.
    pub tokens: Option<u64>,
    /// `agent_calls:`.
    pub agent_calls: Option<u64>,
    /// `wall_time:` in active time over all runs.
    pub wall_time: Option<Duration>,
}

/// `limits:`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Limits {
    /// `max_wait:` for a provider limit before the session parks.
    pub max_wait: Option<Duration>,
    /// `idle_timeout:` of an agent that prints nothing.
    pub idle_timeout: Option<Duration>,
}
