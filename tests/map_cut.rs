//! The journal of a map and of a retry of its dead letter queue, cut after every record as a crash
//! would leave it: going on does what is missing, all of it, and nothing that is recorded as finished.

#![allow(
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]

mod support;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value as Json;
use support::killed::few_or_many;
use support::{Ran, Sandbox};

/// Item 3 fails once, item 5 until it is mended. Each step says its address.
const FLOW: &str = r#"
name: cut
setup:
  - echo $PRODIGY_STEP >> words; seq 1 6 > items
  - {shell: "echo $PRODIGY_STEP >> words; echo 9", capture_output: nine}
map:
  input: items
  max_parallel: 2
  retry: {attempts: 2, initial_delay: 1ms, retry_on: [1]}
  checkpoint_frequency: 2
  agent_template:
    - {shell: "echo $PRODIGY_STEP >> words; echo one-${item}", capture_output: one}
    - shell: |
        echo $PRODIGY_STEP >> words
        [ ${item} != 3 ] || [ $PRODIGY_ATTEMPT -gt 1 ] || exit 1
        [ ${item} != 5 ] || [ -e mended ] || exit 9
        echo ${one}.${item}
reduce:
  - echo $PRODIGY_STEP >> words; cp "${map.results_file}" results.json
  - echo $PRODIGY_STEP >> words; echo ${map.total} ${map.successful} ${nine} > result
"#;

struct Recorded {
    sandbox: Sandbox,
    session: PathBuf,
    lines: Vec<String>,
    /// Records of the first run; the others are of the retry.
    first: usize,
    card: Json,
}

fn record() -> Recorded {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", FLOW);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    let mut sessions = std::fs::read_dir(sandbox.state().join("sessions")).unwrap();
    let session = sessions.next().unwrap().unwrap().path();
    let journal = || std::fs::read_to_string(session.join("journal.jsonl")).unwrap();
    let first = journal().lines().count();
    sandbox.write("mended", "");
    sandbox.run(&["dlq", "retry", "cut"]).exits(0);
    let lines = journal().split_inclusive('\n').map(str::to_owned).collect();
    let card = std::fs::read_to_string(session.join("session.json")).unwrap();
    Recorded { sandbox, lines, first, card: serde_json::from_str(&card).unwrap(), session }
}

/// The scopes and steps that need not run again after the events of these lines.
fn finished(lines: &[String]) -> BTreeSet<String> {
    let mut finished = BTreeSet::new();
    for line in lines {
        let event = serde_json::from_str::<Json>(line).unwrap()["event"].take();
        if let Some(step) = event.get("step_finished") {
            finished.insert(step["address"].as_str().unwrap().to_owned());
        }
        if let Some(item) = event.get("item_finished") {
            for step in 1..=2 {
                finished.insert(format!("map/item_{}/{step}", item["item"]));
            }
        }
        if let Some(rewound) = event.get("rewound").filter(|it| it["reach"] != "own") {
            let scope = rewound["scope"].as_str().unwrap();
            let within = |it: &str| {
                it.strip_prefix(scope).is_some_and(|it| it.is_empty() || it.starts_with(['/', '.']))
            };
            finished.retain(|address| !within(address));
        }
    }
    finished
}

