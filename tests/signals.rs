//! Signals and what they must not leave behind: every process ends, the session says so, and a
//! resume repeats no more than the step in flight.

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

use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use support::Sandbox;
use support::live::{Live, wait_until};

/// Step two leaves nothing out that could survive: a background child, one in a session of its
/// own, and one that has lost every mark of where it comes from.
const THREE_STEPS: &str = r#"
commands:
  - echo one >> words
  - shell: |
      echo two >> words
      [ -e go ] && exit 0
      sleep 1001 &
      setsid sleep 1002 &
      setsid env -i sleep 1003 &
      echo $$ > ready
      sleep 1004
  - echo three >> words
"#;

/// Starts `cook` and waits until step two has all its processes.
fn in_step_two(sandbox: &Sandbox, command: Command) -> Live {
    sandbox.write("flow.yaml", THREE_STEPS);
    let live = Live::start(command);
    wait_until("the processes of step two", || {
        let living = sandbox.living();
        (1001..=1004).all(|number| living.contains(&format!("sleep {number}")))
    });
    live
}

/// Resumes to the end: the steps that were finished are not repeated.
fn finishes(sandbox: &Sandbox) {
    sandbox.write("go", "");
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.words("words"), "one two two three");
    assert_eq!(sandbox.status(), "completed");
}

/// Whether this process was started so that it ignores SIGHUP, and what it starts too.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & 1 == 1))
}

#[test]
fn each_signal_ends_everything_and_has_its_exit_code() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        if signal == Signal::HUP && hangup_is_ignored() {
            println!("skipped: the tests run where a hangup is ignored, as under nohup");
            continue;
        }
        let sandbox = Sandbox::new();
        let live = in_step_two(&sandbox, sandbox.command(&["cook", "flow.yaml"]));
        live.signal(signal);
        let ran = live.end().exits(code);
        assert!(ran.stdout.contains("prodigy resume"), "{ran:#?}");
        assert_eq!(sandbox.living(), [""; 0], "{signal:?}");
        assert_eq!(sandbox.status(), "interrupted", "{signal:?}");
        finishes(&sandbox);
    }
}

#[test]
fn interrupt_works_where_it_was_started_as_ignored() {
    let sandbox = Sandbox::new();
    let mut command = shell(&sandbox, "trap '' INT TERM; exec \"$PRODIGY\" cook flow.yaml");
    command.env("PRODIGY", env!("CARGO_BIN_EXE_prodigy"));
    let live = in_step_two(&sandbox, command);
    live.signal(Signal::INT);
    live.end().exits(130);
    assert_eq!(sandbox.living(), [""; 0]);
    finishes(&sandbox);
}

#[test]
fn hangup_stays_ignored_under_nohup() {
    let sandbox = Sandbox::new();
    sandbox.write("flow.yaml", "commands:\n  - echo $$ > ready; until [ -e go ]; do sleep 0.01; done\n  - echo end > words\n");
    let mut command = shell(&sandbox, "trap '' HUP; exec \"$PRODIGY\" cook flow.yaml");
    command.env("PRODIGY", env!("CARGO_BIN_EXE_prodigy"));
    let live = Live::start(command);
    wait_until("the step", || sandbox.directory().join("ready").exists());
    live.signal(Signal::HUP);
    sandbox.write("go", "");
    live.end().exits(0);
    assert_eq!(sandbox.words("words"), "end");
}

#[test]
fn the_second_interrupt_does_not_wait_for_a_step_that_ignores_the_first() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        "commands:\n  - trap '' TERM INT; echo x > ready; while [ ! -e go ]; do sleep 0.05; done\n",
    );
    let mut live = Live::start(sandbox.command(&["cook", "flow.yaml"]));
    wait_until("the step", || sandbox.directory().join("ready").exists());
    let begin = Instant::now();
    let mut last: Option<Instant> = None;
    wait_until("the end", || {
        // Signals close to each other are one wish, so each comes a while after the last.
        if last.is_none_or(|last| last.elapsed() > Duration::from_millis(150)) {
            live.signal(Signal::INT);
            last = Some(Instant::now());
        }
        live.is_over()
    });
    assert!(begin.elapsed() < Duration::from_secs(4), "took {:?}", begin.elapsed());
    live.end().exits(130);
    assert_eq!(sandbox.living(), [""; 0]);
    sandbox.write("go", "");
    sandbox.run(&["resume"]).exits(0);
}

