//! Rules: whose come first, which match, what is wrong with them.

use super::{LINT, sandbox};

fn way(workflow: &str, user: &str) -> (String, String) {
    let sandbox = sandbox(workflow);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    std::fs::write(sandbox.state().join("recovery.yaml"), user).unwrap();
    let ran = sandbox.initiate(&["--dry-run", "--json"]);
    let state = ran.json();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    (text(&state["recovery_type"]), text(&state["recovery_context"]["reason"]))
}

#[test]
fn the_workflow_comes_before_the_user_and_the_user_before_the_table() {
    let failing = format!("{{commands: [{{shell: \"{LINT}\"}}]RULES}}");
    let flow = |rules: &str| failing.replace("RULES", rules);
    let user = "rules: [{class: [test, lint], strategy: person}]\n";
    let (way_, why) = way(&flow(""), "rules: [{class: build, strategy: person}]");
    assert!(way_ == "person" && why.contains("built-in rule lint → person"), "{why}");
    let (way_, why) = way(&flow(""), user);
    assert!(way_ == "person" && why.contains("rule test, lint → person"), "{why}");
    assert!(why.contains("recovery.yaml:1"), "{why}");
    let rules = ", recovery: {rules: [{class: any, strategy: resume}]}";
    let (way_, why) = way(&flow(rules), user);
    assert!(way_ == "resume" && why.contains("rule any → resume"), "{why}");
}

#[test]
fn conditions_see_the_error() {
    let flow = |when: &str| {
        format!(
            "
commands: [{{shell: 'echo out; echo special >&2; exit 42'}}]
recovery: {{rules: [{{when: \"{when}\", strategy: rollback}}]}}
"
        )
    };
    for when in [
        "error.exit_code == 42",
        "contains(error.stderr, 'special')",
        "error.output =~ 'o.t'",
        "error.class == 'unknown' and error.kind == 'exit' and error.step == '1'",
        "error.message == 'exit code 42'",
    ] {
        let (way, why) = way(&flow(when), "");
        assert!(way == "rollback" && why.contains(when), "{when}: {why}");
    }
    let (way, _) = way(&flow("error.exit_code == 41"), "");
    assert_eq!(way, "person");
}

#[test]
fn what_is_wrong_with_rules_is_told_with_its_place() {
    for (rules, said) in [
        ("rules: [{class: lnt, strategy: retry}]", "lint"),
        ("rules: [{class: lint}]", "strategy"),
        ("rules: [{strategy: retry}]", "which failures"),
        ("rules: [{class: lint, strategy: resume, fix: x}]", "`fix` has no meaning"),
        ("rules: [{class: lint, strategy: person, attempts: 2}]", "`attempts` has no meaning"),
        ("rules: [{class: lint, attempts: 0}]", "attempts"),
        ("rules: [{when: \"item.x == 1\", strategy: retry}]", "cannot ask for `item`"),
        ("rules: [{when: error.exitcode == 1, strategy: retry}]", "did you mean `error.exit_code`"),
        ("rules: [{when: error.reason == 'x', strategy: retry}]", "knows no `error.reason`"),
        ("rules: [{when: error == 'x', strategy: retry}]", "knows no `error`"),
        ("rules: []", "empty"),
        ("rule: []", "rules"),
        ("max_recoveries: 0", "max_recoveries"),
        ("auto: maybe", "auto"),
    ] {
        let workflow = format!("{{commands: [{{shell: ./say one 1}}], recovery: {{{rules}}}}}");
        let sandbox = sandbox(&workflow);
        let ran = sandbox.run(&["validate", "flow.yaml"]).exits(2);
        assert!(ran.stderr.contains(said), "{rules}: {ran:#?}");
        sandbox.write("flow.yaml", "commands: [{shell: ./say one 1}]");
        sandbox.run(&["cook", "flow.yaml"]).exits(1);
        std::fs::write(sandbox.state().join("recovery.yaml"), rules).unwrap();
        let ran = sandbox.initiate(&[]).exits(2);
        assert!(
            ran.stderr.contains(said) && ran.stderr.contains("recovery.yaml"),
            "{rules}: {ran:#?}"
        );
        assert_eq!(sandbox.heard(), "one", "nothing is recovered by rules that cannot be read");
    }
}

#[test]
fn names_in_a_fix_are_checked() {
    let sandbox = sandbox(
        "
commands: [{id: one, shell: ./say one 1}]
recovery: {rules: [{class: any, fix: 'echo ${one.output} ${error.message} ${tow.output}'}]}
",
    );
    let ran = sandbox.run(&["validate", "flow.yaml"]).exits(2);
    assert!(ran.stderr.contains("tow") && !ran.stderr.contains("one.output`"), "{ran:#?}");
}

#[test]
fn names_in_a_fix_of_the_user_are_checked_against_the_workflow() {
    let sandbox = sandbox(&format!(
        "commands: [{{id: one, shell: \"./flaky one 1 || {LINT}\"}}, {{shell: ./say two}}]"
    ));
    sandbox.user_rules(
        "
rules:
  - {class: test, fix: 'echo ${never.output}'}
  - class: lint
    fix:
      - shell: ./say ${error.class}
      - shell: ./say fix-${tow.output}
",
    );
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    for more in [&["--dry-run"][..], &[], &["-y"], &["--type", "retry"]] {
        let ran = sandbox.initiate(more).exits(2);
        assert!(ran.stderr.contains("recovery.yaml:7:"), "its place: {ran:#?}");
        assert!(ran.stderr.contains("`tow`") && !ran.stderr.contains("never"), "{ran:#?}");
        assert!(ran.stderr.contains("help: correct it, or put a rule"), "{ran:#?}");
    }
    sandbox.run(&["resume", "--auto-recover", "--plan"]).exits(0);
    assert!(sandbox.recoveries().is_empty(), "nothing was begun");
    assert_eq!(sandbox.heard(), "one");
    sandbox.user_rules(
        "rules: [{class: lint, fix: ['./say ${error.class}', './say fix${one.output:-none}']}]\n",
    );
    sandbox.initiate(&[]).exits(0);
    assert_eq!(sandbox.heard(), "one lint fixnone one two");
}

#[test]
fn a_rule_that_is_added_after_the_failure_counts() {
    let flow = format!("commands: [{{shell: \"./flaky one 1 || {LINT}\"}}]\n");
    let sandbox = sandbox(&flow);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    let rules = "recovery: {rules: [{class: lint, fix: ./say fix}]}\n";
    sandbox.write("flow.yaml", &format!("{flow}{rules}"));
    sandbox.initiate(&[]).exits(0);
    assert_eq!(sandbox.heard(), "one fix one");
}
