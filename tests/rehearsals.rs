//! Rehearsals of failures anywhere: in items, loops, handlers and their handlers; and that a real
//! run in which the same step is made to fail goes the way that was told.

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

use snapbox::{assert_data_eq, str};
use support::Sandbox;

const JOB: &str = r#"
on_failure: echo notify >> words
map:
  input: seq 3
  max_parallel: 1
  retry: {attempts: 2, initial_delay: 0, retry_on: [9]}
  agent_template:
    - shell: "true"
      on_failure:
        handlers:
          - id: mend
            when: error.exit_code == 7
            shell: echo mend >> words
            on_failure:
              handlers:
                - {id: deep, when: error.exit_code == 2, shell: echo deep >> words}
                - {id: deeper, shell: echo deeper >> words; exit 1}
          - {id: late, when: error.kind == 'timeout' and error.exit_code == 124, shell: echo late >> words}
    - foreach: [1]
      do: ["true"]
      on_failure: {id: loop, when: error.kind == 'inner', shell: echo loop >> words}
reduce:
  commands: ["true"]
  on_failure: {id: told, shell: echo told >> words}
"#;

fn sandbox(yaml: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", yaml);
    sandbox
}

fn rehearse(sandbox: &Sandbox, fault: &str) -> String {
    let arguments = ["cook", "flow.yaml", "--dry-run", "--simulate-failure", fault];
    let ran = sandbox.run(&arguments).exits(0);
    assert!(!sandbox.state().exists(), "a rehearsal wrote something");
    ran.stdout
}