#[test]
fn a_timeout_ends_the_whole_tree() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        r"
commands:
  - shell: sleep 1001 & setsid sleep 1002 & setsid env -i sleep 1003 & sleep 1004
    timeout: 300ms
    continue_on_error: true
  - echo next > words
",
    );
    let ran = sandbox.run(&["cook", "flow.yaml"]).exits(0);
    assert!(ran.stdout.contains("timed out after 300ms"), "{ran:#?}");
    assert_eq!(sandbox.living(), [""; 0]);
    assert_eq!(sandbox.words("words"), "next");
}

#[test]
fn finally_runs_when_interrupted_and_the_second_interrupt_skips_it() {
    for skipped in [false, true] {
        let sandbox = Sandbox::new();
        sandbox.write(
            "flow.yaml",
            r#"
commands:
  - echo one >> words; [ -e go ] || { echo x > ready; sleep 1001; }
finally:
  - echo "${workflow.status}" >> words; [ -e short ] || { echo x > last; sleep 1002; }
  - echo after >> words
"#,
        );
        if !skipped {
            sandbox.write("short", "");
        }
        let mut live = Live::start(sandbox.command(&["cook", "flow.yaml"]));
        wait_until("the step", || sandbox.directory().join("ready").exists());
        live.signal(Signal::INT);
        if skipped {
            wait_until("finally", || sandbox.directory().join("last").exists());
            let mut last: Option<Instant> = None;
            wait_until("the end", || {
                if last.is_none_or(|last| last.elapsed() > Duration::from_millis(150)) {
                    live.signal(Signal::INT);
                    last = Some(Instant::now());
                }
                live.is_over()
            });
        }
        live.end().exits(130);
        assert_eq!(sandbox.living(), [""; 0]);
        let words = if skipped { "one interrupted" } else { "one interrupted after" };
        assert_eq!(sandbox.words("words"), words);
        assert_eq!(sandbox.status(), "interrupted");
        sandbox.write("go", "");
        sandbox.write("short", "");
        sandbox.run(&["resume"]).exits(0);
        assert_eq!(sandbox.words("words"), format!("{words} one completed after"));
    }
}

#[test]
fn a_finally_that_is_interrupted_is_made_up_for_by_the_resume() {
    for (code, status, exits) in [("0", "interrupted", 143), ("3", "failed", 1)] {
        let sandbox = Sandbox::new();
        sandbox.write(
            "flow.yaml",
            &format!(
                r#"
commands:
  - echo one >> words; [ -e go ] || exit {code}
finally:
  - echo "${{workflow.status}}" >> words; [ -e go ] || {{ echo x > ready; sleep 1001; }}
  - echo after >> words
"#
            ),
        );
        let live = Live::start(sandbox.command(&["cook", "flow.yaml"]));
        wait_until("finally", || sandbox.directory().join("ready").exists());
        live.signal(Signal::TERM);
        live.end().exits(exits);
        assert_eq!(sandbox.living(), [""; 0]);
        assert_eq!(sandbox.status(), status);
        sandbox.write("go", "");
        sandbox.run(&["resume"]).exits(0);
        let words = match status {
            "failed" => "one failed one completed after",
            _ => "one completed completed after",
        };
        assert_eq!(sandbox.words("words"), words);
        assert_eq!(sandbox.status(), "completed");
    }
}

#[test]
fn what_a_killed_run_left_is_ended_before_the_first_new_step() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        r#"
commands:
  - shell: |
      for pid in $(cat pids 2>/dev/null); do
        case $(sed 's/.*) //; s/ .*//' /proc/$pid/stat 2>/dev/null) in
          ''|Z|X) ;;
          *) echo "lives: $pid" >> words ;;
        esac
      done
      echo step >> words
      [ -e pids ] && exit 0
      trap '' TERM
      echo $$ > started
      setsid sh -c 'echo $$ >> started; exec sleep 1001' &
      sh -c 'echo $$ >> started; exec sleep 1002' &
      until [ "$(wc -l < started)" = 3 ]; do sleep 0.01; done
      mv started pids
      while :; do sleep 0.01; done
"#,
    );
    let live = Live::start(sandbox.command(&["cook", "flow.yaml"]));
    wait_until("the processes", || sandbox.directory().join("pids").exists());
    live.kill();
    assert!(sandbox.living().len() >= 3, "{:?}", sandbox.living());
    let ran = sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.words("words"), "step step", "{ran:#?}");
    assert!(ran.stderr.contains("ended a process that the run before left"), "{ran:#?}");
    assert_eq!(sandbox.living(), [""; 0]);
}

