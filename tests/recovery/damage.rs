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

#[test]
fn a_damaged_file_of_a_recovery_is_told() {
    let sandbox = sandbox("commands: [{shell: ./flaky one 2}]");
    sandbox.repeats_unknown();
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    sandbox.initiate(&[]).exits(1);
    let state = sandbox.recoveries().remove(0);
    let id = state["id"].as_str().unwrap();
    let directory = sandbox.state().join("recovery").join(state["repository"].as_str().unwrap());
    let file = directory.join(format!("{id}.json"));
    let unknown = state.to_string().replace("\"resume\"", "\"magic\"");
    for text in ["", "{", "{\"id\": 1}", "\u{0}\u{1}", &unknown] {
        std::fs::write(&file, text).unwrap();
        let told = |stderr: &str, word: &str| {
            let place = format!("{word}: {}: ", file.display());
            let helps = "help: remove that file: what was done stands in the journal";
            assert!(stderr.contains(&place) && stderr.contains(helps), "{text:?}: {stderr}");
        };
        told(&sandbox.run(&["recovery", "status", id]).exits(5).stderr, "error");
        for words in [&["recovery", "status", "flow"][..], &["recovery", "dashboard"]] {
            told(&sandbox.run(words).exits(0).stderr, "warning");
        }
        told(&sandbox.initiate(&["--dry-run"]).exits(0).stderr, "warning");
    }
    sandbox.initiate(&[]).exits(0);
}
