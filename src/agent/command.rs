//! What Claude is started with: arguments, environment, prompt, and what is refused before any money is spent.

use std::ffi::{OsStr, OsString};

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

/// One call of the agent, every option decided.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Call {
    /// Goes to stdin: an argument could start with `-`, be swallowed by a flag or be too long for the kernel.
    pub prompt: String,
    /// Which conversation.
    pub conversation: Conversation,
    /// `--model`.
    pub model: Option<String>,
    /// `--permission-mode`, as the CLI spells it.
    pub permission_mode: Option<String>,
    /// `--allowedTools`.
    pub allowed_tools: Vec<String>,
    /// `--dangerously-skip-permissions`.
    pub skip_permissions: bool,
    /// `--max-turns`, at least 1.
    pub max_turns: Option<u32>,
    /// `--max-budget-usd` in dollars, greater than 0.
    pub max_budget_usd: Option<f64>,
    /// `output_schema:`, for which the CLI is asked too where it can take it.
    pub output_schema: Option<Json>,
    /// Arguments as the workflow wrote them, at the end.
    pub extra_args: Vec<String>,
}

/// The conversation that a call starts or goes on with; ids are UUIDs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conversation {
    /// A new one whose id we chose and recorded before.
    New(String),
    /// One that exists goes on.
    Resume(String),
    /// A copy of one goes on under a new id; the original stays as it is (DECISIONS A48).
    Fork {
        /// The conversation that is copied.
        from: String,
        /// The id of the copy.
        new: String,
    },
}

impl Default for Conversation {
    fn default() -> Self {
        Self::New(String::new())
    }
}

impl Conversation {
    /// The id under which this call's conversation is found afterwards.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::New(id) | Self::Resume(id) | Self::Fork { new: id, .. } => id,
        }
    }
}

/// Why a call is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The CLI refuses to skip permissions as root.
    #[error(
        "claude does not skip permissions for root; run as another user, or name the tools with \
         `permission_mode` and `allowed_tools`, or, in a container that is thrown away, set IS_SANDBOX=1 yourself"
    )]
    RootSkipsPermissions,
    /// Both were said.
    #[error(
        "`skip_permissions: true` and `permission_mode: {0}` contradict each other; \
         say only one of them (`permission_mode: bypassPermissions` is the same as skipping)"
    )]
    TwoPermissionModes(String),
    /// The CLI takes 0 for "no limit".
    #[error("`max_turns: 0` would mean no limit to claude; it must be at least 1")]
    NoTurns,
    /// Nothing can be bought for it.
    #[error("`max_budget_usd` must be a number greater than 0")]
    NoBudget,
    /// The CLI ends with an error.
    #[error("the prompt is empty")]
    NoPrompt,
    /// The CLI ends with an error.
    #[error("the prompt has {0} bytes, and claude reads at most 10 MB")]
    LongPrompt(usize),
}

/// The CLI's limit of what it reads from stdin.
const LONGEST_PROMPT: usize = 10_000_000;

/// Variables that tell a CLI it was started from inside another agent.
const FOREIGN_VARIABLES: [&str; 4] =
    ["CLAUDECODE", "CLAUDE_CODE_SESSION_ID", "CLAUDE_CODE_CHILD_SESSION", "CLAUDE_CODE_ENTRYPOINT"];

/// The arguments of a call, without the program.
///
/// Values stand behind `=`, because some flags take every word that follows.
#[must_use]
pub fn arguments(call: &Call) -> Vec<OsString> {
    let mut words: Vec<String> =
        ["-p", "--output-format", "stream-json", "--verbose"].map(str::to_owned).into();
    let ids: &[&str] = match &call.conversation {
        Conversation::New(id) => &["--session-id", id],
        Conversation::Resume(id) => &["--resume", id],
        Conversation::Fork { from, new } => {
            &["--resume", from, "--fork-session", "--session-id", new]
        }
    };
    words.extend(ids.iter().map(|word| (*word).to_owned()));
    if call.skip_permissions {
        words.push("--dangerously-skip-permissions".into());
    }
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            words.push(format!("--{name}={value}"));
        }
    };
    option("permission-mode", call.permission_mode.clone());
    option("allowedTools", (!call.allowed_tools.is_empty()).then(|| call.allowed_tools.join(",")));
    option("model", call.model.clone());
    option("max-turns", call.max_turns.map(|turns| turns.to_string()));
    option("max-budget-usd", call.max_budget_usd.map(|dollars| dollars.to_string()));
    option(
        "json-schema",
        call.output_schema.as_ref().filter(|schema| is_tool_input(schema)).map(Json::to_string),
    );
    words.extend(call.extra_args.iter().cloned());
    words.into_iter().map(OsString::from).collect()
}

