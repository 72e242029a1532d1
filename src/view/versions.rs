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
        };
        Self(state.lifetime.versions.iter().map(row).collect())
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
        let mut table = Table::new(&["VERSION", "AFTER", "NAME", "AGE"]);
        for row in &self.0 {
            table.row([
                Cell::from(format!("v{}", row.version)),
                row.address.as_str().into(),
                row.name.as_deref().map(|name| clip(name, 60)).unwrap_or_default().into(),
                age(row.timestamp, now).into(),
            ]);
        }
        table.text(0, style)
    }
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
