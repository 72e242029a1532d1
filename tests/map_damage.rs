//! Files of a job that are not what was written: told, and nothing of it is taken for true.

#![allow(
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]

mod support;

use std::path::PathBuf;

use support::Sandbox;

/// Results that are too long to stand in the journal.
const FLOW: &str = "
name: harm
map:
  input: seq 1 6
  max_parallel: 1
  agent_template:
    - 'echo ${item} >> words; printf \"v${item}%0600d\\n\" 0; [ ${item} != 4 ] || [ -e go ]'
reduce: ['cp \"${map.results_file}\" results.json; echo reduce >> words']
";

/// A job with one failed item, and the directory of its files.
fn job() -> (Sandbox, PathBuf) {
    job_of(FLOW)
}

fn job_of(flow: &str) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", flow);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    sandbox.write("go", "");
    let jobs = std::fs::read_dir(sandbox.state().join("state/work/mapreduce/jobs")).unwrap();
    let files = jobs.flatten().next().unwrap().path();
    (sandbox, files)
}

fn change(path: &PathBuf, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn items_that_were_changed_cut_or_removed_are_not_run() {
    let harms: [(&str, &dyn Fn(&PathBuf)); 5] = [
        ("another value", &|path| change(path, "\"4\"", "\"9\"")),
        ("another number", &|path| change(path, "item_2", "item_9")),
        ("a line less", &|path| change(path, "{\"item_id\":\"item_6\",\"item\":\"6\"}\n", "")),
        ("a line more", &|path| change(path, "\n", "\n{\"item_id\":\"item_7\",\"item\":\"x\"}\n")),
        ("gone", &|path| std::fs::remove_file(path).unwrap()),
    ];
    for (harm, inflict) in harms {
        let (sandbox, files) = job();
        let before = sandbox.words("words");
        inflict(&files.join("items.jsonl"));
        let checked = sandbox.run(&["checkpoints", "validate", "harm", "--json"]).exits(5);
        assert_eq!(checked.json()["valid"], false, "{harm}");
        let ran = sandbox.run(&["dlq", "retry", "harm"]).exits(5);
        assert!(ran.stderr.contains("items.jsonl: damaged: "), "{harm}: {ran:#?}");
        assert!(ran.stderr.contains("--force"), "{harm}: {ran:#?}");
        assert_eq!(sandbox.words("words"), before, "{harm}: nothing ran");
        // The way out that is told works.
        sandbox.run(&["resume", "harm", "--force"]).exits(0);
        assert_eq!(sandbox.words("words").matches('4').count(), 2, "{harm}");
    }
}

#[test]
fn a_result_that_was_changed_does_not_reach_reduce() {
    let (sandbox, files) = job();
    sandbox.run(&["checkpoints", "validate", "harm"]).exits(0);
    change(&files.join("results.jsonl"), "\"v20", "\"vX0");
    let before = sandbox.words("words");
    let checked = sandbox.run(&["checkpoints", "validate", "harm"]).exits(5);
    assert!(checked.stdout.contains(": damaged: "), "{checked:#?}");
    let ran = sandbox.run(&["dlq", "retry", "harm"]).exits(5);
    assert!(ran.stderr.contains("results.jsonl: damaged: "), "{ran:#?}");
    assert_eq!(sandbox.words("words"), format!("{before} 4"), "reduce did not run");
    assert!(ran.stderr.contains("--from-checkpoint map"), "{ran:#?}");
    sandbox.run(&["resume-job", "harm", "--from-checkpoint", "map"]).exits(0);
    let results = sandbox.read("results.json");
    assert!(results.contains("\"v20") && !results.contains("vX"), "{results}");
}

#[test]
fn a_short_result_stands_in_the_journal_and_is_checked_there() {
    let (sandbox, files) = job_of(&FLOW.replace("%0600d", "%d"));
    assert_eq!(std::fs::read_to_string(files.join("results.jsonl")).unwrap(), "");
    let logged = sandbox.run(&["logs", "harm", "--step", "map/item_2/1"]).exits(0);
    assert!(logged.stdout.contains("v2"), "{logged:#?}");
    sandbox.run(&["dlq", "retry", "harm"]).exits(0);
    let results: serde_json::Value = serde_json::from_str(&sandbox.read("results.json")).unwrap();
    let keys: Vec<&String> = results[1].as_object().unwrap().keys().collect();
    let all = ["item_id", "status", "output", "variables", "duration", "attempts"];
    assert_eq!(keys, all, "{results}");
    assert_eq!((&results[1]["output"], &results[1]["attempts"]), (&"v20".into(), &1.into()));
    let sessions = std::fs::read_dir(sandbox.state().join("sessions")).unwrap();
    let journal = sessions.flatten().next().unwrap().path().join("journal.jsonl");
    change(&journal, "\"v20", "\"vX0");
    let checked = sandbox.run(&["checkpoints", "validate", "harm"]).exits(5);
    assert!(checked.stderr.contains("journal.jsonl:7: damaged: "), "{checked:#?}");
}

#[test]
fn results_that_are_lost_are_made_again() {
    let (sandbox, files) = job();
    std::fs::remove_file(files.join("results.jsonl")).unwrap();
    let ran = sandbox.run(&["dlq", "retry", "harm"]).exits(0);
    assert!(ran.stdout.contains("the results of 5 items are lost: they run again"), "{ran:#?}");
    assert_eq!(sandbox.words("words"), "1 2 3 4 5 6 reduce 1 2 3 4 5 6 reduce");
}
