//! Outside data where a program reads it as code once more: `eval`, `sh -c`, `ssh`, `awk`, a
//! here-document of a shell and the like (SPEC 4.2: we pass one word; what the command does with it is the command's business).

use std::sync::LazyLock;

use regex::Regex;

use crate::expr::{Dialect, Form, Origin, Quoting};
use crate::playbook::model::ParameterKind;

use super::command_words::{before, document_readers};
use super::look::{Cause, Look};
use super::seen::{Seen, written};

/// A program that takes a word for code, and what to write instead.
struct Reader {
    program: String,
    help: &'static str,
}

const HELP_SHELL: &str =
    "give it as a further argument: sh -c '… \"$1\" …' sh ${NAME}; or write `${NAME | quote}`";
const HELP_SHELL_INPUT: &str =
    "quote its end (<<'EOF') and use the exported variable, or write `${NAME | quote}`";
const HELP_EVAL: &str = "leave `eval` out, or write `${NAME | quote}`";
const HELP_REMOTE: &str = "write `${NAME | quote}`, which is read back as one word";
const HELP_AWK: &str = "give it as a variable: awk -v value=${NAME} '… value …'";
const HELP_SCRIPT: &str = "give it as a further argument and read it from the program's arguments";
const HELP_SQL: &str = "give it as a variable of the program, which can quote it";

/// Programs after which another program may stand as a word of theirs.
const WRAPPERS: &[&str] = &[
    "sudo", "doas", "env", "nohup", "time", "timeout", "exec", "command", "builtin", "sshpass",
    "xargs", "parallel", "nice", "ionice", "setsid", "stdbuf", "watch", "find", "docker", "podman",
    "kubectl", "then", "do", "else", "if", "elif", "while", "until", "!", "{",
];

/// Options of ssh that take a value.
const SSH_VALUES: &str = "bcDEeFIiJLlmOopQRSWw";

/// Fields that hold no text of others.
const PLAIN_FIELDS: &[&str] = &[
    "exit_code",
    "success",
    "failed",
    "skipped",
    "duration",
    "attempts",
    "partial_success",
    "recovered",
    "cost_usd",
    "tokens",
    "turns",
    "session_id",
    "commit_count",
    "insertions",
    "deletions",
    "correlation_id",
    "timestamp",
    "total",
    "successful",
    "id",
    "attempt",
    "kind",
    "class",
    "status",
];

/// Built-ins that hold no text of others.
const PLAIN_NAMES: &[&str] = &["item_id", "item_index", "item_total", "attempt", "session", "job"];

impl Look<'_, '_> {
    /// Warns where the program that gets the value runs it as code.
    pub(super) fn read_again(&mut self, seen: &Seen<'_, '_>) {
        let Form::Shell { quoting, raw, .. } = seen.used.form else { return };
        let path = &seen.used.path;
        if raw
            || self.dialect == Dialect::Other
            || matches!(quoting, Quoting::Comment | Quoting::Arithmetic)
            || self.declared.origin(path) == Origin::Authored
            || self.is_plain(seen)
        {
            return;
        }
        let source = seen.text.source();
        let at = seen.used.span.start;
        let found = if quoting == Quoting::HereDocument {
            let readers = document_readers(source, at);
            readers.iter().find_map(|words| reader(words, &stdin_help))
        } else {
            let before = before(source, at);
            reader(&before.words, &|program, rest| help(program, rest, &before.partial))
        };
        let Some(reader) = found else { return };
        let rest = source.get(at..).unwrap_or_default();
        if rest.split('}').next().is_some_and(|hole| QUOTED.is_match(hole)) {
            return;
        }
        let name = written(seen.used);
        let message =
            format!("`{name}` is data, and `{}` reads it as code once more", reader.program);
        let help = reader.help.replace("NAME", &name);
        self.report(Cause::ReadAgain, source, seen.warning(message).with_help(help));
    }

    fn is_plain(&self, seen: &Seen<'_, '_>) -> bool {
        let number = self.declared.parameters.get(seen.root()).is_some_and(|parameter| {
            matches!(parameter.kind, Some(ParameterKind::Number | ParameterKind::Boolean))
        });
        number
            || PLAIN_NAMES.contains(&seen.root())
            || seen
                .field()
                .is_some_and(|field| PLAIN_FIELDS.contains(&field) && seen.root() != "item")
    }
}

#[expect(clippy::expect_used, reason = "a constant pattern, read in every test run")]
static QUOTED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\|\s*quote\b").expect("a pattern that can be read"));

/// Which of these words is a program that reads as code what follows, as `help` knows.
fn reader(
    words: &[String],
    help: &dyn Fn(&str, &[&str]) -> Option<&'static str>,
) -> Option<Reader> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let first = words.iter().position(|word| !is_assignment(word))?;
    let starts = |at: usize| {
        at == first || words[first..at].iter().any(|word| WRAPPERS.contains(&base(word)))
    };
    (first..words.len()).rev().filter(|at| starts(*at)).find_map(|at| {
        let (program, rest) = (base(words.get(at)?), words.get(at + 1..)?);
        let help = help(program, rest)?;
        Some(Reader { program: shown(program, rest), help })
    })
}

