//! `sessions list` and `checkpoints list`: what sessions there are, and how they stand.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::table::{Cell, Table};
use super::{
    Depth, StepCounts, Style, age, bytes, clip, current_step_index, position, status_words,
};
use crate::session::{
    JobProgress, SessionId, SessionKind, SessionState, SessionStatus, WorkflowId,
};

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
    /// What kind of workflow it is.
    pub session_type: SessionKind,
    /// How far its job is, where it has a map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapreduce_state: Option<JobProgress>,
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
            session_type: state.kind(),
            mapreduce_state: JobProgress::of(state),
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

    /// As a table; verbosely with the session's own id and the number of its versions.
    #[must_use]
    pub fn text(&self, now: DateTime<Utc>, depth: Depth, style: Style) -> String {
        if self.0.is_empty() {
            return "no sessions\n".to_owned();
        }
        let brief = ["WORKFLOW ID", "NAME", "STATUS", "POSITION", "AGE", "SIZE"];
        let more = ["VERSIONS", "REPOSITORY", "SESSION"];
        let mut table = match depth {
            Depth::Brief => Table::new(&brief),
            Depth::Verbose => Table::new(&[&brief[..], &more[..]].concat()),
        };
        for row in &self.0 {
            let (words, ink) = status_words(row.status);
            let status = match &row.superseded_by {
                Some(_) => format!("{words}, superseded"),
                None => words.to_owned(),
            };
            let mut cells = vec![
                row.workflow_id.as_str().into(),
                clip(&row.workflow_name, 40).into(),
                Cell::inked(ink, &status),
                row.position.as_str().into(),
                row.timestamp.map(|then| age(then, now)).unwrap_or_default().into(),
                bytes(row.size).into(),
            ];
            if depth == Depth::Verbose {
                cells.push(row.versions.to_string().into());
                cells.push(row.repository.as_str().into());
                cells.push(row.session_id.as_str().into());
            }
            table.row(cells);
        }
        table.text(0, style)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use snapbox::{assert_data_eq, str};

    use super::super::story::{Story, failed, start};
    use super::*;

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
            sessions.text(start() + TimeDelta::hours(3), Depth::Brief, Style::Plain),
            str![[r#"
WORKFLOW ID           NAME           STATUS       POSITION           AGE     SIZE
data-pipeline-3fa9c1  data pipeline  failed       step 2/3           2h ago  1.5 KB
deploy-2j-3fa9c1      deploy/x1b[2J  interrupted  Stage 1/2 - build  2h ago  1.5 KB

"#]]
        );
        let verbose = sessions.text(start(), Depth::Verbose, Style::Plain);
        assert!(verbose.contains("SIZE    VERSIONS  REPOSITORY  SESSION\n"), "{verbose}");
        assert!(verbose.contains("repo        session-3fa9c1aa-"), "{verbose}");
        let json = serde_json::to_value(&sessions).unwrap();
        assert_eq!(json[0]["workflow_id"], "data-pipeline-3fa9c1");
        assert_eq!(json[0]["status"], "failed");
        assert_eq!(json[0]["current_step_index"], 1);
        assert_eq!(json[0]["total_steps"], 3);
        assert_eq!(json[0]["completed_steps"], 1);
        assert_eq!(
            Sessions::new(Vec::new()).text(start(), Depth::Brief, Style::Plain),
            "no sessions\n"
        );
    }

    #[test]
    fn a_running_session_is_only_running_while_a_process_holds_it() {
        let story = Story::new("flow", 1, &[]);
        assert_eq!(standing(&story.state, Holder::Process), SessionStatus::Running);
        assert_eq!(standing(&story.state, Holder::Nobody), SessionStatus::Interrupted);
        assert_eq!(standing(&failed().state, Holder::Nobody), SessionStatus::Failed);
    }
}
