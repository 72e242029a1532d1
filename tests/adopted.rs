//! Checkpoint files without a journal: of older versions, written by hand, carried along in a
//! repository. What they say is done is done; what they do not say is asked for.

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

use serde_json::{Value as Json, json};
use support::{Ran, Sandbox};

const FLOW: &str = r#"
name: pipeline
variables: {size: 1000}
commands:
  - {id: one, shell: "echo one >> words; echo 1"}
  - {shell: "echo two >> words; echo 2", capture_output: second}
  - {id: three, shell: "echo three ${second} ${custom_var:-none} >> words; [ -e go ]", retry: {attempts: 3, initial_delay: 0}}
  - echo four >> words
"#;

/// The example of the documentation, with the names of this flow.
fn documented() -> Json {
    json!({
        "workflow_id": "workflow-12345",
        "workflow_path": "flow.yaml",
        "timestamp": "2024-01-20T10:30:00Z",
        "execution_state": {"status": "interrupted", "current_step_index": 2, "total_steps": 4},
        "variables": {
            "custom_var": "a value",
            "second": "II",
            "shell": {"output": "last command output"}
        },
        "completed_steps": [
            {"step_index": 0, "command": "shell: one", "success": true, "timestamp": "2024-01-20T10:25:00Z"},
            {"step_index": 1, "command": "shell: two", "success": true, "output": "II", "timestamp": "2024-01-20T10:26:00Z"}
        ],
        "retry_state": {"current_attempt": 2, "max_attempts": 3, "last_error": "Connection timeout"}
    })
}

enum Where {
    Carried,
    Home,
}

fn with(checkpoint: &str, place: &Where) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", FLOW);
    let directory = match place {
        Where::Carried => sandbox.directory().join(".prodigy/checkpoints"),
        Where::Home => sandbox.state().join("state/work/checkpoints"),
    };
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("workflow-12345.json"), checkpoint).unwrap();
    sandbox
}

fn resumed(checkpoint: &Json, arguments: &[&str]) -> (Sandbox, Ran) {
    let sandbox = with(&checkpoint.to_string(), &Where::Carried);
    let ran = sandbox.run(&[&["resume", "workflow-12345"][..], arguments].concat());
    (sandbox, ran)
}

#[test]
fn a_documented_checkpoint_goes_on_with_its_values_and_attempts() {
    let (sandbox, ran) = resumed(&documented(), &[]);
    // Two of three attempts are used up, so that one is left.
    let ran = ran.exits(1);
    assert_eq!(sandbox.words("words"), "three II a value", "{ran:#?}");
    sandbox.write("go", "");
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.words("words"), "three II a value three II a value four");
}

#[test]
fn what_was_taken_over_recovers_unattended() {
    let rules = "rules: [{class: any, fix: 'echo fix >> words; touch go'}]";
    for (own, arguments) in [("", &["--auto-recover"][..]), ("auto: true, ", &[])] {
        let sandbox = with(&documented().to_string(), &Where::Carried);
        let workflow = format!("{FLOW}recovery: {{{own}{rules}}}\n");
        sandbox.write("flow.yaml", &workflow);
        let ran = sandbox.run(&[&["resume", "workflow-12345"][..], arguments].concat()).exits(0);
        assert_eq!(
            sandbox.words("words"),
            "three II a value fix three II a value four",
            "{ran:#?}"
        );
        let states = sandbox.run(&["recovery", "status", "pipeline", "--json"]).exits(0).json();
        assert_eq!(states[0]["status"], "completed", "{states:#?}");
        assert_eq!(states.as_array().unwrap().len(), 1);
    }
    // Where nothing is said of its kind, a person has to look.
    let (sandbox, ran) = resumed(&documented(), &["--auto-recover"]);
    let ran = ran.exits(6);
    assert!(ran.stderr.contains("a person must look at step 3"), "{ran:#?}");
    assert_eq!(sandbox.words("words"), "three II a value");
    // A rollback does not go back behind what was taken over.
    let ran = sandbox.run(&["recovery", "rollback", "--yes"]).exits(0);
    assert!(ran.stdout.contains("(after 2)"), "{ran:#?}");
    sandbox.write("go", "");
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.words("words"), "three II a value three II a value four");
}

#[test]
fn it_is_found_in_the_state_directory_by_name_and_without_an_id() {
    for place in [Where::Carried, Where::Home] {
        for arguments in [&["resume", "workflow-12345"][..], &["resume", "pipeline"], &["resume"]] {
            let mut checkpoint = documented();
            checkpoint["workflow_name"] = "pipeline".into();
            let sandbox = with(&checkpoint.to_string(), &place);
            if matches!(place, Where::Home) {
                // The name of the directory in the state belongs to this directory once it is used.
                sandbox.write("other.yaml", "commands: ['true']\n");
                sandbox.run(&["cook", "other.yaml"]).exits(0);
            }
            sandbox.write("go", "");
            let ran = sandbox.run(arguments).exits(0);
            assert_eq!(sandbox.words("words"), "three II a value four", "{arguments:?} {ran:#?}");
        }
    }
}

