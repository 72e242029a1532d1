//! Splits a command without any shell syntax into its words, so that it can run without a shell (A34).

use super::{
    meaning::{Meaning, Meanings},
    symbol::{Reading, Symbol},
};
use crate::expr::{Value, evaluation::joined};

/// First words that a shell does not look up in PATH: reserved words and the built-ins of sh,
/// bash, dash, ksh and zsh.
const SHELL_WORDS: &str = " ! . : [ [[ ]] { } alias autoload bg bind bindkey break builtin bye caller \
    case cd chdir clone command compctl compgen complete compopt continue coproc declare dirs disable \
    disown do done echo echotc echoti elif else emulate enable end esac eval exec exit export false fc \
    fg fi float for foreach function functions getln getopts hash hist history if in integer jobs kill \
    let limit local log logout mapfile nameref newgrp nocorrect noglob popd print printf pushd pushln \
    pwd r read readarray readonly rehash repeat return sched select set setopt shift shopt source \
    stop suspend test then time times trap true ttyctl type typeset ulimit umask unalias unfunction \
    unhash unlimit unset unsetopt until vared wait whence where which while zcompile zle zmodload ";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quote {
    None,
    Single,
    Double,
}

/// The words of the command; `None` when any of it needs a shell.
pub(in crate::expr) fn words(
    reading: &Reading,
    meanings: &mut dyn Meanings,
) -> Option<Vec<Vec<u8>>> {
    let mut input: Vec<Symbol> = reading.symbols.iter().rev().cloned().collect();
    let mut words: Vec<Vec<u8>> = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = Quote::None;
    let mut ended = false;
    while let Some(symbol) = input.pop() {
        let byte = match symbol {
            Symbol::Byte(byte) => byte,
            Symbol::Hole(hole) if !reading.candidates.get(hole)?.open => {
                match meanings.meaning(hole).ok()? {
                    Meaning::Paste(text) => {
                        input.extend(text.iter().rev().copied().map(Symbol::Byte));
                    }
                    Meaning::Data(_) if words.is_empty() || ended => return None,
                    Meaning::Data(datum) => match (&datum.unquoted, &datum.value) {
                        (None, Value::Array(items)) if quote == Quote::None => {
                            for (position, item) in items.iter().enumerate() {
                                if position > 0 {
                                    words.extend(word.take());
                                }
                                word.get_or_insert_default().extend(item.to_bytes());
                            }
                        }
                        (None, value) => {
                            let bytes = joined(value, Some(datum.separator));
                            word.get_or_insert_default().extend(bytes);
                        }
                        (Some(_), _) => return None,
                    },
                    Meaning::Shell | Meaning::Missing => return None,
                }
                continue;
            }
            _ => return None,
        };
        match (quote, byte) {
            (_, 0) => return None,
            (Quote::None, b' ' | b'\t' | b'\n') => {
                words.extend(word.take());
                // A second line would be a second command.
                ended |= byte == b'\n' && !words.is_empty();
            }
            (Quote::None, _) if ended => return None,
            (Quote::None, b'\'' | b'"') => {
                quote = if byte == b'"' { Quote::Double } else { Quote::Single };
                word.get_or_insert_default();
            }
            (Quote::Single, b'\'') | (Quote::Double, b'"') => quote = Quote::None,
            (Quote::Double, b'$' | b'`' | b'\\' | b'!') => return None,
            (Quote::None, b'=') if words.is_empty() => return None,
            (Quote::None, byte)
                if !byte.is_ascii_alphanumeric() && !b"_./:@%+,-=".contains(&byte) =>
            {
                return None;
            }
            (_, byte) => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    let first = words.first()?;
    let first = std::str::from_utf8(first).ok()?;
    let shell = first.is_empty()
        || first.contains(char::is_whitespace)
        || (SHELL_WORDS.contains(&format!(" {first} ")) && !is_same_outside(&words));
    let held = words.iter().any(|word| word.contains(&0));
    (quote == Quote::None && !shell && !held).then_some(words)
}

/// Built-ins that POSIX also wants as programs, and that do nothing but end: the program starts
/// faster than a shell does. With an argument the program may do more (`true --help`).
fn is_same_outside(words: &[Vec<u8>]) -> bool {
    words.len() == 1 && words.iter().all(|word| matches!(word.as_slice(), b"true" | b"false"))
}
