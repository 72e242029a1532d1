//! What failures of items mean: for the item, for the rest of the map, and for the exit code.

#![allow(
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]

mod support;

use rustix::process::Signal;
use serde_json::Value;
use support::live::{Live, wait_until};
use support::{Ran, Sandbox};

/// Items 1 to 10 one after the other; those in the file `bad` fail.
fn flow(policy: &str) -> String {
    format!(
        "map:\n  input: seq 1 10\n  max_parallel: 1\n  agent_template:\n    \
         - echo ${{item}} >> ran; ! grep -qx ${{item}} bad\n\
         reduce: ['echo ${{map.successful}} ${{map.failed}} ${{map.skipped}} > reduced']\n{policy}"
    )
}

fn cooked(bad: &str, policy: &str) -> (Sandbox, Ran) {
    let sandbox = Sandbox::new();
    sandbox.write("bad", bad);
    sandbox.write("flow.yaml", &flow(policy));
    let ran = sandbox.run(&["cook", "flow.yaml"]);
    (sandbox, ran)
}

fn reduced(sandbox: &Sandbox) -> String {
    sandbox.words("reduced")
}

/// The items that wait in the dead letter queue.
fn dead(sandbox: &Sandbox) -> Vec<String> {
    let exported = sandbox.run(&["dlq", "export", "flow"]);
    let id = |line: &str| {
        let item: Value = serde_json::from_str(line).unwrap();
        item["item_id"].as_str().unwrap().to_owned()
    };
    exported.stdout.lines().map(id).collect()
}

#[test]
fn by_default_all_items_run_and_one_failure_fails_the_job_after_reduce() {
    for policy in ["", "on_item_failure: dlq\n", "error_policy: {continue_on_failure: true}\n"] {
        let (sandbox, ran) = cooked("3\n7\n", policy);
        ran.exits(1);
        assert_eq!(reduced(&sandbox), "8 2 0");
        assert_eq!(dead(&sandbox), ["item_3", "item_7"]);
        assert_eq!(sandbox.status(), "failed");
        // Mended, they run again by themselves, and reduce sees the new results.
        sandbox.write("bad", "");
        sandbox.run(&["dlq", "retry", "flow"]).exits(0);
        assert_eq!(reduced(&sandbox), "10 0 0");
        assert_eq!(sandbox.words("ran"), "1 2 3 4 5 6 7 8 9 10 3 7");
        assert_eq!(sandbox.status(), "completed");
    }
}

#[test]
fn a_retry_from_the_dead_letter_queue_counts_among_the_attempts_of_an_item() {
    let sandbox = Sandbox::new();
    sandbox.write("bad", "3\n7\n");
    let flow = flow("").replace("> reduced", "> reduced; cp ${map.results_file} results.json");
    sandbox.write("flow.yaml", &flow);
    let attempts = |ran: Ran| {
        assert!(ran.stdout.contains("/results.json\n"), "the file that reduce read is named");
        let results: Value = serde_json::from_str(&sandbox.read("results.json")).unwrap();
        [1, 2, 6].map(|item| results[item]["attempts"].as_u64().unwrap())
    };
    assert_eq!(attempts(sandbox.run(&["cook", "flow.yaml"]).exits(1)), [1, 1, 1]);
    let shown = sandbox.run(&["dlq", "show", "flow", "3"]).exits(0).stdout;
    assert!(!shown.contains('|'), "the step printed nothing: {shown}");
    sandbox.write("bad", "7\n");
    assert_eq!(attempts(sandbox.run(&["dlq", "retry", "flow"]).exits(1)), [1, 2, 2]);
}

#[test]
fn allowed_failures_are_no_failure_of_the_job() {
    for policy in ["max_failures: 2\n", "failure_threshold: 0.2\n"] {
        let (sandbox, ran) = cooked("3\n7\n", policy);
        ran.exits(0);
        assert_eq!(reduced(&sandbox), "8 2 0", "{policy}");
        assert_eq!(dead(&sandbox), ["item_3", "item_7"]);
        assert_eq!(sandbox.status(), "completed_with_failures");
    }
}

#[test]
fn more_failures_than_allowed_stop_the_map_before_reduce() {
    for policy in ["max_failures: 1\n", "failure_threshold: 0.1\n"] {
        let (sandbox, ran) = cooked("2\n4\n6\n", policy);
        let ran = ran.exits(1);
        assert_eq!(sandbox.words("ran"), "1 2 3 4", "{policy}");
        assert!(!sandbox.directory().join("reduced").exists());
        assert_eq!(sandbox.status(), "failed");
        assert!(ran.stdout.contains("stopped"), "{ran:#?}");
        for command in ["  resume   prodigy resume flow-", "  retry    prodigy dlq retry flow-"] {
            assert!(ran.stdout.contains(command), "{ran:#?}");
        }
        // A person may go on: what is left runs.
        sandbox.write("bad", "");
        sandbox.run(&["resume"]);
        assert!(sandbox.words("ran").starts_with("1 2 3 4 5"), "{}", sandbox.words("ran"));
    }
}

