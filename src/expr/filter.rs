//! Filters: what `${value | name}` does to a value (SPEC 4.2).

use globset::{Glob, GlobMatcher};

use super::{EvalError, Value};

/// One filter.
#[derive(Debug, Clone)]
pub(super) enum Filter {
    Json,
    Lines,
    /// `:lines`, which stands for its lines wherever a text is made of it.
    OlderLines,
    Csv,
    Length,
    First,
    Last,
    Trim,
    Upper,
    Lower,
    Basename,
    Dirname,
    Quote,
    Words,
    Raw,
    /// `:*.rs`: the elements that match.
    Glob(GlobMatcher),
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Glob(left), Self::Glob(right)) => left.glob() == right.glob(),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl Filter {
    /// The names that may stand after `|`.
    pub(super) const NAMES: [&str; 14] = [
        "json", "lines", "csv", "length", "first", "last", "trim", "upper", "lower", "basename",
        "dirname", "quote", "words", "raw",
    ];

    /// The filter of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "json" => Self::Json,
            "lines" => Self::Lines,
            "csv" => Self::Csv,
            "length" => Self::Length,
            "first" => Self::First,
            "last" => Self::Last,
            "trim" => Self::Trim,
            "upper" => Self::Upper,
            "lower" => Self::Lower,
            "basename" => Self::Basename,
            "dirname" => Self::Dirname,
            "quote" => Self::Quote,
            "words" => Self::Words,
            "raw" => Self::Raw,
            _ => return None,
        })
    }

    /// A file pattern; `*` also crosses `/`.
    pub(super) fn glob(pattern: &str) -> Result<Self, String> {
        Glob::new(pattern)
            .map(|glob| Self::Glob(glob.compile_matcher()))
            .map_err(|error| format!("`{pattern}` is not a file pattern: {}", error.kind()))
    }

    /// What stands between the elements when a list of this filter becomes part of a text.
    pub(super) fn separator(&self) -> Option<&'static [u8]> {
        match self {
            Self::Lines | Self::OlderLines | Self::Glob(_) => Some(b"\n"),
            Self::Words => Some(b" "),
            _ => None,
        }
    }

    /// The value after the filter.
    pub(super) fn apply(&self, value: Value) -> Result<Value, EvalError> {
        Ok(match self {
            Self::Raw => value,
            Self::Json => match value {
                Value::Bytes(_) => {
                    return Err(EvalError::new("bytes that are not UTF-8 cannot be JSON"));
                }
                value => Value::String(value.to_json().to_string()),
            },
            Self::Lines | Self::OlderLines => Value::Array(lines(value)),
            Self::Csv => csv(value),
            Self::Length => match value {
                Value::Null => Value::from(0_u64),
                Value::Array(items) => Value::from(items.len() as u64),
                Value::Object(fields) => Value::from(fields.len() as u64),
                Value::String(text) => Value::from(text.chars().count() as u64),
                Value::Bytes(bytes) => Value::from(bytes.len() as u64),
                Value::Number(_) | Value::Bool(_) => {
                    return Err(EvalError::new(format!("`{}` has no length", value.to_text())));
                }
            },
            Self::First => lines(value).into_iter().next().unwrap_or_default(),
            Self::Last => lines(value).pop().unwrap_or_default(),
            Self::Trim => each(value, &|bytes| bytes.trim_ascii().to_vec()),
            Self::Upper => each(value, &|bytes| case(bytes, str::to_uppercase)),
            Self::Lower => each(value, &|bytes| case(bytes, str::to_lowercase)),
            Self::Basename => each(value, &|bytes| basename(bytes).to_vec()),
            Self::Dirname => each(value, &|bytes| dirname(bytes).to_vec()),
            Self::Quote => match value {
                Value::Array(items) => {
                    let words: Vec<_> = items.iter().map(|item| quoted(&item.to_bytes())).collect();
                    Value::text(words.join(&b' '))
                }
                value => Value::text(quoted(&value.to_bytes())),
            },
            Self::Words => Value::Array(words(value)),
            Self::Glob(matcher) => Value::Array(
                lines(value)
                    .into_iter()
                    .filter(|item| matcher.is_match(std::path::Path::new(&item.to_text())))
                    .collect(),
            ),
        })
    }
}

/// A word that a shell reads back as exactly these bytes.
pub(super) fn quoted(bytes: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./:@%+,-".contains(byte);
    if !bytes.is_empty() && bytes.iter().all(plain) {
        return bytes.to_vec();
    }
    let mut quoted = vec![b'\''];
    for byte in bytes {
        match byte {
            b'\'' => quoted.extend_from_slice(b"'\\''"),
            byte => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

/// The elements of a list, the lines of a text.
fn lines(value: Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items,
        Value::String(_) | Value::Bytes(_) => {
            let bytes = value.to_bytes();
            let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            if text.is_empty() {
                return Vec::new();
            }
            let line = |line: &[u8]| line.strip_suffix(b"\r").unwrap_or(line).to_vec();
            text.split(|byte| *byte == b'\n').map(|bytes| Value::text(line(bytes))).collect()
        }
        value => vec![value],
    }
}

fn words(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.into_iter().flat_map(words).collect(),
        value => value
            .to_bytes()
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty())
            .map(|word| Value::text(word.to_vec()))
            .collect(),
    }
}