#[test]
fn a_failure_of_an_item_is_rehearsed_to_the_end_of_the_job() {
    let sandbox = sandbox(JOB);
    assert_data_eq!(
        rehearse(&sandbox, "map/item_N/1=exit:3"),
        str![[r#"
if step map/item_N/1 fails with exit code 3:
  handlers of the step:
    skipped mend: shell: echo mend >> words (error.exit_code == 7 is false)
    skipped late: shell: echo late >> words (error.kind == 'timeout' and error.exit_code == 124 is false)
  retry       the whole item, up to 2 runs in all, where retry covers it
  so          the item waits in the dead letter queue
              the other items run, and reduce
  handlers of the workflow:
    runs    1: shell: echo notify >> words (no condition); the failure goes on
  then        the workflow fails (exit code 1)

"#]]
    );
    assert_data_eq!(
        rehearse(&sandbox, "map/item_2/2.do[1]/1"),
        str![[r#"
if step map/item_2/2.do[1]/1 fails with exit code 1:
  so          step map/item_2/2 fails, a round of which failed
  handlers of the step around:
    runs    loop: shell: echo loop >> words (error.kind == 'inner' is true)
  then        the workflow goes on

"#]]
    );
}

#[test]
fn a_failure_of_a_handler_is_rehearsed_through_its_own_handlers() {
    let sandbox = sandbox(JOB);
    assert_data_eq!(
        rehearse(&sandbox, "map/item_N/1.on_failure[1]/1=exit:2"),
        str![[r#"
if step map/item_N/1.on_failure[1]/1 fails with exit code 2:
  so          handler mend fails
  handlers of handler mend:
    runs    deep: shell: echo deep >> words (error.exit_code == 2 is true)
  so          handler mend has succeeded
  then        the workflow goes on

"#]]
    );
    assert_data_eq!(
        rehearse(&sandbox, "map/item_N/1.on_failure[1].on_failure[2]/1"),
        str![[r#"
if step map/item_N/1.on_failure[1].on_failure[2]/1 fails with exit code 1:
  so          handler deeper fails
  so          handler mend fails
  the next handlers of the step around:
    perhaps late: shell: echo late >> words (error.kind == 'timeout' and error.exit_code == 124 depends on values of the run)
  retry       the whole item, up to 2 runs in all, where retry covers it
  so          the item waits in the dead letter queue
              the other items run, and reduce
  handlers of the workflow:
    runs    1: shell: echo notify >> words (no condition); the failure goes on
  then        the workflow fails (exit code 1), unless a handler marked perhaps runs

"#]]
    );
    assert_data_eq!(
        rehearse(&sandbox, "reduce.on_failure[1]/1"),
        str![[r#"
if step reduce.on_failure[1]/1 fails with exit code 1:
  so          handler told fails
  handlers of the workflow:
    runs    1: shell: echo notify >> words (no condition); the failure goes on
  then        the workflow fails (exit code 1)

"#]]
    );
}

/// The handlers that a rehearsal says would run are those that run.
#[test]
fn a_real_run_goes_the_way_that_was_told() {
    for (faults, words, exit) in [
        (&["map/item_2/1=exit:3"][..], "notify", 1),
        (&["map/item_2/1=exit:7"], "mend", 0),
        (&["map/item_2/1=timeout"], "late", 0),
        (&["map/item_2/1=exit:7", "map/item_2/1.on_failure[1]/1=exit:2"], "deep", 0),
        (&["map/item_2/1=exit:7", "map/item_2/1.on_failure[1]/1=exit:3"], "deeper notify", 1),
        (&["map/item_2/2.do[1]/1=exit"], "loop", 0),
        (&["reduce/1=exit"], "told notify", 1),
        (&["reduce/1=exit", "reduce.on_failure[1]/1=exit"], "notify", 1),
    ] {
        let sandbox = sandbox(JOB);
        // Of a step whose failure nothing else brings about, all handlers are foreseen.
        if let [fault] = faults {
            let told = rehearse(&sandbox, fault);
            let runs = told.lines().filter_map(|line| line.strip_prefix("    runs    "));
            let named: Vec<_> = runs.map(|line| line.split("echo ").nth(1).unwrap()).collect();
            let named: Vec<_> = named.iter().map(|it| it.split(' ').next().unwrap()).collect();
            assert_eq!(named.join(" "), words, "{told}");
        }
        let injected = faults.iter().flat_map(|fault| ["--inject", fault]);
        let arguments: Vec<&str> = ["cook", "flow.yaml"].into_iter().chain(injected).collect();
        sandbox.run(&arguments).exits(exit);
        assert_eq!(sandbox.words("words"), words, "{faults:?}");
    }
}

#[test]
fn what_cannot_be_rehearsed_or_made_to_fail_is_refused_with_what_can() {
    let sandbox = sandbox(JOB);
    let simulate =
        |fault: &str| sandbox.run(&["cook", "flow.yaml", "--dry-run", "--simulate-failure", fault]);
    assert_data_eq!(
        simulate("map/item_N/1.on_failure[1]").exits(3).stderr,
        str![[r#"
error: the workflow itself has no step map/item_N/1.on_failure[1]
help: the commands of a handler are map/item_N/1.on_failure[1]/1 and so on; its steps: map/item_N/1, map/item_N/2, reduce/1

"#]]
    );
    let inject = |fault: &str| sandbox.run(&["cook", "flow.yaml", "--inject", fault]);
    assert_data_eq!(
        inject("map/item_N/1=exit").exits(2).stderr,
        str![[r#"
error: map/item_N/1 stands for many steps, and --inject is for one
help: --inject map/item_1/1=exit:1

"#]]
    );
    // A handler that there is not would never fail, and nobody would notice.
    for nowhere in
        ["map/item_1/1.on_failure[9]/1=exit", "map/item_x/1=exit", "on_failure[2]/1=exit"]
    {
        inject(nowhere).exits(3);
    }
    sandbox.write("flow.yaml", "[{shell: x, validate: {shell: y}}]");
    assert_data_eq!(
        simulate("1.validate[1]/1").exits(2).stderr,
        str![[r#"
error: step 1.validate[1]/1 cannot be rehearsed: it belongs to a validation
help: make it fail in a real run: --inject 1.validate[1]/1=exit:1

"#]]
    );
}

#[test]
fn handlers_are_told_the_attempt_that_failed_last() {
    let sandbox = sandbox(
        "[{shell: \"true\", retry: {attempts: 3, initial_delay: 0}, \
         on_failure: {when: error.attempt == 3, shell: echo third >> words}}]",
    );
    let told = rehearse(&sandbox, "1");
    assert!(told.contains("runs    1: shell: echo third >> words"), "{told}");
    sandbox.run(&["cook", "flow.yaml", "--inject", "1=exit"]).exits(0);
    assert_eq!(sandbox.words("words"), "third");
}
