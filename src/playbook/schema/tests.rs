//! The schema is well formed, speaks of every key, and tells good files from bad ones.

mod agreement;

use super::*;

/// Calls `look` with every schema inside `schema` and where it is.
fn every<'a>(schema: &'a Value, path: &str, look: &mut dyn FnMut(&'a Value, &str)) {
    look(schema, path);
    let Some(fields) = schema.as_object() else { return };
    for (key, value) in fields {
        let path = format!("{path}/{key}");
        match key.as_str() {
            "properties" | "$defs" => {
                for (name, inner) in value.as_object().into_iter().flatten() {
                    every(inner, &format!("{path}/{name}"), look);
                }
            }
            "anyOf" => {
                for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
                    every(inner, &format!("{path}/{index}"), look);
                }
            }
            "items" | "additionalProperties" => every(value, &path, look),
            _ => {}
        }
    }
}

#[test]
fn every_key_has_a_description() {
    let schema = schema();
    let mut bare = Vec::new();
    every(&schema, "", &mut |inner, path| {
        for (name, key) in inner["properties"].as_object().into_iter().flatten() {
            if key["description"].as_str().is_none_or(str::is_empty) {
                bare.push(format!("{path}: {name}"));
            }
        }
    });
    assert!(bare.is_empty(), "{bare:#?}");
}

#[test]
fn every_mapping_refuses_unknown_keys_but_not_extensions() {
    let schema = schema();
    let mut open = Vec::new();
    every(&schema, "", &mut |inner, path| {
        if inner["properties"].is_object()
            && (inner["additionalProperties"] != json!(false)
                || inner["patternProperties"]["^x-"] != json!(true))
        {
            open.push(path.to_owned());
        }
    });
    assert!(open.is_empty(), "{open:#?}");
}

