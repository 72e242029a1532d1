//! Each way: retry with a fix, resume, and that each says why.

use super::support::Sandbox;
use super::support::live::{Live, wait_until};
use super::{LINT, sandbox};

#[test]
fn a_retry_fixes_and_runs_the_failed_step_again() {
    let workflow = format!(
        "
commands:
  - shell: ./say one
  - id: lint
    shell: ./flaky two 1 || {LINT}
  - shell: ./say three
recovery:
  rules:
    - class: lint
      fix:
        - shell: ./say fix
        - shell: ./say \"${{error.step}}-${{error.exit_code}}\"
        - {{id: tool, shell: echo word}}
        - shell: ./say ${{tool.output}}
"
    );
    let sandbox = sandbox(&workflow);
    let ran = sandbox.run(&["cook", "flow.yaml"]).exits(1);
    assert!(ran.stdout.contains("recover  prodigy recovery initiate flow-"), "{ran:#?}");
    let plan = sandbox.initiate(&["--dry-run", "--json"]).exits(0).json();
    assert_eq!(plan["status"], "pending");
    assert_eq!(
        plan["recovery_plan"],
        serde_json::json!(["validate_state", "apply_fix", "retry_step"])
    );
    assert_eq!(sandbox.heard(), "one two", "a plan runs nothing");
    assert!(sandbox.recoveries().is_empty(), "a plan is not kept");
    let ran = sandbox.initiate(&[]).exits(0);
    assert!(ran.stderr.contains("rule lint → retry"), "{ran:#?}");
    assert!(ran.stderr.contains("flow.yaml:9"), "the place of the rule: {ran:#?}");
    assert_eq!(sandbox.heard(), "one two fix 2-1 word two three");
    let states = sandbox.recoveries();
    let state = &states[0];
    assert_eq!(state["status"], "completed");
    assert_eq!(state["recovery_type"], "retry");
    assert_eq!(state["recovery_context"]["class"], "lint");
    let steps = state["progress_steps"].as_array().unwrap();
    let steps: Vec<_> = steps.iter().map(|it| (&it["step"], &it["status"])).collect();
    assert!(steps.contains(&(&"apply_fix".into(), &"completed".into())), "{steps:?}");
    assert!(steps.contains(&(&"retry_step".into(), &"completed".into())), "{steps:?}");
    let events = sandbox.event_types();
    assert!(
        events.contains(&"recovery_started".into()) && events.contains(&"recovery_finished".into())
    );
}

#[test]
fn the_state_has_the_keys_that_people_know() {
    let sandbox = sandbox("commands: [{shell: ./flaky one 1}]");
    sandbox.repeats_unknown();
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    let state = sandbox.initiate(&["--json"]).exits(0).json();
    let keys: Vec<&String> = state.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "id",
            "failure_id",
            "repository",
            "recovery_type",
            "status",
            "target_checkpoint_id",
            "recovery_plan",
            "started_at",
            "completed_at",
            "progress_steps",
            "recovery_context",
            "rollback_checkpoint_id",
            "corruption_detected",
            "validation_results",
            "metadata",
        ]
    );
    let id = state["id"].as_str().unwrap();
    let failure = state["failure_id"].as_str().unwrap();
    for words in [
        ["recovery", "status", id],
        ["recovery", "status", failure],
        ["recovery", "status", "flow"],
    ] {
        let ran = sandbox.run(&words).exits(0);
        assert!(ran.stdout.contains(id) && ran.stdout.contains("completed"), "{ran:#?}");
    }
    let same = sandbox.run(&["recovery", "status", "--recovery-id", id, "--json"]).exits(0);
    assert_eq!(same.json(), state);
    sandbox.run(&["recovery", "status", "recovery-000000000000"]).exits(3);
    sandbox.run(&["recovery", "status", "recovery-../../../etc/passwd"]).exits(3);
    sandbox.run(&["recovery", "status", "failure-000000-1"]).exits(3);
}

