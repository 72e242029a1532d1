//! `dlq list`, `show` and `export`: the items of a job that failed for good, with everything
//! that happened to them.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value as Json;

use super::table::{Cell, Table};
use super::{Ink, Style, age, clip, count, dollars, duration_ms, line, output_lines, time};
use crate::session::{
    Address, DeadItem, Disposition, FailureClass, FailureKind, ItemFailure, SessionState,
    WorkflowId,
};

/// An item of the dead letter queue in one line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeadRow {
    /// `item_17`.
    pub item_id: String,
    /// Its number.
    #[serde(skip)]
    pub number: u32,
    /// The job.
    pub job_id: String,
    /// The session's short id.
    pub workflow_id: WorkflowId,
    /// True while it waits; false once it was queued again, succeeded or was cleared.
    pub waits: bool,
    /// How often it failed, over all runs.
    pub attempts: usize,
    /// The step that failed last.
    pub step: Address,
    /// Why, in one line.
    pub reason: String,
    /// What kind of thing went wrong.
    pub kind: FailureKind,
    /// The class of the failure.
    pub class: FailureClass,
    /// Exit code of the step.
    pub exit_code: Option<i32>,
    /// Dollars that all its runs spent on agents, as far as known.
    pub cost_usd: Option<f64>,
    /// When it failed last.
    pub failed_at: DateTime<Utc>,
}

/// The dead letter queue of one job, or of several. In JSON an array.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(transparent)]
pub struct DeadItems(Vec<DeadRow>);

/// Which items are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection<'a> {
    /// Those that wait.
    Waiting,
    /// Those with these numbers, whether they wait or not.
    Numbers(&'a [u32]),
}

/// Where the logs of a failed run lie, as far as there are any.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RunLogs {
    /// What the step printed.
    pub log: Option<String>,
    /// The agent's own log.
    pub agent_log: Option<String>,
}

/// One item with its history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeadDetail {
    item_id: String,
    job_id: String,
    workflow_id: WorkflowId,
    waits: bool,
    /// What the input holds for it, secrets masked.
    item: Json,
    cost_usd: Option<f64>,
    history: Vec<DeadRun>,
}

/// One run of an item that failed.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct DeadRun {
    run: u32,
    timestamp: DateTime<Utc>,
    step: Address,
    attempt: u32,
    kind: FailureKind,
    class: FailureClass,
    reason: String,
    exit_code: Option<i32>,
    duration_ms: u64,
    cost_usd: Option<f64>,
    /// What followed.
    disposition: Disposition,
    /// The end of what the step printed.
    output: String,
    logs: RunLogs,
}

impl DeadItems {
    /// The items of the session that are meant, in the order of their numbers.
    #[must_use]
    pub fn of(state: &SessionState, selection: Selection<'_>) -> Self {
        let rows = state.lifetime.dead.iter().filter(|(number, dead)| match selection {
            Selection::Waiting => dead.waits,
            Selection::Numbers(numbers) => numbers.contains(number),
        });
        Self(rows.filter_map(|(number, dead)| row(state, *number, dead)).collect())
    }

    /// Adds those of another session.
    pub fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[DeadRow] {
        &self.0
    }

    /// As a table for each job.
    #[must_use]
    pub fn text(&self, now: DateTime<Utc>, style: Style) -> String {
        let mut text = String::new();
        for rows in self.0.chunk_by(|one, other| one.job_id == other.job_id) {
            let Some(first) = rows.first() else { continue };
            if !text.is_empty() {
                text.push('\n');
            }
            let items = count(rows.len() as u64, "item");
            let _ = writeln!(text, "{}: {items} ({})", first.workflow_id, line(&first.job_id));
            text.push_str(&table(rows, now).text(2, style));
        }
        text
    }
}

fn table(rows: &[DeadRow], now: DateTime<Utc>) -> Table {
    let mut table = Table::new(&["ITEM", "RUNS", "STEP", "EXIT", "CLASS", "COST", "AGE", "REASON"]);
    for row in rows {
        table.row([
            Cell::inked(if row.waits { Ink::Bad } else { Ink::Faint }, &row.item_id),
            row.attempts.to_string().into(),
            clip(row.step.as_str(), 60).into(),
            row.exit_code.map_or_else(|| "-".to_owned(), |code| code.to_string()).into(),
            super::journal_word(&row.class).into(),
            row.cost_usd.map_or_else(|| "-".to_owned(), dollars).into(),
            age(row.failed_at, now).into(),
            clip(&row.reason, 100).into(),
        ]);
    }
    table
}

