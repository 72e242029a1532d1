//! The keys of a workflow: names and values, stages, settings.

use std::time::Duration;

use super::{refuses, says, workflow};
use crate::expr::Value;
use crate::playbook::model::{Body, Constant, EnvValue, ParameterKind, SecretSource};

#[test]
fn a_file_is_a_list_or_a_mapping() {
    let plain = workflow("- a\n- /b\n");
    assert_eq!(plain.name, "flow");
    assert!(matches!(plain.body, Body::Steps(steps) if steps.len() == 2));
    assert_eq!(workflow("name: 2024\nversion: 1.0\nsteps: [a]\n").name, "2024");
    assert_eq!(workflow("{\"commands\": [{\"shell\": \"a\"}]}").top_steps().count(), 1);
    refuses("just text\n", "1:1 a workflow is a list of steps or a mapping, not text");
    refuses("name: a\n", "1:1 the workflow has no steps");
    refuses("commands: []\n", "1:11 `commands` is empty");
    refuses("commands: a\n", "1:11 `commands` must be a list of steps, not text");
    refuses("commands: [a]\nsteps: [b]\n", "2:1 `steps` and `commands` mean the same");
    refuses(
        "commands: [a]\nstages: [{name: b, commands: [c]}]\n",
        "2:1 `stages` stands beside `commands`",
    );
    refuses("commands: [a]\nfinally: []\n", "2:10 `finally` is empty");
}

