//! A rollback that a rule chose: only with a yes, files and position together, and on to the end.

use std::process::Command;

use serde_json::json;

use super::sandbox;
use super::support::{Ran, Sandbox};

/// What a step leaves half done, and fails with.
const BREAKS: &str = "echo half > text; rm notes; ./flaky two 1 || { echo 'CONFLICT (content): Merge conflict in text'; echo 'Automatic merge failed; fix conflicts and then commit the result.'; exit 1; }";

pub fn flow(settings: &str) -> String {
    format!(
        "
snapshots: always
commands:
  - shell: ./say one; echo good > text; echo kept > notes
  - shell: \"grep -q good text && test -e notes || exit 9; {BREAKS}; echo whole > text; echo new > notes\"
  - shell: ./say three
recovery: {{{settings}}}
"
    )
}

/// The same in a git repository whose ignored files are those of the test itself.
pub fn repository(workflow: &str) -> Sandbox {
    let sandbox = sandbox(workflow);
    sandbox.write(".gitignore", "words\ncrashed\nsay\nflaky\nflow.yaml\n");
    sandbox.write("text", "first\n");
    for words in [
        &["init", "--quiet", "--initial-branch=main"][..],
        &["add", "."],
        &["-c", "user.name=x", "-c", "user.email=x@y", "commit", "--quiet", "-m", "first"],
    ] {
        let ran =
            Command::new("git").args(words).current_dir(sandbox.directory()).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
    }
    sandbox
}

fn types(sandbox: &Sandbox) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let states = sandbox.recoveries().into_iter();
    states.map(|it| (text(&it["recovery_type"]), text(&it["status"]))).collect()
}

#[test]
fn a_rule_of_the_table_the_user_or_the_workflow_goes_back_and_on() {
    let rule = "rules: [{class: merge_conflict, strategy: rollback}]";
    for (workflow, user) in [("", ""), (rule, ""), ("", rule)] {
        let sandbox = repository(&flow(workflow));
        if !user.is_empty() {
            sandbox.user_rules(&format!("{user}\n"));
        }
        sandbox.run(&["cook", "flow.yaml"]).exits(1);
        assert_eq!(sandbox.read("text"), "half\n");
        let asked = sandbox.initiate(&[]).exits(6);
        assert!(asked.stderr.contains("a person has to say whether"), "{asked:#?}");
        assert_eq!(types(&sandbox), [("rollback".to_owned(), "pending".to_owned())]);
        assert_eq!(sandbox.read("text"), "half\n", "nothing is changed without a yes");
        let ran = sandbox.initiate(&["-y"]).exits(0);
        assert!(ran.stderr.contains("to go on: prodigy resume flow-"), "{ran:#?}");
        assert_eq!(types(&sandbox), [("rollback".to_owned(), "completed".to_owned())]);
        assert_eq!(
            (sandbox.read("text"), sandbox.read("notes")),
            ("good\n".into(), "kept\n".into())
        );
        assert_eq!(sandbox.heard(), "one two", "a rollback runs nothing");
        assert_eq!(sandbox.status(), "interrupted");
        sandbox.run(&["resume"]).exits(0);
        assert_eq!(sandbox.heard(), "one two two three");
        assert_eq!(
            (sandbox.read("text"), sandbox.read("notes")),
            ("whole\n".into(), "new\n".into())
        );
    }
}

#[test]
fn unattended_it_needs_to_be_allowed_and_the_run_goes_on() {
    let sandbox = repository(&flow("auto: true"));
    let ran = sandbox.run(&["cook", "flow.yaml"]).exits(6);
    assert!(ran.stderr.contains("a person has to say whether"), "{ran:#?}");
    assert_eq!((sandbox.heard(), sandbox.read("text")), ("one two".into(), "half\n".into()));
    for (settings, words) in [
        ("auto: true, allow_rollback: true", &["cook", "flow.yaml"][..]),
        ("allow_rollback: true", &["cook", "flow.yaml", "--auto-recover", "--output", "json"]),
        ("auto: true", &["cook", "flow.yaml", "--yes"]),
    ] {
        let sandbox = repository(&flow(settings));
        let ran = sandbox.run(words).exits(0);
        assert_eq!(sandbox.heard(), "one two two three", "{ran:#?}");
        assert_eq!(
            (sandbox.read("text"), sandbox.read("notes")),
            ("whole\n".into(), "new\n".into())
        );
        assert_eq!(types(&sandbox), [("rollback".to_owned(), "completed".to_owned())]);
        assert_eq!(sandbox.status(), "completed");
        if words.contains(&"json") {
            for line in ran.stdout.lines() {
                serde_json::from_str::<serde_json::Value>(line).unwrap();
            }
        }
    }
}

