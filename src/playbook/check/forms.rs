//! Does the value of a name fit the place in a shell command where it stands?

use crate::expr::{Dialect, Form, Origin};

use super::look::{Cause, Look};
use super::moment::Role;
use super::seen::{Seen, meant, written};

impl Look<'_, '_> {
    /// Whether the value fits the place it stands in: `raw`, `for … in`, a whole command.
    pub(super) fn form(&mut self, seen: &Seen<'_, '_>) {
        let Form::Shell { raw, in_for, whole, .. } = seen.used.form else { return };
        let origin = self.declared.origin(&seen.used.path);
        let path = written(seen.used);
        if raw {
            if origin != Origin::Authored {
                let problem = seen
                    .warning(format!("`{path} | raw` runs whatever the value holds as shell code"));
                self.problems.push(problem.with_help("leave `| raw` out to pass it as one word"));
            }
        } else if self.dialect == Dialect::Other && origin != Origin::Authored {
            let problem = seen.error(format!(
                "`{path}` is data and cannot be written into a program of this `shell:`"
            ));
            let help =
                format!("read it from the environment, where it is exported as `{}`", seen.root());
            self.problems.push(problem.with_help(help));
        } else if whole
            && origin == Origin::Data
            && seen.role != Role::FileOrCommand
            && !seen.text.source().contains("words")
        {
            let problem =
                seen.error(format!("the whole command is the value of `{path}`, which is data"));
            let help = format!("write `${{{path} | raw}}` to run it as shell code on purpose");
            self.problems.push(problem.with_help(help));
        } else if in_for && self.declared.is_single_text(&seen.used.path) {
            let problem = seen.warning(format!("`{path}` is one word here, so the loop runs once"));
            let help =
                format!("write `${{{path} | lines}}` for its lines, or `| words` for its words");
            self.problems.push(problem.with_help(help));
        } else {
            self.read_again(seen);
        }
    }

    /// A bare `${file_lst}` of a shell command belongs to the shell, but beside a capture
    /// `file_list` it is probably a slip (DECISIONS B4, A37).
    pub(super) fn typo(&mut self, seen: &Seen<'_, '_>, known: &[&str]) {
        let name = seen.root();
        // Short names are near to anything.
        let long = known.iter().copied().filter(|each| each.len() > 2 && name.len() > 2);
        let Some(near) = meant(name, long) else { return };
        if COMMON_ENVIRONMENT.contains(&name) || assigns(seen.text.source(), name) {
            return;
        }
        let problem = seen
            .warning(format!("`${{{name}}}` is no name of this workflow and is left to the shell"))
            .with_help(format!("did you mean `{near}`?"));
        self.report(Cause::Typo, name, problem);
    }
}

/// Names that are usually in the environment: no slip, however close to a name of the file.
const COMMON_ENVIRONMENT: &[&str] = &[
    "EDITOR", "HOME", "HOSTNAME", "LANG", "LOGNAME", "OLDPWD", "PATH", "PWD", "RANDOM", "SHELL",
    "TERM", "TMPDIR", "UID", "USER",
];

/// True when the shell command itself gives `name` a value.
pub(super) fn assigns(command: &str, name: &str) -> bool {
    let word =
        |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let setters =
        ["for", "read", "export", "local", "declare", "typeset", "readonly", "getopts", "select"];
    command.match_indices(name).any(|(start, _)| {
        let before = &command[..start];
        let after = &command[start + name.len()..];
        if word(before.bytes().last()) || word(after.bytes().next()) || before.ends_with('$') {
            return false;
        }
        let line = before.rsplit(['\n', ';', '|', '&', '(']).next().unwrap_or(before);
        let assigned = after.starts_with('=') || after.starts_with("+=") || after.starts_with("[");
        (assigned && !before.ends_with('{'))
            || line.split_whitespace().any(|each| setters.contains(&each) || each == "mapfile")
                && !before.ends_with('{')
    })
}
