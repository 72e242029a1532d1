//! `env:` and `profiles:` (SPEC 3.1, DECISIONS B37).

use crate::expr::Template;
use crate::playbook::model::{EnvEntry, EnvValue, Profile};
use crate::playbook::reading::{Field, Fields, Reader};
use crate::playbook::yaml::{Entry, Kind, Node};

/// The entries of an `env:` mapping, in file order.
pub fn env(reader: &Reader, field: Field<'_>) -> Vec<EnvEntry> {
    let Some(entries) = field.value.entries() else {
        let found = Kind::of(field.value).with_article();
        reader.error_with_help(
            field.value,
            format!("`{}` must be a mapping, not {found}", field.name),
            "write one `NAME: value` a line",
        );
        return Vec::new();
    };
    entries.iter().filter_map(|entry| env_entry(reader, entry)).collect()
}

/// The profiles of a workflow.
pub fn profiles(reader: &Reader, field: Field<'_>) -> Vec<Profile> {
    let Some(entries) = field.value.entries() else {
        reader.wrong_kind(field, "a mapping from profile names to `env` entries");
        return Vec::new();
    };
    entries
        .iter()
        .map(|entry| {
            let whole = Field { name: &entry.name, key: &entry.key, value: &entry.value };
            Profile { name: entry.name.clone(), env: profile_env(reader, whole) }
        })
        .collect()
}

/// The names of the profiles that a `profiles:` mapping declares.
pub fn profile_names(node: &Node) -> Vec<String> {
    node.entries().unwrap_or_default().iter().map(|entry| entry.name.clone()).collect()
}

/// Flat entries with an optional `description`, or `{description, env: {…}}`.
fn profile_env(reader: &Reader, field: Field<'_>) -> Vec<EnvEntry> {
    let nested = field.value.entry("env").filter(|entry| Kind::of(&entry.value) == Kind::Map);
    let Some(nested) = nested else {
        let Some(entries) = field.value.entries() else { return env(reader, field) };
        let entries = entries.iter().filter(|entry| entry.name != "description");
        return entries.filter_map(|entry| env_entry(reader, entry)).collect();
    };
    let Some(mut fields) = Fields::open(reader, field.value, "a profile") else {
        return Vec::new();
    };
    fields.take("env");
    if let Some(description) = fields.take("description") {
        reader.text(description);
    }
    fields.finish();
    env(reader, Field { name: "env", key: &nested.key, value: &nested.value })
}

fn env_entry(reader: &Reader, entry: &Entry) -> Option<EnvEntry> {
    let name = entry.name.as_str();
    if !is_env_name(name) {
        reader.error_with_help(
            &entry.key,
            format!("`{name}` is no name for an environment variable"),
            "use letters, digits and `_`, not starting with a digit",
        );
        return None;
    }
    let field = Field { name, key: &entry.key, value: &entry.value };
    let (value, secret) = match Kind::of(&entry.value) {
        Kind::Null => {
            let help = "write `\"\"` for an empty one";
            reader.error_with_help(&entry.key, format!("`{name}` has no value"), help);
            return None;
        }
        Kind::List => {
            reader.wrong_kind(field, "a text or a mapping");
            return None;
        }
        Kind::Map => mapping(reader, field)?,
        Kind::Bool(_) | Kind::Number | Kind::Text => {
            (EnvValue::Text(reader.template(field)?), false)
        }
    };
    Some(EnvEntry { name: name.to_owned(), value, secret })
}

