//! `checkpoints show` as text: everything that is known of one session after some event. The
//! caller folds to that event; its JSON is the snapshot itself.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};

use super::order::order;
use super::recovery_state::ErrorRecoveryState;
use super::table::{Cell, Table};
use super::{
    Depth, Holder, Ink, KeptAt, Position, Style, clip, duration_ms, position, standing,
    status_words, step_words, tail, time, value_line, variables,
};
use crate::session::{
    Address, JobProgress, Progress, Record, SessionId, SessionState, SessionStatus, StepStatus,
    WorkflowId,
};

/// Lines of output shown of each step.
const OUTPUT_LINES: usize = 5;

/// A session at one of its versions.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    workflow_id: WorkflowId,
    session_id: SessionId,
    workflow_name: String,
    /// How far its job is, where it has a map.
    mapreduce_state: Option<JobProgress>,
    /// The latest version at that state; 0 before the first.
    version: u32,
    timestamp: Option<DateTime<Utc>>,
    status: SessionStatus,
    variables: Map<String, Json>,
    completed_steps: Vec<StepRow>,
    /// Steps that run, wait for a retry or were caught by a crash.
    open_steps: Vec<StepRow>,
    error_recovery_state: Option<ErrorRecoveryState>,
    /// Whether its files are kept, in a git repository.
    files: Option<KeptAt>,
    place: Position,
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
struct StepRow {
    /// From 0, for steps that stand directly in the workflow, a stage or a pass.
    step_index: Option<usize>,
    address: Address,
    command: String,
    /// Its name and the command.
    title: String,
    /// `success`, `recovered`, `failed`, `skipped`, or how far it is.
    status: &'static str,
    output: String,
    stderr: String,
    /// Seconds.
    duration: f64,
    attempts: u32,
    error: Option<String>,
    /// The step before it that has run again since.
    older_than: Option<Address>,
    words: (&'static str, Ink),
}

impl Checkpoint {
    /// The checkpoint that `state` is; none before the first event.
    #[must_use]
    pub fn of(state: &SessionState, holder: Holder) -> Option<Self> {
        let header = state.header()?;
        let mut records: Vec<_> = state.standing.records().collect();
        records.sort_by_cached_key(|(address, _)| order(address, state));
        let older = super::outdated(state);
        let mut next_index = 0;
        let (mut completed_steps, mut open_steps) = (Vec::new(), Vec::new());
        for (address, record) in records {
            let step_index = address.is_top_level().then(|| {
                next_index += 1;
                next_index - 1
            });
            let mut row = StepRow::of(address, record, step_index, holder);
            row.older_than = older.get(address).cloned();
            if record.progress == Progress::Done {
                completed_steps.push(row);
            } else {
                open_steps.push(row);
            }
        }
        Some(Self {
            workflow_id: header.workflow_id.clone(),
            session_id: header.session_id.clone(),
            workflow_name: header.name.clone(),
            mapreduce_state: JobProgress::of(state),
            version: state.lifetime.latest_version().map_or(0, |version| version.version),
            timestamp: state.updated_at,
            status: standing(state, holder),
            variables: variables(state),
            completed_steps,
            open_steps,
            error_recovery_state: ErrorRecoveryState::of(state),
            files: None,
            place: position(state),
        })
    }

    /// With what is known of its files, which may be recorded after the state itself.
    #[must_use]
    pub fn with_files(mut self, files: Option<KeptAt>) -> Self {
        self.files = files;
        self
    }

    /// As sections: the steps, what they captured, what went wrong.
    #[must_use]
    pub fn text(&self, now: DateTime<Utc>, depth: Depth, style: Style) -> String {
        let status = self.status;
        let (words, ink) = status_words(status);
        let mut text = format!("{} {}", clip(&self.workflow_name, 80), style.paint(ink, words));
        if !status.is_completed() {
            let _ = write!(text, " at {}", self.place);
        }
        let version =
            if self.version == 0 { "none yet".to_owned() } else { format!("v{}", self.version) };
        let _ = writeln!(text, "\n  id       {}", self.workflow_id);
        let _ = writeln!(text, "  session  {}", self.session_id);
        if let Some(job) = &self.mapreduce_state {
            if let Some(id) = &job.job_id {
                let _ = writeln!(text, "  job      {}", super::line(id));
            }
            let _ = writeln!(text, "  items    {}", super::item_counts(job));
        }
        let _ = writeln!(text, "  version  {version}");
        if let Some(files) = &self.files {
            let _ = writeln!(text, "  files    {}", files.text());
        }
        let _ = writeln!(text, "  updated  {}", time(self.timestamp, now));
        self.push_steps(&mut text, depth, style);
        self.push_variables(&mut text, depth, style);
        if let Some(recovery) = &self.error_recovery_state {
            text.push_str(&recovery.text(now, depth, style));
        }
        if depth == Depth::Verbose {
            self.push_outputs(&mut text, style);
        }
        text
    }

