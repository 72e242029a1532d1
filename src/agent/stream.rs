//! Reads the CLI's stream of JSON lines as it comes, and keeps what the verdict needs. Lenient: what it does
//! not know it skips, what is broken it counts.

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::command::{Call, slash_command};
use super::happening::{Happening, one_line, tool_line};
use super::reset::instant;
use super::torn::{object, pieces};

/// A reader of one call's stdout. Its memory is one line and the facts below, whatever the length of the stream.
#[derive(Debug, Default)]
pub struct Reader {
    /// The slash command that the prompt calls.
    command: Option<String>,
    /// The line so far.
    line: Vec<u8>,
    /// True while a line that is too long goes by.
    overlong: bool,
    /// The beginning of a line that another was written into.
    torn: Option<Vec<u8>>,
    facts: Facts,
}

/// What the stream has told so far.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) init: Option<Init>,
    pub(super) result: Option<ResultLine>,
    /// True when the agent went on after the last result (a background task woke it).
    pub(super) went_on: bool,
    /// Turns over all results: each counts its own only.
    pub(super) turns: u64,
    pub(super) text: Option<String>,
    /// The error of the last message, where the CLI wrote it in the agent's place.
    pub(super) error: Option<String>,
    pub(super) retry: Option<ApiRetry>,
    /// True when the model said anything.
    pub(super) answered: bool,
    pub(super) command_error: Option<String>,
    pub(super) limit: Option<Limit>,
    pub(super) unknown_command: Option<String>,
    /// Lines that were JSON objects.
    pub(super) events: u64,
    /// Lines that were not.
    pub(super) skipped: u64,
}

/// The `init` line: the call began.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Init {
    /// The conversation's id.
    pub session_id: String,
    /// The model that was asked for.
    pub model: String,
    /// The working directory as the CLI names it.
    pub directory: String,
    /// Known commands without `/`; `None` when the CLI does not say.
    pub slash_commands: Option<Vec<String>>,
}

/// The last `result` line.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResultLine {
    /// `success` also for API errors; `error_max_turns`, ….
    pub subtype: String,
    /// Whether the CLI takes it for an error.
    pub is_error: bool,
    /// The HTTP status of a failed request, where the CLI knew one.
    pub api_error_status: Option<u64>,
    /// The final text; absent for some errors.
    pub text: Option<String>,
    /// The CLI's own error lines.
    pub errors: Vec<String>,
    /// Turns of this answer.
    pub turns: Option<u64>,
    /// Dollars of the whole process so far.
    pub cost_usd: Option<f64>,
    /// Tokens of the whole process so far, cache included.
    pub tokens: Option<u64>,
    /// `completed`, `aborted_tools`, ….
    pub terminal_reason: String,
    /// `end_turn`, `refusal`, ….
    pub stop_reason: String,
    /// The conversation's id.
    pub session_id: String,
    /// The tools that were refused, one entry a refusal.
    pub denials: Vec<String>,
    /// The answer to `--json-schema`.
    pub structured: Option<Json>,
}

/// The CLI repeats a request by itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApiRetry {
    /// From 1.
    pub attempt: u64,
    /// How often it tries.
    pub max_retries: u64,
    /// HTTP status, if there was an answer.
    pub status: Option<u64>,
    /// `overloaded`, `authentication_failed`, ….
    pub error: String,
}

/// An account's limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// When it is over, if the CLI said.
    pub until: Option<DateTime<Utc>>,
}

/// A line longer than this (bytes) is skipped: no event is, but a tool's noise may be.
const LONGEST_LINE: usize = 256 * 1024 * 1024;

impl Reader {
    /// A reader for the output of `call`: it knows which slash command was asked for.
    #[must_use]
    pub fn of(call: &Call) -> Self {
        Self { command: slash_command(&call.prompt).map(str::to_owned), ..Self::default() }
    }

