//! Agent steps that are cut: kill -9, Ctrl-C, hangs, a dead CLI. What was finished is paid for once.

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

use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;
use support::agents::Agents;
use support::live::{Live, wait_until};

/// A finished step, one whose tool is cut, one that follows.
const CUT: &str = r#"
commands:
  - {id: first, claude: "First task"}
  - {id: second, claude: "Second task"}
  - {shell: "echo ${first.output} ${second.output} > told"}
"#;

/// The second call runs a tool that lasts until the test ends it.
const TOOL: &str = "match:*First task*
cost:0.5
say:one
---
match:*Second task*
tool_bash:echo $$ > tool-pid; exec sleep 600
---
match:*Second task*
cost:0.25
say:two
";

fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit(')')
        .next()
        .is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with(['Z', 'X']))
}

/// Starts a session and waits until its second agent is in its tool.
fn in_tool(agents: &Agents) -> (Live, String) {
    let live = Live::start(agents.command(&["cook", "flow.yaml"]));
    wait_until("the tool", || {
        let pid = std::fs::read_to_string(agents.sandbox.directory().join("tool-pid"));
        pid.is_ok_and(|pid| pid.ends_with('\n'))
    });
    let pid = agents.sandbox.read("tool-pid");
    assert!(is_alive(&pid));
    (live, pid)
}

#[test]
fn after_kill_9_in_a_tool_everything_left_is_ended_and_the_same_conversation_goes_on() {
    let agents = Agents::new(TOOL, CUT);
    let (live, tool) = in_tool(&agents);
    live.kill();
    let cli = agents.calls()[1]["pid"].to_string();
    let ran = agents.run(&["resume"]).exits(0);
    assert!(!is_alive(&tool), "the tool is ended: {ran:#?}");
    assert!(!is_alive(&cli), "the old agent is ended: {ran:#?}");
    assert_eq!(agents.sandbox.read("told"), "one two\n");
    assert_eq!(agents.prompts(), ["First task", "Second task", ">Second task"]);
    let calls = agents.calls();
    assert_eq!(calls[2]["session"], calls[1]["session"]);
    assert!(calls[2]["prompt"].as_str().unwrap().contains("was interrupted"), "{}", calls[2]);
    // The cost of the killed one is unknown, which is not zero.
    assert_eq!(agents.spent(), (0.75, 3, 1));
}

#[test]
fn the_conversation_is_on_disk_before_the_agent_is_started() {
    let agents = Agents::new(TOOL, CUT);
    let (live, _) = in_tool(&agents);
    let journal = agents.sandbox.events();
    let id = agents.calls()[1]["session"].as_str().unwrap().to_owned();
    let started = journal.find(&id).unwrap();
    assert!(journal[started..].contains("step_spawned"), "{journal}");
    live.kill();
    agents.run(&["resume"]).exits(0);
}

#[test]
fn a_plan_tells_which_agents_run_again_and_the_money() {
    let agents = Agents::new(TOOL, CUT);
    let (live, _) = in_tool(&agents);
    live.kill();
    let plan = agents.run(&["resume", "--plan", "--json"]).exits(0).json();
    assert_eq!(plan[0]["agents"]["reused"], true);
    assert_eq!(plan[0]["agents"]["saved_usd"], 0.5);
    assert_eq!(plan[1]["agents"]["reused"], false);
    assert_eq!(plan[1]["agents"]["unknown_costs"], 1);
    assert!(plan[2]["agents"].is_null(), "{plan}");
    let table = agents.run(&["resume", "--plan"]).exits(0).stdout;
    assert!(table.contains("[agent: reused, $0.50 saved]"), "{table}");
    assert!(table.contains("$0.50 spent so far, $0.50 of it not paid again"), "{table}");
    assert_eq!(agents.calls().len(), 2, "a plan runs nothing");
    agents.run(&["resume"]).exits(0);
}

