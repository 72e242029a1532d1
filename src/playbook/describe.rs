//! What a step is, for people and for the journal.

use super::model::{Action, Shell, Step};
use crate::session::StepKind;

impl Step {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> StepKind {
        match &self.action {
            Action::Shell(_) => StepKind::Shell,
            Action::Claude(_) => StepKind::Claude,
            Action::GoalSeek(_) => StepKind::GoalSeek,
            Action::Foreach(_) => StepKind::Foreach,
            Action::WriteFile(_) => StepKind::WriteFile,
        }
    }

    /// What it does, in one short line.
    #[must_use]
    pub fn summary(&self) -> String {
        let text = match &self.action {
            Action::Shell(text) => text.source(),
            Action::Claude(call) => call.prompt.source(),
            Action::GoalSeek(goal) => goal.goal.source(),
            Action::Foreach(_) => return self.kind().as_str().to_owned(),
            Action::WriteFile(file) => file.path.source(),
        };
        let line = text.lines().next().unwrap_or_default();
        let short: String = line.chars().take(60).collect();
        let more = short.len() < text.trim_end().len();
        format!("{}: {short}{}", self.kind().as_str(), if more { " …" } else { "" })
    }
}

impl Step {
    /// Its name, if it has one, and what it does.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.name {
            Some(name) => format!("{} - {}", name.source(), self.summary()),
            None => self.summary(),
        }
    }
}

impl Shell {
    /// True for `sh -c`, which every step runs in unless the file says otherwise.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.words == ["sh", "-c"]
    }
}