    /// Takes the next bytes of stdout, cut anywhere, and tells what happened in the lines they end.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Happening> {
        let mut happenings = Vec::new();
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.extend(&rest[..end]);
            self.end_line(&mut happenings);
            rest = &rest[end + 1..];
        }
        self.extend(rest);
        happenings
    }

    /// The stream is over: reads a last line without its end.
    pub fn finish(&mut self) -> Vec<Happening> {
        let mut happenings = Vec::new();
        self.end_line(&mut happenings);
        happenings
    }

    /// The first line of the call, once it came.
    #[must_use]
    pub fn init(&self) -> Option<&Init> {
        self.facts.init.as_ref()
    }

    /// The last result, once one came.
    #[must_use]
    pub fn result(&self) -> Option<&ResultLine> {
        self.facts.result.as_ref()
    }

    /// What the agent itself (no agent below it) said last.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.facts.text.as_deref()
    }

    /// The last time that the CLI repeated a request.
    #[must_use]
    pub fn retry(&self) -> Option<&ApiRetry> {
        self.facts.retry.as_ref()
    }

    /// Lines that could not be read.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.facts.skipped
    }

    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }

    fn extend(&mut self, bytes: &[u8]) {
        if self.overlong || self.line.len() + bytes.len() > LONGEST_LINE {
            self.overlong = true;
            self.line = Vec::new();
        } else {
            self.line.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self, happenings: &mut Vec<Happening>) {
        let line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.overlong) {
            self.facts.skipped += 1;
            return;
        }
        let line = line.trim_ascii();
        if line.is_empty() {
            return;
        }
        if let Ok(json @ Json::Object(_)) = serde_json::from_slice(line) {
            self.read(&json, happenings);
            return;
        }
        if let Some(mut head) = self.torn.take() {
            head.extend_from_slice(line);
            if let Some((json, _)) = object(&head) {
                self.facts.skipped -= 1;
                self.read(&json, happenings);
                return;
            }
        }
        let found = pieces(line);
        for json in &found.objects {
            self.read(json, happenings);
        }
        if found.head.is_some() || found.objects.is_empty() {
            self.facts.skipped += 1;
        }
        // Only what another event was written into can go on in the next line.
        self.torn = found.head.filter(|_| !found.objects.is_empty());
    }

    fn read(&mut self, json: &Json, happenings: &mut Vec<Happening>) {
        self.facts.events += 1;
        match (text(json, "type"), text(json, "subtype")) {
            ("system", "init") => self.read_init(json, happenings),
            ("system", "api_retry") => self.read_retry(json, happenings),
            ("system", "model_fallback") => {
                happenings.push(Happening::ModelChanged(one_line(text(json, "content"))));
            }
            ("assistant", _) => self.read_message(json, happenings),
            ("user", _) => self.read_user(json),
            ("rate_limit_event", _) => self.read_limit(json, happenings),
            ("result", _) => self.read_result(json),
            _ => {}
        }
    }

    fn read_init(&mut self, json: &Json, happenings: &mut Vec<Happening>) {
        let commands = json.get("slash_commands").and_then(Json::as_array).map(|names| {
            names
                .iter()
                .filter_map(Json::as_str)
                .map(|name| name.trim_start_matches('/').to_owned())
        });
        let init = Init {
            session_id: text(json, "session_id").to_owned(),
            model: text(json, "model").to_owned(),
            directory: text(json, "cwd").to_owned(),
            slash_commands: commands.map(Iterator::collect),
        };
        if self.facts.init.is_none() {
            let servers = json.get("mcp_servers").and_then(Json::as_array);
            let failed = servers.into_iter().flatten().filter(|s| text(s, "status") == "failed");
            happenings.extend(failed.map(|s| Happening::ServerMissing(one_line(text(s, "name")))));
            if let (Some(command), Some(known)) = (&self.command, &init.slash_commands)
                && !known.is_empty()
                && !known.contains(command)
            {
                self.facts.unknown_command = Some(command.clone());
                happenings.push(Happening::UnknownCommand(command.clone()));
            }
        }
        self.facts.went_on = self.facts.result.is_some();
        self.facts.init = Some(init);
    }

    fn read_retry(&mut self, json: &Json, happenings: &mut Vec<Happening>) {
        let number = |key: &str| json.get(key).and_then(Json::as_u64);
        let retry = ApiRetry {
            attempt: number("attempt").unwrap_or(1),
            max_retries: number("max_retries").unwrap_or(1),
            status: number("error_status"),
            error: text(json, "error").to_owned(),
        };
        happenings.push(if retry.status == Some(401) {
            Happening::NotAuthorized
        } else {
            Happening::WaitingForApi { attempt: retry.attempt, of: retry.max_retries }
        });
        self.facts.retry = Some(retry);
    }

    fn read_message(&mut self, json: &Json, happenings: &mut Vec<Happening>) {
        let author = json.get("message").map_or("", |message| text(message, "model"));
        if author != "<synthetic>" {
            // The model answered: whatever was in the way before is over.
            self.facts.answered = true;
            self.facts.retry = None;
            self.facts.limit = None;
        }
        let is_main = json.get("parent_tool_use_id").is_none_or(Json::is_null);
        let directory = self.facts.init.as_ref().map_or("", |init| init.directory.as_str());
        let mut said = String::new();
        for block in blocks(json) {
            match text(block, "type") {
                "tool_use" => {
                    let input = block.get("input").unwrap_or(&Json::Null);
                    let line = tool_line(&one_line(text(block, "name")), input, directory);
                    happenings.push(Happening::Tool(line));
                }
                "text" if is_main => said.push_str(text(block, "text")),
                _ => {}
            }
        }
        if !is_main {
            return;
        }
        self.facts.went_on = self.facts.result.is_some();
        self.facts.error = json.get("error").and_then(Json::as_str).map(str::to_owned);
        if !said.trim().is_empty() {
            happenings.push(Happening::Text(said.clone()));
            self.facts.text = Some(said);
        }
    }

    /// Output of a local command that failed: the prompt's `` !`command` `` was not allowed, say.
    fn read_user(&mut self, json: &Json) {
        let content = json.get("message").and_then(|message| message.get("content"));
        let whole = content.and_then(Json::as_str);
        let parts = blocks(json).filter(|b| text(b, "type") == "text").map(|b| text(b, "text"));
        for said in whole.into_iter().chain(parts) {
            if let Some((_, rest)) = said.split_once("<local-command-stderr>")
                && said.trim_start().starts_with("<local-command-stderr>")
            {
                let error = rest.split("</local-command-stderr>").next().unwrap_or(rest);
                self.facts.command_error = Some(error.trim().to_owned());
            }
        }
    }

    fn read_limit(&mut self, json: &Json, happenings: &mut Vec<Happening>) {
        let info = json.get("rate_limit_info").unwrap_or(json);
        if text(info, "status") == "rejected" {
            let until = ["resetsAt", "resets_at"].iter().find_map(|key| instant(info.get(key)?));
            self.facts.limit = Some(Limit { until });
            happenings.push(Happening::LimitReached(until));
        }
    }

    fn read_result(&mut self, json: &Json) {
        let list = |key: &str| json.get(key).and_then(Json::as_array).into_iter().flatten();
        let result = ResultLine {
            subtype: text(json, "subtype").to_owned(),
            is_error: json.get("is_error").and_then(Json::as_bool).unwrap_or(false),
            api_error_status: json.get("api_error_status").and_then(Json::as_u64),
            text: json.get("result").and_then(Json::as_str).map(str::to_owned),
            errors: list("errors").filter_map(Json::as_str).map(str::to_owned).collect(),
            turns: json.get("num_turns").and_then(Json::as_u64),
            cost_usd: json.get("total_cost_usd").and_then(Json::as_f64),
            tokens: tokens(json),
            terminal_reason: text(json, "terminal_reason").to_owned(),
            stop_reason: text(json, "stop_reason").to_owned(),
            session_id: text(json, "session_id").to_owned(),
            denials: list("permission_denials")
                .map(|denial| one_line(text(denial, "tool_name")))
                .collect(),
            structured: json.get("structured_output").filter(|value| !value.is_null()).cloned(),
        };
        self.facts.turns += result.turns.unwrap_or(0);
        self.facts.went_on = false;
        self.facts.result = Some(result);
    }
}

/// A text field, or nothing.
fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json.get(key).and_then(Json::as_str).unwrap_or_default()
}

/// The parts of a message.
fn blocks(json: &Json) -> impl Iterator<Item = &Json> {
    let content = json.get("message").and_then(|message| message.get("content"));
    content.and_then(Json::as_array).into_iter().flatten()
}

/// Tokens of the process: `modelUsage` adds up every answer, `usage` is only the last one's.
fn tokens(json: &Json) -> Option<u64> {
    let sum = |usage: &Json, keys: &[&str]| {
        keys.iter().filter_map(|key| usage.get(key).and_then(Json::as_u64)).sum::<u64>()
    };
    let models = json.get("modelUsage").and_then(Json::as_object).filter(|map| !map.is_empty());
    if let Some(models) = models {
        let keys =
            ["inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens"];
        return Some(models.values().map(|usage| sum(usage, &keys)).sum());
    }
    let keys =
        ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
    json.get("usage").map(|usage| sum(usage, &keys))
}
