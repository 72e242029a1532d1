//! `parameters:` (SPEC 3.1, DECISIONS B36).

use crate::expr::Value;
use crate::playbook::model::{Parameter, ParameterKind};
use crate::playbook::reading::{Field, Fields, Reader, value};
use crate::playbook::yaml::{Entry, Kind, Node};

/// `any` of older files accepts everything.
const KINDS: [(&str, Option<ParameterKind>); 6] = [
    ("string", Some(ParameterKind::String)),
    ("number", Some(ParameterKind::Number)),
    ("boolean", Some(ParameterKind::Boolean)),
    ("array", Some(ParameterKind::Array)),
    ("object", Some(ParameterKind::Object)),
    ("any", None),
];

/// The parameters of a workflow: name → options, or the lists `required` and `optional` of older files.
pub fn parameters(reader: &Reader, field: Field<'_>) -> Vec<Parameter> {
    let Some(entries) = field.value.entries() else {
        reader.wrong_kind(field, "a mapping from names to their options");
        return Vec::new();
    };
    let is_list = |entry: &&Entry| {
        matches!(entry.name.as_str(), "required" | "optional") && entry.value.items().is_some()
    };
    let mut parameters: Vec<Parameter> = Vec::new();
    let lists: Vec<&Entry> = entries.iter().filter(is_list).collect();
    if !lists.is_empty() {
        for entry in entries.iter().filter(|entry| !is_list(entry) && !entry.name.starts_with("x-"))
        {
            reader.error_with_help(
                &entry.key,
                format!("`{}` stands beside the lists `required` and `optional`", entry.name),
                "put it into one of the lists, or write all parameters as `name: {…}`",
            );
        }
        for entry in lists {
            let required = entry.name == "required";
            for item in entry.value.items().unwrap_or_default() {
                parameters.extend(listed(reader, item, required));
            }
        }
    } else if let Some(inner) = definitions(entries) {
        reader.error_with_help(
            &inner.key,
            "`definitions` is a key of older versions",
            "write the parameters directly under `parameters:`",
        );
        reader.lose_names();
    } else {
        for entry in entries.iter().filter(|entry| !entry.name.starts_with("x-")) {
            parameters.extend(named(reader, entry));
        }
    }
    parameters
}

/// `{definitions: {name: {…}}}`, which is not a parameter of that name.
fn definitions(entries: &[Entry]) -> Option<&Entry> {
    let entry = entries.iter().find(|entry| entry.name == "definitions")?;
    let inner = entry.value.entries()?;
    inner.iter().all(|entry| entry.value.entries().is_some()).then_some(entry)
}

fn named(reader: &Reader, entry: &Entry) -> Option<Parameter> {
    let name = parameter_name(reader, &entry.key, &entry.name)?;
    if Kind::of(&entry.value) == Kind::Null {
        return Some(bare(name, true));
    }
    if Kind::of(&entry.value) != Kind::Map {
        reader.error_with_help(
            &entry.value,
            format!("parameter `{name}` must be a mapping"),
            format!("write `{name}: {{default: …}}`"),
        );
        return Some(bare(name, false));
    }
    let mut fields = Fields::open(reader, &entry.value, "a parameter")?;
    let parameter = options(reader, &mut fields, name, None);
    fields.finish();
    Some(parameter)
}

/// `{name, type, …}` or a bare name in one of the two lists.
fn listed(reader: &Reader, item: &Node, required: bool) -> Option<Parameter> {
    let field = Field { name: "name", key: item, value: item };
    if Kind::of(item) != Kind::Map {
        let name = reader.name(field);
        if name.is_none() {
            reader.lose_names();
        }
        return Some(bare(name?, required));
    }
    let mut fields = Fields::open(reader, item, "a parameter")?;
    let Some(name) = fields.take("name").and_then(|field| reader.name(field)) else {
        reader.lose_names();
        if item.entry("name").is_none() {
            reader.error(item, "this parameter has no `name`");
        }
        return None;
    };
    let parameter = options(reader, &mut fields, name, Some(required));
    fields.finish();
    Some(parameter)
}

