//! What an unquoted scalar means by the YAML 1.2 core schema, without losing how it was written.

use serde_json::Number;

use super::tree::{Content, Node, Style};
use crate::expr::Value;

/// What a node is, as far as its reader needs to tell kinds apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer or a decimal number.
    Number,
    /// Any other text.
    Text,
    /// A sequence.
    List,
    /// A mapping.
    Map,
}

impl Kind {
    /// What `node` is.
    #[must_use]
    pub fn of(node: &Node) -> Self {
        match &node.content {
            Content::Scalar(text, Style::Plain) => Self::of_plain(text),
            Content::Scalar(..) => Self::Text,
            Content::List(_) => Self::List,
            Content::Map(_) => Self::Map,
        }
    }

    /// What a plain scalar is.
    fn of_plain(text: &str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Self::Null,
            "true" | "True" | "TRUE" => Self::Bool(true),
            "false" | "False" | "FALSE" => Self::Bool(false),
            _ if is_number(text) => Self::Number,
            _ => Self::Text,
        }
    }

    /// The kind for messages: `a list`, `a number`.
    #[must_use]
    pub fn with_article(self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Number => "a number",
            Self::Text => "text",
            Self::List => "a list",
            Self::Map => "a mapping",
        }
    }
}

/// The typed value of a scalar; numbers print as they were written. A number that JSON
/// cannot spell without changing it (`007`, `.inf`) stays text, which compares as a number all the same.
pub(crate) fn value_of_scalar(text: &str, style: Style) -> Value {
    if style != Style::Plain {
        return Value::String(text.to_owned());
    }
    match Kind::of_plain(text) {
        Kind::Null => Value::Null,
        Kind::Bool(value) => Value::Bool(value),
        Kind::Number => serde_json::from_str::<Number>(text)
            .map(|_| Number::from_string_unchecked(text.to_owned()))
            .or_else(|_| radix_number(text).ok_or(()))
            .map_or_else(|()| Value::String(text.to_owned()), Value::Number),
        Kind::Text | Kind::List | Kind::Map => Value::String(text.to_owned()),
    }
}

/// `0x1F` and `0o17`.
fn radix_number(text: &str) -> Option<Number> {
    let hexadecimal = text.strip_prefix("0x").map(|digits| u64::from_str_radix(digits, 16));
    let octal = text.strip_prefix("0o").map(|digits| u64::from_str_radix(digits, 8));
    hexadecimal.or(octal)?.ok().map(Number::from)
}

fn is_number(text: &str) -> bool {
    if let Some(digits) = text.strip_prefix("0x") {
        return !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return !digits.is_empty() && digits.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return true;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    (!whole.is_empty() || !fraction.is_empty())
        && digits(whole)
        && digits(fraction)
        && exponent_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_follow_yaml_1_2() {
        for number in
            ["0", "-1", "+5", "1.10", ".5", "5.", "1e3", "1.5E-3", "0x1F", "0o17", "007", "-.inf"]
        {
            assert_eq!(Kind::of_plain(number), Kind::Number, "{number}");
        }
        for text in
            ["1.2.3", "-", ".", "e5", "1e", "0x", "yes", "on", "1_000", "12:30", "5m", "--1", "1 2"]
        {
            assert_eq!(Kind::of_plain(text), Kind::Text, "{text}");
        }
        assert_eq!(Kind::of_plain("~"), Kind::Null);
        assert_eq!(Kind::of_plain("True"), Kind::Bool(true));
    }

    #[test]
    fn numbers_print_as_they_were_written() {
        for text in ["3", "1.10", "-0.50", "007", "1e3", "123456789012345678901234567890"] {
            assert_eq!(value_of_scalar(text, Style::Plain).to_text(), text);
        }
        assert_eq!(value_of_scalar("0x1F", Style::Plain).to_text(), "31");
        assert_eq!(value_of_scalar("3", Style::Quoted), Value::from("3"));
    }
}
