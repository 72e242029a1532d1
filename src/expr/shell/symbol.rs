//! A command as a row of bytes and holes: which `${…}` can be ours (SPEC 4.2, B12-B14).

use std::ops::Range;

use crate::expr::{
    SyntaxError,
    cursor::Cursor,
    filter::Filter,
    hole,
    tree::{Hole, Name, Node},
};

/// One element of a command.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::expr) enum Symbol {
    /// A byte of the command, or of a constant that was pasted.
    Byte(u8),
    /// Inside backquotes: a byte that is written with backslashes.
    Spelled(u8, Box<[u8]>),
    /// A hole that may be ours, by its number.
    Hole(usize),
    /// `$${…}`: the hole as a literal text.
    Escaped(usize),
}

impl Symbol {
    /// The byte it stands for, if it is no hole.
    pub(super) fn byte(&self) -> Option<u8> {
        match self {
            Self::Byte(byte) | Self::Spelled(byte, _) => Some(*byte),
            Self::Hole(_) | Self::Escaped(_) => None,
        }
    }
}

/// A hole that may be ours.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::expr) struct Candidate {
    pub hole: Hole,
    /// Where it stands; of a hole with a default only `${name:-`.
    pub span: Range<usize>,
    /// True when it means nothing to a shell.
    pub certain: bool,
    /// True when only `${name:-` was read: the default follows as symbols of its own, so that
    /// the shell's quoting applies inside.
    pub open: bool,
}

impl Candidate {
    /// Whether `filter` stands among its filters.
    pub(in crate::expr) fn has(&self, filter: &Filter) -> bool {
        self.hole.filters.contains(filter)
    }

    /// The first name of a hole that is just a path.
    pub(super) fn name(&self) -> Option<&Name> {
        match &self.hole.body {
            Node::Name(name) => Some(name),
            _ => None,
        }
    }
}

/// A command, read.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::expr) struct Reading {
    pub symbols: Vec<Symbol>,
    pub candidates: Vec<Candidate>,
    /// True when the command is nothing but one hole.
    pub whole: bool,
}

/// Finds the holes of a command.
pub(in crate::expr) fn read(source: &str) -> Result<Reading, SyntaxError> {
    let mut reading = Reading::default();
    let last_brace = source.rfind('}').unwrap_or_default();
    let mut at = 0;
    while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
        let escaped = rest.starts_with("$${");
        let start = at + usize::from(escaped);
        if rest.starts_with('$')
            && let Some(candidate) = candidate(source, start, last_brace)?
        {
            let index = reading.candidates.len();
            at = candidate.span.end;
            reading.candidates.push(candidate);
            reading.symbols.push(if escaped {
                Symbol::Escaped(index)
            } else {
                Symbol::Hole(index)
            });
            continue;
        }
        let length = rest.chars().next().map_or(1, char::len_utf8);
        let bytes = rest.as_bytes().get(..length).unwrap_or_default();
        reading.symbols.extend(bytes.iter().copied().map(Symbol::Byte));
        at += length;
    }
    let trimmed = source.trim();
    let begin = source.len() - source.trim_start().len();
    reading.whole = trimmed.starts_with("${")
        && reading.candidates.first().is_some_and(|first| first.span.start == begin)
        && {
            let mut cursor = Cursor::new(source, begin);
            hole::hole(&mut cursor).is_ok() && cursor.at() == begin + trimmed.len()
        }
        || trimmed == "$ARG" && reading.candidates.len() == 1;
    Ok(reading)
}

/// The hole at `start`, when it can be ours.
fn candidate(
    source: &str,
    start: usize,
    last_brace: usize,
) -> Result<Option<Candidate>, SyntaxError> {
    let mut cursor = Cursor::new(source, start);
    if let Some(name) = hole::argument(&mut cursor) {
        let hole = Hole { body: Node::Name(name), default: None, filters: Vec::new() };
        let span = start..cursor.at();
        return Ok(Some(Candidate { hole, span, certain: false, open: false }));
    }
    if !cursor.take("${") {
        return Ok(None);
    }
    if cursor.peek().is_some_and(|c| c.is_whitespace() || matches!(c, '(' | '!' | '\'' | '"')) {
        return Ok(spaced(source, start));
    }
    let inside = cursor.at();
    let name = match cursor.path() {
        Ok(Some(name)) => name,
        Ok(None) => return Ok(None),
        Err(error) => {
            let mut again = Cursor::new(source, inside);
            again.word();
            return if again.starts_with(".") { Err(error) } else { Ok(None) };
        }
    };
    let text = cursor.text(name.span.clone());
    let dotted =
        text.split('[').next().is_some_and(|root| root.contains('.')) || text.contains("].");
    let whole = |certain| -> Result<Option<Candidate>, SyntaxError> {
        let mut cursor = Cursor::new(source, start);
        let hole = hole::hole(&mut cursor)?;
        Ok(Some(Candidate { hole, span: start..cursor.at(), certain, open: false }))
    };
    if cursor.starts_with(":-") {
        cursor.take(":-");
        return Ok(
            (cursor.at() <= last_brace).then(|| open(source, start, name, dotted, cursor.at()))
        );
    }
    match cursor.peek() {
        Some('}') => whole(dotted),
        Some(':') if dotted => whole(true),
        Some(':') => older(&cursor, &name).map_or(Ok(None), &whole),
        Some('|' | '(') => whole(true),
        Some(c) if c.is_whitespace() => whole(true),
        Some(_) if dotted => whole(true),
        _ => Ok(None),
    }
}

