//! What people meet: plans, refusals, names, JSON.

use crate::support::Sandbox;
use crate::tree::{files, git, repository};

/// Three steps that change files, the last one fails.
pub const WORKFLOW: &str = "\
name: flow
snapshots: always
commands:
  - {shell: 'echo two > a; echo new > b', capture: first, checkpoint: ready}
  - {shell: 'echo three > a; rm b'}
  - {shell: 'echo broken > a; exit 1'}
";

pub fn sandbox(workflow: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let top = sandbox.directory();
    git(&top, &["init", "--quiet", "--initial-branch=main"], b"");
    sandbox.write("a", "one\n");
    sandbox.write("flow.yml", workflow);
    git(&top, &["add", "."], b"");
    git(&top, &["-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qm", "first"], b"");
    sandbox
}

pub fn id(sandbox: &Sandbox) -> String {
    let list = sandbox.run(&["sessions", "list", "--json"]).exits(0).json();
    list[0]["workflow_id"].as_str().unwrap().to_owned()
}

#[test]
fn back_to_the_last_good_checkpoint_and_on_from_there() {
    let sandbox = sandbox(WORKFLOW);
    sandbox.run(&["cook", "flow.yml"]).exits(1);
    let id = id(&sandbox);
    let asked = sandbox.run(&["recovery", "rollback"]).exits(6);
    assert!(asked.stderr.contains("1 finished step runs again; 1 file restored"), "{asked:#?}");
    assert!(asked.stderr.contains(&format!("--checkpoint-id {id}@v2 --yes")), "{asked:#?}");
    assert_eq!(sandbox.read("a"), "broken\n");

    let theirs = repository(&sandbox.directory());
    let done = sandbox.run(&["recovery", "rollback", "--yes", "--reason", "try again"]).exits(0);
    assert_eq!(
        done.stdout,
        format!(
            "{id} is back at v2 (after 2)\n  1 finished step runs again\n  files: 1 file restored\n"
        )
    );
    assert_eq!(sandbox.read("a"), "three\n");
    assert_eq!(repository(&sandbox.directory()), theirs);
    assert_eq!(sandbox.status(), "interrupted");
    let status = sandbox.run(&["recovery", "status", "--json"]).exits(0).json();
    assert_eq!(status[0]["recovery_type"], "rollback");
    assert_eq!(status[0]["status"], "completed");
    assert_eq!(status[0]["target_checkpoint_id"], format!("{id}@v2"));
    assert_eq!(status[0]["rollback_checkpoint_id"], format!("{id}@v4"));

    let named = ["recovery", "rollback", "--checkpoint-id", "ready", "--yes", "--json"];
    let done = sandbox.run(&named).exits(0).json();
    assert_eq!(done["checkpoint_id"], format!("{id}@v1"));
    assert_eq!(done["undo_checkpoint_id"], format!("{id}@v5"));
    assert_eq!(done["files"]["written"], serde_json::json!(["a", "b"]));
    assert_eq!((sandbox.read("a"), sandbox.read("b")), ("two\n".into(), "new\n".into()));

    sandbox.run(&["recovery", "rollback", "--checkpoint-id", &format!("{id}@v4"), "-y"]).exits(0);
    assert_eq!(sandbox.read("a"), "broken\n");
    assert_eq!(sandbox.status(), "failed");
    sandbox.run(&["resume"]).exits(1);
}

#[test]
fn lists_tell_which_checkpoints_have_files() {
    let sandbox = sandbox(&WORKFLOW.replace("snapshots: always", "snapshots: explicit"));
    sandbox.run(&["cook", "flow.yml"]).exits(1);
    let id = id(&sandbox);
    let list = ["checkpoints", "list", "--workflow-id", &id];
    let text = sandbox.run(&list).exits(0).stdout;
    assert!(text.contains("FILES") && text.contains("kept"), "{text}");
    let rows = sandbox.run(&[&list[..], &["--json"]].concat()).exits(0).json();
    let files: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["files"].clone()).collect();
    assert_eq!(files, [true, false, false]);
    assert!(rows[1]["head"].as_str().is_some_and(|head| head.len() == 40), "{rows}");

    let none = ["recovery", "rollback", "--checkpoint-id", "v2", "--yes"];
    let refused = sandbox.run(&none).exits(3);
    assert!(refused.stderr.contains("the nearest that has files is v1"), "{refused:#?}");
    let shown = sandbox.run(&["checkpoints", "show", &id, "--version", "2"]).exits(0).stdout;
    assert!(shown.contains("files    not kept (nearest: v1)"), "{shown}");
    let shown = sandbox.run(&["checkpoints", "show", &id, "--version", "1"]).exits(0).stdout;
    assert!(shown.contains("files    kept"), "{shown}");
    let shown = ["checkpoints", "show", &id, "--version", "2", "--json"];
    let shown = sandbox.run(&shown).exits(0).json();
    assert_eq!(shown["files"], serde_json::json!({ "kept": false, "nearest_version": 1 }));
    // Without a name it is the last good one that has files.
    sandbox.run(&["recovery", "rollback", "--yes"]).exits(0);
    assert_eq!(sandbox.read("b"), "new\n");
}

