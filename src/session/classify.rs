//! Which class a failure belongs to: decided by kind, exit code, signal and output
//! (DECISIONS A58, A60). A pure function over what was recorded.

mod rules;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use self::rules::{
    ERROR_RECORD, EXIT_CODES, IGNORED, KILLING_TIMEOUT, PURPOSES, Quoted, RULES, Rule,
};
use super::{FailureClass, FailureKind};

/// What the classifier looks at.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What kind of thing went wrong.
    pub kind: FailureKind,
    /// Exit code; 128+N for signal N.
    pub exit_code: Option<i32>,
    /// The command as shown.
    pub command: &'a str,
    /// stdout, or its end.
    pub stdout: &'a str,
    /// stderr, or its end.
    pub stderr: &'a str,
}

/// A class, and what speaks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The class.
    pub class: FailureClass,
    /// The reason, for people: a clause without a full stop.
    pub why: &'static str,
}

/// The class of a failure.
#[must_use]
pub fn classify(evidence: &Evidence<'_>) -> FailureClass {
    explain(evidence).class
}

/// The class of a failure with the reason for it.
#[must_use]
pub fn explain(evidence: &Evidence<'_>) -> Verdict {
    let unknown = verdict(FailureClass::Unknown, "nothing in its output says why it failed");
    match evidence.kind {
        FailureKind::Timeout | FailureKind::IdleTimeout => {
            verdict(FailureClass::Timeout, "it took longer than its time limit")
        }
        FailureKind::Start => by_output(evidence)
            .filter(|found| found.class == FailureClass::Permission)
            .unwrap_or(verdict(FailureClass::MissingTool, "its program could not be started")),
        FailureKind::Exit | FailureKind::Signal => by_exit_code(evidence)
            .or_else(|| by_output(evidence))
            .or_else(|| by_silent_exit_code(evidence))
            .or_else(|| by_purpose(evidence))
            .unwrap_or(unknown),
        FailureKind::Agent
        | FailureKind::File
        | FailureKind::TtyInput
        | FailureKind::Inner
        | FailureKind::Incomplete => by_output(evidence).unwrap_or(unknown),
        FailureKind::Expression
        | FailureKind::Capture
        | FailureKind::CaptureTooLarge
        | FailureKind::NoCommit
        | FailureKind::MissingArtifact
        | FailureKind::GoalNotReached
        | FailureKind::Interrupted => unknown,
    }
}

const fn verdict(class: FailureClass, why: &'static str) -> Verdict {
    Verdict { class, why }
}

/// Codes that mean the same for every program, whatever it printed.
fn by_exit_code(evidence: &Evidence<'_>) -> Option<Verdict> {
    match evidence.exit_code? {
        124 if runs(evidence.command, "timeout") => {
            Some(verdict(FailureClass::Timeout, "`timeout` stopped it"))
        }
        137 if KILLING_TIMEOUT_PATTERN.is_match(evidence.command) => {
            Some(verdict(FailureClass::Timeout, "`timeout` killed it"))
        }
        142 => Some(verdict(FailureClass::Timeout, "the alarm that it set itself went off")),
        152 => Some(verdict(FailureClass::Timeout, "its processor time was used up")),
        126 => by_output(evidence)
            .filter(|found| found.class == FailureClass::MissingTool)
            .or(Some(verdict(FailureClass::Permission, "its program may not be executed"))),
        127 => by_output(evidence)
            .filter(|found| matches!(found.class, FailureClass::Permission | FailureClass::Unknown))
            .or(Some(verdict(FailureClass::MissingTool, "a program is missing"))),
        137 => by_output(evidence)
            .filter(|found| found.class == FailureClass::DiskFull)
            .or(Some(verdict(FailureClass::OutOfMemory, "it was killed, likely for memory"))),
        _ => None,
    }
}

/// Codes of programs that may say nothing.
fn by_silent_exit_code(evidence: &Evidence<'_>) -> Option<Verdict> {
    let code = evidence.exit_code?;
    let of_program = EXIT_CODES
        .iter()
        .find(|(program, codes, ..)| codes.contains(&code) && runs(evidence.command, program))
        .map(|(_, _, class, why)| verdict(*class, why));
    // `xargs` says with 124 that a command said 255.
    let of_timeout = (code == 124 && !runs(evidence.command, "xargs"))
        .then(|| verdict(FailureClass::Timeout, "it ended as what `timeout` stops"));
    of_program.or(of_timeout)
}

/// True when `program` is a word of the command.
fn runs(command: &str, program: &str) -> bool {
    command
        .split(|each: char| each.is_whitespace() || ";|&()`\"'".contains(each))
        .any(|word| word.rsplit('/').next() == Some(program))
}

/// A command that is for one thing only, and failed without a word about it.
fn by_purpose(evidence: &Evidence<'_>) -> Option<Verdict> {
    match purposes(evidence)[..] {
        [FailureClass::Lint] => Some(verdict(FailureClass::Lint, "a check of form failed")),
        [FailureClass::Test] => Some(verdict(FailureClass::Test, "a test command failed")),
        [FailureClass::Build] => Some(verdict(FailureClass::Build, "a build command failed")),
        _ => None,
    }
}

