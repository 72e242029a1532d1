//! `sessions show`: one session in detail.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};

use super::{
    Agents, OnDisk, SessionRow, StepCounts, Style, bytes, clip, duration_ms, item_counts, line,
    paragraph, status_words, time,
};
use crate::session::{FailureClass, RunFailure, SessionId, SessionState, WaitReason};

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
    #[serde(skip_serializing_if = "Option::is_none")]
    forked_from: Option<ForkedFrom>,
}

/// Where a forked session comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct ForkedFrom {
    session_id: SessionId,
    version: Option<u32>,
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
    class: FailureClass,
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
            active_ms: lifetime.active.ms(),
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
            forked_from: state
                .lifetime
                .forked_from
                .clone()
                .map(|(session_id, version)| ForkedFrom { session_id, version }),
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
        if let Some(job) = &row.mapreduce_state {
            if let Some(id) = &job.job_id {
                add("job", &line(id));
            }
            add("items", &item_counts(job));
        }
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
        if let Some(origin) = &more.forked_from {
            let at = origin.version.map(|version| format!(" at v{version}")).unwrap_or_default();
            add("forked from", &format!("{}{at}", origin.session_id));
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

    use super::super::story::{failed, start};
    use super::*;

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
  steps       1 done, 1 failed, 1 to do
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
