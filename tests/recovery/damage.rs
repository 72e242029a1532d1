//! Damaged records: the session goes on from the best checkpoint before them.

use std::path::PathBuf;

use super::sandbox;
use super::support::Sandbox;

pub fn journal(sandbox: &Sandbox) -> PathBuf {
    let sessions = std::fs::read_dir(sandbox.state().join("sessions")).unwrap();
    let mut sessions: Vec<_> = sessions.map(|it| it.unwrap().path()).collect();
    sessions.retain(|path| path.join("journal.jsonl").exists());
    sessions[0].join("journal.jsonl")
}

/// Changes a byte in a line of the journal (from 1).
pub fn flip(sandbox: &Sandbox, line: usize) {
    let path = journal(sandbox);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[line - 1] = lines[line - 1].replacen("\"at\":\"2", "\"at\":\"3", 1);
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
}

/// The line of the first event with `word` about `address`.
fn line_of(sandbox: &Sandbox, word: &str, address: &str) -> usize {
    let text = std::fs::read_to_string(journal(sandbox)).unwrap();
    let place = format!("\"{word}\":{{\"address\":\"{address}\"");
    text.lines().position(|line| line.contains(&place)).unwrap() + 1
}

#[test]
fn it_goes_on_from_the_checkpoint_before() {
    let sandbox = sandbox(
        "commands: [{shell: ./say one}, {shell: ./say two}, {shell: ./say three}, {shell: ./say four 1}]",
    );
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    flip(&sandbox, line_of(&sandbox, "step_started", "3"));
    sandbox.run(&["resume"]).exits(5);
    let plan = sandbox.initiate(&["--dry-run", "--json"]).exits(0).json();
    assert_eq!(plan["recovery_type"], "resume");
    assert_eq!(plan["corruption_detected"], true);
    assert_eq!(plan["recovery_context"]["class"], "corrupt_state");
    let ran = sandbox.initiate(&[]).exits(1);
    assert!(ran.stderr.contains("what they told is done again"), "{ran:#?}");
    assert_eq!(sandbox.heard(), "one two three four three four");
    let state = &sandbox.recoveries()[0];
    assert!(state["target_checkpoint_id"].as_str().unwrap().ends_with("@v2"), "{state:#}");
    assert_eq!(state["corruption_detected"], true);
    sandbox.run(&["checkpoints", "validate", "flow"]).exits(0);
}

#[test]
fn a_marked_step_behind_the_damage_needs_a_person() {
    let sandbox = sandbox(
        "commands: [{shell: ./say one}, {shell: ./say pay, on_resume: confirm}, {shell: ./say three 1}]",
    );
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    flip(&sandbox, line_of(&sandbox, "step_started", "2"));
    let ran = sandbox.initiate(&[]).exits(6);
    assert!(ran.stderr.contains("whether step 2 has run is not known"), "{ran:#?}");
    assert_eq!(sandbox.heard(), "one pay three");
    sandbox.initiate(&["-y"]).exits(6);
    sandbox.initiate(&["--type", "resume"]).exits(1);
    assert_eq!(sandbox.heard(), "one pay three pay three", "a person chose so");
}
