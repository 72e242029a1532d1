//! What is told about sessions on the disk: lists, details, logs, cleaning, repairing, moving.

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

use std::io::{BufRead as _, BufReader};

use prodigy::session::{EventKind, SessionStatus};
use support::past::{Past, address};
use support::{Ran, Sandbox};

/// An interrupted session of three steps: two are done, the third runs.
fn interrupted(sandbox: &Sandbox) -> (String, String) {
    let past = Past::new(sandbox, "data pipeline", 3);
    past.start("1").print("1", "one\n").finish("1", "one\n");
    past.start("2").finish("2", "");
    past.start("3").print("3", "thr");
    let (id, workflow_id) = past.end(SessionStatus::Interrupted);
    (id.to_string(), workflow_id.to_string())
}

fn completed(sandbox: &Sandbox, name: &str) -> (String, String) {
    let past = Past::new(sandbox, name, 1);
    past.start("1").print("1", "all\n").finish("1", "all\n");
    let (id, workflow_id) = past.end(SessionStatus::Completed);
    (id.to_string(), workflow_id.to_string())
}

#[test]
fn without_sessions_lists_are_empty() {
    let sandbox = Sandbox::new();
    for command in ["checkpoints", "sessions"] {
        sandbox.run(&[command, "list"]).exits(0);
        let ran = sandbox.run(&[command, "list", "--json"]).exits(0);
        assert_eq!(ran.json(), serde_json::json!([]));
    }
    let ran = sandbox.run(&["logs"]).exits(3);
    assert!(ran.stderr.contains("help: prodigy cook"), "{}", ran.stderr);
}

#[test]
fn lists_say_where_each_session_stands() {
    let sandbox = Sandbox::new();
    let (id, workflow_id) = interrupted(&sandbox);
    let (_, other) = completed(&sandbox, "other");
    for command in ["checkpoints", "sessions"] {
        let text = sandbox.run(&[command, "list"]).exits(0).stdout;
        assert!(text.contains(&workflow_id) && text.contains(&other), "{text}");
        assert!(text.contains("step 3/3") && text.contains("interrupted"), "{text}");
        let json = sandbox.run(&[command, "list", "--json"]).exits(0).json();
        assert_eq!(json.as_array().map(Vec::len), Some(2));
        let row = json.as_array().unwrap().iter().find(|row| row["session_id"] == *id).unwrap();
        assert_eq!(row["workflow_id"], *workflow_id);
        assert_eq!(row["status"], "interrupted");
        assert_eq!(row["total_steps"], 3);
        assert_eq!(row["current_step_index"], 2);
        assert!(row["size"].as_u64() > Some(0));
    }
    let verbose = sandbox.run(&["checkpoints", "list", "--verbose"]).exits(0).stdout;
    assert!(verbose.contains(&id) && verbose.contains("flow.yaml"), "{verbose}");
    let filtered = sandbox.run(&["sessions", "list", "--status", "completed"]).exits(0).stdout;
    assert!(filtered.contains(&other) && !filtered.contains(&workflow_id), "{filtered}");
    sandbox.run(&["sessions", "list", "--status", "sleeping"]).exits(2);
    std::fs::create_dir(sandbox.root().join("elsewhere")).unwrap();
    let arguments = ["-C", "../elsewhere", "sessions", "list", "--here", "--json"];
    assert_eq!(sandbox.run(&arguments).exits(0).json(), serde_json::json!([]));
}

