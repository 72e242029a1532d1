//! `requires` and `artifacts` of workflows and steps.

use super::{refuses, step, workflow};

#[test]
fn a_requirement_is_a_text_a_list_or_a_mapping() {
    let tools = |text: &str| -> Vec<String> {
        let workflow = workflow(&format!("requires: {text}\ncommands: [a]\n"));
        workflow.requires.tools.iter().map(ToString::to_string).collect()
    };
    assert_eq!(tools("git"), ["git"]);
    assert_eq!(tools("node >= 18"), ["node >= 18"]);
    assert_eq!(tools("[git, 'node >=18, <21']"), ["git", "node >= 18, < 21"]);
    assert_eq!(tools("{tools: git}"), ["git"]);
    let all = workflow(
        "requires: {tools: [a], files: [b, '${c}'], env: D}\nparameters: {c: {}}\ncommands: [a]\n",
    );
    assert_eq!(all.requires.files.len(), 2);
    assert_eq!(all.requires.env, ["D"]);
    let of_map = workflow("requires: jq\nartifacts: x\nmap: {input: a, agent_template: [b]}\n");
    assert_eq!((of_map.requires.tools.len(), of_map.artifacts.len()), (1, 1));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (text, column, told) in [
        ("requires: []", 11, "`requires` is empty"),
        ("requires: {}", 11, "`requires` is empty"),
        ("requires:", 1, "`requires` has no value"),
        ("requires: node 18", 11, "`node 18` is no tool: write `node >= 18`"),
        ("requires: [git, a b]", 17, "`a b` is no tool: the name of a tool is one word"),
        ("requires: {tool: git}", 12, "unknown key `tool` in `requires`"),
        ("requires: {env: [A-B]}", 18, "`A-B` is no name for an environment variable"),
        ("requires: {env: A=1}", 17, "`A=1` is no name for an environment variable"),
        ("requires: {files: ['${nowhere}']}", 23, "unknown name `nowhere`"),
        ("artifacts: []", 12, "`artifacts` is empty"),
        ("artifacts: ['']", 13, "`artifacts` is empty"),
        ("artifacts: [{a: b}]", 13, "`artifacts` must be text, not a mapping"),
        (
            "artifacts: ['a[']",
            13,
            "`artifacts` is no pattern: unclosed character class; missing ']'",
        ),
        ("artifacts: '${nowhere}'", 15, "unknown name `nowhere`"),
    ] {
        refuses(&format!("{text}\ncommands: [a]\n"), &format!("1:{column} {told}"));
        let column = column + 4;
        refuses(&format!("commands:\n  - shell: a\n    {text}\n"), &format!("3:{column} {told}"));
    }
}

#[test]
fn artifacts_make_another_step_of_it_and_requirements_do_not() {
    let digest = |text: &str| crate::playbook::digest(&step(text));
    let plain = digest("- {shell: make}\n");
    assert_eq!(digest("- {shell: make, requires: node}\n"), plain);
    assert_ne!(digest("- {shell: make, artifacts: out}\n"), plain);
    assert_eq!(step("- {shell: make, artifacts: out}\n").artifacts.len(), 1);
}
