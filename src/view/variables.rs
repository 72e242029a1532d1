//! The values that later steps see: captures by name, and the latest outputs.

use serde_json::{Map, Value as Json, json};

use super::{clip, line};
use crate::session::{Address, SessionState, StepKind};

/// Captures (`a.b` nested) and `shell.output`, `claude.output`, `last.output`; secrets as `***`.
#[must_use]
pub fn variables(state: &SessionState) -> Map<String, Json> {
    let root = Address::root();
    let names = &state.standing.names;
    let mut variables = Map::new();
    for (word, kind) in
        [("shell", Some(StepKind::Shell)), ("claude", Some(StepKind::Claude)), ("last", None)]
    {
        if let Some(result) = names.latest(&root, kind) {
            let output = trimmed(Json::from(result.report.stdout.text.shown()));
            let mut latest = json!({ "output": output });
            if let Some(code) = result.report.exit_code {
                latest["exit_code"] = json!(code);
            }
            variables.insert(word.to_owned(), latest);
        }
    }
    for (name, value) in names.captures(&root) {
        insert(&mut variables, name, trimmed(value.to_json()));
    }
    variables
}

/// A value as one line of at most `width` characters.
#[must_use]
pub fn value_line(value: &Json, width: usize) -> String {
    let text = match value {
        Json::String(text) => line(text).into_owned(),
        other => other.to_string(),
    };
    clip(&text, width).into_owned()
}

/// Captured text loses its trailing newlines, as in a shell.
fn trimmed(value: Json) -> Json {
    match value {
        Json::String(text) => Json::from(text.trim_end_matches('\n')),
        other => other,
    }
}

/// Puts `a.b` into the mapping `a` where that is free, else under its whole name.
fn insert(variables: &mut Map<String, Json>, name: &str, value: Json) {
    if let Some((outer, inner)) = name.split_once('.') {
        let mapping = variables.entry(outer).or_insert_with(|| Json::Object(Map::new()));
        if let Json::Object(fields) = mapping {
            insert(fields, inner, value);
            return;
        }
    }
    variables.insert(name.to_owned(), value);
}