#[test]
fn ids_prefixes_and_names_find_a_session() {
    let sandbox = Sandbox::new();
    let (id, workflow_id) = interrupted(&sandbox);
    let uuid = id.strip_prefix("session-").unwrap();
    for text in [&*id, &*workflow_id, "data pipeline", &uuid[..8], &workflow_id[..6]] {
        let json = sandbox.run(&["sessions", "show", text, "--json"]).exits(0).json();
        assert_eq!(json["session_id"], *id, "{text}");
    }
    interrupted(&sandbox);
    let ran = sandbox.run(&["sessions", "show", "data-"]).exits(2);
    assert!(ran.stderr.contains(&workflow_id), "candidates are listed: {}", ran.stderr);
    assert!(ran.stderr.contains("help:"), "{}", ran.stderr);
    let ran = sandbox.run(&["sessions", "show", "nothing"]).exits(3);
    assert!(ran.stderr.contains("help: prodigy sessions list"), "{}", ran.stderr);
}

#[test]
fn hostile_ids_reach_nothing() {
    let sandbox = Sandbox::new();
    interrupted(&sandbox);
    // What an escape from sessions/ would find, if one were possible.
    let secret = sandbox.root().join("home/secret");
    std::fs::create_dir(&secret).unwrap();
    std::fs::write(secret.join("session.json"), "TOP SECRET").unwrap();
    std::fs::write(secret.join("journal.jsonl"), "TOP SECRET").unwrap();
    let commands: [&[&str]; 11] = [
        &["checkpoints", "list", "--workflow-id"],
        &["checkpoints", "show"],
        &["checkpoints", "validate"],
        &["checkpoints", "validate", "--repair", "--yes"],
        &["checkpoints", "export"],
        &["checkpoints", "clean", "--force", "--workflow-id"],
        &["sessions", "show"],
        &["sessions", "clean", "--force", "--id"],
        &["events", "ls", "--session"],
        &["events", "stats", "--session"],
        &["logs"],
    ];
    let absolute = secret.display().to_string();
    let ids = [
        "../../secret",
        "../../../etc",
        &absolute,
        "session-../../secret",
        ".",
        "..",
        "*",
        "a\nb",
        "",
    ];
    for command in commands {
        for id in ids {
            let mut arguments = command.to_vec();
            arguments.push(id);
            let ran = sandbox.run(&arguments).exits(3);
            assert_eq!(ran.stdout, "", "{arguments:?}");
            assert!(!ran.stderr.contains("TOP SECRET"), "{arguments:?}: {}", ran.stderr);
            assert!(!ran.stderr.contains('\u{1b}'), "{arguments:?}");
        }
    }
    assert_eq!(std::fs::read_to_string(secret.join("session.json")).unwrap(), "TOP SECRET");
}

#[test]
fn a_session_is_shown_at_any_version() {
    let sandbox = Sandbox::new();
    let (_, id) = interrupted(&sandbox);
    let latest = sandbox.run(&["checkpoints", "show", &id]).exits(0).stdout;
    assert!(latest.contains("make step-3") && latest.contains("make step-1"), "{latest}");
    for version in ["1", "v1"] {
        let first =
            sandbox.run(&["checkpoints", "show", &id, "--version", version]).exits(0).stdout;
        assert!(first.contains("make step-1") && !first.contains("make step-2"), "{first}");
    }
    let json =
        sandbox.run(&["checkpoints", "show", &id, "--json", "--version", "v1"]).exits(0).json();
    assert_eq!(json["version"], 1);
    assert_eq!(json["completed_steps"].as_array().map(Vec::len), Some(1));
    assert_eq!(json["completed_steps"][0]["output"], "one\n");
    let diff = sandbox.run(&["checkpoints", "show", &id, "--diff", "v1..v2"]).exits(0).stdout;
    assert!(diff.contains("make step-2") && !diff.contains("make step-1"), "{diff}");
    let ran = sandbox.run(&["checkpoints", "show", &id, "--version", "v9"]).exits(3);
    assert!(ran.stderr.contains("v1 to v2"), "{}", ran.stderr);
    let versions = sandbox.run(&["checkpoints", "list", "--workflow-id", &id]).exits(0).stdout;
    assert!(versions.starts_with(&format!("{id}: step 3/3 (interrupted)\n")), "{versions}");
    let json =
        sandbox.run(&["checkpoints", "list", "--workflow-id", &id, "--json"]).exits(0).json();
    assert_eq!(json.as_array().map(Vec::len), Some(2));
}