#[test]
fn settings_are_read() {
    let workflow = workflow(
        "commands: [a]
description: text
timeout: 1h
shell: bash
claude: {model: opus, command: \"npx claude\", extra_args: [--verbose]}
continue_on_error: true
budget: {usd: 2.5, tokens: 1000, agent_calls: 3, wall_time: 2h}
limits: {max_wait: 0, idle_timeout: 10m}
capture_limit: 64 MB
env_files: .env
mode: standard
isolation: none
x-mine: anything
",
    );
    assert_eq!(workflow.shell.words, ["bash", "-c"]);
    assert_eq!(workflow.claude.command, ["npx", "claude"]);
    assert_eq!(workflow.budget.wall_time, Some(Duration::from_secs(7200)));
    assert_eq!(workflow.limits.max_wait, Some(Duration::ZERO));
    assert_eq!(workflow.capture_limit, 64 << 20);
    assert_eq!(workflow.env_files.len(), 1);
}

#[test]
fn variables_keep_types_and_spelling() {
    let workflow =
        workflow("variables: {a: 1.10, b: [x, {c: true}], d: null, e: 007}\ncommands: [x]\n");
    let value = |index: usize| &workflow.variables[index].value;
    assert!(matches!(value(0), Constant::Scalar(number) if number.to_text() == "1.10"));
    assert!(matches!(value(1), Constant::List(items) if items.len() == 2));
    assert!(matches!(value(2), Constant::Scalar(Value::Null)));
    assert!(matches!(value(3), Constant::Text(text) if text.source() == "007"));
    refuses("variables: {1a: b}\ncommands: [x]\n", "1:13 `variables: 1a` is no name");
}

#[test]
fn env_has_many_shapes() {
    let workflow = workflow(
        "profiles: {dev: {A: 1}, prod: {description: real, env: {A: 2}}}
env:
  PLAIN: 8080
  HIDDEN: {secret: true, value: s}
  COMMAND: {command: date, cache: true}
  CHOICE: {condition: 1 == 1, when_true: a, when_false: b}
  PROFILE: {default: a, prod: b, dev: {secret: true, value: c}}
commands: [x]
",
    );
    assert_eq!(workflow.profiles.len(), 2);
    assert_eq!(workflow.profiles[1].env.len(), 1);
    assert!(matches!(&workflow.env[0].value, EnvValue::Text(text) if text.source() == "8080"));
    assert!(workflow.env[1].secret);
    assert!(matches!(workflow.env[2].value, EnvValue::Command(_)));
    assert!(matches!(workflow.env[3].value, EnvValue::Conditional { .. }));
    assert!(
        matches!(&workflow.env[4].value, EnvValue::ByProfile { profiles, .. } if profiles.len() == 2)
    );
    assert!(workflow.env[4].secret);
}

#[test]
fn env_slips_are_found() {
    let with = |env: &str| format!("env: {{{env}}}\ncommands: [x]\n");
    refuses(&with("A-B: c"), "1:7 `A-B` is no name for an environment variable");
    refuses(&with("A: "), "1:7 `A` has no value");
    refuses(&with("A: [b]"), "1:10 `A` must be a text or a mapping, not a list");
    says(
        &with("A: {secert: true, value: x}"),
        &["1:11 unknown key `secert` in an `env` value (did you mean `secret`?)"],
    );
    refuses(&with("A: {prod: b}"), "1:11 `prod` is neither a key of an `env` value nor a profile");
    refuses(
        &with("A: {command: b, cache: false}"),
        "1:23 `cache: false` is not possible: the command runs once for each run",
    );
    refuses(
        &with("A: {condition: true, when_true: b}"),
        "1:10 a conditional value needs `when_false`",
    );
    says(
        &format!("profiles: {{prod: {{B: c}}}}\n{}", with("A: {default: a, prd: b}")),
        &[
            "2:23 `prd` is neither a key of an `env` value nor a profile (declared under `profiles:` are prod)",
        ],
    );
}

#[test]
fn secrets_say_where_they_come_from() {
    let workflow = workflow(
        "secrets: {A: NAME, B: \"${env:OTHER}\", C: {provider: file, key: /run/c}, D: {provider: command, key: pass d}}\ncommands: [x]\n",
    );
    let sources: Vec<&SecretSource> =
        workflow.secrets.iter().map(|secret| &secret.source).collect();
    assert_eq!(
        sources,
        [
            &SecretSource::Env("NAME".to_owned()),
            &SecretSource::Env("OTHER".to_owned()),
            &SecretSource::File("/run/c".into()),
            &SecretSource::Command("pass d".to_owned()),
        ]
    );
    refuses(
        "secrets: {A: p4ss w0rd}\ncommands: [x]\n",
        "1:14 this is no name of an environment variable",
    );
    refuses(
        "secrets: {A: {provider: vault, key: a}}\ncommands: [x]\n",
        "1:25 secrets come from the environment, a file or a command",
    );
    refuses("secrets: {A: {key: a}}\ncommands: [x]\n", "1:14 a secret needs `provider`");
}

#[test]
fn parameters_have_two_shapes() {
    let named = workflow(
        "parameters:\n  a: {type: string, required: true, description: d}\n  b: {type: number, default: 5, enum: [5, 6]}\n  c:\ncommands: [x]\n",
    );
    assert!(named.parameters[0].required && named.parameters[2].required);
    assert_eq!(named.parameters[1].kind, Some(ParameterKind::Number));
    assert_eq!(named.parameters[1].choices.len(), 2);
    let listed = workflow(
        "parameters: {required: [a, {name: b, type: boolean}], optional: [{name: c, default: x}]}\ncommands: [x]\n",
    );
    let required: Vec<bool> =
        listed.parameters.iter().map(|parameter| parameter.required).collect();
    assert_eq!(required, [true, true, false]);
    let of = |options: &str| format!("parameters: {{a: {{{options}}}}}\ncommands: [x]\n");
    refuses(&of("required: true, default: b"), "1:34 parameter `a` is required and has a default");
    refuses(
        &of("type: number, default: \"5\""),
        "1:41 `default` must have the type `number`, it is text",
    );
    refuses(&of("default: c, enum: [b]"), "1:27 `default` is not one of the values under `enum`");
    says(&of("type: integer"), &["1:24 `type` cannot be `integer` (write `number`)"]);
}

#[test]
fn stages_have_unique_names() {
    let file = |stages: &str| format!("stages:\n{stages}");
    let stages = workflow(&file(
        "  - name: Deploy it\n    commands: [a]\n    retry: 2\n    when: true\n    env: {A: b}\n    timeout: 5\n    requires_confirmation: true\n    checkpoint: true\n",
    ));
    assert_eq!(stages.stages()[0].retry.as_ref().unwrap().attempts, 3);
    refuses(&file("  - commands: [a]\n"), "2:5 this stage has no `name`");
    refuses(&file("  - name: a\n"), "2:5 this stage has no steps");
    refuses(
        &file("  - {name: a, commands: [b]}\n  - {name: a, commands: [b]}\n"),
        "3:12 stage `a` is already on line 2",
    );
    refuses(
        &file("  - {name: map, commands: [b]}\n"),
        "2:12 a stage cannot be called `map`: addresses use that name",
    );
    refuses(
        &file("  - {name: v1, commands: [b]}\n"),
        "2:12 `name: v1` cannot name a checkpoint: it would be taken for a version",
    );
    refuses("stages: []\n", "1:9 `stages` is empty");
}

#[test]
fn what_comes_later_says_so() {
    for key in ["merge", "imports", "templates", "extends", "workflows", "isolation"] {
        let text = format!("{key}: x\ncommands: [a]\n");
        refuses(&text, &format!("1:1 `{key}` is not supported yet by this version"));
    }
    for step in ["workflow: a.yml", "use: t"] {
        let kind = step.split(':').next().unwrap();
        refuses(
            &format!("- {step}\n  with: {{a: b}}\n"),
            &format!("1:3 `{kind}` is not supported yet by this version"),
        );
    }
}
