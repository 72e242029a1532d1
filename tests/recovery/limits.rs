//! How often, and what never: limits, marked steps, ways that need a person.

use super::{LINT, sandbox};

#[test]
fn a_step_is_recovered_three_times_over_all_its_failures() {
    let sandbox = sandbox("commands: [{shell: ./say one 1}]");
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    for _ in 0..3 {
        sandbox.initiate(&[]).exits(1);
    }
    assert_eq!(sandbox.heard(), "one one one one");
    let ran = sandbox.initiate(&[]).exits(6);
    assert!(ran.stderr.contains("a person must look at step 1"), "{ran:#?}");
    assert_eq!(sandbox.heard(), "one one one one");
    sandbox.initiate(&["--force"]).exits(1);
    assert_eq!(sandbox.heard(), "one one one one one");
    sandbox.initiate(&[]).exits(6);
    assert_eq!(sandbox.recoveries().len(), 4, "what was refused is not a recovery");
    // A person's resume is not limited.
    sandbox.run(&["resume"]).exits(1);
}

#[test]
fn the_limit_is_that_of_the_workflow_before_that_of_the_user() {
    let sandbox = sandbox("{commands: [{shell: ./say one 1}], recovery: {max_recoveries: 2}}");
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    std::fs::write(sandbox.state().join("recovery.yaml"), "max_recoveries: 1\n").unwrap();
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
fn a_marked_step_that_is_done_does_not_hinder() {
    let sandbox =
        sandbox("commands: [{shell: ./say pay, on_resume: confirm}, {shell: ./flaky two 1}]");
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    sandbox.initiate(&[]).exits(0);
    assert_eq!(sandbox.heard(), "pay two two");
}

#[test]
fn what_only_a_person_can_put_right_is_said() {
    let sandbox = sandbox("commands: [{shell: ./say one && no-such-program}]");
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    let ran = sandbox.initiate(&[]).exits(6);
    assert!(ran.stderr.contains("built-in rule missing_tool → person"), "{ran:#?}");
    assert!(ran.stderr.contains("prodigy resume flow-"), "{ran:#?}");
    assert_eq!(sandbox.heard(), "one");
    assert!(sandbox.recoveries().is_empty());
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