/// `${name:-`; when the default can be read as a text it is kept too, for the places where the
/// shell does not look inside.
fn open(source: &str, start: usize, name: Name, certain: bool, end: usize) -> Candidate {
    let hole = hole::hole(&mut Cursor::new(source, start)).unwrap_or(Hole {
        body: Node::Name(name),
        default: Some(Vec::new()),
        filters: Vec::new(),
    });
    Candidate { hole, span: start..end, certain, open: true }
}

/// A hole that begins with a space or a sign: ours when it reads as an expression with spaces.
fn spaced(source: &str, start: usize) -> Option<Candidate> {
    let mut cursor = Cursor::new(source, start);
    let hole = hole::hole(&mut cursor).ok()?;
    let span = start..cursor.at();
    let spaced = source.get(span.clone()).is_some_and(|text| text.contains(char::is_whitespace));
    spaced.then_some(Candidate { hole, span, certain: true, open: false })
}

/// Whether `${name:…}` without a dot is a filter or an older form, and then whether it is
/// certain; anything else is the shell's (`${name:0:3}`, `${name:+x}`, `${name:offset}`).
fn older(cursor: &Cursor<'_>, name: &Name) -> Option<bool> {
    let text = cursor.rest().get(1..)?;
    let close = text.bytes().take(256).position(|byte| byte == b'}')?;
    let text = text.get(..close)?;
    if text.starts_with(|c: char| c.is_ascii_digit() || " -+=?$".contains(c)) {
        return None;
    }
    let word = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let refused = match name.path.root.as_str() {
        "env" => text.starts_with(|c: char| c.is_ascii_uppercase()) && word(text),
        "file" | "vault" | "aws" => text.contains(['/', '.']),
        "cmd" => text.contains([' ', '/', '-']) || word(text),
        "json" => text.contains(":from:"),
        "date" => text.starts_with('%'),
        _ => false,
    };
    if refused {
        return Some(true);
    }
    (matches!(text, "json" | "lines" | "csv") || text.contains('*')).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The holes of a text, certain ones with `!`, with a default open ones as far as read.
    fn holes(source: &str) -> Vec<String> {
        let reading = read(source).unwrap_or_else(|error| panic!("{source}: {error}"));
        let mark = |candidate: &Candidate| if candidate.certain { "!" } else { "" };
        reading
            .candidates
            .iter()
            .map(|candidate| {
                format!("{}{}", source.get(candidate.span.clone()).unwrap_or("?"), mark(candidate))
            })
            .collect()
    }

    #[test]
    fn what_the_shell_knows_is_left_to_it() {
        for text in [
            "${f##*.}",
            "${f%.txt}",
            "${f%%-*}",
            "${#f}",
            "${f:0:3}",
            "${f:+x}",
            "${f:=x}",
            "${f:?no}",
            "${f-x}x",
            "$1 ${1} ${10}",
            "${@}",
            "${!f}",
            "${f/a/b}",
            "${f^^}",
            "${a[@]}",
            "${a[$i]}",
            "${!a[@]}",
            "$f",
            "$ARGS",
            "awk '{print $2}'",
            "${f:offset}",
            "${ date; }",
            "${(U)f}",
            "${}",
            "${f",
            "${f:-x",
            "$(ls)",
            "$((1+1))",
        ] {
            let found = holes(text);
            let plain = found.iter().all(|hole| hole == "${f-x}");
            assert!(plain, "{text}: {found:?}");
        }
    }

    #[test]
    fn bare_names_may_be_ours_and_the_rest_is_certain() {
        for (text, hole) in [
            ("a ${f} b", "${f}"),
            ("${my-id}", "${my-id}"),
            ("${f:-x}", "${f:-"),
            ("${a.b:-x}", "${a.b:-!"),
            ("${a.b}", "${a.b}!"),
            ("${a[0]}", "${a[0]}"),
            ("${a[0].b}", "${a[0].b}!"),
            ("${f | lines}", "${f | lines}!"),
            ("${f|raw}", "${f|raw}!"),
            ("${f:lines}", "${f:lines}"),
            ("${step.files:*.rs}", "${step.files:*.rs}!"),
            ("${f:*.rs}", "${f:*.rs}"),
            ("${a == 'b' && c}", "${a == 'b' && c}!"),
            ("${(a || b) && c}", "${(a || b) && c}!"),
            ("${!a && b}", "${!a && b}!"),
            ("${ f }", "${ f }!"),
            ("$ARG", "$ARG"),
            ("$${a.b}", "${a.b}!"),
        ] {
            assert_eq!(holes(text), [hole], "{text}");
        }
    }

    #[test]
    fn what_can_only_be_ours_must_be_readable() {
        for text in [
            "${a.b | uper}",
            "${f | nope}",
            "${a.}",
            "${a b}",
            "${env:HOME}",
            "${x|default:1}",
            "${a.b%x}",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_command_may_be_nothing_but_a_hole() {
        for (text, whole) in [
            ("${a}", true),
            (" ${a.b}\n", true),
            ("${a:-x y}", true),
            ("${a} b", false),
            ("\"${a}\"", false),
            ("${a}${b}", false),
            ("$ARG", true),
            ("${a | raw}", true),
        ] {
            assert_eq!(read(text).expect(text).whole, whole, "{text}");
        }
    }
}
