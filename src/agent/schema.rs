//! Which JSON Schemas `output_schema:` takes: the keywords that are checked, and no others, so that nothing
//! an author wrote is ignored.

use regex::Regex;
use serde_json::Value as Json;

/// Keywords whose value is a schema.
const ONE_SCHEMA: [&str; 8] =
    ["items", "contains", "not", "if", "then", "else", "additionalProperties", "propertyNames"];
/// Keywords whose value is a list of schemas.
const SCHEMA_LIST: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords whose value maps names to schemas.
const SCHEMA_MAP: [&str; 4] = ["properties", "patternProperties", "$defs", "definitions"];
/// Keywords whose value is a count.
const COUNT: [&str; 6] =
    ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"];
/// Keywords whose value is a number.
const NUMBER: [&str; 5] =
    ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
/// Keywords that only explain.
const ANNOTATION: [&str; 9] = [
    "$schema",
    "$id",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
];
/// The types that JSON knows.
const TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];
/// The formats that are checked.
pub(super) const FORMATS: [&str; 4] = ["date", "date-time", "time", "uuid"];

/// What is wrong with a schema, each with its place (`/properties/name/type: …`); empty when it can be used.
#[must_use]
pub fn schema_problems(schema: &Json) -> Vec<String> {
    let mut problems = Vec::new();
    look(schema, schema, "", &mut problems);
    problems
}

/// The part of a schema that a local reference (`#`, `#/$defs/name`) means.
pub(super) fn referred<'a>(root: &'a Json, reference: &str) -> Option<&'a Json> {
    root.pointer(reference.strip_prefix('#')?)
}

fn look(root: &Json, schema: &Json, place: &str, problems: &mut Vec<String>) {
    let keywords = match schema {
        Json::Bool(_) => return,
        Json::Object(keywords) => keywords,
        _ => return problems.push(format!("{}: a schema is a mapping or a boolean", at(place))),
    };
    for (keyword, value) in keywords {
        let here = format!("{place}/{keyword}");
        let name = keyword.as_str();
        if ONE_SCHEMA.contains(&name) {
            look(root, value, &here, problems);
        } else if SCHEMA_LIST.contains(&name) {
            match value.as_array().filter(|list| !list.is_empty()) {
                Some(list) => {
                    for (index, part) in list.iter().enumerate() {
                        look(root, part, &format!("{here}/{index}"), problems);
                    }
                }
                None => problems.push(format!("{here}: must be a list of schemas")),
            }
        } else if SCHEMA_MAP.contains(&name) {
            match value.as_object() {
                Some(map) => {
                    for (key, part) in map {
                        if name == "patternProperties" {
                            problems.extend(pattern_problem(key, &here));
                        }
                        look(root, part, &format!("{here}/{key}"), problems);
                    }
                }
                None => problems.push(format!("{here}: must map names to schemas")),
            }
        } else {
            problems.extend(value_problem(root, name, value).map(|why| format!("{here}: {why}")));
        }
    }
    if let Some(circle) = circle(root, schema) {
        problems.push(format!("{}: {circle} only refers to itself", at(place)));
    }
}

/// What is wrong with the value of a keyword that holds no schema.
fn value_problem(root: &Json, keyword: &str, value: &Json) -> Option<String> {
    let is_text_list =
        |value: &Json| value.as_array().is_some_and(|list| list.iter().all(Json::is_string));
    let fault = |is_right: bool, why: &str| (!is_right).then(|| why.to_owned());
    match keyword {
        "type" => {
            let known = |name: &Json| name.as_str().is_some_and(|name| TYPES.contains(&name));
            let is_right = match value {
                Json::Array(names) => !names.is_empty() && names.iter().all(known),
                name => known(name),
            };
            fault(is_right, &format!("must be one or a list of {}", TYPES.join(", ")))
        }
        "enum" => fault(value.is_array(), "must be a list"),
        "const" => None,
        "required" => fault(is_text_list(value), "must be a list of names"),
        "uniqueItems" => fault(value.is_boolean(), "must be true or false"),
        "pattern" => match value.as_str() {
            Some(pattern) => Regex::new(pattern).err().map(|error| error.to_string()),
            None => fault(false, "must be a text"),
        },
        "format" => fault(
            value.as_str().is_some_and(|format| FORMATS.contains(&format)),
            &format!("only {} are checked; use `pattern`", FORMATS.join(", ")),
        ),
        "$ref" => fault(
            value.as_str().is_some_and(|reference| referred(root, reference).is_some()),
            "must refer to a part of this schema, like #/$defs/name",
        ),
        "multipleOf" => fault(value.as_f64().is_some_and(|n| n > 0.0), "must be greater than 0"),
        _ if COUNT.contains(&keyword) => fault(value.is_u64(), "must be a whole number from 0"),
        _ if NUMBER.contains(&keyword) => fault(value.is_number(), "must be a number"),
        _ if ANNOTATION.contains(&keyword) => None,
        _ => fault(false, "this keyword is not supported, so it would not be checked"),
    }
}

fn pattern_problem(pattern: &str, place: &str) -> Option<String> {
    Regex::new(pattern).err().map(|error| format!("{place}/{pattern}: {error}"))
}

/// The first reference of a chain that comes back to itself without looking into the value.
fn circle<'a>(root: &'a Json, schema: &'a Json) -> Option<&'a str> {
    let mut seen: Vec<&str> = Vec::new();
    let mut here = schema;
    while let Some(reference) = here.get("$ref").and_then(Json::as_str) {
        if seen.contains(&reference) {
            return Some(reference);
        }
        seen.push(reference);
        here = referred(root, reference)?;
    }
    None
}

fn at(place: &str) -> &str {
    if place.is_empty() { "the schema" } else { place }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn common_schemas_are_taken() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "required": ["name"],
            "additionalProperties": false,
            "properties": {
                "name": {"type": ["string", "null"], "minLength": 1, "pattern": "^[a-z]+$"},
                "when": {"type": "string", "format": "date-time"},
                "parts": {"type": "array", "items": {"$ref": "#/$defs/part"}, "uniqueItems": true},
            },
            "$defs": {"part": {"anyOf": [{"const": 1}, {"enum": [2, 3]}, {"multipleOf": 0.5}, true]}},
        });
        assert_eq!(schema_problems(&schema), Vec::<String>::new());
    }

    #[test]
    fn what_would_not_be_checked_is_refused_with_its_place() {
        let problems = |schema: Json| schema_problems(&schema).join("\n");
        let deep = problems(json!({"properties": {"a": {"unevaluatedItems": false}}}));
        assert!(deep.starts_with("/properties/a/unevaluatedItems: this keyword"), "{deep}");
        assert!(problems(json!({"format": "email"})).contains("only date"));
        assert!(problems(json!({"type": "text"})).contains("/type"));
        assert!(problems(json!({"pattern": "("})).contains("/pattern"));
        assert!(problems(json!({"$ref": "#/$defs/none"})).contains("/$ref"));
        assert!(problems(json!({"$ref": "https://example.org/x"})).contains("/$ref"));
        assert!(problems(json!({"items": [1]})).contains("/items"));
        assert!(problems(json!({"minItems": -1, "maximum": "3"})).lines().count() == 2);
        assert!(problems(json!("x")).contains("the schema"));
    }

    #[test]
    fn a_reference_to_itself_is_refused_but_a_recursive_type_is_not() {
        assert!(!schema_problems(&json!({"$ref": "#"})).is_empty());
        let tree = json!({"type": "object", "properties": {"left": {"$ref": "#"}}});
        assert!(schema_problems(&tree).is_empty());
    }
}
