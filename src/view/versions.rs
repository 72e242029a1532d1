//! `checkpoints list --workflow-id ID`: the restore points of a session.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::table::{Cell, Table};
use super::{Style, age, clip};
use crate::session::{Address, SessionState};

/// The restore points of one session, oldest first. In JSON an array.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Versions(Vec<VersionRow>);

/// One restore point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VersionRow {
    /// N of `vN`.
    pub version: u32,
    /// The name of an explicit checkpoint or a stage.
    pub name: Option<String>,
    /// The step or stage that ended there.
    pub address: Address,
    /// Number of the event.
    pub seq: u64,
    /// When.
    pub timestamp: DateTime<Utc>,
    /// HEAD at that moment, in a git repository.
    pub head: Option<String>,
    /// Whether the files of that moment are kept, so that `recovery rollback` can restore them.
    pub files: bool,
    /// False when the session has gone back over it since.
    pub current: bool,
}

impl Versions {
    /// Those of `state`.
    #[must_use]
    pub fn of(state: &SessionState) -> Self {
        let row = |version: &crate::session::Version| VersionRow {
            version: version.version,
            name: version.name.clone(),
            address: version.address.clone(),
            seq: version.seq,
            timestamp: version.at,
            head: version.head.clone(),
            files: version.files.is_some(),
            current: state.lifetime.is_current(version),
        };
        // The beginning is one only where there are files to go back to.
        let versions = state.lifetime.all_versions();
        Self(versions.filter(|it| it.version > 0 || it.files.is_some()).map(row).collect())
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[VersionRow] {
        &self.0
    }

    /// As a table.
    #[must_use]
    pub fn text(&self, now: DateTime<Utc>, style: Style) -> String {
        if self.0.is_empty() {
            return "no checkpoints yet\n".to_owned();
        }
        // Outside of a git repository nobody asks for files.
        let git = self.0.iter().any(|row| row.files || row.head.is_some());
        let mut heads = vec!["VERSION", "AFTER", "NAME", "AGE"];
        if git {
            heads.extend(["FILES", "HEAD"]);
        }
        let mut table = Table::new(&heads);
        for row in &self.0 {
            let mut cells = vec![
                Cell::from(format!("v{}", row.version)),
                match row.address.is_root() {
                    true => "-".into(),
                    false => row.address.as_str().into(),
                },
                row.name.as_deref().map(|name| clip(name, 60)).unwrap_or_default().into(),
                age(row.timestamp, now).into(),
            ];
            if git {
                cells.push(if row.files { "kept" } else { "" }.into());
                cells.push(row.head.as_deref().map(short).unwrap_or_default().into());
            }
            table.row(cells);
        }
        table.text(0, style)
    }
}

fn short(head: &str) -> &str {
    head.get(..12).unwrap_or(head)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use snapbox::{assert_data_eq, str};

    use super::super::story::{Story, address, result, start};
    use super::*;
    use crate::session::{EventKind, Report, StepStatus};

    #[test]
    fn numbered_named_and_aged() {
        let mut story = Story::new("flow", 3, &["build"]);
        assert_eq!(Versions::of(&story.state).text(start(), Style::Plain), "no checkpoints yet\n");
        story.done("build/1", "a").done("build/1.on_success/1", "not one").add(
            EventKind::StepFinished {
                address: address("build/2"),
                id: None,
                result: Arc::new(result(StepStatus::Success, 1, Report::default())),
                checkpoint: Some("ready".into()),
                name: String::new(),
            },
        );
        story.add(EventKind::ScopeFinished {
            address: address("build"),
            status: StepStatus::Success,
            goes_on: true,
            checkpoint: None,
        });
        let versions = Versions::of(&story.state);
        assert_data_eq!(
            versions.text(story.state.updated_at.unwrap(), Style::Plain),
            str![[r#"
VERSION  AFTER    NAME   AGE
v1       build/1         4s ago
v2       build/2  ready  just now
v3       build    build  just now

"#]]
        );
        assert_eq!(serde_json::to_value(&versions).unwrap()[1]["version"], 2);
    }
}