#[test]
fn a_queue_that_is_cleared_until_the_rest_is_allowed_ends_the_job() {
    let (sandbox, ran) = cooked("3\n10\n", "max_failures: 1\n");
    ran.exits(1);
    assert_eq!(dead(&sandbox), ["item_3", "item_10"]);
    assert_eq!(reduced(&sandbox), "8 2 0");
    sandbox.run(&["resume"]).exits(1);
    let ran = sandbox.run(&["dlq", "clear", "flow", "--item", "3", "--force"]).exits(0);
    assert!(ran.stderr.contains("still waiting: 1 item"), "{ran:#?}");
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.status(), "completed_with_failures");
}

#[test]
fn the_first_failure_stops_where_that_is_asked_for() {
    for policy in ["on_item_failure: stop\n", "continue_on_failure: false\n"] {
        let (sandbox, ran) = cooked("4\n", policy);
        let ran = ran.exits(1);
        let why = "the map stopped: item_4 failed (exit code 1), and the policy is to stop";
        assert!(ran.stdout.contains(why), "{ran:#?}");
        assert_eq!(sandbox.words("ran"), "1 2 3 4", "{policy}");
        assert!(!sandbox.directory().join("reduced").exists());
    }
    let (sandbox, ran) = cooked("4\n", "on_item_failure: stop\n");
    ran.exits(1);
    sandbox.write("bad", "");
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.words("ran"), "1 2 3 4 4 5 6 7 8 9 10");
    assert_eq!(reduced(&sandbox), "10 0 0");
}

#[test]
fn skipped_items_are_passed_over() {
    let (sandbox, ran) = cooked("3\n7\n", "on_item_failure: skip\n");
    ran.exits(0);
    assert_eq!(reduced(&sandbox), "8 0 2");
    assert_eq!(dead(&sandbox), [""; 0]);
    assert_eq!(sandbox.status(), "completed_with_failures");
}

#[test]
fn an_item_that_fails_runs_again_as_a_whole() {
    for retry in [
        "  retry: {attempts: 3, initial_delay: 0}\n",
        "error_policy: {on_item_failure: retry, retry_config: {attempts: 3, initial_delay: 5ms}}\n",
        "retry_config: {attempts: 3, initial_delay: 5ms}\n",
    ] {
        let sandbox = Sandbox::new();
        sandbox.write(
            "flow.yaml",
            &format!(
                "map:\n  input: seq 1 3\n  max_parallel: 1\n  agent_template:\n    \
                 - echo first-${{item}} >> ran\n    \
                 - echo second-${{item}} >> ran; [ ${{item}} = 1 ] || [ $(grep -c second-${{item}} ran) -ge ${{item}} ]\n\
                 {retry}\
                 {}",
                if retry.starts_with(' ') { "" } else { "reduce: ['cp ${map.results_file} out']\n" }
            ),
        );
        sandbox.run(&["cook", "flow.yaml"]).exits(0);
        let ran = sandbox.words("ran");
        for (word, times) in [("first-1", 1), ("second-1", 1), ("first-2", 2), ("second-3", 3)] {
            assert_eq!(ran.matches(word).count(), times, "{retry}: {ran}");
        }
        if !retry.starts_with(' ') {
            let out: Value = serde_json::from_str(&sandbox.read("out")).unwrap();
            assert_eq!(out[2]["attempts"], 3, "{out}");
            assert_eq!(out[2]["status"], "success");
        }
    }
}

#[test]
fn an_item_that_keeps_failing_waits_with_all_its_runs() {
    let (sandbox, ran) = cooked("5\n", "retry_config: {attempts: 3, initial_delay: 0}\n");
    let ran = ran.exits(1);
    assert!(ran.stdout.contains("runs again"), "{ran:#?}");
    assert_eq!(sandbox.words("ran").matches('5').count(), 3);
    let exported = sandbox.run(&["dlq", "export", "flow"]).exits(0).stdout;
    let item: Value = serde_json::from_str(exported.lines().next().unwrap()).unwrap();
    assert_eq!(item["history"].as_array().unwrap().len(), 3, "{item}");
}

#[test]
fn only_the_failures_that_retry_names_are_tried_again() {
    for (codes, runs) in [("[75]", 1), ("[1]", 2), ("[network]", 1)] {
        let policy =
            format!("retry_config: {{attempts: 2, initial_delay: 0, retry_on: {codes}}}\n");
        let (sandbox, ran) = cooked("5\n", &policy);
        ran.exits(1);
        assert_eq!(sandbox.words("ran").matches('5').count(), runs, "{codes}");
    }
}

#[test]
fn no_retry_begins_when_its_budget_is_spent() {
    let policy =
        "retry_config: {attempts: 50, initial_delay: 20ms, backoff: fixed, retry_budget: 100ms}\n";
    let (sandbox, ran) = cooked("5\n", policy);
    ran.exits(1);
    let runs = sandbox.words("ran").matches('5').count();
    assert!((2..=7).contains(&runs), "{runs}");
}

