//! Problems as a person and as a program reads them (SPEC 2 `validate`, DECISIONS B43, B45).

use std::path::Path;

use annotate_snippets::{
    AnnotationKind, Level, Origin, Renderer, Snippet, normalize_untrusted_str,
};
use serde_json::json;

use super::{Problem, Severity};

/// No more problems than this are shown.
const SHOWN: usize = 50;

/// Problems in the order of their places: file, line and column, the line itself with the
/// place marked, and what to write instead. At most 50, then how many more there are. `texts`
/// gives the text of a file; where it has none, the place alone is shown. Control characters
/// of the file are made visible, never sent to the terminal.
#[must_use]
pub fn show(problems: &[Problem], texts: &dyn Fn(&Path) -> Option<String>, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut shown = String::new();
    for problem in sorted(problems).into_iter().take(SHOWN) {
        let text = texts(&problem.at.file);
        let line =
            text.as_deref().and_then(|text| text.lines().nth(problem.at.line.checked_sub(1)?));
        shown.push_str(&block(problem, line, &renderer));
        shown.push_str("\n\n");
    }
    if problems.len() > SHOWN {
        shown.push_str(&format!("and {} more\n", problems.len() - SHOWN));
    } else if shown.ends_with("\n\n") {
        shown.pop();
    }
    shown
}

/// The same for programs: a list of `{file, line, column, severity, message, help}`, all of them.
#[must_use]
pub fn to_json(problems: &[Problem]) -> serde_json::Value {
    sorted(problems)
        .into_iter()
        .map(|problem| {
            json!({
                "file": problem.at.file.to_string_lossy(),
                "line": problem.at.line,
                "column": problem.at.column,
                "severity": match problem.severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                },
                "message": problem.message,
                "help": problem.help,
            })
        })
        .collect()
}

fn sorted(problems: &[Problem]) -> Vec<&Problem> {
    let mut sorted: Vec<&Problem> = problems.iter().collect();
    sorted.sort_by_key(|problem| {
        (&problem.at.file, problem.at.line, problem.at.column, problem.severity)
    });
    sorted
}

fn block(problem: &Problem, line: Option<&str>, renderer: &Renderer) -> String {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(normalize_untrusted_str(&problem.message));
    let path = normalize_untrusted_str(&problem.at.file.to_string_lossy());
    let mut group = match line {
        Some(line) => {
            let line = visible(line);
            let span = span(&line, problem.at.column, problem.length);
            title.element(
                Snippet::source(line)
                    .line_start(problem.at.line)
                    .path(path)
                    .annotation(AnnotationKind::Primary.span(span)),
            )
        }
        None => {
            title.element(Origin::path(path).line(problem.at.line).char_column(problem.at.column))
        }
    };
    if let Some(help) = &problem.help {
        group = group.element(Level::HELP.message(normalize_untrusted_str(help)));
    }
    renderer.render(&[group])
}

/// The line with every control and invisible direction character replaced, one for one.
fn visible(line: &str) -> String {
    line.chars()
        .map(|character| match character {
            '\t' => '\t',
            '\0'..='\u{1f}' => char::from_u32(0x2400 + character as u32).unwrap_or('\u{fffd}'),
            '\u{7f}' => '\u{2421}',
            '\u{80}'..='\u{9f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => '\u{fffd}',
            other => other,
        })
        .collect()
}

