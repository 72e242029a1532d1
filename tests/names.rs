//! Built-in names and paths into JSON: what `validate` lets pass has a value when it runs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    missing_docs,
    reason = "a test ends where something is not as it must be; each uses its part of support"
)]

mod support;

use prodigy::playbook::builtins::{BUILTINS, Fields, Known};
use support::Sandbox;

/// A command that appends a line `name value` for each name that is known where `fits` says.
fn tell(fits: impl Fn(Known) -> bool) -> String {
    let known =
        BUILTINS.iter().filter(|each| fits(each.known) && !["claude", "env"].contains(&each.name));
    let names = known.flat_map(|each| match each.fields {
        Fields::Any | Fields::None => vec![each.name.to_owned()],
        fields => fields.names().iter().map(|field| format!("{}.{field}", each.name)).collect(),
    });
    let lines = names.map(|name| format!("echo {name} ${{{name} | json}} >> words"));
    lines.collect::<Vec<_>>().join("\n              ")
}

#[test]
fn every_built_in_name_of_the_table_has_a_value() {
    let sandbox = Sandbox::new();
    let flow = format!(
        r"stages:
  - name: first
    commands:
      - {{shell: echo a; echo b >&2, id: before}}
      - foreach: [a]
        do:
          - shell: |
              {loops}
      - shell: |
              {all}
      - shell: echo out; echo err >&2; exit 3
        on_failure:
          shell: |
              {error}
",
        loops = tell(|known| known == Known::InLoops),
        all = tell(|known| matches!(known, Known::Everywhere | Known::WithStages))
            .replace("echo ARG ${ARG | json} >> words", ":"),
        error = tell(|known| known == Known::InHandlers),
    );
    sandbox.write("flow.yaml", &flow);
    let ran = sandbox.run(&["cook", "flow.yaml"]).exits(0);
    assert!(!ran.stderr.contains("warning"), "{ran:#?}");
    let told = sandbox.read("words");
    let is_null = |name: &str| {
        let line = told.lines().find(|line| line.split(' ').next() == Some(name));
        line.unwrap_or_else(|| panic!("no {name} in {told}")).ends_with(" null")
    };
    for name in [
        "item",
        "item_id",
        "item_index",
        "item_total",
        "shell.output",
        "shell.stderr",
        "last.exit_code",
        "last.attempts",
        "workflow.name",
        "workflow.id",
        "workflow.dir",
        "workflow.status",
        "session.id",
        "stage.name",
        "attempt",
        "error.message",
        "error.exit_code",
        "error.step",
        "error.kind",
        "error.class",
        "error.attempt",
        "error.output",
        "error.stderr",
        "error.timestamp",
        "error.correlation_id",
    ] {
        assert!(!is_null(name), "{name}: {told}");
    }
}

#[test]
fn fields_that_nobody_has_are_refused_and_those_of_agents_and_loops_are_not() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        "commands:\n  - {id: each, foreach: [a], do: [echo hi]}\n  - echo ${last.results} ${each.results} ${last.cost_usd} >> words\n",
    );
    sandbox.run(&["validate", "flow.yaml"]).exits(0);
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    sandbox.write(
        "bad.yaml",
        "commands:\n  - {id: a, shell: echo hi}\n  - echo ${a.results} ${a.turns}\n",
    );
    let refused = sandbox.run(&["validate", "bad.yaml"]).exits(2).stderr;
    assert!(refused.contains("3:") && refused.contains("`a` has no field `results`"), "{refused}");
    assert!(refused.contains("`a` has no field `turns`"), "{refused}");
}

#[test]
fn a_variable_has_its_value_where_the_built_in_of_that_name_has_none() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "flow.yaml",
        "variables: {item: mine, merge: too}\ncommands:\n  - printf %s \"${item} ${merge}\" > words\n  - {foreach: [a], do: ['printf %s \" ${item}\" >> words']}\n",
    );
    sandbox.run(&["cook", "flow.yaml"]).exits(0);
    assert_eq!(sandbox.read("words"), "mine too a");
}

#[test]
fn a_path_may_match_and_search() {
    let sandbox = Sandbox::new();
    sandbox.write("all.json", r#"[{"name": "abc"}, {"name": "xabc"}, {"name": "b"}]"#);
    for (path, words) in [
        ("$[?match(@.name, 'a.*')].name", "abc"),
        ("$[?search(@.name, 'ab')].name", "abc xabc"),
        ("$[?length(@.name) < 2].name", "b"),
    ] {
        let _ = std::fs::remove_file(sandbox.directory().join("words"));
        sandbox.write(
            "flow.yaml",
            &format!("commands:\n  - foreach: {{input: all.json, json_path: \"{path}\", do: ['echo ${{item}} >> words']}}\n"),
        );
        sandbox.run(&["cook", "flow.yaml"]).exits(0);
        assert_eq!(sandbox.words("words"), words, "{path}");
        sandbox.write("words", "");
        sandbox.write(
            "map.yaml",
            &format!("map:\n  input: all.json\n  json_path: \"{path}\"\n  max_parallel: 1\n  agent_template: ['echo ${{item}} >> words']\n"),
        );
        sandbox.run(&["cook", "map.yaml"]).exits(0);
        assert_eq!(sandbox.words("words"), words, "{path}");
    }
}