#[test]
fn what_is_missing_gets_a_default_and_the_workflow_is_asked_for() {
    let (sandbox, ran) =
        resumed(&json!({"completed_steps": [{"step_index": 0, "success": true}]}), &[]);
    let ran = ran.exits(2);
    assert!(ran.stderr.contains("--workflow FILE"), "{ran:#?}");
    sandbox.write("go", "");
    sandbox.run(&["resume", "workflow-12345", "--workflow", "flow.yaml"]).exits(0);
    assert_eq!(sandbox.words("words"), "two three 2 none four");
    let (sandbox, ran) = resumed(&documented(), &["--max-retries", "1"]);
    let ran = ran.exits(1);
    assert_eq!(sandbox.words("words"), "three II a value three II a value", "{ran:#?}");
}

#[test]
fn a_checkpoint_that_is_none_is_refused_and_runs_nothing() {
    let whole = documented().to_string();
    let mut wrong = vec![String::new(), "[]".into(), "null".into(), "{".into(), "\u{0}".into()];
    wrong.push(whole.get(..whole.len() / 2).unwrap().to_owned());
    for (pointer, value) in [
        ("/execution_state/current_step_index", json!(-1)),
        ("/execution_state/current_step_index", json!("two")),
        ("/completed_steps", json!({"a": 1})),
        ("/completed_steps/0/step_index", json!(-3)),
        ("/workflow_path", json!(7)),
        ("/workflow_path", json!("no/such.yaml")),
        ("/workflow_path", json!("/etc/passwd")),
        ("/workflow_path", json!("../../etc/passwd")),
    ] {
        let mut checkpoint = documented();
        *checkpoint.pointer_mut(pointer).unwrap() = value;
        wrong.push(checkpoint.to_string());
    }
    for text in wrong {
        let sandbox = with(&text, &Where::Carried);
        for arguments in [&["resume", "workflow-12345"][..], &["resume"]] {
            let ran = sandbox.run(arguments);
            assert!(matches!(ran.code, Some(2 | 3 | 5)), "{text}: {arguments:?} {ran:#?}");
            assert!(ran.stderr.contains("workflow-12345"), "{text}: {ran:#?}");
            assert!(ran.stderr.contains("help"), "{text}: {ran:#?}");
            assert_eq!(sandbox.words("words"), "", "{text}");
        }
        for arguments in [
            &["checkpoints", "list"][..],
            &["checkpoints", "show", "workflow-12345"],
            &["checkpoints", "validate", "workflow-12345"],
            &["sessions", "list"],
        ] {
            let ran = sandbox.run(arguments);
            assert!(ran.code.is_some_and(|code| code != 101), "{text}: {arguments:?} {ran:#?}");
        }
    }
}

#[test]
fn a_checkpoint_behind_the_end_of_its_workflow_is_not_taken_for_done() {
    let mut checkpoint = documented();
    checkpoint["execution_state"]["current_step_index"] = 40.into();
    checkpoint["completed_steps"][1]["step_index"] = 39.into();
    let (sandbox, ran) = resumed(&checkpoint, &[]);
    assert!(matches!(ran.code, Some(2 | 5 | 6)), "{ran:#?}");
    assert_eq!(sandbox.words("words"), "");
}

#[test]
fn another_workflow_than_the_checkpoint_was_written_for_needs_a_persons_yes() {
    let mut checkpoint = documented();
    checkpoint["workflow_hash"] = "0".repeat(64).into();
    let (sandbox, ran) = resumed(&checkpoint, &[]);
    assert!(ran.exits(6).stderr.contains("--accept-changes"));
    assert_eq!(sandbox.words("words"), "");
    sandbox.write("go", "");
    sandbox.run(&["resume", "workflow-12345", "--accept-changes"]).exits(0);
    assert_eq!(sandbox.words("words"), "three II a value four");
}

#[test]
fn a_session_whose_records_are_lost_goes_on_from_its_snapshot() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", FLOW);
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    let list = sandbox.run(&["sessions", "list", "--json"]).json();
    let id = list[0]["workflow_id"].as_str().unwrap().to_owned();
    std::fs::remove_dir_all(sandbox.state().join("sessions")).unwrap();
    sandbox.write("words", "");
    sandbox.write("go", "");
    let ran = sandbox.run(&["resume", &id]).exits(0);
    assert_eq!(sandbox.words("words"), "three 2 none four", "{ran:#?}");
}

#[test]
fn force_starts_again_from_the_beginning_whatever_the_checkpoint_says() {
    for text in [documented().to_string(), "{broken".to_owned()] {
        let sandbox = with(&text, &Where::Carried);
        sandbox.write("go", "");
        let ran = sandbox
            .run(&["resume", "workflow-12345", "--force", "--workflow", "flow.yaml"])
            .exits(0);
        assert_eq!(sandbox.words("words"), "one two three 2 none four", "{ran:#?}");
    }
}
