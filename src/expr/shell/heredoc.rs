//! Here-documents: `<<WORD`, `<<'WORD'`, `<<-WORD`, whose bodies begin after the next newline.

use super::{
    frame::{Frame, Pending},
    meaning::{Meaning, Site},
    scanner::{Patch, Scanner},
    symbol::Symbol,
};
use crate::expr::{EvalError, Quoting};

impl Scanner<'_> {
    /// Reads `<<`, an optional `-` and the delimiter.
    pub(super) fn announce_document(&mut self) -> Result<(), EvalError> {
        self.copy(2);
        let tabs = self.byte(0) == Some(b'-');
        self.copy(usize::from(tabs));
        while matches!(self.byte(0), Some(b' ' | b'\t')) {
            self.copy(1);
        }
        let start = self.output.len();
        let mut delimiter = Vec::new();
        let mut quoted = false;
        let mut quote = None;
        loop {
            if let Some(Symbol::Hole(hole)) = self.input.last() {
                let hole = *hole;
                let text = self.written(hole);
                let error =
                    EvalError::new(format!("`{text}` cannot be the end mark of a here-document"));
                return match self.meanings.meaning(hole)? {
                    Meaning::Shell => Err(error.help("write a fixed word")),
                    Meaning::Paste(text) => {
                        self.input.pop();
                        self.paste(&text);
                        continue;
                    }
                    Meaning::Data(_) | Meaning::Missing => Err(error.help("write a fixed word")),
                };
            }
            let Some(byte) = self.byte(0) else {
                break;
            };
            match (quote, byte) {
                (None, b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')') => {
                    break;
                }
                (None, b'\'' | b'"') => {
                    quote = Some(byte);
                    quoted = true;
                }
                (Some(open), byte) if open == byte => quote = None,
                (None | Some(b'"'), b'\\') => {
                    quoted = true;
                    self.copy(1);
                    delimiter.extend(self.byte(0));
                }
                (_, byte) => delimiter.push(byte),
            }
            self.copy(1);
        }
        let output = start..self.output.len();
        if let Some(command) = self.command() {
            command.pending.push(Pending { delimiter, quoted, tabs, output });
        }
        Ok(())
    }

    /// Reads the body of a here-document and the line that ends it.
    pub(super) fn read_document(&mut self, document: Pending) -> Result<(), EvalError> {
        let mut body = Vec::new();
        let mut last = Vec::new();
        let mut data = false;
        while !self.input.is_empty() {
            let line = self.read_line(&mut data)?;
            if is_delimiter(&line, &document) {
                last = line;
                break;
            }
            body.extend(line);
        }
        if !document.quoted {
            self.scan_inner(body, Frame::HereDocument)?;
            for symbol in &last {
                self.emit(symbol);
            }
            return Ok(());
        }
        if !data {
            for symbol in body.iter().chain(&last) {
                self.emit_plain(symbol);
            }
            return Ok(());
        }
        self.expand_quoted(&body, &last, document)
    }

    /// One line with its newline; constants are pasted, as the shell looks for the end mark in
    /// the finished text. `data` is set when a value from outside stands in it.
    fn read_line(&mut self, data: &mut bool) -> Result<Vec<Symbol>, EvalError> {
        let mut line: Vec<Symbol> = Vec::new();
        while let Some(symbol) = self.input.pop() {
            let escaped = line.last().and_then(Symbol::byte) == Some(b'\\');
            if let Symbol::Hole(hole) = symbol
                && !escaped
                && self.muted == 0
            {
                let open =
                    self.reading.candidates.get(hole).is_some_and(|candidate| candidate.open);
                match self.meanings.meaning(hole)? {
                    Meaning::Paste(text) if !open => {
                        self.paste(&text);
                        continue;
                    }
                    Meaning::Shell => {}
                    _ => *data = true,
                }
            }
            let end = symbol.byte() == Some(b'\n');
            line.push(symbol);
            if end {
                break;
            }
        }
        Ok(line)
    }

    /// A symbol of a body in which nothing is expanded.
    fn emit_plain(&mut self, symbol: &Symbol) {
        match symbol {
            Symbol::Hole(hole) => {
                let hole = *hole;
                self.meanings.stands(hole, document_site());
                self.emit(symbol);
            }
            Symbol::Escaped(hole) => self.emit(&Symbol::Hole(*hole)),
            symbol => self.emit(symbol),
        }
    }

    /// A body with a quoted end mark becomes one with an unquoted mark, in which everything but
    /// our values is escaped: so the values can stand in it and the text stays as it was.
    fn expand_quoted(
        &mut self,
        body: &[Symbol],
        last: &[Symbol],
        document: Pending,
    ) -> Result<(), EvalError> {
        let mark = unused_mark(body);
        self.patches.push(Patch { span: document.output, text: mark.clone() });
        self.patches.sort_by_key(|patch| patch.span.start);
        let input = std::mem::replace(&mut self.input, body.iter().rev().cloned().collect());
        let frames = std::mem::replace(&mut self.frames, vec![Frame::HereDocument]);
        let result = self.write_escaped();
        self.input = input;
        self.frames = frames;
        result?;
        let newline = last.last().and_then(Symbol::byte) == Some(b'\n');
        self.write(&mark);
        self.display.extend(last.iter().filter_map(Symbol::byte));
        if newline {
            self.output.push(b'\n');
        }
        Ok(())
    }

    fn write_escaped(&mut self) -> Result<(), EvalError> {
        while let Some(symbol) = self.input.pop() {
            match symbol {
                Symbol::Hole(hole) => {
                    self.meanings.stands(hole, document_site());
                    match self.literal_meaning(hole)? {
                        Meaning::Shell | Meaning::Missing => self.write_literal(hole),
                        Meaning::Paste(text) => self.paste(&text),
                        Meaning::Data(datum) => self.place(hole, &datum)?,
                    }
                }
                Symbol::Escaped(hole) => self.write_literal(hole),
                symbol => {
                    let next = self.input.last();
                    match (symbol.byte(), next) {
                        (Some(b'\\'), Some(Symbol::Hole(hole))) => {
                            let hole = *hole;
                            self.input.pop();
                            if !self.is_ours(hole) {
                                self.write(b"\\\\");
                                self.display.push(b'\\');
                            }
                            self.write_literal(hole);
                        }
                        (Some(byte @ (b'\\' | b'$' | b'`')), _) => {
                            self.write(&[b'\\', byte]);
                            self.display.push(byte);
                        }
                        _ => self.emit(&symbol),
                    }
                }
            }
        }
        Ok(())
    }

    /// The text of a hole, not to be expanded.
    fn write_literal(&mut self, hole: usize) {
        let text = self.written(hole);
        self.write(b"\\");
        self.write(text.as_bytes());
        self.display.extend_from_slice(text.as_bytes());
    }
}

fn document_site() -> Site {
    Site { quoting: Quoting::HereDocument, in_for: false }
}

/// Whether a line is the end mark.
fn is_delimiter(line: &[Symbol], document: &Pending) -> bool {
    let line = match line {
        [line @ .., last] if last.byte() == Some(b'\n') => line,
        line => line,
    };
    let tabs = if document.tabs {
        line.iter().take_while(|symbol| symbol.byte() == Some(b'\t')).count()
    } else {
        0
    };
    let line = line.get(tabs..).unwrap_or_default();
    line.len() == document.delimiter.len()
        && line.iter().zip(&document.delimiter).all(|(symbol, byte)| symbol.byte() == Some(*byte))
}

/// An end mark that is no line of the body.
fn unused_mark(body: &[Symbol]) -> Vec<u8> {
    let text: Vec<u8> = body.iter().filter_map(Symbol::byte).collect();
    let mut number = 1_usize;
    loop {
        let mark = format!("PRODIGY_END_{number}").into_bytes();
        if !text.windows(mark.len()).any(|window| window == mark) {
            return mark;
        }
        number += 1;
    }
}
