//! Several prodigies at once: one session is run by one of them, different ones do not meet.

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

use rustix::process::Signal;
use support::live::{Live, wait_until};
use support::{Ran, Sandbox};

/// One step that waits for the file `go`.
const WAITS: &str = "
commands:
  - echo one >> words
  - echo $$ >> started; until [ -e go ]; do sleep 0.01; done
  - echo three >> words
";

fn started(sandbox: &Sandbox) -> usize {
    let text = std::fs::read_to_string(sandbox.directory().join("started")).unwrap_or_default();
    text.lines().count()
}

#[test]
fn of_twenty_resumes_one_runs_and_the_others_name_it() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", WAITS);
    let live = Live::start(sandbox.command(&["cook", "flow.yaml"]));
    wait_until("the step", || started(&sandbox) == 1);
    live.kill();
    let mut all: Vec<Live> =
        (0..20).map(|_| Live::start(sandbox.command(&["resume", "flow"]))).collect();
    wait_until("nineteen refusals", || {
        all.iter_mut().filter_map(|it| it.is_over().then_some(())).count() == 19
    });
    wait_until("the one that runs", || started(&sandbox) == 2);
    sandbox.write("go", "");
    let runner = all.iter_mut().position(|it| !it.is_over()).unwrap();
    let runner = all.remove(runner);
    let pid = runner.pid().to_string();
    runner.end().exits(0);
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    for other in all {
        let ran = other.end().exits(4);
        assert!(ran.stderr.contains(&format!("pid {pid} on {host}")), "{ran:#?}");
        assert_eq!(ran.stdout, "");
    }
    assert_eq!(sandbox.words("words"), "one three");
    assert_eq!((started(&sandbox), sandbox.status()), (2, "completed".to_owned()));
}

#[test]
fn what_runs_is_not_resumed_restarted_or_cleaned() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", WAITS);
    let live = Live::start(sandbox.command(&["cook", "flow.yaml"]));
    wait_until("the step", || started(&sandbox) == 1);
    for arguments in [
        &["resume", "flow"][..],
        &["resume", "flow", "--force"],
        &["resume", "flow", "--from-checkpoint", "v1"],
        &["checkpoints", "clean", "--workflow-id", "flow", "--force"],
        &["checkpoints", "validate", "flow", "--repair", "--yes"],
    ] {
        let ran = sandbox.run(arguments);
        let validates = arguments[1] == "validate";
        assert_eq!(ran.code, Some(if validates { 0 } else { 4 }), "{arguments:?} {ran:#?}");
        let named = ran.stderr.contains(&live.pid().to_string());
        assert!(validates || named, "{arguments:?} {ran:#?}");
    }
    // What runs is no interrupted session.
    let ran = sandbox.run(&["resume"]);
    assert!(matches!(ran.code, Some(0 | 4)), "{ran:#?}");
    sandbox.run(&["checkpoints", "clean", "--all", "--force"]).exits(0);
    sandbox.run(&["checkpoints", "clean", "--all", "--older-than", "1s", "--force"]).exits(0);
    assert_eq!(sandbox.status(), "running");
    sandbox.write("go", "");
    live.end().exits(0);
    assert_eq!((sandbox.words("words").as_str(), started(&sandbox)), ("one three", 1));
}

#[test]
fn a_completed_session_that_runs_again_is_not_cleaned_even_after_a_kill() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", WAITS);
    sandbox.write("go", "");
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    std::fs::remove_file(sandbox.directory().join("go")).unwrap();
    let live = Live::start(sandbox.command(&["resume", "flow", "--from-checkpoint", "v1"]));
    wait_until("the step", || started(&sandbox) == 2);
    sandbox.run(&["checkpoints", "clean", "--all", "--force"]).exits(0);
    live.kill();
    sandbox.run(&["checkpoints", "clean", "--all", "--force"]).exits(0);
    assert_eq!(sandbox.status(), "interrupted");
    sandbox.write("go", "");
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.words("words"), "one three three");
}

