//! Whether an agent's answer satisfies its `output_schema:`, and what to tell the agent when it does not.

use std::cell::Cell;

use chrono::{DateTime, NaiveDate, NaiveTime};
use regex::Regex;
use serde_json::{Map, Number, Value as Json};

use super::schema::{referred, schema_problems};
use super::verdict::Answer;

/// How many mismatches are told at most: an agent corrects the rest in the next round.
const MOST: usize = 20;
/// How deep a schema may refer to itself along one value.
const DEEPEST: usize = 500;
/// How many parts of a schema are looked at: one that refers to itself twice would go on for ever.
const STEPS: u32 = 1_000_000;

/// The JSON of an answer that satisfies `schema`.
///
/// # Errors
/// What is wrong with the answer, worded as a prompt for the agent.
pub fn structured_answer(schema: &Json, answer: &Answer) -> Result<Json, String> {
    let json = match &answer.structured {
        Some(json) => Some(json.clone()),
        None => json_in(&answer.text),
    };
    let ask = |problems: String| {
        format!(
            "Your answer does not have the form that was asked for:\n{problems}\n\n\
             Do not change anything else. Answer again with nothing but one JSON document that \
             satisfies this JSON Schema:\n{schema}"
        )
    };
    let json = json.ok_or_else(|| ask("- it is not a JSON document".into()))?;
    let problems = mismatches(schema, &json);
    if problems.is_empty() {
        return Ok(json);
    }
    Err(ask(problems.iter().map(|problem| format!("- {problem}")).collect::<Vec<_>>().join("\n")))
}

/// Where a document does not satisfy a schema, each with its place (`/name: …`); empty when it does.
#[must_use]
pub fn mismatches(schema: &Json, document: &Json) -> Vec<String> {
    let problems = schema_problems(schema);
    if !problems.is_empty() {
        return problems.into_iter().map(|problem| format!("the schema: {problem}")).collect();
    }
    let steps = Cell::new(0);
    let mut check = Check { root: schema, steps: &steps, found: Vec::new() };
    check.value(schema, document, "", 0);
    check.found
}

/// The JSON document in a text: the whole text, a fenced block, or what stands between the outer brackets.
fn json_in(text: &str) -> Option<Json> {
    let whole = |text: &str| serde_json::from_str(text.trim()).ok();
    let fenced = text.split("```").skip(1).step_by(2).filter_map(|block| {
        let body = block.split_once('\n').map_or(block, |(_, body)| body);
        whole(body).or_else(|| whole(block))
    });
    whole(text).or_else(|| fenced.last()).or_else(|| {
        let start = text.find(['{', '['])?;
        let end = text.rfind(['}', ']'])?;
        whole(text.get(start..=end)?)
    })
}

/// Whether a number satisfies a keyword with this bound.
type NumberRule = fn(f64, f64) -> bool;

struct Check<'a> {
    root: &'a Json,
    steps: &'a Cell<u32>,
    found: Vec<String>,
}

