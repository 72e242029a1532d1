//! What is seen of a failure: in handlers, after them, in `checkpoints show`, in the checkpoint
//! file, in rehearsals; and that a crash changes none of it.

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

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value as Json;
use snapbox::{assert_data_eq, str};

use support::Sandbox;
use support::live::{Live, wait_until};

/// The events of the only session, as far as they are written.
fn events(sandbox: &Sandbox) -> Vec<Happened> {
    let Ok(sessions) = std::fs::read_dir(sandbox.state().join("sessions")) else {
        return Vec::new();
    };
    let Some(session) = sessions.flatten().next() else { return Vec::new() };
    let journal = std::fs::read_to_string(session.path().join("journal.jsonl")).unwrap_or_default();
    let lines = journal.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
    let events = lines.flat_map(|line| {
        let at = line["at"].as_str().unwrap().parse().unwrap();
        let kinds = line["event"].as_object().cloned().unwrap_or_default();
        kinds.into_iter().map(move |(kind, fields)| Happened { at, kind, fields })
    });
    events.collect()
}

/// One event.
#[derive(Debug, Clone)]
struct Happened {
    at: DateTime<Utc>,
    kind: String,
    fields: Json,
}

fn show(sandbox: &Sandbox, name: &str) -> Json {
    sandbox.run(&["checkpoints", "show", name, "--json"]).exits(0).json()
}

/// The checkpoint file of the only session.
fn checkpoint_file(sandbox: &Sandbox) -> Json {
    let directory = sandbox.state().join("state/work/checkpoints");
    let file = std::fs::read_dir(directory).unwrap().flatten().next().unwrap();
    serde_json::from_slice(&std::fs::read(file.path()).unwrap()).unwrap()
}

/// Runs the workflow until it has written the file `here`, and kills it.
fn cook_until_here(sandbox: &Sandbox) {
    let run = Live::start(sandbox.command(&["cook", "flow.yaml"]));
    wait_until("the file `here`", || sandbox.directory().join("here").exists());
    run.kill();
}

#[test]
fn a_handler_is_told_everything_about_the_error() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        r#"
- id: build
  shell: echo half; echo "it is broken" >&2; exit 3
  retry: {attempts: 2, initial_delay: 0}
  on_failure:
    - shell: printf '%s\n' "${error.message}" "${error.exit_code}" "${error.step}" "${error.kind}" "${error.attempt}" "${error.output}" "${error.stderr}" "${build.exit_code}" "${build.stdout}" "${build.error}" > told
    - shell: printf '%s\n' "${error.timestamp}" "${error.correlation_id}" > when
"#,
    );
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    assert_eq!(
        sandbox.read("told"),
        "exit code 3\n3\n1\nexit\n2\nhalf\nit is broken\n3\nhalf\nexit code 3\n"
    );
    let when = sandbox.read("when");
    let (timestamp, id) = when.trim().split_once('\n').unwrap();
    let age = Utc::now() - timestamp.parse::<DateTime<Utc>>().unwrap();
    assert!(age >= TimeDelta::zero() && age < TimeDelta::minutes(2), "{timestamp}");
    let raised = events(&sandbox).into_iter().find(|event| event.kind == "error_raised");
    assert_eq!(raised.unwrap().fields["correlation_id"], id);
}

/// Killed in the second handler, the first of which failed.
const CHAIN: &str = r#"
- id: build
  shell: echo try >> tries; exit 3
  retry: {attempts: 2, initial_delay: 0}
  on_failure:
    handlers:
      - {id: first, shell: echo one >> words; exit 9}
      - id: second
        shell: 'echo "two ${error.correlation_id}" >> words; test -e here || { touch here; exec sleep 60; }'
        max_attempts: 2
- shell: "true"
"#;

