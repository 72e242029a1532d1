//! Secrets: nothing of them on the disk, on the screen or in process titles, and a resume has them again.

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

use std::path::{Path, PathBuf};

use support::live::{Live, wait_until};
use support::{Ran, Sandbox};

const SECRET: &str = "hunter2-s3cret-v4lue";

const FLOW: &str = r#"
secrets: {TOKEN: THE_TOKEN}
commands:
  - {id: says, shell: "echo told $TOKEN; echo err $TOKEN >&2"}
  - {id: kept, shell: "printf %s \"$TOKEN\"", capture_output: captured}
  - {shell: "echo \"x${captured}y ${says.output}\" > direct"}
  - {shell: "echo failing with ${captured} >&2; [ -e go ]", id: fails}
  - {shell: "printf '%s|%s' ${captured} \"$TOKEN\" > result"}
"#;

fn cook(sandbox: &Sandbox, arguments: &[&str]) -> Ran {
    sandbox.write("flow.yaml", FLOW);
    let arguments = [&["cook", "flow.yaml"][..], arguments].concat();
    Ran::of(sandbox.command(&arguments).env("THE_TOKEN", SECRET).output().unwrap())
}

/// Every file of the state directory that holds `text`.
fn holding(directory: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn a_secret_is_nowhere_on_the_disk_and_not_on_the_screen() {
    for arguments in [&[][..], &["-vv"], &["--output", "json"]] {
        let sandbox = Sandbox::new();
        let ran = cook(&sandbox, arguments).exits(1);
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(SECRET), "{ran:#?}");
        assert_eq!(holding(&sandbox.state(), SECRET), Vec::<PathBuf>::new());
        // The step itself had it.
        assert_eq!(sandbox.words("direct"), format!("x{SECRET}y told {SECRET}"));
        for arguments in [
            &["events", "export"][..],
            &["events", "ls", "--json"],
            &["checkpoints", "show", "flow", "--verbose"],
            &["sessions", "show", "flow", "--json"],
            &["logs", "flow"],
        ] {
            let ran = sandbox.run(arguments).exits(0);
            assert!(!ran.stdout.contains(SECRET), "{arguments:?} {ran:#?}");
        }
    }
}

#[test]
fn a_resume_has_the_secret_again_or_stops_before_anything_runs() {
    let sandbox = Sandbox::new();
    cook(&sandbox, &[]).exits(1);
    sandbox.write("go", "");
    let ran = sandbox.run(&["resume"]).exits(6);
    assert!(ran.stderr.contains(r#"the secret "TOKEN" is not set"#), "{ran:#?}");
    let help = "help: set the environment variable THE_TOKEN, then: prodigy resume flow-";
    assert!(ran.stderr.contains(help), "{ran:#?}");
    assert!(!sandbox.directory().join("result").exists());
    let ran = Ran::of(sandbox.command(&["resume"]).env("THE_TOKEN", SECRET).output().unwrap());
    ran.exits(0);
    assert_eq!(sandbox.read("result"), format!("{SECRET}|{SECRET}"));
    assert_eq!(holding(&sandbox.state(), SECRET), Vec::<PathBuf>::new());
}

#[test]
fn another_value_reaches_the_later_steps_in_place_of_the_old_one() {
    let sandbox = Sandbox::new();
    cook(&sandbox, &[]).exits(1);
    sandbox.write("go", "");
    let ran =
        Ran::of(sandbox.command(&["resume"]).env("THE_TOKEN", "another-value").output().unwrap());
    ran.exits(0);
    assert_eq!(sandbox.read("result"), "another-value|another-value");
}

#[test]
fn names_that_look_like_secrets_are_masked_too_and_short_values_are_not() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        "commands:\n  - {shell: 'echo $GITHUB_TOKEN $API_KEY', capture_output: both}\n  - {shell: 'printf %s \"${both}\" > result'}\n",
    );
    let mut command = sandbox.command(&["cook", "flow.yaml"]);
    command.env("GITHUB_TOKEN", SECRET).env("API_KEY", "1");
    Ran::of(command.output().unwrap()).exits(0);
    assert_eq!(holding(&sandbox.state(), SECRET), Vec::<PathBuf>::new());
    assert_eq!(sandbox.read("result"), format!("{SECRET} 1"));
    let events = sandbox.run(&["events", "export"]).exits(0).stdout;
    assert!(events.contains(r#""seq":1"#), "a secret `1` masks no numbers: {events}");
}

#[test]
fn a_secret_is_in_no_argument_of_any_process() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        "secrets: {TOKEN: THE_TOKEN}\ncommands:\n  - {shell: 'printf %s \"$TOKEN\"', capture_output: c}\n  - {shell: 'echo ${c} > used; echo x > ready; until [ -e go ]; do sleep 0.01; done'}\n",
    );
    let mut command = sandbox.command(&["cook", "flow.yaml"]);
    command.env("THE_TOKEN", SECRET);
    let live = Live::start(command);
    wait_until("the step", || sandbox.directory().join("ready").exists());
    let living = sandbox.living();
    assert!(living.len() >= 2, "{living:?}");
    assert!(living.iter().all(|line| !line.contains(SECRET)), "{living:?}");
    sandbox.write("go", "");
    live.end().exits(0);
    assert_eq!(sandbox.words("used"), SECRET);
}