#[test]
fn it_is_limited_and_a_marked_step_is_not_repeated() {
    let settings = "auto: true, allow_rollback: true, max_recoveries: 2";
    let sandbox = repository(&flow(settings).replace("./flaky two 1", "./say two 1"));
    let ran = sandbox.run(&["cook", "flow.yaml"]).exits(6);
    assert!(ran.stderr.contains("2 recoveries did not help"), "{ran:#?}");
    assert_eq!(sandbox.heard(), "one two two two");
    let marked =
        flow(settings).replace("- shell: \"grep", "- on_resume: confirm\n    shell: \"grep");
    let sandbox = repository(&marked);
    let ran = sandbox.run(&["cook", "flow.yaml"]).exits(6);
    assert!(ran.stderr.contains("on_resume: confirm"), "{ran:#?}");
    assert_eq!(sandbox.heard(), "one two");
    assert_eq!(sandbox.read("text"), "good\n", "the files are put back nevertheless");
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.heard(), "one two two three");
}

/// Kills `command` as soon as this many files of the kept ones are back, or at once.
fn killed_when(sandbox: &Sandbox, words: &[&str], is_there: &dyn Fn() -> bool) {
    use std::process::Stdio;
    let mut command = sandbox.command(words);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while child.try_wait().unwrap().is_none() {
        if is_there() {
            child.kill().unwrap();
            break;
        }
    }
    child.wait().unwrap();
}

#[test]
fn killed_in_the_middle_it_is_finished() {
    let many = "i=0; while [ $i -lt 1500 ]; do echo $i > many/$i; i=$((i+1)); done";
    let workflow = flow("")
        .replace("echo kept > notes", &format!("echo kept > notes; mkdir many; {many}"))
        .replace("rm notes;", "rm -r many notes;");
    for next in [
        &["recovery", "initiate", "flow", "-y"][..],
        &["recovery", "rollback", "flow", "-y"],
        &["recovery", "status", "flow"],
        &["resume"],
    ] {
        let sandbox = repository(&workflow);
        sandbox.run(&["cook", "flow.yaml"]).exits(1);
        let many = sandbox.directory().join("many");
        assert!(!many.exists());
        killed_when(&sandbox, &["recovery", "initiate", "flow", "-y"], &|| {
            std::fs::read_dir(&many).is_ok_and(|files| files.count() > 10)
        });
        let back = std::fs::read_dir(&many).unwrap().count();
        assert!(back < 1500, "not killed in the middle: {back} files");
        let ran: Ran = sandbox.run(next).exits(0);
        assert_eq!(types(&sandbox), [("rollback".to_owned(), "completed".to_owned())]);
        // A resume finishes it first: the step itself looks whether the files are back.
        if next != ["resume"] {
            assert_eq!(std::fs::read_dir(&many).unwrap().count(), 1500, "{next:?} {ran:#?}");
            assert_eq!(sandbox.read("text"), "good\n");
            assert_eq!(sandbox.heard(), "one two");
            sandbox.run(&["resume"]).exits(0);
        }
        assert_eq!(sandbox.heard(), "one two two three");
        assert_eq!(sandbox.read("text"), "whole\n");
    }
}

#[test]
fn a_person_who_rolls_back_gives_up_what_was_under_way() {
    let rules = "rules: [{class: any, fix: './say fix', strategy: retry}]";
    let sandbox = repository(&flow(rules));
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    // Killed in the fix.
    let ran = sandbox.command(&["recovery", "initiate", "flow"]).env("CRASH", "2:before").output();
    assert_eq!(ran.unwrap().status.code(), None);
    sandbox.run(&["recovery", "rollback", "flow", "--yes"]).exits(0);
    let ended = [("retry", "failed"), ("rollback", "completed")];
    assert_eq!(types(&sandbox), ended.map(|(way, end)| (way.to_owned(), end.to_owned())));
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.heard(), "one two two three", "no fix any more");
}

/// What nobody said yes to, and what cannot be done, leaves nothing behind to go on with.
#[test]
fn one_that_never_began_hinders_nobody() {
    let sandbox = repository(&flow(""));
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    let back = ["--type", "rollback"];
    let ran = sandbox.initiate(&back).exits(6);
    assert!(ran.stderr.contains("a rollback has to be confirmed"), "{ran:#?}");
    let first = &sandbox.recoveries()[0];
    assert_eq!((&first["status"], &first["progress_steps"]), (&json!("pending"), &json!([])));
    assert!(!sandbox.event_types().contains(&"recovery_started".to_owned()));
    let status = sandbox.run(&["recovery", "status"]).exits(0);
    assert!(status.stdout.contains("to go on    prodigy recovery rollback --"), "{status:#?}");
    assert_eq!(sandbox.heard(), "one two");
    sandbox.initiate(&[&back[..], &["-y"]].concat()).exits(0);
    assert_eq!(sandbox.recoveries().len(), 1, "the same one, with a yes");
    assert_eq!(sandbox.read("text"), "good\n");

    let sandbox = super::sandbox("commands: [{shell: ./flaky one 1}, {shell: ./say two}]");
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    sandbox.initiate(&back).exits(3);
    assert_eq!(sandbox.recoveries()[0]["status"], "failed");
    let ran = sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.heard(), "one one two", "{ran:#?}");

    // A person who does not say yes goes on another way.
    let sandbox = repository(&flow("").replace("grep -q good text &&", ""));
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    sandbox.initiate(&back).exits(6);
    sandbox.write("notes", "");
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(types(&sandbox), [("person".to_owned(), "completed".to_owned())]);
}
