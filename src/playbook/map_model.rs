//! The MapReduce part of a workflow file as a strict type: every option has its value (SPEC 3.4).

use std::time::Duration;

use serde::Serialize;

use super::failure::{HandlerSet, Retry};
use super::model::{Count, Limit, Step};
use super::position::Position;
use crate::expr::{Expression, ShellText, SortKeys};
use crate::mapreduce::{ErrorPolicy, Function};

/// A workflow with `mode: mapreduce`: the body beside `Steps` and `Stages`.
#[derive(Debug, Clone, Serialize)]
pub struct MapReduce {
    /// `setup:`, when there is one.
    pub setup: Option<Phase>,
    /// `map:`.
    pub map: MapPhase,
    /// `reduce:`, when there is one.
    pub reduce: Option<Phase>,
    /// `merge:`, when there is one.
    pub merge: Option<Phase>,
    /// `error_policy:`, also from its keys at top level.
    pub error_policy: ErrorPolicy,
    /// `error_policy.retry_config:`: how items are retried with `on_item_failure: retry`
    /// (default 3 attempts); `map.retry` when that is written instead.
    pub item_retry: Option<Retry>,
}

/// `setup:`, `reduce:` or `merge:`: steps in order.
#[derive(Debug, Clone, Serialize)]
pub struct Phase {
    /// Where it stands.
    #[serde(skip)]
    pub at: Position,
    /// The list itself, or `commands:`.
    pub steps: Vec<Step>,
    /// `timeout:` of all its steps together, in active time.
    pub timeout: Option<Limit>,
    /// `on_failure:` of phase scope.
    pub on_failure: Option<HandlerSet>,
    /// `capture_outputs:` (setup only): name → the command whose output it is.
    pub capture_outputs: Vec<SetupCapture>,
}

/// One entry of `setup.capture_outputs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetupCapture {
    /// The name.
    pub name: String,
    /// The command, counted from 1; files count from 0 (`command_index`).
    pub step: usize,
    /// `source:`.
    pub streams: super::model::CaptureStreams,
}

/// `map:`.
#[derive(Debug, Clone, Serialize)]
pub struct MapPhase {
    /// Where it stands.
    #[serde(skip)]
    pub at: Position,
    /// `input:`: a file (relative to the working directory of the run, which may be made by
    /// the setup), or a command when there is no such file.
    pub input: ShellText,
    /// `json_path:` (RFC 9535), checked when the file is read; absent: the items of the document.
    pub json_path: Option<String>,
    /// `filter:`.
    pub filter: Option<Expression>,
    /// `sort_by:`.
    pub sort_by: Option<SortKeys>,
    /// `distinct:`: an expression key.
    pub distinct: Option<Expression>,
    /// `offset:` (default 0).
    pub offset: Count,
    /// `max_items:`.
    pub max_items: Option<Count>,
    /// `agent_template:`: the steps of one item.
    pub steps: Vec<Step>,
    /// `max_parallel:` at least 1 (default 10).
    pub max_parallel: Count,
    /// `agent_timeout_secs:`, or `timeout_config`: of one attempt of one item.
    pub timeout: ItemTimeout,
    /// `checkpoint_frequency:`: a snapshot and a version every so many items, at least 1.
    pub checkpoint_frequency: Option<u64>,
    /// `isolation:` of the items.
    pub isolation: Isolation,
    /// `variables:`: aggregates over the results, known from the reduce on.
    pub variables: Vec<AggregateVariable>,
    /// `executor:`.
    pub executor: Executor,
}

/// `agent_timeout_secs:` and `timeout_config:`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ItemTimeout {
    /// `agent_timeout_secs:`; `None` is no limit.
    pub item: Option<Limit>,
    /// `command_timeouts:`: kind of step → its limit where the step has none of its own.
    pub commands: Vec<(String, Duration)>,
    /// `timeout_policy:`: which of the two count.
    pub policy: TimeoutPolicy,
    /// `cleanup_grace_period_secs:` between the request to stop and the kill.
    pub grace: Option<Duration>,
    /// `timeout_action:`.
    pub action: TimeoutAction,
}

/// `timeout_policy:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeoutPolicy {
    /// `PerAgent` (default): the limit of the item.
    PerItem,
    /// `PerCommand`: the limits of the commands.
    PerCommand,
    /// `Hybrid`: both.
    Both,
}

/// `timeout_action:`: what a timeout means for its item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeoutAction {
    /// `Dlq`, `GracefulTerminate` (default): a failure as every other, which the error policy answers.
    Fail,
    /// `Skip`: the item is skipped whatever the error policy says.
    Skip,
    /// `Fail`: the map stops.
    Stop,
}

/// `isolation:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// All items work in the directory of the run (default).
    None,
    /// Each item works in a git worktree of its own.
    Worktree,
}

/// `executor:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Executor {
    /// On this machine (default).
    Local,
}

/// One entry of `map.variables`: `NAME: {FUNCTION: EXPRESSION}`, or `NAME: FUNCTION` for all items.
///
/// The expressions see `item`, `item_id` and what the item's steps captured; only items
/// that succeeded count.
#[derive(Debug, Clone, Serialize)]
pub struct AggregateVariable {
    /// Where it stands.
    #[serde(skip)]
    pub at: Position,
    /// Its name.
    pub name: String,
    /// How values become one.
    pub function: Function,
    /// The value of one item; absent: the item itself.
    pub value: Option<Expression>,
    /// `by:` of `group_by`: the key of one item; absent: the value.
    pub key: Option<Expression>,
    /// `filter:`: items for which it is not true do not count.
    pub filter: Option<Expression>,
}
