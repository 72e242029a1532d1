//! Unattended: `--auto-recover` and `recovery: {auto: true}`.

use super::{LINT, sandbox};

fn flow(settings: &str) -> String {
    format!(
        "
commands:
  - shell: ./flaky one 2 || {LINT}
  - shell: ./flaky two 1 || {LINT}
  - shell: ./say three
recovery: {{{settings} rules: [{{class: lint, fix: ./say fix}}]}}
"
    )
}

#[test]
fn each_failure_is_answered_until_the_end() {
    for (settings, words) in [
        ("", &["cook", "flow.yaml", "--auto-recover"][..]),
        ("", &["cook", "flow.yaml", "--auto-recover=2"][..]),
        ("auto: true,", &["cook", "flow.yaml"][..]),
    ] {
        let sandbox = sandbox(&flow(settings));
        sandbox.run(words).exits(0);
        assert_eq!(sandbox.heard(), "one fix one fix one two fix two three");
        assert_eq!(sandbox.recoveries().len(), 3);
    }
    let sandbox = sandbox(&flow(""));
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    sandbox.run(&["resume", "--auto-recover"]).exits(0);
    assert_eq!(sandbox.heard(), "one one fix one two fix two three");
}

#[test]
fn limits_hold_and_the_events_stay_alone_on_stdout() {
    let sandbox = sandbox(&flow(""));
    let ran = sandbox.run(&["cook", "flow.yaml", "--auto-recover=1", "--output", "json"]).exits(6);
    for line in ran.stdout.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    assert!(ran.stderr.contains("a person must look"), "{ran:#?}");
    assert_eq!(sandbox.heard(), "one fix one");
}

#[test]
fn what_needs_a_person_ends_it() {
    let sandbox =
        sandbox("{commands: [{shell: ./say one 1, on_resume: confirm}], recovery: {auto: true}}");
    sandbox.run(&["cook", "flow.yaml"]).exits(6);
    assert_eq!(sandbox.heard(), "one");
    let sandbox = super::sandbox("commands: [{shell: ./say one && no-such-program}]");
    let ran = sandbox.run(&["cook", "flow.yaml", "--auto-recover"]).exits(6);
    assert!(ran.stderr.contains("missing_tool → person"), "{ran:#?}");
    assert_eq!(sandbox.heard(), "one");
}

#[test]
fn a_broken_rule_file_does_not_hide_a_plain_failure() {
    let sandbox = sandbox("commands: [{shell: ./say one 1}]");
    sandbox.run(&["sessions", "list"]).exits(0);
    std::fs::create_dir_all(sandbox.state()).unwrap();
    std::fs::write(sandbox.state().join("recovery.yaml"), "rules: 7\n").unwrap();
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    sandbox.run(&["cook", "flow.yaml", "--auto-recover"]).exits(2);
}
