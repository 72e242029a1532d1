//! What is derived from a journal: index card, checkpoint file, and checkpoints of others.

use serde_json::{Value as Json, json};

use super::super::*;
use super::{finish, home, start, started};
use crate::session::*;

fn json_at(path: &std::path::Path) -> Json {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn failing(index: usize) -> [EventKind; 4] {
    let address = Address::root().step(index);
    let failure = Failure {
        kind: FailureKind::Exit,
        class: FailureClass::Network,
        message: Stored::plain("connection reset"),
        help: None,
    };
    let report = Report { exit_code: Some(7), failure: Some(failure.clone()), ..Report::default() };
    let handler = address.below_numbered("on_failure", 1);
    [
        start(index),
        EventKind::AttemptFinished {
            address: address.clone(),
            attempt: 1,
            report: Box::new(report),
        },
        EventKind::ErrorRaised {
            address: address.clone(),
            step: address,
            failure,
            exit_code: Some(7),
            attempt: 1,
            output: Stored::default(),
            stderr: Stored::plain("reset by peer"),
            correlation_id: "c-1".into(),
        },
        EventKind::HandlerStarted {
            address: handler,
            id: "fix".into(),
            strategy: "recovery".into(),
            attempt: 1,
            correlation_id: "c-1".into(),
        },
    ]
}

#[test]
fn the_checkpoint_file_has_the_documented_keys() {
    let (_place, home) = home();
    let header = started("flow");
    let (id, workflow) = (header.session_id.clone(), header.workflow_id.clone());
    let session = OpenSession::create(&home, header, "", Durability::Strict).unwrap();
    session.commit(start(1)).unwrap();
    session.commit(finish(1, "built")).unwrap();
    for kind in failing(2) {
        session.commit(kind).unwrap();
    }
    session
        .commit(EventKind::RetryScheduled {
            address: Address::root().step(2),
            attempt: 2,
            delay_ms: 500,
            not_before: chrono::Utc::now(),
            max_attempts: Some(3),
            uncounted: false,
            correlation_id: String::new(),
        })
        .unwrap();
    session.sync().unwrap();
    session.snapshot(true);
    let snapshot = json_at(&home.snapshot("app", &workflow));
    assert_eq!(snapshot["workflow_id"], workflow.as_str());
    assert_eq!(snapshot["session_id"], id.as_str());
    assert_eq!(snapshot["version"], 1);
    assert_eq!(snapshot["execution_state"]["status"], "running");
    assert_eq!(snapshot["execution_state"]["current_step_index"], 1);
    assert_eq!(snapshot["execution_state"]["total_steps"], 3);
    assert_eq!(snapshot["variables"], json!({ "out": "built", "shell": { "output": "built" } }));
    let step = &snapshot["completed_steps"][0];
    assert_eq!(step["step_index"], 0);
    assert_eq!(step["command"], "shell: echo 1");
    assert_eq!((&step["success"], &step["exit_code"]), (&json!(true), &json!(0)));
    assert_eq!(step["duration"], json!({ "secs": 0, "nanos": 12_000_000 }));
    assert_eq!(snapshot["retry_state"]["current_attempt"], 1);
    assert_eq!(snapshot["retry_state"]["max_attempts"], 3);
    assert_eq!(snapshot["retry_state"]["last_error"], "connection reset");
    let recovery = &snapshot["error_recovery_state"];
    assert_eq!(recovery["active_handlers"][0]["id"], "fix");
    assert_eq!(recovery["error_context"]["message"], "connection reset");
    assert_eq!(recovery["error_context"]["class"], "network");
    assert_eq!(recovery["correlation_id"], "c-1");
    let card = json_at(&home.card(&id));
    assert_eq!((&card["type"], &card["status"]), (&json!("standard"), &json!("running")));
    assert_eq!((&card["steps_done"], &card["last_synced_seq"]), (&json!(1), &json!(8)));
}

#[test]
fn files_are_private_whatever_was_there() {
    use std::os::unix::fs::PermissionsExt;
    let (_place, home) = home();
    let session = OpenSession::create(&home, started("flow"), "x", Durability::Relaxed).unwrap();
    session.keep(b"text").unwrap();
    session.log(&Address::root().step(1), 1).unwrap();
    session.scratch().unwrap();
    let mut waiting = vec![home.root().to_owned()];
    let mut seen = 0;
    while let Some(path) = waiting.pop() {
        let metadata = std::fs::symlink_metadata(&path).unwrap();
        let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(metadata.permissions().mode() & 0o777, expected, "{}", path.display());
        seen += 1;
        if metadata.is_dir() {
            waiting.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    assert!(seen > 10);
}

#[test]
fn relaxed_records_reach_the_disk_by_themselves() {
    let (_place, home) = home();
    let session = OpenSession::create(&home, started("flow"), "", Durability::Relaxed).unwrap();
    session.commit(finish(1, "x")).unwrap();
    session.sync().unwrap();
    let limit = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while session.synced_seq() < 2 {
        assert!(std::time::Instant::now() < limit, "never synced");
        std::thread::yield_now();
    }
    session.commit(finish(2, "x")).unwrap();
    session.sync_now().unwrap();
    assert_eq!(session.synced_seq(), 3);
}

#[test]
fn scratch_is_empty_when_a_session_is_opened() {
    let (_place, home) = home();
    let header = started("flow");
    let id = header.session_id.clone();
    let session = OpenSession::create(&home, header, "", Durability::Strict).unwrap();
    std::fs::write(session.scratch().unwrap().join("left"), "x").unwrap();
    drop(session);
    let session = OpenSession::open(&home, &id, Durability::Strict).unwrap();
    assert_eq!(std::fs::read_dir(session.scratch().unwrap()).unwrap().count(), 0);
}

#[test]
fn the_documented_example_is_read() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("workflow-12345.json");
    let text = r#"{
        "workflow_id": "workflow-12345", "workflow_path": "workflow.yaml",
        "timestamp": "2024-01-20T10:30:00Z",
        "execution_state": { "status": "interrupted", "current_step_index": 3, "total_steps": 10 },
        "variables": { "custom_var": "value", "shell": { "output": "last command output" } },
        "completed_steps": [ { "step_index": 0, "command": "shell: initialize.sh",
            "success": true, "timestamp": "2024-01-20T10:25:00Z" } ],
        "retry_state": { "current_attempt": 2, "max_attempts": 3, "last_error": "Connection timeout" }
    }"#;
    std::fs::write(&path, text).unwrap();
    let read = read_foreign(&path).unwrap();
    assert_eq!(read.workflow_id.as_ref().unwrap().as_str(), "workflow-12345");
    assert_eq!((read.current_step_index, read.total_steps), (3, Some(10)));
    assert_eq!(read.variables["shell"]["output"], "last command output");
    assert_eq!((read.completed_steps[0].exit_code, read.completed_steps[0].attempts), (0, 1));
    assert_eq!(read.retry.as_ref().unwrap().max_attempts, Some(3));
    assert_eq!(read.workflow_inside(place.path()), None);
    std::fs::write(place.path().join("workflow.yaml"), "").unwrap();
    assert!(read.workflow_inside(place.path()).is_some());
    let files = checkpoint_files(place.path()).unwrap();
    assert_eq!(files, [("workflow-12345".to_owned(), path)]);
    assert!(checkpoint_files(&place.path().join("none")).unwrap().is_empty());
}

#[test]
fn the_older_format_is_read() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("workflow-1700000000000.checkpoint.json");
    let text = json!({
        "workflow_id": "workflow-1700000000000", "workflow_name": "build",
        "workflow_path": "../outside.yaml", "workflow_hash": "abc", "version": 1,
        "timestamp": "2025-01-20T10:30:00.123456789Z", "total_steps": 4,
        "execution_state": { "current_step_index": 2, "total_steps": 4, "status": "Running",
            "start_time": "2025-01-20T10:30:00Z", "last_checkpoint": "2025-01-20T10:30:00Z" },
        "completed_steps": [
            { "step_index": 1, "command": "test: make check", "success": false, "output": null,
              "captured_variables": { "first": "1", "second": "2" },
              "duration": { "secs": 3, "nanos": 500_000_000 },
              "completed_at": "2025-01-20T10:29:00Z",
              "retry_state": { "current_attempt": 3, "max_attempts": 3, "failure_history": [],
                "in_retry_loop": false } },
            { "step_index": 0, "command": "shell: make", "success": true, "output": "ok",
              "captured_variables": { "first": "1" }, "duration": 2.5,
              "completed_at": "2025-01-20T10:28:00Z" } ],
        "variable_state": { "second": "two", "shell.output": "ok", "__failed_step_index": 1 },
        "mapreduce_state": null, "retry_checkpoint_state": null
    });
    std::fs::write(&path, text.to_string()).unwrap();
    let read = read_foreign(&path).unwrap();
    assert_eq!(read.status, SessionStatus::Interrupted);
    assert_eq!(
        Json::Object(read.variables.clone()),
        json!({ "first": "1", "second": "two", "shell": { "output": "ok" } })
    );
    let [first, second] = &read.completed_steps[..] else { panic!() };
    assert_eq!((first.index, first.duration.as_millis()), (0, 2500));
    assert_eq!((second.exit_code, second.attempts), (1, 3));
    assert_eq!(second.duration.as_millis(), 3500);
    std::fs::write(place.path().join("outside.yaml"), "").unwrap();
    let inside = place.path().join("repository");
    std::fs::create_dir(&inside).unwrap();
    assert_eq!(read.workflow_inside(&inside), None);
}