#[test]
fn outside_of_git_only_variables_and_position() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yml", WORKFLOW);
    sandbox.run(&["cook", "flow.yml"]).exits(1);
    let done = sandbox.run(&["recovery", "rollback", "--checkpoint-id", "v1", "-y"]).exits(0);
    assert!(done.stdout.contains("variables and position only"), "{done:#?}");
    assert_eq!(sandbox.read("a"), "broken\n");
    assert!(!sandbox.state().join("state/work/files.git").exists());
    let id = id(&sandbox);
    let list = sandbox.run(&["checkpoints", "list", "--workflow-id", &id]).exits(0);
    assert!(!list.stdout.contains("FILES"), "{list:#?}");
    let shown = sandbox.run(&["checkpoints", "show", &id, "--json"]).exits(0).json();
    assert_eq!(shown["completed_steps"].as_array().unwrap().len(), 1);
    assert_eq!(shown["variables"]["first"], "");
    sandbox.run(&["recovery", "rollback", "--undo", "-y"]).exits(0);
    assert_eq!(sandbox.status(), "failed");
}

#[test]
fn a_marked_step_in_the_way_needs_a_person() {
    let marked = WORKFLOW.replace("rm b'", "rm b; echo x >> ../effects', on_resume: confirm");
    let sandbox = sandbox(&marked);
    sandbox.run(&["cook", "flow.yml"]).exits(1);
    let before = files(&sandbox.directory());
    let back = ["recovery", "rollback", "--checkpoint-id", "v1", "--yes"];
    let refused = sandbox.run(&back).exits(6);
    assert!(refused.stderr.contains("step 2 is marked `on_resume: confirm`"), "{refused:#?}");
    assert_eq!(files(&sandbox.directory()), before);
    sandbox.run(&[&back[..], &["--done", "2"]].concat()).exits(0);
    sandbox.run(&["resume"]).exits(1);
    let effects = || std::fs::read_to_string(sandbox.root().join("effects")).unwrap();
    assert_eq!(effects(), "x\n", "it is done: not again");
    sandbox.run(&["recovery", "rollback", "--undo", "--yes"]).exits(0);
    sandbox.run(&[&back[..], &["--rerun", "2"]].concat()).exits(0);
    sandbox.run(&["resume"]).exits(1);
    assert_eq!(effects(), "x\nx\n");
}

#[test]
fn nothing_is_kept_when_the_workflow_says_so_or_git_is_missing() {
    let off = sandbox(&WORKFLOW.replace("snapshots: always", "snapshots: off"));
    off.run(&["cook", "flow.yml"]).exits(1);
    let refused = off.run(&["recovery", "rollback", "--yes"]).exits(3);
    assert!(refused.stderr.contains("--from-checkpoint v2"), "{refused:#?}");
    assert!(!off.state().join("state/work/files.git").exists());

    let missing = sandbox(WORKFLOW);
    let bin = missing.root().join("bin");
    std::fs::create_dir(&bin).unwrap();
    for name in ["sh", "rm"] {
        let found = ["/bin", "/usr/bin"].map(|it| std::path::Path::new(it).join(name));
        let found = found.iter().find(|path| path.exists()).unwrap();
        std::os::unix::fs::symlink(found, bin.join(name)).unwrap();
    }
    let ran = missing.command(&["cook", "flow.yml"]).env("PATH", &bin).output().unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    assert_eq!(told.matches("the files are not kept").count(), 1, "{told}");
}

#[test]
fn cleaning_a_session_lets_its_files_go() {
    let sandbox = sandbox(WORKFLOW);
    sandbox.run(&["cook", "flow.yml"]).exits(1);
    let store = sandbox.state().join("state/work/files.git");
    let kept =
        || git(&sandbox.directory(), &["--git-dir", store.to_str().unwrap(), "for-each-ref"], b"");
    assert!(!kept().is_empty());
    sandbox.run(&["checkpoints", "clean", "--workflow-id", &id(&sandbox), "--force"]).exits(0);
    assert!(kept().is_empty());
}

#[test]
fn what_an_agent_may_change_is_kept_before() {
    let sandbox = with_agent(
        "\
name: flow
commands:
  - shell: echo one > a
  - {claude: /change it, on_failure: true}
",
    );
    let list = ["checkpoints", "list", "--workflow-id", &id(&sandbox), "--json"];
    let rows = sandbox.run(&list).exits(0).json();
    assert_eq!(rows[0]["files"], true, "before the agent: {rows}");
    sandbox.run(&["recovery", "rollback", "--checkpoint-id", "v1", "--yes"]).exits(0);
    assert_eq!(sandbox.read("a"), "one\n");
}

#[test]
fn what_the_agents_of_items_may_change_is_kept_before_the_map() {
    let sandbox = with_agent(
        "\
name: flow
map:
  input: seq 1 2
  # The second would be stopped while it writes.
  max_parallel: 1
  agent_template:
    - {claude: '/change ${item}', on_failure: true}
",
    );
    sandbox.run(&["recovery", "rollback", "--checkpoint-id", "v0", "--yes"]).exits(0);
    assert_eq!(sandbox.read("a"), "one\n", "as it was committed");
}

/// A session whose agent writes `agent` into `a`, and fails.
fn with_agent(workflow: &str) -> Sandbox {
    let sandbox = sandbox(workflow);
    let bin = sandbox.root().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let agent = bin.join("claude");
    std::fs::write(&agent, "#!/bin/sh\necho agent > a\nexit 1\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&agent, mode).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut cook = sandbox.command(&["cook", "flow.yml"]);
    let ran = cook.env("PATH", path).output().unwrap();
    assert_eq!(sandbox.read("a"), "agent\n", "{ran:?}");
    sandbox
}
