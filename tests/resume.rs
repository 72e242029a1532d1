//! What a person can ask of a resume: marked steps, confirmations, going back and forward,
//! further retries, starting again.

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

use support::killed::CRASH;
use support::{Ran, Sandbox};

fn cook(sandbox: &Sandbox, yaml: &str) -> Ran {
    sandbox.write("flow.yaml", yaml);
    sandbox.run(&["cook", "flow.yaml"])
}

/// A session that was killed in step 2, which is marked.
fn killed_in_marked(mark: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let yaml = format!(
        r#"
commands:
  - echo one >> words
  - shell: echo two >> words; {CRASH}
    id: two
    on_resume: {mark}
    on_failure: {{commands: [{{shell: "echo mended ${{error.kind}} >> words"}}]}}
  - echo "three ${{two.skipped}} ${{two.exit_code}}" >> words
"#
    );
    assert_eq!(cook(&sandbox, &yaml).code, None);
    assert_eq!(sandbox.words("words"), "one two");
    sandbox
}

#[test]
fn a_step_to_be_confirmed_waits_for_a_persons_word() {
    for (answer, words) in
        [(["--rerun", "2"], "one two two three false 0"), (["--done", "2"], "one two three true")]
    {
        let sandbox = killed_in_marked("confirm");
        for arguments in [&["resume"][..], &["resume", "-y"], &["resume"]] {
            let ran = sandbox.run(arguments).exits(6);
            let told = format!("{}{}", ran.stdout, ran.stderr);
            assert!(told.contains("--rerun 2") && told.contains("--done 2"), "{ran:#?}");
            assert_eq!(sandbox.words("words"), "one two");
            assert_eq!(sandbox.status(), "waiting");
        }
        sandbox.run(&[&["resume"][..], &answer].concat()).exits(0);
        assert_eq!(sandbox.words("words"), words);
    }
}

#[test]
fn the_plan_says_what_becomes_of_a_marked_step_that_was_caught_running() {
    for (mark, action) in
        [("confirm", "ask"), ("skip", "skip"), ("fail", "fail"), ("rerun", "rerun")]
    {
        let sandbox = killed_in_marked(mark);
        let plan = sandbox.run(&["resume", "--plan", "--json"]).exits(0).json();
        assert_eq!(plan[1]["action"], action, "{plan:#}");
        let plan = sandbox.run(&["resume", "--plan"]).exits(0).stdout;
        assert!(plan.contains(&format!("  {action:<7}  2")), "{plan}");
        let plan = sandbox.run(&["resume", "--plan", "--done", "2", "--json"]).exits(0).json();
        assert_eq!(plan[1]["action"], "skip", "{plan:#}");
    }
}

#[test]
fn the_plan_counts_the_rounds_of_a_loop_that_are_kept() {
    let sandbox = Sandbox::new();
    let yaml = r"
commands:
  - foreach: [1, 2, 3, 4]
    do:
      - echo ${item} >> words
      - '[ ${item} != 3 ] || [ -e go ] || kill -9 $PPID'
";
    assert_eq!(cook(&sandbox, yaml).code, None);
    let plan = sandbox.run(&["resume", "--plan"]).exits(0).stdout;
    assert_eq!(plan, "  run      1  goes on: 2 of 4 rounds ended, 2 run: foreach\n");
    sandbox.write("go", "");
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.words("words"), "1 2 3 4", "the step that had ended is kept, too");
}

#[test]
fn a_step_to_be_skipped_is_not_repeated() {
    let sandbox = killed_in_marked("skip");
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.words("words"), "one two three true");
}

#[test]
fn a_step_that_must_fail_goes_to_its_handler() {
    let sandbox = killed_in_marked("fail");
    sandbox.run(&["resume"]).exits(0);
    assert!(sandbox.words("words").starts_with("one two mended interrupted three"));
}

#[test]
fn a_marked_step_that_failed_by_itself_is_repeated_by_a_resume() {
    let sandbox = Sandbox::new();
    let yaml = "commands:\n  - {shell: 'echo one >> words; [ -e go ]', on_resume: confirm}\n";
    cook(&sandbox, yaml).exits(1);
    sandbox.write("go", "");
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.words("words"), "one one");
}

