//! Steps, their options and their captures.

use std::time::Duration;

use super::{refuses, says, step, steps};
use crate::playbook::model::{
    Action, CaptureFormat, CaptureStreams, Checkpoint, Limit, OnResume, Step,
};

fn shell(step: &Step) -> &str {
    match &step.action {
        Action::Shell(text) => text.source(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_bare_text_is_a_shell_or_a_claude_command() {
    let steps = steps("- make all\n- /fix-tests now\n- \"5\"\n");
    assert_eq!(shell(&steps[0]), "make all");
    assert!(
        matches!(&steps[1].action, Action::Claude(call) if call.prompt.source() == "/fix-tests now")
    );
    assert_eq!(shell(&steps[2]), "5");
    says(
        "commands:\n  - /usr/local/bin/deploy.sh now\n",
        &[
            "2:5 `/usr/local/bin/deploy.sh` may be a program or a Claude command (write `shell:` or `claude:` in front of it)",
        ],
    );
}

#[test]
fn every_option_of_a_step_is_read() {
    let step = step(
        "- id: build-1
  name: Build it
  description: for people
  shell: make
  timeout: 5m
  env: {A: 1}
  cwd: sub
  capture: out
  capture_format: json
  capture_streams: both
  output_file: out.txt
  on_success: echo fine
  on_exit_code: {2: echo two, \"75\": [{shell: echo 75}]}
  allow_failure: true
  checkpoint: built
  on_resume: confirm
  requires_confirmation: true
  commit_required: true
  auto_commit: true
  commit_message: done
",
    );
    assert_eq!(step.id.as_deref(), Some("build-1"));
    assert_eq!(step.name.unwrap().source(), "Build it");
    assert_eq!(step.timeout, Some(Limit::Fixed(Duration::from_secs(300))));
    assert_eq!(step.env[0].name, "A");
    assert_eq!(step.working_dir.unwrap().source(), "sub");
    assert_eq!(step.capture.name.as_deref(), Some("out"));
    assert_eq!(step.capture.format, Some(CaptureFormat::Json));
    assert_eq!(step.capture.streams, CaptureStreams { stdout: true, stderr: true });
    assert_eq!(step.output_file.unwrap().source(), "out.txt");
    assert_eq!(shell(&step.on_success[0]), "echo fine");
    let codes: Vec<u8> = step.on_exit_code.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, [2, 75]);
    assert!(step.continue_on_error && step.requires_confirmation);
    assert!(step.commit_required && step.auto_commit);
    assert_eq!(step.checkpoint, Checkpoint::Named("built".to_owned()));
    assert_eq!(step.on_resume, OnResume::Confirm);
}

#[test]
fn all_problems_of_a_file_are_reported_at_once_with_their_places() {
    says(
        "name: many
comands:
  - a
commands:
  - shel: make
    timeout: soon
  - shell: make
    requires_confirmation: yes
    retry: -1
    capture_format: jsn
",
        &[
            "2:1 unknown key `comands` in the workflow (did you mean `commands`?)",
            "5:5 unknown key `shel` in a step (did you mean `shell`?)",
            "6:14 `timeout` must be a duration such as 30 (seconds), 90s, 5m or 1h30m: \"soon\" is no duration",
            "8:28 `requires_confirmation` must be true or false, not `yes` (write `true`)",
            "9:12 `retry` must be a whole number, not `-1`",
            "10:21 `capture_format` cannot be `jsn` (did you mean `json`?)",
        ],
    );
}

#[test]
fn one_cause_is_one_problem() {
    refuses("comands:\n  - a\n", "1:1 unknown key `comands` in the workflow");
    refuses(
        "- captur: x\n  shell: a\n- shell: echo ${x.y}\n",
        "1:3 unknown key `captur` in a step",
    );
    refuses("- shell:\n", "1:3 `shell` has no value");
    refuses("- {}\n", "1:3 this step has no command");
    refuses("-\n", "1:2 a step is empty");
}

#[test]
fn unknown_names_are_reported_beside_other_problems() {
    says(
        "- shell: a\n  timeout: 0\n- claude: read ${nothing}\n",
        &[
            "2:12 `timeout` must be longer than zero (remove the key for no limit)",
            "3:18 unknown name `nothing` (a name is a variable, a parameter, a captured value or the `id` of a step)",
        ],
    );
}

#[test]
fn keys_in_the_wrong_place_say_where_they_belong() {
    says(
        "- shell: a\n  max_parallel: 3\n  backoff: fixed\n",
        &[
            "2:3 unknown key `max_parallel` in a step (`max_parallel` belongs under `map:`)",
            "3:3 unknown key `backoff` in a step (`backoff` belongs under `retry:`)",
        ],
    );
}

#[test]
fn a_step_does_one_thing() {
    refuses(
        "- shell: a\n  claude: b\n",
        "2:3 a step does one thing, this one has `shell` and `claude`",
    );
    refuses("- name: only-a-name\n", "1:3 this step has no command");
    refuses("- [a]\n", "1:3 a step must be a text or a mapping, not a list");
    refuses("- 5\n", "1:3 a step must be a text or a mapping, not a number");
}

#[test]
fn claude_options_are_only_for_claude() {
    refuses("- shell: a\n  model: opus\n", "2:3 `model` is only for claude steps");
    refuses(
        "- foreach: [a]\n  do: [b]\n  output_file: c\n",
        "3:3 `output_file` is only for shell and claude steps, this is `foreach`",
    );
}

#[test]
fn captures_take_the_shapes_people_write() {
    assert_eq!(step("- shell: a\n  capture_output: true\n").capture.name, None);
    assert_eq!(step("- shell: a\n  capture_output: out\n").capture.name.as_deref(), Some("out"));
    let streams =
        |text: &str| step(&format!("- shell: a\n  capture_streams: {text}\n")).capture.streams;
    assert_eq!(streams("stderr"), CaptureStreams { stdout: false, stderr: true });
    assert_eq!(
        streams("\"stdout,stderr,exit_code\""),
        CaptureStreams { stdout: true, stderr: true }
    );
    assert_eq!(streams("{stderr: true}"), CaptureStreams { stdout: true, stderr: true });
    assert_eq!(
        streams("{stdout: false, stderr: false, exit_code: true}"),
        CaptureStreams { stdout: false, stderr: false }
    );
    refuses(
        "- shell: a\n  capture_streams: {stdout: false}\n",
        "2:20 `capture_streams` captures nothing",
    );
    refuses(
        "- shell: a\n  capture: b\n  capture_output: c\n",
        "2:3 `capture_output` and `capture` give two names",
    );
    refuses("- shell: a\n  capture: 1st\n", "2:12 `capture: 1st` is no name");
}

#[test]
fn checkpoint_names_cannot_be_taken_for_something_else() {
    for (name, why) in [
        ("v3", "it would be taken for a version"),
        ("2", "a number would be taken for a step"),
        ("a/b", "use letters, digits, spaces, `.`, `_` and `-`"),
    ] {
        refuses(
            &format!("- shell: a\n  checkpoint: {name}\n"),
            &format!("2:15 `checkpoint: {name}` cannot name a checkpoint: {why}"),
        );
    }
    assert_eq!(step("- shell: a\n  checkpoint: \"true\"\n").checkpoint, Checkpoint::Explicit);
}

#[test]
fn exit_codes_are_numbers_from_0_to_255() {
    refuses("- shell: a\n  on_exit_code: {default: b}\n", "2:18 `default` is no exit code");
    refuses("- shell: a\n  on_exit_code: {256: b}\n", "2:18 `256` is no exit code");
    refuses("- shell: a\n  on_exit_code: {2: b, \"02\": b}\n", "2:24 exit code 2 is given twice");
}

#[test]
fn a_commit_message_needs_a_commit() {
    refuses("- shell: a\n  commit_message: b\n", "2:3 `commit_message` has no effect here");
}

#[test]
fn limits_may_be_computed() {
    let step = step("- shell: a\n  timeout: ${env.T}\n");
    assert!(matches!(step.timeout, Some(Limit::Computed(text)) if text.source() == "${env.T}"));
}
