//! How two values compare (SPEC 4.3): numbers by value, texts that look like numbers with numbers.

use std::cmp::Ordering;

use super::{EvalError, Value, pattern::Pattern, tree::Comparison};

/// The result of an operator.
///
/// # Errors
/// Values whose kinds cannot be compared, named both; a pattern that is none.
pub(super) fn compare(
    left: &Value,
    comparison: Comparison,
    right: &Value,
) -> Result<bool, EvalError> {
    let order = |accept: fn(Ordering) -> bool| Ok(ordered(left, right)?.is_some_and(accept));
    match comparison {
        Comparison::Equal => equal(left, right),
        Comparison::Unequal => equal(left, right).map(|equal| !equal),
        Comparison::Less => order(Ordering::is_lt),
        Comparison::LessOrEqual => order(Ordering::is_le),
        Comparison::Greater => order(Ordering::is_gt),
        Comparison::GreaterOrEqual => order(Ordering::is_ge),
        Comparison::Matches => matches(left, right),
        Comparison::In => contains(right, left),
        Comparison::NotIn => contains(right, left).map(|contains| !contains),
        Comparison::Contains => contains(left, right),
    }
}

/// A total order over all values for sorting: kinds first (numbers and texts that look like
/// numbers together), then values.
pub(super) fn rank(left: &Value, right: &Value) -> Ordering {
    fn kind(value: &Value) -> u8 {
        match value {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Number(_) => 2,
            Value::String(text) if number_of_text(text).is_some() => 2,
            Value::String(_) | Value::Bytes(_) => 3,
            Value::Array(_) => 4,
            Value::Object(_) => 5,
        }
    }
    kind(left).cmp(&kind(right)).then_with(|| match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Array(left), Value::Array(right)) => left
            .iter()
            .zip(right)
            .map(|(left, right)| rank(left, right))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| left.len().cmp(&right.len())),
        _ => numeric(left, right).unwrap_or_else(|| left.to_bytes().cmp(&right.to_bytes())),
    })
}

fn equal(left: &Value, right: &Value) -> Result<bool, EvalError> {
    Ok(match (left, right) {
        (Value::Null, other) | (other, Value::Null) => *other == Value::Null,
        (Value::Number(_), Value::Number(_) | Value::String(_))
        | (Value::String(_), Value::Number(_)) => numeric(left, right) == Some(Ordering::Equal),
        (Value::Bool(value), text @ (Value::String(_) | Value::Bytes(_)))
        | (text @ (Value::String(_) | Value::Bytes(_)), Value::Bool(value)) => {
            text.to_bytes() == value.to_string().as_bytes()
        }
        (list @ (Value::Array(_) | Value::Object(_)), Value::String(text))
        | (Value::String(text), list @ (Value::Array(_) | Value::Object(_))) => {
            match serde_json::from_str::<serde_json::Value>(text) {
                Ok(json) => same(list, &json.into()),
                Err(_) => text.is_empty() && !list.is_truthy(),
            }
        }
        (Value::Array(_), Value::Array(_)) | (Value::Object(_), Value::Object(_)) => {
            same(left, right)
        }
        (Value::Array(_) | Value::Object(_), _) | (_, Value::Array(_) | Value::Object(_)) => {
            return Err(incomparable(left, right));
        }
        _ => same(left, right),
    })
}

/// Deep equality: numbers by value, everything else by kind and content.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(_), Value::Number(_)) => numeric(left, right) == Some(Ordering::Equal),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(name, value)| right.get(name).is_some_and(|other| same(value, other)))
        }
        _ => left == right,
    }
}

/// `None` when one of them is null: then no order holds.
fn ordered(left: &Value, right: &Value) -> Result<Option<Ordering>, EvalError> {
    if *left == Value::Null || *right == Value::Null {
        return Ok(None);
    }
    if let Some(order) = numeric(left, right) {
        return Ok(Some(order));
    }
    match (left, right) {
        (Value::String(_) | Value::Bytes(_), Value::String(_) | Value::Bytes(_)) => {
            Ok(Some(left.to_bytes().cmp(&right.to_bytes())))
        }
        (Value::Bool(left), Value::Bool(right)) => Ok(Some(left.cmp(right))),
        _ => Err(incomparable(left, right)),
    }
}

