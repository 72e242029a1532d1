//! Edited workflows: stages, settings, what follows an edit, and where attempts and logs go.

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

use support::Sandbox;

/// Fails in the step that wants `go`; then `words` is empty and `go` is there.
fn failed(yaml: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", yaml);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    sandbox.write("words", "");
    sandbox.write("go", "");
    sandbox
}

/// Address, old address, action and reason of each row.
fn plan(sandbox: &Sandbox, arguments: &[&str]) -> Vec<String> {
    let arguments = [&["resume", "flow", "--plan", "--json"][..], arguments].concat();
    let plan = sandbox.run(&arguments).exits(0).json();
    let row = |row: &serde_json::Value| {
        let old = row["old_address"].as_str().map(|old| format!("<{old}")).unwrap_or_default();
        let text = |key: &str| row[key].as_str().unwrap().to_owned();
        format!("{}{old} {}: {}", text("address"), text("action"), text("reason"))
    };
    plan.as_array().unwrap().iter().map(row).collect()
}

const STAGES: &str = "
stages:
  - name: build
    commands: [echo a >> words, echo b >> words]
  - name: test
    commands: [echo c >> words, 'echo d >> words; [ -e go ]']
  - name: ship
    commands: [echo e >> words]
";

#[test]
fn a_renamed_stage_is_the_same_stage() {
    let sandbox = failed(STAGES);
    sandbox.write("flow.yaml", &STAGES.replace("name: build", "name: compile"));
    assert_eq!(
        plan(&sandbox, &[]),
        [
            "compile/1<build/1 keep: finished",
            "compile/2<build/2 keep: finished",
            "test/1 keep: finished",
            "test/2 rerun: failed before",
            "ship/1 run: has not run yet",
        ]
    );
    let ran = sandbox.run(&["resume"]).exits(6);
    assert!(ran.stderr.contains("stage compile: name (was build)"), "{ran:#?}");
    sandbox.run(&["resume", "--accept-changes"]).exits(0);
    assert_eq!(sandbox.words("words"), "d e");
    // A renamed one with an edit in it, too.
    let sandbox = failed(STAGES);
    let edited = STAGES.replace("name: test", "name: check").replace("echo d", "echo D");
    sandbox.write("flow.yaml", &edited);
    sandbox.run(&["resume", "--accept-changes"]).exits(0);
    assert_eq!(sandbox.words("words"), "D e");
}

#[test]
fn stages_that_are_moved_inserted_and_removed() {
    let sandbox = failed(STAGES);
    let moved = "
stages:
  - name: test
    commands: [echo c >> words, 'echo d >> words; [ -e go ]']
  - name: between
    commands: [echo x >> words]
  - name: build
    commands: [echo a >> words, echo b >> words]
";
    sandbox.write("flow.yaml", moved);
    assert_eq!(
        plan(&sandbox, &[]),
        [
            "test/1 keep: finished, a step before it was removed or moved (--downstream runs it again)",
            "test/2 rerun: failed before",
            "between/1 new: new in the edited workflow",
            "build/1 keep: finished, a step before it was removed or moved (--downstream runs it again)",
            "build/2 keep: finished, a step before it was removed or moved (--downstream runs it again)",
            "ship/1 removed: gone from the edited workflow",
        ]
    );
    let ran = sandbox.run(&["resume", "--accept-changes"]).exits(0);
    let row = "  removed  ship/1     gone from the edited workflow: shell: echo e >> words";
    assert!(ran.stderr.contains(row), "what never ran has a name too: {ran:#?}");
    assert_eq!(sandbox.words("words"), "d x");
}

#[test]
fn settings_of_stages_of_the_file_and_of_the_map_are_changes_too() {
    for (from, to, told) in [
        ("  - name: test\n", "  - name: test\n    env: {X: y}\n", "stage test: env (X)"),
        ("  - name: ship\n", "  - name: ship\n    when: \"1 == 2\"\n", "stage ship: when"),
        (
            "  - name: test\n",
            "  - name: test\n    on_failure: [echo h >> words]\n",
            "stage test: on_failure",
        ),
        ("stages:", "env: {NEW: value}\nstages:", "env (NEW)"),
        ("stages:", "continue_on_error: true\nstages:", "continue_on_error"),
        ("stages:", "finally: [echo end >> words]\nstages:", "finally"),
    ] {
        let sandbox = failed(STAGES);
        sandbox.write("flow.yaml", &STAGES.replace(from, to));
        let ran = sandbox.run(&["resume"]).exits(6);
        assert!(ran.stderr.contains(&format!("  {told}: changed")), "{told}: {ran:#?}");
        sandbox.run(&["resume", "--accept-changes"]).exits(0);
        let words = match told {
            "stage ship: when" => "d",
            "finally" => "d e end",
            _ => "d e",
        };
        assert_eq!(sandbox.words("words"), words, "{told}");
    }
    // What is only shown is no change.
    let sandbox = failed(STAGES);
    sandbox.write("flow.yaml", &STAGES.replace("stages:", "description: text\nstages:"));
    sandbox.run(&["resume"]).exits(0);
}

