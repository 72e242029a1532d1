//! Files that were kept, seen from a fork and from `checkpoints show --diff`.

use serde_json::json;

use crate::commands::{WORKFLOW, id, sandbox};
use crate::support::Sandbox;

/// Forks and returns the new workflow id.
fn fork(sandbox: &Sandbox, id: &str, at: &str) -> String {
    let card = sandbox.run(&["sessions", "fork", id, "--at", at, "--json"]).exits(0).json();
    card["workflow_id"].as_str().unwrap().to_owned()
}

#[test]
fn a_fork_has_the_files_of_its_versions_also_when_the_other_session_is_gone() {
    let sandbox = sandbox(WORKFLOW);
    sandbox.run(&["cook", "flow.yml"]).exits(1);
    let old = id(&sandbox);
    let told = sandbox.run(&["sessions", "fork", &old, "--at", "v2"]).exits(0);
    assert!(told.stderr.contains("--checkpoint-id v2"), "{told:#?}");
    let at_two = fork(&sandbox, &old, "v2");
    let at_one = fork(&sandbox, &old, "ready");
    sandbox.run(&["checkpoints", "clean", "--workflow-id", &old, "--force"]).exits(0);
    let back = |id: &str, version: &str| {
        sandbox.run(&["recovery", "rollback", id, "--checkpoint-id", version, "--yes"])
    };
    back(&at_two, "v2").exits(0);
    assert_eq!(sandbox.read("a"), "three\n");
    back(&at_two, "v1").exits(0);
    assert_eq!((sandbox.read("a"), sandbox.read("b")), ("two\n".into(), "new\n".into()));
    sandbox.write("a", "mine\n");
    back(&at_one, "v1").exits(0);
    assert_eq!(sandbox.read("a"), "two\n");
    back(&at_one, "v2").exits(0); // What was saved when it was rolled back.
    assert_eq!(sandbox.read("a"), "mine\n");
}

#[test]
fn what_a_killed_fork_kept_is_removed_with_the_next_cleaning() {
    let sandbox = sandbox(WORKFLOW);
    sandbox.run(&["cook", "flow.yml"]).exits(1);
    let old = id(&sandbox);
    let state = |id: &str| sandbox.run(&["sessions", "show", id, "--json"]).exits(0).json();
    let holders = sandbox.state().join("state/work/files.git/refs/sessions");
    let names = || {
        let entries = std::fs::read_dir(&holders).unwrap();
        entries.map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>()
    };
    let new = fork(&sandbox, &old, "v2");
    let new = state(&new)["session_id"].as_str().unwrap().to_owned();
    std::fs::remove_dir_all(sandbox.state().join("sessions").join(&new)).unwrap();
    let clean = || sandbox.run(&["sessions", "clean", "--all", "--older-than", "1h"]).exits(0);
    clean();
    assert_eq!(names().len(), 2, "it may be in the making");
    let old_enough = std::time::SystemTime::now() - std::time::Duration::from_secs(25 * 3600);
    for holder in names() {
        std::fs::File::open(holders.join(holder)).unwrap().set_modified(old_enough).unwrap();
    }
    clean();
    let session = state(&old)["session_id"].as_str().unwrap().to_owned();
    assert_eq!(names(), [session.as_str()]);
    sandbox.run(&["recovery", "rollback", &old, "--checkpoint-id", "v1", "--yes"]).exits(0);
    assert_eq!((sandbox.read("a"), sandbox.read("b")), ("two\n".into(), "new\n".into()));
}

#[test]
fn the_files_of_now_are_not_those_of_the_version_it_was_forked_at() {
    let workflow = WORKFLOW.replace("snapshots: always", "snapshots: explicit");
    let workflow = workflow.replace("exit 1", "[ -e go ]', checkpoint: last, name: 'x");
    let sandbox = sandbox(&workflow);
    sandbox.run(&["cook", "flow.yml"]).exits(1);
    let old = id(&sandbox);
    let new = fork(&sandbox, &old, "v2");
    sandbox.write("go", "");
    sandbox.run(&["resume", &new]).exits(0);
    let list = ["checkpoints", "list", "--workflow-id", &new, "--json"];
    let rows = sandbox.run(&list).exits(0).json();
    let files: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["files"].clone()).collect();
    assert_eq!(files, [true, false, true], "{rows:#}");
}

#[test]
fn a_fork_of_a_failed_session_has_failures_of_its_own() {
    let sandbox = sandbox(WORKFLOW);
    sandbox.run(&["cook", "flow.yml"]).exits(1);
    let old = id(&sandbox);
    // The state before the rollback is a version that stands behind the failure.
    sandbox.run(&["recovery", "rollback", "--yes"]).exits(0);
    let new = fork(&sandbox, &old, "v4");
    let status = sandbox.run(&["sessions", "show", &new, "--json"]).exits(0).json();
    let session = status["session_id"].as_str().unwrap();
    let failure = format!("failure-{}-1", &session["session-".len()..][..6]);
    let plan = ["recovery", "initiate", "--failure-id", &failure, "--dry-run", "--json"];
    let plan = sandbox.run(&plan).exits(6).json();
    assert!(plan.to_string().contains(&new), "{plan:#}");
    sandbox.write("flow.yml", &WORKFLOW.replace("exit 1", "true"));
    sandbox.run(&["resume", &new, "--accept-changes"]).exits(0);
    assert_eq!(sandbox.read("a"), "broken\n");
}

#[test]
fn a_difference_tells_files_and_head() {
    let commit = "git -c user.name=x -c user.email=x@y commit -qam second";
    let sandbox = sandbox(&WORKFLOW.replace("rm b'", &format!("rm b; {commit}'")));
    sandbox.run(&["cook", "flow.yml"]).exits(1);
    let id = id(&sandbox);
    let difference = |versions: &str, json: bool| {
        let more: &[&str] = if json { &["--json"] } else { &[] };
        sandbox.run(&[&["checkpoints", "show", &id, "--diff", versions], more].concat()).exits(0)
    };
    let file = |path, before, after| json!({ "path": path, "before": before, "after": after });
    let shown = difference("v1..v2", true).json();
    assert_eq!(shown["files"], json!([file("a", true, true), file("b", true, false)]));
    assert_ne!(shown["head"]["before"], shown["head"]["after"], "{shown:#}");
    let text = difference("v2..v1", false).stdout;
    assert!(text.contains("~  a") && text.contains("+  b"), "{text}");
    let beginning = difference("v0..v1", true).json();
    assert!(beginning.get("files").is_none(), "those of the beginning were not kept");

    std::fs::remove_dir_all(sandbox.state().join("state/work/files.git")).unwrap();
    let gone = difference("v1..v2", true).json();
    assert!(gone.get("files").is_none(), "{gone:#}");
    assert!(!sandbox.state().join("state/work/files.git").exists(), "it was only looked for");
}
