//! `kill -9` at random instants of a map, over setup, items, reduce and a retry of the dead letter
//! queue, then resume to the end: each result once and in order, nothing finished runs again. A
//! few runs by default; 200 with `PRODIGY_LONG_TESTS=1`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use support::Sandbox;
use support::killed::{Killed, Random, few_or_many};

const ITEMS: usize = 200;
const PARALLEL: usize = 4;

/// Two steps an item, the second of which fails once for each seventh item, and for each
/// twentieth until it is mended.
const WORKFLOW: &str = r#"
name: kill
setup:
  - echo setup-1 >> words
  - {shell: "seq 1 200 > items; echo setup-2 >> words; echo 9", capture_output: nine}
map:
  input: items
  max_parallel: 4
  retry: {attempts: 5, initial_delay: 2ms, retry_on: [1]}
  agent_template:
    - {shell: "echo a-${item} >> words; echo one-${item}", capture_output: one}
    - shell: |
        echo b-${item} >> words
        if [ $((${item} % 7)) = 0 ] && ! [ -e failed-${item} ]; then touch failed-${item}; exit 1; fi
        if [ $((${item} % 20)) = 0 ] && ! [ -e mended ]; then exit 9; fi
        echo ${item}
  variables:
    sum: {sum: output}
reduce:
  - 'echo reduce-1 >> words; cp "${map.results_file}" results.json'
  - echo reduce-2 >> words; echo ${map.total} ${map.successful} ${sum} ${nine} > result
"#;

/// The items that fail until there is a file `mended`.
fn is_bad(item: usize) -> bool {
    item.is_multiple_of(20)
}

#[test]
fn a_map_that_is_killed_anywhere_ends_as_if_nothing_had_been() {
    let runs = few_or_many(10, 200);
    let mut random = Random::seeded();
    let seed = random.0;
    let mut whole = one_run(&mut random, None);
    let (mut kills, mut kills_of_retries) = (0, 0);
    for _ in 0..runs {
        let run = one_run(&mut random, Some(&whole));
        kills += run.job.kills;
        kills_of_retries += run.retry.kills;
        // The machine is less busy than it was: too many instants lie behind the end.
        if run.job.kills == 0 {
            whole.job.took = run.job.took.min(whole.job.took);
        }
        if run.retry.kills == 0 {
            whole.retry.took = run.retry.took.min(whole.retry.took);
        }
    }
    assert!(kills >= runs, "only {kills} kills in {runs} runs (seed {seed})");
    assert!(kills_of_retries > 0, "no retry was killed in {runs} runs (seed {seed})");
}

/// What a session went through.
struct Session {
    /// Setup, map and reduce.
    job: Killed,
    /// The items of the dead letter queue, and reduce once more.
    retry: Killed,
}

/// One session to its end, then its dead letter queue; both are killed on the way when `whole`,
/// a session that was not, is given.
fn one_run(random: &mut Random, whole: Option<&Session>) -> Session {
    let seed = random.0;
    let sandbox = Sandbox::new();
    sandbox.write("kill.yaml", WORKFLOW);
    let whole_job = whole.map(|it| it.job.took);
    let job = sandbox.killed(random, whole_job, &["cook", "kill.yaml"], &["resume"]);
    assert_eq!(job.code, 1, "seed {seed}");
    assert_eq!(sandbox.read("result"), "200 190 19000 9\n", "seed {seed}");
    check_results(&sandbox, &|item| !is_bad(item), seed);
    sandbox.write("mended", "");
    let whole_retry = whole.map(|it| it.retry.took);
    let mut retry = sandbox.killed(random, whole_retry, &["dlq", "retry", "kill"], &["resume"]);
    if retry.code == 1 && retry.kills > 0 {
        // Not all items had been queued again: the others still wait.
        retry.code = sandbox.run(&["dlq", "retry", "kill"]).code.unwrap_or(-1);
    }
    assert_eq!(retry.code, 0, "seed {seed}");
    assert_eq!(sandbox.status(), "completed", "seed {seed}");
    assert_eq!(sandbox.read("result"), "200 200 20100 9\n", "seed {seed}");
    check_results(&sandbox, &|_| true, seed);
    check_words(&sandbox, job.kills + retry.kills, seed);
    check_journal(&sandbox, seed);
    Session { job, retry }
}

