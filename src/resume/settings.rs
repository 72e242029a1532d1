//! What an edit changed beside the steps: settings of the workflow, of its stages and of its map.

use serde::Serialize;
use serde_json::{Map as Object, Value as Json};

use crate::playbook::mapreduce::MapReduce;
use crate::playbook::model::{Body, Stage, Workflow};

/// Fields of [`crate::playbook::mapreduce::Map`] that decide which items there are.
const ITEMS: &[&str] =
    &["input", "json_path", "filter", "sort_by", "distinct", "offset", "max_items"];

/// Fields that are called otherwise in the file.
const SPELLINGS: &[(&str, &str)] = &[
    ("template", "agent_template"),
    ("item_timeout", "agent_timeout_secs"),
    ("policy", "error_policy"),
];

/// The settings that differ, by the names they have in the file. They apply to what still runs.
pub(super) fn changed_settings(old: &Workflow, new: &Workflow) -> Vec<String> {
    let mut changed = Vec::new();
    // Without `name:` it is that of the file, and the stored copy has another. Rules of recoveries
    // are read from the file when they are needed.
    let left_out = |name: &str| matches!(name, "body" | "description" | "name" | "recovery");
    differences("", &fields(old), &fields(new), &left_out, &mut changed);
    match (&old.body, &new.body) {
        (Body::Steps(_), Body::Steps(_)) => {}
        (Body::Stages(old), Body::Stages(new)) => {
            for stage in new {
                let before = old.iter().find(|before| before.name == stage.name);
                stages_differ(before, Some(stage), &mut changed);
            }
        }
        (Body::MapReduce(old), Body::MapReduce(new)) => {
            stages_differ(old.setup.as_ref(), new.setup.as_ref(), &mut changed);
            differences("map.", &fields(&old.map), &fields(&new.map), &|_| false, &mut changed);
            stages_differ(old.reduce.as_ref(), new.reduce.as_ref(), &mut changed);
            let left_out = |name: &str| name != "policy";
            differences("", &fields(&**old), &fields(&**new), &left_out, &mut changed);
        }
        _ => changed.push("commands, stages or map".to_owned()),
    }
    changed
}

/// True when the edit changed which items the map has.
pub(super) fn items_differ(old: &Workflow, new: &Workflow) -> bool {
    let (Some(old), Some(new)) = (map_of(old), map_of(new)) else { return false };
    let (old, new) = (fields(&old.map), fields(&new.map));
    ITEMS.iter().any(|name| old.get(*name) != new.get(*name))
}

fn map_of(workflow: &Workflow) -> Option<&MapReduce> {
    match &workflow.body {
        Body::MapReduce(job) => Some(job),
        Body::Steps(_) | Body::Stages(_) => None,
    }
}

/// Everything of two stages of the same name but their steps, which are matched one by one.
fn stages_differ(old: Option<&Stage>, new: Option<&Stage>, changed: &mut Vec<String>) {
    let (Some(old), Some(new)) = (old, new) else { return };
    let left_out = |name: &str| name == "steps";
    differences(&format!("{}.", new.name), &fields(old), &fields(new), &left_out, changed);
}

fn differences(
    prefix: &str,
    old: &Object<String, Json>,
    new: &Object<String, Json>,
    left_out: &dyn Fn(&str) -> bool,
    changed: &mut Vec<String>,
) {
    for (name, after) in new {
        if !left_out(name) && old.get(name) != Some(after) {
            let spelling = SPELLINGS.iter().find(|(field, _)| field == name);
            changed.push(format!("{prefix}{}", spelling.map_or(name.as_str(), |(_, it)| it)));
        }
    }
}

fn fields(value: &impl Serialize) -> Object<String, Json> {
    match serde_json::to_value(value) {
        Ok(Json::Object(fields)) => fields,
        _ => Object::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::playbook::parse;

    fn changed(old: &str, new: &str) -> (String, bool) {
        let parse = |text: &str| parse(Path::new("flow.yml"), text).unwrap().workflow;
        let (old, new) = (parse(old), parse(new));
        (changed_settings(&old, &new).join(" "), items_differ(&old, &new))
    }

    #[test]
    fn settings_of_a_map_have_the_names_of_the_file() {
        let map = "map:\n  input: seq 1 3\n  agent_template: [echo]\n";
        for (added, names, items) in [
            ("# a comment\n", "", false),
            ("  filter: item > 1\n", "map.filter", true),
            ("  max_items: 2\n  sort_by: item\n", "map.sort_by map.max_items", true),
            ("  max_parallel: 2\n", "map.max_parallel", false),
            ("  agent_timeout_secs: 5\n", "map.agent_timeout_secs", false),
            ("max_failures: 3\n", "error_policy", false),
            ("env: {A: b}\n", "env", false),
            ("description: x\n", "", false),
        ] {
            assert_eq!(
                changed(map, &format!("{map}{added}")),
                (names.to_owned(), items),
                "{added}"
            );
        }
        let other = map.replace("[echo]", "[echo a]");
        assert_eq!(changed(map, &other), ("map.agent_template".to_owned(), false));
        let setup = |more: &str| format!("setup: {{commands: [echo]{more}}}\n{map}");
        assert_eq!(changed(&setup(""), &setup(", timeout: 5")).0, "setup.timeout");
    }

    #[test]
    fn settings_of_a_stage_count_and_its_steps_do_not() {
        let stages = |more: &str, step: &str| {
            format!("stages:\n  - {{name: build, commands: [{step}]{more}}}\n")
        };
        assert_eq!(changed(&stages("", "echo"), &stages("", "echo a")).0, "");
        assert_eq!(changed(&stages("", "a"), &stages(", retry: 2", "a")).0, "build.retry");
    }
}
