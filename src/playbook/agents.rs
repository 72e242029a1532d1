//! The agent steps of a workflow, and the program that each of them calls.

use super::model::{Action, ClaudeCall, ClaudeDefaults, Step, Workflow};
use super::walk::{each_step, each_step_below};

/// The program without `command:`.
pub const AGENT_PROGRAM: &str = "claude";

/// The command that installs [`AGENT_PROGRAM`].
pub const AGENT_INSTALL: &str = "npm install -g @anthropic-ai/claude-code";

/// The permission modes that the Claude CLI knows.
pub const PERMISSION_MODES: [&str; 6] =
    ["default", "acceptEdits", "auto", "bypassPermissions", "dontAsk", "plan"];

/// Arguments of the CLI that belong to us: output format, prompt input and conversation.
pub const OWN_ARGUMENTS: [&str; 14] = [
    "--bare",
    "--continue",
    "--fork-session",
    "--input-format",
    "--no-session-persistence",
    "--output-format",
    "--print",
    "--resume",
    "--session-id",
    "--version",
    "-c",
    "-p",
    "-r",
    "-v",
];

impl Workflow {
    /// The program of an agent step and its leading arguments: the step's, else the workflow's;
    /// empty for [`AGENT_PROGRAM`] alone.
    #[must_use]
    pub fn agent_command<'w>(&'w self, own: &'w ClaudeDefaults) -> &'w [String] {
        if own.command.is_empty() { &self.claude.command } else { &own.command }
    }

    /// Every agent step at any depth.
    #[must_use]
    pub fn agent_steps(&self) -> Vec<(&Step, &ClaudeCall)> {
        let mut found = Vec::new();
        each_step(self, &mut |step, _| found.extend(agent_step(step)));
        found
    }
}

impl Step {
    /// Every agent step at or below this one.
    #[must_use]
    pub fn agent_steps(&self) -> Vec<(&Step, &ClaudeCall)> {
        let mut found: Vec<_> = agent_step(self).into_iter().collect();
        each_step_below(self, &mut |step, _| found.extend(agent_step(step)));
        found
    }
}

fn agent_step(step: &Step) -> Option<(&Step, &ClaudeCall)> {
    match &step.action {
        Action::Claude(call) => Some((step, call)),
        _ => None,
    }
}
