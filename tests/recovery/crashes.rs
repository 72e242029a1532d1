//! `kill -9` in recoveries: before and after every word, and at random instants; then
//! `recovery status`, and on to the same end, with `recovery initiate` or with `resume`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::support::{Ran, Sandbox};
use super::{LINT, sandbox};

/// One recovery: what fails, how it goes on, and all words from the first run to the end.
struct Case {
    name: &'static str,
    workflow: String,
    /// Words before the recovery.
    before: &'static str,
    /// Words of the recovery and what follows it.
    after: &'static str,
}

fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "retry",
            workflow: format!(
                "
commands:
  - shell: ./say one
  - shell: ./flaky two 2 || {LINT}
  - shell: ./say three
recovery:
  rules:
    - {{class: lint, attempts: 2, delay: 1ms, fix: [{{shell: ./say fix}}, {{shell: ./say fixed}}]}}
"
            ),
            before: "one two",
            after: "fix fixed two fix fixed two three",
        },
        Case {
            name: "retry in a stage with handlers",
            workflow: format!(
                "
stages:
  - name: s
    commands:
      - shell: ./flaky two 1 || {LINT}
        on_failure: {{shell: ./say mend 1}}
      - shell: ./say three
    on_failure: {{shell: ./say tell}}
  - {{name: t, commands: [{{shell: ./say four}}]}}
recovery: {{rules: [{{class: lint, fix: [{{shell: ./say fix}}]}}]}}
"
            ),
            before: "two mend tell",
            after: "fix two three four",
        },
        Case {
            name: "resume",
            workflow: "
commands:
  - shell: ./say one
  - {foreach: [a, b], do: [{shell: './flaky in-${item} 1'}]}
  - shell: ./say three
recovery: {rules: [{class: any, strategy: resume}]}
"
            .to_owned(),
            before: "one in-a",
            after: "in-a in-b",
        },
    ]
}

/// Starts the recovery, killed where `crash` says; then goes on with `next` to the end.
fn crashed(case: &Case, crash: &str, next: &[&str]) -> (String, Ran) {
    let sandbox = sandbox(&case.workflow);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    assert_eq!(sandbox.heard(), case.before, "{}", case.name);
    let mut command = sandbox.command(&["recovery", "initiate", "flow"]);
    let ran = Ran::of(command.env("CRASH", crash).output().unwrap());
    assert_eq!(ran.code, None, "{}: not killed at {crash}: {ran:#?}", case.name);
    let states = sandbox.recoveries();
    assert_eq!(states.len(), 1);
    assert_eq!(states[0]["status"], "in_progress", "{}, {crash}: {states:#?}", case.name);
    let ran = sandbox.run(next);
    let after = sandbox.recoveries();
    assert_eq!(after[0]["id"], states[0]["id"], "the same recovery goes on");
    assert!(
        matches!(after[0]["status"].as_str(), Some("completed" | "failed")),
        "{}, {crash}: {after:#?}",
        case.name
    );
    (sandbox.heard(), ran)
}

