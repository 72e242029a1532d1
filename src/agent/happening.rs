//! What an agent does right now, for those who look on and for the executor, which must stop it at once
//! in some cases.

use std::fmt;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

/// Something that one line of the stream tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// The agent uses a tool: `Bash: cargo test`, `Edit src/main.rs`.
    Tool(String),
    /// The agent says something.
    Text(String),
    /// The CLI could not reach the API and tries again by itself.
    WaitingForApi {
        /// The attempt that failed, from 1.
        attempt: u64,
        /// How often it tries.
        of: u64,
    },
    /// The API does not accept the credentials; the CLI would try for minutes: stop it.
    NotAuthorized,
    /// The prompt calls a slash command (its name) that the CLI does not know: stop it before it costs.
    UnknownCommand(String),
    /// The account's limit is reached, until then if it is known.
    LimitReached(Option<DateTime<Utc>>),
    /// The CLI went on with another model (its own sentence).
    ModelChanged(String),
    /// An MCP server (its name) is not there.
    ServerMissing(String),
}

impl Happening {
    /// True when going on only costs time or money.
    #[must_use]
    pub fn ends_the_call(&self) -> bool {
        matches!(self, Self::NotAuthorized | Self::UnknownCommand(_))
    }
}

impl fmt::Display for Happening {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tool(line) | Self::Text(line) | Self::ModelChanged(line) => {
                formatter.write_str(line)
            }
            Self::WaitingForApi { attempt, of } => {
                write!(formatter, "waiting for API (attempt {attempt}/{of})")
            }
            Self::NotAuthorized => formatter.write_str("the API does not accept the credentials"),
            Self::UnknownCommand(name) => {
                write!(formatter, "claude knows no command /{name}")
            }
            Self::LimitReached(Some(until)) => {
                write!(formatter, "limit reached until {}", until.format("%Y-%m-%d %H:%M UTC"))
            }
            Self::LimitReached(None) => formatter.write_str("limit reached"),
            Self::ServerMissing(name) => write!(formatter, "MCP server {name} did not start"),
        }
    }
}

/// The longest line that is shown of a tool's input, in characters.
const SHOWN: usize = 120;

/// One line for the use of a tool; paths below `directory` are shown from there.
pub(super) fn tool_line(name: &str, input: &Json, directory: &str) -> String {
    let field = |key: &str| input.get(key).and_then(Json::as_str);
    let path = |path: &str| {
        let below = path.strip_prefix(directory).and_then(|rest| rest.strip_prefix('/'));
        one_line(below.unwrap_or(path))
    };
    let subject = match name {
        "Bash" => field("command").map(one_line),
        "Task" | "Agent" => field("description").map(one_line),
        "Grep" | "Glob" => field("pattern").map(one_line),
        "Skill" => field("skill").or_else(|| field("command")).map(one_line),
        "WebFetch" => field("url").map(one_line),
        "WebSearch" => field("query").map(one_line),
        _ => None,
    };
    if let Some(subject) = subject {
        return format!("{name}: {subject}");
    }
    let file = field("file_path").or_else(|| field("notebook_path")).or_else(|| field("path"));
    match file {
        Some(file) => format!("{name} {}", path(file)),
        None => name.to_owned(),
    }
}

/// The first line, without control characters, cut when it is long.
pub(super) fn one_line(text: &str) -> String {
    let first = text.trim().lines().next().unwrap_or_default();
    let mut line: String =
        first.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN + 1).collect();
    if line.chars().count() > SHOWN {
        line.pop();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tools_are_shown_by_what_matters_to_a_person() {
        let line = |name: &str, input: Json| tool_line(name, &input, "/repo");
        assert_eq!(line("Bash", json!({"command": "cargo test\n# more"})), "Bash: cargo test");
        assert_eq!(line("Edit", json!({"file_path": "/repo/src/main.rs"})), "Edit src/main.rs");
        assert_eq!(line("Read", json!({"file_path": "/etc/hosts"})), "Read /etc/hosts");
        assert_eq!(line("Agent", json!({"description": "look"})), "Agent: look");
        assert_eq!(line("Later", json!({"x": 1})), "Later");
        assert_eq!(line("Bash", json!({"command": "a\u{1b}[2Jb"})), "Bash: a [2Jb");
        assert_eq!(one_line(&"ä".repeat(500)).chars().count(), SHOWN + 1);
    }

    #[test]
    fn only_hopeless_calls_are_stopped() {
        assert!(Happening::NotAuthorized.ends_the_call());
        assert!(Happening::UnknownCommand("x".into()).ends_the_call());
        assert!(!Happening::WaitingForApi { attempt: 1, of: 10 }.ends_the_call());
    }
}
