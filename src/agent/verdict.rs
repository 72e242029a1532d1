//! What came of an agent call: decided by its last result line AND by how it ended, never by one alone.

use chrono::{DateTime, FixedOffset, Utc};
use serde_json::Value as Json;

use super::failure::{AgentFailure, RetryAdvice};
use super::happening::one_line;
use super::reset::{reset_time, speaks_of_limit};
use super::stream::{Facts, Reader, ResultLine};
use crate::session::{AgentReport, FailureClass};

/// How the CLI's process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself.
    Code(i32),
    /// By a signal that was not ours.
    Signal(i32),
    /// We stopped it because the whole run stops.
    Stopped,
    /// We stopped it: the step's time was up.
    TimedOut,
    /// We stopped it: it printed nothing for too long.
    Idle,
    /// We stopped it because of what it said ([`super::Happening::ends_the_call`]).
    Ordered,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The answer, or the failure. An answer only means that the agent stopped talking: the step's own
    /// checks decide whether the work is done.
    pub result: Result<Answer, Failed>,
    /// Cost and conversation, also of a failed call.
    pub report: AgentReport,
    /// What a person should know although the call may be fine.
    pub warnings: Vec<String>,
}

/// A finished answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The final text.
    pub text: String,
    /// The CLI's answer to `--json-schema`, if the agent gave one.
    pub structured: Option<Json>,
}

/// A failed call.
#[derive(Debug, Clone, PartialEq)]
pub struct Failed {
    /// What it was.
    pub kind: AgentFailure,
    /// What `retry_on` and recovery look at.
    pub class: FailureClass,
    /// One line for people.
    pub message: String,
    /// What to do.
    pub retry: RetryAdvice,
    /// What the agent had said until then.
    pub text: String,
}

/// Judges a call whose stdout `reader` has read to its end ([`Reader::finish`]).
///
/// `now` carries the local offset, in which the CLI writes reset times.
#[must_use]
pub fn verdict(
    reader: &Reader,
    exit: Exit,
    stderr_tail: &str,
    now: DateTime<FixedOffset>,
) -> Verdict {
    let facts = reader.facts();
    let mut warnings = warnings(facts);
    let text = facts
        .result
        .as_ref()
        .and_then(|result| result.text.clone())
        .filter(|text| !text.is_empty())
        .or_else(|| facts.text.clone())
        .unwrap_or_default();
    let result = match failure(facts, exit, stderr_tail, now) {
        None => {
            if exit != Exit::Code(0) {
                warnings.push("claude had answered but did not end; it was stopped".into());
            }
            let structured = facts.result.as_ref().and_then(|result| result.structured.clone());
            Ok(Answer { text, structured })
        }
        Some((kind, message, until)) => {
            let class = match exit {
                // Nobody else sends SIGKILL as often as the kernel that is out of memory.
                Exit::Signal(9) | Exit::Code(137) if kind == AgentFailure::Killed => {
                    FailureClass::OutOfMemory
                }
                _ => kind.class(),
            };
            Err(Failed { kind, class, message, retry: kind.advice(until), text })
        }
    };
    Verdict { result, report: report(facts, exit), warnings }
}

/// A class, its message, and the end of an account's limit.
type Finding = (AgentFailure, String, Option<DateTime<Utc>>);

fn failure(facts: &Facts, exit: Exit, stderr: &str, now: DateTime<FixedOffset>) -> Option<Finding> {
    let found = |kind, message: String| Some((kind, message, None));
    if let Some(name) = &facts.unknown_command
        && exit == Exit::Ordered
    {
        return found(AgentFailure::UnknownCommand, unknown_command(name));
    }
    let good = facts.result.as_ref().filter(|result| is_good(facts, result));
    if good.is_some() && (exit == Exit::Code(0) || (is_ours(exit) && !facts.went_on)) {
        return None;
    }
    match exit {
        Exit::Stopped => return found(AgentFailure::Interrupted, "claude was stopped".into()),
        Exit::TimedOut => {
            return found(AgentFailure::TimedOut, "claude timed out and was stopped".into());
        }
        // What it met explains why it was silent.
        Exit::Idle if facts.limit.is_some() => {
            let until = facts.limit.and_then(|limit| limit.until);
            let message = "claude had reached the account's limit and was silent";
            return Some((AgentFailure::Limit, message.into(), until));
        }
        Exit::Idle => {
            return found(
                AgentFailure::Hang,
                "claude was stopped: it printed nothing for the idle limit".into(),
            );
        }
        Exit::Ordered if facts.retry.as_ref().is_some_and(|retry| retry.status == Some(401)) => {
            return found(
                AgentFailure::Auth,
                "the API does not accept the credentials (401)".into(),
            );
        }
        Exit::Ordered => return found(AgentFailure::Interrupted, "claude was stopped".into()),
        Exit::Code(_) | Exit::Signal(_) => {}
    }
    match (&facts.result, good) {
        (_, Some(_)) => {
            found(AgentFailure::ExitMismatch, format!("claude answered, but then {}", ended(exit)))
        }
        (Some(result), None) => Some(said_failure(facts, result, now)),
        (None, None) => Some(silent_failure(facts, exit, stderr, now)),
    }
}

