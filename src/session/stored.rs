//! Values as the journal keeps them: plain JSON, with bytes in base64 and references in
//! the place of secrets (SPEC 11, DECISIONS A7).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::expr::Value;

/// A value in the shape that goes to disk.
///
/// `{"$bytes": …}` is text that is not UTF-8, `{"$text": ["a", {"$secret": "TOKEN"}]}` text
/// that held a secret, `{"$blob": sha256, "bytes": n}` a large text kept beside the journal;
/// other keys that start with `$` carry one `$` more.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stored(Json);

impl From<Map<String, Json>> for Stored {
    fn from(entries: Map<String, Json>) -> Self {
        Self(Json::Object(entries))
    }
}

/// The secrets of a run: what is replaced by a reference, and put back.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Arc<Vec<(String, String)>>);

/// A stored value refers to a secret that is not set now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the secret {0} is part of a recorded value, but it is not set now")]
pub struct MissingSecret(pub String);

impl Secrets {
    /// Secrets by name; longer values are looked for first, so that one inside another does not cut it.
    #[must_use]
    pub fn new(mut entries: Vec<(String, String)>) -> Self {
        entries.retain(|(_, value)| !value.is_empty());
        entries.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        entries.dedup();
        Self(Arc::new(entries))
    }

    /// The text with every secret replaced by `***`.
    #[must_use]
    pub fn mask(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for (_, value) in self.0.iter() {
            if masked.contains(value.as_str()) {
                masked = masked.replace(value.as_str(), "***");
            }
        }
        masked
    }

    /// The bytes with every secret replaced by `***`.
    #[must_use]
    pub fn mask_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut masked = bytes.to_vec();
        for (_, value) in self.0.iter() {
            let needle = value.as_bytes();
            let mut from = 0;
            while let Some(at) = find(&masked[from..], needle) {
                masked.splice(from + at..from + at + needle.len(), *b"***");
                from += at + 3;
            }
        }
        masked
    }

    /// True when this whole value is one of them.
    #[must_use]
    pub fn holds(&self, value: &[u8]) -> bool {
        self.0.iter().any(|(_, secret)| secret.as_bytes() == value)
    }

    /// True when nothing is secret.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values, longest first.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, value)| value.as_str())
    }

    /// The longest value in bytes: how much a stream must hold back to mask across chunks.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.0.first().map_or(0, |(_, value)| value.len())
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Splits text at secrets: plain parts and references in turn.
    fn parts(&self, text: &str) -> Option<Vec<Json>> {
        let mut parts = Vec::new();
        let mut rest = text;
        loop {
            let next = self
                .0
                .iter()
                .filter_map(|(name, value)| Some((rest.find(value.as_str())?, name, value)))
                .min_by_key(|(at, _, value)| (*at, std::cmp::Reverse(value.len())));
            let Some((at, name, value)) = next else { break };
            if at > 0 {
                parts.push(Json::from(&rest[..at]));
            }
            parts.push(json!({ "$secret": name }));
            rest = &rest[at + value.len()..];
        }
        if parts.is_empty() {
            return None;
        }
        if !rest.is_empty() {
            parts.push(Json::from(rest));
        }
        Some(parts)
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

impl Stored {
    /// The shape of `value` on disk, with references in the place of secrets.
    #[must_use]
    pub fn seal(value: &Value, secrets: &Secrets) -> Self {
        Self(seal(value, secrets))
    }

    /// A text without secrets.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self(Json::String(text.into()))
    }

    /// A whole number.
    #[must_use]
    pub fn number(number: u64) -> Self {
        Self(Json::from(number))
    }

    /// `true` or `false`.
    #[must_use]
    pub fn boolean(value: bool) -> Self {
        Self(Json::Bool(value))
    }

    /// A list of stored values.
    #[must_use]
    pub fn list(items: Vec<Stored>) -> Self {
        Self(Json::Array(items.into_iter().map(|item| item.0).collect()))
    }

    /// A mapping of stored values; no name starts with `$`.
    #[must_use]
    pub fn object(fields: Vec<(&str, Stored)>) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value.0));
        Self(Json::Object(fields.collect()))
    }

    /// The entries, where this is a mapping.
    pub(super) fn entries(&self) -> Option<&Map<String, Json>> {
        self.0.as_object()
    }

    /// A reference to a large text that lies beside the journal under its digest.
    #[must_use]
    pub fn blob(digest: &super::Digest, bytes: u64) -> Self {
        Self(json!({ "$blob": digest.as_str(), "bytes": bytes }))
    }

    /// The digest, when this is a reference to a large text.
    #[must_use]
    pub fn blob_digest(&self) -> Option<&str> {
        self.0.get("$blob")?.as_str()
    }

    /// The value itself, with the present values of secrets put back.
    ///
    /// # Errors
    /// Names the first secret that is not set now.
    pub fn open(&self, secrets: &Secrets) -> Result<Value, MissingSecret> {
        open(&self.0, secrets, &|_| None)
    }

    /// As [`Self::open`]; `kept` reads the large texts that lie beside the journal.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(
        &self,
        secrets: &Secrets,
        kept: &dyn Fn(&str) -> Option<Vec<u8>>,
    ) -> Result<Value, MissingSecret> {
        open(&self.0, secrets, kept)
    }

    /// A secret that this refers to and that is not set now.
    #[must_use]
    pub fn missing(&self, secrets: &Secrets) -> Option<MissingSecret> {
        match &self.0 {
            Json::Array(_) | Json::Object(_) => self.open(secrets).err(),
            _ => None,
        }
    }

    /// For people: secrets as `***`, bytes that are not UTF-8 replaced.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.0 {
            Json::String(text) => text.clone(),
            Json::Null => String::new(),
            other => shown(other).unwrap_or_else(|| other.to_string()),
        }
    }

    /// As JSON for other programs: secrets as `***`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        display(&self.0)
    }

    /// True when there is no value.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.0.is_null()
    }
}