fn purposes(evidence: &Evidence<'_>) -> Vec<FailureClass> {
    let command = evidence.command.trim();
    let matching = PURPOSE_PATTERNS.iter().filter(|(_, pattern)| pattern.is_match(command));
    matching.map(|(class, _)| *class).collect()
}

/// No more lines than this are looked at, from the end of each stream.
const LINES: usize = 120;
/// A line is looked at up to this many bytes.
const LINE_BYTES: usize = 2_000;

/// What the last lines say: the strongest rule wins, and a line counts less the farther it
/// is from the end.
fn by_output(evidence: &Evidence<'_>) -> Option<Verdict> {
    let purposes = purposes(evidence);
    let mut best: Option<(f64, Verdict)> = None;
    for (stream, trust) in [(evidence.stderr, 1.0), (evidence.stdout, 0.95)] {
        let is_difference = stream.contains("\n@@ -");
        let lines = stream.lines().rev().map(plain).filter(|line| !line.trim().is_empty());
        for (distance, line) in lines.take(LINES).enumerate() {
            if IGNORED_PATTERN.is_match(&line) || (is_difference && line.starts_with(['-', '+'])) {
                continue;
            }
            let warning =
                if line.trim_start().to_lowercase().starts_with("warn") { 0.6 } else { 1.0 };
            for rule in matching(&line) {
                let purpose = if purposes.contains(&rule.class) { 1.1 } else { 1.0 };
                // What the command is for may say more after its result than others do.
                let reach = if purpose > 1.0 { 48.0 } else { 12.0 };
                let nearness = 1.0 / (1.0 + distance as f64 / reach);
                let score = rule.weight * nearness * trust * warning * purpose;
                if best.is_none_or(|(score_so_far, _)| score > score_so_far) {
                    best = Some((score, verdict(rule.class, rule.why)));
                }
            }
        }
    }
    best.map(|(_, verdict)| verdict)
}

/// The rules that a line speaks for.
fn matching(line: &str) -> impl Iterator<Item = &'static Rule> {
    RULE_SET.matches(line).into_iter().filter_map(|index| {
        let rule = RULES.get(index)?;
        let counts = rule.quoted == Quoted::Counts || {
            let pattern = RULE_PATTERNS.get(index)?;
            pattern.find_iter(line).any(|found| !is_quoted(line, found.start()))
        };
        counts.then_some(rule)
    })
}

/// True when byte `at` of `line` is inside quotation marks that tell what another one said. A
/// record of a log that is itself an error means what it quotes.
fn is_quoted(line: &str, at: usize) -> bool {
    if ERROR_RECORD_PATTERN.is_match(line) {
        return false;
    }
    let bytes = line.as_bytes();
    let is_letter = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_alphanumeric);
    ['"', '\'', '`'].into_iter().any(|mark| {
        let marks = line.match_indices(mark).map(|(index, _)| index).filter(|index| {
            // An apostrophe is no quotation mark.
            mark != '\'' || *index == 0 || !is_letter(index - 1) || !is_letter(index + 1)
        });
        let (before, after): (Vec<usize>, Vec<usize>) = marks.partition(|index| *index < at);
        before.len() % 2 == 1 && !after.is_empty()
    })
}

/// A line without colours and without an end that nobody reads.
fn plain(line: &str) -> String {
    let mut end = line.len().min(LINE_BYTES);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    let mut plain = String::with_capacity(end);
    let mut characters = line[..end].chars();
    while let Some(character) = characters.next() {
        if character != '\u{1b}' {
            plain.push(character);
        } else if characters.next() == Some('[') {
            characters.by_ref().find(|each| ('@'..='~').contains(each));
        }
    }
    plain
}

static RULE_SET: LazyLock<RegexSet> = LazyLock::new(|| {
    let patterns = RULES.iter().map(|rule| ascii(rule.pattern));
    let built = RegexSetBuilder::new(patterns).case_insensitive(true).build();
    #[expect(clippy::expect_used, reason = "constant patterns, read in every test run")]
    built.expect("patterns that can be read")
});

static RULE_PATTERNS: LazyLock<Vec<Regex>> =
    LazyLock::new(|| RULES.iter().map(|rule| pattern(rule.pattern)).collect());

static PURPOSE_PATTERNS: LazyLock<Vec<(FailureClass, Regex)>> =
    LazyLock::new(|| PURPOSES.iter().map(|(class, text)| (*class, pattern(text))).collect());

static ERROR_RECORD_PATTERN: LazyLock<Regex> = LazyLock::new(|| pattern(ERROR_RECORD));

static KILLING_TIMEOUT_PATTERN: LazyLock<Regex> = LazyLock::new(|| pattern(KILLING_TIMEOUT));

static IGNORED_PATTERN: LazyLock<Regex> = LazyLock::new(|| pattern(IGNORED));

#[expect(clippy::expect_used, reason = "constant patterns, read in every test run")]
fn pattern(text: &str) -> Regex {
    let built = RegexBuilder::new(&ascii(text)).case_insensitive(true).build();
    built.expect("a pattern that can be read")
}

/// The same pattern where words and digits are those of ASCII: many times faster on lines that
/// hold other letters.
fn ascii(pattern: &str) -> String {
    let pattern = pattern.replace(r"\b", r"(?-u:\b)");
    pattern.replace(r"\d", "[0-9]").replace(r"\w", "[0-9A-Za-z_]")
}