/// What to write instead, when `program` with the arguments `rest` reads the next word as code.
fn help(program: &str, rest: &[&str], partial: &str) -> Option<&'static str> {
    let last = rest.last().copied().unwrap_or_default();
    let short = |letters: &str| {
        last.strip_prefix('-').is_some_and(|flags| {
            !flags.starts_with('-')
                && flags.ends_with(|flag| letters.contains(flag))
                && flags.chars().all(|flag| flag.is_ascii_alphanumeric())
        })
    };
    match plain_name(program) {
        "eval" => Some(HELP_EVAL),
        "trap" => rest.is_empty().then_some(HELP_REMOTE),
        "sh" | "bash" | "dash" | "ksh" | "zsh" | "ash" | "fish" | "su" => {
            let flags = rest.iter().rev().find(|word| **word != "--")?;
            let code = flags
                .strip_prefix('-')
                .is_some_and(|flags| !flags.starts_with('-') && flags.contains('c'));
            code.then_some(HELP_SHELL)
        }
        "ssh" => (operands(rest, SSH_VALUES) > 0).then_some(HELP_REMOTE),
        "awk" | "gawk" | "mawk" | "nawk" => {
            let options = partial.starts_with('-')
                || (last.len() == 2 && last.starts_with('-') && "Ffv".contains(&last[1..]));
            let program_given = rest.iter().any(|word| word.starts_with("-f"));
            (!options && !program_given && operands(rest, "Ffv") == 0).then_some(HELP_AWK)
        }
        "python" => short("c").then_some(HELP_SCRIPT),
        "perl" | "ruby" | "lua" => short("eE").then_some(HELP_SCRIPT),
        "node" | "deno" | "bun" => (short("ep") || last == "--eval").then_some(HELP_SCRIPT),
        "php" => short("r").then_some(HELP_SCRIPT),
        "psql" | "mysql" => {
            (short("ce") || last == "--command" || last == "--execute").then_some(HELP_SQL)
        }
        _ => None,
    }
}

/// What to write instead, when `program` with the arguments `rest` reads its standard input as code.
fn stdin_help(program: &str, rest: &[&str]) -> Option<&'static str> {
    let arguments = without_redirections(rest);
    let flags = |letters: &str| {
        arguments.iter().any(|word| {
            word.strip_prefix('-').is_some_and(|flags| flags.contains(|it| letters.contains(it)))
        })
    };
    match plain_name(program) {
        "sh" | "bash" | "dash" | "ksh" | "zsh" | "ash" | "fish" => {
            let reads = flags("s") || (operands(&arguments, "oO") == 0 && !flags("c"));
            reads.then_some(HELP_SHELL_INPUT)
        }
        "ssh" => (operands(&arguments, SSH_VALUES) == 1).then_some(HELP_REMOTE),
        "python" | "perl" | "ruby" | "lua" | "node" | "php" => {
            let script = arguments.iter().any(|word| !word.starts_with('-'));
            (!script && !flags("ceEmpr")).then_some(HELP_SCRIPT)
        }
        "psql" | "mysql" | "sqlite" => (!flags("ce")).then_some(HELP_SQL),
        _ => None,
    }
}

fn without_redirections<'w>(words: &[&'w str]) -> Vec<&'w str> {
    let mut is_target = false;
    let mut kept = Vec::new();
    for word in words {
        let sign = word.trim_start_matches(|each: char| each.is_ascii_digit() || each == '&');
        let redirects = sign.starts_with(['<', '>']);
        if !redirects && !std::mem::take(&mut is_target) {
            kept.push(*word);
        }
        is_target = redirects && sign.trim_start_matches(['<', '>', '-', '&']).is_empty();
    }
    kept
}

/// Without a version: `python3.12` is `python`.
fn plain_name(program: &str) -> &str {
    program.trim_end_matches(|each: char| each.is_ascii_digit() || each == '.')
}

/// How many of the words are no options and no values of the options in `with_value`.
fn operands(words: &[&str], with_value: &str) -> usize {
    let mut count = 0;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix('-') {
            None | Some("") => count += 1,
            Some(option) => {
                if option.len() == 1 && with_value.contains(option) {
                    words.next();
                }
            }
        }
    }
    count
}

fn shown(program: &str, rest: &[&str]) -> String {
    // The option says that code follows, except where code always does.
    let takes_code = !["eval", "trap", "ssh"].contains(&program) && !program.ends_with("awk");
    match rest.last() {
        Some(flag) if takes_code && flag.starts_with('-') && !["-", "--"].contains(flag) => {
            format!("{program} {flag}")
        }
        _ => program.to_owned(),
    }
}

/// The name of a program, without its directory.
fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|each| each.is_ascii_alphanumeric() || each == '_')
    })
}
