//! The real Claude CLI against a stand-in of the Messages API: no network, no money. Runs where
//! `PRODIGY_REAL_CLAUDE` names the program (npm install @anthropic-ai/claude-code).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]

mod support;

use std::path::PathBuf;
use std::process::Command;

use rustix::process::Signal;
use support::live::{Live, wait_until};
use support::messages_api::{MessagesApi, Reply};
use support::{Ran, Sandbox};

/// A sandbox with a git repository, the real program and its API.
struct Real {
    sandbox: Sandbox,
    api: MessagesApi,
    program: PathBuf,
}

impl Real {
    /// None, and a word about it, where there is no real program.
    fn new(reply: Reply, workflow: &str) -> Option<Self> {
        Self::answered(vec![reply], workflow)
    }

    /// The same, with one reply for each request.
    fn answered(replies: Vec<Reply>, workflow: &str) -> Option<Self> {
        let Some(program) = std::env::var_os("PRODIGY_REAL_CLAUDE") else {
            println!("skipped: PRODIGY_REAL_CLAUDE does not name the Claude CLI");
            return None;
        };
        let sandbox = Sandbox::new();
        sandbox.write("flow.yaml", workflow);
        let real = Self { sandbox, api: MessagesApi::start(replies), program: program.into() };
        for words in [&["init", "-q"][..], &["add", "-A"], &["commit", "-qm", "first"]] {
            real.git(words);
        }
        Some(real)
    }

    fn git(&self, words: &[&str]) -> String {
        let mut command = self.sandbox.command(words);
        let mut git = Command::new("git");
        git.args(words).current_dir(self.sandbox.directory());
        for (name, value) in command.stdin(std::process::Stdio::null()).get_envs() {
            git.env(name, value.unwrap_or_default());
        }
        let ran = Ran::of(git.output().unwrap());
        assert_eq!(ran.code, Some(0), "{ran:#?}");
        ran.stdout
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.sandbox.command(arguments);
        let bin = self.sandbox.root().join("bin");
        if !bin.exists() {
            std::fs::create_dir(&bin).unwrap();
            std::os::unix::fs::symlink(&self.program, bin.join("claude")).unwrap();
        }
        let mut path = vec![bin];
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
        command
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("ANTHROPIC_BASE_URL", self.api.address())
            .env("ANTHROPIC_API_KEY", "dummy-key-for-loopback")
            .env("DISABLE_TELEMETRY", "1")
            .env("DISABLE_ERROR_REPORTING", "1")
            .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
            .env("CLAUDE_CODE_MAX_RETRIES", "1");
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }
}

fn text(text: &str) -> Reply {
    Reply::Text(text.to_owned())
}

#[test]
fn an_answer_with_its_cost_and_conversation() {
    let flow = "commands: [{id: it, claude: Say hello}, {shell: 'echo ${it.output}/${it.tokens}/${it.cost_usd}/${it.session_id} > told'}]";
    let Some(real) = Real::new(text("Hello."), flow) else { return };
    real.run(&["cook", "flow.yaml"]).exits(0);
    let told = real.sandbox.read("told");
    let told: Vec<&str> = told.trim().split('/').collect();
    assert_eq!(told[0], "Hello.");
    assert!(told[1].parse::<u64>().unwrap() >= 1020, "{told:?}");
    assert!(told[2].parse::<f64>().unwrap() > 0.0, "{told:?}");
    assert_eq!(told[3].len(), 36, "{told:?}");
}

#[test]
fn a_tool_that_edits_and_commits() {
    let flow = "commands: [{claude: Write it, allowed_tools: [Bash], commit_required: true}]";
    let command = "echo made > made.txt && git add made.txt && git commit -qm made";
    let Some(real) = Real::new(Reply::Bash(command.into(), "Done.".into()), flow) else { return };
    let ran = real.run(&["cook", "flow.yaml"]).exits(0);
    assert!(ran.stdout.contains("Bash: echo made"), "{ran:#?}");
    assert_eq!(real.git(&["log", "-1", "--format=%s"]).trim(), "made");
}

#[test]
fn wrong_credentials_stop_the_run_without_the_retries_of_the_program() {
    let Some(real) = Real::new(Reply::Status(401), "commands: [{claude: x, retry: 3}]") else {
        return;
    };
    real.run(&["cook", "flow.yaml"]).exits(1);
    assert!(real.api.requests().len() <= 2, "{}", real.api.requests().len());
    real.api.reply(text("Better."));
    real.run(&["resume"]).exits(0);
}

