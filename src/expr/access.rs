//! From a path to a value: asks the scope for the first name and walks on below it.

use super::{EvalError, Lookup, Origin, Path, Scope, Segment, Value, nearest::did_you_mean};

/// The value of `path`; `None` when nobody knows its first name.
pub(super) fn find(path: &Path, scope: &dyn Scope) -> Option<(Value, Origin)> {
    match scope.lookup(path) {
        Lookup::Unknown => None,
        Lookup::Found { value, origin, used } => {
            Some((walk(value, path.rest.get(used..).unwrap_or_default()), origin))
        }
    }
}

/// Whether the scope knows the first name of `path`.
pub(super) fn knows(root: &str, scope: &dyn Scope) -> bool {
    let path = Path { root: root.to_owned(), rest: Vec::new() };
    !matches!(scope.lookup(&path), Lookup::Unknown)
}

/// The error for a first name that nobody knows.
pub(super) fn unknown(path: &Path, scope: &dyn Scope) -> EvalError {
    let error = EvalError::new(format!("unknown name `{}` in `${{{path}}}`", path.root));
    let known = scope.names();
    let help = did_you_mean(&path.root, &known)
        .unwrap_or_else(|| format!("give a default (`${{{path}:-…}}`) if it may be missing"));
    error.help(help)
}

/// What `segments` lead to; null when a part is missing. A text that holds JSON is JSON.
pub(super) fn walk(mut value: Value, segments: &[Segment]) -> Value {
    for segment in segments {
        if let Value::String(text) = &value {
            value = match serde_json::from_str::<serde_json::Value>(text) {
                Ok(json @ (serde_json::Value::Array(_) | serde_json::Value::Object(_))) => {
                    json.into()
                }
                _ => return Value::Null,
            };
        }
        value = match (segment, value) {
            (Segment::Field(field), Value::Object(mut fields)) => {
                fields.swap_remove(field).unwrap_or_default()
            }
            (Segment::Field(field), Value::Array(items)) => match field.parse() {
                Ok(index) => element(items, index),
                Err(_) => Value::Null,
            },
            (Segment::Index(index), Value::Array(items)) => element(items, *index),
            (Segment::Index(index), Value::Object(mut fields)) => {
                fields.swap_remove(&index.to_string()).unwrap_or_default()
            }
            _ => Value::Null,
        };
    }
    value
}

/// One element; a negative index counts from the end.
fn element(mut items: Vec<Value>, index: i64) -> Value {
    let position = match usize::try_from(index) {
        Ok(position) => Some(position),
        Err(_) => usize::try_from(index.unsigned_abs())
            .ok()
            .and_then(|back| items.len().checked_sub(back)),
    };
    match position {
        Some(position) if position < items.len() => items.swap_remove(position),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str) -> Segment {
        Segment::Field(name.to_owned())
    }

    fn json(text: &str) -> Value {
        serde_json::from_str::<serde_json::Value>(text).expect("JSON").into()
    }

    #[test]
    fn fields_and_elements_are_found() {
        let value = json(r#"{"a": [1, {"b-c": "x"}]}"#);
        assert_eq!(walk(value.clone(), &[field("a"), Segment::Index(0)]), Value::from(1_i64));
        assert_eq!(
            walk(value.clone(), &[field("a"), Segment::Index(-1), field("b-c")]),
            Value::from("x")
        );
        assert_eq!(walk(value.clone(), &[field("a"), field("0")]), Value::from(1_i64));
        assert_eq!(walk(value.clone(), &[field("a"), Segment::Index(2)]), Value::Null);
        assert_eq!(walk(value.clone(), &[field("a"), Segment::Index(-3)]), Value::Null);
        assert_eq!(walk(value, &[field("x"), field("y")]), Value::Null);
    }

    #[test]
    fn a_text_that_holds_json_is_walked_into() {
        let value = Value::from(r#"{"version": 1.10}"#);
        assert_eq!(walk(value, &[field("version")]).to_text(), "1.10");
        assert_eq!(walk(Value::from("plain"), &[field("x")]), Value::Null);
        assert_eq!(walk(Value::from("7"), &[Segment::Index(0)]), Value::Null);
    }
}