impl Check<'_> {
    fn tell(&mut self, place: &str, why: String) {
        let place = if place.is_empty() { "the answer" } else { place };
        if self.found.len() < MOST {
            self.found.push(format!("{place}: {why}"));
        }
    }

    fn fits(&self, schema: &Json, value: &Json, depth: usize) -> bool {
        let mut inner = Check { root: self.root, steps: self.steps, found: Vec::new() };
        inner.value(schema, value, "", depth + 1);
        inner.found.is_empty()
    }

    fn value(&mut self, schema: &Json, value: &Json, place: &str, depth: usize) {
        self.steps.set(self.steps.get().saturating_add(1));
        if depth > DEEPEST || self.steps.get() > STEPS {
            return self.tell(place, "the schema refers to itself too often".into());
        }
        let keywords = match schema {
            Json::Bool(true) => return,
            Json::Object(keywords) => keywords,
            _ => return self.tell(place, "must not be there".into()),
        };
        if let Some(reference) = keywords.get("$ref").and_then(Json::as_str)
            && let Some(part) = referred(self.root, reference)
        {
            self.value(part, value, place, depth + 1);
        }
        self.type_and_choice(keywords, value, place);
        self.combined(keywords, value, place, depth);
        match value {
            Json::Number(number) => self.number(keywords, number, place),
            Json::String(text) => self.text(keywords, text, place),
            Json::Array(items) => self.list(keywords, items, place, depth),
            Json::Object(fields) => self.object(keywords, fields, place, depth),
            Json::Null | Json::Bool(_) => {}
        }
    }

    fn type_and_choice(&mut self, keywords: &Map<String, Json>, value: &Json, place: &str) {
        if let Some(kind) = keywords.get("type") {
            let names: Vec<&str> = match kind {
                Json::Array(names) => names.iter().filter_map(Json::as_str).collect(),
                name => name.as_str().into_iter().collect(),
            };
            if !names.iter().any(|name| is_type(value, name)) {
                self.tell(place, format!("must be {}, is {}", names.join(" or "), type_of(value)));
            }
        }
        if let Some(Json::Array(choices)) = keywords.get("enum")
            && !choices.iter().any(|choice| same(choice, value))
        {
            let choices: Vec<String> = choices.iter().map(Json::to_string).collect();
            self.tell(place, format!("must be one of {}", choices.join(", ")));
        }
        if let Some(constant) = keywords.get("const")
            && !same(constant, value)
        {
            self.tell(place, format!("must be {constant}"));
        }
    }

    fn combined(&mut self, keywords: &Map<String, Json>, value: &Json, place: &str, depth: usize) {
        let list = |keyword: &str| keywords.get(keyword).and_then(Json::as_array);
        for part in list("allOf").into_iter().flatten() {
            self.value(part, value, place, depth + 1);
        }
        if let Some(parts) = list("anyOf")
            && !parts.iter().any(|part| self.fits(part, value, depth))
        {
            self.tell(place, "must satisfy one of the forms of anyOf".into());
        }
        if let Some(parts) = list("oneOf") {
            let count = parts.iter().filter(|part| self.fits(part, value, depth)).count();
            if count != 1 {
                self.tell(place, format!("must satisfy exactly one form of oneOf, not {count}"));
            }
        }
        if let Some(part) = keywords.get("not")
            && self.fits(part, value, depth)
        {
            self.tell(place, format!("must not satisfy {part}"));
        }
        if let Some(condition) = keywords.get("if") {
            let branch = if self.fits(condition, value, depth) { "then" } else { "else" };
            if let Some(part) = keywords.get(branch) {
                self.value(part, value, place, depth + 1);
            }
        }
    }

    fn number(&mut self, keywords: &Map<String, Json>, number: &Number, place: &str) {
        let Some(value) = number.as_f64() else { return };
        let rules: [(&str, NumberRule, &str); 5] = [
            ("minimum", |value, bound| value >= bound, "must be at least"),
            ("maximum", |value, bound| value <= bound, "must be at most"),
            ("exclusiveMinimum", |value, bound| value > bound, "must be greater than"),
            ("exclusiveMaximum", |value, bound| value < bound, "must be less than"),
            ("multipleOf", is_multiple, "must be a multiple of"),
        ];
        for (keyword, holds, words) in rules {
            if let Some(bound) = keywords.get(keyword).and_then(Json::as_f64)
                && !holds(value, bound)
            {
                self.tell(place, format!("{words} {bound}"));
            }
        }
    }

    fn text(&mut self, keywords: &Map<String, Json>, text: &str, place: &str) {
        self.count(keywords, text.chars().count(), ["minLength", "maxLength"], "characters", place);
        if let Some(pattern) = keywords.get("pattern").and_then(Json::as_str)
            && Regex::new(pattern).is_ok_and(|pattern| !pattern.is_match(text))
        {
            self.tell(place, format!("must match the pattern {pattern}"));
        }
        if let Some(format) = keywords.get("format").and_then(Json::as_str)
            && !has_format(text, format)
        {
            self.tell(place, format!("must be a {format}"));
        }
    }

    fn list(&mut self, keywords: &Map<String, Json>, items: &[Json], place: &str, depth: usize) {
        self.count(keywords, items.len(), ["minItems", "maxItems"], "items", place);
        let firsts = keywords.get("prefixItems").and_then(Json::as_array);
        for (index, item) in items.iter().enumerate() {
            let first = firsts.and_then(|firsts| firsts.get(index));
            if let Some(schema) = first.or_else(|| keywords.get("items")) {
                self.value(schema, item, &format!("{place}/{index}"), depth + 1);
            }
        }
        if keywords.get("uniqueItems") == Some(&Json::Bool(true)) {
            for (index, item) in items.iter().enumerate() {
                if items.iter().take(index).any(|other| same(other, item)) {
                    self.tell(&format!("{place}/{index}"), "is there twice".into());
                }
            }
        }
        if let Some(schema) = keywords.get("contains")
            && !items.iter().any(|item| self.fits(schema, item, depth))
        {
            self.tell(place, format!("must contain an item that satisfies {schema}"));
        }
    }

    fn object(
        &mut self,
        keywords: &Map<String, Json>,
        fields: &Map<String, Json>,
        place: &str,
        depth: usize,
    ) {
        self.count(keywords, fields.len(), ["minProperties", "maxProperties"], "fields", place);
        let required = keywords.get("required").and_then(Json::as_array);
        for name in required.into_iter().flatten().filter_map(Json::as_str) {
            if !fields.contains_key(name) {
                self.tell(place, format!("the field {name:?} is missing"));
            }
        }
        let named = keywords.get("properties").and_then(Json::as_object);
        let patterns: Vec<(Regex, &Json)> = keywords
            .get("patternProperties")
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
            .filter_map(|(pattern, schema)| Some((Regex::new(pattern).ok()?, schema)))
            .collect();
        for (name, value) in fields {
            let here = format!("{place}/{name}");
            let mut is_known = false;
            let matching = patterns.iter().filter(|(pattern, _)| pattern.is_match(name));
            let by_name = named.and_then(|named| named.get(name));
            for schema in by_name.into_iter().chain(matching.map(|(_, schema)| *schema)) {
                is_known = true;
                self.value(schema, value, &here, depth + 1);
            }
            match keywords.get("additionalProperties") {
                Some(Json::Bool(false)) if !is_known => {
                    self.tell(place, format!("the field {name:?} must not be there"));
                }
                Some(schema) if !is_known => self.value(schema, value, &here, depth + 1),
                _ => {}
            }
            if let Some(schema) = keywords.get("propertyNames")
                && !self.fits(schema, &Json::from(name.as_str()), depth)
            {
                self.tell(place, format!("the field name {name:?} must satisfy {schema}"));
            }
        }
    }

    fn count(
        &mut self,
        keywords: &Map<String, Json>,
        count: usize,
        [least, most]: [&str; 2],
        what: &str,
        place: &str,
    ) {
        let bound = |keyword: &str| keywords.get(keyword).and_then(Json::as_u64);
        let count = count as u64;
        if let Some(least) = bound(least).filter(|least| count < *least) {
            self.tell(place, format!("must have at least {least} {what}, has {count}"));
        }
        if let Some(most) = bound(most).filter(|most| count > *most) {
            self.tell(place, format!("must have at most {most} {what}, has {count}"));
        }
    }
}