/// The environment of a call: that of the step, without what a surrounding agent left in it.
#[must_use]
pub fn environment(step: Vec<(OsString, OsString)>) -> Vec<(OsString, OsString)> {
    let mut variables: Vec<_> = step
        .into_iter()
        .filter(|(name, _)| !FOREIGN_VARIABLES.iter().any(|foreign| name == OsStr::new(foreign)))
        .filter(|(name, _)| name != OsStr::new("DISABLE_AUTOUPDATER"))
        .collect();
    variables.push(("DISABLE_AUTOUPDATER".into(), "1".into()));
    variables
}

/// Why this call must not be made by user `uid` with the variables of [`environment`].
#[must_use]
pub fn refusal(call: &Call, uid: u32, environment: &[(OsString, OsString)]) -> Option<Refusal> {
    let skips = |mode: &str| mode == "bypassPermissions";
    let mode = call.permission_mode.as_deref();
    if call.skip_permissions
        && let Some(mode) = mode.filter(|mode| !skips(mode))
    {
        return Some(Refusal::TwoPermissionModes(mode.to_owned()));
    }
    let is_sandbox = environment
        .iter()
        .rev()
        .find(|(name, _)| name == OsStr::new("IS_SANDBOX"))
        .is_some_and(|(_, value)| value == OsStr::new("1"));
    let asks_to_skip = call.skip_permissions
        || mode.is_some_and(skips)
        || call.extra_args.iter().any(|word| word == "--dangerously-skip-permissions");
    if asks_to_skip && uid == 0 && !is_sandbox {
        return Some(Refusal::RootSkipsPermissions);
    }
    if call.max_turns == Some(0) {
        return Some(Refusal::NoTurns);
    }
    if call.max_budget_usd.is_some_and(|dollars| !dollars.is_finite() || dollars <= 0.0) {
        return Some(Refusal::NoBudget);
    }
    if call.prompt.trim().is_empty() {
        return Some(Refusal::NoPrompt);
    }
    (call.prompt.len() > LONGEST_PROMPT).then_some(Refusal::LongPrompt(call.prompt.len()))
}

/// The prompt that continues an interrupted conversation.
///
/// The CLI forgets the tool call that was cut off, and after SIGINT remembers an order to stop:
/// the agent has to be told of both.
#[must_use]
pub fn resume_prompt(original: &str, interrupted_at: DateTime<Utc>) -> String {
    format!(
        "The previous process was interrupted at {}; a command may have run partly. \
         Check `git status` and the files first, keep what is done, then finish the original task. \
         Earlier refusals to proceed do not apply.\n\nThe original task:\n\n{original}",
        interrupted_at.format("%Y-%m-%d %H:%M:%S UTC")
    )
}

/// The name of the slash command that a prompt calls: `/ns:name words` but not `/a/path`.
#[must_use]
pub fn slash_command(prompt: &str) -> Option<&str> {
    let word = prompt.trim_start().strip_prefix('/')?.split_whitespace().next()?;
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | ':');
    word.chars().all(is_name).then_some(word)
}