fn seal(value: &Value, secrets: &Secrets) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(number) => Json::Number(number.clone()),
        Value::String(text) => match secrets.parts(text) {
            Some(parts) => json!({ "$text": parts }),
            None => Json::String(text.clone()),
        },
        Value::Bytes(bytes) => json!({ "$bytes": BASE64.encode(secrets.mask_bytes(bytes)) }),
        Value::Array(items) => items.iter().map(|item| seal(item, secrets)).collect(),
        Value::Object(fields) => Json::Object(
            fields
                .iter()
                .map(|(name, value)| {
                    let name =
                        if name.starts_with('$') { format!("${name}") } else { name.clone() };
                    (name, seal(value, secrets))
                })
                .collect(),
        ),
    }
}

fn open(
    json: &Json,
    secrets: &Secrets,
    kept: &dyn Fn(&str) -> Option<Vec<u8>>,
) -> Result<Value, MissingSecret> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => Value::Number(number.clone()),
        Json::String(text) => Value::String(text.clone()),
        Json::Array(items) => Value::Array(
            items.iter().map(|item| open(item, secrets, kept)).collect::<Result<_, _>>()?,
        ),
        Json::Object(fields) => {
            if let Some(Json::Array(parts)) = fields.get("$text") {
                return Ok(Value::String(join(parts, |name| {
                    secrets
                        .value(name)
                        .map(str::to_owned)
                        .ok_or_else(|| MissingSecret(name.to_owned()))
                })?));
            }
            if let Some(digest) = fields.get("$blob").and_then(Json::as_str) {
                return Ok(kept(digest).map_or(Value::Null, Value::text));
            }
            if let Some(bytes) = bytes(fields) {
                return Ok(Value::text(bytes));
            }
            Value::Object(
                fields
                    .iter()
                    .map(|(name, value)| Ok((unescape(name), open(value, secrets, kept)?)))
                    .collect::<Result<_, _>>()?,
            )
        }
    })
}

fn join<E>(parts: &[Json], secret: impl Fn(&str) -> Result<String, E>) -> Result<String, E> {
    let mut text = String::new();
    for part in parts {
        match part {
            Json::String(plain) => text.push_str(plain),
            other => {
                text.push_str(&secret(
                    other.get("$secret").and_then(Json::as_str).unwrap_or_default(),
                )?);
            }
        }
    }
    Ok(text)
}

fn bytes(fields: &Map<String, Json>) -> Option<Vec<u8>> {
    BASE64.decode(fields.get("$bytes")?.as_str()?).ok()
}

fn unescape(name: &str) -> String {
    match name.strip_prefix("$$") {
        Some(rest) => format!("${rest}"),
        None => name.to_owned(),
    }
}

fn shown(json: &Json) -> Option<String> {
    let fields = json.as_object()?;
    if let Some(Json::Array(parts)) = fields.get("$text") {
        return join::<()>(parts, |_| Ok("***".to_owned())).ok();
    }
    if let Some(count) = fields.get("$blob").and(fields.get("bytes")) {
        return Some(format!("({count} bytes)"));
    }
    bytes(fields).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn display(json: &Json) -> Json {
    if let Some(text) = shown(json) {
        return Json::String(text);
    }
    match json {
        Json::Array(items) => items.iter().map(display).collect(),
        Json::Object(fields) => Json::Object(
            fields.iter().map(|(name, value)| (unescape(name), display(value))).collect(),
        ),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        Secrets::new(vec![
            ("TOKEN".into(), "hunter22".into()),
            ("LONG".into(), "hunter22-plus".into()),
        ])
    }

    #[test]
    fn secrets_leave_as_references_and_come_back() {
        let value = Value::from("a hunter22-plus b hunter22");
        let stored = Stored::seal(&value, &secrets());
        let text = serde_json::to_string(&stored).unwrap();
        assert!(!text.contains("hunter22"), "{text}");
        assert_eq!(stored.open(&secrets()), Ok(value));
        assert_eq!(stored.shown(), "a *** b ***");
        assert_eq!(stored.open(&Secrets::default()), Err(MissingSecret("LONG".into())));
    }

    #[test]
    fn bytes_and_dollar_keys_survive() {
        let mut fields = indexmap::IndexMap::new();
        fields.insert("$text".to_owned(), Value::Bytes(vec![0xff, 0, 10]));
        fields.insert("n".to_owned(), serde_json::from_str::<Json>("1.10").unwrap().into());
        let value = Value::Object(fields);
        let text = serde_json::to_string(&Stored::seal(&value, &secrets())).unwrap();
        let stored: Stored = serde_json::from_str(&text).unwrap();
        assert_eq!(stored.open(&secrets()), Ok(value));
        assert!(text.contains("1.10"));
    }
}