/// A result line that is worth its word.
fn is_good(facts: &Facts, result: &ResultLine) -> bool {
    result.subtype == "success"
        && !result.is_error
        && facts.error.is_none()
        && !(facts.turns == 0 && (facts.command_error.is_some() || says_unknown(result).is_some()))
}

/// The command that the CLI did not know, from its text.
fn says_unknown(result: &ResultLine) -> Option<&str> {
    let text = result.text.as_deref()?.trim();
    let name = ["Unknown command:", "Unknown slash command:", "Unknown skill:"]
        .iter()
        .find_map(|words| text.strip_prefix(words))?;
    Some(name.trim().trim_start_matches('/'))
}

fn unknown_command(name: &str) -> String {
    format!(
        "claude knows no command /{name}; commands are files in .claude/commands or .claude/skills"
    )
}

/// The class of a result line that tells of a failure: the first that fits.
fn said_failure(facts: &Facts, result: &ResultLine, now: DateTime<FixedOffset>) -> Finding {
    let text = result.text.clone().unwrap_or_else(|| result.errors.join("; "));
    let error = facts.error.as_deref().unwrap_or_default();
    let message = match one_line(&text) {
        line if line.is_empty() => format!("claude failed: {}", result.subtype),
        line => line,
    };
    let of = |kind| (kind, message.clone(), None);
    if facts.turns == 0 {
        if let Some(name) = says_unknown(result) {
            return (AgentFailure::UnknownCommand, unknown_command(name), None);
        }
        if let Some(blocked) = &facts.command_error {
            return (AgentFailure::CommandBlocked, one_line(blocked), None);
        }
    }
    if result.subtype == "error_during_execution" {
        if result.terminal_reason.starts_with("aborted") {
            return (AgentFailure::Interrupted, "claude was interrupted".into(), None);
        }
        if text.contains("No conversation found") {
            return of(AgentFailure::NoConversation);
        }
    }
    if result.subtype == "error_max_turns" || result.subtype == "error_max_budget_usd" {
        return of(AgentFailure::Bounded);
    }
    let refused = result.stop_reason == "refusal";
    if !refused && (facts.limit.is_some() || speaks_of_limit(&text)) {
        let until = facts.limit.and_then(|limit| limit.until).or_else(|| reset_time(&text, now));
        return (AgentFailure::Limit, message, until);
    }
    of(match result.api_error_status {
        _ if refused => AgentFailure::Model,
        Some(429) => AgentFailure::RateLimit,
        Some(529) => AgentFailure::Overloaded,
        Some(401..=403) => AgentFailure::Auth,
        Some(404) => AgentFailure::Configuration,
        Some(400) if text.to_lowercase().contains("credit balance") => AgentFailure::Auth,
        Some(400 | 413) => AgentFailure::Model,
        Some(500..) => AgentFailure::Server,
        _ => by_words(facts, error, &text),
    })
}

/// The class where the CLI gave no status: by its words.
fn by_words(facts: &Facts, error: &str, text: &str) -> AgentFailure {
    let lower = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let retried = facts.retry.as_ref().map_or("", |retry| retry.error.as_str());
    if error == "rate_limit" {
        AgentFailure::RateLimit
    } else if says(&["529", "overloaded"]) || retried == "overloaded" {
        AgentFailure::Overloaded
    } else if error == "authentication_failed"
        || error == "billing_error"
        || says(&["not logged in", "run /login", "invalid api key", "credit balance"])
    {
        AgentFailure::Auth
    } else if says(&["unable to connect", "request timed out", "connection error", "socket"]) {
        AgentFailure::Network
    } else if error == "server_error" {
        AgentFailure::Server
    } else if error == "model_not_found" {
        AgentFailure::Configuration
    } else if error == "invalid_request"
        || error == "max_output_tokens"
        || says(&["output token maximum", "prompt is too long"])
    {
        AgentFailure::Model
    } else {
        AgentFailure::Execution
    }
}

