//! `kill -9` at random instants of a map, over setup, items and reduce, then resume to the end:
//! each result once and in order, nothing finished runs again. A dozen runs by default; 200 with
//! `PRODIGY_LONG_TESTS=1`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::Sandbox;

const ITEMS: usize = 200;
const PARALLEL: usize = 4;

/// Two steps an item, the second of which fails once for each seventh item.
const WORKFLOW: &str = r#"
name: kill
setup:
  - echo setup-1 >> words
  - {shell: "seq 1 200 > items; echo setup-2 >> words; echo 9", capture_output: nine}
map:
  input: items
  max_parallel: 4
  retry: {attempts: 5, initial_delay: 2ms}
  agent_template:
    - {shell: "echo a-${item} >> words; echo one-${item}", capture_output: one}
    - shell: |
        echo b-${item} >> words
        if [ $((${item} % 7)) = 0 ] && ! [ -e failed-${item} ]; then touch failed-${item}; exit 1; fi
        echo ${item}
  variables:
    sum: {sum: output}
reduce:
  - 'echo reduce-1 >> words; cp "${map.results_file}" results.json'
  - echo reduce-2 >> words; echo ${map.total} ${map.successful} ${sum} ${nine} > result
"#;

/// A random number generator that a printed seed repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Runs the command and kills it after `delay`, if it still runs; none when it was killed.
fn code_unless_killed(mut command: Command, delay: Duration) -> Option<i32> {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while start.elapsed() < delay {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status.code().unwrap_or(-1));
        }
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    let status = child.wait().unwrap();
    if status.signal() == Some(9) { None } else { Some(status.code().unwrap_or(-1)) }
}

#[test]
fn a_map_that_is_killed_anywhere_ends_as_if_nothing_had_been() {
    let long = std::env::var_os("PRODIGY_LONG_TESTS").is_some();
    let runs = if long { 200 } else { 12 };
    let whole = one_run(&mut Random(1), None).took;
    let seed = u64::from(std::process::id()) << 20 | 0x9e37;
    let mut random = Random(seed);
    let mut kills = 0;
    for _ in 0..runs {
        kills += one_run(&mut random, Some(whole)).kills;
    }
    assert!(kills >= runs, "only {kills} kills in {runs} runs (seed {seed})");
}

struct Session {
    took: Duration,
    kills: usize,
}

/// One session to its end, killed up to three times on the way when `whole`, the time of a run,
/// is given.
fn one_run(random: &mut Random, whole: Option<Duration>) -> Session {
    let seed = random.0;
    let sandbox = Sandbox::new();
    sandbox.write("kill.yaml", WORKFLOW);
    let start = Instant::now();
    let mut kills = 0;
    let mut arguments = vec!["cook", "kill.yaml"];
    let code = loop {
        let delay = match whole {
            Some(whole) if kills < 3 => {
                Duration::from_micros(random.below(u64::try_from(whole.as_micros()).unwrap()))
            }
            _ => Duration::from_secs(120),
        };
        if let Some(code) = code_unless_killed(sandbox.command(&arguments), delay) {
            break code;
        }
        kills += 1;
        let listed = sandbox.run(&["sessions", "list", "--json"]).exits(0).json();
        // Killed before its first record it has not begun, and begins again.
        let begun = listed.as_array().is_some_and(|it| !it.is_empty());
        arguments = if begun { vec!["resume"] } else { vec!["cook", "kill.yaml"] };
    };
    assert_eq!(code, 0, "seed {seed}");
    let took = start.elapsed();
    assert_eq!(sandbox.read("result"), "200 200 20100 9\n", "seed {seed}");
    check_results(&sandbox, seed);
    check_words(&sandbox, kills, seed);
    check_journal(&sandbox, seed);
    Session { took, kills }
}

/// Each item once, in the order of the input, with all that its steps brought about.
fn check_results(sandbox: &Sandbox, seed: u64) {
    let results: Value = serde_json::from_str(&sandbox.read("results.json")).unwrap();
    let results = results.as_array().unwrap();
    assert_eq!(results.len(), ITEMS, "seed {seed}");
    for (number, result) in (1..).zip(results) {
        assert_eq!(result["item_id"], format!("item_{number}"), "seed {seed}");
        assert_eq!(result["status"], "success", "seed {seed}: {result}");
        assert_eq!(result["output"], number.to_string(), "seed {seed}: {result}");
        assert_eq!(result["variables"]["one"], format!("one-{number}"), "seed {seed}: {result}");
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
    let phases: usize = ["setup-1", "setup-2", "reduce-1", "reduce-2"]
        .map(|word| expect(word.to_owned(), 1))
        .iter()
        .sum();
    for item in 1..=ITEMS {
        // A failure that a kill left unrecorded is forgotten: the item then runs once only.
        let runs = if item % 7 == 0 && kills == 0 { 2 } else { 1 };
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
        } else if let Some(rewound) = event.get("rewound") {
            let scope = rewound["scope"].as_str().unwrap();
            finished.retain(|it| it != scope && !it.starts_with(&format!("{scope}/")));
        }
    }
    let items = finished.iter().filter(|it| it.matches('/').count() == 1 && it.starts_with("map/"));
    assert_eq!(items.count(), ITEMS, "seed {seed}");
}