#[test]
fn going_back_over_a_finished_marked_step_needs_a_persons_word() {
    let sandbox = Sandbox::new();
    let yaml = r"
commands:
  - echo one >> words
  - {shell: echo two >> words, on_resume: confirm}
  - echo three >> words; [ -e go ]
";
    cook(&sandbox, yaml).exits(1);
    sandbox.write("go", "");
    let ran = sandbox.run(&["resume", "--from-checkpoint", "v1", "-y"]).exits(6);
    assert!(ran.stderr.contains("--rerun 2"), "{ran:#?}");
    assert_eq!(sandbox.words("words"), "one two three");
    sandbox.run(&["resume", "--from-checkpoint", "v1", "--done", "2"]).exits(0);
    assert_eq!(sandbox.words("words"), "one two three three");
    sandbox.run(&["resume", "flow", "--from-checkpoint", "v1", "--rerun", "2"]).exits(0);
    assert_eq!(sandbox.words("words"), "one two three three two three");
}

#[test]
fn a_confirmation_without_a_terminal_waits_until_somebody_says_yes() {
    for (yaml, first) in [
        (
            "commands:\n  - echo one >> words\n  - {shell: echo two >> words, requires_confirmation: true}\n",
            "one",
        ),
        (
            "stages:\n  - name: build\n    commands: [echo one >> words]\n  - name: live\n    requires_confirmation: true\n    commands: [echo two >> words]\n",
            "one",
        ),
    ] {
        let sandbox = Sandbox::new();
        let ran = cook(&sandbox, yaml).exits(6);
        assert!(ran.stdout.contains("resume") && ran.stdout.contains("-y"), "{ran:#?}");
        assert_eq!(sandbox.status(), "waiting");
        sandbox.run(&["resume"]).exits(6);
        assert_eq!(sandbox.words("words"), first);
        sandbox.run(&["resume", "-y"]).exits(0);
        assert_eq!(sandbox.words("words"), "one two");
        assert_eq!(sandbox.status(), "completed");
        let sandbox = Sandbox::new();
        sandbox.write("flow.yaml", yaml);
        sandbox.run(&["cook", "-y", "flow.yaml"]).exits(0);
        assert_eq!(sandbox.words("words"), "one two");
    }
}

const STAGES: &str = r#"
variables: {v: start}
stages:
  - name: build
    commands:
      - {shell: "echo a >> words; echo ${v}-a", capture_output: v}
      - {shell: "echo b >> words; echo ${v}-b", capture_output: v, checkpoint: built}
  - name: staging
    commands:
      - {shell: "echo c >> words; echo ${v}-c", capture_output: v}
      - {shell: "echo d >> words; [ -e go ] && echo ${v}-d", capture_output: v}
  - name: production
    commands:
      - echo "e ${v}" >> words
"#;

#[test]
fn a_person_goes_back_to_versions_checkpoints_and_stages() {
    for (to, words) in [
        ("v1", "b c d e start-a-b-c-d"),
        ("v2", "c d e start-a-b-c-d"),
        ("v4", "d e start-a-b-c-d"),
        ("built", "c d e start-a-b-c-d"),
        ("build", "a b c d e start-a-b-c-d"),
        ("staging", "c d e start-a-b-c-d"),
        ("production", "e start-a-b-c"),
    ] {
        let sandbox = Sandbox::new();
        cook(&sandbox, STAGES).exits(1);
        assert_eq!(sandbox.words("words"), "a b c d");
        sandbox.write("go", "");
        sandbox.write("words", "");
        let ran = sandbox.run(&["resume", "--from-checkpoint", to]).exits(0);
        assert_eq!(sandbox.words("words"), words, "{to}: {ran:#?}");
        assert_eq!(sandbox.status(), "completed");
        if to == "production" {
            let told = format!("{}{}", ran.stdout, ran.stderr);
            assert!(told.contains("staging/2"), "what is passed over is told: {ran:#?}");
        }
    }
}

