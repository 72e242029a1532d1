//! What an edit changed beside the steps: settings of the workflow, of its stages and of its map.
//! They apply to what still runs.

use std::collections::HashSet;

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

/// The settings that differ, as a person finds them in the file: `env (A)`, `stage build: retry`.
/// `stages` are the stages that match, old and new; setup and reduce are among them.
pub(super) fn changed_settings(
    old: &Workflow,
    new: &Workflow,
    stages: &[(&Stage, &Stage)],
) -> Vec<String> {
    // Without `name:` it is that of the file, and the stored copy has another. Rules of recoveries
    // are read from the file when they are needed.
    let left_out = |name: &str| matches!(name, "body" | "description" | "name" | "recovery");
    let mut changed = differing("", &fields(old), &fields(new), &left_out);
    for (before, after) in stages {
        let about = format!("stage {}: ", after.name);
        let left_out = |name: &str| matches!(name, "steps" | "name");
        changed.extend(differing(&about, &fields(before), &fields(after), &left_out));
        if before.name != after.name {
            changed.push(format!("stage {}: name (was {})", after.name, before.name));
        }
    }
    match (&old.body, &new.body) {
        (Body::Steps(_), Body::Steps(_)) | (Body::Stages(_), Body::Stages(_)) => {}
        (Body::MapReduce(old), Body::MapReduce(new)) => {
            changed.extend(differing("map.", &fields(&old.map), &fields(&new.map), &|_| false));
            let left_out = |name: &str| name != "policy";
            changed.extend(differing("", &fields(&**old), &fields(&**new), &left_out));
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

/// The fields whose values differ. Of lists of named things, which is what `env`, `variables` and
/// the like are, the names that differ are told as well.
fn differing(
    about: &str,
    old: &Object<String, Json>,
    new: &Object<String, Json>,
    left_out: &dyn Fn(&str) -> bool,
) -> Vec<String> {
    let names = new.keys().chain(old.keys().filter(|name| !new.contains_key(*name)));
    let names = names.filter(|name| !left_out(name) && old.get(*name) != new.get(*name));
    let told = names.map(|name| {
        let entries = named_changes(old.get(name), new.get(name));
        let spelling = SPELLINGS.iter().find(|(field, _)| field == name);
        let name = spelling.map_or(name.as_str(), |(_, spelling)| spelling);
        match entries.is_empty() {
            true => format!("{about}{name}"),
            false => format!("{about}{name} ({})", entries.join(", ")),
        }
    });
    told.collect()
}

fn fields(value: &impl Serialize) -> Object<String, Json> {
    match serde_json::to_value(value) {
        Ok(Json::Object(fields)) => fields,
        _ => Object::new(),
    }
}

/// The names of the entries that differ between two lists of named things.
fn named_changes(old: Option<&Json>, new: Option<&Json>) -> Vec<String> {
    let entries = |list: Option<&Json>| -> Vec<(String, Json)> {
        let list = list.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let named = list.iter().filter_map(|entry| {
            let name = entry.get("name").or_else(|| entry.get(0))?.as_str()?;
            Some((name.to_owned(), entry.clone()))
        });
        named.collect()
    };
    let (old, new) = (entries(old), entries(new));
    let value = |of: &[(String, Json)], name: &str| {
        of.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    let mut names: Vec<String> = new.iter().chain(&old).map(|(name, _)| name.clone()).collect();
    names.retain(|name| value(&old, name) != value(&new, name));
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::playbook::parse;
    use crate::resume::match_steps;
    use crate::session::SessionState;

    fn changed(old: &str, new: &str) -> (String, bool) {
        let parse = |text: &str| parse(Path::new("flow.yml"), text).unwrap().workflow;
        let (old, new) = (parse(old), parse(new));
        let changes = match_steps(&old, &new, &SessionState::default());
        (changes.settings.join(" "), changes.items)
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
            ("env: {A: b}\n", "env (A)", false),
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
        assert_eq!(changed(&setup(""), &setup(", timeout: 5")).0, "stage setup: timeout");
    }

    #[test]
    fn settings_of_a_stage_count_and_its_steps_do_not() {
        let stages = |more: &str, step: &str| {
            format!("stages:\n  - {{name: build, commands: [{step}]{more}}}\n")
        };
        assert_eq!(changed(&stages("", "echo"), &stages("", "echo a")).0, "");
        assert_eq!(changed(&stages("", "a"), &stages(", retry: 2", "a")).0, "stage build: retry");
    }
}
