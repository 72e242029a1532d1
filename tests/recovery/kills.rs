//! `kill -9` of `recovery initiate -y` at random instants, again and again, until it is done: nothing is
//! done twice but what was in flight, and it stays one recovery. A few kills of each way by
//! default, 100 with `PRODIGY_LONG_TESTS=1`.

use std::time::{Duration, Instant};

use super::crashes::killed;
use super::rollbacks::{flow, repository};
use super::support::Sandbox;
use super::{LINT, sandbox};

struct Case {
    way: &'static str,
    /// A session that has failed.
    failed: fn() -> Sandbox,
    /// All words from the first to the end.
    words: &'static str,
}

const CASES: [Case; 3] = [
    Case { way: "retry", failed: retry, words: "one two fix fixed two fix fixed two three" },
    Case { way: "resume", failed: resume, words: "one two two three" },
    Case { way: "rollback", failed: rollback, words: "one two two three" },
];

fn retry() -> Sandbox {
    let rule = "{class: lint, attempts: 4, delay: 1ms, fix: [./say fix, ./say fixed]}";
    cooked(sandbox(&steps(2, rule)))
}

fn resume() -> Sandbox {
    cooked(sandbox(&steps(1, "{class: any, strategy: resume}")))
}

fn rollback() -> Sandbox {
    cooked(repository(&flow("")))
}

fn steps(times: u32, rule: &str) -> String {
    format!(
        "
commands: [{{shell: ./say one}}, {{shell: \"./flaky two {times} || {LINT}\"}}, {{shell: ./say three}}]
recovery: {{rules: [{rule}]}}
"
    )
}

fn cooked(sandbox: Sandbox) -> Sandbox {
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    sandbox
}

const INITIATE: [&str; 4] = ["recovery", "initiate", "flow", "-y"];

/// Goes on until the session is completed: what was begun also with a plain resume.
fn to_the_end(sandbox: &Sandbox, with_resume: bool) {
    for _ in 0..4 {
        if sandbox.status() == "completed" {
            return;
        }
        let states = sandbox.recoveries();
        let is_open = states.iter().any(|it| it["status"] == "in_progress");
        let is_begun = states.iter().any(|it| it["status"] != "pending");
        let initiates = !is_begun || (is_open && !with_resume);
        let words: &[&str] = if initiates { &INITIATE } else { &["resume"] };
        sandbox.run(words);
    }
    panic!("it does not come to its end: {:#?}", sandbox.recoveries());
}

#[test]
fn a_recovery_killed_again_and_again_does_nothing_twice() {
    let long = std::env::var_os("PRODIGY_LONG_TESTS").is_some_and(|value| value != "0");
    let runs = if long { 100 } else { 3 };
    let seed = u64::from(std::process::id()) << 20 | 0x51ed;
    let mut random = seed;
    let mut below = |limit: u128| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        u64::try_from(u128::from(random) % limit.max(1)).unwrap()
    };
    let mut all_kills = 0;
    for case in CASES {
        let start = Instant::now();
        (case.failed)().run(&INITIATE).exits(0);
        let whole = start.elapsed();
        for run in 0..runs {
            let sandbox = (case.failed)();
            let mut kills = 0;
            for _ in 0..4 {
                let delay = Duration::from_micros(below(whole.as_micros()));
                if !killed(sandbox.command(&INITIATE), delay) {
                    break;
                }
                kills += 1;
            }
            all_kills += kills;
            let told = || {
                format!(
                    "{}, run {run}, {kills} kills, seed {seed}: {} {:#?}",
                    case.way,
                    sandbox.heard(),
                    sandbox.recoveries()
                )
            };
            to_the_end(&sandbox, run % 2 == 1);
            let heard = sandbox.heard();
            let count = |text: &str, word: &str| text.split(' ').filter(|it| *it == word).count();
            assert_eq!(count(&heard, "one"), 1, "what was done runs again: {}", told());
            let more = heard.split(' ').count().saturating_sub(case.words.split(' ').count());
            assert!(more <= kills, "more than was in flight: {}", told());
            for word in case.words.split(' ') {
                let least = if word == "two" { 2 } else { 1 };
                assert!(count(&heard, word) >= least.min(count(case.words, word)), "{}", told());
            }
            let states = sandbox.recoveries();
            let ways: Vec<_> = states.iter().map(|it| it["recovery_type"].as_str()).collect();
            assert_eq!(ways, [Some(case.way)], "{}", told());
            assert!(states.iter().all(|it| it["status"] == "completed"), "{}", told());
            sandbox.run(&["checkpoints", "validate", "flow"]).exits(0);
            if case.way == "rollback" {
                let files = (sandbox.read("text"), sandbox.read("notes"));
                assert_eq!(files, ("whole\n".into(), "new\n".into()), "{}", told());
            }
        }
    }
    assert!(all_kills > 0, "nothing was ever killed (seed {seed})");
}