#[test]
fn the_recovery_state_stands_in_the_journal_the_checkpoint_and_survives_a_kill() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", CHAIN);
    cook_until_here(&sandbox);
    let shown = show(&sandbox, "flow");
    assert_eq!(shown["execution_state"]["status"], "interrupted");
    let recovery = &shown["error_recovery_state"];
    assert_eq!(recovery["active_handlers"][0]["id"], "second");
    assert_eq!(recovery["active_handlers"][0]["address"], "1.on_failure[2]");
    let context = &recovery["error_context"];
    assert_eq!((&context["step"], &context["exit_code"]), (&"1".into(), &3.into()));
    assert_eq!((&context["kind"], &context["attempt"]), (&"exit".into(), &2.into()));
    let history = &recovery["handler_execution_history"];
    assert_eq!(history.as_array().map(Vec::len), Some(1));
    assert_eq!(history[0]["handler_id"], "first");
    assert_eq!(history[0]["success"], false);
    assert_eq!(history[0]["error"], "step 1.on_failure[1]/1: exit code 9");
    assert_eq!(history[0]["attempt"], 1);
    assert!(history[0]["executed_at"].as_str().unwrap().parse::<DateTime<Utc>>().is_ok());
    assert_eq!(shown["retry_state"]["max_attempts"], 2);
    assert_eq!(shown["retry_state"]["current_attempt"], 2);
    let id = recovery["correlation_id"].as_str().unwrap().to_owned();
    let text = sandbox.run(&["checkpoints", "show", "flow", "--verbose"]).exits(0).stdout;
    for part in ["handlers at work", "active handlers", "second", "handler history", "first", &id] {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }

    // Step 1 fails again after its handler; for the second one no run is left.
    sandbox.run(&["resume", "flow"]).exits(1);
    assert_eq!(sandbox.read("words"), format!("one\ntwo {id}\ntwo {id}\none\n"));
    assert_eq!(sandbox.read("tries").lines().count(), 3);
    let ids = events(&sandbox)
        .into_iter()
        .filter(|event| event.kind != "run_started")
        .filter_map(|event| event.fields["correlation_id"].as_str().map(ToOwned::to_owned));
    assert!(ids.collect::<Vec<_>>().iter().all(|one| *one == id));

    let (file, shown) = (checkpoint_file(&sandbox), show(&sandbox, "flow"));
    let keys = |json: &Json| json.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for key in keys(&file) {
        assert_eq!(file[&key], shown[&key], "{key} is another thing in the checkpoint file");
    }
    let more: Vec<_> = keys(&shown).into_iter().filter(|key| file.get(key).is_none()).collect();
    assert_eq!(more, ["inner_steps", "open_steps", "head", "files"]);
    assert_eq!(shown["error_recovery_state"]["error_context"]["goes_on"], false);
}

#[test]
fn only_what_is_left_of_a_delay_is_waited_for() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        "- shell: echo try >> tries; test $(wc -l < tries) -ge 2\n  retry: {attempts: 3, initial_delay: 6s, jitter: 0}\n",
    );
    let run = Live::start(sandbox.command(&["cook", "flow.yaml"]));
    let mut scheduled = None;
    wait_until("the delay", || {
        scheduled = events(&sandbox).into_iter().find(|event| event.kind == "retry_scheduled");
        scheduled.is_some()
    });
    let scheduled = scheduled.unwrap();
    run.kill();
    assert_eq!(
        (&scheduled.fields["delay_ms"], &scheduled.fields["max_attempts"]),
        (&6000.into(), &3.into())
    );
    wait_until("half of the delay", || Utc::now() - scheduled.at > TimeDelta::seconds(3));
    let begin = Instant::now();
    sandbox.run(&["resume", "flow"]).exits(0);
    let waited = begin.elapsed().as_secs_f64();
    assert!((1.0..5.5).contains(&waited), "resume took {waited} s");
    let events = events(&sandbox);
    let second = events.iter().find(|it| it.kind == "step_started" && it.fields["attempt"] == 2);
    let not_before: DateTime<Utc> =
        scheduled.fields["not_before"].as_str().unwrap().parse().unwrap();
    assert!(second.unwrap().at >= not_before);
}