#[test]
fn a_person_goes_back_in_a_completed_session_and_forward_again() {
    let sandbox = Sandbox::new();
    sandbox.write("go", "");
    cook(&sandbox, STAGES).exits(0);
    let ran = sandbox.run(&["resume", "flow"]).exits(0);
    assert!(ran.stderr.contains("nothing to resume"), "{ran:#?}");
    sandbox.write("words", "");
    // Version 5 is the end of step d; going back makes new versions, and it remains.
    sandbox.run(&["resume", "flow", "--from-checkpoint", "v2"]).exits(0);
    assert_eq!(sandbox.words("words"), "c d e start-a-b-c-d");
    sandbox.write("words", "");
    sandbox.run(&["resume", "flow", "--from-checkpoint", "v5"]).exits(0);
    assert_eq!(sandbox.words("words"), "e start-a-b-c-d");
    let ran = sandbox.run(&["resume", "flow", "--from-checkpoint", "v99"]).exits(3);
    assert!(ran.stderr.contains("checkpoints list"), "{ran:#?}");
    sandbox.run(&["resume", "flow", "--from-checkpoint", "no such"]).exits(3);
}

#[test]
fn a_kill_in_a_run_that_went_back_is_resumed_there() {
    let sandbox = Sandbox::new();
    let yaml = format!(
        r"
commands:
  - echo one >> words
  - echo two >> words
  - echo three >> words; [ ! -e back ] || {CRASH}
  - echo four >> words
"
    );
    cook(&sandbox, &yaml).exits(0);
    sandbox.write("back", "");
    sandbox.write("words", "");
    assert_eq!(sandbox.run(&["resume", "flow", "--from-checkpoint", "v1"]).code, None);
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.words("words"), "two three three four");
}

#[test]
fn a_failed_step_starts_again_with_a_fresh_budget_or_the_one_a_person_gives() {
    let sandbox = Sandbox::new();
    let yaml = r#"
commands:
  - echo one >> words
  - shell: echo "try $PRODIGY_ATTEMPT" >> words; [ -e go ]
    retry: {attempts: 2, initial_delay: 0}
  - echo three >> words
"#;
    cook(&sandbox, yaml).exits(1);
    assert_eq!(sandbox.words("words"), "one try 1 try 2");
    sandbox.write("words", "");
    sandbox.run(&["resume"]).exits(1);
    assert_eq!(sandbox.words("words"), "try 3 try 4");
    sandbox.write("words", "");
    sandbox.run(&["resume", "--max-retries", "3"]).exits(1);
    assert_eq!(sandbox.words("words"), "try 5 try 6 try 7 try 8");
    sandbox.write("words", "");
    sandbox.run(&["resume", "--max-retries", "0"]).exits(1);
    assert_eq!(sandbox.words("words"), "try 9");
    sandbox.write("words", "");
    sandbox.write("go", "");
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.words("words"), "try 10 three");
}

#[test]
fn a_kill_between_attempts_leaves_what_is_left_of_the_budget() {
    let sandbox = Sandbox::new();
    let yaml = format!(
        r"
commands:
  - shell: echo try >> words; [ $(wc -l < words) != 2 ] || {CRASH}; false
    retry: {{attempts: 4, initial_delay: 0}}
"
    );
    assert_eq!(cook(&sandbox, &yaml).code, None);
    sandbox.run(&["resume"]).exits(1);
    // Four attempts, and the one in flight once more.
    assert_eq!(sandbox.words("words"), "try try try try try");
}

#[test]
fn further_retries_count_from_the_resume_on() {
    for (extra, words) in [("0", 1), ("3", 4)] {
        let sandbox = Sandbox::new();
        let yaml = format!(
            r"
commands:
  - shell: echo try >> words; [ $(wc -l < words) != 3 ] || {CRASH}; false
    retry: {{attempts: 4, initial_delay: 0}}
"
        );
        assert_eq!(cook(&sandbox, &yaml).code, None);
        sandbox.write("words", "");
        sandbox.run(&["resume", "--max-retries", extra]).exits(1);
        assert_eq!(sandbox.words("words"), vec!["try"; words].join(" "));
    }
}

