//! What a workflow says about failures: retries and handlers (SPEC 3.3 `retry`, section 6).

use std::time::Duration;

use serde::Serialize;

use super::model::{Limit, Step};
use super::position::Position;
use crate::expr::{Expression, Template};
use crate::session::FailureClass;

/// `retry:` of a step or stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Retry {
    /// Runs in all, at least 1.
    pub attempts: u32,
    /// How delays grow.
    pub backoff: Backoff,
    /// The first delay.
    pub initial_delay: Duration,
    /// No delay is longer.
    pub max_delay: Duration,
    /// Each delay is shortened by a random part of up to this share (0–1).
    pub jitter: f64,
    /// Which failures are retried; empty retries all.
    pub retry_on: Vec<RetryOn>,
    /// No retry starts after this much active time since the first attempt.
    pub budget: Option<Duration>,
    /// What an exhausted retry means.
    pub on_failure: RetryExhausted,
}

/// How the delay grows from attempt to attempt.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Backoff {
    /// Always the initial delay.
    Fixed,
    /// Grows by this much each time.
    Linear {
        /// The increment.
        increment: Duration,
    },
    /// Multiplied by this factor each time.
    Exponential {
        /// The factor, at least 1.
        factor: f64,
    },
    /// 1, 1, 2, 3, 5 … times the initial delay.
    Fibonacci,
}

/// One entry of `retry_on`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryOn {
    /// A class of failure: `network`, `timeout`, `rate_limit`, `server_error`, ….
    Class(FailureClass),
    /// An exit code.
    ExitCode(i32),
    /// A regular expression over message, stdout and stderr.
    Pattern(String),
}

/// `retry.on_failure:`: what happens when the attempts are used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryExhausted {
    /// The step failed; its handlers run.
    Stop,
    /// The failure is recorded and the workflow goes on.
    Continue,
    /// The step's `on_failure` handlers stand in for it (as `strategy: fallback`).
    Fallback,
}

/// Everything `on_failure:` can say, in all its shapes, at one scope.
#[derive(Debug, Clone, Serialize)]
pub struct HandlerSet {
    /// In the order they are tried: priority (higher first), then file order.
    pub handlers: Vec<Handler>,
    /// `on_failure: true`: the failure is ignored. No handlers then.
    pub ignore: bool,
}

/// One handler: some steps with a condition and a strategy.
#[derive(Debug, Clone, Serialize)]
pub struct Handler {
    /// Where it stands.
    #[serde(skip)]
    pub at: Position,
    /// `id:`.
    pub id: Option<String>,
    /// `when:`/`condition:`.
    pub condition: Condition,
    /// `scope:`: the handler only answers failures that come from there.
    pub scope: Option<HandlerScope>,
    /// `timeout:` of all its steps together.
    pub timeout: Option<Limit>,
    /// `retry:` of the handler as a whole.
    pub retry: Option<Retry>,
    /// Its commands.
    pub steps: Vec<Step>,
    /// What its success means.
    pub strategy: Strategy,
    /// `max_attempts:`: runs of the original in all; more than 1 runs it again after the handler.
    pub max_attempts: u32,
    /// `retry_original:`: run the original again after the handler succeeded.
    pub retry_original: bool,
    /// `fail_workflow:`; absent: an exhausted failure goes outward.
    pub fail_workflow: Option<bool>,
    /// `handler_failure_fatal:`: when it fails, no further handler is tried and the failure goes outward.
    pub failure_fatal: bool,
    /// `commit_required:`.
    pub commit_required: bool,
    /// `capture:`: its output under this name.
    pub capture: Option<String>,
    /// Nested `on_failure:` for the handler's own failure.
    pub on_failure: Option<Box<HandlerSet>>,
    /// `on_success:` inside a handler: steps after it succeeded.
    pub on_success: Vec<Step>,
}

/// A handler's condition. A malformed one never stops the file from running: it is
/// recorded as a failed handler and the next one is tried (SPEC 6.2); `validate` reports it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// None given.
    Always,
    /// A well-formed expression.
    When(Expression),
    /// Text that does not parse, with the reason.
    Malformed {
        /// As written.
        source: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// `scope:` of a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HandlerScope {
    /// The command itself failed (exit, signal, timeout).
    Command,
    /// A step failed, also by its checks (commit, validation, capture).
    Step,
    /// A stage or phase failed.
    Phase,
    /// Any failure that reached the workflow.
    Workflow,
}

/// `strategy:` with the keys that belong to it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The handler repairs.
    Recovery,
    /// Run the original again, with delays between.
    Retry {
        /// `delay:` before the first re-run; grows exponentially with jitter.
        delay: Duration,
    },
    /// The handler's result stands in for the step's.
    Fallback,
    /// Go back to an earlier step.
    PartialResume {
        /// `from_step:`: id or 1-based index, as written.
        from_step: String,
        /// The index it means in its sequence, 1-based.
        index: usize,
    },
    /// Park the session for a person (exit 6).
    Intervene {
        /// `message:`.
        message: Template,
    },
    /// Run the cleanup, then fail.
    Abort {
        /// `cleanup:`.
        cleanup: Vec<Step>,
    },
    /// The handler cleans up; the failure stays handled as for recovery.
    Cleanup,
    /// As recovery; the name is the author's.
    Custom,
}
