//! Puts data where it arrives as one word, byte for byte: a reference to a variable that holds it.

use super::{
    carrier::{Amount, without_nul},
    frame::{Command, Frame, Single, is_name},
    meaning::Datum,
    scanner::Scanner,
};
use crate::expr::{
    EvalError, Quoting, Value, comparison::number_of_text, evaluation::joined, filter::quoted,
};

/// Longer lists are not given one variable of the environment each.
const MANY: usize = 64;
/// What the shell reads as part of a word and expands to nothing, not even an empty word.
pub(super) const NO_WORD: &[u8] = b"${PRODIGY_NOTHING-}";
/// Longer values are only named in what people see.
const SHOWN: usize = 100 * 1024;

impl Scanner<'_> {
    /// Puts a value where the scanner stands.
    pub(super) fn place(&mut self, hole: usize, datum: &Datum) -> Result<(), EvalError> {
        let site = self.site();
        let number = number_of(&datum.value);
        if site.quoting == Quoting::Arithmetic {
            let Some(number) = number else {
                return Err(self.no_number(hole));
            };
            self.write(number.as_bytes());
            self.display.extend_from_slice(number.as_bytes());
            return Ok(());
        }
        if number.is_none()
            && let Some(command) = self.enclosing_command()
        {
            command.data = Some(hole);
        }
        if !is_name_or_assignment(&datum.value)
            && let Some(command) = self.enclosing_command()
            && !command.word.contains(&b'=')
        {
            command.no_name = Some(hole);
        }
        match site.quoting {
            Quoting::Double | Quoting::HereDocument => self.place_inside(hole, datum),
            Quoting::Single => self.place_in_single(hole, datum),
            _ => self.place_bare(hole, datum),
        }
    }

    /// One quoted word; a list is one word per element.
    fn place_bare(&mut self, hole: usize, datum: &Datum) -> Result<(), EvalError> {
        let joins = self.command().is_some_and(|command| Command::joins(command));
        let value = datum.unquoted.as_ref().unwrap_or(&datum.value);
        let words = match value {
            Value::Array(items) if !joins => items.iter().map(Value::to_bytes).collect(),
            value => vec![joined(value, Some(datum.separator))],
        };
        if words.is_empty() {
            self.write(NO_WORD);
        }
        let amount = if words.len() > MANY { Amount::Many } else { Amount::Single };
        for (position, word) in words.into_iter().enumerate() {
            if position > 0 {
                self.output.push(b' ');
                self.display.push(b' ');
            }
            self.show(hole, &quoted(&word));
            let name = self.carry(hole, word, amount)?;
            self.write(format!("\"${{{name}}}\"").as_bytes());
        }
        Ok(())
    }

    /// Inside double quotes or a here-document, where nothing is split.
    fn place_inside(&mut self, hole: usize, datum: &Datum) -> Result<(), EvalError> {
        let word = joined(&datum.value, Some(datum.separator));
        self.show(hole, &word);
        let name = self.carry(hole, word, Amount::Single)?;
        self.write(format!("${{{name}}}").as_bytes());
        Ok(())
    }

    /// Inside single quotes: they are closed before and opened again behind the value.
    fn place_in_single(&mut self, hole: usize, datum: &Datum) -> Result<(), EvalError> {
        let word = joined(&datum.value, Some(datum.separator));
        self.show(hole, &word);
        let name = self.carry(hole, word, Amount::Single)?;
        let again = match self.frames.last() {
            Some(Frame::Single(Single::Dollar)) => "$'",
            _ => "'",
        };
        self.write(format!("'\"${{{name}}}\"{again}").as_bytes());
        Ok(())
    }

    fn carry(&mut self, hole: usize, value: Vec<u8>, amount: Amount) -> Result<String, EvalError> {
        without_nul(&value, self.written(hole))?;
        Ok(self.carrier.carry(value, amount))
    }

    /// Puts a value in what people see.
    fn show(&mut self, hole: usize, value: &[u8]) {
        if value.len() > SHOWN {
            let note = format!("({} bytes of {})", value.len(), self.written(hole));
            self.display.extend_from_slice(note.as_bytes());
        } else {
            self.display.extend_from_slice(value);
        }
    }

    /// The error for data where a shell would evaluate it as the name of a variable.
    pub(super) fn no_name(&self, hole: usize) -> EvalError {
        let text = self.written(hole);
        EvalError::new(format!(
            "the value of `{text}` stands where the name of a variable belongs and is none"
        ))
        .help("a shell would run parts of such a value as code; check the value before")
    }

    /// The error for data where a shell would evaluate it as arithmetic.
    pub(super) fn no_number(&self, hole: usize) -> EvalError {
        let text = self.written(hole);
        EvalError::new(format!(
            "the value of `{text}` stands in an arithmetic place and is no number"
        ))
        .help("a shell would run such a value as code; compare texts with `=`, or check the value before")
    }
}

/// Whether a built-in that takes names of variables finds nothing to evaluate in a value.
fn is_name_or_assignment(value: &Value) -> bool {
    let text = value.to_bytes();
    let name = text.split(|byte| *byte == b'=').next().unwrap_or_default();
    is_name(name) || (name.first() == Some(&b'-') && is_name(name.get(1..).unwrap_or_default()))
}

/// A value as a number of the shell: leading zeros would make it octal, and a minus sign must
/// not touch another one.
fn number_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => number_of_text(text)?.to_owned(),
        _ => return None,
    };
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (if text.starts_with('-') { "-" } else { "" }, digits),
        None => ("", text.as_str()),
    };
    let stripped = digits.trim_start_matches('0');
    let digits = if stripped.starts_with(|c: char| c.is_ascii_digit()) {
        stripped.to_owned()
    } else {
        format!("0{stripped}")
    };
    Some(if sign.is_empty() { digits } else { format!("({sign}{digits})") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_so_that_a_shell_reads_them_right() {
        for (text, number) in [
            ("5", Some("5")),
            ("08", Some("8")),
            ("000", Some("0")),
            ("-3", Some("(-3)")),
            (" 42\n", Some("42")),
            ("+7", Some("7")),
            ("0.5", Some("0.5")),
            ("a[0]", None),
            ("", None),
            ("1;id", None),
            ("$(id)", None),
        ] {
            assert_eq!(number_of(&Value::from(text)).as_deref(), number, "{text:?}");
        }
    }
}