#[test]
fn logs_are_shown_as_they_were_printed() {
    let sandbox = Sandbox::new();
    let (_, id) = interrupted(&sandbox);
    let ran = sandbox.run(&["logs"]).exits(0);
    assert_eq!(ran.stdout, "thr");
    assert!(ran.stderr.starts_with("step 3, attempt 1: "), "{}", ran.stderr);
    let ran = sandbox.run(&["logs", &id, "--step", "1", "-q"]).exits(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("one\n", ""));
    let ran = sandbox.run(&["logs", &id, "--step", "2"]).exits(0);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("printed nothing"), "{}", ran.stderr);
    sandbox.run(&["logs", &id, "--step", "4"]).exits(3);
    sandbox.run(&["logs", &id, "--step", "1", "--attempt", "2"]).exits(3);
    let listed = sandbox.run(&["logs", &id, "--list", "--json"]).exits(0).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(3));
    assert_eq!(
        sandbox.run(&["logs", &id, "--step", "1", "--json"]).exits(0).json()["text"],
        "one\n"
    );
    assert_eq!(sandbox.run(&["logs", "--follow"]).exits(0).stdout, "thr");
}

#[test]
fn a_followed_log_grows_and_ends_with_the_session() {
    let sandbox = Sandbox::new();
    let past = Past::new(&sandbox, "flow", 2);
    past.start("1").print("1", "begin\n");
    let mut child = sandbox.command(&["logs", "--follow"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "begin");
    past.print("1", "more\n");
    assert_eq!(lines.next().unwrap().unwrap(), "more");
    past.finish("1", "begin\nmore\n").start("2").print("2", "second\n").finish("2", "second\n");
    assert_eq!(lines.next().unwrap().unwrap(), "second");
    past.end(SessionStatus::Completed);
    assert!(lines.next().is_none(), "the follower ends");
    assert!(child.wait().unwrap().success());
}

#[test]
fn cleaning_asks_and_spares_what_can_be_resumed() {
    let sandbox = Sandbox::new();
    let (_, kept) = interrupted(&sandbox);
    let (id, over) = completed(&sandbox, "over");
    sandbox.run(&["checkpoints", "clean"]).exits(2);
    let ran = sandbox.run(&["checkpoints", "clean", "--all"]).exits(6);
    assert!(ran.stderr.starts_with("error: removing the records of 1 session"), "{}", ran.stderr);
    assert!(ran.stderr.contains("help: prodigy checkpoints clean --all --force"), "{}", ran.stderr);
    let ran = sandbox.run(&["checkpoints", "clean", "--all", "--dry-run"]).exits(0);
    assert!(ran.stdout.starts_with(&format!("would remove {over}")), "{}", ran.stdout);
    assert!(!ran.stdout.contains(&kept), "{}", ran.stdout);
    let young = ["checkpoints", "clean", "--older-than", "7d", "--force", "--json"];
    assert_eq!(sandbox.run(&young).exits(0).json(), serde_json::json!([]));
    sandbox.run(&["checkpoints", "clean", "--older-than", "week"]).exits(2);
    let ran = sandbox.run(&["checkpoints", "clean", "--all", "--force", "--json"]).exits(0);
    assert_eq!(ran.json()[0]["session_id"], *id);
    let left = sandbox.run(&["checkpoints", "list"]).exits(0).stdout;
    assert!(left.contains(&kept) && !left.contains(&over), "{left}");
    // The card stays.
    let listed = sandbox.run(&["sessions", "list"]).exits(0).stdout;
    assert!(listed.contains(&over), "{listed}");
    let shown = sandbox.run(&["sessions", "show", &over]).exits(0).stdout;
    assert!(shown.contains("cleaned"), "{shown}");
    let ran = sandbox.run(&["sessions", "clean", "--id", &kept, "-y"]).exits(0);
    assert!(ran.stdout.contains(&kept), "{}", ran.stdout);
    sandbox.run(&["sessions", "show", &kept]).exits(3);
}

#[test]
fn what_runs_is_never_touched() {
    let sandbox = Sandbox::new();
    let past = Past::new(&sandbox, "flow", 2);
    past.start("1").finish("1", "");
    let id = past.workflow_id.to_string();
    let commands: [&[&str]; 3] = [
        &["checkpoints", "clean", "--force", "--workflow-id", &id],
        &["sessions", "clean", "--force", "--id", &id],
        &["checkpoints", "export", &id],
    ];
    for command in commands {
        let ran = sandbox.run(command).exits(4);
        let pid = std::process::id().to_string();
        assert!(ran.stderr.contains(&pid), "who holds it: {}", ran.stderr);
    }
    let listed = sandbox.run(&["checkpoints", "list"]).exits(0).stdout;
    assert!(listed.contains("running"), "{listed}");
    assert!(past.session.home().journal(&past.id).exists());
}

#[test]
fn damage_is_told_and_repaired_only_on_a_persons_word() {
    let sandbox = Sandbox::new();
    let (id, workflow_id) = interrupted(&sandbox);
    sandbox.run(&["checkpoints", "validate", &workflow_id]).exits(0);
    let journal = sandbox.state().join("sessions").join(&id).join("journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    let damaged = text.replace("make step-2", "make step-X");
    assert_ne!(text, damaged);
    std::fs::write(&journal, &damaged).unwrap();
    let ran = sandbox.run(&["checkpoints", "validate", &workflow_id]).exits(5);
    assert!(ran.stderr.contains("journal.jsonl:5"), "{}", ran.stderr);
    assert!(ran.stderr.contains("--repair"), "{}", ran.stderr);
    assert!(ran.stdout.contains("would run again"), "{}", ran.stdout);
    let json = sandbox.run(&["checkpoints", "validate", &workflow_id, "--json"]).exits(5).json();
    assert_eq!(json["valid"], false);
    let ran = sandbox.run(&["checkpoints", "show", &workflow_id]).exits(5);
    assert!(ran.stdout.contains("make step-1"), "what is good is shown: {}", ran.stdout);
    let ran = sandbox.run(&["checkpoints", "list"]).exits(0);
    assert!(ran.stderr.contains("damaged"), "{}", ran.stderr);
    sandbox.run(&["checkpoints", "validate", &workflow_id, "--repair"]).exits(6);
    assert_eq!(std::fs::read_to_string(&journal).unwrap(), damaged, "nothing changed");
    sandbox.run(&["checkpoints", "validate", &workflow_id, "--repair", "--yes"]).exits(0);
    sandbox.run(&["checkpoints", "validate", &workflow_id]).exits(0);
    assert!(text.starts_with(&std::fs::read_to_string(&journal).unwrap()));
}

#[test]
fn a_session_moves_to_another_home() {
    let sandbox = Sandbox::new();
    let (id, workflow_id) = interrupted(&sandbox);
    let archive = format!("{workflow_id}.prodigy");
    sandbox.run(&["checkpoints", "export", &workflow_id]).exits(0);
    sandbox.run(&["checkpoints", "export", &workflow_id]).exits(2);
    let other = sandbox.root().join("other home");
    let import = |file: &str| {
        let mut command = sandbox.command(&["checkpoints", "import", file]);
        Ran::of(command.env("PRODIGY_HOME", &other).output().unwrap())
    };
    let ran = import(&archive).exits(0);
    assert!(ran.stdout.contains(&id), "{}", ran.stdout);
    let mut command = sandbox.command(&["sessions", "show", &id]);
    Ran::of(command.env("PRODIGY_HOME", &other).output().unwrap()).exits(0);
    let again = import(&archive).exits(0);
    assert!(again.stderr.contains("fresh id"), "{}", again.stderr);
    import("absent.prodigy").exits(3);
    sandbox.write("junk.prodigy", "junk\n");
    import("junk.prodigy").exits(5);
}

#[test]
fn a_home_that_cannot_be_used_is_an_error_of_its_own() {
    let sandbox = Sandbox::new();
    let without = |names: &[&str]| {
        let mut command = sandbox.command(&["sessions", "list"]);
        for name in names {
            command.env_remove(name);
        }
        Ran::of(command.output().unwrap())
    };
    let ran = without(&["HOME", "PRODIGY_HOME"]).exits(5);
    assert!(ran.stderr.contains("help: export PRODIGY_HOME"), "{}", ran.stderr);
    without(&["PRODIGY_HOME"]).exits(0);
    let mut command = sandbox.command(&["sessions", "list"]);
    let file = sandbox.write("file", "");
    Ran::of(command.env("PRODIGY_HOME", file.join("below")).output().unwrap()).exits(5);
}

#[test]
fn a_read_only_home_can_be_looked_at() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::new();
    let (_, id) = interrupted(&sandbox);
    let mut closed = Vec::new();
    for path in [sandbox.state(), sandbox.state().join("sessions")] {
        let before = std::fs::metadata(&path).unwrap().permissions();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o500)).unwrap();
        closed.push((path, before));
    }
    let ran = sandbox.run(&["checkpoints", "show", &id]);
    let listed = sandbox.run(&["checkpoints", "list"]);
    for (path, before) in closed {
        std::fs::set_permissions(path, before).unwrap();
    }
    ran.exits(0);
    assert!(listed.exits(0).stdout.contains(&id));
}