fn row(state: &SessionState, number: u32, dead: &DeadItem) -> Option<DeadRow> {
    let (failed_at, last) = dead.history.last()?;
    Some(DeadRow {
        item_id: format!("item_{number}"),
        number,
        job_id: state.lifetime.job.clone().unwrap_or_default(),
        workflow_id: state.header()?.workflow_id.clone(),
        waits: dead.waits,
        attempts: dead.history.len(),
        step: last.step.clone(),
        reason: last.failure.message.shown(),
        kind: last.failure.kind,
        class: last.failure.class,
        exit_code: last.exit_code,
        cost_usd: cost(dead),
        failed_at: *failed_at,
    })
}

/// What all runs of an item spent; none where nothing is known.
fn cost(dead: &DeadItem) -> Option<f64> {
    let known: Vec<f64> = dead.history.iter().filter_map(|(_, failure)| failure.cost_usd).collect();
    (!known.is_empty()).then(|| known.iter().sum())
}

impl DeadDetail {
    /// The detail of item `number`; none when it never failed for good. `item` is what the
    /// input holds for it, and `logs` tells where the logs of a run are.
    #[must_use]
    pub fn of(
        state: &SessionState,
        number: u32,
        item: Json,
        logs: impl Fn(&ItemFailure) -> RunLogs,
    ) -> Option<Self> {
        let dead = state.lifetime.dead.get(&number)?;
        let history = dead.history.iter().map(|(at, failure)| DeadRun {
            run: failure.run,
            timestamp: *at,
            step: failure.step.clone(),
            attempt: failure.attempt,
            kind: failure.failure.kind,
            class: failure.failure.class,
            reason: failure.failure.message.shown(),
            exit_code: failure.exit_code,
            duration_ms: failure.duration_ms,
            cost_usd: failure.cost_usd,
            disposition: failure.disposition,
            output: failure.output.shown(),
            logs: logs(failure),
        });
        Some(Self {
            item_id: format!("item_{number}"),
            job_id: state.lifetime.job.clone().unwrap_or_default(),
            workflow_id: state.header()?.workflow_id.clone(),
            waits: dead.waits,
            item,
            cost_usd: cost(dead),
            history: history.collect(),
        })
    }

    /// As lines of name and value, one block for each run.
    #[must_use]
    pub fn text(&self, now: DateTime<Utc>, style: Style) -> String {
        let standing = if self.waits {
            style.paint(Ink::Bad, "waits in the dead letter queue")
        } else {
            style.paint(Ink::Faint, "does not wait any more")
        };
        let mut text = format!("{} of {} {standing}\n", self.item_id, self.workflow_id);
        let mut add = |name: &str, value: &str| {
            let _ = writeln!(text, "  {name:<9} {value}");
        };
        add("job", &line(&self.job_id));
        add("item", &clip(&self.item.to_string(), 400));
        if let Some(cost) = self.cost_usd {
            add("cost", &dollars(cost));
        }
        for run in &self.history {
            add(&format!("run {}", run.run), &run.headline(now));
            add("", &run.ending());
            for (name, path) in [("log", &run.logs.log), ("agent log", &run.logs.agent_log)] {
                if let Some(path) = path {
                    add("", &format!("{name}: {}", line(path)));
                }
            }
            for output in output_lines(&run.output).filter(|_| !run.output.is_empty()) {
                add("", &format!("| {output}"));
            }
        }
        text
    }
}

impl DeadRun {
    /// Which step failed, and when.
    fn headline(&self, now: DateTime<Utc>) -> String {
        let (at, step) = (time(Some(self.timestamp), now), line(self.step.as_str()));
        match self.attempt {
            // It failed before anything was started.
            0 => format!("{at}: step {step}"),
            attempt => format!("{at}: step {step}, attempt {attempt}"),
        }
    }

