//! `secrets:` (SPEC 3.1).

use super::env::is_env_name;
use crate::playbook::model::{Secret, SecretSource};
use crate::playbook::reading::{Field, Fields, Reader};
use crate::playbook::yaml::{Entry, Kind};

#[derive(Debug, Clone, Copy)]
enum Provider {
    Env,
    File,
    Command,
    Missing,
}

const PROVIDERS: [(&str, Provider); 6] = [
    ("env", Provider::Env),
    ("file", Provider::File),
    ("command", Provider::Command),
    ("vault", Provider::Missing),
    ("aws", Provider::Missing),
    ("custom", Provider::Missing),
];

/// The secrets of a workflow, in file order.
pub fn secrets(reader: &Reader, field: Field<'_>) -> Vec<Secret> {
    let Some(entries) = field.value.entries() else {
        reader.wrong_kind(field, "a mapping from names to where their values come from");
        return Vec::new();
    };
    entries.iter().filter_map(|entry| secret(reader, entry)).collect()
}

fn secret(reader: &Reader, entry: &Entry) -> Option<Secret> {
    if !is_env_name(&entry.name) {
        reader.error_with_help(
            &entry.key,
            format!("`{}` is no name for a secret", entry.name),
            "use letters, digits and `_`, not starting with a digit: steps see it in their environment",
        );
        return None;
    }
    let field = Field { name: &entry.name, key: &entry.key, value: &entry.value };
    let source = if Kind::of(&entry.value) == Kind::Map {
        from_mapping(reader, field)?
    } else {
        from_text(reader, field)?
    };
    Some(Secret { name: entry.name.clone(), source })
}

fn from_mapping(reader: &Reader, field: Field<'_>) -> Option<SecretSource> {
    let mut fields = Fields::open(reader, field.value, "a secret")?;
    let provider = fields.take("provider");
    let key = fields.take("key");
    for (name, given) in [("provider", provider), ("key", key)] {
        if given.is_none() && field.value.entry(name).is_none() {
            reader.error(field.value, format!("a secret needs `{name}`"));
        }
    }
    let key = key.and_then(|field| reader.filled_text(field));
    let source = provider.and_then(|provider| {
        let source = reader.choice(provider, &PROVIDERS)?;
        source_of(reader, provider, source, key?)
    });
    fields.finish();
    source
}

/// The name of an environment variable, also as `${NAME}`, or the older `${env:NAME}` and `${file:PATH}`.
fn from_text(reader: &Reader, field: Field<'_>) -> Option<SecretSource> {
    let text = reader.filled_text(field)?;
    let inside = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
    let (provider, key) = match inside.split_once([':', '.']) {
        Some(("env", key)) => (Provider::Env, key),
        Some(("file", key)) if inside != text => (Provider::File, key),
        Some(("cmd" | "command", key)) if inside != text => (Provider::Command, key),
        Some(("vault" | "aws", key)) if inside != text => (Provider::Missing, key),
        _ => (Provider::Env, inside),
    };
    source_of(reader, field, provider, key)
}

fn source_of(
    reader: &Reader,
    at: Field<'_>,
    provider: Provider,
    key: &str,
) -> Option<SecretSource> {
    match provider {
        Provider::File => Some(SecretSource::File(key.into())),
        Provider::Command => Some(SecretSource::Command(key.to_owned())),
        Provider::Missing => {
            reader.error_with_help(
                at.value,
                "secrets come from the environment, a file or a command",
                "read it with the tool itself: {provider: command, key: \"vault read …\"}",
            );
            None
        }
        Provider::Env if is_env_name(key) => Some(SecretSource::Env(key.to_owned())),
        Provider::Env => {
            reader.error_with_help(
                at.value,
                "this is no name of an environment variable",
                "write the name of the variable that holds the secret, never the secret itself",
            );
            None
        }
    }
}