#[test]
fn ctrl_c_ends_the_agent_and_its_tool_and_keeps_the_cost() {
    let agents = Agents::new(&TOOL.replace("tool_bash", "cost:0.1\ntool_bash"), CUT);
    let (live, tool) = in_tool(&agents);
    live.signal(Signal::INT);
    live.end().exits(130);
    assert!(!is_alive(&tool));
    assert_eq!(agents.spent(), (0.6, 2, 0), "what the interrupted agent told is counted");
    agents.run(&["resume"]).exits(0);
    assert_eq!(agents.prompts(), ["First task", "Second task", ">Second task"]);
    let (usd, calls, unknown) = agents.spent();
    assert_eq!((format!("{usd:.2}").as_str(), calls, unknown), ("0.85", 3, 0));
}

/// Answers, and goes on with what it does not wait for until it is told to end.
const LINGERING: &str = r#"#!/bin/sh
cat > /dev/null
trap 'exit 0' INT
echo '{"type":"system","subtype":"init","session_id":"s"}'
echo '{"type":"result","subtype":"success","is_error":false,"result":"fine","num_turns":1,"total_cost_usd":0.5}'
touch answered
while :; do sleep 0.05; done
"#;

#[test]
fn an_answer_that_was_complete_when_the_stop_came_is_kept() {
    let agents =
        Agents::new("", "commands: [{id: it, claude: x}, {shell: 'echo ${it.output} > told'}]");
    // Not through the link to the stand-in.
    let program = agents.sandbox.root().join("bin/claude");
    std::fs::remove_file(&program).unwrap();
    std::fs::write(&program, LINGERING).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let live = Live::start(agents.command(&["cook", "flow.yaml"]));
    wait_until("the answer", || agents.sandbox.directory().join("answered").exists());
    live.signal(Signal::INT);
    live.end().exits(130);
    std::fs::remove_file(agents.sandbox.directory().join("answered")).unwrap();
    agents.run(&["resume"]).exits(0);
    assert_eq!(agents.sandbox.read("told"), "fine\n");
    assert!(!agents.sandbox.directory().join("answered").exists(), "it was called again");
    assert_eq!(agents.spent(), (0.5, 1, 0));
}

#[test]
fn an_agent_that_dies_in_a_tool_goes_on_once_by_itself() {
    let agents = Agents::new(
        "kill-in-tool:echo $$ > tool-pid; exec sleep 600\n---\nsay:done",
        "commands: [{claude: x}]",
    );
    agents.cook().exits(0);
    assert_eq!(agents.prompts(), ["x", ">x"]);
    let pid = std::fs::read_to_string(agents.sandbox.directory().join("tool-pid"));
    assert!(!pid.is_ok_and(|pid| is_alive(&pid)), "its tool does not run on beside it");
    let agents = Agents::new("kill", "commands: [{claude: x}]");
    agents.cook().exits(1);
    assert_eq!(agents.calls().len(), 2);
}

#[test]
fn an_agent_that_says_nothing_is_ended_and_goes_on_once() {
    let flow = "limits: {idle_timeout: 2s}\ncommands: [{claude: x}]";
    let agents = Agents::new("hang\n---\nsay:done", flow);
    agents.cook().exits(0);
    assert_eq!(agents.prompts(), ["x", ">x"]);
    let agents = Agents::new("hang", flow);
    let ran = agents.cook().exits(1);
    assert!(ran.stdout.contains("printed nothing for the idle limit"), "{ran:#?}");
    assert_eq!(agents.calls().len(), 2);
}

#[test]
fn the_time_of_a_step_ends_its_agent_and_its_retry_goes_on_with_the_conversation() {
    let agents = Agents::new(
        "hang\n---\nsay:done",
        "commands: [{claude: x, timeout: 1s, retry: {attempts: 2, initial_delay: 0}}]",
    );
    agents.cook().exits(0);
    assert_eq!(agents.prompts(), ["x", ">x"]);
}