    fn steps(&self, depth: Depth) -> impl Iterator<Item = &StepRow> {
        let all = self.completed_steps.iter().chain(&self.open_steps);
        all.filter(move |step| depth == Depth::Verbose || step.step_index.is_some())
    }

    fn push_steps(&self, text: &mut String, depth: Depth, style: Style) {
        let mut table = Table::new(&["STEP", "STATUS", "TIME", "ATTEMPTS", "COMMAND"]);
        for step in self.steps(depth) {
            let command = clip(&step.title, 60);
            let command = match &step.error {
                Some(error) => format!("{command}: {}", clip(error, 60)),
                None => command.into_owned(),
            };
            let command = match &step.older_than {
                Some(by) => format!("{command} (older than step {})", super::line(by.as_str())),
                None => command,
            };
            table.row([
                step.address.as_str().into(),
                Cell::inked(step.words.1, step.words.0),
                step.time().into(),
                step.attempts.to_string().into(),
                command.into(),
            ]);
        }
        let rows = table.text(2, style);
        if !rows.is_empty() {
            let _ = write!(text, "steps\n{rows}");
        }
    }

    fn push_variables(&self, text: &mut String, depth: Depth, style: Style) {
        let width = if depth == Depth::Verbose { 1_000 } else { 80 };
        let mut table = Table::new(&["NAME", "VALUE"]);
        for (name, value) in &self.variables {
            table.row([Cell::from(name), value_line(value, width).into()]);
        }
        let rows = table.text(2, style);
        if !rows.is_empty() {
            let _ = write!(text, "variables\n{rows}");
        }
    }

    fn push_outputs(&self, text: &mut String, style: Style) {
        for step in self.steps(Depth::Verbose) {
            for (stream, output) in [("stdout", &step.output), ("stderr", &step.stderr)] {
                let lines = tail(output, OUTPUT_LINES);
                if lines.is_empty() {
                    continue;
                }
                let heading = format!("{stream} of {}", super::line(step.address.as_str()));
                let _ = writeln!(text, "{heading}");
                for line in lines {
                    let _ = writeln!(text, "  {}|{} {line}", style.start(Ink::Faint), style.end());
                }
            }
        }
    }
}

impl StepRow {
    fn of(address: &Address, record: &Record, step_index: Option<usize>, holder: Holder) -> Self {
        let report = record.latest_report();
        let result = record.result.as_deref();
        let (status, words) = match (result, record.progress) {
            (Some(result), _) => (status_word(result.status), step_words(result.status)),
            (None, Progress::Running) if holder == Holder::Process => {
                ("running", ("running", Ink::Strong))
            }
            (None, Progress::Running | Progress::InDoubt) => {
                ("in_doubt", ("in doubt", Ink::Caution))
            }
            (None, Progress::Between) => ("between_attempts", ("between attempts", Ink::Caution)),
            (None, _) => ("pending", ("pending", Ink::Faint)),
        };
        Self {
            step_index,
            address: address.clone(),
            command: record.command.clone(),
            title: record.title().into_owned(),
            status,
            output: report.map(|report| report.stdout.text.shown()).unwrap_or_default(),
            stderr: report.map(|report| report.stderr.text.shown()).unwrap_or_default(),
            duration: report.map_or(0.0, |report| seconds(report.duration_ms)),
            attempts: result.map_or(record.attempt, |result| result.attempts),
            error: report
                .and_then(|report| report.failure.as_ref())
                .map(|failure| failure.message.shown()),
            older_than: None,
            words,
        }
    }

    fn time(&self) -> String {
        if self.status == "skipped" {
            return String::new();
        }
        // Seconds of a number of milliseconds, so nothing is lost on the way back.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole milliseconds"
        )]
        let ms = (self.duration * 1_000.0).round() as u64;
        duration_ms(ms)
    }
}

#[expect(clippy::cast_precision_loss, reason = "no step takes 2^53 milliseconds")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}

