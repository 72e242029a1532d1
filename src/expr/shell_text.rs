//! Shell commands with `${…}` holes: what the author wrote is text, what comes from
//! outside is data and arrives as exactly one word, in every quoting context (SPEC 4.2).

use super::{
    EvalError, Place, Scope, SyntaxError, Use,
    shell::{Filling, Reading, Scanner, Survey, read, render_other, words},
    written::written,
};

/// A shell command, read once.
#[derive(Debug, Clone, PartialEq)]
pub struct ShellText {
    source: String,
    place: Place,
    reading: Reading,
}

/// Which language the command is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// sh, bash, dash, ksh, zsh: data can be put in place.
    Posix,
    /// Anything else (python3, fish, pwsh): data is refused with a hint (DECISIONS A35).
    Other,
}

/// A command that is ready to run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ShellScript {
    /// The text for the shell.
    pub text: String,
    /// Environment variables that carry the data the text refers to.
    pub env: Vec<(String, Vec<u8>)>,
    /// Data too large for the environment: the caller writes each to a private file and sets
    /// the variable to its absolute path; the text reads it back byte for byte. At most two:
    /// the large values as assignments, and a script too long (or not UTF-8) for one argument.
    pub files: Vec<(String, Vec<u8>)>,
    /// What it looks like with the values put in, for people; never executed.
    pub display: String,
    /// The program and arguments, when the text is a simple command without any shell syntax,
    /// built-in, assignment or expansion (DECISIONS A34): the caller may run it directly when
    /// the first word is found in PATH and starts with ELF or `#!`.
    pub words: Option<Vec<Vec<u8>>>,
}

written!(ShellText);

impl ShellText {
    /// Reads a command. Only the outer form of holes is looked at; whether a bare `${name}` is
    /// ours depends on the names known when it runs.
    ///
    /// # Errors
    /// A hole that can only be ours and cannot be read.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        Ok(Self { source: text.to_owned(), place: Place::default(), reading: read(text)? })
    }

    /// The names it uses, with the quoting around them.
    #[must_use]
    pub fn uses(&self) -> Vec<Use> {
        if self.reading.candidates.is_empty() {
            return Vec::new();
        }
        let mut survey = Survey::new(&self.reading);
        // What cannot be scanned further is reported when it is rendered.
        let _ = Scanner::new(&self.source, &self.reading, &mut survey).run();
        survey.uses
    }

    /// The identifiers that stand behind `$` or `${`, each once: what the command may expect in
    /// its environment.
    #[must_use]
    pub fn mentions(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for part in self.source.split('$').skip(1) {
            let part = part.trim_start_matches(['{', '#', '!']);
            let length =
                part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
            let name = part.get(..length).unwrap_or_default();
            let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            if is_name && !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// The command with its values.
    ///
    /// # Errors
    /// A dotted name that nobody knows, data as the whole command, NUL bytes, data in an
    /// arithmetic place that is no number, or data for a shell of another language.
    pub fn render(&self, scope: &dyn Scope, dialect: Dialect) -> Result<ShellScript, EvalError> {
        let mut filling = Filling::new(&self.reading, &self.source, scope);
        match dialect {
            Dialect::Posix => {
                let scanned = Scanner::new(&self.source, &self.reading, &mut filling).run()?;
                let words = words(&self.reading, &mut filling);
                Ok(scanned.carrier.script(scanned.text, scanned.display, words))
            }
            Dialect::Other => {
                let text = render_other(&self.source, &self.reading, &mut filling)?;
                Ok(ShellScript { display: text.clone(), text, ..ShellScript::default() })
            }
        }
    }
}

impl Dialect {
    /// The dialect of a shell program by its name (`/bin/bash` → POSIX).
    #[must_use]
    pub fn of(program: &str) -> Self {
        match program.rsplit('/').next().unwrap_or(program) {
            "sh" | "bash" | "dash" | "ksh" | "zsh" => Self::Posix,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
#[path = "shell_text_tests.rs"]
mod tests;
