//! How often, and what never: limits, marked steps, ways that need a person.

use super::{LINT, sandbox};

#[test]
fn a_step_is_recovered_three_times_over_all_its_failures() {
    let sandbox = sandbox("commands: [{shell: ./say one 1}]");
    sandbox.repeats_unknown();
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    for _ in 0..3 {
        sandbox.initiate(&[]).exits(1);
    }
    assert_eq!(sandbox.heard(), "one one one one");
    let ran = sandbox.initiate(&[]).exits(6);
    assert!(ran.stderr.contains("a person must look at step 1"), "{ran:#?}");
    assert!(ran.stderr.contains("3 recoveries did not help, and 3 may be tried"), "{ran:#?}");
    assert_eq!(sandbox.heard(), "one one one one");
    assert!(ran.stderr.contains(" --force)"), "{ran:#?}");
    let ran = sandbox.initiate(&["--type", "rollback", "--yes"]).exits(6);
    assert!(ran.stderr.contains(" --type rollback --force)"), "{ran:#?}");
    let waiting = sandbox.recoveries()[3]["id"].clone();
    sandbox.initiate(&["--force"]).exits(1);
    assert_eq!(sandbox.heard(), "one one one one one");
    sandbox.initiate(&[]).exits(6);
    let states = sandbox.recoveries();
    let ways: Vec<_> = states.iter().map(|it| it["recovery_type"].as_str().unwrap()).collect();
    assert_eq!(ways, ["resume", "resume", "resume", "resume", "person"]);
    assert_eq!(states[3]["id"], waiting, "what waited for a person is what they forced");
    assert_eq!(states[4]["status"], "pending");
    // A person's resume is not limited.
    sandbox.run(&["resume"]).exits(1);
    let states = sandbox.recoveries();
    assert_eq!(states[4]["status"], "failed", "{states:#?}");
    let result = states[4]["metadata"]["result"].as_str().unwrap();
    assert!(result.starts_with("a person went on: step 1: exit code 1 (failure-"), "{result}");
}

#[test]
fn the_limit_is_that_of_the_workflow_before_that_of_the_user() {
    let sandbox = sandbox("{commands: [{shell: ./say one 1}], recovery: {max_recoveries: 2}}");
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    std::fs::write(
        sandbox.state().join("recovery.yaml"),
        "max_recoveries: 1\nrules: [{class: any, strategy: resume}]\n",
    )
    .unwrap();
    sandbox.initiate(&[]).exits(1);
    sandbox.initiate(&[]).exits(1);
    sandbox.initiate(&[]).exits(6);
    sandbox.write("flow.yaml", "commands: [{shell: ./say one 1}]");
    sandbox.initiate(&["--force", "--accept-changes"]).exits(1);
}

/// Marks in every place where a rule could repeat them.
const MARKED: [(&str, &str); 5] = [
    ("the failed step", "commands: [{shell: ./say one 1, on_resume: MARK}]"),
    (
        "a step of a round",
        "commands: [{foreach: [a], do: [{shell: ./say one 1, on_resume: MARK}]}]",
    ),
    (
        "a handler",
        "commands: [{shell: 'true'}, {shell: ./say one 1, on_failure: {commands: [{shell: ./say mend 1, on_resume: MARK}]}}]",
    ),
    ("a step of a stage", "stages: [{name: s, commands: [{shell: ./say one 1, on_resume: MARK}]}]"),
    (
        "a handler of the workflow",
        "{commands: [{shell: ./say one 1}], on_failure: {commands: [{shell: ./say tell, on_resume: MARK}]}}",
    ),
];

#[test]
fn no_rule_repeats_a_marked_step() {
    for mark in ["confirm", "skip", "fail"] {
        for (place, workflow) in MARKED {
            let workflow = workflow.replace("MARK", mark);
            let sandbox = sandbox(&workflow);
            sandbox.repeats_unknown();
            sandbox.run(&["cook", "flow.yaml"]).exits(1);
            let words = sandbox.heard();
            let ran = sandbox.initiate(&[]).exits(6);
            assert!(ran.stderr.contains(&format!("on_resume: {mark}")), "{place}: {ran:#?}");
            assert_eq!(sandbox.heard(), words, "{place}, {mark}");
            let ran = sandbox.initiate(&["-y"]).exits(6);
            assert_eq!(sandbox.heard(), words, "-y never answers it: {place}, {mark} {ran:#?}");
            // A person who chooses the way may.
            sandbox.initiate(&["--type", "retry"]).exits(1);
            assert_ne!(sandbox.heard(), words, "{place}, {mark}");
        }
    }
}