#[test]
fn a_step_can_be_taken_as_done_or_run_again() {
    let sandbox = Sandbox::new();
    let yaml = r#"
commands:
  - echo one >> words
  - {shell: "echo two >> words; exit 7", id: two}
  - echo "three ${two.exit_code:-none}" >> words
"#;
    cook(&sandbox, yaml).exits(1);
    sandbox.run(&["resume", "--done", "2", "--rerun", "1"]).exits(0);
    assert_eq!(sandbox.words("words"), "one two one three none");
    sandbox.run(&["resume", "flow", "--rerun", "9"]).exits(3);
    sandbox.run(&["resume", "flow", "--done", "../../x"]).exits(2);
}

#[test]
fn force_starts_a_new_session_that_takes_the_place_of_the_old() {
    let sandbox = Sandbox::new();
    let yaml = r#"
parameters: {word: {type: string, required: true}}
commands:
  - echo "one ${word}" >> words
  - "[ -e go ]"
"#;
    sandbox.write("flow.yaml", yaml);
    sandbox.run(&["cook", "flow.yaml", "--param", "word=x y"]).exits(1);
    let old = sandbox.run(&["sessions", "list", "--json"]).json()[0]["session_id"].clone();
    let old = old.as_str().unwrap();
    sandbox.write("go", "");
    sandbox.run(&["resume", old, "--force"]).exits(0);
    assert_eq!(sandbox.words("words"), "one x y one x y");
    let ran = sandbox.run(&["resume", old]).exits(2);
    assert!(ran.stderr.contains("prodigy resume session-"), "{ran:#?}");
    let ran = sandbox.run(&["resume"]).exits(0);
    assert!(ran.stderr.contains("nothing to resume"), "{ran:#?}");
    let list = sandbox.run(&["sessions", "list", "--json"]).json();
    let of = |id: &str| list.as_array().unwrap().iter().find(|it| it["session_id"] == id).cloned();
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert!(of(old).unwrap()["superseded_by"].is_string(), "{list:#}");
}

#[test]
fn the_directory_of_a_session_that_is_gone_is_an_error() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.directory().join("inner")).unwrap();
    sandbox.write("inner/flow.yaml", "commands:\n  - 'false'\n");
    sandbox.run(&["-C", "inner", "cook", "flow.yaml"]).exits(1);
    let id = sandbox.run(&["sessions", "list", "--json"]).json();
    let id = id[0]["workflow_id"].as_str().map(str::to_owned);
    std::fs::remove_dir_all(sandbox.directory().join("inner")).unwrap();
    let ran = sandbox.run(&["resume", &id.unwrap()]).exits(3);
    assert!(ran.stderr.contains("inner"), "{ran:#?}");
}

#[test]
fn the_end_of_a_stage_can_have_a_name_to_go_back_to() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        "stages:\n  - name: build\n    checkpoint: built\n    commands: [echo build >> words]\n  - name: test\n    commands: [echo test >> words]\n  - name: ship\n    commands: [echo ship >> words]\n",
    );
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    let versions = sandbox.run(&["checkpoints", "list", "--workflow-id", "flow"]).exits(0).stdout;
    assert!(versions.contains(" built "), "{versions}");
    let ran = sandbox.run(&["resume", "flow", "--from-checkpoint", "built"]).exits(0);
    assert!(ran.stderr.contains("(after step build)"), "{ran:#?}");
    assert_eq!(sandbox.words("words"), "build test ship test ship");
    sandbox.run(&["resume", "flow", "--from-checkpoint", "build"]).exits(0);
    assert_eq!(sandbox.words("words"), "build test ship test ship build test ship");
}

#[test]
fn a_stage_that_runs_again_counts_on() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        "stages:\n  - name: build\n    retry: {attempts: 3, initial_delay: 0}\n    commands:\n      - shell: 'echo $PRODIGY_ATTEMPT >> words; [ $(wc -l < words) -ge 6 ]'\n        retry: {attempts: 2, initial_delay: 0}\n",
    );
    let ran = sandbox.run(&["cook", "flow.yaml"]).exits(0);
    assert_eq!(sandbox.words("words"), "1 2 3 4 5 6");
    let retries: Vec<&str> =
        ran.stdout.lines().filter_map(|line| line.strip_prefix("retry     build ")).collect();
    assert_eq!(retries, ["attempt 2 in 0ms", "attempt 3 in 0ms"], "{ran:#?}");
    for number in 2..=6 {
        assert!(ran.stdout.contains(&format!("(attempt {number})")), "{ran:#?}");
    }
}