#[test]
fn the_wait_before_a_retry_is_resumed_not_begun_again() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        "map:\n  input: seq 1 2\n  retry: {attempts: 2, initial_delay: 2s}\n  agent_template:\n    \
         - echo ${item} >> ran; [ ${item} = 1 ] || [ -e go ]\n",
    );
    let live = Live::start(sandbox.command(&["cook", "flow.yaml"]));
    wait_until("the delay", || {
        sandbox.run(&["events", "export"]).stdout.contains("retry_scheduled")
    });
    let begun = std::time::Instant::now();
    live.kill();
    sandbox.write("go", "");
    sandbox.run(&["resume"]).exits(0);
    assert!(begun.elapsed() >= std::time::Duration::from_millis(1000), "{:?}", begun.elapsed());
    assert_eq!(sandbox.words("ran").matches('2').count(), 2);
    assert_eq!(sandbox.words("ran").matches('1').count(), 1);
}

#[test]
fn an_open_circuit_starts_nothing_until_its_time_is_over() {
    let policy = "circuit_breaker: {failure_threshold: 3, timeout: 700ms, success_threshold: 1, \
                  half_open_requests: 1}\n";
    let sandbox = Sandbox::new();
    sandbox.write("bad", "2\n3\n4\n");
    sandbox.write("flow.yaml", &flow(policy));
    let begun = std::time::Instant::now();
    let ran = sandbox.run(&["cook", "flow.yaml"]).exits(1);
    assert!(ran.stdout.contains("none starts for 700ms"), "a pause is told: {ran:#?}");
    assert!(begun.elapsed() >= std::time::Duration::from_millis(700), "{:?}", begun.elapsed());
    let events = sandbox.events();
    let at = |item: u32, kind: &str| {
        let line = events
            .lines()
            .find(|line| line.contains(&format!("\"map/item_{item}/1\"")) && line.contains(kind));
        let event: Value = serde_json::from_str(line.unwrap()).unwrap();
        event["timestamp"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap()
    };
    let pause = at(5, "step_started") - at(4, "step_started");
    assert!(pause >= chrono::TimeDelta::milliseconds(700), "{pause}");
    assert_eq!(reduced(&sandbox), "7 3 0");
    // An interrupt is heard while it is open.
    let sandbox = Sandbox::new();
    sandbox.write("bad", "2\n3\n4\n");
    sandbox.write("flow.yaml", &flow(&policy.replace("700ms", "1h")));
    let live = Live::start(sandbox.command(&["cook", "flow.yaml"]));
    wait_until("the third failure", || sandbox.words("ran") == "1 2 3 4");
    live.signal(Signal::INT);
    live.end().exits(130);
}

#[test]
fn errors_are_told_when_the_policy_says() {
    let order = |policy: &str| {
        let (_, ran) = cooked("2\n4\n", policy);
        let place = |text: &str| ran.stdout.find(text).unwrap();
        (
            place("map/item_2/1: exit code 1"),
            place("map/item_4/1: exit code 1"),
            place("done      map/item_10"),
        )
    };
    for at_once in ["", "error_collection: immediate\n", "error_collection: batched:1\n"] {
        let (second, fourth, last) = order(at_once);
        assert!(second < fourth && fourth < last, "{at_once}");
    }
    let (second, fourth, last) = order("error_collection: aggregate\n");
    assert!(last < second && second < fourth);
    let (sandbox, ran) = cooked("2\n4\n6\n", "error_collection: {batched: 2}\n");
    let ran = ran.exits(1);
    let place = |text: &str| ran.stdout.find(text).unwrap();
    assert!(place("done      map/item_3") < place("map/item_2/1: exit"), "{ran:#?}");
    assert!(place("map/item_4/1: exit") < place("done      map/item_5"), "{ran:#?}");
    assert!(place("done      map/item_10") < place("map/item_6/1: exit"), "{ran:#?}");
    assert_eq!(reduced(&sandbox), "7 3 0");
}

#[test]
fn a_failed_step_of_an_item_has_its_handlers_first() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        "map:\n  input: seq 1 4\n  max_parallel: 2\n  agent_template:\n    \
         - shell: '[ ${item} != 2 ]'\n      on_failure: 'echo ${item} ${error.exit_code} >> mended'\n    \
         - {shell: 'echo ${item} >> ran; [ ${item} != 3 ]', continue_on_error: true}\n\
         reduce: ['cp \"${map.results_file}\" out', 'echo ${map.successful} > reduced']\n",
    );
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    assert_eq!(sandbox.read("mended"), "2 1\n");
    assert_eq!(reduced(&sandbox), "4");
    let mut ran: Vec<String> = sandbox.read("ran").lines().map(str::to_owned).collect();
    ran.sort();
    assert_eq!(ran, ["1", "2", "3", "4"]);
}
