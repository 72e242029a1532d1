//! Conditions that can never be true (DECISIONS A39): asking whether a step failed, after the
//! failure of which the workflow does not go on.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::playbook::Problem;

use super::moment::{Definition, Moment, Part, Role};
use super::text::Text;

/// One warning for each such `when`.
pub(super) fn never(moments: &[Moment<'_>]) -> Vec<Problem> {
    let mut strict: HashMap<&str, Definition<'_>> = HashMap::new();
    let mut problems = Vec::new();
    for moment in moments {
        match moment {
            Moment::Named(definition) if definition.stops => {
                strict.insert(definition.name, *definition);
            }
            Moment::Named(definition) => {
                strict.remove(definition.name);
            }
            Moment::Text(Text::Condition(condition), Role::When, standing)
                if standing.part == Part::Steps =>
            {
                let Some(name) = asks_for_failure(condition.source()) else { continue };
                let Some(definition) = strict.get(name.as_str()) else { continue };
                let text = Text::Condition(condition);
                let span = 0..condition.source().len();
                let at = text.locate(&span, standing.at);
                let message = format!(
                    "never true: when `{name}` (line {}) fails, the workflow stops there",
                    definition.at.line
                );
                let help =
                    format!("add `continue_on_error: true` to `{name}`, or use its `on_failure`");
                problems.push(Problem::warning(at, text.length(&span), message).with_help(help));
            }
            _ => {}
        }
    }
    problems
}

/// The id of which the condition demands that it failed: as a whole, or in one of the parts
/// that `and` joins.
fn asks_for_failure(condition: &str) -> Option<String> {
    let plain = condition.replace("${", " ").replace(['}', '"', '\''], " ");
    if plain.contains("||") || plain.split_whitespace().any(|word| word == "or") {
        return None;
    }
    let patterns: &[&LazyLock<Regex>] = &[&EXIT_CODE, &FAILED, &NO_SUCCESS];
    plain.replace("&&", " and ").split(" and ").find_map(|part| {
        let part = part.trim();
        let captures = patterns.iter().find_map(|pattern| pattern.captures(part))?;
        Some(captures.iter().skip(1).flatten().next()?.as_str().to_owned())
    })
}

#[expect(clippy::expect_used, reason = "a constant pattern, read in every test run")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern that can be read")
}

static EXIT_CODE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^([A-Za-z_][\w-]*)\.exit_code\s*(?:!=\s*0|>\s*0|>=\s*1|==\s*[1-9]\d*)$")
});
static FAILED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:([A-Za-z_][\w-]*)\.failed(?:\s*(?:==\s*true|!=\s*false))?|failed\(\s*([A-Za-z_][\w-]*)\s*\))$",
    )
});
static NO_SUCCESS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:(?:!|not\b)\s*([A-Za-z_][\w-]*)\.success|([A-Za-z_][\w-]*)\.success\s*(?:==\s*false|!=\s*true))$",
    )
});

#[cfg(test)]
mod tests {
    use super::asks_for_failure;

    #[test]
    fn every_way_to_ask_for_a_failure_is_seen() {
        for condition in [
            "${build.exit_code} != 0",
            "${build.exit_code != 0}",
            "build.exit_code > 0",
            "\"${build.exit_code}\" != \"0\"",
            "${build.exit_code} == 2",
            "build.failed",
            "${build.failed} == true",
            "failed(build)",
            "!${build.success}",
            "${!build.success}",
            "not build.success",
            "${build.success} == false",
            "${build.success != true}",
            "${fast} and ${build.failed}",
        ] {
            assert_eq!(asks_for_failure(condition).as_deref(), Some("build"), "{condition}");
        }
    }

    #[test]
    fn what_may_be_true_is_left_alone() {
        for condition in [
            "${build.exit_code} == 0",
            "${build.success}",
            "build.failed == false",
            "!build.failed",
            "${build.exit_code} != 0 or ${force}",
            "${build.exit_code} != 0 || true",
            "${build.exit_code} > ${other}",
            "not (build.success and other)",
        ] {
            assert_eq!(asks_for_failure(condition), None, "{condition}");
        }
    }
}