/// `{value}`, `{command}`, `{condition, when_true, when_false}`, `{default, <profile>: …}`, each with `secret`.
fn mapping(reader: &Reader, field: Field<'_>) -> Option<(EnvValue, bool)> {
    let mut fields = Fields::open(reader, field.value, "an `env` value")?;
    let secret = reader.flag_or_false(fields.take("secret"));
    let value = if fields.has("value") {
        fields.take("value").and_then(|field| reader.template(field)).map(EnvValue::Text)
    } else if fields.has("command") {
        cache(reader, &mut fields);
        fields.take("command").and_then(|field| reader.shell_text(field)).map(EnvValue::Command)
    } else if fields.has("condition") {
        conditional(reader, &mut fields)
    } else if fields.has("provider") {
        let help = "write it under `secrets:` at top level";
        fields.refuse("provider", "`provider` belongs to secrets", help);
        fields.take("key");
        None
    } else {
        return by_profile(reader, field, secret);
    };
    fields.finish();
    Some((value?, secret))
}

/// A command runs once a run; asking for anything else would be ignored.
fn cache(reader: &Reader, fields: &mut Fields<'_>) {
    if let Some(field) = fields.take("cache")
        && reader.flag(field) == Some(false)
    {
        reader.error_with_help(
            field.key,
            "`cache: false` is not possible: the command runs once for each run",
            "remove it, or run the command in the steps that need it",
        );
    }
}

fn conditional(reader: &Reader, fields: &mut Fields<'_>) -> Option<EnvValue> {
    let condition = fields.take("condition").and_then(|field| reader.expression(field));
    let mut branch = |name: &'static str| -> Option<Template> {
        if !fields.has(name) {
            reader.error(fields.node(), format!("a conditional value needs `{name}`"));
        }
        fields.take(name).and_then(|field| reader.template(field))
    };
    let (when_true, when_false) = (branch("when_true"), branch("when_false"));
    Some(EnvValue::Conditional {
        condition: condition?,
        when_true: when_true?,
        when_false: when_false?,
    })
}

/// One value a profile. A name that is no declared profile is taken for a slip, unless
/// there is a `default` and nothing is declared (DECISIONS B37).
fn by_profile(reader: &Reader, field: Field<'_>, mut secret: bool) -> Option<(EnvValue, bool)> {
    let declared = reader.profiles.get().map(Vec::as_slice).unwrap_or_default();
    let entries = field.value.entries().unwrap_or_default();
    let has_default = entries.iter().any(|entry| entry.name == "default");
    let mut default = None;
    let mut profiles = Vec::new();
    for entry in entries {
        let name = entry.name.as_str();
        if name == "secret" || name.starts_with("x-") {
            continue;
        }
        let known =
            declared.iter().any(|profile| profile == name) || (has_default && declared.is_empty());
        if name != "default" && !known {
            let help = if declared.is_empty() {
                "values are {value}, {command}, {condition, when_true, when_false} or {default, PROFILE: …}".to_owned()
            } else {
                format!("declared under `profiles:` are {}", declared.join(", "))
            };
            let message = format!("`{name}` is neither a key of an `env` value nor a profile");
            reader.error_with_help(&entry.key, message, help);
            continue;
        }
        let value = Field { name, key: &entry.key, value: &entry.value };
        let value = match Kind::of(&entry.value) {
            Kind::Map => {
                let (value, hidden) = secret_value(reader, value);
                secret |= hidden;
                value
            }
            _ => reader.template(value),
        };
        if name == "default" {
            default = value;
        } else {
            profiles.extend(value.map(|value| (name.to_owned(), value)));
        }
    }
    Some((EnvValue::ByProfile { default, profiles }, secret))
}

/// `{secret, value}` as the value of one profile.
fn secret_value(reader: &Reader, field: Field<'_>) -> (Option<Template>, bool) {
    let Some(mut fields) = Fields::open(reader, field.value, "a profile's value") else {
        return (None, false);
    };
    let secret = reader.flag_or_false(fields.take("secret"));
    if !fields.has("value") && !fields.probably_meant(&["value"]) {
        reader.error(field.value, format!("`{}` has no `value`", field.name));
    }
    let value = fields.take("value").and_then(|field| reader.template(field));
    fields.finish();
    (value, secret)
}

/// Whether a name can be one of the environment.
pub fn is_env_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