#[test]
fn every_recovery_goes_on_after_a_kill_at_every_word() {
    let cases = cases();
    let mut kills = Vec::new();
    for case in &cases {
        for index in 0..case.after.split(' ').count() {
            for next in [&["recovery", "initiate", "flow"][..], &["resume"][..]] {
                kills.extend([(case, index, false, next), (case, index, true, next)]);
            }
        }
    }
    let place = AtomicUsize::new(0);
    let wrong = Mutex::new(String::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((case, index, after, next)) =
                    kills.get(place.fetch_add(1, Ordering::Relaxed))
                {
                    if let Err(difference) = killed_at(case, *index, *after, next) {
                        wrong.lock().unwrap().push_str(&difference);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Kills a recovery before or after its word number `index`, goes on, and compares.
fn killed_at(case: &Case, index: usize, after: bool, next: &[&str]) -> Result<(), String> {
    let said = case.before.split(' ').count();
    let crash = match after {
        false => format!("{}:before", said + index),
        true => format!("{}:after", said + index + 1),
    };
    let mut wanted: Vec<&str> = case.after.split(' ').collect();
    if after {
        wanted.insert(index, wanted[index]); // What was in flight is repeated.
    }
    let wanted = format!("{} {}", case.before, wanted.join(" "));
    let exit = if case.name == "resume" { 1 } else { 0 };
    let (words, ran) = crashed(case, &crash, next);
    if words == wanted && ran.code == Some(exit) {
        return Ok(());
    }
    Err(format!(
        "{} killed at {crash}, then {next:?}:\n  wanted {wanted:?} {exit}\n  got    {words:?} {:?}\n{}\n",
        case.name, ran.code, ran.stderr
    ))
}

/// The same with rules that act by themselves: what was killed goes on with a plain resume.
#[test]
fn an_unattended_run_goes_on_after_a_kill_at_every_word() {
    let case = &cases()[0];
    let workflow = case.workflow.replace("recovery:\n", "recovery:\n  auto: true\n");
    let all = format!("{} {}", case.before, case.after);
    let words: Vec<&str> = all.split(' ').collect();
    for index in 0..words.len() {
        for after in [false, true] {
            let sandbox = sandbox(&workflow);
            let crash = match after {
                false => format!("{index}:before"),
                true => format!("{}:after", index + 1),
            };
            let mut command = sandbox.command(&["cook", "flow.yaml"]);
            let ran = Ran::of(command.env("CRASH", &crash).output().unwrap());
            assert_eq!(ran.code, None, "not killed at {crash}: {ran:#?}");
            sandbox.run(&["resume"]).exits(0);
            let mut wanted = words.clone();
            if after {
                wanted.insert(index, words[index]);
            }
            assert_eq!(sandbox.heard(), wanted.join(" "), "killed at {crash}");
            let states = sandbox.recoveries();
            assert!(states.iter().all(|it| it["status"] == "completed"), "{states:#?}");
        }
    }
}

/// Runs the command and kills it after `delay`, if it still runs; tells whether it was killed.
pub fn killed(mut command: Command, delay: Duration) -> bool {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while start.elapsed() < delay {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    std::os::unix::process::ExitStatusExt::signal(&child.wait().unwrap()) == Some(9)
}

/// How long the whole recovery takes, without a kill.
fn whole(case: &Case) -> Duration {
    let sandbox = failed(case);
    let start = Instant::now();
    sandbox.run(&["recovery", "initiate", "flow"]);
    start.elapsed()
}

fn failed(case: &Case) -> Sandbox {
    let sandbox = sandbox(&case.workflow);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    sandbox
}

#[test]
fn a_recovery_that_is_killed_anywhere_goes_on_to_its_end() {
    let long = std::env::var_os("PRODIGY_LONG_TESTS").is_some();
    let runs = if long { 100 } else { 4 };
    let seed = u64::from(std::process::id()) << 20 | 0x9e37;
    let mut random = seed;
    let mut below = |limit: u128| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        u128::from(random) % limit
    };
    let mut kills = 0;
    for case in cases() {
        let whole = whole(&case);
        for _ in 0..runs {
            let sandbox = failed(&case);
            let failure = sandbox.initiate(&["--dry-run", "--json"]).json()["failure_id"].clone();
            let failure = failure.as_str().unwrap().to_owned();
            for _ in 0..3 {
                let delay = Duration::from_micros(u64::try_from(below(whole.as_micros())).unwrap());
                if !killed(sandbox.command(&["recovery", "initiate", "flow"]), delay) {
                    break;
                }
                kills += 1;
                sandbox.run(&["recovery", "status", "flow"]).exits(0);
            }
            let ends = [&["recovery", "initiate", &failure][..], &["resume"][..]];
            let ends = ends.map(|arguments| sandbox.run(arguments));
            let states = sandbox.recoveries();
            let of_it = states.iter().filter(|it| it["failure_id"] == failure.as_str());
            let of_it: Vec<_> = of_it.collect();
            assert!(of_it.len() <= 1, "one recovery for a failure (seed {seed}): {states:#?}");
            assert!(
                states.iter().all(|it| it["status"] != "in_progress"),
                "{} (seed {seed}): {states:#?}",
                case.name
            );
            sandbox.run(&["checkpoints", "validate", "flow"]).exits(0);
            let words = sandbox.heard();
            let said: Vec<&str> = words.split(' ').collect();
            for word in case.after.split(' ') {
                let name = case.name;
                assert!(said.contains(&word), "{name}: {word} in {words} (seed {seed}): {ends:#?}");
            }
        }
    }
    assert!(kills > 0, "nothing was ever killed (seed {seed})");
}

#[test]
fn a_person_who_asks_for_one_step_gives_the_killed_recovery_up() {
    let workflow = format!(
        "
commands:
  - shell: ./say one
  - shell: ./flaky two 1 || {LINT}
recovery: {{rules: [{{class: lint, fix: [{{shell: ./say fix}}]}}]}}
"
    );
    let sandbox = sandbox(&workflow);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    let mut command = sandbox.command(&["recovery", "initiate", "flow"]);
    let ran = Ran::of(command.env("CRASH", "2:before").output().unwrap());
    assert_eq!(ran.code, None, "{ran:#?}");
    sandbox.run(&["resume", "--from-step", "1"]).exits(0);
    assert_eq!(sandbox.heard(), "one two one two");
    let recoveries = sandbox.recoveries();
    assert_eq!(recoveries.len(), 1);
    assert_eq!(recoveries[0]["status"], "failed", "{recoveries:#?}");
}

#[test]
fn a_marked_step_of_a_fix_waits_for_a_persons_word_and_goes_on_with_it() {
    let workflow = format!(
        "
commands:
  - shell: ./say one
  - shell: ./flaky two 1 || {LINT}
  - shell: ./say three
recovery:
  rules:
    - class: lint
      fix: [{{shell: ./say pay, on_resume: confirm}}, {{shell: ./say fixed}}]
"
    );
    for (word, after) in [("--rerun", "pay fixed two three"), ("--done", "fixed two three")] {
        let sandbox = sandbox(&workflow);
        sandbox.run(&["cook", "flow.yaml"]).exits(1);
        let mut command = sandbox.command(&["recovery", "initiate", "flow"]);
        let ran = Ran::of(command.env("CRASH", "3:after").output().unwrap());
        assert_eq!(ran.code, None, "{ran:#?}");
        for _ in 0..2 {
            let ran = sandbox.run(&["resume"]).exits(6);
            let help = " --rerun '2.recovery[1]/1'   (run it again)";
            assert!(ran.stdout.contains(help), "{ran:#?}");
        }
        sandbox.run(&["resume", word, "2.recovery[1]/1"]).exits(0);
        assert_eq!(sandbox.heard(), format!("one two pay {after}"));
        let recoveries = sandbox.recoveries();
        assert_eq!(recoveries.len(), 1);
        assert_eq!(recoveries[0]["status"], "completed", "{recoveries:#?}");
        // Once it is over, there is nothing to say of it any more.
        let ran = sandbox.run(&["resume", "flow", "--rerun", "2.recovery[1]/1"]).exits(3);
        assert!(ran.stderr.contains("2.recovery[1]/1"), "{ran:#?}");
    }
}

/// A kill between two records of one decision: what it leaves is made by cutting the journal.
#[test]
fn what_goes_back_over_step_and_stage_is_decided_whole_or_not_at_all() {
    let sandbox = failed(&cases()[1]);
    let copy = |from: &Path, to: &Path| {
        let mut command = Command::new("cp");
        assert!(command.arg("-a").args([from, to]).status().unwrap().success());
    };
    let (state, before) = (sandbox.state(), sandbox.root().join("before"));
    copy(&state, &before);
    sandbox.run(&["resume"]).exits(0);
    let journal = super::damage::journal(&sandbox);
    let records = std::fs::read_to_string(&journal).unwrap();
    let records: Vec<&str> = records.split_inclusive('\n').collect();
    let parts =
        || (1..=records.len()).filter(|end| records[end - 1].contains("\"with_next\":true"));
    assert!(parts().count() > 0, "{records:#?}");
    for end in parts() {
        std::fs::remove_dir_all(&state).unwrap();
        copy(&before, &state);
        std::fs::write(&journal, records[..end].concat()).unwrap();
        let ran = sandbox.run(&["resume"]).exits(0);
        assert!(ran.stdout.contains("Stage 1/2 - s: 1 failed, 2 to do"), "{ran:#?}");
        assert_eq!(sandbox.status(), "completed");
    }
}

/// The instant between the last record of the run and that of the recovery, which random kills
/// seldom meet: what a kill leaves there is made by taking the record back.
#[test]
fn a_kill_between_the_end_of_the_run_and_its_own_is_told_as_completed() {
    let sandbox = failed(&cases()[0]);
    sandbox.initiate(&[]).exits(0);
    let journal = super::damage::journal(&sandbox);
    let records = std::fs::read_to_string(&journal).unwrap();
    let (run, own) = records.trim_end().rsplit_once('\n').unwrap();
    assert!(own.contains("recovery_finished"), "{own}");
    std::fs::write(&journal, format!("{run}\n")).unwrap();
    let state = sandbox.recoveries().remove(0);
    let id = state["id"].as_str().unwrap();
    let directory = sandbox.state().join("recovery").join(state["repository"].as_str().unwrap());
    let path = directory.join(format!("{id}.json"));
    let kept = std::fs::read_to_string(&path).unwrap();
    let mut kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
    kept["status"] = "in_progress".into();
    kept["completed_at"] = serde_json::Value::Null;
    std::fs::write(&path, kept.to_string()).unwrap();
    assert_eq!(sandbox.status(), "completed");
    assert_eq!(sandbox.recoveries()[0]["status"], "completed");
    sandbox.run(&["resume", "flow"]).exits(0);
    assert_eq!(sandbox.recoveries().len(), 1);
}