#[test]
fn a_person_reads_no_control_characters() {
    let sandbox = Sandbox::new();
    let past = Past::new(&sandbox, "evil\u{1b}[2Jname", 1);
    past.commit(EventKind::StepStarted {
        address: address("1"),
        attempt: 1,
        command: "shell: \u{1b}]0;title\u{7}".to_owned(),
        name: String::new(),
        id: None,
        agent_session: None,
        agent_continues: false,
        head: None,
    });
    let (_, id) = past.end(SessionStatus::Interrupted);
    let id = id.to_string();
    let commands: [&[&str]; 5] = [
        &["checkpoints", "list", "-v"],
        &["checkpoints", "show", &id, "--verbose"],
        &["sessions", "list"],
        &["sessions", "show", &id],
        &["events", "ls"],
    ];
    for command in commands {
        let ran = sandbox.run(command).exits(0);
        assert!(!ran.stdout.contains(['\u{1b}', '\u{7}']), "{command:?}: {}", ran.stdout);
    }
}

#[test]
fn events_are_listed_filtered_and_exported() {
    let sandbox = Sandbox::new();
    let (_, id) = interrupted(&sandbox);
    let listed = sandbox.run(&["events", "ls"]).exits(0).stdout;
    assert!(listed.contains("step_started") && listed.contains("make step-3"), "{listed}");
    let all = sandbox.run(&["events", "ls", "--session", &id, "--json"]).exits(0).json();
    let all = all.as_array().unwrap();
    assert_eq!(all[0]["type"], "session_started");
    assert_eq!(all.last().unwrap()["type"], "run_finished");
    let finished = ["events", "ls", "--type", "step_finished", "--json"];
    assert_eq!(sandbox.run(&finished).exits(0).json().as_array().map(Vec::len), Some(2));
    sandbox.run(&["events", "ls", "--type", "step_finish"]).exits(2);
    let of_three = sandbox.run(&["events", "ls", "--step", "3"]).exits(0).stdout;
    assert!(of_three.contains("make step-3") && !of_three.contains("make step-1"), "{of_three}");
    assert_eq!(
        sandbox.run(&["events", "ls", "--since", "2100-01-01T00:00:00Z"]).exits(0).stdout,
        ""
    );
    assert_eq!(sandbox.run(&["events", "ls", "--since", "1h"]).exits(0).stdout, listed);
    sandbox.run(&["events", "ls", "--since", "yesterday"]).exits(2);
    let exported = sandbox.run(&["events", "export"]).exits(0).stdout;
    assert_eq!(exported.lines().count(), all.len());
    for line in exported.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    sandbox.run(&["events", "export", "-o", "events.jsonl"]).exits(0);
    assert_eq!(sandbox.read("events.jsonl"), exported);
    sandbox.run(&["events", "export", "-o", "events.jsonl"]).exits(2);
    let followed = sandbox.run(&["events", "follow", "--json"]).exits(0).stdout;
    assert_eq!(followed, exported, "nobody runs it: following ends at once");
}