/// Each item once, in the order of the input, with all that its steps brought about.
fn check_results(sandbox: &Sandbox, succeeds: &dyn Fn(usize) -> bool, seed: u64) {
    let results: Value = serde_json::from_str(&sandbox.read("results.json")).unwrap();
    let results = results.as_array().unwrap();
    assert_eq!(results.len(), ITEMS, "seed {seed}");
    for (number, result) in (1..).zip(results) {
        assert_eq!(result["item_id"], format!("item_{number}"), "seed {seed}");
        assert_eq!(result["variables"]["one"], format!("one-{number}"), "seed {seed}: {result}");
        if succeeds(number) {
            assert_eq!(result["status"], "success", "seed {seed}: {result}");
            assert_eq!(result["output"], number.to_string(), "seed {seed}: {result}");
        } else {
            assert_eq!(result["status"], "failed", "seed {seed}: {result}");
            assert!(result["error"].as_str().unwrap().contains('9'), "seed {seed}: {result}");
        }
    }
}

/// Every word as often as it must, and only what was in flight at a kill once more.
fn check_words(sandbox: &Sandbox, kills: usize, seed: u64) {
    let words = sandbox.read("words");
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for word in words.lines() {
        *counts.entry(word).or_default() += 1;
    }
    let mut repeated = 0;
    let mut expect = |word: String, least: usize| {
        let count = counts.remove(word.as_str()).unwrap_or(0);
        assert!(count >= least, "{word} {count} times, seed {seed}");
        count - least
    };
    let phases: usize = [("setup-1", 1), ("setup-2", 1), ("reduce-1", 2), ("reduce-2", 2)]
        .map(|(word, least)| expect(word.to_owned(), least))
        .iter()
        .sum();
    for item in 1..=ITEMS {
        // A failure that a kill left unrecorded is forgotten: the item then runs once only.
        let again = usize::from(is_bad(item)) + usize::from(item % 7 == 0 && kills == 0);
        let runs = 1 + again;
        let extra = expect(format!("a-{item}"), runs) + expect(format!("b-{item}"), runs);
        // One more run of both steps is what a retry makes.
        let allowed = if item % 7 == 0 && kills > 0 { 2 } else { 0 };
        repeated += extra.saturating_sub(allowed);
    }
    assert!(counts.is_empty(), "unknown words, seed {seed}: {counts:?}");
    assert!(
        repeated + phases <= PARALLEL * kills,
        "{repeated} steps of items and {phases} others repeated by {kills} kills, seed {seed}"
    );
    assert!(phases <= kills, "{phases} repeated by {kills} kills, seed {seed}");
}

/// What is recorded as finished has no further finish and no further start, unless it was taken back.
fn check_journal(sandbox: &Sandbox, seed: u64) {
    let events = sandbox.run(&["events", "export"]).exits(0).stdout;
    let mut finished: BTreeSet<String> = BTreeSet::new();
    for line in events.lines() {
        let json: Value = serde_json::from_str(line).unwrap();
        let event = &json["event"];
        let address = |kind: &str| event[kind]["address"].as_str().map(str::to_owned);
        if let Some(step) = address("step_started").or_else(|| address("step_finished")) {
            let item = step.strip_prefix("map/").and_then(|rest| rest.split('/').next());
            let ended = item.is_some_and(|item| finished.contains(&format!("map/{item}")));
            assert!(!finished.contains(&step) && !ended, "{step} again, seed {seed}\n{events}");
        }
        if let Some(step) = address("step_finished") {
            finished.insert(step);
        } else if let Some(item) = event["item_finished"]["item"].as_u64() {
            let new = finished.insert(format!("map/item_{item}"));
            assert!(new, "item {item} finished twice, seed {seed}\n{events}");
        } else if let Some(rewound) = event.get("rewound").filter(|it| it["reach"] != "own") {
            let scope = rewound["scope"].as_str().unwrap();
            finished.retain(|it| it != scope && !it.starts_with(&format!("{scope}/")));
        }
    }
    let items = finished.iter().filter(|it| it.matches('/').count() == 1 && it.starts_with("map/"));
    assert_eq!(items.count(), ITEMS, "seed {seed}");
}