#[test]
fn an_edited_template_counts_for_items_that_still_run() {
    let yaml = "
map:
  input: printf 'a\\nb\\nc\\n'
  max_parallel: 1
  agent_template:
    - 'echo ${item} >> words; [ ${item} != b ] || [ -e go ]'
error_policy: {on_item_failure: stop}
reduce: [echo reduce >> words]
";
    let sandbox = failed(yaml);
    sandbox.write("flow.yaml", &yaml.replace("echo ${item}", "echo new-${item}"));
    let ran = sandbox.run(&["resume"]).exits(6);
    assert!(ran.stderr.contains("map.agent_template: changed"), "{ran:#?}");
    sandbox.run(&["resume", "--accept-changes"]).exits(0);
    assert_eq!(sandbox.words("words"), "new-b new-c reduce");
}

#[test]
fn an_edited_input_makes_other_items_and_those_that_are_the_same_keep_their_results() {
    let yaml = "
map:
  input: printf 'a\\nb\\nc\\n'
  max_parallel: 1
  agent_template: ['echo ${item} >> words; [ ${item} != b ] || [ -e go ]']
error_policy: {on_item_failure: stop}
reduce: ['echo reduce ${map.total} >> words']
";
    let sandbox = failed(yaml);
    sandbox.write("flow.yaml", &yaml.replace("b\\nc\\n", "b\\nC\\nd\\n"));
    let ran = sandbox.run(&["resume"]).exits(6);
    assert!(ran.stderr.contains("map.input: changed"), "{ran:#?}");
    sandbox.run(&["resume", "--accept-changes"]).exits(0);
    assert_eq!(sandbox.words("words"), "b C d reduce 4");
    // Also when all had ended: reduce saw other items, and runs again.
    sandbox.write("words", "");
    let edited = yaml.replace("b\\nc\\n", "b\\nC\\nd\\ne\\n");
    sandbox.write("flow.yaml", &edited);
    sandbox.run(&["resume", "flow", "--accept-changes"]).exits(0);
    assert_eq!(sandbox.words("words"), "e reduce 5");
    let shown = sandbox.run(&["checkpoints", "show", "flow"]).exits(0);
    assert!(!shown.stdout.contains("older than"), "{shown:#?}");
}

const STEPS: &str = "
commands:
  - echo one >> words
  - echo two >> words
  - echo three >> words
  - 'echo four >> words; [ -e go ]'
  - echo five >> words
";

#[test]
fn what_follows_an_edit_is_kept_or_runs_again() {
    for (from, to, kept, again) in [
        ("echo two", "echo TWO", "TWO four five", "TWO three four five"),
        ("  - echo two >> words\n", "", "four five", "three four five"),
        (
            "  - echo two",
            "  - echo new >> words\n  - echo two",
            "new four five",
            "new two three four five",
        ),
    ] {
        for (downstream, words) in [(false, kept), (true, again)] {
            let sandbox = failed(STEPS);
            sandbox.write("flow.yaml", &STEPS.replace(from, to));
            let mut arguments = vec!["--accept-changes"];
            arguments.extend(downstream.then_some("--downstream"));
            let rows = plan(&sandbox, &arguments[1..]);
            let three = rows.iter().find(|row| row.contains("three") || row.starts_with('3'));
            assert!(three.is_some(), "{rows:#?}");
            let told = match downstream {
                true => "follows an edited step",
                false => "(--downstream runs it again)",
            };
            assert!(rows.iter().any(|row| row.contains(told)), "{told}: {rows:#?}");
            sandbox.run(&[&["resume"][..], &arguments].concat()).exits(0);
            assert_eq!(sandbox.words("words"), words, "{rows:#?}");
            sandbox.run(&["resume", "flow", "--downstream"]).exits(2);
        }
    }
}

