//! Reads what stands inside quotes, `${…}` and arithmetic.

use super::{
    frame::{Command, Frame, Operator, Parameter, Single},
    meaning::Meaning,
    scanner::Scanner,
    symbol::Symbol,
};
use crate::expr::EvalError;

/// How far `((` looks for its `))`; beyond that it counts as arithmetic, the stricter reading.
const LOOK_AHEAD: usize = 4096;

impl Scanner<'_> {
    /// The next symbol inside `"…"` or a here-document.
    pub(super) fn step_double(&mut self) -> Result<(), EvalError> {
        let in_document = matches!(self.frames.last(), Some(Frame::HereDocument));
        match self.byte(0) {
            Some(b'"') if !in_document => {
                self.copy(1);
                self.frames.pop();
                Ok(())
            }
            _ => self.step_expanding(),
        }
    }

    /// Holes, `\x`, `$…` and backquotes, which mean the same wherever the shell expands;
    /// other bytes are copied.
    pub(super) fn step_expanding(&mut self) -> Result<(), EvalError> {
        match self.input.last() {
            Some(Symbol::Hole(hole)) => {
                let hole = *hole;
                self.input.pop();
                self.step_hole(hole)
            }
            Some(Symbol::Escaped(hole)) => {
                let hole = *hole;
                self.input.pop();
                self.write(b"\\");
                self.emit(&Symbol::Hole(hole));
                Ok(())
            }
            Some(symbol) => {
                match symbol.byte() {
                    Some(b'\\') => self.step_backslash(),
                    Some(b'$') => self.step_dollar(),
                    Some(b'`') => return self.step_backquote(),
                    _ => self.copy(1),
                }
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// A backslash and what it escapes; of a hole the whole text.
    pub(super) fn step_backslash(&mut self) {
        self.copy(1);
        self.copy(1);
    }

    /// `$` and what it opens.
    pub(super) fn step_dollar(&mut self) {
        let double = self.in_double();
        match self.byte(1) {
            Some(b'(') if self.byte(2) == Some(b'(') && self.is_arithmetic(3) => {
                self.copy(3);
                self.frames.push(Frame::Arithmetic { closer: b')', parentheses: 0 });
            }
            Some(b'(') => {
                self.copy(2);
                self.frames.push(Frame::Command(Box::new(Command::nested(b')'))));
            }
            Some(b'{') => {
                self.copy(2);
                self.frames.push(Frame::Parameter(Parameter {
                    operator: None,
                    double,
                    name: 0,
                    skipped: None,
                }));
            }
            Some(b'[') => {
                self.copy(2);
                self.frames.push(Frame::Arithmetic { closer: b']', parentheses: 0 });
            }
            Some(b'\'') if !double => {
                self.copy(2);
                self.open_single(Single::Dollar);
            }
            Some(b'$' | b'#' | b'?' | b'!' | b'*' | b'@' | b'-') => self.copy(2),
            _ => self.copy(1),
        }
    }

    /// Whether the text `ahead` symbols further on, behind `((`, ends with `))`.
    pub(super) fn is_arithmetic(&self, ahead: usize) -> bool {
        let mut open = 2_usize;
        for offset in ahead..ahead + LOOK_AHEAD {
            if offset >= self.input.len() {
                return false;
            }
            match self.byte(offset) {
                Some(b'(') => open += 1,
                Some(b')') => {
                    open -= 1;
                    if open == 1 {
                        return self.byte(offset + 1) == Some(b')');
                    }
                }
                _ => {}
            }
        }
        true
    }

    /// The next symbol inside single quotes, where the shell expands nothing.
    pub(super) fn step_single(&mut self, kind: Single) -> Result<(), EvalError> {
        match self.input.last() {
            Some(Symbol::Hole(hole)) => {
                let hole = *hole;
                self.input.pop();
                self.fill_literal(hole)
            }
            Some(Symbol::Escaped(hole)) => {
                let hole = *hole;
                self.input.pop();
                self.emit(&Symbol::Hole(hole));
                Ok(())
            }
            Some(symbol) => {
                let byte = symbol.byte();
                let next = self.input.len().checked_sub(2).and_then(|index| self.input.get(index));
                match (byte, next) {
                    (Some(b'\''), _) => {
                        self.copy(1);
                        self.frames.pop();
                    }
                    (Some(b'\\'), Some(Symbol::Hole(hole))) => {
                        let hole = *hole;
                        let ours = self.is_ours(hole);
                        if ours {
                            self.input.pop();
                        } else {
                            self.copy(1);
                        }
                        self.copy(1);
                    }
                    (Some(b'\\'), _) if kind == Single::Dollar => self.step_backslash(),
                    _ => self.copy(1),
                }
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Whether an escaped hole would have been replaced.
    pub(super) fn is_ours(&mut self, hole: usize) -> bool {
        !matches!(self.meanings.meaning(hole), Ok(Meaning::Shell))
    }

    /// A hole where the shell does not look inside: its default is literal text.
    fn fill_literal(&mut self, hole: usize) -> Result<(), EvalError> {
        self.meanings.stands(hole, self.site());
        if self.muted > 0 {
            return Ok(());
        }
        match self.literal_meaning(hole)? {
            Meaning::Shell | Meaning::Missing => self.emit(&Symbol::Hole(hole)),
            Meaning::Paste(text) => self.paste(&text),
            Meaning::Data(datum) => self.place(hole, &datum)?,
        }
        Ok(())
    }

    /// The meaning of a hole with its default; the default is taken from the input.
    pub(super) fn literal_meaning(&mut self, hole: usize) -> Result<Meaning, EvalError> {
        let meaning = self.meanings.meaning(hole)?;
        let open = self.reading.candidates.get(hole).is_some_and(|candidate| candidate.open);
        if !open || matches!(meaning, Meaning::Shell) {
            return Ok(meaning);
        }
        let mut braces = 1_usize;
        while braces > 0 {
            match self.input.pop() {
                None => {
                    let text = self.written(hole);
                    return Err(EvalError::new(format!("`{text}` is not closed by `}}`")));
                }
                Some(Symbol::Hole(inner)) => {
                    let open = self.reading.candidates.get(inner).is_some_and(|inner| inner.open);
                    braces += usize::from(open);
                }
                Some(symbol) => match symbol.byte() {
                    Some(b'\\') => {
                        self.input.pop();
                    }
                    Some(b'$') if self.byte(0) == Some(b'{') => {
                        self.input.pop();
                        braces += 1;
                    }
                    Some(b'}') => braces -= 1,
                    _ => {}
                },
            }
        }
        self.meanings.literal(hole)
    }

    /// The next symbol inside `${…}` of the shell.
    pub(super) fn step_parameter(&mut self) -> Result<(), EvalError> {
        let next = self.byte(0);
        let after = self.byte(1);
        let Some(Frame::Parameter(parameter)) = self.frames.last_mut() else {
            return Ok(());
        };
        if next == Some(b'}') {
            let skipped = parameter.skipped.take();
            self.copy(1);
            self.frames.pop();
            return skipped.map_or(Ok(()), |skipped| self.close_skipped(&skipped));
        }
        let Some(operator) = parameter.operator else {
            return match next {
                Some(b'[') if parameter.name > 0 => {
                    self.copy(1);
                    self.frames.push(Frame::Subscript);
                    Ok(())
                }
                Some(byte)
                    if parameter.name == 0 || byte.is_ascii_alphanumeric() || byte == b'_' =>
                {
                    parameter.name += 1;
                    self.copy(1);
                    Ok(())
                }
                Some(b':') if after.is_some_and(|after| b"-+=?".contains(&after)) => {
                    parameter.operator = Some(Operator::Word);
                    self.copy(2);
                    Ok(())
                }
                Some(byte) => {
                    parameter.operator = Some(match byte {
                        b':' => Operator::Offset,
                        b'-' | b'+' | b'=' | b'?' => Operator::Word,
                        _ => Operator::Pattern,
                    });
                    self.copy(1);
                    Ok(())
                }
                None => {
                    parameter.operator = Some(Operator::Pattern);
                    Ok(())
                }
            };
        };
        let double = parameter.double;
        match next {
            Some(b'"') => {
                self.copy(1);
                self.frames.push(Frame::Double);
                Ok(())
            }
            Some(b'\'') if !double || operator == Operator::Pattern => {
                self.copy(1);
                self.open_single(Single::Plain);
                Ok(())
            }
            _ => self.step_expanding(),
        }
    }

    /// The next symbol inside arithmetic or a subscript.
    pub(super) fn step_arithmetic(&mut self) -> Result<(), EvalError> {
        let next = self.byte(0);
        let after = self.byte(1);
        match self.frames.last_mut() {
            Some(Frame::Subscript) if next == Some(b']') => {
                self.copy(1);
                self.frames.pop();
                Ok(())
            }
            Some(Frame::Arithmetic { closer, parentheses }) => match next {
                Some(b'(') => {
                    *parentheses += 1;
                    self.copy(1);
                    Ok(())
                }
                Some(b')') if *parentheses > 0 => {
                    *parentheses -= 1;
                    self.copy(1);
                    Ok(())
                }
                Some(b']') if *closer == b']' => {
                    self.copy(1);
                    self.frames.pop();
                    Ok(())
                }
                Some(b')') if *closer == b')' => {
                    self.copy(if after == Some(b')') { 2 } else { 1 });
                    self.frames.pop();
                    Ok(())
                }
                _ => self.step_expanding(),
            },
            _ => self.step_expanding(),
        }
    }

    /// Backquotes: their inside is a command of its own, written with one more level of backslashes.
    pub(super) fn step_backquote(&mut self) -> Result<(), EvalError> {
        let in_quotes = matches!(self.frames.last(), Some(Frame::Double));
        self.copy(1);
        let mut inner = Vec::new();
        while let Some(symbol) = self.input.pop() {
            match symbol.byte() {
                Some(b'`') => {
                    self.input.push(symbol);
                    break;
                }
                Some(b'\\') => {
                    let escaped = self.byte(0).filter(|next| {
                        matches!(next, b'$' | b'`' | b'\\') || (in_quotes && *next == b'"')
                    });
                    match escaped.and_then(|byte| Some((byte, self.input.pop()?))) {
                        Some((byte, next)) => {
                            let mut spelling = spelling(&symbol);
                            spelling.extend(self::spelling(&next));
                            inner.push(Symbol::Spelled(byte, spelling.into()));
                        }
                        None => {
                            inner.push(symbol);
                            if let Some(hole @ (Symbol::Hole(_) | Symbol::Escaped(_))) =
                                self.input.last()
                            {
                                inner.push(hole.clone());
                                self.input.pop();
                            }
                        }
                    }
                }
                Some(_) => inner.push(symbol),
                None => match symbol {
                    Symbol::Hole(hole) if self.muted == 0 => match self.meanings.meaning(hole)? {
                        Meaning::Paste(text)
                            if !self.reading.candidates.get(hole).is_some_and(|hole| hole.open) =>
                        {
                            self.paste(&text);
                        }
                        _ => inner.push(symbol),
                    },
                    symbol => inner.push(symbol),
                },
            }
        }
        self.backquotes += 1;
        let result = self.scan_inner(inner, Frame::Command(Box::default()));
        self.backquotes -= 1;
        self.copy(1);
        result
    }
}

/// The bytes with which a symbol is written.
fn spelling(symbol: &Symbol) -> Vec<u8> {
    match symbol {
        Symbol::Byte(byte) => vec![*byte],
        Symbol::Spelled(_, spelling) => spelling.to_vec(),
        Symbol::Hole(_) | Symbol::Escaped(_) => Vec::new(),
    }
}
