//! What follows a failure, case by case, and each case again with a crash at every point: the
//! commands append words to a file, and the words must come in the order that was written down.

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
    for case in CASES {
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
    let crashes: Vec<(&Case, usize, bool)> = CASES
        .iter()
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

/// Kills the case before or after its word number `index`, resumes it, and compares.
fn crash(case: &Case, index: usize, after: bool) -> Result<(), String> {
    let mut wanted: Vec<&str> = case.words.split_whitespace().collect();
    let crash = if after { format!("{}:after", index + 1) } else { format!("{index}:before") };
    if after {
        // Only what was in flight is repeated.
        wanted.insert(index, wanted[index]);
    }
    let Outcome { words, exit, status } = run(case, Some(&crash));
    if (words.as_str(), exit, status.as_str())
        == (wanted.join(" ").as_str(), case.exit, case.status)
    {
        return Ok(());
    }
    Err(format!(
        "{} killed at {crash}:\n  wanted {:?} {} {}\n  got    {words:?} {exit} {status}\n",
        case.name,
        wanted.join(" "),
        case.exit,
        case.status
    ))
}

const CASES: &[Case] = &[
    Case {
        name: "nothing fails",
        yaml: "- shell: ./say a\n- shell: ./say b\n",
        words: "a b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a failure stops the workflow",
        yaml: "- shell: ./say a\n- shell: ./say b 3\n- shell: ./say c\n",
        words: "a b",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "on_failure: true passes",
        yaml: "- shell: ./say a 1\n  on_failure: true\n- shell: ./say b\n",
        words: "a b",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "on_failure: false fails",
        yaml: "- shell: ./say a 1\n  on_failure: false\n- shell: ./say b\n",
        words: "a",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "continue_on_error passes",
        yaml: "- shell: ./say a 1\n  continue_on_error: true\n- shell: ./say b\n",
        words: "a b",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "a string handler repairs",
        yaml: "- shell: ./say a 1\n  on_failure: ./say h\n- shell: ./say b\n",
        words: "a h b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a list of strings is one handler",
        yaml: "- shell: ./say a 1\n  on_failure: [./say h, ./say i]\n- shell: ./say b\n",
        words: "a h i b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a list of steps is one handler",
        yaml: "- shell: ./say a 1\n  on_failure:\n    - shell: ./say h\n    - shell: ./say i\n- shell: ./say b\n",
        words: "a h i b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a list handler ends at its first failure",
        yaml: "- shell: ./say a 1\n  on_failure:\n    - shell: ./say h 1\n    - shell: ./say i\n- shell: ./say b\n",
        words: "a h",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "max_attempts runs the original again",
        yaml: "- shell: ./flaky a 1\n  on_failure: {shell: ./say h, max_attempts: 3}\n- shell: ./say b\n",
        words: "a h a b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "max_attempts is the number of runs in all",
        yaml: "- shell: ./say a 1\n  on_failure: {shell: ./say h, max_attempts: 3}\n- shell: ./say b\n",
        words: "a h a h a",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "fail_workflow: false passes when the runs are used up",
        yaml: "- shell: ./say a 1\n  on_failure: {shell: ./say h, max_attempts: 2, fail_workflow: false}\n- shell: ./say b\n",
        words: "a h a b",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "retry_original runs it once more",
        yaml: "- shell: ./flaky a 1\n  on_failure: {shell: ./say h, retry_original: true}\n- shell: ./say b\n",
        words: "a h a b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "fail_workflow: true fails although the handler succeeds",
        yaml: "- shell: ./say a 1\n  on_failure: {shell: ./say h, fail_workflow: true}\n- shell: ./say b\n",
        words: "a h",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "retry, then success",
        yaml: "- shell: ./flaky a 2\n  retry: {attempts: 3, initial_delay: 0}\n- shell: ./say b\n",
        words: "a a a b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "retry used up, then the handler",
        yaml: "- shell: ./say a 1\n  retry: {attempts: 2, initial_delay: 0}\n  on_failure: ./say h\n- shell: ./say b\n",
        words: "a a h b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a re-run after a handler is one attempt",
        yaml: "- shell: ./flaky a 3\n  retry: {attempts: 2, initial_delay: 0}\n  on_failure: {shell: ./say h, max_attempts: 3}\n- shell: ./say b\n",
        words: "a a h a h a b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "retry_on looks at the exit code",
        yaml: "- shell: ./say a 4\n  retry: {attempts: 3, initial_delay: 0, retry_on: [5]}\n- shell: ./say b\n",
        words: "a",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "retry_on fits",
        yaml: "- shell: ./say a 5\n  retry: {attempts: 2, initial_delay: 0, retry_on: [5]}\n- shell: ./say b\n",
        words: "a a",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "retry.on_failure: continue",
        yaml: "- shell: ./say a 5\n  retry: {attempts: 2, initial_delay: 0, on_failure: continue}\n- shell: ./say b\n",
        words: "a a b",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "the first handler that succeeds ends the chain",
        yaml: "- shell: ./say a 1\n  on_failure:\n    handlers:\n      - shell: ./say h 1\n      - shell: ./say i\n      - shell: ./say j\n- shell: ./say b\n",
        words: "a h i b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "higher priority first",
        yaml: "- shell: ./say a 1\n  on_failure:\n    handlers:\n      - {shell: ./say h 1, priority: 1}\n      - {shell: ./say i 1, priority: 9}\n      - {shell: ./say j, priority: 1}\n- shell: ./say b\n",
        words: "a i h j b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a condition picks the handler",
        yaml: "- shell: ./say a 7\n  on_failure:\n    handlers:\n      - {shell: ./say h, when: error.exit_code == 6}\n      - {shell: ./say i, condition: \"${error.exit_code} == 7\"}\n- shell: ./say b\n",
        words: "a i b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a condition that cannot be evaluated is a failed handler",
        yaml: "- shell: ./say a 7\n  on_failure:\n    handlers:\n      - {shell: ./say h, when: \"error.exit_code ===\"}\n      - {shell: ./say i}\n- shell: ./say b\n",
        words: "a i b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "no handler fits",
        yaml: "- shell: ./say a 7\n  on_failure:\n    handlers:\n      - {shell: ./say h, when: error.exit_code == 6}\n- shell: ./say b\n",
        words: "a",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "handler_failure_fatal ends the chain",
        yaml: "- shell: ./say a 1\n  on_failure:\n    handlers:\n      - {shell: ./say h 1, handler_failure_fatal: true}\n      - {shell: ./say i}\n- shell: ./say b\n",
        words: "a h",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "a handler retries",
        yaml: "- shell: ./say a 1\n  on_failure:\n    handlers:\n      - shell: ./flaky h 1\n        retry: {attempts: 3, initial_delay: 0}\n- shell: ./say b\n",
        words: "a h h b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a handler's own handler repairs it",
        yaml: "- shell: ./say a 1\n  on_failure:\n    shell: ./say h 1\n    on_failure: ./say i\n- shell: ./say b\n",
        words: "a h i b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "three levels of handlers",
        yaml: "- shell: ./say a 1\n  on_failure:\n    shell: ./say h 1\n    on_failure:\n      shell: ./say i 1\n      on_failure:\n        shell: ./say j\n- shell: ./say b\n",
        words: "a h i j b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a step of a handler has a handler",
        yaml: "- shell: ./say a 1\n  on_failure:\n    - shell: ./say h 1\n      on_failure: ./say i\n    - shell: ./say j\n- shell: ./say b\n",
        words: "a h i j b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "strategy retry",
        yaml: "- shell: ./flaky a 2\n  on_failure: {shell: ./say h, strategy: retry, delay: 10ms, max_attempts: 3}\n- shell: ./say b\n",
        words: "a h a h a b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "strategy fallback stands in",
        yaml: "- id: a\n  shell: ./say a 1\n  on_failure: {shell: ./say h; echo stand-in, strategy: fallback}\n- shell: ./say ${a.output}\n",
        words: "a h stand-in",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "strategy partial_resume goes back",
        yaml: "- id: first\n  shell: ./say a\n- shell: ./say b\n- shell: ./flaky c 1\n  on_failure: {shell: ./say h, strategy: partial_resume, from_step: first, max_attempts: 2}\n- shell: ./say d\n",
        words: "a b c h a b c d",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "partial_resume ends after max_attempts",
        yaml: "- shell: ./say a\n- shell: ./say b 1\n  on_failure: {shell: ./say h, strategy: partial_resume, from_step: 1, max_attempts: 2}\n- shell: ./say c\n",
        words: "a b h a b h a b h",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "strategy abort cleans up and fails",
        yaml: "- shell: ./say a 1\n  on_failure:\n    strategy: abort\n    cleanup:\n      - shell: ./say h\n      - shell: ./say i\n- shell: ./say b\n",
        words: "a h i",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "strategy cleanup repairs at step scope",
        yaml: "- shell: ./say a 1\n  on_failure: {shell: ./say h, strategy: cleanup}\n- shell: ./say b\n",
        words: "a h b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "on_exit_code is tried first",
        yaml: "- shell: ./say a 75\n  on_exit_code:\n    75:\n      shell: ./say h\n  on_failure: ./say i\n- shell: ./say b\n",
        words: "a h b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "on_exit_code that fails leads to on_failure",
        yaml: "- shell: ./say a 75\n  on_exit_code:\n    75:\n      shell: ./say h 1\n  on_failure: ./say i\n- shell: ./say b\n",
        words: "a h i b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "another exit code",
        yaml: "- shell: ./say a 1\n  on_exit_code:\n    75:\n      shell: ./say h\n- shell: ./say b\n",
        words: "a",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "on_success runs",
        yaml: "- shell: ./say a\n  on_success:\n    shell: ./say s\n- shell: ./say b\n",
        words: "a s b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "on_success that fails is the step's failure",
        yaml: "- shell: ./say a\n  on_success:\n    shell: ./say s 1\n  on_failure: ./say h\n- shell: ./say b\n",
        words: "a s h b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a stage's handler notifies and the failure goes on",
        yaml: "stages:\n  - name: one\n    commands:\n      - shell: ./say a 1\n    on_failure: ./say h\n  - name: two\n    commands:\n      - shell: ./say b\n",
        words: "a h",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "fail_workflow: false lets a stage pass",
        yaml: "stages:\n  - name: one\n    commands:\n      - shell: ./say a 1\n    on_failure: {shell: ./say h, fail_workflow: false}\n  - name: two\n    commands:\n      - shell: ./say b\n",
        words: "a h b",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "a stage runs again",
        yaml: "stages:\n  - name: one\n    retry: {attempts: 2, initial_delay: 0}\n    commands:\n      - shell: ./say a\n      - shell: ./flaky b 1\n  - name: two\n    commands:\n      - shell: ./say c\n",
        words: "a b a b c",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a stage's handler runs it again",
        yaml: "stages:\n  - name: one\n    on_failure: {shell: ./say h, strategy: retry, delay: 10ms}\n    commands:\n      - shell: ./say a\n      - shell: ./flaky b 1\n  - name: two\n    commands:\n      - shell: ./say c\n",
        words: "a b h a b c",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "step, stage and workflow handlers from the inside out",
        yaml: "on_failure: ./say w\nstages:\n  - name: one\n    on_failure: ./say s\n    commands:\n      - shell: ./say a 1\n        on_failure: ./say h 1\n  - name: two\n    commands:\n      - shell: ./say b\n",
        words: "a h s w",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "the workflow's handler notifies",
        yaml: "on_failure:\n  - shell: ./say w\n  - shell: ./say x\ncommands:\n  - shell: ./say a\n  - shell: ./say b 1\n  - shell: ./say c\n",
        words: "a b w x",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "the workflow's handler lets it pass",
        yaml: "on_failure: {shell: ./say w, fail_workflow: false}\ncommands:\n  - shell: ./say a 1\n  - shell: ./say b\n",
        words: "a w",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "finally runs after a failure and its handlers",
        yaml: "on_failure: ./say w\nfinally:\n  - shell: ./say f\n    when: workflow.status == 'failed'\n  - shell: ./say g\n    when: workflow.status == 'completed'\ncommands:\n  - shell: ./say a 1\n",
        words: "a w f",
        exit: 1,
        status: "failed",
    },
    Case {
        name: "foreach ends at the first failed round",
        yaml: "- foreach: [a, b, c]\n  do:\n    - shell: ./say ${item}\n    - shell: test ${item} != b\n  on_failure: ./say h\n- shell: ./say d\n",
        words: "a b h d",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "foreach with handlers inside",
        yaml: "- foreach: [a, b]\n  do:\n    - shell: ./say ${item} 1\n      on_failure: ./say h${item}\n- shell: ./say d\n",
        words: "a ha b hb d",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "foreach goes on after a failed round",
        yaml: "- foreach:\n    items: [a, b, c]\n    continue_on_error: true\n    do:\n      - shell: ./say ${item}\n      - shell: test ${item} != b\n- shell: ./say d\n",
        words: "a b c d",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "a re-run of a loop repeats only what failed",
        yaml: "- foreach: [a, b, c]\n  do:\n    - shell: case ${item} in b) ./flaky b 1;; *) ./say ${item};; esac\n  on_failure: {shell: ./say h, max_attempts: 2}\n- shell: ./say d\n",
        words: "a b h b c d",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "write_file in a handler",
        yaml: "- shell: ./say a 1\n  on_failure:\n    - write_file: {path: note, content: \"n${error.exit_code}\"}\n    - shell: ./say $(cat note)\n- shell: ./say b\n",
        words: "a n1 b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "goal_seek in a handler",
        yaml: "- shell: ./say a 1\n  on_failure:\n    - goal_seek:\n        goal: two words\n        shell: ./say g\n        validate: \"echo score: $(( $(./times g) * 50 ))\"\n        threshold: 100\n        max_attempts: 3\n- shell: ./say b\n",
        words: "a g g b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "foreach in a handler",
        yaml: "- shell: ./say a 1\n  on_failure:\n    - foreach: [x, y]\n      do:\n        - shell: ./say ${item}\n- shell: ./say b\n",
        words: "a x y b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a handler's output is seen later",
        yaml: "- id: a\n  shell: ./say a 1\n  on_failure: {shell: ./say h >&2; echo seen, capture: word}\n- shell: ./say ${a.handler.output}-${word}\n",
        words: "a h seen-seen",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "success, recovered and failed are seen by later conditions",
        yaml: "- id: one\n  shell: ./say a 1\n  on_failure: ./say h\n- id: two\n  shell: ./say b 1\n  continue_on_error: true\n- {shell: ./say c, when: one.recovered and one.partial_success and not one.success}\n- {shell: ./say d, when: two.failed and two.exit_code == 1}\n- {shell: ./say e, when: one.failed}\n",
        words: "a h b c d",
        exit: 0,
        status: "completed_with_failures",
    },
    Case {
        name: "a command that is not there",
        yaml: "- shell: ./nothing-here\n  on_failure: ./say h\n- shell: ./say b\n",
        words: "h b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a handler that names a missing command",
        yaml: "- shell: ./say a 1\n  on_failure:\n    handlers:\n      - shell: ./nothing-here\n      - shell: ./say i\n- shell: ./say b\n",
        words: "a i b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a command killed by a signal",
        yaml: "- shell: ./say a; kill -TERM $$\n  on_failure:\n    handlers:\n      - shell: ./say h\n        when: error.exit_code == 143 and error.kind == 'signal'\n- shell: ./say b\n",
        words: "a h b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a command whose time is up",
        yaml: "- shell: ./say a; exec sleep 60\n  timeout: 300ms\n  on_failure:\n    handlers:\n      - shell: ./say h\n        when: error.kind == 'timeout'\n- shell: ./say b\n",
        words: "a h b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "a handler that hangs",
        yaml: "- shell: ./say a 1\n  on_failure:\n    handlers:\n      - shell: ./say h; exec sleep 60\n        timeout: 300ms\n      - shell: ./say i\n- shell: ./say b\n",
        words: "a h i b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "validate, on_incomplete, validate",
        yaml: "- shell: ./say a\n  validate:\n    shell: \"echo '{\\\"completion_percentage\\\": '$(( $(./times v) * 100 ))'}'\"\n    on_incomplete: {shell: ./say v}\n- shell: ./say b\n",
        words: "a v b",
        exit: 0,
        status: "completed",
    },
    Case {
        name: "validate that stays incomplete",
        yaml: "- shell: ./say a\n  validate:\n    shell: \"echo '{\\\"completion_percentage\\\": 10}'\"\n    on_incomplete: {shell: ./say v, max_attempts: 2}\n  on_failure: ./say h\n- shell: ./say b\n",
        words: "a v v h b",
        exit: 0,
        status: "completed",
    },
];