#[test]
fn wrong_checkpoints_are_told_by_key() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x.json");
    let problem = |json: Json| {
        std::fs::write(&path, json.to_string()).unwrap();
        read_foreign(&path).unwrap_err().to_string()
    };
    for (json, key) in [
        (json!([1]), "mapping"),
        (json!({ "completed_steps": 3 }), "completed_steps"),
        (json!({ "completed_steps": [3] }), "completed_steps[0]"),
        (json!({ "completed_steps": [{ "duration": -1 }] }), "duration"),
        (json!({ "completed_steps": [{ "duration": { "secs": "x" } }] }), "duration"),
        (json!({ "completed_steps": [{ "step_index": -1 }] }), "step_index"),
        (json!({ "execution_state": { "status": "dancing" } }), "status"),
        (json!({ "workflow_id": "../../x" }), "workflow_id"),
        (json!({ "timestamp": "yesterday" }), "timestamp"),
        (json!({ "version": "three" }), "version"),
        (json!({ "format_version": 9 }), "format 9"),
    ] {
        let problem = problem(json);
        assert!(problem.contains(key), "{problem}");
    }
    std::fs::write(&path, b"").unwrap();
    assert!(read_foreign(&path).is_err());
    let read = |json: Json| {
        std::fs::write(&path, json.to_string()).unwrap();
        read_foreign(&path).unwrap()
    };
    assert_eq!(read(json!({})).workflow_id.unwrap().as_str(), "x");
    assert_eq!(read(json!({ "version": "v3" })).version, 3);
    let name = "a.".repeat(100_000);
    assert_eq!(read(json!({ "variables": { name: 1 } })).variables.len(), 1);
    assert_eq!(
        read(snapshot(&SessionState::default(), 0).as_object().map_or(json!({}), |_| json!({})))
            .version,
        1
    );
}