#[test]
fn statistics_count_one_session_or_all() {
    let sandbox = Sandbox::new();
    interrupted(&sandbox);
    completed(&sandbox, "other");
    let one = sandbox.run(&["events", "stats", "--json", "--session", "data pipeline"]).exits(0);
    assert_eq!(one.json()["events"]["step_finished"], 2);
    let all = sandbox.run(&["events", "stats", "--all", "--json"]).exits(0).json();
    assert_eq!(all["events"]["step_finished"], 3);
    assert_eq!(all["sessions"], 2);
    sandbox.run(&["events", "stats"]).exits(0);
    sandbox.run(&["events", "stats", "--all", "--session", "x"]).exits(2);
}

#[test]
fn followed_events_come_as_they_happen_and_end_with_the_session() {
    let sandbox = Sandbox::new();
    let past = Past::new(&sandbox, "flow", 1);
    let mut child =
        sandbox.command(&["events", "follow", "--type", "step_started"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    past.start("1");
    assert!(lines.next().unwrap().unwrap().contains("make step-1"));
    past.finish("1", "").start("2");
    assert!(lines.next().unwrap().unwrap().contains("make step-2"));
    past.end(SessionStatus::Completed);
    assert!(lines.next().is_none(), "the follower ends");
    assert!(child.wait().unwrap().success());
}

#[test]
fn checkpoint_files_that_came_with_a_repository_are_shown() {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.directory().join(".prodigy/checkpoints")).unwrap();
    sandbox.write(
        ".prodigy/checkpoints/workflow-12345.json",
        r#"{
          "workflow_id": "workflow-12345",
          "workflow_path": "workflow.yaml",
          "timestamp": "2024-01-20T10:30:00Z",
          "execution_state": {"status": "interrupted", "current_step_index": 1, "total_steps": 10},
          "variables": {"custom_var": "value", "shell": {"output": "last command output"}},
          "completed_steps": [
            {"step_index": 0, "command": "shell: initialize.sh", "success": true,
             "timestamp": "2024-01-20T10:25:00Z"}
          ]
        }"#,
    );
    sandbox.write(".prodigy/checkpoints/broken.json", "{");
    let listed = sandbox.run(&["checkpoints", "list"]).exits(0).stdout;
    assert!(listed.contains("workflow-12345  interrupted at step 2/10"), "{listed}");
    assert!(listed.contains("broken"), "{listed}");
    let json = sandbox.run(&["checkpoints", "list", "--json"]).exits(0).json();
    assert_eq!(json.as_array().map(Vec::len), Some(2));
    let shown = sandbox.run(&["checkpoints", "show", "workflow-12345"]).exits(0).stdout;
    assert!(shown.contains("initialize.sh") && shown.contains("custom_var = value"), "{shown}");
    let json = sandbox.run(&["checkpoints", "show", "workflow-12345", "--json"]).exits(0).json();
    assert_eq!(json["completed_steps"][0]["step_index"], 0);
    sandbox.run(&["checkpoints", "show", "broken"]).exits(5);
    sandbox.run(&["checkpoints", "show", "../checkpoints/broken"]).exits(3);
}