/// What ran since the last look.
fn said(sandbox: &Sandbox) -> Vec<String> {
    let text = std::fs::read_to_string(sandbox.directory().join("words")).unwrap_or_default();
    let _ = std::fs::remove_file(sandbox.directory().join("words"));
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_job_that_is_cut_after_any_record_comes_to_the_same_end() {
    let recorded = record();
    let Recorded { sandbox, session, lines, first, card } = &recorded;
    let all: BTreeSet<String> = said(sandbox).into_iter().collect();
    assert_eq!(all.len(), 2 + 12 + 2, "{all:?}");
    assert!(lines.len() > 55, "{} records", lines.len());
    for cut in (1..=lines.len()).step_by(few_or_many(3, 1)) {
        let prefix = &lines[..cut];
        let mended = cut > *first;
        std::fs::write(session.join("journal.jsonl"), prefix.concat()).unwrap();
        let mut card = card.clone();
        card["status"] = "running".into();
        card["last_synced_seq"] = (cut / 2).into();
        std::fs::write(session.join("session.json"), card.to_string()).unwrap();
        let _ = std::fs::remove_dir_all(sandbox.state().join("state/work/checkpoints"));
        for file in ["mended", "result", "results.json"] {
            let _ = std::fs::remove_file(sandbox.directory().join(file));
        }
        if mended {
            sandbox.write("mended", "");
        }
        let done = finished(prefix);
        let told = |ran: &Ran| format!("cut after record {cut}: {}{ran:#?}", prefix[cut - 1]);
        let ran = sandbox.run(&["resume"]);
        let words = said(sandbox);
        // Item 3 runs once more as a whole.
        for address in words.iter().filter(|it| !it.starts_with("map/item_3/")) {
            assert!(!done.contains(address), "{address} was finished; {}", told(&ran));
        }
        let mut seen: BTreeSet<String> = words.into_iter().chain(done).collect();
        if ran.code == Some(1) {
            sandbox.write("mended", "");
            let again = sandbox.run(&["dlq", "retry", "cut"]);
            assert_eq!(again.code, Some(0), "{}{again:#?}", told(&ran));
            let words = said(sandbox);
            let allowed = |it: &str| it.starts_with("map/item_5/") || it.starts_with("reduce/");
            assert!(words.iter().all(|it| allowed(it)), "{words:?} {}", told(&ran));
            seen.extend(words);
        } else {
            assert!(mended && ran.code == Some(0), "{}", told(&ran));
        }
        assert_eq!(seen, all, "{}", told(&ran));
        assert_eq!(sandbox.status(), "completed", "{}", told(&ran));
        check_results(sandbox, &told(&ran));
    }
    // Where the items were frozen, but the job was not recorded yet, nothing is left over.
    let jobs = std::fs::read_dir(sandbox.state().join("state/work/mapreduce/jobs")).unwrap();
    let mappings = std::fs::read_dir(sandbox.state().join("state/mappings")).unwrap();
    assert_eq!((jobs.count(), mappings.count()), (1, 2));
}

/// So a run after a crash gives the job the id that its files already have.
#[test]
fn the_id_of_a_job_says_when_its_session_began() {
    let sandbox = Sandbox::new();
    let yaml = "setup: [sleep 1.1]\nmap: {input: seq 1 2, agent_template: ['true']}\n";
    sandbox.write("flow.yaml", yaml);
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    let listed = sandbox.run(&["sessions", "list", "--json"]).exits(0).json();
    let job = listed[0]["mapreduce_state"]["job_id"].as_str().unwrap();
    let first = sandbox.run(&["events", "ls", "--json"]).exits(0).json()[0]["timestamp"].take();
    let began: String = first.as_str().unwrap().chars().filter(char::is_ascii_digit).collect();
    let (day, time) = began.split_at(8);
    assert!(job.starts_with(&format!("mapreduce-{day}_{}_", &time[..6])), "{job}: {first}");
}

/// Each result once and in order, where reduce ran now.
fn check_results(sandbox: &Sandbox, told: &str) {
    let Ok(text) = std::fs::read_to_string(sandbox.directory().join("results.json")) else {
        return;
    };
    let results: Json = serde_json::from_str(&text).unwrap();
    let outputs: Vec<&str> =
        results.as_array().unwrap().iter().map(|it| it["output"].as_str().unwrap()).collect();
    assert_eq!(
        outputs,
        ["one-1.1", "one-2.2", "one-3.3", "one-4.4", "one-5.5", "one-6.6"],
        "{told}"
    );
    assert_eq!(sandbox.read("result"), "6 6 9\n", "{told}");
}
