//! `requires:` and `artifacts:` with real tools, files and variables: what is missing is told before the
//! first step, and a step without its files has failed.

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

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use support::{Ran, Sandbox};

/// A program in a directory of its own that says `says` when it is asked for its version.
fn tool(sandbox: &Sandbox, name: &str, says: &str) -> PathBuf {
    let place = sandbox.root().join("tools");
    std::fs::create_dir_all(&place).unwrap();
    let file = place.join(name);
    std::fs::write(
        &file,
        format!("#!/bin/sh\necho \"$0 $*\" >> {0}/asked\n{says}\n", place.display()),
    )
    .unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    place
}

fn run(sandbox: &Sandbox, arguments: &[&str]) -> Ran {
    let path = std::env::var("PATH").unwrap();
    let tools = sandbox.root().join("tools");
    let mut command = sandbox.command(arguments);
    command.env("PATH", format!("{}:{path}", tools.display()));
    command.env("FULL", "x").env("HOLLOW", "");
    Ran::of(command.output().unwrap())
}

fn asked(sandbox: &Sandbox) -> usize {
    let text = std::fs::read_to_string(sandbox.root().join("tools/asked")).unwrap_or_default();
    text.lines().count()
}

#[test]
fn what_is_required_is_looked_at_before_the_first_step() {
    // What is required, and what is told when it will not do.
    let cases: &[(&str, &str)] = &[
        ("sh", ""),
        ("[sh, git]", ""),
        ("git >= 1.0", ""),
        ("modern >= 2.5, < 3", ""),
        ("modern == 2.10", ""),
        ("\"modern > 2.10\"", ""),
        ("modern >= 2.11", "requires modern >= 2.11, and [tools]/modern is 2.10.3"),
        ("modern < 2.9", "requires modern < 2.9, and [tools]/modern is 2.10.3"),
        ("odd >= 7", ""),
        ("odd >= 8", "and [tools]/odd is 7.1"),
        ("quiet", ""),
        ("quiet >= 1", "and [tools]/quiet does not say its version"),
        ("no-such-tool", "the workflow requires no-such-tool, and no-such-tool is not in PATH"),
        ("./no-such-tool", "the workflow requires ./no-such-tool, and ./no-such-tool is not there"),
        ("{files: [flow.yml, \"${kind}.txt\"]}", ""),
        ("{files: \"lost/${kind}\"}", "requires the file lost/given, which is not there"),
        ("{env: [FULL, OWN]}", ""),
        ("{env: HOLLOW}", "requires the environment variable HOLLOW, which is empty"),
        ("{env: NOWHERE}", "requires the environment variable NOWHERE, which is not set"),
    ];
    for (requires, told) in cases {
        for place in ["workflow", "step"] {
            let sandbox = Sandbox::new();
            let tools = tool(&sandbox, "modern", "echo modern 2.10.3-beta");
            tool(&sandbox, "odd", "case $1 in version) echo odd 7.1 >&2;; *) exit 1;; esac");
            tool(&sandbox, "quiet", "exit 0");
            sandbox.write("given.txt", "");
            let (top, own) = match place {
                "workflow" => (format!("requires: {requires}\n"), String::new()),
                _ => (String::new(), format!("    requires: {requires}\n")),
            };
            sandbox.write(
                "flow.yml",
                &format!(
                    "parameters: {{kind: {{default: given}}}}\nenv: {{OWN: 1}}\n{top}commands:\n  \
                     - shell: touch began\n  - shell: 'true'\n    name: second\n{own}"
                ),
            );
            let ran = run(&sandbox, &["cook", "flow.yml"]);
            let began = sandbox.directory().join("began").exists();
            if told.is_empty() {
                assert!(ran.code == Some(0) && began, "{requires} in {place}: {ran:#?}");
                continue;
            }
            let mut told = told.replace("[tools]", tools.to_str().unwrap());
            if place == "step" {
                told = told.replace("the workflow", "step \"second\"");
            }
            assert!(ran.code == Some(2) && !began, "{requires} in {place}: {ran:#?}");
            assert!(ran.stderr.contains(&told), "{told}\n{ran:#?}");
            assert!(ran.stderr.contains("help: "), "{ran:#?}");
        }
    }
}