/// A session that failed in step 2, in `old`, and the same directory in `new` with `go`.
fn moved(how: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.directory().join("old/sub")).unwrap();
    sandbox.write(
        "old/sub/flow.yaml",
        "commands:\n  - echo one >> words\n  - '[ -e go ]'\n  - echo three >> words\n",
    );
    let script = format!(
        "mkdir old/.git && cd old/sub && ! \"$PRODIGY\" cook flow.yaml && cd ../.. && {how} && touch new/sub/go"
    );
    let mut command = std::process::Command::new("sh");
    let prodigy = sandbox.command(&[""; 0]);
    command.envs(prodigy.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.args(["-c", &script]).current_dir(sandbox.directory());
    command.env("PRODIGY", env!("CARGO_BIN_EXE_prodigy"));
    assert!(command.output().unwrap().status.success());
    sandbox
}

#[test]
fn a_moved_repository_is_found_again() {
    for (how, id) in [
        ("mv old new", &[][..]),
        ("mv old new", &["flow"]),
        ("cp -r old new && rm -r old", &["flow"]),
        ("mv old new", &["flow", "--force"]),
    ] {
        let sandbox = moved(how);
        let resume = [&["-C", "new/sub", "resume"][..], id].concat();
        let ran = sandbox.run(&resume).exits(0);
        let said = "old/sub was moved: going on in ";
        assert!(ran.stderr.contains(said) && ran.stderr.contains("new/sub\n"), "{ran:#?}");
        let again = if id.contains(&"--force") { "one one three" } else { "one three" };
        assert_eq!(sandbox.words("new/sub/words"), again);
        let shown = sandbox.run(&["sessions", "show", "flow", "--json"]).exits(0).json();
        assert!(shown["directory"].as_str().unwrap().ends_with("new/sub"), "{shown:#}");
        // Its own from now on.
        let listed = sandbox.run(&["-C", "new", "checkpoints", "list"]).exits(0).stdout;
        assert!(listed.contains("flow-"), "{listed}");
    }
}

#[test]
fn another_directory_is_not_taken_for_one_that_is_gone() {
    let sandbox = moved(
        "mv old gone && mkdir -p new/.git new/sub && echo 'commands: [a]' > new/sub/flow.yaml",
    );
    let ran = sandbox.run(&["-C", "new/sub", "resume", "flow"]).exits(3);
    assert!(ran.stderr.contains("the directory of the session is gone: "), "{ran:#?}");
    let help = "help: put it back, or change to where it is now, then resume again";
    assert!(ran.stderr.contains(help), "{ran:#?}");
}

#[test]
fn a_resume_says_that_head_is_elsewhere_now() {
    let sandbox = Sandbox::new();
    let git = |words: &[&str]| {
        let mut command = std::process::Command::new("git");
        let person = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        command.args(person).args(words).current_dir(sandbox.directory());
        assert!(command.output().unwrap().status.success(), "{words:?}");
    };
    git(&["init", "-q"]);
    git(&["commit", "-q", "--allow-empty", "-m", "one"]);
    sandbox.write("flow.yaml", "[git commit -q --allow-empty -m step, test -e go]");
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    // What the steps themselves committed is no surprise.
    let again = sandbox.run(&["resume", "flow"]).exits(1);
    assert!(!again.stderr.contains("HEAD"), "{again:#?}");
    git(&["commit", "-q", "--allow-empty", "-m", "of a person"]);
    sandbox.write("go", "");
    let resumed = sandbox.run(&["resume", "flow"]).exits(0);
    assert!(resumed.stderr.contains("warning: HEAD is "), "{resumed:#?}");
    assert!(resumed.stderr.contains(" now, and was "), "{resumed:#?}");
}