#[test]
fn every_reference_has_a_definition_and_every_definition_a_use() {
    let schema = schema();
    let mut used = std::collections::BTreeSet::new();
    every(&schema, "", &mut |inner, _| {
        if let Some(reference) = inner["$ref"].as_str() {
            used.insert(reference.strip_prefix("#/$defs/").unwrap_or("?"));
        }
    });
    let defined: std::collections::BTreeSet<&str> =
        schema["$defs"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(used, defined);
}

#[test]
fn a_handlers_fail_workflow_has_no_default() {
    let handler = &schema()["$defs"]["handler"]["properties"]["fail_workflow"];
    assert!(handler.get("default").is_none());
}

#[test]
fn keys_that_do_not_work_yet_are_not_offered() {
    let schema = schema().to_string();
    for key in ["imports", "extends", "templates", "isolation"] {
        assert!(!schema.contains(&format!("\"{key}\":")), "{key}");
    }
}

#[test]
fn good_files_satisfy_it() {
    for file in [
        json!(["echo hello", "/fix it", { "shell": "true" }]),
        json!({ "name": "x", "commands": [{ "shell": "make", "id": "build", "timeout": "5m" }] }),
        json!({ "x-anything": 1, "steps": [{ "claude": "/fix", "model": "m", "x-note": {} }] }),
        json!({ "stages": [{ "name": "staging", "commands": ["make"], "retry": 2, "when": true }] }),
        json!({ "commands": [{ "shell": "x", "retry": { "attempts": 3, "backoff": "fibonacci",
            "retry_on": ["network", 75, { "pattern": "busy" }], "initial_delay": 0 } }] }),
        json!({ "commands": [{ "shell": "x", "on_failure": { "handlers": [
            { "when": "${error.exit_code} == 2", "shell": "y", "priority": 5, "strategy": "fallback" },
            { "claude": "/z", "strategy": { "partial_resume": { "from_step": "a" } } }] } }] }),
        json!({ "commands": [{ "shell": "x", "on_failure": [{ "shell": "y" }, "/z"],
            "on_exit_code": { "75": { "shell": "y" }, "2": ["a", "b"] } }] }),
        json!({ "commands": [{ "foreach": ["a", "b"], "do": [{ "shell": "echo ${item}" }],
            "parallel": 3 }] }),
        json!({ "commands": [{ "foreach": { "input": "items.json", "json_path": "$.items[*]",
            "do": ["echo ${item}"], "max_items": "${n}" } }] }),
        json!({ "commands": [{ "goal_seek": { "goal": "green", "shell": "fix", "validate": "score",
            "threshold": 90, "max_attempts": 3 } }] }),
        json!({ "commands": [{ "write_file": { "path": "a", "content": "b", "mode": "0644" } }] }),
        json!({ "commands": [{ "shell": "make", "artifacts": ["dist/*.gz"], "requires": "cc" }],
                "requires": ["git", "node >= 18, < 21", "x<=v1.2"], "artifacts": "dist" }),
        json!({ "commands": ["make"], "requires": { "tools": ["python3 == 3.12"], "files": "a",
                "env": ["HOME"] } }),
        json!({ "commands": [{ "claude": "/do", "validate": { "shell": "check",
            "on_incomplete": { "claude": "/more", "max_attempts": 2 } } }] }),
        json!({ "commands": ["true"], "parameters": { "env": { "type": "string", "default": "a" } },
            "env": { "A": 1, "B": { "secret": true, "value": "x" }, "C": { "default": "x", "prod": "y" },
                "D": { "command": "date" } },
            "secrets": { "T": "TOKEN", "F": { "provider": "file", "key": "/f" } },
            "profiles": { "prod": { "A": "2" } }, "budget": { "usd": 1.5, "wall_time": "2h" },
            "finally": ["true"], "shell": ["bash", "-c"], "claude": { "max_turns": 5 } }),
        json!({ "mode": "mapreduce", "setup": { "commands": ["a"], "timeout": 300,
            "capture_outputs": { "n": 0, "m": { "command_index": 0 } } },
            "map": { "input": "items.json", "json_path": "$[*]", "filter": "score >= 5",
                "sort_by": "score DESC", "distinct": "id", "offset": 1, "max_items": 10,
                "agent_template": { "commands": ["echo ${item}"] }, "max_parallel": "$N",
                "timeout_config": { "agent_timeout_secs": "${T}" }, "checkpoint_frequency": 5,
                "retry": 2, "variables": { "a": "count", "b": { "sum": "size" },
                    "c": { "function": "group_by", "by": "kind", "of": "size" },
                    "d": { "group_by": "kind", "of": "size" },
                    "e": { "concat": "output", "separator": "," }, "f": { "sort": "x", "order": "desc" } } },
            "reduce": ["b"], "error_policy": { "on_item_failure": "dlq", "max_failures": 2,
                "failure_threshold": 0.5, "circuit_breaker": { "timeout": "30s" },
                "error_collection": "batched:5", "retry_config": { "attempts": 3 } } }),
        json!({ "map": { "input": "ls", "agent_template": ["a"] }, "on_item_failure": "skip",
            "error_collection": { "batched": { "size": 5 } } }),
    ] {
        assert!(fits(&file), "{file}");
    }
}

#[test]
fn bad_files_do_not() {
    for file in [
        json!({}),
        json!([]),
        json!({ "comands": ["true"] }),
        json!({ "commands": ["true"], "steps": ["true"] }),
        json!({ "commands": [{ "id": "nothing" }] }),
        json!({ "commands": [{ "shell": "x", "claude": "y" }] }),
        json!({ "commands": [{ "shell": "x", "model": "m" }] }),
        json!({ "commands": [{ "shell": "x", "timeout": 0 }] }),
        json!({ "commands": [{ "shell": "x", "timeout": "soon" }] }),
        json!({ "commands": [{ "shell": "x", "retry": -1 }] }),
        json!({ "commands": [{ "shell": "x", "id": "1a" }] }),
        json!({ "commands": [{ "shell": "x", "on_failure": "continue" }] }),
        json!({ "commands": [{ "shell": "x", "on_exit_code": { "256": "y" } }] }),
        json!({ "commands": [{ "shell": "x", "do": ["y"] }] }),
        json!({ "commands": [{ "goal_seek": { "goal": "g", "shell": "x", "validate": "y", "threshold": 101 } }] }),
        json!({ "stages": [{ "commands": ["x"] }] }),
        json!({ "commands": ["x"], "requires": "node 18" }),
        json!({ "commands": ["x"], "requires": "node >= latest" }),
        json!({ "commands": ["x"], "requires": { "env": "A-B" } }),
        json!({ "commands": ["x"], "requires": [] }),
        json!({ "commands": [{ "shell": "x", "artifacts": [] }] }),
        json!({ "stages": [{ "name": "a/b", "commands": ["x"] }] }),
        json!({ "commands": ["x"], "env": { "A-B": "c" } }),
        json!({ "commands": ["x"], "mode": "mapreduce" }),
        json!({ "map": { "input": "x", "agent_template": ["y"] }, "commands": ["x"] }),
        json!({ "map": { "input": "x", "agent_template": ["y"] }, "mode": "standard" }),
        json!({ "map": { "input": "x" } }),
        json!({ "map": { "input": "x", "agent_template": ["y"], "max_parallel": 0 } }),
        json!({ "map": { "input": "x", "agent_template": ["y"], "variables": { "a": "summ" } } }),
        json!({ "map": { "input": "x", "agent_template": ["y"] }, "failure_threshold": 20 }),
        json!({ "setup": ["a"], "reduce": ["b"] }),
        json!({ "commands": ["x"], "error_policy": {} }),
    ] {
        assert!(!fits(&file), "{file}");
    }
}

fn fits(file: &Value) -> bool {
    let schema = schema();
    satisfies(file, &schema, &schema)
}

/// As much of the standard as the schema uses.
fn satisfies(value: &Value, schema: &Value, root: &Value) -> bool {
    let Some(rules) = schema.as_object() else { return schema == &json!(true) };
    rules.iter().all(|(rule, wanted)| match rule.as_str() {
        "$schema" | "title" | "description" | "$defs" | "patternProperties" => true,
        "$ref" => {
            let name = wanted.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
            satisfies(value, &root["$defs"][name], root)
        }
        "anyOf" => alternatives(value, wanted, root) > 0,
        "oneOf" => alternatives(value, wanted, root) == 1,
        "allOf" => alternatives(value, wanted, root) == wanted.as_array().unwrap().len(),
        "not" => !satisfies(value, wanted, root),
        "enum" => wanted.as_array().unwrap().contains(value),
        "type" => match wanted {
            Value::Array(types) => types.iter().any(|each| is(value, each)),
            one => is(value, one),
        },
        "minimum" => value.as_f64().is_none_or(|each| each >= wanted.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|each| each <= wanted.as_f64().unwrap()),
        "exclusiveMinimum" => value.as_f64().is_none_or(|each| each > wanted.as_f64().unwrap()),
        "minLength" => value.as_str().is_none_or(|each| !each.is_empty()),
        "minItems" => value.as_array().is_none_or(|each| !each.is_empty()),
        "minProperties" => value.as_object().is_none_or(|each| !each.is_empty()),
        "pattern" => {
            let pattern = regex::Regex::new(wanted.as_str().unwrap()).unwrap();
            value.as_str().is_none_or(|each| pattern.is_match(each))
        }
        "items" => value.as_array().into_iter().flatten().all(|each| satisfies(each, wanted, root)),
        "required" => value.as_object().is_none_or(|fields| {
            wanted.as_array().unwrap().iter().all(|key| fields.contains_key(key.as_str().unwrap()))
        }),
        "dependentRequired" => value.as_object().is_none_or(|fields| {
            wanted.as_object().unwrap().iter().all(|(key, needed)| {
                !fields.contains_key(key) || fields.contains_key(needed[0].as_str().unwrap())
            })
        }),
        "propertyNames" => value
            .as_object()
            .is_none_or(|fields| fields.keys().all(|key| satisfies(&json!(key), wanted, root))),
        "properties" => value.as_object().is_none_or(|fields| {
            wanted.as_object().unwrap().iter().all(|(key, inner)| {
                fields.get(key).is_none_or(|value| satisfies(value, inner, root))
            })
        }),
        "additionalProperties" => value.as_object().is_none_or(|fields| {
            let known = rules.get("properties").and_then(Value::as_object);
            let extensions = rules.contains_key("patternProperties");
            fields.iter().all(|(key, value)| {
                known.is_some_and(|known| known.contains_key(key))
                    || extensions && key.starts_with("x-")
                    || satisfies(value, wanted, root)
            })
        }),
        other => panic!("the schema uses {other}, which this test does not know"),
    })
}

fn alternatives(value: &Value, schemas: &Value, root: &Value) -> usize {
    schemas.as_array().unwrap().iter().filter(|each| satisfies(value, each, root)).count()
}

fn is(value: &Value, kind: &Value) -> bool {
    match kind.as_str().unwrap() {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    }
}
