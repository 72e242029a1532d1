//! Workflow files that are edited, moved or lost between two runs: the plan says what will
//! happen, and exactly that happens.

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use support::Sandbox;

const BEFORE: &str = "
commands:
  - {id: one, shell: echo one >> words}
  - {shell: echo two >> words}
  - {id: three, shell: 'echo three >> words; [ -e go ]'}
  - {shell: echo four >> words}
";

/// Failed in step three.
fn failed() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", BEFORE);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    sandbox.write("words", "");
    sandbox.write("go", "");
    sandbox
}

#[test]
fn an_edit_of_looks_alone_changes_nothing() {
    let sandbox = failed();
    let text = format!(
        "# a comment\n{}",
        BEFORE.replace("{shell: echo two >> words}", "shell: \"echo two >> words\"   # same")
    );
    sandbox.write("flow.yaml", &text);
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.words("words"), "three four");
}

#[test]
fn an_edit_needs_a_persons_yes() {
    let sandbox = failed();
    sandbox.write("flow.yaml", &BEFORE.replace("three >> words; [ -e go ]", "THREE >> words"));
    let ran = sandbox.run(&["resume"]).exits(6);
    assert!(ran.stderr.contains("--accept-changes"), "{ran:#?}");
    sandbox.run(&["resume", "-y"]).exits(6);
    assert_eq!(sandbox.words("words"), "");
    let plan = sandbox.run(&["resume", "--plan", "--json"]).exits(0).json();
    let actions: Vec<&str> =
        plan.as_array().unwrap().iter().map(|row| row["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["keep", "keep", "rerun", "run"], "{plan:#}");
    assert_eq!(sandbox.words("words"), "");
    sandbox.run(&["resume", "--accept-changes"]).exits(0);
    assert_eq!(sandbox.words("words"), "THREE four");
}

#[test]
fn a_file_that_became_invalid_runs_nothing_and_a_repaired_one_goes_on() {
    let sandbox = failed();
    sandbox.write("flow.yaml", "commands:\n  - shel: x\n");
    let ran = sandbox.run(&["resume", "--accept-changes"]).exits(2);
    assert!(ran.stderr.contains("flow.yaml:2"), "{ran:#?}");
    sandbox.write("flow.yaml", BEFORE);
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.words("words"), "three four");
}

#[test]
fn without_its_file_a_session_goes_on_with_the_stored_copy() {
    for replaced in [false, true] {
        let sandbox = failed();
        std::fs::remove_file(sandbox.directory().join("flow.yaml")).unwrap();
        if replaced {
            std::fs::create_dir(sandbox.directory().join("flow.yaml")).unwrap();
        }
        let ran = sandbox.run(&["resume"]).exits(0);
        assert!(ran.stderr.contains("stored copy"), "{ran:#?}");
        assert_eq!(sandbox.words("words"), "three four");
    }
}

#[test]
fn a_stored_copy_that_is_lost_is_damage_and_force_still_starts_again() {
    let sandbox = failed();
    let sessions = std::fs::read_dir(sandbox.state().join("sessions")).unwrap();
    for session in sessions {
        std::fs::remove_file(session.unwrap().path().join("workflow.yaml")).unwrap();
    }
    let ran = sandbox.run(&["resume"]).exits(5);
    assert!(ran.stderr.contains("workflow.yaml") && ran.stderr.contains("--force"), "{ran:#?}");
    sandbox.run(&["resume", "flow", "--force"]).exits(0);
    assert_eq!(sandbox.words("words"), "one two three four");
}

#[test]
fn a_person_goes_back_to_a_version_from_before_the_edit() {
    let sandbox = failed();
    let text = BEFORE.replace("  - {id: one", "  - {shell: echo zero >> words}\n  - {id: one");
    sandbox.write("flow.yaml", &text);
    sandbox.run(&["resume", "--accept-changes"]).exits(0);
    assert_eq!(sandbox.words("words"), "zero three four");
    sandbox.write("words", "");
    // Version 1 is the end of step one, which is the second step now; zero had not run then.
    sandbox.run(&["resume", "flow", "--from-checkpoint", "v1"]).exits(0);
    assert_eq!(sandbox.words("words"), "zero two three four");
}

#[test]
fn a_person_goes_back_and_edits_at_once() {
    let sandbox = failed();
    let text = BEFORE.replace("  - {id: one", "  - {shell: echo zero >> words}\n  - {id: one");
    sandbox.write("flow.yaml", &text);
    sandbox.run(&["resume", "--from-checkpoint", "v1", "--accept-changes"]).exits(0);
    assert_eq!(sandbox.words("words"), "zero two three four");
}

/// A random number generator that a printed seed repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit).unwrap()).unwrap()
    }
}

