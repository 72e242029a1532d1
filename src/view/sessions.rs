//! `sessions list`, `checkpoints list` and `sessions show`: what sessions there are, and one of them.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};

use super::table::{Cell, Table};
use super::{
    Agents, StepCounts, Style, age, bytes, clip, current_step_index, duration_ms, line, paragraph,
    position, status_words, time,
};
use crate::session::{RunFailure, SessionId, SessionState, SessionStatus, WaitReason, WorkflowId};

/// What only the disk knows of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OnDisk {
    /// Whether a process holds it.
    pub holder: Holder,
    /// Bytes it takes.
    pub size: u64,
}

/// Whether a process holds the lock of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Holder {
    /// A process runs it.
    Process,
    /// None does: a session that says `running` was killed.
    #[default]
    Nobody,
}

/// How a session stands: one that was killed while it ran is interrupted.
#[must_use]
pub fn standing(state: &SessionState, holder: Holder) -> SessionStatus {
    match (state.status, holder) {
        (Some(SessionStatus::Running) | None, Holder::Nobody) => SessionStatus::Interrupted,
        (None, Holder::Process) => SessionStatus::Running,
        (Some(status), _) => status,
    }
}

/// One session in a list; the keys are those of the snapshot where it has them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SessionRow {
    /// The short id.
    pub workflow_id: WorkflowId,
    /// The session.
    pub session_id: SessionId,
    /// The workflow's name.
    pub workflow_name: String,
    /// How it stands.
    pub status: SessionStatus,
    /// Where it stands, for people: `step 3/10`.
    pub position: String,
    /// The step it stands at, from 0.
    pub current_step_index: usize,
    /// Steps in all.
    pub total_steps: usize,
    /// How many steps ended well or were passed over.
    pub completed_steps: usize,
    /// The stage it stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Its restore points.
    pub versions: usize,
    /// When it started.
    pub created_at: Option<DateTime<Utc>>,
    /// When its last event was written.
    pub timestamp: Option<DateTime<Utc>>,
    /// Bytes on disk.
    pub size: u64,
    /// The repository or directory it belongs to.
    pub repository: String,
    /// The session that took its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<SessionId>,
}

impl SessionRow {
    /// The row of a session; none before its first event.
    #[must_use]
    pub fn of(state: &SessionState, disk: OnDisk) -> Option<Self> {
        let header = state.header()?;
        let place = position(state);
        let counts = StepCounts::of(state);
        Some(Self {
            workflow_id: header.workflow_id.clone(),
            session_id: header.session_id.clone(),
            workflow_name: header.name.clone(),
            status: standing(state, disk.holder),
            position: place.to_string(),
            current_step_index: current_step_index(state),
            total_steps: header.total_steps,
            completed_steps: counts.done + counts.recovered + counts.skipped,
            stage: place.stage.map(|stage| stage.name),
            versions: state.lifetime.versions.len(),
            created_at: state.started_at,
            timestamp: state.updated_at,
            size: disk.size,
            repository: header.repository.clone(),
            superseded_by: state.lifetime.superseded_by.clone(),
        })
    }
}

/// A list of sessions, the latest first. In JSON an array.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Sessions(Vec<SessionRow>);