#[test]
fn everything_that_is_missing_is_told_at_once_and_each_thing_once() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yml",
        "requires: [one-tool, other-tool >= 3]
commands:
  - shell: 'true'
    requires: [one-tool, third-tool]
    on_failure:
      - shell: 'true'
        requires: {env: MISSING_ONE, files: gone}
  - foreach: [1]
    env: {SET_HERE: 1, PATH: /nowhere}
    do:
      - {shell: 'true', requires: {env: SET_HERE, tools: hidden-tool}}
finally:
  - {shell: 'true', requires: last-tool}
",
    );
    let ran = run(&sandbox, &["cook", "flow.yml"]).exits(2);
    for (what, times) in [
        ("requires one-tool,", 1),
        ("requires other-tool >= 3, and other-tool is not in PATH", 1),
        ("step \"shell: true\" requires third-tool", 1),
        ("MISSING_ONE, which", 1),
        ("file gone", 1),
        ("requires last-tool,", 1),
        ("SET_HERE", 0),
        ("hidden-tool", 0),
    ] {
        assert_eq!(ran.stderr.matches(what).count(), times, "{what}: {ran:#?}");
    }
    assert!(ran.stderr.contains("install other-tool >= 3"), "{ran:#?}");
    let valid = run(&sandbox, &["validate", "flow.yml"]).exits(0);
    assert!(
        valid.stdout.contains("it needs one-tool, other-tool >= 3, third-tool, last-tool"),
        "{valid:#?}"
    );
}

#[test]
fn a_resume_looks_only_for_what_still_runs_and_asks_no_tool_for_its_version() {
    let sandbox = Sandbox::new();
    tool(&sandbox, "first", "echo 1.0");
    tool(&sandbox, "second", "echo 2.0");
    sandbox.write(
        "flow.yml",
        "commands:
  - {shell: 'true', requires: first >= 1}
  - {shell: test -e repaired, requires: second >= 2}
",
    );
    run(&sandbox, &["cook", "flow.yml"]).exits(1);
    assert_eq!(asked(&sandbox), 2);
    sandbox.write("repaired", "");
    std::fs::remove_file(sandbox.root().join("tools/first")).unwrap();
    std::fs::rename(sandbox.root().join("tools/second"), sandbox.root().join("second")).unwrap();
    let ran = run(&sandbox, &["resume"]).exits(2);
    assert!(ran.stderr.contains("requires second >= 2, and second is not in PATH"), "{ran:#?}");
    assert!(!ran.stderr.contains("requires first"), "{ran:#?}");
    std::fs::rename(sandbox.root().join("second"), sandbox.root().join("tools/second")).unwrap();
    run(&sandbox, &["resume"]).exits(0);
    assert_eq!(asked(&sandbox), 2, "no version is asked for");
}

#[test]
fn a_step_without_its_files_has_failed() {
    // The step, the exit code, and what is told.
    let cases: &[(&str, i32, &str)] = &[
        ("{shell: touch out.txt, artifacts: out.txt}", 0, ""),
        ("{shell: touch a.o b.o, artifacts: ['*.o']}", 0, ""),
        ("{shell: mkdir -p tree/deep, artifacts: [tree]}", 0, ""),
        ("{shell: mkdir sub && touch sub/x && cd sub, cwd: ., artifacts: sub/x}", 0, ""),
        ("{shell: touch here, cwd: inner, artifacts: here}", 0, ""),
        ("{shell: touch $NAME, env: {NAME: made}, artifacts: '${env.NAME}'}", 0, ""),
        ("{shell: 'true', artifacts: out.txt}", 1, "it did not make out.txt (artifacts)"),
        ("{shell: touch a.o, artifacts: [a.o, '*.so']}", 1, "it did not make *.so"),
        ("{shell: touch ../out, cwd: inner, artifacts: out}", 1, "it did not make out"),
        ("{shell: exit 3, artifacts: out.txt}", 1, "exit code 3"),
        ("{shell: 'true', artifacts: out.txt, on_failure: {shell: touch out.txt}}", 0, ""),
        (
            "{shell: 'true', artifacts: out.txt, on_failure: {shell: 'true'}}",
            1,
            "it did not make out.txt",
        ),
        ("{shell: 'test -e once && touch out; touch once', artifacts: out, retry: 1}", 0, ""),
        ("{shell: 'true', artifacts: out, continue_on_error: true}", 0, "with failures"),
        (
            "{shell: 'true', artifacts: out, validate: {shell: 'test -e out && echo \
             ''{\"completion_percentage\":100}'' || echo ''{\"completion_percentage\":0}''', \
             on_incomplete: {shell: touch out}}}",
            0,
            "",
        ),
    ];
    for (step, code, told) in cases {
        let sandbox = Sandbox::new();
        std::fs::create_dir(sandbox.directory().join("inner")).unwrap();
        sandbox.write("flow.yml", &format!("commands:\n  - {step}\n"));
        let ran = run(&sandbox, &["cook", "flow.yml"]);
        assert_eq!(ran.code, Some(*code), "{step}: {ran:#?}");
        assert!(ran.stdout.contains(told) || ran.stderr.contains(told), "{told}: {ran:#?}");
    }
}

