//! `goal_seek` and `validate` with agents: every attempt and score recorded, and resumed inside the loop.

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

use support::agents::Agents;
use support::live::{Live, wait_until};

const GOAL: &str = r#"
commands:
  - id: goal
    goal_seek:
      goal: Cover the code
      claude: "Improve the coverage; now ${validation.score:-unknown}"
      validate: "cat score"
      threshold: 80
      max_attempts: 4
  - {shell: "echo ${goal.output} > told"}
"#;

#[test]
fn a_goal_is_sought_by_an_agent_until_the_score_is_reached() {
    let agents =
        Agents::new("tool_edit:score:score: 40\ncost:0.1\n---\ntool_edit:score:85\ncost:0.1", GOAL);
    let ran = agents.cook();
    let ran = ran.exits(0);
    assert_eq!(agents.calls().len(), 2, "{ran:#?}");
    let scores: Vec<f64> =
        agents.events("scored").iter().map(|(_, it)| it["score"].as_f64().unwrap()).collect();
    assert_eq!(scores, [40.0, 85.0]);
    assert_eq!(agents.spent().1, 2);
}

#[test]
fn a_goal_goes_on_where_it_was_killed() {
    let agents = Agents::new(
        "tool_edit:score:40\n---\ntouch:in-second\nwait_for:never\n---\ntool_edit:score:90",
        GOAL,
    );
    let live = Live::start(agents.command(&["cook", "flow.yaml"]));
    wait_until("the second attempt", || agents.sandbox.directory().join("in-second").exists());
    live.kill();
    agents.run(&["resume"]).exits(0);
    let calls = agents.calls();
    assert_eq!(calls.len(), 3, "the first attempt is not paid again");
    assert_eq!(calls[2]["session"], calls[1]["session"]);
    let scores: Vec<f64> =
        agents.events("scored").iter().map(|(_, it)| it["score"].as_f64().unwrap()).collect();
    assert_eq!(scores, [40.0, 90.0]);
    assert_eq!(agents.sandbox.read("told"), "90\n");
}

#[test]
fn a_goal_that_is_not_reached_says_the_best_score() {
    let agents = Agents::new("tool_edit:score:40\n---\ntool_edit:score:30", GOAL);
    agents.sandbox.write(
        "flow.yaml",
        &GOAL.replace("max_attempts: 4", "max_attempts: 2\n      fail_on_incomplete: true"),
    );
    let ran = agents.cook().exits(1);
    assert!(ran.stdout.contains("best score is 40"), "{ran:#?}");
    assert_eq!(agents.calls().len(), 2);
}

const CHECKED: &str = r#"
commands:
  - id: work
    claude: Do the work
    validate:
      claude: Check the work
      threshold: 90
      on_incomplete:
        claude: "Complete it: ${validation.gaps}"
        max_attempts: 3
  - {shell: "echo ${work.output} ${validation.completion_percentage:-} > told"}
"#;

#[test]
fn incomplete_work_is_completed_with_the_gaps_that_were_found() {
    let agents = Agents::new(
        r#"say:done
---
match:*Check*
say:{"completion_percentage": 50, "gaps": ["no tests"]}
---
match:*Check*
say:{"completion_percentage": 95, "gaps": []}
"#,
        CHECKED,
    );
    agents
        .sandbox
        .write("flow.yaml", &CHECKED.replace(" ${validation.completion_percentage:-}", ""));
    agents.cook().exits(0);
    assert_eq!(
        agents.prompts(),
        ["Do the work", "Check the work", "Complete it: [\"no tests\"]", "Check the work"]
    );
    assert_eq!(agents.sandbox.read("told"), "done\n");
}

#[test]
fn a_validation_that_is_no_json_is_a_failure_never_complete() {
    let agents = Agents::new(
        "say:looks fine",
        &CHECKED.replace(" ${validation.completion_percentage:-}", ""),
    );
    let ran = agents.cook().exits(1);
    assert!(ran.stdout.contains("it is not JSON"), "{ran:#?}");
}

#[test]
fn a_validation_goes_on_where_it_was_killed() {
    let agents = Agents::new(
        r#"say:done
---
match:*Check*
say:{"completion_percentage": 50, "gaps": ["no tests"]}
---
match:*Check*
say:{"completion_percentage": 95, "gaps": []}
---
match:*Complete*
touch:completing
wait_for:never
---
match:*Complete*
say:completed
"#,
        &CHECKED.replace(" ${validation.completion_percentage:-}", ""),
    );
    let live = Live::start(agents.command(&["cook", "flow.yaml"]));
    wait_until("the completion", || agents.sandbox.directory().join("completing").exists());
    live.kill();
    agents.run(&["resume"]).exits(0);
    assert_eq!(
        agents.prompts(),
        [
            "Do the work",
            "Check the work",
            "Complete it: [\"no tests\"]",
            ">Complete it: [\"no tests\"]",
            "Check the work"
        ]
    );
}

#[test]
fn an_answer_that_its_handler_awaits_is_not_paid_again() {
    // Killed while the handler of a failed agent runs: the failure is recorded, the agent is not asked again.
    let agents = Agents::new(
        "refusal",
        "commands: [{claude: x, on_failure: {shell: 'touch mending; [ -e go ] || sleep 600'}}]",
    );
    let live = Live::start(agents.command(&["cook", "flow.yaml"]));
    wait_until("the handler", || agents.sandbox.directory().join("mending").exists());
    live.kill();
    agents.sandbox.write("go", "");
    agents.run(&["resume"]).exits(0);
    assert_eq!(agents.calls().len(), 1);
}
