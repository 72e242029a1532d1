//! The small pieces that the schema is put together from.

use serde_json::{Map, Value, json};

/// Something with a description, which editors show beside the key.
pub(super) fn described(mut schema: Value, description: &str) -> Value {
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("description".to_owned(), description.into());
    }
    schema
}

/// Text; a number or boolean stands for the text as it is written.
pub(super) fn text(description: &str) -> Value {
    described(json!({ "type": ["string", "number", "boolean"] }), description)
}

/// Text that must match `pattern`.
pub(super) fn matching(description: &str, pattern: &str) -> Value {
    described(json!({ "type": "string", "pattern": pattern }), description)
}

/// `true` or `false`, also in quotes.
pub(super) fn flag(description: &str) -> Value {
    described(json!({ "type": ["boolean", "string"], "pattern": "^(true|false)$" }), description)
}

/// One of some words.
pub(super) fn choice(description: &str, words: &[&str]) -> Value {
    described(json!({ "enum": words }), description)
}

/// A whole number, also as text.
pub(super) fn whole(description: &str, minimum: u64) -> Value {
    let number = json!({ "type": "integer", "minimum": minimum });
    any(description, vec![number, json!({ "type": "string", "pattern": "^[0-9]+$" })])
}

/// A whole number, or a `${…}` that becomes one.
pub(super) fn count(description: &str, minimum: u64) -> Value {
    let number = json!({ "type": "integer", "minimum": minimum });
    any(
        description,
        vec![number, json!({ "type": "string", "pattern": r"^[0-9]+$|\$\{|^\$[A-Za-z_]" })],
    )
}

/// A number between two bounds, also as text.
pub(super) fn number(description: &str, minimum: f64, maximum: Option<f64>) -> Value {
    let mut number = json!({ "type": "number", "minimum": minimum });
    if let (Some(maximum), Some(fields)) = (maximum, number.as_object_mut()) {
        fields.insert("maximum".to_owned(), json!(maximum));
    }
    any(description, vec![number, json!({ "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$" })])
}

/// Seconds, or `90s`, `5m`, `1h30m`, `500ms`, `7d`, or a `${…}` that becomes one; more than 0.
pub(super) fn duration(description: &str) -> Value {
    reference("duration", description)
}

/// As [`duration`], but written out: no `${…}`.
pub(super) fn period(description: &str) -> Value {
    reference("period", description)
}

/// A list of at least one of `item`.
pub(super) fn list(description: &str, item: Value) -> Value {
    described(json!({ "type": "array", "items": item, "minItems": 1 }), description)
}

/// Several shapes.
pub(super) fn any(description: &str, shapes: Vec<Value>) -> Value {
    described(json!({ "anyOf": shapes }), description)
}

/// A definition of `$defs`.
pub(super) fn reference(name: &str, description: &str) -> Value {
    described(json!({ "$ref": format!("#/$defs/{name}") }), description)
}

/// A mapping with these keys; other keys are refused, except those that begin with `x-`.
pub(super) fn mapping(description: &str, keys: Vec<(&str, Value)>) -> Value {
    let keys: Map<String, Value> =
        keys.into_iter().map(|(key, schema)| (key.to_owned(), schema)).collect();
    described(
        json!({
            "type": "object",
            "properties": keys,
            "patternProperties": { "^x-": true },
            "additionalProperties": false,
        }),
        description,
    )
}

/// A mapping from names of the author to `value`.
pub(super) fn named(description: &str, pattern: &str, value: Value) -> Value {
    described(
        json!({
            "type": "object",
            "propertyNames": { "pattern": pattern },
            "additionalProperties": value,
        }),
        description,
    )
}

/// `schema`, and these keys must be there.
pub(super) fn requires(mut schema: Value, keys: &[&str]) -> Value {
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("required".to_owned(), json!(keys));
    }
    schema
}

/// `schema`, and exactly one of these keys must be there.
pub(super) fn one_of(mut schema: Value, keys: &[&str]) -> Value {
    if let Some(fields) = schema.as_object_mut() {
        let each: Vec<Value> = keys.iter().map(|key| json!({ "required": [key] })).collect();
        fields.insert("oneOf".to_owned(), each.into());
    }
    schema
}

/// `schema`, and at least one of these keys must be there.
pub(super) fn some_of(mut schema: Value, keys: &[&str]) -> Value {
    if let Some(fields) = schema.as_object_mut() {
        let each: Vec<Value> = keys.iter().map(|key| json!({ "required": [key] })).collect();
        fields.insert("anyOf".to_owned(), each.into());
    }
    schema
}

/// `schema`, and no two of these keys stand together.
pub(super) fn not_both(mut schema: Value, pairs: &[[&str; 2]]) -> Value {
    if let Some(fields) = schema.as_object_mut() {
        let each: Vec<Value> =
            pairs.iter().map(|pair| json!({ "not": { "required": pair } })).collect();
        fields.insert("allOf".to_owned(), each.into());
    }
    schema
}

/// `schema`, and each of these keys only stands beside `beside`.
pub(super) fn only_beside(mut schema: Value, keys: &[&str], beside: &str) -> Value {
    if let Some(fields) = schema.as_object_mut() {
        let entry = fields.entry("dependentRequired").or_insert_with(|| json!({}));
        if let Some(rules) = entry.as_object_mut() {
            rules.extend(keys.iter().map(|key| ((*key).to_owned(), json!([beside]))));
        }
    }
    schema
}