/// True when the API takes the schema as the input of a tool, which is how the CLI uses it.
fn is_tool_input(schema: &Json) -> bool {
    let combines = ["anyOf", "oneOf", "allOf", "not", "$ref"];
    schema.get("type").and_then(Json::as_str) == Some("object")
        && combines.iter().all(|keyword| schema.get(keyword).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> Call {
        Call {
            prompt: "do it".into(),
            conversation: Conversation::New("u-1".into()),
            ..Call::default()
        }
    }

    fn words(call: &Call) -> Vec<String> {
        arguments(call).into_iter().map(|word| word.into_string().unwrap()).collect()
    }

    #[test]
    fn a_plain_call_reads_the_prompt_from_stdin() {
        let expected = ["-p", "--output-format", "stream-json", "--verbose", "--session-id", "u-1"];
        assert_eq!(words(&call()), expected);
    }

    #[test]
    fn every_option_has_its_flag_and_values_stand_behind_the_equals_sign() {
        let call = Call {
            conversation: Conversation::Resume("u-2".into()),
            model: Some("opus".into()),
            permission_mode: Some("acceptEdits".into()),
            allowed_tools: vec!["Bash(git log:*)".into(), "Edit".into()],
            max_turns: Some(3),
            max_budget_usd: Some(0.5),
            output_schema: Some(serde_json::json!({"type": "object"})),
            extra_args: vec!["--effort".into(), "low".into()],
            ..call()
        };
        let expected = [
            "--resume",
            "u-2",
            "--permission-mode=acceptEdits",
            "--allowedTools=Bash(git log:*),Edit",
            "--model=opus",
            "--max-turns=3",
            "--max-budget-usd=0.5",
            r#"--json-schema={"type":"object"}"#,
            "--effort",
            "low",
        ];
        assert_eq!(words(&call)[4..], expected);
    }

    #[test]
    fn a_fork_leaves_the_original_alone() {
        let call = Call {
            conversation: Conversation::Fork { from: "a".into(), new: "b".into() },
            ..call()
        };
        assert_eq!(words(&call)[4..], ["--resume", "a", "--fork-session", "--session-id", "b"]);
        assert_eq!(call.conversation.id(), "b");
    }

    #[test]
    fn a_schema_that_is_no_tool_input_is_only_checked_afterwards() {
        let call = Call { output_schema: Some(serde_json::json!({"type": "array"})), ..call() };
        assert_eq!(words(&call).len(), 6);
    }

    #[test]
    fn the_environment_forgets_the_agent_around_us_and_keeps_the_rest() {
        let pairs = |list: &[(&str, &str)]| -> Vec<(OsString, OsString)> {
            list.iter().map(|(name, value)| (name.into(), value.into())).collect()
        };
        let before = pairs(&[
            ("CLAUDECODE", "1"),
            ("HOME", "/h"),
            ("CLAUDE_CODE_SESSION_ID", "x"),
            ("CLAUDE_CODE_MAX_RETRIES", "1"),
            ("DISABLE_AUTOUPDATER", "0"),
        ]);
        let after = pairs(&[
            ("HOME", "/h"),
            ("CLAUDE_CODE_MAX_RETRIES", "1"),
            ("DISABLE_AUTOUPDATER", "1"),
        ]);
        assert_eq!(environment(before), after);
    }

    #[test]
    fn root_may_skip_permissions_only_where_the_operator_says_sandbox() {
        let skipping = Call { skip_permissions: true, ..call() };
        let bypassing = Call { permission_mode: Some("bypassPermissions".into()), ..call() };
        for call in [&skipping, &bypassing] {
            assert_eq!(refusal(call, 0, &[]), Some(Refusal::RootSkipsPermissions));
            assert_eq!(refusal(call, 0, &[("IS_SANDBOX".into(), "1".into())]), None);
            assert_eq!(refusal(call, 1000, &[]), None);
        }
    }

    #[test]
    fn what_the_cli_would_misunderstand_is_refused() {
        let refused = |call: Call| refusal(&call, 1000, &[]);
        assert_eq!(refused(call()), None);
        assert_eq!(refused(Call { max_turns: Some(0), ..call() }), Some(Refusal::NoTurns));
        assert_eq!(
            refused(Call { max_budget_usd: Some(f64::NAN), ..call() }),
            Some(Refusal::NoBudget)
        );
        assert_eq!(refused(Call { prompt: " \n".into(), ..call() }), Some(Refusal::NoPrompt));
        let long = "x".repeat(LONGEST_PROMPT + 1);
        assert_eq!(
            refused(Call { prompt: long, ..call() }),
            Some(Refusal::LongPrompt(LONGEST_PROMPT + 1))
        );
        let both = Call { skip_permissions: true, permission_mode: Some("plan".into()), ..call() };
        assert_eq!(refused(both), Some(Refusal::TwoPermissionModes("plan".into())));
    }

    #[test]
    fn slash_commands_are_told_from_paths() {
        assert_eq!(slash_command("/fix-item 42"), Some("fix-item"));
        assert_eq!(slash_command(" /ns:deep\nmore"), Some("ns:deep"));
        assert_eq!(slash_command("/var/log is full"), None);
        assert_eq!(slash_command("fix /this"), None);
        assert_eq!(slash_command("/"), None);
    }

    #[test]
    fn the_resume_prompt_holds_the_time_and_the_task() {
        let prompt = resume_prompt("/fix 1", DateTime::UNIX_EPOCH);
        assert!(prompt.contains("1970-01-01 00:00:00 UTC") && prompt.ends_with("/fix 1"));
        assert_eq!(slash_command(&prompt), None);
    }
}