#[test]
fn a_resumed_step_has_the_attempts_it_had_left() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        r#"
- shell: 'echo try >> tries; test $(wc -l < tries) -ne 3 || { touch here; exec sleep 60; }; exit 1'
  retry: {attempts: 4, initial_delay: 0}
"#,
    );
    cook_until_here(&sandbox);
    sandbox.run(&["resume", "flow"]).exits(1);
    // The third was cut, not ended: it does not count.
    assert_eq!(sandbox.read("tries").lines().count(), 5);
    // It failed for good: a person's resume starts with a fresh budget.
    sandbox.run(&["resume", "flow"]).exits(1);
    assert_eq!(sandbox.read("tries").lines().count(), 9);
}

#[test]
fn the_first_error_is_the_one_that_is_reported() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        r#"
on_failure: echo workflow >> words; exit 7
commands:
  - shell: exit 3
    on_failure: echo step >> words; exit 5
"#,
    );
    let ran = sandbox.run(&["cook", "flow.yaml"]).exits(1);
    assert!(ran.stdout.contains("flow failed at step 1/1: exit code 3\n"), "{}", ran.stdout);
    assert_eq!(sandbox.read("words"), "step\nworkflow\n");
    let shown = show(&sandbox, "flow");
    assert_eq!(shown["error_recovery_state"]["error_context"]["message"], "exit code 3");
    let history = shown["error_recovery_state"]["handler_execution_history"].as_array().unwrap();
    let errors: Vec<_> = history.iter().map(|one| one["error"].as_str().unwrap()).collect();
    assert_eq!(
        errors,
        ["step 1.on_failure[1]/1: exit code 5", "step on_failure[1]/1: exit code 7"]
    );
}

const INTERVENTION: &str = r#"
- shell: echo a >> words; exit 4
  on_failure:
    strategy: intervene
    message: "${error.step} ended with ${error.exit_code}: mend it"
- shell: echo b >> words
"#;

#[test]
fn intervene_waits_for_a_person_and_resume_runs_the_step_again() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", INTERVENTION);
    let ran = sandbox.run(&["cook", "flow.yaml"]).exits(6);
    assert!(ran.stdout.contains("1 ended with 4: mend it"), "{}", ran.stdout);
    let plan = sandbox.run(&["resume", "flow", "--plan"]).exits(0).stdout;
    assert!(plan.contains("rerun    1  failed before: shell: echo a >> words"), "{plan}");
    sandbox.run(&["resume", "flow"]).exits(6);
    assert_eq!(sandbox.read("words"), "a\na\n");
    sandbox.run(&["resume", "flow", "--done", "1"]).exits(0);
    assert_eq!(sandbox.read("words"), "a\na\nb\n");
    sandbox.run(&["resume", "flow"]).exits(0);
    assert_eq!(sandbox.read("words"), "a\na\nb\n");
}

#[test]
fn intervene_at_a_stage_runs_its_failed_step_again() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        r#"
stages:
  - name: one
    commands:
      - shell: echo a >> words
      - shell: echo b >> words; test -e mended
    on_failure: {strategy: intervene, message: mend it}
  - name: two
    commands: [echo c >> words]
"#,
    );
    sandbox.run(&["cook", "flow.yaml"]).exits(6);
    sandbox.write("mended", "");
    sandbox.run(&["resume", "flow"]).exits(0);
    assert_eq!(sandbox.read("words"), "a\nb\nb\nc\n");
}

#[test]
fn finally_of_a_killed_run_is_owed_to_the_next() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        r#"
finally:
  - shell: echo f >> words
  - shell: 'test -e here || { touch here; exec sleep 60; }; exit 1'
    on_failure: echo h >> words
commands:
  - shell: echo a >> words
"#,
    );
    cook_until_here(&sandbox);
    sandbox.run(&["resume", "flow"]).exits(0);
    assert_eq!(sandbox.read("words"), "a\nf\nf\nh\n");
}

