//! `checkpoints show --diff A..B`: what changed between two states of a session.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value as Json;

use super::order::order;
use super::table::{Cell, Table};
use super::{Ink, Style, step_words, value_line, variables};
use crate::session::{Address, Progress, Record, SessionState, StepStatus};

/// What changed from one state to another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// How the session as a whole stood, where that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Change>,
    /// Where it stood.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<Change>,
    /// HEAD of the git repository, as it was recorded last.
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<Change>,
    /// The hash of the workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow_hash: Option<Change>,
    /// Files that differ; absent where those of one side were not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<FileChange>>,
    variables: Vec<VariableChange>,
    steps: Vec<StepChange>,
}

/// Something that has one value on each side.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Change {
    before: Option<String>,
    after: Option<String>,
}

/// A file that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileChange {
    /// Its path from the top directory of the git repository.
    pub path: String,
    /// Whether it was there before.
    pub before: bool,
    /// Whether it is there after.
    pub after: bool,
}

/// A variable that is not what it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct VariableChange {
    name: String,
    before: Option<Json>,
    after: Option<Json>,
}

/// A step that is not as it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct StepChange {
    address: Address,
    command: String,
    before: Option<StepSide>,
    after: Option<StepSide>,
}

/// A step in one of the states.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct StepSide {
    /// Absent while it is not through.
    status: Option<StepStatus>,
    attempts: u32,
}

impl Difference {
    /// What is different in `after`.
    #[must_use]
    pub fn of(before: &SessionState, after: &SessionState) -> Self {
        // Where the workflow was edited in between, steps are where they are after that.
        let (before, after) = (&before.as_edited_by(after), &after.as_edited_by(before));
        let change = |look: fn(&SessionState) -> Option<String>| {
            let change = Change { before: look(before), after: look(after) };
            (change.before != change.after).then_some(change)
        };
        Self {
            status: change(|state| Some(state.status?.as_str().to_owned())),
            position: change(|state| Some(super::position(state).to_string())),
            head: change(|state| state.lifetime.head.clone()),
            workflow_hash: change(|state| Some(state.header()?.workflow_hash.to_string())),
            files: None,
            variables: variable_changes(before, after),
            steps: step_changes(before, after),
        }
    }

    /// With the files that differ, where both versions kept them.
    #[must_use]
    pub fn with_files(mut self, files: Vec<FileChange>) -> Self {
        self.files = Some(files);
        self
    }

    /// True when nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let one = [&self.status, &self.position, &self.head, &self.workflow_hash];
        one.iter().all(|change| change.is_none())
            && self.files.as_ref().is_none_or(Vec::is_empty)
            && self.variables.is_empty()
            && self.steps.is_empty()
    }

    /// As sections of lines that begin with `+` (new), `-` (gone) or `~` (changed).
    #[must_use]
    pub fn text(&self, style: Style) -> String {
        if self.is_empty() {
            return "no difference\n".to_owned();
        }
        let mut text = String::new();
        let mut steps = Table::new(&["", "STEP", "BEFORE", "AFTER", "COMMAND"]);
        for step in &self.steps {
            steps.row([
                mark(step.before.is_some(), step.after.is_some()),
                step.address.as_str().into(),
                side(step.before.as_ref()),
                side(step.after.as_ref()),
                super::clip(&step.command, 60).into(),
            ]);
        }
        let mut variables = Table::new(&["", "NAME", "BEFORE", "AFTER"]);
        for variable in &self.variables {
            let shown = |value: &Option<Json>| {
                value.as_ref().map(|value| value_line(value, 60)).unwrap_or_default()
            };
            variables.row([
                mark(variable.before.is_some(), variable.after.is_some()),
                Cell::from(&variable.name),
                shown(&variable.before).into(),
                shown(&variable.after).into(),
            ]);
        }
        let mut files = Table::new(&["", "FILE"]);
        for file in self.files.iter().flatten() {
            files.row([mark(file.before, file.after), super::clip(&file.path, 100).into()]);
        }
        for (name, change) in [
            ("status", &self.status),
            ("position", &self.position),
            ("head", &self.head),
            ("workflow", &self.workflow_hash),
        ] {
            if let Some(change) = change {
                let side = |side: &Option<String>| match side {
                    Some(value) => super::line(value).into_owned(),
                    None => "none".to_owned(),
                };
                let (before, after) = (side(&change.before), side(&change.after));
                let _ = writeln!(text, "{name:<9} {before} -> {after}");
            }
        }
        for (heading, rows) in [
            ("steps", steps.text(2, style)),
            ("variables", variables.text(2, style)),
            ("files", files.text(2, style)),
        ] {
            if !rows.is_empty() {
                let _ = write!(text, "{heading}\n{rows}");
            }
        }
        text
    }
}

