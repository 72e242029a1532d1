//! From the bytes of a file or of a command's output to items (SPEC 3.4 `input`, `json_path`).
//!
//! How the bytes are read:
//!
//! | they are | items |
//! |---|---|
//! | nothing but white space, or exactly `null` | none |
//! | one JSON array | its elements |
//! | one other JSON object | that one |
//! | several JSON documents one after another (JSON Lines, the output of `jq`) | each of them |
//! | plain lines | each line that is not blank, as text without its line end |
//!
//! Text is JSON when its first character is `{`, or `[` before something that can stand in
//! JSON, or when it consists of quoted JSON texts only. Then it must be JSON to its end:
//! a document that broke off is an error with its line, never a list of plain lines. So
//! `[id].tsx` and `42` are plain lines, while `[{"id": 1},` is an error. A name that ends
//! in `.json`, `.jsonl` or `.ndjson` settles it: see [`Form`].

use serde_json::{Deserializer, Value as Json};
use serde_json_path::JsonPath;

use crate::expr::Value;

/// How the bytes are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// As they look (see the table of this file).
    #[default]
    Detect,
    /// JSON, or it is an error: any JSON, also a single number or text.
    Json,
    /// JSON Lines, also when there is only one line: each document is one item.
    JsonLines,
}

impl Form {
    /// The form that a file name promises.
    #[must_use]
    pub fn of_file_name(name: &str) -> Self {
        match name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
            Some("json") => Self::Json,
            Some("jsonl" | "ndjson") => Self::JsonLines,
            _ => Self::Detect,
        }
    }
}

/// Why bytes have no items.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// It starts as JSON but is not.
    #[error("line {line}, column {column}: not JSON: {reason}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
        /// What the parser found there.
        reason: String,
    },
    /// `json_path` was given, but there is no JSON.
    #[error("`json_path` needs JSON, and this is plain text that starts with {first:?}")]
    PathIntoText {
        /// The beginning of the first line.
        first: String,
    },
}

/// A `json_path` (RFC 9535), read once.
///
/// Items keep their numbers as written, but conditions inside a path (`[?@.n == 1]`) compare
/// numbers as floating point, so integers beyond 2^53 may count as equal; `filter` is exact.
#[derive(Debug, Clone)]
pub struct ItemPath {
    path: JsonPath,
    names_one_place: bool,
}

/// A `json_path` that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PathError {
    /// What is wrong.
    pub message: String,
    /// Where, in bytes of the path, from 0.
    pub offset: usize,
}

impl ItemPath {
    /// Reads a path such as `$.items[*]`.
    ///
    /// # Errors
    /// Points at the first place that does not fit.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let path = JsonPath::parse(text).map_err(|error| PathError {
            message: error.message().to_owned(),
            offset: error.position(),
        })?;
        Ok(Self { path, names_one_place: names_one_place(text) })
    }

    /// What the path selects. A path that names exactly one place (`$.items`) and finds a
    /// list there means its elements, just as a list without a path does.
    fn select(&self, json: &Json) -> Vec<Value> {
        let nodes = self.path.query(json).all();
        match nodes.as_slice() {
            [Json::Array(elements)] if self.names_one_place => {
                elements.iter().cloned().map(Value::from).collect()
            }
            nodes => nodes.iter().map(|node| Value::from((*node).clone())).collect(),
        }
    }
}

/// The items in `bytes`. With `path` the items are what it selects: in a single document
/// from that document, in several from the list of them (`$[*]` is each, `$[*].id` the `id`
/// of each). A path that selects nothing gives no items.
///
/// # Errors
/// JSON that is broken or nested deeper than 127, with its line; a path into plain text.
pub fn read_items(
    bytes: &[u8],
    form: Form,
    path: Option<&ItemPath>,
) -> Result<Vec<Value>, SourceError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let documents = match form {
        Form::Json | Form::JsonLines => documents(bytes)?,
        Form::Detect if starts_like_json(bytes) || bytes.trim_ascii() == b"null" => {
            documents(bytes)?
        }
        Form::Detect => match quoted_texts(bytes) {
            Some(texts) => texts,
            None => return plain_lines(bytes, path),
        },
    };
    Ok(match (path, single(documents, form)) {
        (None, Ok(Json::Null)) => Vec::new(),
        (None, Ok(Json::Array(items)) | Err(items)) => items.into_iter().map(Value::from).collect(),
        (None, Ok(item)) => vec![item.into()],
        (Some(path), Ok(document)) => path.select(&document),
        (Some(path), Err(documents)) => path.select(&Json::Array(documents)),
    })
}

/// The one document that is the input, or else the list of documents in it.
fn single(mut documents: Vec<Json>, form: Form) -> Result<Json, Vec<Json>> {
    match documents.pop() {
        Some(only) if documents.is_empty() && form != Form::JsonLines => Ok(only),
        Some(last) => {
            documents.push(last);
            Err(documents)
        }
        None => Err(documents),
    }
}

/// All JSON documents, one after another.
fn documents(bytes: &[u8]) -> Result<Vec<Json>, SourceError> {
    Deserializer::from_slice(bytes)
        .into_iter::<Json>()
        .collect::<Result<_, _>>()
        .map_err(|error| not_json(&error))
}

fn not_json(error: &serde_json::Error) -> SourceError {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    SourceError::NotJson {
        line: error.line(),
        column: error.column().max(1),
        reason: text.strip_suffix(&place).unwrap_or(&text).to_owned(),
    }
}

/// Whether the first characters can only be meant as a JSON object or list.
fn starts_like_json(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    match text.first() {
        Some(b'{') => true,
        Some(b'[') => {
            let inner = text.get(1..).unwrap_or_default().trim_ascii_start();
            let words: [&[u8]; 3] = [b"true", b"false", b"null"];
            match inner.first() {
                None => true,
                Some(first) if b"[]{\"-0123456789".contains(first) => true,
                Some(_) => words.iter().any(|word| inner.starts_with(word)),
            }
        }
        _ => false,
    }
}

/// The texts, when there is nothing but quoted JSON texts.
fn quoted_texts(bytes: &[u8]) -> Option<Vec<Json>> {
    if bytes.trim_ascii_start().first() != Some(&b'"') {
        return None;
    }
    let texts = documents(bytes).ok()?;
    texts.iter().all(Json::is_string).then_some(texts)
}

fn plain_lines(bytes: &[u8], path: Option<&ItemPath>) -> Result<Vec<Value>, SourceError> {
    let mut lines = bytes
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.trim_ascii().is_empty());
    if path.is_some() {
        return match lines.next() {
            None => Ok(Vec::new()),
            Some(line) => {
                let first = String::from_utf8_lossy(line).chars().take(40).collect();
                Err(SourceError::PathIntoText { first })
            }
        };
    }
    Ok(lines.map(|line| Value::text(line.to_vec())).collect())
}

/// Whether a path consists of names and single indexes only ("singular query" of RFC 9535).
fn names_one_place(path: &str) -> bool {
    let mut quote = None;
    let mut escaped = false;
    let mut previous = ' ';
    for character in path.chars() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if character == '\\' => escaped = true,
            Some(mark) if character == mark => quote = None,
            Some(_) => {}
            None if matches!(character, '\'' | '"') => quote = Some(character),
            None if matches!(character, '*' | '?' | ':' | ',') => return false,
            None if character == '.' && previous == '.' => return false,
            None => {}
        }
        previous = character;
    }
    true
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