#[test]
fn what_follows_in_later_stages_and_loops() {
    let yaml = "
stages:
  - name: a
    commands:
      - {id: fetch, shell: echo fetch >> words}
      - foreach: [x, y]
        do: ['echo ${item} >> words']
  - name: b
    commands: [echo b >> words, {shell: echo c >> words, on_resume: confirm}]
  - name: c
    commands: ['[ -e go ]']
";
    let sandbox = failed(yaml);
    sandbox.write("flow.yaml", &yaml.replace("echo fetch", "echo Fetch"));
    // A marked step asks, here as everywhere.
    let ran = sandbox.run(&["resume", "--accept-changes", "--downstream"]).exits(6);
    assert!(ran.stderr.contains("--rerun b/2"), "{ran:#?}");
    sandbox.run(&["resume", "--accept-changes", "--downstream", "--done", "b/2"]).exits(0);
    assert_eq!(sandbox.words("words"), "Fetch x y b");
}

#[test]
fn a_step_without_an_id_that_is_edited_is_the_same_step() {
    let sandbox = failed(STEPS);
    sandbox.write("flow.yaml", &STEPS.replace("echo four", "echo FOUR"));
    let rows = plan(&sandbox, &[]);
    assert_eq!(rows[3], "4 rerun: edited");
    assert_eq!(rows.len(), 5);
}

#[test]
fn a_completed_session_goes_on_with_what_is_new_when_that_is_accepted() {
    let sandbox = failed(STEPS);
    sandbox.run(&["resume"]).exits(0);
    sandbox.write("words", "");
    sandbox.write("flow.yaml", &format!("{STEPS}  - echo six >> words\n"));
    let ran = sandbox.run(&["resume", "flow"]).exits(0);
    assert!(ran.stderr.contains("nothing to resume"), "{ran:#?}");
    sandbox.run(&["resume", "flow", "--accept-changes"]).exits(0);
    assert_eq!(sandbox.words("words"), "six");
}

#[test]
fn attempts_and_logs_follow_their_step_and_no_log_is_written_over() {
    let yaml = r#"
commands:
  - 'echo one-$PRODIGY_ATTEMPT'
  - {id: two, shell: 'echo two-$PRODIGY_ATTEMPT; [ -e go ]'}
  - 'echo three-$PRODIGY_ATTEMPT'
"#;
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", yaml);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    sandbox.run(&["resume"]).exits(1);
    // A step is put before the second, whose third attempt comes now.
    let edited = yaml.replace("  - {id: two", "  - 'echo new-$PRODIGY_ATTEMPT'\n  - {id: two");
    sandbox.write("flow.yaml", &edited);
    sandbox.run(&["resume", "--accept-changes"]).exits(1);
    let log = |step: &str, attempt: &str| {
        sandbox.run(&["logs", "flow", "--step", step, "--attempt", attempt]).stdout
    };
    assert_eq!(log("2", "1"), "new-1\n");
    for attempt in ["1", "2", "3"] {
        assert_eq!(log("3", attempt), format!("two-{attempt}\n"));
    }
    assert_eq!(log("2", "2"), "");
    // The first is removed, the second edited; everything moves back.
    let edited = edited.replace("  - 'echo one-$PRODIGY_ATTEMPT'\n", "");
    sandbox.write("flow.yaml", &edited.replace("'echo two", "'echo TWO"));
    sandbox.write("go", "");
    sandbox.run(&["resume", "--accept-changes"]).exits(0);
    assert_eq!(log("1", "1"), "new-1\n");
    assert_eq!(log("2", "3"), "two-3\n");
    assert_eq!(log("2", "4"), "TWO-4\n");
    assert_eq!(log("3", "1"), "three-1\n");
    let list = sandbox.run(&["logs", "flow", "--list"]).exits(0).stdout;
    assert!(list.contains("step 1 (removed by an edit), attempt 1"), "{list}");
    let logs = std::fs::read_dir(sandbox.state().join("sessions"))
        .unwrap()
        .flatten()
        .map(|session| std::fs::read_dir(session.path().join("logs")).unwrap().count());
    assert_eq!(logs.collect::<Vec<_>>(), [7]);
    let shown = sandbox.run(&["checkpoints", "show", "flow", "--json"]).json();
    let attempts: Vec<u64> = shown["completed_steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["attempts"].as_u64().unwrap())
        .collect();
    assert_eq!(attempts, [1, 4, 1]);
}
