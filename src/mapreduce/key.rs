//! What makes two values the same for `distinct`, `unique` and `group_by`.

use crate::expr::Value;

use super::number::Decimal;

/// The identity of a value: kinds are told apart (`5` and `"5"` differ), numbers count by
/// value (`5`, `5.0` and `5e0` are one), objects by their fields in any order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Vec<u8>);

impl Key {
    /// The identity of `value`.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        let mut bytes = Vec::new();
        write(value, &mut bytes);
        Self(bytes)
    }
}

/// Each kind has its own first byte, and what has no fixed length says how long it is, so
/// that no two values share their bytes.
fn write(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Null => bytes.push(b'z'),
        Value::Bool(false) => bytes.push(b'f'),
        Value::Bool(true) => bytes.push(b't'),
        Value::Number(number) => {
            let text = number.to_string();
            let text = match (Decimal::parse(&text), text.parse::<f64>()) {
                (Some(exact), _) => exact.shortest().to_string(),
                (None, Ok(float)) if float.is_finite() => float.to_string(),
                _ => text,
            };
            write_text(b'n', text.as_bytes(), bytes);
        }
        Value::String(text) => write_text(b's', text.as_bytes(), bytes),
        Value::Bytes(raw) => write_text(b'b', raw, bytes),
        Value::Array(items) => {
            write_text(b'a', items.len().to_string().as_bytes(), bytes);
            items.iter().for_each(|item| write(item, bytes));
        }
        Value::Object(fields) => {
            write_text(b'o', fields.len().to_string().as_bytes(), bytes);
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            for (name, value) in fields {
                write_text(b'k', name.as_bytes(), bytes);
                write(value, bytes);
            }
        }
    }
}

fn write_text(kind: u8, text: &[u8], bytes: &mut Vec<u8>) {
    bytes.push(kind);
    bytes.extend_from_slice(text.len().to_string().as_bytes());
    bytes.push(b':');
    bytes.extend_from_slice(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(json: &str) -> Key {
        Key::of(&serde_json::from_str::<serde_json::Value>(json).unwrap().into())
    }

    #[test]
    fn numbers_count_by_value_and_fields_in_any_order() {
        for same in [["5", "5.0"], ["5", "5e0"], ["100", "1e2"], ["0", "-0.0"], ["1e400", "1e400"]]
        {
            assert_eq!(key(same[0]), key(same[1]), "{same:?}");
        }
        assert_eq!(key(r#"{"a":1,"b":[2]}"#), key(r#"{"b":[2.0],"a":1}"#));
    }

    #[test]
    fn everything_else_differs() {
        let texts = [
            "5",
            "\"5\"",
            "null",
            "\"\"",
            "[]",
            "{}",
            "[[]]",
            "[[],[]]",
            "[\"a\",\"b\"]",
            "[\"ab\"]",
            "true",
            "\"true\"",
            "{\"a\":null}",
            "{\"a\":\"\"}",
            "9007199254740993",
            "9007199254740992",
            "0.1",
            "0.10000000000000001",
        ];
        let keys: std::collections::BTreeSet<Key> = texts.iter().map(|text| key(text)).collect();
        assert_eq!(keys.len(), texts.len());
        assert_ne!(Key::of(&Value::Bytes(vec![255])), Key::of(&Value::from("\u{fffd}")));
    }
}