/// The word of the journal.
fn status_word(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Success => "success",
        StepStatus::Recovered => "recovered",
        StepStatus::Failed => "failed",
        StepStatus::Skipped => "skipped",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::TimeDelta;
    use snapbox::{assert_data_eq, str};

    use super::super::story::{Story, address, failed_report, output, result, start};
    use super::*;
    use crate::session::{Captured, EventKind, Failure, Report, Stored};

    fn failure() -> Failure {
        failed_report(1, "", "").failure.unwrap()
    }

    /// Ten steps, a capture, a handler that failed and one that is at it.
    fn story() -> Story {
        let mut story = Story::new("flow", 12, &[]);
        let mut captured = result(StepStatus::Success, 1, Report::default());
        captured.report.stdout = output("src/a.rs\nsrc/b.rs\n");
        captured.report.exit_code = Some(0);
        captured.captures = vec![
            Captured { name: "files".into(), value: None },
            Captured { name: "info.count".into(), value: Some(Stored::plain("2")) },
        ];
        story.started("1", 1, "ls").finished("1", captured);
        for step in 2..=10 {
            story.done(&step.to_string(), "true");
        }
        story.started("11", 1, "cargo test");
        story.attempt_failed("11", 1, failed_report(1, "", "bad\u{1b}[2J\n"));
        story.add(EventKind::ErrorRaised {
            address: address("11"),
            step: address("11"),
            failure: failure(),
            exit_code: Some(1),
            attempt: 1,
            output: Stored::default(),
            stderr: Stored::default(),
            correlation_id: "corr-1".into(),
        });
        for number in [1, 2] {
            story.add(EventKind::HandlerStarted {
                address: address(&format!("11.on_failure[{number}]")),
                id: number.to_string(),
                strategy: "recovery".into(),
                attempt: 1,
                correlation_id: "corr-1".into(),
            });
            if number == 1 {
                story.add(EventKind::HandlerFinished {
                    address: address("11.on_failure[1]"),
                    id: "1".into(),
                    success: false,
                    error: Some("exit code 9".into()),
                    output: Stored::default(),
                    capture: None,
                    attempt: 1,
                });
            }
        }
        story.started("11.on_failure[2]/1", 1, "/fix");
        story
    }

    #[test]
    fn verbose_shows_steps_values_handlers_and_outputs() {
        let checkpoint = Checkpoint::of(&story().state, Holder::Process).unwrap();
        assert_data_eq!(
            checkpoint.text(start() + TimeDelta::seconds(60), Depth::Verbose, Style::Plain),
            str![[r#"
flow running at step 11/12
  id       flow-3fa9c1
  session  session-3fa9c1aa-0000-4000-8000-000000000001
  version  v10
  updated  2023-11-14 22:13:49 UTC (31s ago)
steps
  STEP                STATUS            TIME  ATTEMPTS  COMMAND
  1                   done              0ms   1         ls
  2                   done              0ms   1         true
  3                   done              0ms   1         true
  4                   done              0ms   1         true
  5                   done              0ms   1         true
  6                   done              0ms   1         true
  7                   done              0ms   1         true
  8                   done              0ms   1         true
  9                   done              0ms   1         true
  10                  done              0ms   1         true
  11                  between attempts  1.2s  1         cargo test: exit code 1
  11.on_failure[2]/1  running           0ms   1         /fix
variables
  NAME   VALUE
  shell  {"output":""}
  last   {"output":""}
  files  src/a.rs/nsrc/b.rs
  info   {"count":"2"}
errors
  STEP  ERROR        CLASS    ATTEMPT  OUTCOME
  11    exit code 1  unknown  1        handlers at work
active handlers
  HANDLER           ID  STRATEGY  RUN
  11.on_failure[2]  2   recovery  1
handler history
  HANDLER           ID  RUN  RESULT  AGE      ERROR
  11.on_failure[1]  1   1    failed  33s ago  exit code 9
correlation id corr-1
stdout of 1
  | src/a.rs
  | src/b.rs
stderr of 11
  | bad/x1b[2J

"#]]
        );
    }

    #[test]
    fn briefly_the_steps_of_the_workflow_and_what_is_open() {
        let text = Checkpoint::of(&story().state, Holder::Nobody).unwrap().text(
            start(),
            Depth::Brief,
            Style::Plain,
        );
        assert!(text.starts_with("flow interrupted at step 11/12\n"), "{text}");
        assert!(!text.contains("history") && !text.contains("on_failure[2]/1"), "{text}");
        assert!(text.contains("active handlers\n"), "{text}");
    }

    #[test]
    fn secrets_stay_masked() {
        let secrets = crate::session::Secrets::new(vec![("TOKEN".into(), "hunter22".into())]);
        let mut story = Story::new("flow", 1, &[]);
        let mut kept = result(StepStatus::Success, 1, Report::default());
        let value = Stored::seal(&crate::expr::Value::from("key hunter22"), &secrets);
        kept.captures = vec![Captured { name: "key".into(), value: Some(value) }];
        story.add(EventKind::StepFinished {
            address: address("1"),
            id: None,
            result: Arc::new(kept),
            checkpoint: None,
            name: String::new(),
        });
        let checkpoint = Checkpoint::of(&story.state, Holder::Nobody).unwrap();
        let text = checkpoint.text(start(), Depth::Verbose, Style::Plain);
        assert!(text.contains("key ***") && !text.contains("hunter22"), "{text}");
    }
}