fn matches(left: &Value, right: &Value) -> Result<bool, EvalError> {
    let Value::String(source) = right else {
        return Err(EvalError::new(format!("{} is no pattern", described(right)))
            .help("a pattern is a text: `name =~ '^v[0-9]'`"));
    };
    let pattern = Pattern::compile(source).map_err(EvalError::new)?;
    Ok(*left != Value::Null && pattern.is_match(&left.to_text()))
}

/// Whether a list has the element, a mapping the key, a text the part.
fn contains(whole: &Value, part: &Value) -> Result<bool, EvalError> {
    match whole {
        Value::Null => Ok(false),
        Value::Array(items) => Ok(items.iter().any(|item| equal(item, part).unwrap_or_default())),
        Value::Object(fields) => Ok(fields.contains_key(part.to_text().as_str())),
        Value::String(_) | Value::Bytes(_) => match part {
            Value::Null => Ok(false),
            Value::Array(_) | Value::Object(_) => Err(incomparable(whole, part)),
            part => {
                let (whole, part) = (whole.to_bytes(), part.to_bytes());
                Ok(part.is_empty() || whole.windows(part.len()).any(|window| window == part))
            }
        },
        Value::Bool(_) | Value::Number(_) => {
            Err(EvalError::new(format!("{} cannot contain anything", described(whole))))
        }
    }
}

/// The order of two values that both are or look like numbers.
fn numeric(left: &Value, right: &Value) -> Option<Ordering> {
    let (left, right) = (number(left)?, number(right)?);
    match (left.parse::<i128>(), right.parse::<i128>()) {
        (Ok(left), Ok(right)) => Some(left.cmp(&right)),
        _ => left.parse::<f64>().ok()?.partial_cmp(&right.parse::<f64>().ok()?),
    }
}

/// The digits of a number, or of a text that looks like one.
fn number(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => number_of_text(text).map(str::to_owned),
        _ => None,
    }
}

/// The text without surrounding white space, when it is a decimal number.
pub(super) fn number_of_text(text: &str) -> Option<&str> {
    let text = text.trim();
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let numeric = unsigned.starts_with(|c: char| c.is_ascii_digit())
        && unsigned.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+'))
        && unsigned.parse::<f64>().is_ok();
    numeric.then_some(text)
}

fn incomparable(left: &Value, right: &Value) -> EvalError {
    EvalError::new(format!("cannot compare {} with {}", described(left), described(right)))
}

/// The value and its kind, cut when it is long.
fn described(value: &Value) -> String {
    let kind = match value {
        Value::Null => return "null".to_owned(),
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Bytes(_) => "bytes",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    };
    let text = value.to_text();
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("the {kind} `{short}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        serde_json::from_str::<serde_json::Value>(text).expect("JSON").into()
    }

    #[test]
    fn big_integers_are_exact() {
        let (left, right) = (json("9007199254740993"), json("9007199254740992"));
        assert_eq!(equal(&left, &right), Ok(false));
        assert_eq!(numeric(&left, &right), Some(Ordering::Greater));
    }

    #[test]
    fn sorting_knows_every_kind() {
        let mut values =
            ["{}", "[1]", "\"b\"", "\"a\"", "\"10\"", "9", "true", "null", "[]"].map(json);
        values.sort_by(rank);
        let sorted: Vec<String> = values.iter().map(|v| v.to_json().to_string()).collect();
        assert_eq!(sorted, ["null", "true", "9", "\"10\"", "\"a\"", "\"b\"", "[]", "[1]", "{}"]);
    }

    #[test]
    fn only_decimal_texts_look_like_numbers() {
        for text in ["5", " 5\n", "-1.5", "+2", "1e3", "007"] {
            assert!(number_of_text(text).is_some(), "{text:?}");
        }
        for text in ["", "-", "0x10", "inf", "NaN", "1_000", "5s", ".5", "1-2"] {
            assert!(number_of_text(text).is_none(), "{text:?}");
        }
    }
}
