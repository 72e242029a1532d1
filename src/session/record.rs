//! What is known of one step, and of one error.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::address::Address;
use super::event::Event;
use super::outcome::{AgentReport, Failure, FailureKind, Report, StepResult};
use super::stored::Stored;

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Progress {
    /// Known, but nothing has started.
    #[default]
    Pending,
    /// An attempt is running in the present run.
    Running,
    /// A crash caught it running: how the attempt ended is unknown.
    InDoubt,
    /// An attempt ended; retries, handlers or checks follow.
    Between,
    /// It ended for good.
    Done,
}

/// What is known of one step.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// How far it is.
    pub progress: Progress,
    /// The number of the latest attempt; grows over the whole life of the session.
    pub attempt: u32,
    /// Attempts that count against the configured ones, since the last rewind.
    pub tries: u32,
    /// How many tries are allowed, once one has been followed by another.
    pub max_attempts: Option<u32>,
    /// Active time of its ended attempts and of the delays between them, in milliseconds.
    pub spent_ms: u64,
    /// What is run, for people.
    pub command: String,
    /// Its `id`, once it ended.
    pub id: Option<String>,
    /// What its author calls it; empty without a name.
    pub name: String,
    /// When its first attempt since the last rewind started.
    pub first_started: Option<DateTime<Utc>>,
    /// When its latest attempt started.
    pub started: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished: Option<DateTime<Utc>>,
    /// Number of the event that ended it.
    pub finished_seq: u64,
    /// Process group and its start time.
    pub group: Option<(i32, u64)>,
    /// What came of the latest ended attempt.
    pub report: Option<Arc<Report>>,
    /// The retry that is planned or was started last.
    pub retry: Option<RetryPlan>,
    /// The result, when it ended for good.
    pub result: Option<Arc<StepResult>>,
    /// Items of a loop.
    pub items: Option<Arc<Vec<Stored>>>,
    /// The agent's session id of the latest attempt.
    pub agent_session: Option<String>,
    /// The conversation of the session that this one was forked from, which that one goes on
    /// with: this one goes on with a copy.
    pub agent_to_fork: Option<String>,
    /// How often an answer of its agent was sent back in the present conversation.
    pub corrections: u32,
    /// What its agents have cost since the last rewind.
    pub agents: AgentsSpent,
    /// HEAD before its first attempt.
    pub head_before: Option<String>,
}

/// What several agent calls of one step cost together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AgentsSpent {
    /// Calls that have ended.
    pub calls: u32,
    /// Those of them whose cost was told.
    pub known: u32,
    /// Dollars, as far as told.
    pub cost_usd: f64,
    /// Tokens, as far as told.
    pub tokens: u64,
    /// The attempt of the last of them.
    pub attempt: u32,
}

/// A planned retry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPlan {
    /// The attempt that will start.
    pub attempt: u32,
    /// The delay as decided, in milliseconds.
    pub delay_ms: u64,
    /// When it is over.
    pub not_before: DateTime<Utc>,
    /// True when the attempt before it does not count.
    pub uncounted: bool,
}

/// An error that handlers answer.
#[derive(Debug, Clone, PartialEq)]
pub struct RaisedError {
    /// The step that failed.
    pub step: Address,
    /// Why.
    pub failure: Failure,
    /// Its exit code.
    pub exit_code: Option<i32>,
    /// The attempt that failed.
    pub attempt: u32,
    /// Its stdout.
    pub output: Stored,
    /// Its stderr.
    pub stderr: Stored,
    /// Ties everything that follows from this failure together.
    pub correlation_id: String,
    /// When it was raised.
    pub at: DateTime<Utc>,
    /// Whether the workflow goes on, once the handlers are through.
    pub settled: Option<bool>,
}

impl Record {
    pub(super) fn start(&mut self, attempt: u32, command: &str, at: DateTime<Utc>) {
        self.progress = Progress::Running;
        self.attempt = attempt;
        self.tries += 1;
        self.command = command.to_owned();
        self.first_started.get_or_insert(at);
        self.started = Some(at);
        self.group = None;
    }

    pub(super) fn agent_ended(&mut self, attempt: u32, agent: &AgentReport) {
        let spent = &mut self.agents;
        spent.attempt = attempt;
        spent.calls += 1;
        spent.known += u32::from(agent.cost_usd.is_some());
        spent.cost_usd += agent.cost_usd.unwrap_or(0.0);
        spent.tokens += agent.tokens.unwrap_or(0);
    }

    pub(super) fn attempt_ended(&mut self, report: &Report) {
        self.progress = Progress::Between;
        self.group = None;
        self.retry = None;
        self.spent_ms = self.spent_ms.saturating_add(report.duration_ms);
        self.report = Some(Arc::new(report.clone()));
    }

    pub(super) fn finish(&mut self, id: Option<&str>, result: &Arc<StepResult>, event: &Event) {
        self.id = id.map(str::to_owned);
        self.progress = Progress::Done;
        self.group = None;
        self.retry = None;
        self.report = None;
        self.result = Some(Arc::clone(result));
        self.finished = Some(event.at);
        self.finished_seq = event.seq;
    }

    /// The answer that was sent back to the agent last, and is still to be corrected.
    #[must_use]
    pub fn misfit(&self) -> Option<&Report> {
        let report = self.report.as_deref().filter(|_| self.corrections > 0)?;
        (report.failure.as_ref()?.kind == FailureKind::Capture).then_some(report)
    }

    pub(super) fn schedule(&mut self, plan: RetryPlan) {
        let misfit = self.report.as_ref().and_then(|report| report.failure.as_ref());
        match (plan.uncounted, misfit) {
            (true, Some(failure)) if failure.kind == FailureKind::Capture => self.corrections += 1,
            (true, _) => {}
            (false, _) => self.corrections = 0,
        }
        if plan.uncounted {
            self.tries = self.tries.saturating_sub(1);
        }
        self.spent_ms = self.spent_ms.saturating_add(plan.delay_ms);
        self.retry = Some(plan);
    }

    /// True when an agent was started whose end nobody saw.
    #[must_use]
    pub fn lost_agent(&self) -> bool {
        matches!(self.progress, Progress::Running | Progress::InDoubt)
            && self.agent_session.is_some()
            && self.agents.attempt < self.attempt
    }

    /// Its name and what is run, for people.
    #[must_use]
    pub fn title(&self) -> Cow<'_, str> {
        match (self.name.as_str(), self.command.as_str()) {
            ("", command) => Cow::Borrowed(command),
            (name, "") => Cow::Borrowed(name),
            (name, command) => Cow::Owned(format!("{name} - {command}")),
        }
    }

    /// What came of the latest attempt, also after the step ended.
    #[must_use]
    pub fn latest_report(&self) -> Option<&Report> {
        match (&self.result, &self.report) {
            (Some(result), _) => Some(&result.report),
            (None, report) => report.as_deref(),
        }
    }
}