fn mark(before: bool, after: bool) -> Cell {
    match (before, after) {
        (false, _) => Cell::inked(Ink::Good, "+"),
        (_, false) => Cell::inked(Ink::Bad, "-"),
        _ => Cell::inked(Ink::Caution, "~"),
    }
}

fn side(side: Option<&StepSide>) -> Cell {
    match side {
        None => Cell::from(""),
        Some(StepSide { status: None, .. }) => Cell::from("not through"),
        Some(StepSide { status: Some(status), attempts }) => {
            let (word, ink) = step_words(*status);
            let text = if *attempts > 1 {
                format!("{word}, {attempts} attempts")
            } else {
                word.to_owned()
            };
            Cell::inked(ink, &text)
        }
    }
}

fn variable_changes(before: &SessionState, after: &SessionState) -> Vec<VariableChange> {
    let (old, new) = (variables(before), variables(after));
    let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| VariableChange {
            name: name.clone(),
            before: old.get(name).cloned(),
            after: new.get(name).cloned(),
        })
        .collect()
}

fn step_changes(before: &SessionState, after: &SessionState) -> Vec<StepChange> {
    let mut both: BTreeMap<&Address, [Option<&Record>; 2]> = BTreeMap::new();
    for (side, state) in [before, after].into_iter().enumerate() {
        for (address, record) in state.standing.records() {
            both.entry(address).or_default()[side] = Some(record);
        }
    }
    let mut changes: Vec<_> = both
        .into_iter()
        .filter_map(|(address, [old, new])| {
            let (before, after) = (old.map(step_side), new.map(step_side));
            // The same status from another run is a change as well: it ran again.
            let again = |old: Option<&Record>, new: Option<&Record>| {
                old.map(|record| record.finished_seq) != new.map(|record| record.finished_seq)
            };
            (before != after || again(old, new)).then(|| StepChange {
                address: address.clone(),
                command: new.or(old).map(|record| record.command.clone()).unwrap_or_default(),
                before,
                after,
            })
        })
        .collect();
    changes.sort_by_cached_key(|change| order(&change.address, after));
    changes
}

fn step_side(record: &Record) -> StepSide {
    let result = record.result.as_ref().filter(|_| record.progress == Progress::Done);
    StepSide {
        status: result.map(|result| result.status),
        attempts: result.map_or(record.attempt, |result| result.attempts),
    }
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::super::story::{Story, result};
    use super::*;
    use crate::session::{Captured, Report, Stored};

    fn captured(name: &str, value: &str) -> crate::session::StepResult {
        let mut captured = result(StepStatus::Success, 1, Report::default());
        captured.captures = vec![Captured { name: name.into(), value: Some(Stored::plain(value)) }];
        captured
    }

    #[test]
    fn new_steps_and_changed_values() {
        let mut story = Story::new("flow", 12, &[]);
        story.started("2", 1, "pick").finished("2", captured("choice", "a"));
        story.started("3", 1, "try");
        let before = story.state.clone();
        story.finished("3", result(StepStatus::Recovered, 2, Report::default()));
        story.started("10", 1, "pick again").finished("10", captured("choice", "b\nc"));
        let difference = Difference::of(&before, &story.state);
        assert_data_eq!(
            difference.text(Style::Plain),
            str![[r#"
steps
     STEP  BEFORE       AFTER                  COMMAND
  ~  3     not through  recovered, 2 attempts  try
  +  10                 done                   pick again
variables
     NAME    BEFORE  AFTER
  ~  choice  a       b/nc

"#]]
        );
        let files = vec![FileChange { path: "a\nb".to_owned(), before: true, after: false }];
        let with_files = Difference::of(&before, &before).with_files(files);
        assert_data_eq!(with_files.text(Style::Plain), "files\n     FILE\n  -  a …\n");
        let mut over = before.clone();
        over.status = Some(crate::session::SessionStatus::Failed);
        let ended = Difference::of(&before, &over);
        assert_data_eq!(ended.text(Style::Plain), "status    running -> failed\n");
        let back = Difference::of(&story.state, &before);
        assert_eq!(serde_json::to_value(&back).unwrap()["steps"][1]["after"], Json::Null);
        assert_eq!(Difference::of(&before, &before).text(Style::Plain), "no difference\n");
    }
}
