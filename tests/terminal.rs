//! A run on a terminal, made by `script` of util-linux: what scrolls by, what is drawn anew, who is asked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]
#![cfg(target_os = "linux")]

mod support;

use std::io::Write as _;
use std::process::{Command, Stdio};

use support::live::{Live, wait_until};
use support::{Ran, Sandbox};

/// The binary on a terminal of its own; none where there is no `script`.
fn on_terminal(sandbox: &Sandbox, arguments: &str, kind: &str) -> Option<Command> {
    let script = Command::new("script").arg("--version").output();
    if !script.is_ok_and(|ran| ran.status.success()) {
        println!("skipped: there is no `script` of util-linux");
        return None;
    }
    let plain = sandbox.command(&[] as &[&str]);
    let mut command = Command::new("script");
    let binary = env!("CARGO_BIN_EXE_prodigy");
    command
        .args(["-qefc", &format!("stty cols 100; exec {binary} {arguments}"), "/dev/null"])
        .current_dir(sandbox.directory())
        .env_clear()
        .envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("TERM", kind)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Some(command)
}

/// What is left to see: a line that was taken away again is none.
fn seen(written: &str) -> Vec<String> {
    let lines = written.split("\r\n").map(|line| match line.rfind("\u{1b}[2K") {
        Some(cleared) => &line[cleared + 4..],
        None => line,
    });
    lines.map(ToOwned::to_owned).collect()
}

#[test]
fn finished_steps_scroll_by_and_what_runs_is_drawn_below() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        "- shell: sleep 0.5\n- shell: echo bad; sleep 0.5; exit 3\n  on_failure: echo mended\n",
    );
    let Some(command) = on_terminal(&sandbox, "cook flow.yaml", "xterm") else { return };
    let ran = Live::start(command).end().exits(0);
    assert!(ran.stdout.contains("running   1/2 sleep 0.5"), "{ran:#?}");
    let seen = seen(&ran.stdout);
    let times = |start: &str| seen.iter().filter(|line| line.starts_with(start)).count();
    assert_eq!(times("running"), 0, "{seen:#?}");
    for line in ["run       flow, 2 steps", "done      1/2", "failed    2/2", "recovered 2/2"] {
        assert_eq!(times(line), 1, "{line}: {seen:#?}");
    }
    assert_eq!(times("flow completed"), 1, "{seen:#?}");
}

#[test]
fn a_map_tells_how_far_it_is_above_the_items_that_run() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        "map:\n  input: seq 1 24\n  max_parallel: 8\n  agent_template:\n    \
         - sleep 0.3; [ ${item} != 5 ]\nreduce: [sleep 0.7]\n",
    );
    let Some(command) = on_terminal(&sandbox, "cook flow.yaml", "xterm") else { return };
    let ran = Live::start(command).end().exits(1);
    let map = ran.stdout.split("map       ").skip(1).map(|it| it.split('\r').next().unwrap());
    let told: Vec<&str> = map.filter(|it| it.contains("/24 items")).collect();
    assert!(told.iter().any(|it| it.contains("/s, ") && it.contains(" left")), "{told:#?}");
    assert!(told.iter().any(|it| it.contains("1 failed")), "{told:#?}");
    assert!(ran.stdout.contains("… and 3 more"), "{ran:#?}");
    let reduce = ran.stdout.rsplit("running   reduce/1").next().unwrap();
    assert!(!reduce.contains("running   map/"), "{reduce}");
    assert_eq!(ran.stdout.matches("done      map/item_").count(), 23, "{ran:#?}");
}

#[test]
fn a_person_is_asked_and_answers() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        r#"
- shell: echo a >> words; test -e mended
  on_failure: {strategy: intervene, message: "mend it"}
- shell: echo b >> words
  requires_confirmation: true
"#,
    );
    let Some(mut command) = on_terminal(&sandbox, "cook flow.yaml", "xterm") else { return };
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut typed = child.stdin.take().unwrap();
    wait_until("the first failure", || sandbox.said("words", "a"));
    typed.write_all(b"retry\n").unwrap();
    wait_until("the second failure", || sandbox.words("words") == "a a");
    typed.write_all(b"what?\nskip\ny\n").unwrap();
    let ran = Ran::of(child.wait_with_output().unwrap()).exits(0);
    drop(typed);
    assert_eq!(sandbox.words("words"), "a a b");
    assert!(ran.stdout.contains("Step 1 failed. mend it [retry/skip/abort] "), "{ran:#?}");
    assert!(ran.stdout.contains("Run step 2 (shell: echo b >> words)? [y/N] "), "{ran:#?}");
}

#[test]
fn a_terminal_that_cannot_move_its_cursor_gets_plain_lines() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", "- shell: sleep 0.3\n");
    let Some(command) = on_terminal(&sandbox, "cook flow.yaml", "dumb") else { return };
    let ran = Live::start(command).end().exits(0);
    assert!(!ran.stdout.contains('\u{1b}'), "{ran:#?}");
    assert!(ran.stdout.contains("running   1/1 sleep 0.3\r\n"), "{ran:#?}");
}