#[test]
fn nobody_waits_for_a_marked_step_that_is_not_repeated() {
    let sandbox = sandbox(
        "
commands: [{shell: ./say one 1, on_resume: confirm}]
recovery: {rules: [{class: unknown, strategy: retry, delay: 1h}]}
",
    );
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    let ran = sandbox.initiate(&[]).exits(6);
    assert!(!ran.stderr.contains("waiting"), "{ran:#?}");
    let id = sandbox.recoveries()[0]["recovery_context"]["workflow_id"].clone();
    let id = id.as_str().unwrap();
    let help = format!("prodigy resume {id} --rerun 1   (run it again)");
    assert!(ran.stderr.contains(&help), "{ran:#?}");
    assert_eq!(sandbox.recoveries()[0]["status"], "failed");
    sandbox.run(&["resume", id, "--rerun", "1"]).exits(1);
    assert_eq!(sandbox.heard(), "one one");
}

#[test]
fn a_marked_step_that_is_done_does_not_hinder() {
    let sandbox =
        sandbox("commands: [{shell: ./say pay, on_resume: confirm}, {shell: ./flaky two 1}]");
    sandbox.repeats_unknown();
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    sandbox.initiate(&[]).exits(0);
    assert_eq!(sandbox.heard(), "pay two two");
}

#[test]
fn what_only_a_person_can_put_right_waits_for_them() {
    let sandbox = sandbox("commands: [{shell: ./say one && no-such-program}, {shell: ./say two}]");
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    let plan = sandbox.initiate(&["--dry-run"]).exits(6);
    assert!(plan.stdout.contains("pending: it waits for a person"), "{plan:#?}");
    assert!(sandbox.recoveries().is_empty(), "a plan is not kept");
    // Asking again and again changes nothing.
    for _ in 0..3 {
        let ran = sandbox.initiate(&[]).exits(6);
        assert!(ran.stderr.contains("built-in rule missing_tool → person"), "{ran:#?}");
        assert!(ran.stderr.contains("prodigy resume flow-"), "{ran:#?}");
    }
    assert_eq!(sandbox.heard(), "one");
    let states = sandbox.recoveries();
    assert_eq!(states.len(), 1, "{states:#?}");
    assert_eq!(states[0]["recovery_type"], "person");
    assert_eq!(states[0]["status"], "pending");
    assert_eq!(states[0]["recovery_plan"], serde_json::json!([]));
    let status = sandbox.run(&["recovery", "status", "flow"]).exits(0).stdout;
    assert!(status.contains("waits for a person") && status.contains("prodigy resume"), "{status}");
    let dashboard = sandbox.run(&["recovery", "dashboard", "--json"]).exits(0).json();
    assert_eq!(dashboard["recovery_summary"]["in_progress_recoveries"], 1);
    assert_eq!(dashboard["recovery_by_type"]["person"]["total"], 1);
    let events = sandbox.event_types();
    assert!(!events.contains(&"recovery_started".to_owned()), "nothing was begun: {events:?}");
    // A person puts it right and goes on.
    let flow = "commands: [{shell: ./say one}, {shell: ./say two}]";
    sandbox.write("flow.yaml", flow);
    sandbox.run(&["resume", "--accept-changes"]).exits(0);
    let states = sandbox.recoveries();
    assert_eq!(states[0]["status"], "completed", "{states:#?}");
    assert_eq!(states[0]["metadata"]["result"], "a person went on: the workflow went to its end");
}

#[test]
fn a_person_chooses_what_waited_for_them() {
    let sandbox = sandbox("commands: [{shell: ./flaky one 1}, {shell: ./say two}]");
    sandbox.run(&["cook", "flow.yaml", "--auto-recover"]).exits(6);
    let waiting = sandbox.recoveries()[0]["id"].clone();
    assert_eq!(sandbox.heard(), "one", "it is asked for once, and nothing runs");
    let state = sandbox.initiate(&["--type", "retry", "--json"]).exits(0).json();
    assert_eq!(state["id"], waiting);
    assert_eq!(state["status"], "completed");
    assert_eq!(state["recovery_context"]["chosen_by"], "person");
    assert_eq!(sandbox.heard(), "one one two");
    assert_eq!(sandbox.recoveries().len(), 1);
}

#[test]
fn a_rule_rolls_back_only_with_a_yes() {
    let workflow = format!(
        "
commands: [{{shell: ./say one}}, {{shell: \"./say two && {LINT}\"}}]
recovery: {{rules: [{{class: lint, strategy: rollback}}]}}
"
    );
    let sandbox = sandbox(&workflow);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    let ran = sandbox.initiate(&[]).exits(6);
    assert!(ran.stderr.contains("a person has to say whether"), "{ran:#?}");
    assert_eq!(sandbox.recoveries()[0]["status"], "pending");
    assert_eq!(sandbox.heard(), "one two");
}