fn bare(name: String, required: bool) -> Parameter {
    Parameter { name, description: None, kind: None, required, default: None, choices: Vec::new() }
}

fn parameter_name(reader: &Reader, key: &Node, name: &str) -> Option<String> {
    let name =
        reader.name(Field { name: "parameters", key, value: key }).filter(|found| found == name);
    if name.is_none() {
        reader.lose_names();
    }
    name
}

/// The options of a parameter; `required` is known already for those of the lists.
fn options(
    reader: &Reader,
    fields: &mut Fields<'_>,
    name: String,
    required: Option<bool>,
) -> Parameter {
    let description =
        fields.take("description").and_then(|field| reader.text(field)).map(str::to_owned);
    let kind = fields.take("type").and_then(|field| kind(reader, field)).flatten();
    let flag = fields.take("required");
    let default = fields.take_any_value("default");
    let choices = fields.take("enum");
    fields.refuse(
        "validation",
        "`validation` of a parameter is not possible",
        "list the allowed values under `enum:`",
    );
    let said = flag.and_then(|field| reader.flag(field));
    if let (Some(true), Some(field)) = (said.or(required), default) {
        reader.error_with_help(
            field.key,
            format!("parameter `{name}` is required and has a default"),
            "keep one of the two",
        );
    }
    let choices = choices.map(|field| values(reader, field)).unwrap_or_default();
    let default = default.and_then(|field| {
        let value = value(field.value);
        check_default(reader, field, &value, kind, &choices);
        Some(value).filter(|value| *value != Value::Null)
    });
    let required = required.or(said).unwrap_or(false);
    Parameter { name, description, kind, required, default, choices }
}

fn kind(reader: &Reader, field: Field<'_>) -> Option<Option<ParameterKind>> {
    let text = reader.text(field)?;
    let lower = text.to_ascii_lowercase();
    if let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == lower) {
        return Some(*kind);
    }
    let meant = match lower.as_str() {
        "integer" | "int" | "float" | "double" => Some("number"),
        "bool" => Some("boolean"),
        "str" | "text" | "path" | "file" => Some("string"),
        "list" => Some("array"),
        "map" | "dict" => Some("object"),
        _ => None,
    };
    match meant {
        Some(meant) => {
            let message = format!("`type` cannot be `{text}`");
            reader.error_with_help(field.value, message, format!("write `{meant}`"));
            None
        }
        None => reader.choice(field, &KINDS),
    }
}

fn values(reader: &Reader, field: Field<'_>) -> Vec<Value> {
    match field.value.items() {
        Some([]) | None => {
            reader.error(field.value, "`enum` must be a list of the allowed values");
            Vec::new()
        }
        Some(items) => items.iter().map(value).collect(),
    }
}

/// A default must have the type and be one of the allowed values, strictly (DECISIONS B36).
fn check_default(
    reader: &Reader,
    field: Field<'_>,
    value: &Value,
    kind: Option<ParameterKind>,
    choices: &[Value],
) {
    let fits = match (kind, value) {
        (None, _)
        | (Some(ParameterKind::String), Value::String(_))
        | (Some(ParameterKind::Number), Value::Number(_))
        | (Some(ParameterKind::Boolean), Value::Bool(_))
        | (Some(ParameterKind::Array), Value::Array(_))
        | (Some(ParameterKind::Object), Value::Object(_))
        | (_, Value::Null) => true,
        (Some(_), _) => false,
    };
    if let Some(kind) = kind.filter(|_| !fits) {
        let name =
            KINDS.iter().find(|(_, known)| *known == Some(kind)).map_or("", |(name, _)| name);
        let found = Kind::of(field.value).with_article();
        reader.error(field.value, format!("`default` must have the type `{name}`, it is {found}"));
    } else if !choices.is_empty() && *value != Value::Null && !choices.contains(value) {
        reader.error(field.value, "`default` is not one of the values under `enum`");
    }
}