fn type_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

fn is_type(value: &Json, name: &str) -> bool {
    match (value, name) {
        (Json::Number(number), "integer") => {
            number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|n| n.fract() == 0.0)
        }
        _ => type_of(value) == name,
    }
}

/// Equality as JSON Schema has it: 1 and 1.0 are the same number.
fn same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, one)| other.get(name).is_some_and(|other| same(one, other)))
        }
        _ => one == other,
    }
}

/// With room for the rounding of decimals: 0.3 is a multiple of 0.1.
fn is_multiple(value: f64, of: f64) -> bool {
    let times = value / of;
    (times - times.round()).abs() <= 1e-9 * times.abs().max(1.0)
}

fn has_format(text: &str, format: &str) -> bool {
    match format {
        "date" => NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok(),
        "date-time" => DateTime::parse_from_rfc3339(text).is_ok(),
        "time" => {
            let time = text.split(['Z', 'z', '+', '-']).next().unwrap_or_default();
            NaiveTime::parse_from_str(time, "%H:%M:%S%.f").is_ok()
        }
        "uuid" => {
            let lengths: Vec<usize> = text.split('-').map(str::len).collect();
            let is_hex = text.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
            is_hex && lengths == [8, 4, 4, 4, 12]
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(text: &str) -> Answer {
        Answer { text: text.into(), structured: None }
    }

    #[test]
    fn every_keyword_refuses_what_it_should_and_nothing_else() {
        let cases = [
            (json!({"type": "integer"}), json!(1.0), json!(1.5)),
            (json!({"type": ["string", "null"]}), json!(null), json!(1)),
            (json!({"enum": [1, "a"]}), json!(1.0), json!("b")),
            (json!({"const": {"a": [1]}}), json!({"a": [1.0]}), json!({"a": []})),
            (json!({"minimum": 3}), json!(3), json!(2.9)),
            (json!({"maximum": 3}), json!(3), json!(4)),
            (json!({"exclusiveMinimum": 3}), json!(3.1), json!(3)),
            (json!({"exclusiveMaximum": 3}), json!(2), json!(3)),
            (json!({"multipleOf": 0.1}), json!(0.3), json!(0.35)),
            (json!({"minLength": 2}), json!("äö"), json!("ä")),
            (json!({"maxLength": 2}), json!("äö"), json!("äöü")),
            (json!({"pattern": "^a"}), json!("ab"), json!("ba")),
            (json!({"format": "date"}), json!("2026-02-28"), json!("2026-02-30")),
            (json!({"format": "date-time"}), json!("2026-01-01T00:00:00Z"), json!("2026-01-01")),
            (json!({"format": "time"}), json!("10:00:00Z"), json!("25:00:00Z")),
            (
                json!({"format": "uuid"}),
                json!("d438f838-1502-4659-bbb5-464161910a4f"),
                json!("d438f838"),
            ),
            (json!({"items": {"type": "string"}}), json!(["a"]), json!(["a", 1])),
            (json!({"prefixItems": [{"const": 1}], "items": false}), json!([1]), json!([1, 2])),
            (json!({"minItems": 1}), json!([0]), json!([])),
            (json!({"maxItems": 1}), json!([0]), json!([0, 1])),
            (json!({"uniqueItems": true}), json!([1, 2]), json!([1, 1.0])),
            (json!({"contains": {"const": 1}}), json!([0, 1]), json!([0])),
            (json!({"required": ["a"]}), json!({"a": null}), json!({})),
            (json!({"properties": {"a": {"type": "null"}}}), json!({"b": 1}), json!({"a": 1})),
            (json!({"patternProperties": {"^a": false}}), json!({"b": 1}), json!({"ab": 1})),
            (
                json!({"properties": {"a": true}, "additionalProperties": false}),
                json!({"a": 1}),
                json!({"b": 1}),
            ),
            (json!({"additionalProperties": {"const": 1}}), json!({"a": 1}), json!({"a": 2})),
            (json!({"propertyNames": {"maxLength": 1}}), json!({"a": 1}), json!({"ab": 1})),
            (json!({"minProperties": 1}), json!({"a": 1}), json!({})),
            (json!({"maxProperties": 1}), json!({"a": 1}), json!({"a": 1, "b": 1})),
            (json!({"allOf": [{"minimum": 1}, {"maximum": 2}]}), json!(1), json!(3)),
            (json!({"anyOf": [{"const": 1}, {"const": 2}]}), json!(2), json!(3)),
            (json!({"oneOf": [{"minimum": 1}, {"minimum": 2}]}), json!(1), json!(2)),
            (json!({"not": {"const": 1}}), json!(2), json!(1)),
            (
                json!({"if": {"minimum": 5}, "then": {"multipleOf": 2}, "else": {"const": 1}}),
                json!(6),
                json!(7),
            ),
            (json!({"if": {"minimum": 5}, "else": {"const": 1}}), json!(1), json!(2)),
            (json!({"$ref": "#/$defs/a", "$defs": {"a": {"const": 1}}}), json!(1), json!(2)),
            (
                json!({"properties": {"next": {"$ref": "#"}}, "required": ["n"]}),
                json!({"n": 1, "next": {"n": 2}}),
                json!({"n": 1, "next": {"next": {"n": 3}}}),
            ),
            (json!(true), json!(1), json!(null)),
        ];
        for (schema, good, bad) in cases {
            assert_eq!(mismatches(&schema, &good), Vec::<String>::new(), "{schema} {good}");
            if schema != json!(true) {
                assert!(!mismatches(&schema, &bad).is_empty(), "{schema} {bad}");
            }
        }
    }

    #[test]
    fn a_mismatch_names_its_place() {
        let schema = json!({"properties": {"a": {"items": {"type": "string"}}}, "required": ["b"]});
        assert_eq!(
            mismatches(&schema, &json!({"a": ["x", 1]})),
            [r#"the answer: the field "b" is missing"#, "/a/1: must be string, is number"]
        );
    }

    #[test]
    fn the_cli_s_structured_answer_is_taken_before_the_text() {
        let answer = Answer { text: "[1]".into(), structured: Some(json!([2])) };
        assert_eq!(structured_answer(&json!({"type": "array"}), &answer), Ok(json!([2])));
    }

    #[test]
    fn json_is_found_in_the_ways_agents_write_it() {
        let schema = json!({"type": "object", "required": ["a"]});
        let texts = [
            r#" {"a": 1} "#,
            "Here it is:\n```json\n{\"a\": 1}\n```\nDone.",
            "```\n{\"a\": 1}\n```",
            r#"The result is {"a": 1}."#,
        ];
        for said in texts {
            assert_eq!(structured_answer(&schema, &text(said)), Ok(json!({"a": 1})), "{said}");
        }
    }

    #[test]
    fn a_wrong_answer_becomes_the_next_prompt() {
        let schema = json!({"type": "object", "required": ["a"]});
        let prompt = structured_answer(&schema, &text("no idea")).unwrap_err();
        assert!(prompt.contains("not a JSON document") && prompt.contains(r#""required":["a"]"#));
        let prompt = structured_answer(&schema, &text("{}")).unwrap_err();
        assert!(prompt.contains(r#"the field "a" is missing"#));
    }

    #[test]
    fn a_schema_that_never_ends_is_a_mismatch_not_a_crash() {
        for keyword in ["allOf", "anyOf"] {
            let schema = json!({keyword: [{"$ref": "#"}, {"$ref": "#"}]});
            assert!(!mismatches(&schema, &json!(1)).is_empty());
        }
    }
}