#[test]
fn attempts_wait_longer_each_time_and_fix_anew() {
    let workflow = format!(
        "
commands:
  - shell: ./flaky one 3 || {LINT}
recovery: {{rules: [{{class: lint, fix: ./say fix, attempts: 3, delay: 100ms}}]}}
"
    );
    let sandbox = sandbox(&workflow);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    let state = sandbox.initiate(&["--json"]).exits(0).json();
    assert_eq!(sandbox.heard(), "one fix one fix one fix one");
    let steps = state["progress_steps"].as_array().unwrap();
    let waits: Vec<i64> = steps
        .iter()
        .filter(|it| it["step"] == "wait" && it["attempt"] != 1)
        .map(|it| {
            let time = |key: &str| {
                chrono::DateTime::parse_from_rfc3339(it[key].as_str().unwrap()).unwrap()
            };
            (time("completed_at") - time("started_at")).num_milliseconds()
        })
        .collect();
    assert_eq!(waits.len(), 2);
    assert!(waits[0] >= 195 && waits[1] >= 395, "{waits:?}");
}

#[test]
fn a_fix_that_fails_leaves_the_step_alone() {
    let workflow = format!(
        "
commands: [{{shell: \"./say one && {LINT}\"}}]
recovery: {{rules: [{{class: lint, fix: [{{shell: ./say fix 7}}, {{shell: ./say never}}]}}]}}
"
    );
    let sandbox = sandbox(&workflow);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    let ran = sandbox.initiate(&[]).exits(1);
    assert!(
        ran.stdout.contains("the fix failed") || ran.stderr.contains("the fix failed"),
        "{ran:#?}"
    );
    assert_eq!(sandbox.heard(), "one fix");
    assert_eq!(sandbox.recoveries()[0]["status"], "failed");
    // What a person does next is not hindered by it.
    sandbox.run(&["resume"]).exits(1);
    assert_eq!(sandbox.heard(), "one fix one");
}

#[test]
fn a_resume_goes_on_where_it_failed() {
    let sandbox = sandbox(
        "
commands:
  - shell: ./say one
  - shell: |
      ./flaky two 1 && exit 0
      echo 'error[E0382]: borrow of moved value' >&2
      echo 'error: could not compile `x` due to 1 previous error' >&2
      exit 101
  - shell: ./say three
",
    );
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    let ran = sandbox.initiate(&[]).exits(0);
    assert!(ran.stderr.contains("built-in rule build → resume"), "{ran:#?}");
    assert_eq!(sandbox.heard(), "one two two three");
    assert_eq!(sandbox.recoveries()[0]["recovery_type"], "resume");
}

#[test]
fn a_recovery_is_over_when_the_failed_step_is_past() {
    let workflow = format!(
        "
commands:
  - shell: ./flaky one 1 || {LINT}
  - shell: ./say two 3
recovery: {{rules: [{{class: lint, fix: ./say fix}}]}}
"
    );
    let sandbox = sandbox(&workflow);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    sandbox.initiate(&[]).exits(1);
    let states = sandbox.recoveries();
    assert_eq!(states[0]["status"], "completed", "{states:#?}");
    let other = sandbox.initiate(&["--dry-run", "--json"]).exits(6).json();
    assert_eq!(other["recovery_type"], "person");
    assert_eq!(other["recovery_context"]["step"], "2");
    assert_eq!(other["recovery_context"]["number"], 1);
}

#[test]
fn stages_rounds_and_passes_are_recovered_inside() {
    let workflow = format!(
        "
stages:
  - name: first
    env: {{NAME: of-stage}}
    commands:
      - foreach: [a, b, c]
        do:
          - shell: ./say in-${{item}}
          - shell: ./flaky out-${{item}} $([ ${{item}} = b ] && echo 1 || echo 0) || {LINT}
  - name: second
    commands: [{{shell: ./say end}}]
recovery: {{rules: [{{class: lint, fix: './say $NAME'}}]}}
"
    );
    let sandbox = sandbox(&workflow);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    sandbox.initiate(&[]).exits(0);
    assert_eq!(sandbox.heard(), "in-a out-a in-b out-b of-stage out-b in-c out-c end");
}

#[test]
fn a_session_that_did_not_fail_is_left_alone() {
    let sandbox = sandbox("commands: [{shell: ./say one}]");
    sandbox.run(&["recovery", "initiate"]).exits(3);
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    let ran = sandbox.initiate(&[]).exits(2);
    assert!(ran.stderr.contains("has not failed"), "{ran:#?}");
    sandbox.run(&["recovery", "initiate", "--failure-id", "failure-000000-1"]).exits(3);
    assert_eq!(sandbox.heard(), "one");
}

#[test]
fn a_session_that_runs_is_left_alone() {
    let sandbox =
        sandbox("commands: [{shell: ./say one}, {shell: 'touch waiting; exec sleep 600'}]");
    let live = Live::start(sandbox.command(&["cook", "flow.yaml"]));
    wait_until("the second step", || sandbox.directory().join("waiting").exists());
    for more in [&[][..], &["--type", "retry"], &["--dry-run"]] {
        let ran = sandbox.initiate(more).exits(4);
        assert!(ran.stderr.contains("is in use by pid"), "{ran:#?}");
    }
    let ran = sandbox.run(&["recovery", "initiate"]).exits(3);
    assert!(!ran.stderr.contains("was stopped"), "{ran:#?}");
    live.kill();
    let ran = sandbox.initiate(&[]).exits(2);
    assert!(ran.stderr.contains("help: prodigy resume flow-"), "{ran:#?}");
}

#[test]
fn a_failure_of_old_is_refused_with_the_present_one() {
    let sandbox = sandbox("commands: [{shell: ./flaky one 2}]");
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    let first = sandbox.initiate(&["--dry-run", "--json"]).json()["failure_id"].clone();
    sandbox.run(&["resume"]).exits(1);
    let ran = sandbox.run(&["recovery", "initiate", first.as_str().unwrap()]).exits(2);
    assert!(ran.stderr.contains("it has failed again since: failure-"), "{ran:#?}");
}

#[test]
fn the_result_says_when_it_was_the_fix_that_failed() {
    let workflow = format!(
        "
commands: [{{shell: ./say one}}, {{shell: \"./say two && {LINT}\"}}]
recovery:
  rules:
    - {{class: lint, attempts: 2, delay: 1ms, fix: [{{shell: ./say start}}, {{shell: ./flaky fix 1}}]}}
"
    );
    let sandbox = sandbox(&workflow);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    sandbox.initiate(&[]).exits(1);
    // The first fix fails, with the second the step itself fails again.
    assert_eq!(sandbox.heard(), "one two start fix start fix two");
    let state = sandbox.recoveries().remove(0);
    let steps = state["progress_steps"].as_array().unwrap();
    let fix = steps.iter().find(|step| step["step"] == "apply_fix").unwrap();
    let why = fix["detail"].as_str().unwrap();
    assert!(why.starts_with("the fix failed at step 2.recovery[1]/2: exit code 1 ("), "{why}");
    let why = state["metadata"]["result"].as_str().unwrap();
    assert!(why.starts_with("step 2: exit code 1 ("), "{why}");
}

#[test]
fn a_session_whose_directory_moved_is_recovered_where_it_is_now() {
    for way in [["initiate", "--type=retry"], ["rollback", "--yes"]] {
        let sandbox = Sandbox::new();
        std::fs::create_dir(sandbox.directory().join("old")).unwrap();
        sandbox.write(
            "old/flow.yaml",
            "[{shell: echo one >> words, checkpoint: true}, '[ -e go ] && echo two >> words']",
        );
        let old = sandbox.directory().join("old");
        for words in
            [&["init", "-q"][..], &["config", "user.name", "a"], &["config", "user.email", "a@b"]]
        {
            let mut git = std::process::Command::new("git");
            assert!(git.args(words).current_dir(&old).status().unwrap().success());
        }
        sandbox.run(&["-C", "old", "cook", "flow.yaml"]).exits(1);
        std::fs::rename(&old, sandbox.directory().join("new")).unwrap();
        sandbox.write("new/go", "");
        sandbox.write("new/words", "edited\n");
        let ran = sandbox.run(&["-C", "new", "recovery", way[0], "flow", way[1]]).exits(0);
        assert!(ran.stderr.contains("old was moved: going on in "), "{ran:#?}");
        let words = match way[0] {
            "initiate" => "edited\ntwo",
            _ => "one",
        };
        assert_eq!(sandbox.read("new/words").trim_end(), words, "{ran:#?}");
        let shown = sandbox.run(&["sessions", "show", "flow", "--json"]).exits(0).json();
        assert!(shown["directory"].as_str().unwrap().ends_with("/new"), "{shown:#}");
    }
}

#[test]
fn a_session_that_was_stopped_is_to_be_resumed() {
    let sandbox = sandbox("commands: [kill -TERM $PPID; sleep 60]");
    sandbox.run(&["cook", "flow.yaml"]).exits(143);
    let told = sandbox.run(&["recovery", "initiate"]).exits(3);
    assert!(told.stderr.contains("prodigy resume flow-"), "{told:#?}");
}
