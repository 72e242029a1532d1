//! Commands for shells of another language, where only text of the author can be put in (A35).

use super::{
    meaning::{Meaning, Meanings},
    symbol::{Reading, Symbol},
};
use crate::expr::EvalError;

/// The command with its constants pasted.
///
/// # Errors
/// A value from outside, which no quoting of ours can protect there.
pub(in crate::expr) fn render_other(
    source: &str,
    reading: &Reading,
    meanings: &mut dyn Meanings,
) -> Result<String, EvalError> {
    let mut text = Vec::new();
    let mut symbols = reading.symbols.iter();
    while let Some(symbol) = symbols.next() {
        let (hole, literal) = match symbol {
            Symbol::Byte(byte) | Symbol::Spelled(byte, _) => {
                text.push(*byte);
                continue;
            }
            Symbol::Escaped(hole) => (*hole, true),
            Symbol::Hole(hole) => (*hole, text.last() == Some(&b'\\')),
        };
        let Some(candidate) = reading.candidates.get(hole) else {
            continue;
        };
        let written = source.get(candidate.span.clone()).unwrap_or_default();
        let meaning = if literal { Meaning::Shell } else { meanings.meaning(hole)? };
        if matches!(meaning, Meaning::Shell) {
            text.extend_from_slice(written.as_bytes());
            continue;
        }
        match meanings.literal(hole)? {
            Meaning::Paste(value) => text.extend_from_slice(&value),
            _ => {
                let name = candidate.name().map_or("NAME", |name| name.path.root.as_str());
                return Err(EvalError::new(format!(
                    "the value of `{written}` comes from outside and cannot be put into a command of this shell"
                ))
                .help(format!(
                    "read the exported variable (`{name}`) in the command, or use sh or bash"
                )));
            }
        }
        if candidate.open {
            skip_default(&mut symbols, reading);
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Steps over the default of a hole: it ends at the first `}` that closes no inner `${` and is
/// not escaped.
fn skip_default(symbols: &mut std::slice::Iter<'_, Symbol>, reading: &Reading) {
    let mut braces = 1_usize;
    let mut previous = 0;
    while braces > 0
        && let Some(symbol) = symbols.next()
    {
        match symbol.byte() {
            Some(b'\\') => {
                symbols.next();
            }
            Some(b'{') if previous == b'$' => braces += 1,
            Some(b'}') => braces -= 1,
            _ => {
                if let Symbol::Hole(inner) = symbol {
                    let open = reading.candidates.get(*inner).is_some_and(|inner| inner.open);
                    braces += usize::from(open);
                }
            }
        }
        previous = symbol.byte().unwrap_or_default();
    }
}
