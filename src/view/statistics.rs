//! `events stats`: counts of events, steps, retries, handlers, resumes and agents.

use std::collections::BTreeMap;

use serde::Serialize;

use super::event_words::event_type;
use super::table::Table;
use super::{Agents, Style, count, duration_ms, journal_word};
use crate::session::{Address, Event, EventKind, ItemStatus, SessionState, StepStatus};

/// What happened how often, in one session or in several.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Statistics {
    /// Sessions counted.
    pub sessions: u64,
    /// Events in all.
    pub total_events: u64,
    /// Events by type.
    pub events: BTreeMap<&'static str, u64>,
    /// Steps that ended, also within handlers and loops, and again after going back.
    pub steps: StepStatistics,
    /// Items of maps that ended, and again after going back.
    #[serde(skip_serializing_if = "ItemStatistics::is_none")]
    pub items: ItemStatistics,
    /// Retries that were planned.
    pub retries: u64,
    /// Handlers by id, or by their address where they have none.
    pub handlers: BTreeMap<String, HandlerStatistics>,
    /// Times a session went back, by cause.
    pub rewinds: BTreeMap<String, u64>,
    /// Runs after the first one of a session.
    pub resumes: ResumeStatistics,
    /// Agent calls and what they cost.
    pub agents: Agents,
    /// Active time of all runs that came to an orderly end, in milliseconds.
    pub active_ms: u64,
}

/// How steps ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct StepStatistics {
    /// Attempts that were started.
    pub attempts: u64,
    /// Ended by success.
    pub success: u64,
    /// Dealt with by handlers.
    pub recovered: u64,
    /// Failed.
    pub failed: u64,
    /// Passed over.
    pub skipped: u64,
}

/// How items of maps ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ItemStatistics {
    /// Ended by success.
    pub success: u64,
    /// Went to the dead letter queue.
    pub failed: u64,
    /// Passed over.
    pub skipped: u64,
    /// Runs that failed, also those that were followed by another.
    pub failed_runs: u64,
}

impl ItemStatistics {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// How a handler fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct HandlerStatistics {
    /// Times it ran to its end.
    pub runs: u64,
    /// Of these, successes.
    pub successes: u64,
    /// Times its condition was false.
    pub passed_over: u64,
    /// Times its condition could not be evaluated.
    pub broken_conditions: u64,
}

/// How resumed runs ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ResumeStatistics {
    /// Resumed runs.
    pub total: u64,
    /// By the standing they ended with; `no_end` for those that were killed or still run.
    pub outcomes: BTreeMap<&'static str, u64>,
}

/// The outcome of a run without an end.
const NO_END: &str = "no_end";

impl Statistics {
    /// Those of one session.
    #[must_use]
    pub fn of(events: &[Event]) -> Self {
        let mut statistics = Self::default();
        statistics.add(events);
        statistics
    }

    /// Adds all events of one more session.
    pub fn add(&mut self, events: &[Event]) {
        self.sessions += 1;
        let mut state = SessionState::default();
        let mut open_resume = false;
        for event in events {
            state.apply(event);
            self.total_events += 1;
            *self.events.entry(event_type(&event.kind)).or_default() += 1;
            self.count(&event.kind);
            match &event.kind {
                EventKind::RunStarted(run) => {
                    if open_resume {
                        self.outcome(NO_END);
                    }
                    open_resume = run.run > 1;
                    self.resumes.total += u64::from(open_resume);
                }
                EventKind::RunFinished { status, .. } if open_resume => {
                    self.outcome(status.as_str());
                    open_resume = false;
                }
                _ => {}
            }
        }
        if open_resume {
            self.outcome(NO_END);
        }
        self.agents.add(Agents::of(&state.lifetime));
        self.active_ms += state.lifetime.active.ms();
    }

    fn outcome(&mut self, word: &'static str) {
        *self.resumes.outcomes.entry(word).or_default() += 1;
    }

    fn count(&mut self, kind: &EventKind) {
        match kind {
            EventKind::StepStarted { .. } => self.steps.attempts += 1,
            EventKind::StepFinished { result, .. } => match result.status {
                StepStatus::Success => self.steps.success += 1,
                StepStatus::Recovered => self.steps.recovered += 1,
                StepStatus::Failed => self.steps.failed += 1,
                StepStatus::Skipped => self.steps.skipped += 1,
            },
            EventKind::ItemFinished { status, .. } => match status {
                ItemStatus::Success => self.items.success += 1,
                ItemStatus::Failed => self.items.failed += 1,
                ItemStatus::Skipped => self.items.skipped += 1,
            },
            EventKind::ItemFailed { .. } => self.items.failed_runs += 1,
            EventKind::RetryScheduled { .. } => self.retries += 1,
            EventKind::HandlerFinished { address, id, success, .. } => {
                let handler = self.handler(address, id);
                handler.runs += 1;
                handler.successes += u64::from(*success);
            }
            EventKind::HandlerSkipped { address, id, failed, .. } => {
                let handler = self.handler(address, id);
                handler.broken_conditions += u64::from(*failed);
                handler.passed_over += u64::from(!failed);
            }
            EventKind::Rewound { cause, .. } => {
                *self.rewinds.entry(journal_word(cause)).or_default() += 1;
            }
            _ => {}
        }
    }

