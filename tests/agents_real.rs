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
        let Some(program) = std::env::var_os("PRODIGY_REAL_CLAUDE") else {
            println!("skipped: PRODIGY_REAL_CLAUDE does not name the Claude CLI");
            return None;
        };
        let sandbox = Sandbox::new();
        sandbox.write("flow.yaml", workflow);
        let real = Self { sandbox, api: MessagesApi::start(reply), program: program.into() };
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

#[test]
fn limits_park_and_the_conversation_goes_on() {
    for status in [429, 529] {
        let flow = "limits: {max_wait: 1s}\ncommands: [{claude: Do it}]";
        let Some(real) = Real::new(Reply::Status(status), flow) else { return };
        real.run(&["cook", "flow.yaml"]).exits(7);
        real.api.reply(text("Done."));
        real.run(&["resume"]).exits(0);
        let last = real.api.requests().last().unwrap().to_string();
        assert!(last.contains("was interrupted") && last.contains("Do it"), "{status}: {last}");
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

#[test]
fn after_kill_9_in_a_tool_the_same_conversation_goes_on() {
    let flow = "commands: [{id: one, claude: Alpha-task}, {id: two, claude: Beta-task, allowed_tools: [Bash]}]";
    let Some(real) = Real::new(text("One."), flow) else { return };
    // The first step is answered before the second gets its tool.
    real.sandbox.write(
        "flow.yaml",
        &flow.replace(
            "{id: two",
            "{shell: 'touch first; until [ -e go ]; do sleep 0.05; done'}, {id: two",
        ),
    );
    let live = Live::start(real.command(&["cook", "flow.yaml"]));
    wait_until("the first step", || real.sandbox.directory().join("first").exists());
    let paid = real.api.requests().len();
    real.api.reply(Reply::Bash("echo $$ > tool; exec sleep 600".into(), "Two.".into()));
    real.sandbox.write("go", "");
    wait_until("the tool", || {
        std::fs::read_to_string(real.sandbox.directory().join("tool"))
            .is_ok_and(|it| it.ends_with('\n'))
    });
    let tool = real.sandbox.read("tool");
    live.kill();
    real.api.reply(text("Two."));
    let asked = real.api.requests().len();
    real.run(&["resume"]).exits(0);
    let alive =
        std::fs::read_to_string(format!("/proc/{}/cmdline", tool.trim())).unwrap_or_default();
    assert!(alive.is_empty(), "the tool lives on: {alive}");
    let requests = real.api.requests();
    assert!(paid >= 1 && requests.len() > asked);
    for request in &requests[asked..] {
        let request = request.to_string();
        assert!(request.contains("Beta-task") && !request.contains("Alpha-task"), "{request}");
    }
    let events = real.sandbox.events();
    let ids: Vec<&str> = events.matches("\"agent_continues\":true").collect();
    assert_eq!(ids.len(), 1, "{events}");
}
