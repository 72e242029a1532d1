//! What differs between two workflows beside their steps: settings of the whole file, of stages
//! and of the map. They apply to what still runs.

use serde_json::{Map, Value as Json};

use crate::playbook::model::{Body, Stage, Workflow};

/// What is told as steps, or is only shown.
const NOT_SETTINGS: [&str; 3] = ["body", "name", "description"];

/// The settings that differ, as a person finds them in the file: `env`, `stage build: retry`.
/// `stages` are the stages that match, old and new.
pub(super) fn changed_settings(
    old: &Workflow,
    new: &Workflow,
    stages: &[(&Stage, &Stage)],
) -> Vec<String> {
    let mut changed = differing("", &fields(old), &fields(new), &NOT_SETTINGS);
    for (before, after) in stages {
        let about = format!("stage {}: ", after.name);
        changed.extend(differing(&about, &fields(before), &fields(after), &["steps", "name"]));
        if before.name != after.name {
            changed.push(format!("stage {}: name (was {})", after.name, before.name));
        }
    }
    if let (Body::MapReduce(before), Body::MapReduce(after)) = (&old.body, &new.body) {
        changed.extend(differing("map.", &fields(&before.map), &fields(&after.map), &["template"]));
        let template = |job: &crate::playbook::mapreduce::MapReduce| {
            serde_json::to_string(&job.map.template).unwrap_or_default()
        };
        if template(before) != template(after) {
            changed.push("map.agent_template".to_owned());
        }
        let policy = |job: &crate::playbook::mapreduce::MapReduce| {
            serde_json::to_string(&job.policy).unwrap_or_default()
        };
        if policy(before) != policy(after) {
            changed.push("error_policy".to_owned());
        }
    }
    changed
}

fn fields(value: &impl serde::Serialize) -> Map<String, Json> {
    match serde_json::to_value(value) {
        Ok(Json::Object(fields)) => fields,
        _ => Map::new(),
    }
}

/// The keys whose values differ. Of lists of named things, which is what `env`, `variables` and
/// the like are, the names that differ are told as well.
fn differing(
    about: &str,
    old: &Map<String, Json>,
    new: &Map<String, Json>,
    except: &[&str],
) -> Vec<String> {
    let keys = new.keys().chain(old.keys().filter(|key| !new.contains_key(*key)));
    let keys = keys.filter(|key| !except.contains(&key.as_str()) && old.get(*key) != new.get(*key));
    keys.map(|key| {
        let names = named_changes(old.get(key), new.get(key));
        match names.is_empty() {
            true => format!("{about}{key}"),
            false => format!("{about}{key} ({})", names.join(", ")),
        }
    })
    .collect()
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
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}