    /// Why it failed, and what followed.
    fn ending(&self) -> String {
        let mut text =
            format!("{} [{}]", clip(&self.reason, 200), super::journal_word(&self.class));
        let _ = write!(text, " after {}", duration_ms(self.duration_ms));
        if let Some(cost) = self.cost_usd {
            let _ = write!(text, ", {}", dollars(cost));
        }
        text.push_str(match self.disposition {
            Disposition::Dlq => "; went to the dead letter queue",
            Disposition::Retry => "; ran again",
            Disposition::Skip => "; passed over",
            Disposition::Stop => "; the map stopped",
        });
        text
    }
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::super::story::{Story, address, failed_report, start};
    use super::*;
    use crate::session::{EventKind, ItemStatus, ResultRef, Stored};

    fn failure(item: u32, run: u32, disposition: Disposition) -> EventKind {
        EventKind::ItemFailed {
            item,
            failure: Box::new(ItemFailure {
                step: address(&format!("map/item_{item}/1")),
                run,
                failure: failed_report(2, "", "").failure.unwrap(),
                exit_code: Some(2),
                output: Stored::plain("one\n\u{1b}[2Jtwo\n"),
                attempt: run,
                cost_usd: (run == 1).then_some(0.25),
                duration_ms: 1_500,
                disposition,
                agent_session: None,
            }),
        }
    }

    fn story() -> Story {
        let mut story = Story::new("flow", 1, &["map"]);
        let job = "mapreduce-20231114_221320_x".to_owned();
        story.add(EventKind::JobStarted {
            job,
            items: 3,
            checkpoint_frequency: None,
            items_crc: None,
        });
        for item in [1, 3] {
            story.add(failure(item, 1, Disposition::Retry)).add(failure(item, 2, Disposition::Dlq));
            let result = ResultRef::NONE;
            story.add(EventKind::ItemFinished {
                item,
                status: ItemStatus::Failed,
                value: None,
                result,
            });
        }
        story.add(EventKind::DlqCleared { items: vec![1] });
        story
    }

    #[test]
    fn those_that_wait_are_listed_and_all_can_be_shown() {
        let story = story();
        let items = DeadItems::of(&story.state, Selection::Waiting);
        assert_data_eq!(
            items.text(start(), Style::Plain),
            str![[r#"
flow-3fa9c1: 1 item (mapreduce-20231114_221320_x)
  ITEM    RUNS  STEP          EXIT  CLASS    COST   AGE       REASON
  item_3  2     map/item_3/1  2     unknown  $0.25  just now  exit code 2

"#]]
        );
        let json = serde_json::to_value(&items).unwrap();
        assert_eq!(json[0]["item_id"], "item_3");
        assert_eq!(json[0]["attempts"], 2);
        assert_eq!(DeadItems::of(&story.state, Selection::Numbers(&[1, 2])).rows().len(), 1);
    }

    #[test]
    fn a_run_that_was_never_started_is_no_attempt() {
        let mut story = story();
        let mut unstarted = failure(2, 1, Disposition::Dlq);
        if let EventKind::ItemFailed { failure, .. } = &mut unstarted {
            failure.attempt = 0;
        }
        story.add(unstarted);
        let no_logs = |_: &ItemFailure| RunLogs { log: None, agent_log: None };
        let detail = DeadDetail::of(&story.state, 2, Json::Null, no_logs).unwrap();
        assert!(!detail.text(start(), Style::Plain).contains("attempt"));
    }

    #[test]
    fn the_detail_tells_the_whole_history_and_drives_no_terminal() {
        let story = story();
        let logs = |failure: &ItemFailure| RunLogs {
            log: Some(format!("/logs/{}", failure.attempt)),
            agent_log: None,
        };
        let item = serde_json::json!({"file": "a\u{1b}"});
        let detail = DeadDetail::of(&story.state, 1, item, logs).unwrap();
        assert_data_eq!(
            detail.text(start(), Style::Plain),
            str![[r#"
item_1 of flow-3fa9c1 does not wait any more
  job       mapreduce-20231114_221320_x
  item      {"file":"a/u001b"}
  cost      $0.25
  run 1     2023-11-14 22:13:24 UTC (just now): step map/item_1/1, attempt 1
            exit code 2 [unknown] after 1.5s, $0.25; ran again
            log: /logs/1
            | one
            | /x1b[2Jtwo
  run 2     2023-11-14 22:13:25 UTC (just now): step map/item_1/1, attempt 2
            exit code 2 [unknown] after 1.5s; went to the dead letter queue
            log: /logs/2
            | one
            | /x1b[2Jtwo

"#]]
        );
        assert!(DeadDetail::of(&story.state, 2, Json::Null, logs).is_none());
    }
}