#[test]
fn a_secret_parameter_is_kept_as_a_reference() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        "secrets: {TOKEN: THE_TOKEN}\nparameters: {p: {type: string, required: true}}\ncommands:\n  - echo one >> words; [ -e go ]\n  - {shell: 'printf %s ${p} > result'}\n",
    );
    let parameter = format!("p=a {SECRET} b");
    let mut command = sandbox.command(&["cook", "flow.yaml", "--param", &parameter]);
    command.env("THE_TOKEN", SECRET);
    Ran::of(command.output().unwrap()).exits(1);
    assert_eq!(holding(&sandbox.state(), SECRET), Vec::<PathBuf>::new());
    sandbox.write("go", "");
    let ran = Ran::of(sandbox.command(&["resume"]).env("THE_TOKEN", SECRET).output().unwrap());
    ran.exits(0);
    assert_eq!(sandbox.read("result"), format!("a {SECRET} b"));
}

#[test]
fn secrets_of_stages_and_steps_are_masked_as_those_of_the_workflow() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        "stages:
  - name: one
    env: {KEY: {secret: true, value: '${env.OF_STAGE}'}}
    commands:
      - {id: says, shell: 'echo told $KEY; echo err $KEY >&2; echo ${env.KEY}'}
      - shell: 'echo $KEY; [ -e go ]'
        env: {KEY: {secret: true, value: 'step-value-2', }}
        capture: kept
      - {shell: 'printf %s \"${says.output} ${kept}\" > result'}
",
    );
    let of_stage = "stage-value-1";
    let run = |arguments: &[&str]| {
        let mut command = sandbox.command(arguments);
        Ran::of(command.env("OF_STAGE", of_stage).output().unwrap())
    };
    for arguments in [
        &["cook", "flow.yaml", "-vv"][..],
        &["events", "export"],
        &["logs", "flow"],
        &["sessions", "show", "flow", "--json"],
    ] {
        let ran = run(arguments);
        for secret in [of_stage, "step-value-2"] {
            assert!(
                !format!("{}{}", ran.stdout, ran.stderr).contains(secret),
                "{arguments:?} {ran:#?}"
            );
        }
    }
    assert_eq!(holding(&sandbox.state(), of_stage), Vec::<PathBuf>::new());
    let in_state = holding(&sandbox.state(), "step-value-2");
    assert!(in_state.iter().all(|path| path.ends_with("workflow.yaml")), "{in_state:?}");
    sandbox.write("go", "");
    run(&["resume"]).exits(0);
    assert_eq!(sandbox.read("result"), format!("told {of_stage}\n{of_stage} step-value-2"));
    assert_eq!(holding(&sandbox.state(), of_stage), Vec::<PathBuf>::new());
}

#[test]
fn a_secret_of_a_step_that_is_not_known_beforehand_is_refused() {
    let sandbox = Sandbox::new();
    for (value, why) in [
        ("value: '${a.output}'", "this is read before the first step"),
        (
            "command: 'pass show key'",
            "`KEY` is secret, so its value must be known before the first step runs",
        ),
    ] {
        sandbox.write(
            "flow.yaml",
            &format!("commands:\n  - {{id: a, shell: echo hi}}\n  - {{shell: echo, env: {{KEY: {{secret: true, {value}}}}}}}\n"),
        );
        let ran = sandbox.run(&["validate", "flow.yaml"]).exits(2);
        assert!(ran.stderr.contains(why) && ran.stderr.contains("flow.yaml:3:"), "{ran:#?}");
    }
}