#[test]
fn an_agent_without_a_log_of_the_conversation_starts_it_again_under_the_same_id() {
    let agents = Agents::new("slow_start:600\n---\nsay:done", "commands: [{claude: x}]");
    let live = Live::start(agents.command(&["cook", "flow.yaml"]));
    wait_until("the call", || agents.calls().len() == 1);
    live.kill();
    agents.run(&["resume"]).exits(0);
    assert_eq!(agents.prompts(), ["x", "x"]);
    let calls = agents.calls();
    assert_eq!(calls[0]["session"], calls[1]["session"]);
}

#[test]
fn a_conversation_that_the_agent_has_forgotten_begins_anew() {
    // The log is there, but for another directory: the program does not find it.
    let agents = Agents::new(TOOL, CUT);
    let (live, _) = in_tool(&agents);
    live.kill();
    let id = agents.calls()[1]["session"].as_str().unwrap().to_owned();
    let projects = agents.sandbox.root().join("home/.claude/projects");
    for entry in std::fs::read_dir(&projects).unwrap().flatten() {
        let log = entry.path().join(format!("{id}.jsonl"));
        if log.exists() {
            std::fs::write(log, "{\"cwd\":\"/nowhere\"}\n").unwrap();
        }
    }
    agents.run(&["resume"]).exits(0);
    assert_eq!(agents.sandbox.read("told"), "one two\n");
    let prompts = agents.prompts();
    assert_eq!(prompts.last().unwrap(), "Second task", "{prompts:?}");
    let calls = agents.calls();
    assert_ne!(calls.last().unwrap()["session"], calls[1]["session"]);
}

#[test]
fn a_server_that_is_down_is_waited_for_and_ctrl_c_ends_the_wait() {
    for scenario in ["500", "network", "timeout"] {
        let agents = Agents::new(scenario, "commands: [{claude: x, retry: 0}]");
        let live = Live::start(agents.command(&["cook", "flow.yaml"]));
        wait_until("the wait", || agents.begun() && !agents.events("retry_scheduled").is_empty());
        live.signal(Signal::INT);
        live.end().exits(130);
        agents.play("say:done");
        agents.run(&["resume"]).exits(0);
        assert_eq!(agents.prompts(), ["x", ">x"], "{scenario}");
    }
}

/// An answer that must be JSON.
const FORM: &str = r#"
commands:
  - claude: "Judge it"
    output_schema: {type: object, required: [verdict]}
"#;

#[test]
fn corrections_are_counted_over_a_crash_and_the_correction_is_asked_for_again() {
    let agents = Agents::new("say:never\n---\nhang", FORM);
    let live = Live::start(agents.command(&["cook", "flow.yaml"]));
    wait_until("the correction", || agents.calls().len() == 2);
    live.kill();
    agents.play("say:never");
    let ran = agents.run(&["resume"]).exits(1);
    assert!(ran.stdout.contains("does not satisfy output_schema"), "{ran:#?}");
    let calls = agents.calls();
    assert_eq!(calls.len(), 4, "two corrections in all, one of them again: {ran:#?}");
    for call in &calls[1..] {
        let prompt = call["prompt"].as_str().unwrap();
        assert!(prompt.contains("does not have the form"), "{prompt}");
        assert_eq!(call["session"], calls[0]["session"]);
    }
    // A further resume begins anew, with all its corrections.
    agents.run(&["resume"]).exits(1);
    assert_eq!(agents.calls().len(), 7);
}

#[test]
fn a_conversation_is_found_where_the_environment_of_the_step_keeps_it() {
    for env in ["CLAUDE_CONFIG_DIR: '${workflow.dir}/config'", "HOME: {command: 'pwd'}"] {
        let flow = format!("commands: [{{claude: x, env: {{{env}}}}}]");
        let later = chrono::Utc::now().timestamp() + 3600;
        let agents = Agents::new(&format!("limit:{later}"), &flow);
        agents.run(&["cook", "flow.yaml", "--park"]).exits(7);
        agents.play("say:done");
        agents.run(&["resume"]).exits(0);
        assert_eq!(agents.prompts(), ["x", ">x"], "{env}");
    }
}