#[test]
fn what_a_killed_run_left_is_ended_when_it_starts_again_from_the_beginning_too() {
    let sandbox = Sandbox::new();
    let live = in_step_two(&sandbox, sandbox.command(&["cook", "flow.yaml"]));
    live.kill();
    assert!(sandbox.living().contains(&"sleep 1004".to_owned()));
    sandbox.write("go", "");
    sandbox.run(&["resume", "flow", "--force"]).exits(0);
    assert_eq!(sandbox.words("words"), "one two one two three");
    assert!(!sandbox.living().contains(&"sleep 1004".to_owned()), "{:?}", sandbox.living());
}

#[test]
fn a_server_is_started_again_at_every_resume_and_ends_with_the_session() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        r#"
commands:
  - shell: sleep 1001 & echo $! > server; echo server >> words
    on_resume: always
  - echo one >> words
  - shell: kill -0 "$(cat server)" && echo client >> words && { [ -e go ] || { echo x > ready; sleep 1002; } }
"#,
    );
    let live = Live::start(sandbox.command(&["cook", "flow.yaml"]));
    wait_until("the client", || sandbox.directory().join("ready").exists());
    live.kill();
    sandbox.write("go", "");
    sandbox.run(&["resume"]).exits(0);
    assert_eq!(sandbox.words("words"), "server one client server client");
    assert_eq!(sandbox.living(), [""; 0]);
}

#[test]
fn a_background_process_does_not_block_and_ends_with_the_session() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        r#"
commands:
  - shell: sleep 1001 & echo $! > pid
  - shell: kill -0 "$(cat pid)" && echo served >> words
"#,
    );
    let begin = Instant::now();
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    assert!(begin.elapsed() < Duration::from_secs(20), "took {:?}", begin.elapsed());
    assert_eq!(sandbox.words("words"), "served");
    assert_eq!(sandbox.living(), [""; 0]);
}

#[test]
fn a_suspended_run_stands_still_with_its_children_and_its_timeouts() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        r"
commands:
  - shell: echo $$ > ready; until [ -e go ]; do sleep 0.01; done; echo done > words
    timeout: 2s
",
    );
    let live = Live::start(sandbox.command(&["cook", "flow.yaml"]));
    wait_until("the step", || !sandbox.words("ready").is_empty());
    live.signal(Signal::TSTP);
    let child = sandbox.words("ready");
    let state = |pid: &str| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit(')').next().unwrap().trim().chars().next()
    };
    let own = live.pid().to_string();
    // A shell whose new child was stopped before its exec waits for that one (vfork): state D.
    wait_until("everything to stand", || {
        state(&own) == Some('T') && matches!(state(&child), Some('T' | 'D'))
    });
    let suspended = Instant::now();
    wait_until("more than the timeout", || suspended.elapsed() > Duration::from_millis(2500));
    live.signal(Signal::CONT);
    sandbox.write("go", "");
    live.end().exits(0);
    assert_eq!(sandbox.words("words"), "done");
}

#[test]
fn a_step_that_dies_by_a_signal_has_failed_and_its_input_is_empty() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        r#"
commands:
  - {shell: "cat; echo end", id: input}
  - {shell: "kill -9 $$", id: dies, continue_on_error: true}
  - echo "${input.output} ${dies.exit_code}" > words
"#,
    );
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    assert_eq!(sandbox.words("words"), "end 137");
}

fn shell(sandbox: &Sandbox, script: &str) -> Command {
    // The environment and directory of the sandbox, another program.
    let like = sandbox.command(&[""; 0]);
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(sandbox.directory()).env_clear();
    for (name, value) in like.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    command
}

#[test]
fn nothing_that_a_step_left_behind_outlives_the_run_however_it_hides() {
    for end in ["true", "false"] {
        let sandbox = Sandbox::new();
        sandbox.write(
            "flow.yaml",
            &format!(
                r"
commands:
  - setsid env -i sh -c 'sleep 1001 & sleep 1002 & echo x > hidden' > out 2>&1 &
  - until [ -e hidden ]; do sleep 0.01; done
  - (nohup env -i sleep 1003 > out 2>&1 &) ; {end}
"
            ),
        );
        let ran = sandbox.run(&["cook", "flow.yaml"]);
        assert_eq!(ran.code, Some(i32::from(end == "false")), "{ran:#?}");
        assert_eq!(sandbox.living(), [""; 0]);
    }
}
