//! The dashboard: its numbers, and a page that nothing from outside can change.

use super::sandbox;

#[test]
fn numbers_add_up() {
    let sandbox = sandbox("commands: [{shell: ./flaky one 2}]");
    let empty = sandbox.run(&["recovery", "dashboard", "--json"]).exits(0).json();
    assert_eq!(empty["recovery_summary"]["success_rate"], serde_json::Value::Null);
    sandbox.repeats_unknown();
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    sandbox.initiate(&[]).exits(1);
    sandbox.initiate(&["--type", "retry"]).exits(0);
    let board = sandbox.run(&["recovery", "dashboard", "--json"]).exits(0).json();
    assert_eq!(
        board["recovery_summary"],
        serde_json::json!({
            "total_recoveries": 2,
            "successful_recoveries": 1,
            "failed_recoveries": 1,
            "in_progress_recoveries": 0,
            "success_rate": 50.0,
        })
    );
    assert_eq!(
        board["recovery_by_type"],
        serde_json::json!({
            "retry": {"total": 1, "successful": 1},
            "resume": {"total": 1, "successful": 0},
            "rollback": {"total": 0, "successful": 0},
            "person": {"total": 0, "successful": 0},
        })
    );
    assert_eq!(board["recent_operations"][0]["recovery_type"], "retry", "newest first");
    let health = &board["checkpoint_status"];
    assert_eq!(health["total_checkpoints"], health["healthy_checkpoints"]);
    assert_eq!(health["sessions"][0]["checkpoints"], 3);
    let other = sandbox.run(&["recovery", "dashboard", "--repository", "other", "--json"]);
    assert_eq!(other.json()["recovery_summary"]["total_recoveries"], 0);
    let text = sandbox.run(&["recovery", "dashboard"]).exits(0).stdout;
    assert!(text.contains("50.00 %"), "{text}");
}

#[test]
fn damage_is_seen() {
    let sandbox = sandbox("commands: [{shell: ./say one}, {shell: ./say two}]");
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    super::damage::flip(&sandbox, 5);
    let board = sandbox.run(&["recovery", "dashboard", "--json"]).exits(0).json();
    assert_eq!(board["checkpoint_status"]["damaged_sessions"], 1);
    assert_eq!(board["checkpoint_status"]["healthy_checkpoints"], 0);
    assert!(board["checkpoint_status"]["sessions"][0]["problem"].is_string());
}

#[test]
fn the_page_stands_alone_and_escapes_everything() {
    let sandbox = sandbox(
        "
name: <script>alert('name')</script>
commands: [{shell: echo x && ./flaky one 1}]
recovery: {rules: [{when: \"error.message != '<img src=x onerror=alert(1)>'\", fix: 'true'}]}
",
    );
    sandbox.run(&["cook", "flow.yaml"]).exits(1);
    sandbox.run(&["recovery", "initiate"]).exits(0);
    sandbox.run(&["recovery", "dashboard", "--html", "page.html"]).exits(0);
    let page = sandbox.read("page.html");
    assert!(page.starts_with("<!DOCTYPE html>"));
    assert!(page.contains("<svg") && page.contains("prefers-color-scheme: dark"));
    for outside in ["<script", "<img", "http:", "https:", "url(", "@import", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"), "{page}");
}