fn csv(value: Value) -> Value {
    let fields: Vec<Vec<u8>> = lines(value)
        .iter()
        .map(|item| {
            let bytes = item.to_bytes();
            if !bytes.iter().any(|byte| b",\"\n\r".contains(byte)) {
                return bytes;
            }
            let doubled: Vec<u8> = bytes
                .iter()
                .flat_map(|byte| std::iter::repeat_n(*byte, 1 + usize::from(*byte == b'"')))
                .collect();
            [b"\"".as_slice(), &doubled, b"\""].concat()
        })
        .collect();
    Value::text(fields.join(&b','))
}

/// Applies `change` to a text, or to every element of a list.
fn each(value: Value, change: &dyn Fn(&[u8]) -> Vec<u8>) -> Value {
    match value {
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| each(item, change)).collect())
        }
        value => Value::text(change(&value.to_bytes())),
    }
}

fn case(bytes: &[u8], change: fn(&str) -> String) -> Vec<u8> {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.to_vec(), |text| change(text).into_bytes())
}

/// As basename(1): the last part without trailing slashes.
fn basename(path: &[u8]) -> &[u8] {
    let trimmed = without_trailing_slashes(path);
    match trimmed.iter().rposition(|byte| *byte == b'/') {
        Some(slash) if trimmed.len() > 1 => trimmed.get(slash + 1..).unwrap_or_default(),
        _ => trimmed,
    }
}

/// As dirname(1): everything before the last part, `.` when there is nothing.
fn dirname(path: &[u8]) -> &[u8] {
    let trimmed = without_trailing_slashes(path);
    match trimmed.iter().rposition(|byte| *byte == b'/') {
        None => b".",
        Some(slash) => without_trailing_slashes(trimmed.get(..=slash).unwrap_or_default()),
    }
}

fn without_trailing_slashes(mut path: &[u8]) -> &[u8] {
    while let [rest @ .., b'/'] = path {
        if rest.is_empty() {
            break;
        }
        path = rest;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(name: &str, value: impl Into<Value>) -> Value {
        Filter::named(name).expect("a filter").apply(value.into()).expect("a value")
    }

    fn list(items: &[&str]) -> Value {
        Value::Array(items.iter().map(|item| Value::from(*item)).collect())
    }

    #[test]
    fn every_listed_name_is_a_filter() {
        assert!(Filter::NAMES.iter().all(|name| Filter::named(name).is_some()));
    }

    #[test]
    fn texts_become_lists() {
        assert_eq!(apply("lines", "a b\nc\r\n\nd\n"), list(&["a b", "c", "", "d"]));
        assert_eq!(apply("lines", ""), list(&[]));
        assert_eq!(apply("words", " a\tb \n c"), list(&["a", "b", "c"]));
        assert_eq!(apply("lines", list(&["a\nb"])), list(&["a\nb"]));
    }

    #[test]
    fn lists_become_texts() {
        assert_eq!(apply("csv", list(&["a", "b,c", "d\"e"])), Value::from("a,\"b,c\",\"d\"\"e\""));
        assert_eq!(apply("json", list(&["a", "\""])), Value::from(r#"["a","\""]"#));
        assert_eq!(apply("quote", list(&["a", "it's"])), Value::from(r"a 'it'\''s'"));
        assert_eq!(apply("first", list(&["a", "b"])), Value::from("a"));
        assert_eq!(apply("last", "a\nb\n"), Value::from("b"));
        assert_eq!(apply("last", list(&[])), Value::Null);
    }

    #[test]
    fn lengths_count_characters_and_elements() {
        assert_eq!(apply("length", "äöü"), Value::from(3_u64));
        assert_eq!(apply("length", list(&["a", "b"])), Value::from(2_u64));
        assert!(Filter::Length.apply(Value::from(5_i64)).is_err());
    }

    #[test]
    fn paths_are_cut_as_the_tools_do() {
        for (path, base, directory) in [
            ("/a/b.txt", "b.txt", "/a"),
            ("b.txt", "b.txt", "."),
            ("/a", "a", "/"),
            ("/", "/", "/"),
            ("a/b/", "b", "a"),
            ("a//b", "b", "a"),
        ] {
            assert_eq!(apply("basename", path), Value::from(base), "{path}");
            assert_eq!(apply("dirname", path), Value::from(directory), "{path}");
        }
        assert_eq!(apply("basename", list(&["x/a", "y/b"])), list(&["a", "b"]));
    }

    #[test]
    fn a_glob_keeps_what_matches() {
        let glob = Filter::glob("*.rs").expect("a pattern");
        let files = list(&["src/a.rs", "b.md", "c.rs"]);
        assert_eq!(glob.apply(files).expect("a list"), list(&["src/a.rs", "c.rs"]));
        assert!(Filter::glob("a[").is_err());
    }

    #[test]
    fn bytes_that_are_not_utf8_are_kept() {
        let value = Value::Bytes(b" \xff ".to_vec());
        assert_eq!(Filter::Trim.apply(value.clone()).expect("bytes"), Value::Bytes(vec![0xff]));
        assert!(Filter::Json.apply(value).is_err());
    }
}
