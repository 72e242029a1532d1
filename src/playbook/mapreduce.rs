//! What a map workflow says: setup, map, reduce and what failures of items mean (SPEC 3.4).

use std::num::NonZeroU32;
use std::time::Duration;

use serde::Serialize;

use super::failure::Retry;
use super::model::{Count, Limit, Stage, Step};
use super::position::Position;
use crate::expr::{Expression, ShellText, SortKeys};

/// The body of a workflow with `map:`.
#[derive(Debug, Clone, Serialize)]
pub struct MapReduce {
    /// `setup:`, as a stage called `setup`; absent without one.
    pub setup: Option<Stage>,
    /// `map:`.
    pub map: Map,
    /// `reduce:`, as a stage called `reduce`; absent without one.
    pub reduce: Option<Stage>,
    /// `error_policy:`, also from the same keys at top level.
    pub policy: ErrorPolicy,
}

/// `map:`.
#[derive(Debug, Clone, Serialize)]
pub struct Map {
    /// Where it stands.
    #[serde(skip)]
    pub at: Position,
    /// `input:`: a file, or a command when there is no such file.
    pub input: ShellText,
    /// `json_path:` (RFC 9535).
    pub json_path: Option<String>,
    /// `filter:`.
    pub filter: Option<Expression>,
    /// `sort_by:`.
    pub sort_by: Option<SortKeys>,
    /// `distinct:`.
    pub distinct: Option<Expression>,
    /// `offset:`.
    pub offset: u64,
    /// `max_items:`.
    pub max_items: Option<Count>,
    /// `agent_template:`: the steps of each item.
    pub template: Vec<Step>,
    /// `max_parallel:` (default 10).
    pub max_parallel: Count,
    /// `agent_timeout_secs:`, `timeout_config.agent_timeout_secs:`: of one run of an item.
    pub item_timeout: Option<Limit>,
    /// `retry:`, or `error_policy.retry_config:`: an item that fails runs again as a whole.
    pub retry: Option<Retry>,
    /// `checkpoint_frequency:`: a restore point after every so many items.
    pub checkpoint_frequency: Option<u32>,
    /// `variables:`: aggregates over the results, for reduce.
    pub variables: Vec<Aggregate>,
}

/// One entry of `map.variables`.
#[derive(Debug, Clone, Serialize)]
pub struct Aggregate {
    /// Its name in reduce.
    pub name: String,
    /// What is computed.
    pub function: Function,
    /// Over which value of each result (its `output`, `duration`, `variables`, and the fields of
    /// both where they are JSON); the whole output without it.
    pub of: Option<Expression>,
    /// `by:` of `group_by`: the key.
    pub by: Option<Expression>,
}

/// How the values of an aggregate become one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// How many.
    Count,
    /// Their sum.
    Sum,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// Their mean.
    Average,
    /// The middle one, or the mean of the two in the middle.
    Median,
    /// The standard deviation of the population.
    Stddev,
    /// The variance of the population.
    Variance,
    /// All, without repetitions.
    Unique,
    /// All.
    Collect,
    /// One text, with this between the parts.
    Concat {
        /// `separator:` (default empty).
        separator: String,
    },
    /// One object.
    Merge,
    /// One list out of lists.
    Flatten,
    /// All, sorted.
    Sort(Direction),
    /// Lists by key: each value is given with its key, see `mapreduce`.
    GroupBy,
}

/// The direction of [`Function::Sort`]; nulls do not occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The least first.
    #[default]
    Ascending,
    /// The greatest first.
    Descending,
}

impl Function {
    /// The function of this name, with its default options.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "count" => Self::Count,
            "sum" => Self::Sum,
            "min" => Self::Min,
            "max" => Self::Max,
            "average" | "avg" => Self::Average,
            "median" => Self::Median,
            "stddev" => Self::Stddev,
            "variance" => Self::Variance,
            "unique" => Self::Unique,
            "collect" => Self::Collect,
            "concat" => Self::Concat { separator: String::new() },
            "merge" => Self::Merge,
            "flatten" => Self::Flatten,
            "sort" => Self::Sort(Direction::Ascending),
            "group_by" => Self::GroupBy,
            _ => return None,
        })
    }

    /// All names, as people write them.
    pub const NAMES: [&'static str; 15] = [
        "count", "sum", "min", "max", "average", "median", "stddev", "variance", "unique",
        "collect", "concat", "merge", "flatten", "sort", "group_by",
    ];
}

/// `error_policy:`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ErrorPolicy {
    /// `on_item_failure:`.
    pub on_item_failure: OnItemFailure,
    /// `continue_on_failure:`: false stops the map at the first item that failed for good.
    pub continue_on_failure: bool,
    /// `max_failures:`: so many items may fail; `None`: not said (0 for the exit code, but the
    /// map goes on).
    pub max_failures: Option<u64>,
    /// `failure_threshold:`: this share of items (0–1) may fail.
    pub failure_threshold: Option<f64>,
    /// `circuit_breaker:`.
    pub circuit_breaker: Option<BreakerLimits>,
    /// `error_collection:`.
    pub error_collection: ErrorCollection,
}

/// `error_policy.on_item_failure:`, once the item has used up its retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnItemFailure {
    /// It waits in the dead letter queue (default; also `retry`, which asks for retries before).
    Dlq,
    /// It is passed over.
    Skip,
    /// The map stops.
    Stop,
}

/// `error_policy.circuit_breaker:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BreakerLimits {
    /// `failure_threshold:`: so many failures in a row open it (default 5).
    pub failure_threshold: NonZeroU32,
    /// `success_threshold:`: so many successful probes close it (default 3).
    pub success_threshold: NonZeroU32,
    /// `timeout:` from its opening to the first probe (default 30 s).
    pub timeout: Duration,
    /// `half_open_requests:`: so many probes run at a time (default 3).
    pub half_open_requests: NonZeroU32,
}

impl Default for BreakerLimits {
    fn default() -> Self {
        const THREE: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);
        Self {
            failure_threshold: THREE.saturating_add(2),
            success_threshold: THREE,
            timeout: Duration::from_secs(30),
            half_open_requests: THREE,
        }
    }
}

/// `error_policy.error_collection:`: when errors of items are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCollection {
    /// At the end.
    Aggregate,
    /// As they happen (default).
    #[default]
    Immediate,
    /// Every so many.
    Batched(NonZeroU32),
}

impl Default for ErrorPolicy {
    fn default() -> Self {
        Self {
            on_item_failure: OnItemFailure::Dlq,
            continue_on_failure: true,
            max_failures: None,
            failure_threshold: None,
            circuit_breaker: None,
            error_collection: ErrorCollection::default(),
        }
    }
}