/// A step that says its word; some have an id, which is what they are matched by.
#[derive(Clone, PartialEq, Debug)]
struct Step {
    id: Option<usize>,
    word: usize,
    fails: bool,
}

fn text(steps: &[Step]) -> String {
    let mut text = "commands:\n".to_owned();
    for Step { id, word, fails } in steps {
        let id = id.map(|id| format!("id: s{id}, ")).unwrap_or_default();
        let end = if *fails { "; [ -e go ]" } else { "" };
        writeln!(text, "  - {{{id}shell: 'echo w{word} >> words{end}'}}").unwrap();
    }
    text
}

fn edited(random: &mut Random, steps: &[Step]) -> Vec<Step> {
    let mut steps = steps.to_vec();
    for edit in 0..=random.below(3) {
        let fresh = 100 + edit;
        let at = random.below(steps.len());
        match random.below(4) {
            0 => steps.insert(at, Step { id: None, word: fresh, fails: false }),
            1 if steps.len() > 1 => drop(steps.remove(at)),
            2 => steps[at].word = fresh,
            _ => {
                let step = steps.remove(at);
                let to = random.below(steps.len() + 1);
                steps.insert(to, step);
            }
        }
    }
    steps
}

#[test]
fn what_the_plan_of_an_edit_says_is_what_runs() {
    let long = std::env::var_os("PRODIGY_LONG_TESTS").is_some();
    let seed = u64::from(std::process::id()) << 16 | 0x5bd1;
    let mut random = Random(seed);
    for _ in 0..if long { 300 } else { 12 } {
        let count = 2 + random.below(5);
        let failing = random.below(count);
        let steps: Vec<Step> = (0..count)
            .map(|word| Step {
                id: (random.below(2) == 0).then_some(word),
                word,
                fails: word == failing,
            })
            .collect();
        let after = edited(&mut random, &steps);
        check_plan(&steps, &after, failing, seed);
    }
}

fn check_plan(steps: &[Step], after: &[Step], failing: usize, seed: u64) {
    let told = || format!("seed {seed}\nbefore:\n{}after:\n{}", text(steps), text(after));
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", &text(steps));
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    sandbox.write("words", "");
    sandbox.write("go", "");
    sandbox.write("flow.yaml", &text(after));
    let plan = sandbox.run(&["resume", "--plan", "--json"]).exits(0).json();
    let mut planned: Vec<String> = Vec::new();
    let mut actions: BTreeMap<String, String> = BTreeMap::new();
    for row in plan.as_array().unwrap() {
        let (address, action) = (row["address"].as_str().unwrap(), row["action"].as_str().unwrap());
        if action == "removed" {
            continue;
        }
        actions.insert(address.to_owned(), action.to_owned());
        if action != "keep" {
            let step = &after[address.parse::<usize>().unwrap() - 1];
            planned.push(format!("w{}", step.word));
        }
    }
    assert_eq!(actions.len(), after.len(), "{plan:#}\n{}", told());
    // A finished step that stands there unchanged under its id is never repeated.
    for (index, step) in after.iter().enumerate() {
        let was = steps.iter().position(|old| old == step && old.id.is_some());
        if was.is_some_and(|was| was < failing) {
            assert_eq!(actions[&(index + 1).to_string()], "keep", "{plan:#}\n{}", told());
        }
    }
    let ran = sandbox.run(&["resume", "flow", "--accept-changes"]);
    assert_eq!(ran.code, Some(0), "{ran:#?}\n{}", told());
    assert_eq!(sandbox.words("words"), planned.join(" "), "{plan:#}\n{ran:#?}\n{}", told());
    let ran = sandbox.run(&["resume", "flow"]).exits(0);
    assert!(ran.stderr.contains("nothing to resume"), "{ran:#?}\n{}", told());
}
