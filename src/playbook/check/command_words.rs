//! The words of a shell command that stand before a place of it: enough of the grammar to know
//! which program gets what stands there.

use std::sync::LazyLock;

use regex::Regex;

/// What stands before a place in the same simple command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Before {
    /// The words that are complete, without their quotes.
    pub(super) words: Vec<String>,
    /// The beginning of the word that the place is in.
    pub(super) partial: String,
}

impl Before {
    fn all_words(mut self) -> Vec<String> {
        self.words.extend(Some(self.partial).filter(|word| !word.is_empty()));
        self.words
    }
}

/// The commands that may read the here-document in which byte `at` of `source` lies: the one that
/// names it, and the last of that one's line, which gets it through pipes; each in words.
pub(super) fn document_readers(source: &str, at: usize) -> Vec<Vec<String>> {
    let text = source.get(..at).unwrap_or(source);
    let opened = DOCUMENT.captures_iter(text).find_map(|found| {
        let (whole, end) = (found.get(0)?, found.get(1)?.as_str());
        let line_end = whole.end() + text.get(whole.end()..)?.find('\n')?;
        let ended = text.get(line_end + 1..)?.lines().any(|line| line.trim_matches('\t') == end);
        (!ended).then_some((whole.start(), line_end))
    });
    opened.map_or_else(Vec::new, |(start, line_end)| {
        [start, line_end].map(|place| before(source, place).all_words()).to_vec()
    })
}

#[expect(clippy::expect_used, reason = "a constant pattern, read in every test run")]
static DOCUMENT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"<<-?[ \t]*([\w.-]+)").expect("a pattern that can be read"));

/// One command, and where it is quoted.
#[derive(Default)]
struct Open {
    command: Before,
    in_word: bool,
    double: bool,
    /// What ends it: `)`, a backquote, or nothing.
    closer: Option<char>,
}

/// The words before byte `at` of `source`.
pub(super) fn before(source: &str, at: usize) -> Before {
    let text = source.get(..at).unwrap_or(source);
    let mut stack = vec![Open::default()];
    let mut rest = text.chars().peekable();
    while let Some(next) = rest.next() {
        let Some(open) = stack.last_mut() else { break };
        if open.closer == Some(next) && !open.double {
            stack.pop();
            continue;
        }
        match next {
            '\\' => match rest.next() {
                Some('\n') | None => {}
                Some(escaped) => open.push(escaped),
            },
            '\'' if !open.double => {
                open.in_word = true;
                for quoted in rest.by_ref().take_while(|quoted| *quoted != '\'') {
                    open.push(quoted);
                }
            }
            '"' => {
                open.in_word = true;
                open.double = !open.double;
            }
            '$' if rest.peek() == Some(&'(') => {
                rest.next();
                open.in_word = true;
                stack.push(Open { closer: Some(')'), ..Open::default() });
            }
            '$' if rest.peek() == Some(&'{') => {
                for inside in rest.by_ref().take_while(|inside| *inside != '}') {
                    open.push(inside);
                }
            }
            '`' => {
                open.in_word = true;
                stack.push(Open { closer: Some('`'), ..Open::default() });
            }
            _ if open.double => open.push(next),
            '(' => {
                open.end_command();
                stack.push(Open { closer: Some(')'), ..Open::default() });
            }
            '#' if !open.in_word => {
                if rest.by_ref().any(|each| each == '\n') {
                    open.end_command();
                }
            }
            ';' | '&' | '|' | '\n' => open.end_command(),
            ' ' | '\t' => open.end_word(),
            _ => open.push(next),
        }
    }
    stack.pop().map(|open| open.command).unwrap_or_default()
}

impl Open {
    fn push(&mut self, letter: char) {
        self.in_word = true;
        self.command.partial.push(letter);
    }

    fn end_word(&mut self) {
        if std::mem::take(&mut self.in_word) {
            self.command.words.push(std::mem::take(&mut self.command.partial));
        }
    }

    fn end_command(&mut self) {
        self.command = Before::default();
        self.in_word = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> (Vec<String>, String) {
        let found = before(text, text.find('@').unwrap());
        (found.words, found.partial)
    }

    #[test]
    fn the_commands_that_read_a_here_document() {
        for (text, named, last) in [
            ("a; sh -s <<EOF\nx @\nEOF\n", "sh -s", "sh -s <<EOF"),
            ("cat <<-E | ssh h\n\tx\n\t@\n\tE\n", "cat", "ssh h"),
            ("a <<A\nx\nA\nb <<B\nc <<C\n@\nB\n", "b", "b <<B"),
            ("a <<A <<B\nx\nA\n@\nB\n", "a <<A", "a <<A <<B"),
        ] {
            let found = document_readers(text, text.find('@').unwrap());
            let found: Vec<String> = found.iter().map(|words| words.join(" ")).collect();
            assert_eq!(found, [named, last], "{text}");
        }
        assert!(document_readers("a <<A\nx\nA\n@", 10).is_empty());
    }

    #[test]
    fn the_simple_command_around_a_place() {
        for (text, expected, partial) in [
            ("a 'b c' d\\ e @", &["a", "b c", "d e"][..], ""),
            ("x; sh -c \"echo @", &["sh", "-c"], "echo "),
            ("x | sh -c 'echo @'", &["sh", "-c"], "echo "),
            ("sh -c \"$(cat @", &["cat"], ""),
            ("sh -c \"$(cat a) @", &["sh", "-c"], " "),
            ("sh -c \"`cat a` @", &["sh", "-c"], " "),
            ("# sh -c\nawk \"@", &["awk"], ""),
            ("a ${x:-b c} (eval @", &["eval"], ""),
            ("a \\\n b @", &["a", "b"], ""),
            ("f() { eval \"@", &["{", "eval"], ""),
        ] {
            let found = words(text);
            assert_eq!(found.0, expected, "{text}");
            assert_eq!(found.1, partial, "{text}");
        }
    }
}
