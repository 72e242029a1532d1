//! What follows a failure, case by case, and each case again with a crash at every point: the
//! commands append words to a file, and the words must come in the order that was written down.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]

mod counts;
mod cuts;
mod kinds;
mod limits;
mod maps;
mod nested;
mod scopes;
mod steps;
mod strategies;
#[path = "../support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use support::Sandbox;

/// One workflow and what must come of it.
struct Case {
    name: &'static str,
    yaml: &'static str,
    /// The words in order.
    words: &'static str,
    exit: i32,
    status: &'static str,
}

/// `say WORD [CODE]` appends the word and ends with the code; `flaky WORD TIMES` fails that often
/// first; `times WORD` tells how often it was said. Where `CRASH` names the number of words so far,
/// they kill prodigy before or after theirs; a word said right before a kill is not counted.
const SAY: &str = r#"#!/bin/sh
crash() {
  [ "$CRASH" = "$1" ] || return 0
  [ ! -e crashed ] || return 0
  echo "$2" > crashed
  pid=$$
  while [ "$(cat /proc/$pid/comm)" != prodigy ]; do
    pid=$(sed 's/.*) //' /proc/$pid/stat | cut -d' ' -f2)
  done
  kill -9 "$pid"
  exit 9
}
count() { [ -e words ] && wc -l < words | tr -d ' ' || echo 0; }
heard() { echo $(( $(grep -cx -- "$1" words) - $(cat crashed 2>/dev/null | grep -cx -- "$1") )); }
case "$0" in
  *times) heard "$1"; exit 0 ;;
esac
crash "$(count):before"
echo "$1" >> words
echo "$PRODIGY_STEP $PRODIGY_ATTEMPT $1" >> said
crash "$(count):after" "$1"
case "$0" in
  *flaky) [ "$(heard "$1")" -gt "$2" ] ;;
  *) exit "${2:-0}" ;;
esac
"#;

fn sandbox() -> Sandbox {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::new();
    for name in ["say", "flaky", "times"] {
        let path = sandbox.write(name, SAY);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    sandbox
}

struct Outcome {
    words: String,
    exit: i32,
    status: String,
}

/// Runs a case, killed where `crash` says, then resumed to its end.
fn run(case: &Case, crash: Option<&str>) -> Outcome {
    let sandbox = sandbox();
    sandbox.write("case.yaml", case.yaml);
    let mut command = sandbox.command(&["cook", "case.yaml"]);
    let mut ran =
        support::Ran::of(command.env("CRASH", crash.unwrap_or("never")).output().unwrap());
    if crash.is_some() {
        assert_eq!(ran.code, None, "{}: it was not killed at {crash:?}: {ran:#?}", case.name);
        ran = sandbox.run(&["resume"]);
    }
    outcome(case, &sandbox, &ran)
}

/// What came of a case.
fn outcome(case: &Case, sandbox: &Sandbox, ran: &support::Ran) -> Outcome {
    let Some(exit) = ran.code else { panic!("{} died: {ran:#?}", case.name) };
    let list = sandbox.run(&["sessions", "list", "--json"]).json();
    let status = list[0]["status"].as_str().unwrap_or_default().to_owned();
    let path = sandbox.directory().join("words");
    let words = std::fs::read_to_string(path).unwrap_or_default();
    Outcome { words: words.split_whitespace().collect::<Vec<_>>().join(" "), exit, status }
}

#[test]
fn every_case_ends_as_written() {
    let mut wrong = String::new();
    for case in cases() {
        let outcome = run(case, None);
        if (outcome.words.as_str(), outcome.exit, outcome.status.as_str())
            != (case.words, case.exit, case.status)
        {
            let Outcome { words, exit, status } = outcome;
            writeln!(
                wrong,
                "{}:\n  wanted {:?} {} {}\n  got    {words:?} {exit} {status}",
                case.name, case.words, case.exit, case.status
            )
            .unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Two crash points for every word of every case: some 400 runs, each killed and resumed.
#[test]
fn every_case_ends_as_written_after_a_crash_anywhere() {
    let crashes: Vec<(&Case, usize, bool)> = cases()
        .flat_map(|case| {
            let words = case.words.split_whitespace().count();
            (0..words).flat_map(move |index| [(case, index, false), (case, index, true)])
        })
        .collect();
    assert!(crashes.len() >= 300, "only {} crashes", crashes.len());
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(String::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((case, index, after)) =
                    crashes.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    if let Err(difference) = crash(case, *index, *after) {
                        wrong.lock().unwrap().push_str(&difference);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Runs a case to its end, and resumes it then.
fn resumed(case: &Case) -> Outcome {
    let sandbox = sandbox();
    sandbox.write("case.yaml", case.yaml);
    sandbox.run(&["cook", "case.yaml"]);
    outcome(case, &sandbox, &sandbox.run(&["resume"]))
}

/// Kills the case before or after its word number `index`, resumes it, and compares. Where the
/// failure that ends it was recorded, the one resume does what that of an ended run does, too.
fn crash(case: &Case, index: usize, after: bool) -> Result<(), String> {
    let crash = if after { format!("{}:after", index + 1) } else { format!("{index}:before") };
    let repeated = |words: &str| {
        let mut words: Vec<&str> = words.split_whitespace().collect();
        if after {
            // Only what was in flight is repeated.
            words.insert(index, words[index]);
        }
        words.join(" ")
    };
    let wanted = repeated(case.words);
    let Outcome { words, exit, status } = run(case, Some(&crash));
    if (words.as_str(), exit, status.as_str()) == (wanted.as_str(), case.exit, case.status) {
        return Ok(());
    }
    if case.status == "failed" {
        let resumed = resumed(case);
        let one_resume =
            one_resume(&wanted, case.words, &resumed.words, index + usize::from(after));
        if (exit, &status) == (resumed.exit, &resumed.status)
            && (words == repeated(&resumed.words) || words == one_resume)
        {
            return Ok(());
        }
    }
    Err(format!(
        "{} killed at {crash}:\n  wanted {:?} {} {}\n  got    {words:?} {exit} {status}\n",
        case.name, wanted, case.exit, case.status
    ))
}

/// The words of a run that was killed after `at` words and after its failure was recorded, and of
/// its one resume: what the handlers have left, then what every resume of the ended run does.
/// `finally` (its words begin with `f`) waits for the end.
fn one_resume(wanted: &str, whole: &str, resumed: &str, at: usize) -> String {
    let again = resumed.strip_prefix(whole).unwrap_or_default();
    let words = wanted.split_whitespace().enumerate();
    let before_end = words.filter(|(index, word)| *index < at || !word.starts_with('f'));
    let words: Vec<&str> =
        before_end.map(|(_, word)| word).chain(again.split_whitespace()).collect();
    words.join(" ")
}

fn cases() -> impl Iterator<Item = &'static Case> {
    [
        steps::CASES,
        strategies::CASES,
        scopes::CASES,
        nested::CASES,
        counts::CASES,
        limits::CASES,
        kinds::CASES,
        maps::CASES,
    ]
    .into_iter()
    .flatten()
}