/// The bytes of the characters `column` (from 1) and on, kept inside the line.
fn span(line: &str, column: usize, length: usize) -> std::ops::Range<usize> {
    let offset = |characters: usize| {
        line.char_indices().nth(characters).map_or(line.len(), |(offset, _)| offset)
    };
    let first = column.saturating_sub(1);
    offset(first)..offset(first.saturating_add(length.max(1)))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::playbook::Position;

    fn at(line: usize, column: usize) -> Position {
        Position { file: Arc::new(PathBuf::from("flow.yml")), line, column }
    }

    fn shown(problems: &[Problem], text: &str) -> String {
        show(problems, &|_| Some(text.to_owned()), false)
    }

    #[test]
    fn a_problem_names_its_place_marks_it_and_says_what_to_write() {
        let problem = Problem::error(at(2, 17), 8, "unknown name `file_lst`")
            .with_help("did you mean `file_list`?");
        let text = "commands:\n  - shell: cat ${file_lst}\n";
        assert_eq!(
            shown(&[problem], text),
            "error: unknown name `file_lst`\n \
             --> flow.yml:2:17\n  \
             |\n\
             2 |   - shell: cat ${file_lst}\n  \
             |                 ^^^^^^^^\n  \
             |\n  \
             = help: did you mean `file_list`?\n"
        );
    }

    #[test]
    fn problems_come_in_the_order_of_their_places() {
        let problems = [
            Problem::warning(at(3, 1), 1, "third"),
            Problem::error(at(1, 5), 1, "second"),
            Problem::error(at(1, 2), 1, "first"),
        ];
        let shown = shown(&problems, "abcdefg\n\nxyz\n");
        let places: Vec<usize> =
            ["first", "second", "third"].iter().filter_map(|each| shown.find(each)).collect();
        assert_eq!(places.len(), 3, "{shown}");
        assert!(places.is_sorted(), "{shown}");
    }

    #[test]
    fn no_more_than_fifty_are_shown_and_the_rest_is_counted() {
        let problems: Vec<Problem> =
            (1..=53).map(|line| Problem::error(at(line, 1), 1, format!("p{line}."))).collect();
        let shown = shown(&problems, &"x\n".repeat(60));
        assert!(shown.contains("p50."));
        assert!(!shown.contains("p51."));
        assert!(shown.ends_with("and 3 more\n"), "{shown}");
        assert_eq!(to_json(&problems).as_array().map(Vec::len), Some(53));
    }

    #[test]
    fn nothing_in_a_file_reaches_the_terminal_as_a_control_sequence() {
        let problem = Problem::error(at(1, 3), 2, "bad \u{1b}[2J text").with_help("not \u{7} this");
        let shown = shown(&[problem], "a\u{1b}]0;evil\u{7}b\u{202e}c\u{9b}31m\r\n");
        assert!(shown.chars().all(|each| each == '\n' || !each.is_control()), "{shown:?}");
        assert!(!shown.contains('\u{202e}'), "{shown:?}");
    }

    #[test]
    fn a_place_outside_the_text_is_still_named() {
        let problems = [Problem::error(at(9, 4), 3, "gone"), Problem::error(at(1, 40), 3, "far")];
        let shown = shown(&problems, "short\n");
        assert!(shown.contains("flow.yml:9:4"), "{shown}");
        assert!(shown.contains("far"), "{shown}");
        assert!(show(&problems, &|_| None, false).contains("flow.yml:1:40"));
    }

    #[test]
    fn columns_count_characters_also_after_wide_ones() {
        let shown = shown(&[Problem::error(at(1, 4), 1, "here")], "äö→x\n");
        assert!(shown.contains("flow.yml:1:4"), "{shown}");
        assert!(shown.lines().any(|line| line == "  |    ^"), "{shown}");
    }

    #[test]
    fn color_is_only_used_when_asked_for() {
        let problem = [Problem::error(at(1, 1), 1, "here")];
        assert!(show(&problem, &|_| None, true).contains('\u{1b}'));
        assert!(!show(&problem, &|_| None, false).contains('\u{1b}'));
    }

    #[test]
    fn programs_get_the_same_as_a_list() {
        let problem = Problem::warning(at(2, 3), 1, "odd").with_help("write even");
        assert_eq!(
            to_json(&[problem]),
            json!([{
                "file": "flow.yml", "line": 2, "column": 3,
                "severity": "warning", "message": "odd", "help": "write even",
            }])
        );
    }
}