#[test]
fn checksums_are_recorded_with_the_step() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yml",
        "artifacts: [all.txt, 'later*.txt']
commands:
  - shell: mkdir sub; echo one > all.txt
  - {shell: echo hello > own.txt, artifacts: own.txt, cwd: sub}
  - shell: echo two > all.txt; echo > later1.txt
  - shell: touch nothing
",
    );
    run(&sandbox, &["cook", "flow.yml"]).exits(0);
    let journal = journal(&sandbox);
    let of = |step: &str| -> Vec<(String, u64)> {
        let finished =
            journal.iter().find(|event| event["event"]["step_finished"]["address"] == step);
        let finished = finished.unwrap_or_else(|| panic!("{step}: {journal:#?}"));
        let artifacts = finished["event"]["step_finished"]["result"]["artifacts"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        artifacts
            .iter()
            .map(|it| (it["path"].as_str().unwrap().to_owned(), it["bytes"].as_u64().unwrap()))
            .collect()
    };
    let named = |names: &[(&str, u64)]| -> Vec<(String, u64)> {
        names.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes)).collect()
    };
    assert_eq!(of("1"), named(&[("all.txt", 4)]));
    assert_eq!(of("2"), named(&[("sub/own.txt", 6)]));
    assert_eq!(of("3"), named(&[("all.txt", 4), ("later1.txt", 1)]));
    assert_eq!(of("4"), named(&[]));
}

/// The events of the only session.
fn journal(sandbox: &Sandbox) -> Vec<serde_json::Value> {
    let sessions = sandbox.state().join("sessions");
    let session = std::fs::read_dir(sessions).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(session.join("journal.jsonl")).unwrap();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn a_workflow_without_its_files_has_failed_and_can_be_resumed() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yml",
        "artifacts: [built/app, 'report-*.xml']
commands: [echo once >> ran]
on_failure: echo handler >> ran
finally: ['echo \"finally ${workflow.status} ${error.message}\" >> ran']
",
    );
    let ran = run(&sandbox, &["cook", "flow.yml"]).exits(1);
    let missing = "artifacts of the workflow: built/app is not there; report-*.xml is not there";
    assert!(ran.stdout.contains(missing) || ran.stderr.contains(missing), "{ran:#?}");
    assert_eq!(sandbox.read("ran"), format!("once\nfinally failed {missing}\n"));
    run(&sandbox, &["resume"]).exits(1);
    std::fs::create_dir(sandbox.directory().join("built")).unwrap();
    sandbox.write("built/app", "");
    sandbox.write("report-1.xml", "");
    let ran = run(&sandbox, &["resume"]).exits(0);
    assert!(sandbox.read("ran").ends_with("finally completed \n"), "{ran:#?}");
    assert_eq!(sandbox.read("ran").matches("once").count(), 1);
}

#[test]
fn an_item_without_its_files_goes_to_the_dead_letter_queue() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yml",
        "map:
  input: printf 'a\\nb\\n'
  agent_template:
    - {shell: 'test ${item} = b || touch ${item}.out', artifacts: '${item}.out'}
",
    );
    let ran = run(&sandbox, &["cook", "flow.yml"]).exits(1);
    let dead = run(&sandbox, &["dlq", "list", "--json"]).exits(0);
    assert!(dead.stdout.contains("it did not make b.out"), "{dead:#?}\n{ran:#?}");
    assert!(!dead.stdout.contains("a.out"), "{dead:#?}");
}