    /// A handler without an id has its number in the chain instead, which many have.
    fn handler(&mut self, address: &Address, id: &str) -> &mut HandlerStatistics {
        let key = if id.parse::<u32>().is_ok() { address.as_str() } else { id };
        self.handlers.entry(key.to_owned()).or_default()
    }

    /// As lines and tables.
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        let mut text = String::new();
        let mut summary = Table::new(&["", ""]);
        let steps = &self.steps;
        let mut add = |name: &str, value: String| summary.row([name.into(), value.into()]);
        add("sessions", self.sessions.to_string());
        add("events", self.total_events.to_string());
        add(
            "steps",
            format!(
                "{} done, {} recovered, {} failed, {} skipped",
                steps.success, steps.recovered, steps.failed, steps.skipped
            ),
        );
        let items = &self.items;
        if !items.is_none() {
            let failed_runs = count(items.failed_runs, "failed run");
            add(
                "items",
                format!(
                    "{} done, {} failed, {} skipped, {failed_runs}",
                    items.success, items.failed, items.skipped
                ),
            );
        }
        add("attempts", steps.attempts.to_string());
        add("retries", self.retries.to_string());
        add("resumes", self.resume_words());
        for (cause, number) in &self.rewinds {
            add("went back", format!("{} ({})", count(*number, "time"), cause.replace('_', " ")));
        }
        if let Some(agents) = self.agents.words() {
            add("agents", agents);
        }
        add("active time", duration_ms(self.active_ms));
        text.push_str(summary.text(0, style).trim_start_matches('\n'));
        let mut handlers = Table::new(&["HANDLER", "RUNS", "SUCCESSES", "PASSED OVER", "BROKEN"]);
        for (name, handler) in &self.handlers {
            handlers.row([
                name.into(),
                handler.runs.to_string().into(),
                handler.successes.to_string().into(),
                handler.passed_over.to_string().into(),
                handler.broken_conditions.to_string().into(),
            ]);
        }
        let mut events = Table::new(&["EVENT", "NUMBER"]);
        for (name, number) in &self.events {
            events.row([name.into(), number.to_string().into()]);
        }
        for table in [handlers, events] {
            let rows = table.text(0, style);
            if !rows.is_empty() {
                text.push('\n');
                text.push_str(&rows);
            }
        }
        text
    }

    fn resume_words(&self) -> String {
        let mut parts = vec![self.resumes.total.to_string()];
        for (outcome, number) in &self.resumes.outcomes {
            parts.push(format!("{number} {}", outcome.replace('_', " ")));
        }
        match parts.split_first() {
            Some((total, outcomes)) if !outcomes.is_empty() => {
                format!("{total} ({})", outcomes.join(", "))
            }
            _ => parts.concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::super::story::{Story, agent_report, everything, result};
    use super::*;
    use crate::session::SessionStatus;

    #[test]
    fn everything_is_counted() {
        assert_data_eq!(
            Statistics::of(&everything().events).text(Style::Plain),
            str![[r#"
sessions     1
events       42
steps        0 done, 1 recovered, 0 failed, 0 skipped
items        1 done, 1 failed, 0 skipped, 1 failed run
attempts     2
retries      1
resumes      1 (1 failed)
went back    1 time (rerun)
active time  2m 21s

HANDLER          RUNS  SUCCESSES  PASSED OVER  BROKEN
1.on_failure[1]  0     0          1            0
fix-2            1     0          0            0
fix-3            1     1          0            0

EVENT              NUMBER
agent_ended        1
answered           1
attempt_finished   2
checkpoint_made    1
confirmed          1
dlq_cleared        1
error_raised       1
error_settled      1
files_kept         1
files_restored     1
forked             1
handler_finished   2
handler_skipped    1
handler_started    2
item_failed        1
item_finished      2
job_started        1
loop_started       1
moved              1
recovery_finished  1
recovery_started   1
retry_scheduled    1
rewound            1
rollback_started   1
run_finished       2
run_started        2
scope_finished     1
scored             1
session_started    1
step_finished      1
step_spawned       1
step_started       2
superseded         1
waiting            1
workflow_changed   1

"#]]
        );
    }

    #[test]
    fn resumes_by_their_outcome_over_sessions() {
        let mut killed = Story::new("flow", 2, &[]);
        killed.run("resume").run("resume").ended(SessionStatus::Failed);
        killed.run("resume").ended(SessionStatus::Completed).run("resume");
        let mut agent = Story::new("flow", 1, &[]);
        agent.started("1", 1, "/fix");
        agent.finished("1", result(StepStatus::Success, 1, agent_report(Some(0.25))));
        let mut statistics = Statistics::of(&killed.events);
        statistics.add(&agent.events);
        assert_eq!(statistics.sessions, 2);
        let json = serde_json::to_value(&statistics).unwrap();
        assert_eq!(json["resumes"]["total"], 4);
        assert_eq!(
            json["resumes"]["outcomes"],
            serde_json::json!({ "completed": 1, "failed": 1, "no_end": 2 })
        );
        assert_eq!(json["agents"]["cost_usd"], 0.25);
        assert_eq!(
            json["active_ms"], 163_000,
            "the killed run of the agent counts to its last record"
        );
    }
}
