//! Text from outside made fit for a terminal: nothing in a workflow's name, a command or an
//! output can move the cursor, set a title or hide text (SPEC 11).

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text as one line: control characters are written as `\n`, `\x1b`, `\u{202e}` ….
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unfit) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        push_visible(&mut shown, letter);
    }
    Cow::Owned(shown)
}

/// The text as a person types it in a shell, as one word on one line.
#[must_use]
pub fn typed(text: &str) -> String {
    let text = text.replace(char::is_control, "?");
    shlex::try_quote(&text).map(Cow::into_owned).unwrap_or(text)
}

/// The first line that says something, at most `width` characters long; `…` stands for the rest.
#[must_use]
pub fn clip(text: &str, width: usize) -> Cow<'_, str> {
    let trimmed = text.trim();
    let (first, more) = match trimmed.split_once('\n') {
        Some((first, _)) => (first.trim_end(), true),
        None => (trimmed, false),
    };
    let shown = line(first);
    let end = shown.char_indices().nth(width).map(|(end, _)| end);
    match (end, more) {
        (None, false) => shown,
        (None, true) => Cow::Owned(format!("{shown} …")),
        (Some(_), _) => {
            let kept: String = shown.chars().take(width.saturating_sub(1)).collect();
            Cow::Owned(format!("{kept}…"))
        }
    }
}

/// The lines of a program's output as a person should see them: colours are left out, of a
/// line that was overwritten with carriage returns only the last state stays, tabs stay.
pub fn output_lines(text: &str) -> impl DoubleEndedIterator<Item = Cow<'_, str>> {
    text.strip_suffix('\n').unwrap_or(text).split('\n').map(output_line)
}

/// A message of several lines: each made fit, those after the first indented by `indent` spaces.
#[must_use]
pub fn paragraph(text: &str, indent: usize) -> String {
    let mut shown = String::with_capacity(text.len());
    for (number, one) in text.trim_end().split('\n').enumerate() {
        if number > 0 {
            let _ = write!(shown, "\n{:indent$}", "");
        }
        shown.push_str(&line(one));
    }
    shown
}

/// The last `count` lines of a program's output; blank lines at its end are left out.
#[must_use]
pub fn tail(text: &str, count: usize) -> Vec<Cow<'_, str>> {
    let text = text.trim_end();
    if text.is_empty() {
        return Vec::new();
    }
    let mut lines: Vec<_> = output_lines(text).rev().take(count).collect();
    lines.reverse();
    lines
}

fn output_line(line: &str) -> Cow<'_, str> {
    let line = line.trim_end_matches('\r');
    let line = line.rsplit('\r').find(|part| !part.is_empty()).unwrap_or(line);
    if !line.chars().any(|letter| is_unfit(letter) && letter != '\t') {
        return Cow::Borrowed(line);
    }
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(letter) = rest.chars().next() {
        if let Some(after) = after_colour(rest) {
            rest = after;
            continue;
        }
        if letter == '\t' {
            shown.push('\t');
        } else {
            push_visible(&mut shown, letter);
        }
        rest = &rest[letter.len_utf8()..];
    }
    Cow::Owned(shown)
}

/// What follows a colour sequence (`ESC [ … m`) at the start of `text`.
fn after_colour(text: &str) -> Option<&str> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|letter: char| !matches!(letter, '0'..='9' | ';' | ':'))?;
    parameters[end..].strip_prefix('m')
}

fn push_visible(shown: &mut String, letter: char) {
    match letter {
        '\n' => shown.push_str("\\n"),
        '\r' => shown.push_str("\\r"),
        '\t' => shown.push_str("\\t"),
        _ if !is_unfit(letter) => shown.push(letter),
        _ if letter.is_ascii() => _ = write!(shown, "\\x{:02x}", u32::from(letter)),
        _ => _ = write!(shown, "\\u{{{:x}}}", u32::from(letter)),
    }
}

/// Control characters, line separators, and marks that turn the direction of writing.
fn is_unfit(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_visible() {
        assert_eq!(line("a\u{1b}]0;x\u{7}\n\u{9b}2J"), "a\\x1b]0;x\\x07\\n\\u{9b}2J");
        assert_eq!(line("gpj.\u{202e}exe"), "gpj.\\u{202e}exe");
        assert_eq!(line("naïve 日本 🎉"), "naïve 日本 🎉");
    }

    #[test]
    fn clipped_text_says_that_there_is_more() {
        assert_eq!(clip("\n  one\ntwo", 10), "one …");
        assert_eq!(clip("abcdefgh", 4), "abc…");
        assert_eq!(clip("abcd", 4), "abcd");
    }

    #[test]
    fn output_loses_colours_and_overwritten_states_but_no_text() {
        let text = "\u{1b}[1;31merror\u{1b}[0m: x\r\n10%\r50%\r100%\n\tin\u{1b}[2Jdented\n";
        let lines: Vec<_> = output_lines(text).collect();
        assert_eq!(lines, ["error: x", "100%", "\tin\\x1b[2Jdented"]);
        assert_eq!(tail("a\nb\nc\n\n", 2), ["b", "c"]);
        assert!(tail("\n", 2).is_empty());
    }
}
