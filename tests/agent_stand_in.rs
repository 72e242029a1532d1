//! The stand-in for the Claude CLI behaves as the CLI does, seen through our own arguments, reader and verdict.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]
#![cfg(unix)]

mod support;

use std::cell::RefCell;
use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use prodigy::agent::{
    AgentFailure, Answer, Call, Conversation, Exit, Reader, RetryAdvice, Verdict, arguments,
    environment, verdict,
};
use prodigy::session::FailureClass;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use support::live::{hear_signals, wait_until};

const ONE: &str = "11111111-2222-4333-8444-555555555555";
const TWO: &str = "22222222-2222-4333-8444-555555555555";

/// A home and a working directory that go away with the test.
struct Place {
    root: tempfile::TempDir,
    directory: RefCell<PathBuf>,
    variables: RefCell<Vec<(&'static str, &'static str)>>,
}

impl Place {
    fn new() -> Self {
        hear_signals();
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("home")).unwrap();
        fs::create_dir_all(root.path().join("project/.claude/commands/ns")).unwrap();
        fs::write(root.path().join("project/.claude/commands/ns/deep.md"), "Do $ARGUMENTS")
            .unwrap();
        let directory = RefCell::new(root.path().join("project"));
        Self { root, directory, variables: RefCell::default() }
    }

    /// From now on calls see this variable.
    fn set(&self, name: &'static str, value: &'static str) {
        self.variables.borrow_mut().push((name, value));
    }

    /// From now on calls are made in this directory.
    fn enter(&self, directory: &str) {
        self.directory.replace(self.root.path().join(directory));
    }

    fn project(&self) -> PathBuf {
        self.root.path().join("project")
    }

    fn start(&self, call: &Call, scenario: &str) -> Child {
        let inherited = std::env::vars_os().filter(|(name, _)| name == "PATH");
        let mut child =
            Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/claude"))
                .args(arguments(call))
                .env_clear()
                .envs(environment(inherited.collect()))
                .env("HOME", self.root.path().join("home"))
                .env("TMPDIR", self.root.path())
                .env("CLAUDE_STUB", scenario)
                .env("CLAUDE_STUB_LOG", self.root.path().join("calls"))
                .envs(self.variables.borrow().iter().copied())
                .current_dir(&*self.directory.borrow())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
        child.stdin.take().unwrap().write_all(call.prompt.as_bytes()).unwrap();
        child
    }

    fn run(&self, call: &Call, scenario: &str) -> Verdict {
        judge(call, self.start(call, scenario))
    }

    fn logged(&self) -> Vec<serde_json::Value> {
        let log = fs::read_to_string(self.root.path().join("calls")).unwrap_or_default();
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn judge(call: &Call, child: Child) -> Verdict {
    let output = child.wait_with_output().unwrap();
    let exit = match output.status.signal() {
        Some(signal) => Exit::Signal(signal),
        None => Exit::Code(output.status.code().unwrap()),
    };
    let mut reader = Reader::of(call);
    reader.push(&output.stdout);
    reader.finish();
    let now = chrono::DateTime::UNIX_EPOCH.fixed_offset();
    verdict(&reader, exit, &String::from_utf8_lossy(&output.stderr), now)
}

fn call(prompt: &str) -> Call {
    Call { prompt: prompt.into(), conversation: Conversation::New(ONE.into()), ..Call::default() }
}

fn resumed(prompt: &str, id: &str) -> Call {
    Call { conversation: Conversation::Resume(id.into()), ..call(prompt) }
}

fn failure(verdict: &Verdict) -> AgentFailure {
    verdict.result.as_ref().unwrap_err().kind
}

fn pid_in(file: &Path) -> Pid {
    wait_until("a pid", || fs::read_to_string(file).is_ok_and(|text| text.ends_with('\n')));
    let pid = fs::read_to_string(file).unwrap().trim().parse().unwrap();
    Pid::from_raw(pid).unwrap()
}

fn is_alive(pid: Pid) -> bool {
    // A dead process that nobody has waited for counts as dead.
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    test_kill_process(pid).is_ok() && !stat.is_ok_and(|stat| stat.contains(") Z "))
}

#[test]
fn it_works_answers_and_is_logged() {
    let place = Place::new();
    let scenario = "tool_edit:src/a.txt:one\ntool_append:src/a.txt:two \"quoted\"\n\
                    tool_bash:printf 'out'; exit 7\ntorn\nsay:All \\ \"done\"";
    let verdict = place.run(&call("first line\nsecond \"line\""), scenario);
    let answer = Answer { text: "All \\ \"done\"".into(), structured: None };
    assert_eq!(verdict.result, Ok(answer));
    assert_eq!(verdict.report.session_id, ONE);
    assert_eq!(verdict.report.cost_usd, Some(0.0275));
    assert_eq!(verdict.warnings, Vec::<String>::new());
    let file = fs::read_to_string(place.project().join("src/a.txt")).unwrap();
    assert_eq!(file, "one\ntwo \"quoted\"\n");
    let logged = place.logged();
    assert_eq!(logged.len(), 1);
    assert_eq!(logged[0]["prompt"], "first line\nsecond \"line\"");
    assert_eq!(logged[0]["argv"][0], "-p");
    assert_eq!(logged[0]["resumed"], false);
}

#[test]
fn every_way_to_fail_is_recognized() {
    use AgentFailure as F;
    use FailureClass as C;
    let once = RetryAdvice::Resume { at_most: 1 };
    let later = RetryAdvice::ResumeLater { at_most: None };
    let five_times = RetryAdvice::ResumeLater { at_most: Some(5) };
    let until = |time: &str| RetryAdvice::ResumeAt(Some(time.parse().unwrap()));
    let (no, stop) = (RetryAdvice::No, RetryAdvice::StopRun);
    for (scenario, kind, class, retry) in [
        ("400", F::Model, C::Unknown, no),
        ("403", F::Auth, C::Auth, stop),
        ("404", F::Configuration, C::Unknown, stop),
        ("413", F::Model, C::Unknown, no),
        ("429", F::RateLimit, C::RateLimit, later),
        ("500", F::Server, C::ServerError, five_times),
        ("529", F::Overloaded, C::ServerError, later),
        ("network", F::Network, C::Network, five_times),
        ("timeout", F::Network, C::Network, five_times),
        ("not_logged_in", F::Auth, C::Auth, stop),
        ("credit", F::Auth, C::Auth, stop),
        ("limit:1795170000", F::Limit, C::RateLimit, until("2026-11-20T10:20:00Z")),
        ("max_turns", F::Bounded, C::Unknown, no),
        ("max_budget", F::Bounded, C::Unknown, no),
        ("refusal", F::Model, C::Unknown, no),
        ("max_tokens", F::Model, C::Unknown, no),
        ("bang_blocked", F::CommandBlocked, C::Permission, no),
        ("exit:5", F::ExitMismatch, C::Unknown, no),
        ("no_result:0", F::NoResult, C::Unknown, once),
        ("kill", F::Killed, C::OutOfMemory, once),
        ("start_error:error: unknown option '--x'", F::Configuration, C::Unknown, stop),
    ] {
        let failed = Place::new().run(&call("go"), scenario).result.unwrap_err();
        assert_eq!((failed.kind, failed.class, failed.retry), (kind, class, retry), "{scenario}");
    }
    let words = "limit_text:You've hit your limit · resets 3pm (UTC)";
    let failed = Place::new().run(&call("go"), words).result.unwrap_err();
    assert_eq!((failed.kind, failed.class), (F::Limit, C::RateLimit));
    assert!(matches!(failed.retry, RetryAdvice::ResumeAt(Some(_))));
}

#[test]
fn blocks_follow_each_other_and_can_depend_on_the_prompt() {
    let place = Place::new();
    let scenario = "match:*item-2*\n529\n---\nmatch:*item-2*\nsay:two\n---\nsay:other";
    let mut answers = Vec::new();
    for (number, prompt) in ["item-1", "item-2", "item-3", "item-2", "item-2"].iter().enumerate() {
        let id = format!("00000000-0000-4000-8000-00000000000{number}");
        let call = Call { conversation: Conversation::New(id), ..call(prompt) };
        answers.push(place.run(&call, scenario).result.map(|answer| answer.text).ok());
    }
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(answers, [text("other"), None, text("other"), text("two"), text("two")]);
}

#[test]
fn conversations_are_kept_resumed_and_forked() {
    let place = Place::new();
    assert_eq!(failure(&place.run(&resumed("go", ONE), "success")), AgentFailure::NoConversation);
    assert!(place.run(&call("go"), "success").result.is_ok());
    let again = place.run(&call("go"), "success");
    assert_eq!(failure(&again), AgentFailure::SessionInUse);
    assert_eq!(again.result.unwrap_err().retry, RetryAdvice::Resume { at_most: 1 });
    let verdict = place.run(&resumed("go on", ONE), "success");
    assert_eq!(verdict.report.session_id, ONE);
    let fork = Conversation::Fork { from: ONE.into(), new: TWO.into() };
    let verdict = place.run(&Call { conversation: fork, ..call("try") }, "success");
    assert_eq!(verdict.report.session_id, TWO);
    assert!(place.run(&resumed("go on", TWO), "success").result.is_ok());
    assert_eq!(place.logged().iter().filter(|call| call["resumed"] == true).count(), 3);
}

#[test]
fn only_known_slash_commands_reach_the_model() {
    let place = Place::new();
    assert!(place.run(&call("/ns:deep 1"), "tool_edit:a:b").result.is_ok());
    let unknown = Call { conversation: Conversation::New(TWO.into()), ..call("/deep 1") };
    assert_eq!(failure(&place.run(&unknown, "tool_edit:c:d")), AgentFailure::UnknownCommand);
    assert!(place.project().join("a").exists() && !place.project().join("c").exists());
}

#[test]
fn bounds_and_permissions_are_taken_from_the_arguments() {
    let bounded = Call { max_turns: Some(1), ..call("go") };
    let scenario = "tool_edit:a:b\ntool_edit:c:d";
    assert_eq!(failure(&Place::new().run(&bounded, scenario)), AgentFailure::Bounded);
    let verdict = Place::new().run(&call("go"), "denied:Write\ndenied");
    assert_eq!(verdict.report.denials, 2);
    assert!(verdict.result.is_ok() && verdict.warnings[0].contains("Bash, Write"));
    let schema = serde_json::json!({"type": "object"});
    let asked = Call { output_schema: Some(schema), ..call("go") };
    let answer = Place::new().run(&asked, "structured:{\"a\":1}").result.unwrap();
    assert_eq!(answer.structured, Some(serde_json::json!({"a": 1})));
}

#[test]
fn an_interrupt_ends_the_tool_and_its_children() {
    let place = Place::new();
    let call = call("go");
    let pid_file = place.project().join("pid");
    let child =
        place.start(&call, "tool_bash:trap '' INT TERM; echo $$ >pid; while :; do sleep 0.1; done");
    let tool = pid_in(&pid_file);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let verdict = judge(&call, child);
    assert_eq!(failure(&verdict), AgentFailure::Interrupted);
    assert_eq!(verdict.report.cost_usd, Some(0.0055));
    wait_until("the end of the tool", || !is_alive(tool));
}

#[test]
fn an_interrupt_ends_a_thinking_model_with_a_result() {
    let place = Place::new();
    let call = call("go");
    let child = place.start(&call, "touch:ready\nhang");
    wait_until("the model", || place.project().join("ready").exists());
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let verdict = judge(&call, child);
    assert_eq!(failure(&verdict), AgentFailure::Interrupted);
    assert!(place.run(&resumed("go on", ONE), "success").result.is_ok());
}

#[test]
fn a_killed_call_leaves_its_tool_running_and_its_conversation_on_disk() {
    let place = Place::new();
    let verdict = place.run(&call("go"), "kill-in-tool:echo $$ >pid; exec sleep 60\n---\nsuccess");
    assert_eq!(failure(&verdict), AgentFailure::Killed);
    let tool = pid_in(&place.project().join("pid"));
    assert!(is_alive(tool));
    let variables = format!("/proc/{}/environ", tool.as_raw_nonzero());
    if Path::new(&variables).exists() {
        let marker = format!("CLAUDE_CODE_SESSION_ID={ONE}");
        // While it becomes another program it has none.
        wait_until("the tool's environment", || {
            fs::read(&variables).is_ok_and(|it| String::from_utf8_lossy(&it).contains(&marker))
        });
    }
    kill_process(tool, Signal::KILL).unwrap();
    assert!(place.run(&resumed("go on", ONE), "success").result.is_ok());
}

#[test]
fn a_deaf_call_ends_only_by_force() {
    let place = Place::new();
    let call = call("go");
    let child = place.start(&call, "deaf\ntouch:ready\nwait_for:go\ntouch:went\nhang");
    wait_until("the model", || place.project().join("ready").exists());
    for signal in [Signal::INT, Signal::TERM] {
        kill_process(Pid::from_child(&child), signal).unwrap();
    }
    fs::write(place.project().join("go"), "").unwrap();
    wait_until("a sign of life", || place.project().join("went").exists());
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    assert_eq!(failure(&judge(&call, child)), AgentFailure::Killed);
}

#[test]
fn permissions_are_enforced_where_a_test_asks_for_it() {
    let place = Place::new();
    let denials = |call: &Call| {
        let verdict = place.run(call, "tool_edit:a:b\ntool_bash:true");
        verdict.report.denials
    };
    let with_id = |number: u32, call: Call| Call {
        conversation: Conversation::New(format!("00000000-0000-4000-8000-00000000000{number}")),
        permission_mode: Some("acceptEdits".into()),
        ..call
    };
    assert_eq!(denials(&with_id(0, call("go"))), 0, "only where it is asked for");
    place.set("CLAUDE_STUB_PERMISSIONS", "enforce");
    assert_eq!(denials(&call("go")), 2);
    assert_eq!(denials(&with_id(1, call("go"))), 1);
    let allowed = Call { allowed_tools: vec!["Bash(true)".into()], ..call("go") };
    assert_eq!(denials(&with_id(2, allowed)), 0);
}

#[test]
fn a_conversation_is_found_from_below_and_from_another_worktree_but_not_from_elsewhere() {
    let place = Place::new();
    let git = |words: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(words);
        assert!(command.current_dir(place.project()).output().unwrap().status.success());
    };
    git(&["init", "-q"]);
    git(&["commit", "-q", "--allow-empty", "-m", "one"]);
    git(&["worktree", "add", "-q", "../tree"]);
    assert!(place.run(&call("go"), "success").result.is_ok());
    fs::create_dir_all(place.project().join("below")).unwrap();
    fs::create_dir_all(place.root.path().join("elsewhere")).unwrap();
    for (directory, is_found) in [("project/below", true), ("tree", true), ("elsewhere", false)] {
        place.enter(directory);
        let verdict = place.run(&resumed("go on", ONE), "success");
        assert_eq!(verdict.result.is_ok(), is_found, "{directory}");
    }
}

#[test]
fn the_version_and_wrong_flags_are_answered_as_by_the_cli() {
    let run = |words: &[&str]| {
        Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/claude"))
            .args(words)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    assert_eq!(run(&["--version"]).stdout, b"2.1.197 (Claude Code)\n");
    for words in [
        &["-p", "--nope"][..],
        &["-p", "--output-format", "stream-json", "x"],
        &["-p", "--output-format", "stream-json", "--verbose"],
        &["-p", "--output-format", "stream-json", "--verbose", "--session-id", "no-uuid", "x"],
        &[
            "-p",
            "--output-format",
            "stream-json",
            "--verbose",
            "--allowedTools",
            "Bash",
            "swallowed",
        ],
    ] {
        let output = run(words);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{words:?}");
    }
}
