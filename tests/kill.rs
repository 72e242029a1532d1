//! `kill -9` at random instants of real runs, then resume to the end: no finished step runs
//! again, none is lost, order and variables are right. A few runs by default; 240 with
//! `PRODIGY_LONG_TESTS=1`.

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

use std::collections::BTreeMap;
use std::time::Duration;

use support::Sandbox;
use support::killed::{Killed, Random, few_or_many, finished_once};

/// Every kind of progress that a crash can cut: steps, retries with a delay, handlers, loops in
/// order and side by side, captures, a stage that runs again.
const WORKFLOW: &str = r#"
stages:
  - name: build
    commands:
      - {id: one, shell: "./log one && echo 1"}
      - {id: two, shell: "./log two && ./fails two 2 && echo 2", retry: {attempts: 4, initial_delay: 5ms}}
      - id: three
        shell: ./log three && ./fails three 1 && echo 3
        on_failure: {commands: [{shell: ./log mend}, {shell: ./log mended}], max_attempts: 2}
      - {shell: "./log four && echo ${one.output}${two.output}${three.output}", capture_output: sum}
  - name: loops
    commands:
      - foreach: [a, b, c, d]
        do:
          - {shell: "./log in-${item}"}
          - {shell: "./log out-${item} && echo ${item}"}
        id: sequence
      - foreach: [e, f, g, h, i, j]
        parallel: 3
        do:
          - {shell: "./log side-${item} && echo ${item}"}
        id: side
  - name: again
    retry: {attempts: 3, initial_delay: 0}
    commands:
      - {shell: ./log first}
      - {shell: ./log second && ./fails second 1}
  - name: end
    commands:
      - {shell: "./log last && echo ${sum} ${sequence.output | lines} ${side.output | lines} > result"}
"#;

/// Appends a word with the step's address.
const LOG: &str = "#!/bin/sh\necho \"$1 $PRODIGY_STEP\" >> words\n";
/// `fails WORD TIMES` fails that often; what counts is what has been recorded, not what was cut.
const FAILS: &str = "#!/bin/sh\nn=$(cat fails-$1 2>/dev/null || echo 0)\n[ \"$n\" -ge \"$2\" ] && exit 0\necho $((n + 1)) > fails-$1\nexit 1\n";

#[test]
fn a_run_that_is_killed_anywhere_ends_as_if_nothing_had_been() {
    let runs = few_or_many(25, 240);
    let mut random = Random::seeded();
    let seed = random.0;
    let mut whole = one_run(&mut random, None).took;
    let mut kills = 0;
    for run in 0..runs {
        let killed = one_run(&mut random, Some(whole));
        kills += killed.kills;
        if killed.kills == 0 {
            // The machine is less busy than it was.
            whole = whole.min(killed.took);
        }
        assert!(kills > 0 || run < 10, "nothing was ever killed (seed {seed})");
    }
    assert!(kills >= runs / 2, "only {kills} kills in {runs} runs (seed {seed})");
}

/// One session to its end, killed once or more on the way when `whole`, the time of a run, is
/// given.
fn one_run(random: &mut Random, whole: Option<Duration>) -> Killed {
    use std::os::unix::fs::PermissionsExt as _;
    let seed = random.0;
    let sandbox = Sandbox::new();
    for (name, text) in [("log", LOG), ("fails", FAILS)] {
        let path = sandbox.write(name, text);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    sandbox.write("kill.yaml", WORKFLOW);
    let killed = sandbox.killed(random, whole, &["cook", "kill.yaml"], &["resume"]);
    assert_eq!(killed.code, 0, "seed {seed}");
    assert_eq!(sandbox.read("result"), "123 a b c d e f g h i j\n", "seed {seed}");
    check_words(&sandbox, u32::try_from(killed.kills).unwrap(), seed);
    let finished = finished_once(&sandbox.events());
    assert!(finished.iter().any(|address| address == "end/1"), "seed {seed}");
    killed
}

/// Every word as often as it must, and only what was in flight at a kill once more.
fn check_words(sandbox: &Sandbox, kills: u32, seed: u64) {
    let words = sandbox.read("words");
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for line in words.lines() {
        *counts.entry(line.split(' ').next().unwrap()).or_default() += 1;
    }
    let mut wanted: BTreeMap<String, u32> =
        [("one", 1), ("two", 3), ("three", 2), ("mend", 1), ("mended", 1), ("four", 1)]
            .into_iter()
            .chain([("first", 2), ("second", 2), ("last", 1)])
            .map(|(word, count)| (word.to_owned(), count))
            .collect();
    for item in ["a", "b", "c", "d"] {
        wanted.insert(format!("in-{item}"), 1);
        wanted.insert(format!("out-{item}"), 1);
    }
    for item in ["e", "f", "g", "h", "i", "j"] {
        wanted.insert(format!("side-{item}"), 1);
    }
    let mut repeated = 0;
    for (word, least) in &wanted {
        let count = counts.get(word.as_str()).copied().unwrap_or(0);
        // A failure that a kill left unrecorded has been counted by `fails` all the same.
        let lost = if ["two", "three", "second", "mend", "mended", "first"].contains(&word.as_str())
        {
            kills
        } else {
            0
        };
        assert!(count + lost >= *least, "{word} {count} times, seed {seed}:\n{words}");
        repeated += count.saturating_sub(*least);
    }
    // At most the step in flight is repeated; of the loop side by side at most three rounds.
    assert!(repeated <= 3 * kills, "{repeated} repeated by {kills} kills, seed {seed}:\n{words}");
    let order: Vec<usize> = ["one", "two", "three", "four", "in-a", "out-a", "in-b", "out-d"]
        .iter()
        .map(|word| words.lines().position(|line| line.starts_with(&format!("{word} "))).unwrap())
        .collect();
    assert!(order.is_sorted(), "seed {seed}:\n{words}");
}
