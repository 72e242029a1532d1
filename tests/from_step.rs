//! `resume --from-step`: one step of any session runs again, with `--downstream` what follows it.

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

fn cooked(yaml: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", yaml);
    sandbox.write("words", "");
    let ran = sandbox.run(&["cook", "flow.yaml"]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    sandbox.write("words", "");
    sandbox
}

fn from(sandbox: &Sandbox, arguments: &[&str]) -> Ran {
    sandbox.write("words", "");
    sandbox.run(&[&["resume", "flow"][..], arguments].concat())
}

const FIVE: &str = r#"
commands:
  - echo one >> words
  - {id: two, shell: "echo two >> words; date +%s%N"}
  - {shell: "echo three >> words", when: "1 == 1"}
  - echo four >> words
  - {shell: echo five >> words, when: "1 == 2"}
"#;

#[test]
fn one_step_of_a_completed_session_runs_and_later_results_are_older() {
    let sandbox = cooked(FIVE);
    let plan = from(&sandbox, &["--from-step", "2", "--plan"]).exits(0);
    for line in [
        "keep     1  finished",
        "rerun    2  asked for",
        "keep     3  finished, older than step 2 then",
        "keep     5  finished:",
    ] {
        assert!(plan.stdout.contains(line), "{line}: {plan:#?}");
    }
    assert_eq!(sandbox.words("words"), "");
    let ran = from(&sandbox, &["--from-step", "2"]).exits(0);
    assert_eq!(sandbox.words("words"), "two");
    assert!(ran.stdout.contains("steps 3, 4 are older than step 2"), "{ran:#?}");
    assert_eq!(sandbox.status(), "completed");
    let shown = sandbox.run(&["checkpoints", "show", "flow"]).exits(0);
    assert_eq!(shown.stdout.matches("(older than step 2)").count(), 2, "{shown:#?}");
    let json = sandbox.run(&["checkpoints", "show", "flow", "--json"]).json();
    assert_eq!(json["completed_steps"][2]["older_than"], "2", "{json:#}");
    assert!(json["completed_steps"][0].get("older_than").is_none());
    // What is older runs again by itself, and nothing is older any more.
    from(&sandbox, &["--from-step", "3", "--downstream"]).exits(0);
    assert_eq!(sandbox.words("words"), "three four");
    let shown = sandbox.run(&["checkpoints", "show", "flow"]).exits(0);
    assert!(!shown.stdout.contains("older"), "{shown:#?}");
}

#[test]
fn downstream_runs_what_follows_in_the_sequence_and_outward() {
    let yaml = r"
stages:
  - name: build
    commands: [echo a >> words, echo b >> words, echo c >> words]
  - name: test
    commands:
      - foreach: [x, y, z]
        do: ['echo d${item} >> words', 'echo e${item} >> words']
      - echo f >> words
  - name: ship
    commands: [echo g >> words]
";
    let sandbox = cooked(yaml);
    for (step, downstream, words) in [
        ("build/2", false, "b"),
        ("build/2", true, "b c dx ex dy ey dz ez f g"),
        ("test/1.do[2]/2", false, "ey"),
        ("test/1.do[2]/2", true, "ey dz ez f g"),
        ("test/1.do[3]", false, "dz ez"),
        ("test/1.do[3]", true, "dz ez f g"),
        ("test/1", true, "dx ex dy ey dz ez f g"),
        ("test/2", true, "f g"),
        ("ship/1", true, "g"),
    ] {
        let mut arguments = vec!["--from-step", step];
        arguments.extend(downstream.then_some("--downstream"));
        let plan = from(&sandbox, &[&arguments[..], &["--plan"]].concat()).exits(0);
        assert_eq!(sandbox.words("words"), "");
        let ran = from(&sandbox, &arguments).exits(0);
        assert_eq!(sandbox.words("words"), words, "{step} {downstream}: {plan:#?} {ran:#?}");
        assert_eq!(sandbox.status(), "completed");
    }
}

#[test]
fn rounds_that_run_beside_each_other_do_not_follow_each_other() {
    let yaml = r"
commands:
  - foreach: [x, y, z]
    parallel: 2
    do: ['echo ${item} >> words']
  - echo end >> words
";
    let sandbox = cooked(yaml);
    from(&sandbox, &["--from-step", "1.do[1]/1", "--downstream"]).exits(0);
    assert_eq!(sandbox.words("words"), "x end");
}

#[test]
fn a_step_of_a_round_sees_what_the_round_captured_and_the_items_stay() {
    let yaml = r#"
commands:
  - id: loop
    foreach: cat items
    do:
      - {id: first, shell: "echo [${item}]", capture_output: got}
      - shell: 'echo "${got} ${first.output} ${item}" >> words'
  - 'echo "${loop.results | length}" >> words'
"#;
    let sandbox = Sandbox::new();
    sandbox.write("items", "p\nq\n");
    sandbox.write("flow.yaml", yaml);
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    sandbox.write("items", "other\n");
    let ran = from(&sandbox, &["--from-step", "1.do[2]/2"]).exits(0);
    assert_eq!(sandbox.words("words"), "[q] [q] q", "{ran:#?}");
}

#[test]
fn what_does_not_run_by_itself_is_refused_with_a_reason() {
    let yaml = r"
stages:
  - name: build
    commands:
      - shell: echo a >> words
        on_success: [echo good >> words]
        on_failure: [echo bad >> words]
      - foreach: [x]
        do: [echo b >> words]
finally: [echo end >> words]
";
    let sandbox = cooked(yaml);
    for (step, code, reason) in [
        ("build/1.on_failure[1]/1", 2, "--from-step build/1"),
        ("build/1.on_success/1", 2, "it belongs to a step"),
        ("build", 2, "--from-checkpoint build"),
        ("finally[1]/1", 2, "the end of every run"),
        ("build/3", 3, "no step build/3"),
        ("build/2.do[2]/1", 3, "no step"),
        ("build/2.do[1]/2", 3, "no step"),
        ("build/1.do[1]/1", 3, "no step"),
        ("1", 3, "no step 1"),
        ("test/1", 3, "no step"),
    ] {
        let ran = from(&sandbox, &["--from-step", step]).exits(code);
        assert!(ran.stderr.contains(reason), "{step}: {ran:#?}");
        assert_eq!(sandbox.words("words"), "");
    }
    from(&sandbox, &["--from-step", "build/1", "--from-checkpoint", "v1"]).exits(2);
    let ran = from(&sandbox, &["--downstream"]).exits(2);
    assert!(ran.stderr.contains("--from-step"), "{ran:#?}");
}

#[test]
fn a_session_that_is_not_over_goes_on_from_there() {
    let yaml = "
commands:
  - echo one >> words
  - echo two >> words
  - echo three >> words; [ -e go ]
  - echo four >> words
";
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", yaml);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    from(&sandbox, &["--from-step", "1"]).exits(1);
    assert_eq!(sandbox.words("words"), "one three");
    // Forward: what stands before and has not ended is passed over, and that is told.
    let ran = from(&sandbox, &["--from-step", "4"]).exits(0);
    assert_eq!(sandbox.words("words"), "four");
    assert!(ran.stderr.contains("step 3 is passed over"), "{ran:#?}");
    assert_eq!(sandbox.status(), "completed");
}

#[test]
fn going_forward_over_stages_passes_them_over() {
    let yaml = "
stages:
  - {name: a, commands: [echo a1 >> words, 'echo a2 >> words; false', echo a3 >> words]}
  - {name: b, commands: [echo b1 >> words]}
  - {name: c, commands: [echo c1 >> words, echo c2 >> words]}
";
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", yaml);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    let ran = from(&sandbox, &["--from-step", "c/2"]).exits(0);
    assert_eq!(sandbox.words("words"), "c2");
    for step in ["a/2", "a/3", "b/1", "c/1"] {
        assert!(ran.stderr.contains(&format!("step {step} is passed over")), "{step}: {ran:#?}");
    }
    assert!(!ran.stderr.contains("step a/1 is"), "{ran:#?}");
    let ran = from(&sandbox, &[]).exits(0);
    assert!(ran.stderr.contains("nothing to resume"), "{ran:#?}");
}

#[test]
fn a_marked_step_needs_a_persons_word() {
    let yaml = "
commands:
  - echo one >> words
  - {shell: echo two >> words, on_resume: confirm}
  - foreach: [x]
    do: [{shell: echo three >> words, on_resume: skip}]
";
    let sandbox = cooked(yaml);
    let ran = from(&sandbox, &["--from-step", "2", "-y"]).exits(6);
    assert!(ran.stderr.contains("--rerun 2"), "{ran:#?}");
    from(&sandbox, &["--from-step", "1", "--downstream"]).exits(6);
    from(&sandbox, &["--from-step", "3"]).exits(6);
    assert_eq!(sandbox.words("words"), "");
    from(&sandbox, &["--from-step", "1"]).exits(0);
    assert_eq!(sandbox.words("words"), "one");
    from(&sandbox, &["--from-step", "2", "--rerun", "2"]).exits(0);
    assert_eq!(sandbox.words("words"), "two");
    let done = ["--from-step", "1", "--downstream", "--done", "2", "--rerun", "3.do[1]/1"];
    from(&sandbox, &done).exits(0);
    assert_eq!(sandbox.words("words"), "one three");
}

#[test]
fn a_kill_in_it_is_resumed_there() {
    let yaml = format!(
        "
commands:
  - echo one >> words
  - echo two >> words; [ ! -e back ] || {CRASH}
  - echo three >> words
"
    );
    let sandbox = cooked(&yaml);
    sandbox.write("back", "");
    let ran = from(&sandbox, &["--from-step", "2"]);
    assert_eq!(ran.code, None, "{ran:#?}");
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.words("words"), "two two");
    let logs = sandbox.run(&["logs", "flow", "--list", "--json"]).json();
    let attempts = logs.as_array().unwrap().iter().filter(|log| log["address"] == "2");
    assert_eq!(attempts.filter_map(|log| log["attempt"].as_u64()).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn a_step_that_fails_this_time_fails_the_session() {
    let yaml = "commands: ['echo one >> words; [ ! -e bad ]', echo two >> words]\n";
    let sandbox = cooked(yaml);
    sandbox.write("bad", "");
    from(&sandbox, &["--from-step", "1"]).exits(1);
    assert_eq!(sandbox.status(), "failed");
    assert_eq!(sandbox.words("words"), "one");
    std::fs::remove_file(sandbox.directory().join("bad")).unwrap();
    from(&sandbox, &[]).exits(0);
    assert_eq!(sandbox.words("words"), "one");
}

#[test]
fn passes_have_steps_of_their_own() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", "commands: ['echo a$ARG >> words', 'echo b$ARG >> words']\n");
    sandbox.run(&["cook", "flow.yaml", "--args", "1", "2"]).exits(0);
    for (step, downstream, words) in
        [("pass[1]/2", false, "b1"), ("pass[1]/2", true, "b1 a2 b2"), ("pass[2]/1", true, "a2 b2")]
    {
        let mut arguments = vec!["--from-step", step];
        arguments.extend(downstream.then_some("--downstream"));
        let ran = from(&sandbox, &arguments).exits(0);
        assert_eq!(sandbox.words("words"), words, "{step} {downstream}: {ran:#?}");
    }
    from(&sandbox, &["--from-step", "2"]).exits(3);
}

const MAP: &str = r#"
mode: mapreduce
setup: [echo setup >> words, 'printf "%s\n" a b c > items.txt']
map:
  input: items.txt
  max_parallel: 2
  agent_template:
    - shell: 'echo ${item} >> words; echo made-${item}-$PRODIGY_ATTEMPT'
reduce:
  - 'echo "reduce ${map.successful}" >> words'
  - 'echo last >> words'
"#;

#[test]
fn items_and_phases_of_a_map() {
    let sandbox = cooked(MAP);
    for (arguments, words) in [
        (&["--from-step", "map/item_2"][..], "b"),
        (&["--from-step", "map/item_2", "--downstream"], "b reduce 3 last"),
        (&["--from-step", "reduce/1"], "reduce 3"),
        (&["--from-step", "reduce/1", "--downstream"], "reduce 3 last"),
        (&["--from-step", "reduce/2", "--downstream"], "last"),
        (&["--from-step", "setup/1"], "setup"),
    ] {
        let plan = from(&sandbox, &[arguments, &["--plan"]].concat()).exits(0);
        let ran = from(&sandbox, arguments).exits(0);
        assert_eq!(sandbox.words("words"), words, "{arguments:?}: {plan:#?} {ran:#?}");
        assert_eq!(sandbox.status(), "completed");
        if words == "setup" {
            let kept = "step setup/1 runs again, but the items stay as they were read before";
            assert!(ran.stderr.contains(kept), "{ran:#?}");
            let older = "steps setup/2, map, reduce/1, reduce/2 are older than step setup/1";
            assert!(ran.stdout.contains(older), "{ran:#?}");
        }
    }
    from(&sandbox, &["--from-step", "setup/2", "--downstream"]).exits(0);
    let mut words: Vec<String> = sandbox.words("words").split(' ').map(str::to_owned).collect();
    words[..3].sort();
    assert_eq!(words.join(" "), "a b c reduce 3 last");
    for (step, code, reason) in [
        ("map/item_9", 3, "no step"),
        ("map/item_2/1", 2, "--from-step map/item_2"),
        ("map", 2, "--from-checkpoint map"),
        ("reduce", 2, "--from-checkpoint reduce"),
        ("map/item_2/1.on_failure[1]/1", 2, "map/item_2"),
    ] {
        let ran = from(&sandbox, &["--from-step", step]).exits(code);
        assert!(ran.stderr.contains(reason), "{step}: {ran:#?}");
    }
    // Its attempts are counted on, so that no log is written over.
    let ran = sandbox.run(&["resume-job", "flow", "--from-step", "map/item_2"]).exits(0);
    assert!(ran.stdout.contains("completed"), "{ran:#?}");
    let ended =
        sandbox.run(&["events", "export", "--session", "flow", "--type", "item_finished"]).exits(0);
    assert!(ended.stdout.lines().last().unwrap().contains("made-b-5"), "{ended:#?}");
    let shown = sandbox.run(&["checkpoints", "show", "flow"]).exits(0);
    assert_eq!(shown.stdout.matches("(older than step map)").count(), 2, "{shown:#?}");
}

#[test]
fn the_items_that_an_edited_setup_makes_are_read_with_what_follows() {
    let sandbox = cooked(MAP);
    sandbox.write("flow.yaml", &MAP.replace("a b c >", "a d >"));
    let edited = ["--from-step", "setup/2", "--downstream", "--accept-changes"];
    from(&sandbox, &edited).exits(0);
    let mut words: Vec<String> = sandbox.words("words").split(' ').map(str::to_owned).collect();
    words[..2].sort();
    assert_eq!(words.join(" "), "a d reduce 2 last");
}

#[test]
fn the_items_stay_unless_what_follows_setup_runs_again() {
    let sandbox = cooked(&MAP.replace("a b c", "$(cat wanted 2>/dev/null || echo a b)"));
    sandbox.write("wanted", "a b c");
    let words = sandbox.read("words");
    let step = ["--from-step", "setup/2"];
    let told = "step setup/2 runs again, but the items stay as they were read before; \
                to read them again: prodigy resume flow-";
    let plan = from(&sandbox, &[&step[..], &["--plan"]].concat()).exits(0);
    let row = "all 2 items ended, older than step setup/2 then (--downstream reads them again)";
    assert!(plan.stdout.contains(row) && plan.stderr.contains(told), "{plan:#?}");
    let ran = from(&sandbox, &step).exits(0);
    let line = ran.stderr.lines().find(|line| line.contains(told)).unwrap();
    assert!(line.ends_with(" --from-checkpoint setup"), "{ran:#?}");
    assert_eq!(sandbox.read("words"), words, "no item ran");
    let plan = from(&sandbox, &[&step[..], &["--downstream", "--plan"]].concat()).exits(0);
    assert!(plan.stdout.contains("map       its items are read again"), "{plan:#?}");
    assert!(!plan.stderr.contains("stay as they were"), "{plan:#?}");
    from(&sandbox, &[&step[..], &["--downstream"]].concat()).exits(0);
    assert!(sandbox.words("words").contains("reduce 3"), "{}", sandbox.words("words"));
    let shown = sandbox.run(&["checkpoints", "show", "flow"]).exits(0);
    assert!(shown.stdout.contains("3 of 3 done"), "{shown:#?}");
}

#[test]
fn an_edited_step_of_setup_leaves_the_items_and_says_so() {
    let sandbox = cooked(MAP);
    sandbox.write("flow.yaml", &MAP.replace("a b c", "a b c d"));
    let ran = from(&sandbox, &["--accept-changes"]).exits(0);
    assert!(ran.stderr.contains("step setup/2 runs again, but the items stay"), "{ran:#?}");
    let ran = from(&sandbox, &["--from-checkpoint", "setup"]).exits(0);
    assert!(ran.stdout.contains("4 of 4 done"), "{ran:#?}");
}

#[test]
fn a_marked_item_needs_a_persons_word() {
    let yaml =
        MAP.replace("- shell: 'echo ${item}", "- on_resume: confirm\n      shell: 'echo ${item}");
    let sandbox = cooked(&yaml);
    let ran = from(&sandbox, &["--from-step", "map/item_2"]).exits(6);
    assert!(ran.stderr.contains("--rerun map/item_2"), "{ran:#?}");
    from(&sandbox, &["--from-step", "map/item_2", "--rerun", "map/item_2"]).exits(0);
    assert_eq!(sandbox.words("words"), "b");
}