/// What the model was asked last: it knows of the interruption and of its task.
fn went_on(real: &Real) -> bool {
    let last = real.api.requests().last().unwrap().to_string();
    last.contains("was interrupted") && last.contains("Do it")
}

#[test]
fn limits_park_and_the_conversation_goes_on() {
    // A long `retry-after` is not waited for by the program itself.
    for reply in [Reply::Status(429), Reply::RetryAfter(3600), Reply::Status(529)] {
        let flow = "limits: {max_wait: 1s}\ncommands: [{claude: Do it}]";
        let Some(real) = Real::new(reply.clone(), flow) else { return };
        let ran = real.run(&["cook", "flow.yaml"]).exits(7);
        assert_eq!(real.sandbox.status(), "parked", "{reply:?}: {ran:#?}");
        assert!(real.sandbox.events().contains("\"uncounted\":true"), "{reply:?}");
        real.api.reply(text("Done."));
        real.run(&["resume"]).exits(0);
        assert!(went_on(&real), "{reply:?}: {:?}", real.api.requests().last());
    }
}

#[test]
fn a_short_retry_after_is_waited_for_by_the_program() {
    let replies = vec![Reply::RetryAfter(1), text("Done.")];
    let flow =
        "commands: [{id: it, claude: Do it}, {shell: 'echo ${it.output} > told'}, {claude: More}]";
    let Some(real) = Real::answered(replies, flow) else { return };
    let ran = real.run(&["cook", "flow.yaml", "--park"]).exits(0);
    assert!(ran.stdout.contains("waiting for API (attempt 1/1)"), "{ran:#?}");
    assert_eq!(real.sandbox.read("told"), "Done.\n");
    assert_eq!(real.api.requests().len(), 3);
}