#[test]
fn our_own_checkpoint_file_can_be_adopted() {
    let (_place, home) = home();
    let header = started("flow");
    let workflow = header.workflow_id.clone();
    let session = OpenSession::create(&home, header, "", Durability::Strict).unwrap();
    session.commit(finish(1, "built")).unwrap();
    drop(session);
    let read = read_foreign(&home.snapshot("app", &workflow)).unwrap();
    assert_eq!(read.completed_steps[0].address, Some(Address::root().step(1)));
    assert_eq!(read.completed_steps[0].captured_variables["out"], "built");
    assert_eq!((read.current_step_index, read.variables["out"].clone()), (1, json!("built")));
}

#[test]
fn replaced_files_keep_mode_and_links() {
    use std::os::unix::fs::PermissionsExt;
    let place = tempfile::tempdir().unwrap();
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let file = place.path().join("a file");
    replace_file(&file, b"one", None).unwrap();
    assert_eq!(mode(&file) & !0o022, 0o644 & !0o022);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    replace_file(&file, b"two", None).unwrap();
    assert_eq!((mode(&file), std::fs::read(&file).unwrap()), (0o640, b"two".to_vec()));
    replace_file(&file, b"run", Some(0o755)).unwrap();
    assert_eq!(mode(&file), 0o755);
    let link = place.path().join("link");
    std::os::unix::fs::symlink("a file", &link).unwrap();
    replace_file(&link, b"three", None).unwrap();
    assert!(link.is_symlink());
    assert_eq!(std::fs::read(&file).unwrap(), b"three");
    let dangling = place.path().join("dangling");
    std::os::unix::fs::symlink("fresh", &dangling).unwrap();
    replace_file(&dangling, b"four", None).unwrap();
    assert_eq!(std::fs::read(place.path().join("fresh")).unwrap(), b"four");
    std::os::unix::fs::symlink("loop", place.path().join("loop")).unwrap();
    assert!(replace_file(&place.path().join("loop"), b"x", None).is_err());
    assert!(replace_file(place.path(), b"x", None).is_err());
    assert!(replace_file(&place.path().join("none/x"), b"x", None).is_err());
    replace_file(std::path::Path::new("/dev/null"), b"gone", None).unwrap();
    assert!(!std::path::Path::new("/dev/null").is_file());
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 5);
}
