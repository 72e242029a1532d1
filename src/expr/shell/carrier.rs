//! How values reach the shell: environment variables, or a file of assignments when they are large.

use std::{collections::HashMap, string::FromUtf8Error};

use crate::expr::{EvalError, ShellScript, filter::quoted};

/// Larger values do not go through the environment (Linux allows 128 KiB for one string).
const LARGE: usize = 100 * 1024;
/// All values in the environment together.
const ENVIRONMENT: usize = 256 * 1024;
/// The variable that holds the path of the file with the large values.
const VALUES: &str = "PRODIGY_VALUES";
/// The variable that holds the path of a script too large for one argument.
const SCRIPT: &str = "PRODIGY_SCRIPT";

/// The values of one command.
#[derive(Debug, Default)]
pub(in crate::expr) struct Carrier {
    names: HashMap<Vec<u8>, usize>,
    environment: Vec<(String, Vec<u8>)>,
    size: usize,
    assignments: Vec<u8>,
}

/// Whether a value is one of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Amount {
    Single,
    Many,
}

impl Carrier {
    /// The name of the variable that holds `value` when the command runs.
    pub(super) fn carry(&mut self, value: Vec<u8>, amount: Amount) -> String {
        let next = self.names.len() + 1;
        let name = |number: usize| format!("PRODIGY_VALUE_{number}");
        if let Some(number) = self.names.get(&value) {
            return name(*number);
        }
        let variable = name(next);
        self.names.insert(value.clone(), next);
        let size = variable.len() + value.len() + 2;
        if amount == Amount::Single && value.len() <= LARGE && self.size + size <= ENVIRONMENT {
            self.size += size;
            self.environment.push((variable.clone(), value));
        } else {
            // A shell reads an assignment back byte for byte, needs no program for it, keeps `$?`,
            // and does not export it, so that other programs still start.
            self.assignments.extend_from_slice(variable.as_bytes());
            self.assignments.push(b'=');
            self.assignments.extend(quoted(&value));
            self.assignments.push(b'\n');
        }
        variable
    }

    /// The command with everything it needs.
    pub(in crate::expr) fn script(
        self,
        text: Vec<u8>,
        display: Vec<u8>,
        words: Option<Vec<Vec<u8>>>,
    ) -> ShellScript {
        let mut files = Vec::new();
        let text = match String::from_utf8(text) {
            Ok(text) if text.len() <= LARGE => text,
            other => {
                let bytes = other.map_or_else(FromUtf8Error::into_bytes, String::into_bytes);
                files.push((SCRIPT.to_owned(), bytes));
                format!(". \"${{{SCRIPT}}}\"")
            }
        };
        // On the first line, so that line numbers stay.
        let text = if self.assignments.is_empty() {
            text
        } else {
            files.push((VALUES.to_owned(), self.assignments));
            format!(". \"${{{VALUES}}}\";{text}")
        };
        let display = String::from_utf8_lossy(&display).into_owned();
        ShellScript { text, env: self.environment, files, display, words }
    }
}

/// Refuses NUL, which no argument and no variable can hold.
pub(super) fn without_nul(value: &[u8], of: &str) -> Result<(), EvalError> {
    match value.iter().position(|byte| *byte == 0) {
        None => Ok(()),
        Some(at) => Err(EvalError::new(format!(
            "the value of `{of}` holds a NUL byte (byte {at}), which a shell command cannot receive"
        ))
        .help("remove it where the value is made, for example with `tr -d '\\0'`")),
    }
}