#[test]
fn an_answer_of_the_wrong_form_is_sent_back_in_the_same_conversation() {
    // The program asks by itself for an object, nobody but us for anything else.
    for (schema, answer, own) in [
        ("{type: object, required: [verdict]}", r#"{"verdict": "good"}"#, false),
        ("{type: array}", r#"["good"]"#, true),
    ] {
        let flow = format!(
            "commands: [{{id: it, claude: Do it, output_schema: {schema}}}, {{write_file: {{path: told, content: '${{it.output}}'}}}}]"
        );
        let replies = vec![text("It is good."), text(answer)];
        let Some(real) = Real::answered(replies, &flow) else { return };
        let ran = real.run(&["cook", "flow.yaml"]).exits(0);
        let told: serde_json::Value = serde_json::from_str(&real.sandbox.read("told")).unwrap();
        assert_eq!(told, serde_json::from_str::<serde_json::Value>(answer).unwrap(), "{ran:#?}");
        assert!(real.api.requests().len() >= 2, "{schema}");
        let corrected = real.sandbox.events().contains("does not satisfy output_schema");
        assert_eq!(corrected, own, "{schema}: {ran:#?}");
    }
}

#[test]
fn a_silent_stream_is_ended_and_the_conversation_goes_on_once() {
    let flow = "limits: {idle_timeout: 12s}\ncommands: [{claude: Do it}]";
    let Some(real) = Real::answered(vec![Reply::Silence, text("Done.")], flow) else { return };
    real.run(&["cook", "flow.yaml"]).exits(0);
    assert!(went_on(&real), "{:?}", real.api.requests().last());
    let Some(real) = Real::new(Reply::Silence, flow) else { return };
    let ran = real.run(&["cook", "flow.yaml"]).exits(1);
    assert!(ran.stdout.contains("printed nothing for the idle limit"), "{ran:#?}");
    assert!(real.sandbox.events().contains("\"kind\":\"idle_timeout\""), "{ran:#?}");
    assert_eq!(real.api.requests().len(), 2);
}

/// What fails at once: the request, its answer, the exit code, and what people are told.
#[test]
fn what_fails_is_told_in_words_that_help() {
    let bash = || Reply::Bash("touch made".into(), "Done.".into());
    for (step, reply, code, told) in [
        ("claude: x", Reply::Status(403), 1, "log in with `claude`"),
        ("claude: x", Reply::Status(404), 1, "correct `model`"),
        ("claude: x", Reply::Status(400), 1, "as the test wishes"),
        ("claude: /no-such-thing", text("Hello."), 1, "claude knows no command /no-such-thing"),
        ("claude: x, max_turns: 1, allowed_tools: [Bash]", bash(), 1, "help: raise `max_turns`"),
        ("claude: x", bash(), 0, "refused 1 tool use: Bash"),
        ("claude: x, commit_required: true", bash(), 1, "refused 1 tool use: Bash"),
        ("claude: x, extra_args: [--nonsense]", text("Hello."), 1, "unknown option '--nonsense'"),
    ] {
        let Some(real) = Real::new(reply, &format!("commands: [{{{step}}}]")) else { return };
        let ran = real.run(&["cook", "flow.yaml"]);
        let shown = format!("{}{}", ran.stdout, ran.stderr);
        assert!(ran.code == Some(code) && shown.contains(told), "{step}: {ran:#?}");
    }
}

#[test]
fn a_server_that_is_down_is_waited_for() {
    let Some(real) = Real::new(Reply::Status(500), "commands: [{claude: Do it}]") else { return };
    let live = Live::start(real.command(&["cook", "flow.yaml"]));
    wait_until("the wait", || {
        !real.api.requests().is_empty() && real.sandbox.events().contains("retry_scheduled")
    });
    live.signal(Signal::INT);
    live.end().exits(130);
    real.api.reply(text("Done."));
    real.run(&["resume"]).exits(0);
}

/// A finished step, and one whose tool lasts until something ends it.
const CUT: &str = "
commands:
  - {claude: Alpha-task}
  - {shell: 'touch first; until [ -e go ]; do sleep 0.05; done'}
  - {claude: Beta-task, allowed_tools: [Bash]}
";

/// Starts a session and waits until its second agent is in its tool; the pid of that.
fn in_tool(real: &Real) -> (Live, String) {
    let live = Live::start(real.command(&["cook", "flow.yaml"]));
    wait_until("the first step", || real.sandbox.directory().join("first").exists());
    real.api.reply(Reply::Bash("echo $$ > tool; exec sleep 600".into(), "Two.".into()));
    real.sandbox.write("go", "");
    wait_until("the tool", || {
        std::fs::read_to_string(real.sandbox.directory().join("tool"))
            .is_ok_and(|it| it.ends_with('\n'))
    });
    (live, real.sandbox.read("tool").trim().to_owned())
}

/// Resumes, and looks that the same conversation went on with its own task only.
fn resumed(real: &Real, tool: &str) {
    real.api.reply(text("Two."));
    let asked = real.api.requests().len();
    real.run(&["resume"]).exits(0);
    let alive = std::fs::read_to_string(format!("/proc/{tool}/cmdline")).unwrap_or_default();
    assert!(alive.is_empty(), "the tool lives on: {alive}");
    let requests = real.api.requests();
    assert!(requests.len() > asked);
    for request in &requests[asked..] {
        let request = request.to_string();
        assert!(request.contains("Beta-task") && !request.contains("Alpha-task"), "{request}");
    }
    let events = real.sandbox.events();
    assert_eq!(events.matches("\"agent_continues\":true").count(), 1, "{events}");
}

/// Agent calls, and those of unknown cost.
fn calls(real: &Real) -> (u64, u64) {
    let agents = real.run(&["events", "stats", "--json"]).exits(0).json()["agents"].clone();
    (agents["calls"].as_u64().unwrap(), agents["unknown_costs"].as_u64().unwrap())
}

#[test]
fn after_kill_9_in_a_tool_the_same_conversation_goes_on() {
    let Some(real) = Real::new(text("One."), CUT) else { return };
    let (live, tool) = in_tool(&real);
    live.kill();
    resumed(&real, &tool);
    assert_eq!(calls(&real), (3, 1));
}

#[test]
fn ctrl_c_in_a_tool_ends_it_and_keeps_the_cost() {
    let Some(real) = Real::new(text("One."), CUT) else { return };
    let (live, tool) = in_tool(&real);
    live.signal(Signal::INT);
    live.end().exits(130);
    assert_eq!(calls(&real), (2, 0));
    resumed(&real, &tool);
}
