//! The built-in names of SPEC 4.1: which fields they have and where they are known (DECISIONS B35).
//! The one table of them: what is checked here is what the executor resolves.

use crate::session::StepKind;

/// Where in a workflow a built-in name has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Everywhere.
    Everywhere,
    /// In failure handlers and in `finally`.
    InHandlers,
    /// In the steps of a `foreach` or a map.
    InLoops,
    /// After a `validate`, and in its `on_incomplete`.
    AfterValidation,
    /// In workflows that have stages, or the phases of a map.
    WithStages,
    /// When the items of a map are known: in its steps and later.
    FromMapOn,
    /// When the items of a map have ended: in `reduce` and later.
    AfterMap,
    /// In the commands of `merge`.
    InMerge,
}

/// What may follow a built-in name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fields {
    /// Nothing: it is a plain value.
    None,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// A field of the latest result of a step of this kind, or of any kind.
    Result(Option<StepKind>),
    /// Anything: its shape is not known beforehand.
    Any,
}

/// One built-in first name.
#[derive(Debug, Clone, Copy)]
pub struct Builtin {
    /// The name.
    pub name: &'static str,
    /// What may follow it.
    pub fields: Fields,
    /// Where it is known.
    pub known: Known,
}

/// A field of a step's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultField {
    /// What it printed on stdout, or the agent's answer.
    Output,
    /// What it printed on stderr.
    Stderr,
    /// Its exit code.
    ExitCode,
    /// Whether its own command finally succeeded.
    Success,
    /// Whether it failed for good.
    Failed,
    /// Whether it was skipped.
    Skipped,
    /// Seconds it took.
    Duration,
    /// How often it ran.
    Attempts,
    /// Why it failed.
    Error,
    /// Whether it failed and its handlers dealt with it.
    Recovered,
    /// What the handler said that answered its failure.
    Handler,
    /// What each round gave.
    Results,
    /// Dollars.
    CostUsd,
    /// The agent's conversation.
    SessionId,
    /// Tokens.
    Tokens,
    /// Turns of the agent.
    Turns,
}

/// Which steps have a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// All.
    Every,
    /// Loops.
    Foreach,
    /// Agents.
    Claude,
}

/// The fields of a step's result, as they are written: of `ID`, `shell`, `claude` and `last`.
pub const RESULT_FIELDS: &[(&str, ResultField, Of)] = &[
    ("output", ResultField::Output, Of::Every),
    ("stdout", ResultField::Output, Of::Every),
    ("stderr", ResultField::Stderr, Of::Every),
    ("exit_code", ResultField::ExitCode, Of::Every),
    ("success", ResultField::Success, Of::Every),
    ("failed", ResultField::Failed, Of::Every),
    ("skipped", ResultField::Skipped, Of::Every),
    ("duration", ResultField::Duration, Of::Every),
    ("attempts", ResultField::Attempts, Of::Every),
    ("error", ResultField::Error, Of::Every),
    ("partial_success", ResultField::Recovered, Of::Every),
    ("recovered", ResultField::Recovered, Of::Every),
    ("handler", ResultField::Handler, Of::Every),
    ("results", ResultField::Results, Of::Foreach),
    ("cost_usd", ResultField::CostUsd, Of::Claude),
    ("session_id", ResultField::SessionId, Of::Claude),
    ("tokens", ResultField::Tokens, Of::Claude),
    ("turns", ResultField::Turns, Of::Claude),
];

impl ResultField {
    /// The field that is written so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        RESULT_FIELDS.iter().find(|(known, ..)| *known == name).map(|(_, field, _)| *field)
    }

    /// True for text that a command, an agent or an error gave.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self, Self::Output | Self::Stderr | Self::Error | Self::Handler)
    }
}

/// The names of the fields that a result of a step of this kind has.
#[must_use]
pub fn result_fields(kind: StepKind) -> Vec<&'static str> {
    let of = match kind {
        StepKind::Foreach => Of::Foreach,
        StepKind::Claude => Of::Claude,
        _ => Of::Every,
    };
    let has = |(name, _, whose): &(&'static str, ResultField, Of)| {
        (*whose == Of::Every || *whose == of).then_some(*name)
    };
    RESULT_FIELDS.iter().filter_map(has).collect()
}