impl Sessions {
    /// Puts rows in order.
    #[must_use]
    pub fn new(mut rows: Vec<SessionRow>) -> Self {
        rows.sort_by(|one, other| {
            other.timestamp.cmp(&one.timestamp).then_with(|| one.session_id.cmp(&other.session_id))
        });
        Self(rows)
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[SessionRow] {
        &self.0
    }

    /// As a table.
    #[must_use]
    pub fn text(&self, now: DateTime<Utc>, style: Style) -> String {
        if self.0.is_empty() {
            return "no sessions\n".to_owned();
        }
        let mut table = Table::new(&["WORKFLOW ID", "NAME", "STATUS", "POSITION", "AGE", "SIZE"]);
        for row in &self.0 {
            let (words, ink) = status_words(row.status);
            let status = match &row.superseded_by {
                Some(_) => format!("{words}, superseded"),
                None => words.to_owned(),
            };
            table.row([
                row.workflow_id.as_str().into(),
                clip(&row.workflow_name, 40).into(),
                Cell::inked(ink, &status),
                row.position.as_str().into(),
                row.timestamp.map(|then| age(then, now)).unwrap_or_default().into(),
                bytes(row.size).into(),
            ]);
        }
        table.text(0, style)
    }
}

/// One session in detail: in JSON the keys of [`SessionRow`] and more.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionDetail {
    row: SessionRow,
    more: More,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct More {
    workflow_path: String,
    workflow_hash: String,
    directory: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    parameters: Vec<Parameter>,
    steps: StepCounts,
    active_ms: u64,
    runs: Vec<Run>,
    agents: Agents,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<WaitingView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supersedes: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    adopted_from: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Parameter {
    name: String,
    value: Json,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Run {
    run: u32,
    command: String,
    pid: i32,
    host: String,
    correlation_id: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct FailureView {
    id: String,
    step: String,
    message: String,
    class: crate::session::FailureClass,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct WaitingView {
    address: String,
    reason: WaitReason,
    message: String,
    until: Option<DateTime<Utc>>,
}

impl SessionDetail {
    /// The detail of a session; none before its first event.
    #[must_use]
    pub fn of(state: &SessionState, disk: OnDisk) -> Option<Self> {
        let header = state.header()?;
        let lifetime = &state.lifetime;
        let more = More {
            workflow_path: header.workflow_path.display().to_string(),
            workflow_hash: header.workflow_hash.to_string(),
            directory: header.directory.display().to_string(),
            profile: header.profile.clone(),
            parameters: header
                .parameters
                .iter()
                .map(|(name, value)| Parameter { name: name.clone(), value: value.to_json() })
                .collect(),
            steps: StepCounts::of(state),
            active_ms: lifetime.active_ms,
            runs: lifetime
                .runs
                .iter()
                .map(|run| Run {
                    run: run.run,
                    command: run.command.clone(),
                    pid: run.pid,
                    host: run.host.clone(),
                    correlation_id: run.correlation_id.clone(),
                })
                .collect(),
            agents: Agents::of(lifetime),
            failure: state.failure.as_ref().map(failure_view),
            waiting: state.waiting.as_ref().map(|waiting| WaitingView {
                address: waiting.address.to_string(),
                reason: waiting.reason,
                message: waiting.message.clone(),
                until: waiting.until,
            }),
            supersedes: header.supersedes.clone(),
            adopted_from: header.adopted_from.clone(),
        };
        Some(Self { row: SessionRow::of(state, disk)?, more })
    }

    /// As lines of name and value.
    #[must_use]
    pub fn text(&self, now: DateTime<Utc>, style: Style) -> String {
        let (row, more) = (&self.row, &self.more);
        let (words, ink) = status_words(row.status);
        let mut text = format!("{} {}", clip(&row.workflow_name, 80), style.paint(ink, words));
        if !row.status.is_completed() {
            let _ = write!(text, " at {}", row.position);
        }
        text.push('\n');
        let mut add = |name: &str, value: &str| {
            let _ = writeln!(text, "  {name:<11} {value}");
        };
        add("id", row.workflow_id.as_str());
        add("session", row.session_id.as_str());
        add("workflow", &line(&more.workflow_path));
        add("directory", &line(&more.directory));
        if let Some(profile) = &more.profile {
            add("profile", &line(profile));
        }
        for parameter in &more.parameters {
            add("parameter", &clip(&format!("{} = {}", parameter.name, parameter.value), 160));
        }
        add("started", &time(row.created_at, now));
        add("updated", &time(row.timestamp, now));
        add("steps", &more.steps.to_string());
        add("versions", &row.versions.to_string());
        add("active time", &duration_ms(more.active_ms));
        add("size", &bytes(row.size));
        if let Some(agents) = more.agents.words() {
            add("agents", &agents);
        }
        for run in &more.runs {
            let value =
                format!("{}: {} (pid {}, {})", run.run, run.command, run.pid, run.correlation_id);
            add("run", &line(&value));
        }
        if let Some(failure) = &more.failure {
            let value = format!("step {}: {} ({})", failure.step, failure.message, failure.id);
            add("failure", &clip(&value, 200));
        }
        if let Some(waiting) = &more.waiting {
            add("waits for", &paragraph(&waiting.message, 14));
        }
        if let Some(other) = &more.supersedes {
            add("replaces", other.as_str());
        }
        if let Some(other) = &row.superseded_by {
            add("replaced by", other.as_str());
        }
        if let Some(origin) = &more.adopted_from {
            add("began as", &line(origin));
        }
        text
    }
}

impl Serialize for SessionDetail {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = Map::new();
        for part in [serde_json::to_value(&self.row), serde_json::to_value(&self.more)] {
            if let Json::Object(part) = part.map_err(serde::ser::Error::custom)? {
                fields.extend(part);
            }
        }
        fields.serialize(serializer)
    }
}

fn failure_view(failure: &RunFailure) -> FailureView {
    FailureView {
        id: failure.id.clone(),
        step: failure.step.to_string(),
        message: failure.failure.message.shown(),
        class: failure.failure.class,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use snapbox::{assert_data_eq, str};

    use super::super::story::{Story, failed_report, result, start};
    use super::*;
    use crate::session::{EventKind, StepStatus};

    fn failed() -> Story {
        let mut story = Story::new("data pipeline", 3, &[]);
        story.done("1", "a");
        let report = failed_report(2, "", "");
        let failure = report.failure.clone().unwrap();
        story.finished("2", result(StepStatus::Failed, 1, report));
        story.add(EventKind::RunFinished {
            status: SessionStatus::Failed,
            active_ms: 80_000,
            failure: Some(RunFailure {
                id: "f1".into(),
                step: super::super::story::address("2"),
                failure,
            }),
        });
        story
    }

    #[test]
    fn a_list_says_where_each_session_stands() {
        let mut killed = Story::new("deploy\u{1b}[2J", 6, &["build", "staging"]);
        killed.started("build/1", 1, "make");
        let disk = OnDisk { holder: Holder::Nobody, size: 1_536 };
        let sessions = Sessions::new(vec![
            SessionRow::of(&killed.state, disk).unwrap(),
            SessionRow::of(&failed().state, disk).unwrap(),
        ]);
        assert_data_eq!(
            sessions.text(start() + TimeDelta::hours(3), Style::Plain),
            str![[r#"
WORKFLOW ID           NAME           STATUS       POSITION           AGE     SIZE
data-pipeline-3fa9c1  data pipeline  failed       step 2/3           2h ago  1.5 KB
deploy-2j-3fa9c1      deploy/x1b[2J  interrupted  Stage 1/2 - build  2h ago  1.5 KB

"#]]
        );
        let json = serde_json::to_value(&sessions).unwrap();
        assert_eq!(json[0]["workflow_id"], "data-pipeline-3fa9c1");
        assert_eq!(json[0]["status"], "failed");
        assert_eq!(json[0]["current_step_index"], 1);
        assert_eq!(json[0]["total_steps"], 3);
        assert_eq!(json[0]["completed_steps"], 1);
        assert_eq!(Sessions::new(Vec::new()).text(start(), Style::Plain), "no sessions\n");
    }

    #[test]
    fn a_running_session_is_only_running_while_a_process_holds_it() {
        let story = Story::new("flow", 1, &[]);
        assert_eq!(standing(&story.state, Holder::Process), SessionStatus::Running);
        assert_eq!(standing(&story.state, Holder::Nobody), SessionStatus::Interrupted);
        assert_eq!(standing(&failed().state, Holder::Nobody), SessionStatus::Failed);
    }

    #[test]
    fn the_detail_of_a_failed_session() {
        let detail = SessionDetail::of(&failed().state, OnDisk::default()).unwrap();
        assert_data_eq!(
            detail.text(start() + TimeDelta::seconds(66), Style::Plain),
            str![[r#"
data pipeline failed at step 2/3
  id          data-pipeline-3fa9c1
  session     session-3fa9c1aa-0000-4000-8000-000000000001
  workflow    /repo/flow.yml
  directory   /repo
  started     2023-11-14 22:13:21 UTC (1m ago)
  updated     2023-11-14 22:13:26 UTC (1m ago)
  steps       1 done, 1 failed, 1 not run
  versions    2
  active time 1m 20s
  size        0 B
  run         1: cook (pid 4242, run-1)
  failure     step 2: exit code 2 (f1)

"#]]
        );
        assert_eq!(serde_json::to_value(&detail).unwrap()["status"], "failed");
    }
}