#[test]
fn how_finally_of_an_earlier_run_ended_is_nobodys_business() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", "commands: [test -e mended]\nfinally: [test -e mended]\n");
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    sandbox.write("mended", "");
    let resumed = sandbox.run(&["resume", "flow"]).exits(0);
    assert!(resumed.stdout.contains("\nflow completed\n"), "{}", resumed.stdout);
}

#[test]
fn made_failures_are_like_real_ones() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        r#"
- shell: echo a >> words
  retry: {attempts: 3, initial_delay: 0}
- shell: echo b >> words
  on_failure:
    handlers:
      - {shell: echo slow >> words, when: error.kind == 'timeout'}
      - {shell: echo seven >> words, when: error.kind == 'exit' and error.exit_code == 7}
"#,
    );
    let words = |arguments: &[&str], code| {
        let _ = std::fs::remove_file(sandbox.directory().join("words"));
        sandbox.run(&[&["cook", "flow.yaml"], arguments].concat()).exits(code);
        std::fs::read_to_string(sandbox.directory().join("words")).unwrap_or_default()
    };
    assert_eq!(words(&["--inject", "1=exit:1,times:2"], 0), "a\nb\n");
    assert_eq!(words(&["--inject", "1=exit,times:3"], 1), "");
    assert_eq!(words(&["--inject", "2=exit:7"], 0), "a\nseven\n");
    assert_eq!(words(&["--inject", "2=timeout"], 0), "a\nslow\n");
    assert_eq!(words(&["--inject", "2=exit:8"], 1), "a\n");
    let ran = sandbox.run(&["cook", "flow.yaml", "--inject", "5=exit"]).exits(3);
    assert_data_eq!(
        ran.stderr,
        str![[r#"
error: the workflow itself has no step 5
help: its steps: 1, 2

"#]]
    );
    sandbox.run(&["cook", "flow.yaml", "--inject", "1=1*2"]).exits(2);
}

#[test]
fn a_rehearsal_tells_which_handlers_run_and_why() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        r#"
on_failure: echo notify
commands:
  - shell: curl example
    retry: {attempts: 3, retry_on: [7], initial_delay: 1s}
    on_exit_code: {22: echo http}
    on_failure:
      handlers:
        - {id: slow, when: error.kind == 'timeout', shell: echo slow, max_attempts: 2}
        - {id: whole, scope: workflow, shell: echo whole}
        - {id: text, when: "contains(error.stderr, 'x')", shell: echo text}
"#,
    );
    let rehearse = |fault: &str| {
        sandbox
            .run(&["cook", "flow.yaml", "--dry-run", "--simulate-failure", fault])
            .exits(0)
            .stdout
    };
    assert_data_eq!(
        rehearse("1=exit:7,times:1"),
        str![[r#"
if step 1 fails with exit code 7:
  retry       up to 3 attempts in all, after 1s, 2s
              attempt 2 runs; what follows is for its failure
  handlers of the step:
    skipped slow: shell: echo slow (error.kind == 'timeout' is false)
    skipped whole: shell: echo whole (its scope is failures of the workflow)
    perhaps text: shell: echo text (contains(error.stderr, 'x') depends on values of the run)
  handlers of the workflow:
    runs    1: shell: echo notify (no condition); the failure goes on
  then        the workflow fails (exit code 1), unless a handler marked perhaps runs

"#]]
    );
    assert_data_eq!(
        rehearse("1=timeout"),
        str![[r#"
if step 1 runs out of time:
  no retry    retry_on does not cover it
  handlers of the step:
    runs    slow: shell: echo slow (error.kind == 'timeout' is true); the original runs again
  then        the workflow goes on if that run succeeds

"#]]
    );
    assert_data_eq!(
        rehearse("1=exit:22"),
        str![[r#"
if step 1 fails with exit code 22:
  no retry    retry_on does not cover it
  runs        on_exit_code 22: shell: echo http
  then        the workflow goes on

"#]]
    );
    assert!(!sandbox.state().exists(), "a rehearsal wrote something");
}

#[test]
fn done_goes_past_what_failed_whoever_asked() {
    let stage = "stages:\n  - name: one\n    commands: [echo a >> words; exit 1, echo b >> words]\n    on_failure: {strategy: intervene}\n  - name: two\n    commands: [echo c >> words]\n";
    let workflow = "on_failure: {strategy: intervene}\ncommands: [echo a >> words; exit 1, echo b >> words, echo c >> words]\n";
    let handler = "- shell: echo a >> words; exit 1\n  on_failure:\n    shell: echo b >> words; exit 2\n    on_failure: {strategy: intervene}\n- shell: echo c >> words\n";
    let round = "- foreach: [x]\n  do:\n    - shell: echo a >> words; exit 1\n      on_failure: {strategy: intervene}\n    - shell: echo b >> words\n- shell: echo c >> words\n";
    for (yaml, step) in
        [(stage, "one/1"), (workflow, "1"), (handler, "'1.on_failure[1]'"), (round, "'1.do[1]/1'")]
    {
        let sandbox = Sandbox::new();
        sandbox.write("flow.yaml", yaml);
        let ran = sandbox.run(&["cook", "flow.yaml"]).exits(6);
        let hint = format!("--done {step}   (it is done)\n");
        assert!(ran.stdout.ends_with(&hint), "{}", ran.stdout);
        let answer = ["resume", "flow", "--done", step.trim_matches('\'')];
        sandbox.run(&answer).exits(0);
        assert_eq!(sandbox.words("words"), "a b c", "{yaml}");
    }
}

#[test]
fn one_correlation_id_ties_retries_handlers_their_failures_logs_and_a_resume_together() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        r#"
on_failure: echo "${error.correlation_id}" >> ids
commands:
  - shell: echo oh; exit 3
    retry: {attempts: 2, initial_delay: 0}
    on_failure:
      shell: echo "${error.correlation_id}" >> ids; exit 4
      retry: {attempts: 2, initial_delay: 0}
      on_failure:
        - shell: 'echo "${error.correlation_id}" >> ids; test -e here || { touch here; exec sleep 60; }'
        - shell: exit 5
"#,
    );
    cook_until_here(&sandbox);
    let resumed = sandbox.run(&["resume", "flow", "--output", "json"]).exits(1).stdout;
    let ids = sandbox.read("ids");
    let id = ids.lines().next().unwrap();
    assert_eq!(ids, format!("{id}\n").repeat(5));
    let recorded: Vec<_> = events(&sandbox)
        .into_iter()
        .filter(|it| it.kind != "run_started" && it.fields["correlation_id"].is_string())
        .map(|it| (it.kind, it.fields["correlation_id"].as_str().unwrap() == id))
        .collect();
    for kind in ["retry_scheduled", "error_raised", "handler_started"] {
        assert!(recorded.iter().filter(|(it, _)| it == kind).count() >= 2, "{kind}: {recorded:?}");
    }
    assert!(recorded.iter().all(|(_, same)| *same), "{recorded:?}");
    assert!(resumed.contains(&format!(r#""correlation_id":"{id}"}}"#)), "{resumed}");
    let logs = sandbox.run(&["logs", "flow", "--list", "--json"]).exits(0).json();
    let logs = logs.as_array().unwrap();
    assert!(logs.len() >= 7 && logs.iter().all(|log| log["correlation_id"] == id), "{logs:?}");
    let log = sandbox.run(&["logs", "flow", "--step", "1", "--json"]).exits(0).json();
    assert_eq!((&log["text"], &log["correlation_id"]), (&"oh\n".into(), &id.into()));
    let listed = sandbox.run(&["events", "ls", "--type", "error_raised"]).exits(0).stdout;
    assert!(listed.contains(id), "{listed}");
    let shown = sandbox.run(&["checkpoints", "show", "flow", "--verbose"]).exits(0).stdout;
    assert!(shown.contains(id), "{shown}");
}