/// The class of a call without a result line.
fn silent_failure(facts: &Facts, exit: Exit, stderr: &str, now: DateTime<FixedOffset>) -> Finding {
    let last = stderr.lines().rev().map(one_line).find(|line| !line.is_empty());
    let with_last = |message: String| match &last {
        Some(line) => format!("{message}: {line}"),
        None => message,
    };
    let Exit::Code(code @ (0..=128 | ..0)) = exit else {
        return (AgentFailure::Killed, format!("claude {}", ended(exit)), None);
    };
    if speaks_of_limit(stderr) {
        let until = reset_time(stderr, now);
        return (AgentFailure::Limit, with_last("claude could not go on".into()), until);
    }
    let (kind, message) = if facts.events > 0 {
        (AgentFailure::NoResult, format!("claude {} without a result", ended(exit)))
    } else if stderr.contains("is already in use") {
        (AgentFailure::SessionInUse, "the conversation was started before".into())
    } else if stderr.contains("No conversation found") {
        (AgentFailure::NoConversation, "claude does not have the conversation".into())
    } else if ["Not logged in", "/login", "API key"].iter().any(|words| stderr.contains(words)) {
        (AgentFailure::Auth, "claude did not start".into())
    } else if code == 0 {
        let message = "claude printed no result line (is it the Claude CLI?)";
        return (AgentFailure::Configuration, with_last(message.into()), None);
    } else {
        (AgentFailure::Configuration, format!("claude did not start ({})", ended(exit)))
    };
    (kind, with_last(message), None)
}

fn is_ours(exit: Exit) -> bool {
    !matches!(exit, Exit::Code(_) | Exit::Signal(_))
}

fn ended(exit: Exit) -> String {
    match exit {
        Exit::Code(code @ 129..) => format!("died by signal {}", code - 128),
        Exit::Code(code) => format!("ended with exit code {code}"),
        Exit::Signal(signal) => format!("died by signal {signal}"),
        Exit::Stopped | Exit::TimedOut | Exit::Idle | Exit::Ordered => "was stopped".into(),
    }
}

/// True when no request of the call can have been answered: that costs nothing, although the CLI
/// did not say so.
fn asked_nothing(facts: &Facts, exit: Exit) -> bool {
    match exit {
        // It was stopped at the refusal of its first request, or before that.
        Exit::Ordered => !facts.answered,
        // It did not start, or was stopped before: the first line of its stream comes before its
        // first request.
        Exit::Code(1..=128) | Exit::Stopped => facts.events == 0 && facts.skipped == 0,
        _ => false,
    }
}

fn report(facts: &Facts, exit: Exit) -> AgentReport {
    let result = facts.result.as_ref();
    let ids = [
        result.map(|result| result.session_id.as_str()),
        facts.init.as_ref().map(|init| init.session_id.as_str()),
    ];
    // What was asked of the API when it was interrupted is not in the sum of a cut answer.
    let is_whole = result.is_some_and(|result| result.terminal_reason != "aborted_streaming");
    let told = result.filter(|_| is_whole);
    let (cost_usd, tokens) = match told {
        Some(result) => (result.cost_usd, result.tokens),
        None if asked_nothing(facts, exit) => (Some(0.0), Some(0)),
        None => (None, None),
    };
    AgentReport {
        session_id: ids.into_iter().flatten().find(|id| !id.is_empty()).unwrap_or_default().into(),
        cost_usd,
        tokens,
        turns: result.map(|_| facts.turns),
        denials: result.map_or(0, |result| result.denials.len() as u64),
    }
}

fn warnings(facts: &Facts) -> Vec<String> {
    let mut warnings = Vec::new();
    let denials = facts.result.as_ref().map_or(&[][..], |result| &result.denials);
    if !denials.is_empty() {
        let mut tools = denials.to_vec();
        tools.sort();
        tools.dedup();
        warnings.push(format!(
            "claude was refused {}: {}; see permission_mode and allowed_tools",
            counted(denials.len() as u64, "tool use"),
            tools.join(", ")
        ));
    }
    if facts.skipped > 0 {
        let lines = counted(facts.skipped, "line");
        warnings.push(format!("{lines} of claude's output could not be read"));
    }
    warnings
}

fn counted(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
