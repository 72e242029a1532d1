//! The built-in names of SPEC 4.1: which fields they have and where they are known (DECISIONS B35).

/// Where in a workflow a built-in name has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
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
pub(super) enum Fields {
    /// Nothing: it is a plain value.
    None,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Anything: its shape is not known beforehand.
    Any,
}

/// One built-in first name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Builtin {
    /// The name.
    pub(super) name: &'static str,
    /// What may follow it.
    pub(super) fields: Fields,
    /// Where it is known.
    pub(super) known: Known,
}

/// The fields of a step's result: of `ID`, `shell`, `claude` and `last`.
pub(super) const RESULT_FIELDS: &[&str] = &[
    "output",
    "stdout",
    "stderr",
    "exit_code",
    "success",
    "failed",
    "skipped",
    "duration",
    "attempts",
    "error",
    "partial_success",
    "recovered",
    "handler",
];

/// The fields of a result that hold text printed by a command.
pub(super) const TEXT_FIELDS: &[&str] = &["output", "stdout", "stderr", "error", "handler"];

pub(super) const AGENT_FIELDS: &[&str] = &[
    "output",
    "stdout",
    "stderr",
    "exit_code",
    "success",
    "failed",
    "skipped",
    "duration",
    "attempts",
    "error",
    "partial_success",
    "recovered",
    "handler",
    "cost_usd",
    "session_id",
    "tokens",
    "turns",
];

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
pub(super) const BUILTINS: &[Builtin] = &[
    builtin("shell", Fields::OneOf(RESULT_FIELDS), Known::Everywhere),
    builtin("claude", Fields::OneOf(AGENT_FIELDS), Known::Everywhere),
    builtin("last", Fields::OneOf(RESULT_FIELDS), Known::Everywhere),
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

/// The built-in called `name`.
pub(super) fn find(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name)
}

/// What files for older versions wrote, and what to write instead (DECISIONS B22).
pub(super) fn newer_spelling(name: &str) -> Option<&'static str> {
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
