//! What loads satisfies the schema, and what the schema offers is known when a file is loaded.

use std::path::{Path, PathBuf};

use super::*;
use crate::playbook::{LoadError, load, parse, reading, yaml};

fn as_json(text: &str) -> Option<Value> {
    let (root, _) = yaml::read(text);
    root.map(|root| reading::value(&root).to_json())
}

/// The directory with files of older versions, when this machine has it.
fn corpus() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = std::env::var_os("PRODIGY_SHARED").map_or(beside, PathBuf::from);
    let corpus = shared.join("corpus");
    corpus.is_dir().then_some(corpus)
}

#[test]
fn every_file_that_loads_satisfies_the_schema() {
    let Some(corpus) = corpus() else {
        println!("skipped: there is no corpus here");
        return;
    };
    let schema = schema();
    let mut unfit = Vec::new();
    for directory in [corpus.clone(), corpus.join("seeds")] {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let Ok(loaded) = load(&path) else { continue };
            if !as_json(&loaded.text).is_some_and(|file| satisfies(&file, &schema, &schema)) {
                unfit.push(path);
            }
        }
    }
    assert!(unfit.is_empty(), "{unfit:#?}");
}

#[test]
fn every_key_that_the_schema_offers_is_known() {
    let schema = schema();
    let step = &schema["$defs"]["step"]["anyOf"][1];
    let handler = &schema["$defs"]["handler"];
    let places = [
        (&schema["anyOf"][1], "commands: [a]\n", ""),
        (step, "commands:\n  - foreach: [a]\n", "    "),
        (&schema["anyOf"][2], "map: {input: a, agent_template: [b]}\n", ""),
        (&schema["$defs"]["map"], "map:\n  x-a: 1\n", "  "),
        (
            &schema["$defs"]["setup"]["anyOf"][1],
            "map: {input: a, agent_template: [b]}\nsetup:\n  x-a: 1\n",
            "  ",
        ),
        (
            &schema["$defs"]["error_policy"],
            "map: {input: a, agent_template: [b]}\nerror_policy:\n  x-a: 1\n",
            "  ",
        ),
        (
            &schema["$defs"]["circuit_breaker"],
            "map: {input: a, agent_template: [b]}\ncircuit_breaker:\n  x-a: 1\n",
            "  ",
        ),
        (
            &schema["$defs"]["aggregate"]["anyOf"][2],
            "map:\n  input: a\n  agent_template: [b]\n  variables:\n    a:\n      x-a: 1\n",
            "      ",
        ),
        (&schema["$defs"]["stage"], "stages:\n  - name: a\n", "    "),
        (
            handler,
            "commands:\n  - shell: a\n    on_failure:\n      handlers:\n        - foreach: [b]\n",
            "          ",
        ),
        (
            &schema["$defs"]["retry"]["anyOf"][1],
            "commands:\n  - shell: a\n    retry:\n      attempts: 2\n",
            "      ",
        ),
        (&schema["$defs"]["foreach"], "commands:\n  - foreach:\n      items: [a]\n", "      "),
        (&schema["$defs"]["goal_seek"], "commands:\n  - goal_seek:\n      claude: a\n", "      "),
        (&schema["$defs"]["write_file"], "commands:\n  - write_file:\n      path: a\n", "      "),
        (
            &schema["$defs"]["validate"]["anyOf"][2],
            "commands:\n  - shell: a\n    validate:\n      shell: a\n",
            "      ",
        ),
        (
            &schema["$defs"]["on_incomplete"]["anyOf"][2],
            "commands:\n  - shell: a\n    validate:\n      shell: a\n      on_incomplete:\n        shell: a\n",
            "        ",
        ),
        (&schema["$defs"]["claude"], "commands: [a]\nclaude:\n  model: a\n", "  "),
        (&schema["$defs"]["budget"], "commands: [a]\nbudget:\n  usd: 1\n", "  "),
        (&schema["$defs"]["limits"], "commands: [a]\nlimits:\n  max_wait: 1\n", "  "),
        (&schema["$defs"]["requires"]["anyOf"][2], "commands: [a]\nrequires:\n  env: A\n", "  "),
    ];
    let mut unknown = Vec::new();
    for (schema, before, indent) in places {
        let keys = schema["properties"].as_object().unwrap();
        assert!(keys.len() > 1, "{before}");
        for key in keys.keys() {
            let file = format!("{before}{indent}{key}: 1\n");
            if let Err(LoadError::Problems(problems, _)) = parse(Path::new("a.yml"), &file) {
                let not_known = format!("unknown key `{key}`");
                unknown.extend(
                    problems
                        .into_iter()
                        .map(|each| each.message)
                        .filter(|each| each.starts_with(&not_known))
                        .map(|each| format!("{each} after {before}")),
                );
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}
