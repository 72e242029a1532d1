//! A value that steps hand to each other, and where it came from.

use indexmap::IndexMap;
use serde_json::Number;

/// One typed value (SPEC 4). Text that is not UTF-8 keeps its bytes.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// No value: a missing field, or JSON `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, printed as it was written (`3` stays `3`, `1.10` stays `1.10`).
    Number(Number),
    /// Text.
    String(String),
    /// Output that is not UTF-8, byte for byte.
    Bytes(Vec<u8>),
    /// A list.
    Array(Vec<Value>),
    /// A mapping in the order it was written.
    Object(IndexMap<String, Value>),
}

/// Who wrote a value: decides whether it may become shell code (SPEC 4.2).
///
/// Ordered from most to least trusted; a text made of several parts has the
/// greatest origin of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Origin {
    /// A constant of the workflow file itself: pasted as text.
    Authored,
    /// A parameter: data, except that a step which is nothing but one parameter runs it as its command.
    Parameter,
    /// Everything from outside: captures, items, error text, `--arg`, environment.
    #[default]
    Data,
}

impl Value {
    /// Text from bytes: a [`Value::String`] where they are UTF-8, else [`Value::Bytes`].
    #[must_use]
    pub fn text(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::String(text),
            Err(error) => Self::Bytes(error.into_bytes()),
        }
    }

    /// The bytes that stand for this value inside a text: strings as they are, null as
    /// nothing, lists and mappings as compact JSON.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Null => Vec::new(),
            Self::Bool(value) => value.to_string().into_bytes(),
            Self::Number(number) => number.to_string().into_bytes(),
            Self::String(text) => text.clone().into_bytes(),
            Self::Bytes(bytes) => bytes.clone(),
            Self::Array(_) | Self::Object(_) => self.to_json().to_string().into_bytes(),
        }
    }

    /// Whether it counts as true in a condition (DECISIONS B34): false, null, 0, the empty
    /// text, list and mapping, and the texts "false" and "0" do not.
    #[must_use]
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(number) => number.as_f64() != Some(0.0),
            Self::String(text) => !matches!(text.as_str(), "" | "false" | "0"),
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::Array(items) => !items.is_empty(),
            Self::Object(fields) => !fields.is_empty(),
        }
    }

    /// [`Self::to_bytes`] for people: bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.to_bytes()).into_owned()
    }

    /// As plain JSON for people and other programs; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(value) => serde_json::Value::Bool(*value),
            Self::Number(number) => serde_json::Value::Number(number.clone()),
            Self::String(text) => serde_json::Value::String(text.clone()),
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned().into(),
            Self::Array(items) => items.iter().map(Self::to_json).collect(),
            Self::Object(fields) => serde_json::Value::Object(
                fields.iter().map(|(name, value)| (name.clone(), value.to_json())).collect(),
            ),
        }
    }
}

impl serde::Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Number(value.into())
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Number(value.into())
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::Array(items)
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(number) => Self::Number(number),
            serde_json::Value::String(text) => Self::String(text),
            serde_json::Value::Array(items) => {
                Self::Array(items.into_iter().map(Self::from).collect())
            }
            serde_json::Value::Object(fields) => {
                Self::Object(fields.into_iter().map(|(name, value)| (name, value.into())).collect())
            }
        }
    }
}