const ERROR_FIELDS: &[&str] = &[
    "message",
    "exit_code",
    "step",
    "kind",
    "class",
    "attempt",
    "output",
    "stderr",
    "timestamp",
    "correlation_id",
];

const MAP_FIELDS: &[&str] =
    &["total", "successful", "failed", "skipped", "results", "results_file", "errors"];

const STEP_FIELDS: &[&str] = &[
    "files_added",
    "files_modified",
    "files_deleted",
    "files_changed",
    "commits",
    "commit_count",
    "insertions",
    "deletions",
];

const WORKFLOW_FIELDS: &[&str] = &[
    "name",
    "id",
    "dir",
    "status",
    "files_added",
    "files_modified",
    "files_deleted",
    "files_changed",
    "commits",
    "commit_count",
    "insertions",
    "deletions",
];

const fn builtin(name: &'static str, fields: Fields, known: Known) -> Builtin {
    Builtin { name, fields, known }
}

/// All of them.
pub const BUILTINS: &[Builtin] = &[
    builtin("shell", Fields::Result(Some(StepKind::Shell)), Known::Everywhere),
    builtin("claude", Fields::Result(Some(StepKind::Claude)), Known::Everywhere),
    builtin("last", Fields::Result(None), Known::Everywhere),
    builtin("error", Fields::OneOf(ERROR_FIELDS), Known::InHandlers),
    builtin("item", Fields::Any, Known::InLoops),
    builtin("item_id", Fields::None, Known::InLoops),
    builtin("item_index", Fields::None, Known::InLoops),
    builtin("item_total", Fields::None, Known::InLoops),
    builtin("validation", Fields::Any, Known::AfterValidation),
    builtin("map", Fields::OneOf(MAP_FIELDS), Known::AfterMap),
    builtin("merge", Fields::Any, Known::InMerge),
    builtin("job", Fields::OneOf(&["id"]), Known::FromMapOn),
    builtin("workflow", Fields::OneOf(WORKFLOW_FIELDS), Known::Everywhere),
    builtin("session", Fields::OneOf(&["id"]), Known::Everywhere),
    builtin("stage", Fields::OneOf(&["name"]), Known::WithStages),
    builtin("step", Fields::OneOf(STEP_FIELDS), Known::Everywhere),
    builtin("attempt", Fields::None, Known::Everywhere),
    builtin("ARG", Fields::None, Known::Everywhere),
    builtin("env", Fields::Any, Known::Everywhere),
];

impl Fields {
    /// Their names, where they are known beforehand.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        match self {
            Self::None | Self::Any => Vec::new(),
            Self::OneOf(names) => names.to_vec(),
            Self::Result(Some(kind)) => result_fields(kind),
            Self::Result(None) => RESULT_FIELDS.iter().map(|(name, ..)| *name).collect(),
        }
    }

    /// True when `field` may follow.
    #[must_use]
    pub fn has(self, field: &str) -> bool {
        match self {
            Self::None => false,
            Self::Any => true,
            Self::OneOf(_) | Self::Result(_) => self.names().contains(&field),
        }
    }
}

/// The built-in called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name)
}

/// What files for older versions wrote, and what to write instead (DECISIONS B22).
#[must_use]
pub fn newer_spelling(name: &str) -> Option<&'static str> {
    Some(match name {
        "foreach" => "write `${item}` or `${item_index}` inside `do:`",
        "item_json" => "write `${item | json}`",
        "test" => "in a handler write `${error.output}`; elsewhere give the step an `id: test`",
        "handler" => "write `${ID.handler.output}` with the id of the step it belongs to",
        "CAPTURED_OUTPUT" => "write `${last.output}`",
        "PROJECT_ROOT" | "WORKTREE" => "write `${workflow.dir}`",
        "INDEX" => "write `${item_index}`",
        "TOTAL" => "write `${item_total}`",
        _ => return None,
    })
}