#[test]
fn ten_first_uses_at_once_all_work() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", "commands:\n  - echo x >> words\n");
    let all: Vec<Live> =
        (0..10).map(|_| Live::start(sandbox.command(&["cook", "flow.yaml"]))).collect();
    let ran: Vec<Ran> = all.into_iter().map(Live::end).collect();
    assert!(ran.iter().all(|ran| ran.code == Some(0)), "{ran:#?}");
    assert_eq!(sandbox.words("words").matches('x').count(), 10);
    let list = sandbox.run(&["sessions", "list", "--json"]).exits(0).json();
    assert_eq!(list.as_array().unwrap().len(), 10);
    let repositories: Vec<_> = std::fs::read_dir(sandbox.state().join("state"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name != "mappings")
        .collect();
    assert_eq!(repositories, ["work"], "one directory has one name");
}

#[test]
fn ten_directories_of_one_name_at_once_get_names_of_their_own() {
    let sandbox = Sandbox::new();
    let mut all = Vec::new();
    for number in 0..10 {
        let directory = sandbox.directory().join(format!("{number}/same"));
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("flow.yaml"), "commands:\n  - 'false'\n").unwrap();
        let directory = directory.to_str().unwrap().to_owned();
        all.push(Live::start(sandbox.command(&["-C", &directory, "cook", "flow.yaml"])));
    }
    for live in all {
        live.end().exits(1);
    }
    let mut names: Vec<String> = sandbox
        .run(&["sessions", "list", "--json"])
        .exits(0)
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|session| session["repository"].to_string())
        .collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 10, "{names:?}");
    // Each of them has one session to resume, its own.
    for number in 0..10 {
        let directory = format!("{number}/same");
        std::fs::write(
            sandbox.directory().join(&directory).join("flow.yaml"),
            "commands:\n  - 'true'\n",
        )
        .unwrap();
        let ran = sandbox.run(&["-C", &directory, "resume", "--accept-changes"]).exits(0);
        assert!(ran.stdout.contains("completed"), "{ran:#?}");
        let ran = sandbox.run(&["-C", &directory, "resume"]).exits(0);
        assert!(ran.stderr.contains("nothing to resume"), "{ran:#?}");
    }
}

#[test]
fn five_workflows_of_one_repository_are_killed_and_resumed_for_themselves() {
    let sandbox = Sandbox::new();
    let mut all = Vec::new();
    for number in 0..5 {
        let yaml = WAITS
            .replace("words", &format!("words{number}"))
            .replace("started", &format!("started{number}"));
        sandbox.write(&format!("flow{number}.yaml"), &yaml);
        all.push(Live::start(sandbox.command(&["cook", &format!("flow{number}.yaml")])));
    }
    for number in 0..5 {
        wait_until("the steps", || !sandbox.words(&format!("started{number}")).is_empty());
    }
    for (number, live) in all.into_iter().enumerate() {
        if number % 2 == 0 {
            live.kill();
        } else {
            live.signal(Signal::TERM);
            live.end().exits(143);
        }
    }
    sandbox.write("go", "");
    let resumed: Vec<Live> = (0..5)
        .map(|number| Live::start(sandbox.command(&["resume", &format!("flow{number}")])))
        .collect();
    for live in resumed {
        live.end().exits(0);
    }
    for number in 0..5 {
        assert_eq!(sandbox.words(&format!("words{number}")), "one three");
        assert_eq!(sandbox.words(&format!("started{number}")).split(' ').count(), 2);
    }
}

#[test]
fn a_lock_file_that_a_dead_process_left_blocks_nobody() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", WAITS);
    let live = Live::start(sandbox.command(&["cook", "flow.yaml"]));
    wait_until("the step", || started(&sandbox) == 1);
    live.kill();
    // Its number belongs to another process now: to this one.
    for lock in std::fs::read_dir(sandbox.state().join("resume_locks")).unwrap() {
        let path = lock.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut holder: serde_json::Value = serde_json::from_str(&text).unwrap();
        holder["pid"] = std::process::id().into();
        std::fs::write(&path, holder.to_string()).unwrap();
    }
    sandbox.write("go", "");
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.words("words"), "one three");
}
