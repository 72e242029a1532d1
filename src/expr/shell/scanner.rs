//! Follows a command as a shell would read it and puts the values in their places.

use super::{
    carrier::Carrier,
    frame::{Command, Evaluated, Frame, Operator, Parameter, Single, Skipped},
    meaning::{Meaning, Meanings, Site},
    symbol::{Reading, Symbol},
};
use crate::expr::{EvalError, Quoting};

/// How deep backquotes and here-documents may be nested.
const DEPTH_LIMIT: usize = 64;

/// A replacement in the output that turned out to be necessary later.
#[derive(Debug)]
pub(super) struct Patch {
    pub span: std::ops::Range<usize>,
    pub text: Vec<u8>,
}

/// The state of one scan.
pub(in crate::expr) struct Scanner<'a> {
    pub(super) source: &'a str,
    pub(super) reading: &'a Reading,
    pub(super) meanings: &'a mut dyn Meanings,
    pub(super) carrier: Carrier,
    /// What has not been read yet, last symbol first.
    pub(super) input: Vec<Symbol>,
    pub(super) frames: Vec<Frame>,
    pub(super) output: Vec<u8>,
    pub(super) display: Vec<u8>,
    pub(super) patches: Vec<Patch>,
    /// How many backquotes the output stands in.
    pub(super) backquotes: usize,
    /// How many scans of inner texts are under way.
    pub(super) depth: usize,
    /// How many defaults that do not count are being read.
    pub(super) muted: usize,
}

/// What a scan gives.
pub(in crate::expr) struct Scanned {
    pub text: Vec<u8>,
    pub display: Vec<u8>,
    pub carrier: Carrier,
}

impl<'a> Scanner<'a> {
    pub(in crate::expr) fn new(
        source: &'a str,
        reading: &'a Reading,
        meanings: &'a mut dyn Meanings,
    ) -> Self {
        Self {
            source,
            reading,
            meanings,
            carrier: Carrier::default(),
            input: reading.symbols.iter().rev().cloned().collect(),
            frames: Vec::new(),
            output: Vec::new(),
            display: Vec::new(),
            patches: Vec::new(),
            backquotes: 0,
            depth: 0,
            muted: 0,
        }
    }

    /// Scans the whole command.
    pub(in crate::expr) fn run(mut self) -> Result<Scanned, EvalError> {
        self.scan(Frame::Command(Box::default()))?;
        for patch in self.patches.iter().rev() {
            self.output.splice(patch.span.clone(), patch.text.iter().copied());
        }
        Ok(Scanned { text: self.output, display: self.display, carrier: self.carrier })
    }

    /// Scans all input as what stands inside `outermost`.
    fn scan(&mut self, outermost: Frame) -> Result<(), EvalError> {
        self.frames.push(outermost);
        while !self.input.is_empty() {
            self.step()?;
        }
        if let Some(Frame::Command(_)) = self.frames.last() {
            self.end_word()?;
        }
        let open = self.frames.drain(..).find_map(|frame| match frame {
            Frame::Parameter(Parameter { skipped: Some(skipped), .. }) => Some(skipped.hole),
            _ => None,
        });
        match open {
            None => Ok(()),
            Some(hole) => {
                Err(EvalError::new(format!("`{}` is not closed by `}}`", self.written(hole))))
            }
        }
    }

    /// Scans an inner text (backquotes, the body of a here-document) on its own.
    pub(super) fn scan_inner(
        &mut self,
        mut inner: Vec<Symbol>,
        outermost: Frame,
    ) -> Result<(), EvalError> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(EvalError::new(format!(
                "the command is nested deeper than {DEPTH_LIMIT} levels"
            )));
        }
        inner.reverse();
        let input = std::mem::replace(&mut self.input, inner);
        let frames = std::mem::take(&mut self.frames);
        let result = self.scan(outermost);
        self.input = input;
        self.frames = frames;
        self.depth -= 1;
        result
    }

    fn step(&mut self) -> Result<(), EvalError> {
        match self.frames.last() {
            Some(Frame::Command(_)) => self.step_bare(),
            Some(Frame::Single(kind)) => {
                let kind = *kind;
                self.step_single(kind)
            }
            Some(Frame::Double | Frame::HereDocument) => self.step_double(),
            Some(Frame::Parameter(_)) => self.step_parameter(),
            Some(Frame::Arithmetic { .. } | Frame::Subscript) => self.step_arithmetic(),
            None => {
                // An unmatched closer; what follows is commands again.
                self.frames.push(Frame::Command(Box::default()));
                Ok(())
            }
        }
    }

    /// The byte `ahead` symbols further on; `None` for holes and at the end.
    pub(super) fn byte(&self, ahead: usize) -> Option<u8> {
        let index = self.input.len().checked_sub(ahead + 1)?;
        self.input.get(index)?.byte()
    }

    pub(super) fn starts_with(&self, bytes: &[u8]) -> bool {
        bytes.iter().enumerate().all(|(ahead, byte)| self.byte(ahead) == Some(*byte))
    }

    /// Copies the next `count` symbols; each must be a byte.
    pub(super) fn copy(&mut self, count: usize) {
        for _ in 0..count {
            if let Some(symbol) = self.input.pop() {
                self.emit(&symbol);
            }
        }
    }

    /// Writes a symbol as it was written; holes keep their text.
    pub(super) fn emit(&mut self, symbol: &Symbol) {
        match symbol {
            Symbol::Byte(byte) => {
                self.output.push(*byte);
                self.display.push(*byte);
            }
            Symbol::Spelled(byte, spelling) => {
                self.output.extend_from_slice(spelling);
                self.display.push(*byte);
            }
            Symbol::Hole(hole) | Symbol::Escaped(hole) => {
                let source = self.source;
                let text = self.reading.candidates.get(*hole).and_then(|candidate| {
                    let start =
                        candidate.span.start - usize::from(matches!(symbol, Symbol::Escaped(_)));
                    source.get(start..candidate.span.end)
                });
                let text = text.unwrap_or_default().as_bytes();
                self.output.extend_from_slice(text);
                self.display.extend_from_slice(text);
            }
        }
    }

    /// Writes text that is not in the source, as the innermost backquotes want it.
    pub(super) fn write(&mut self, text: &[u8]) {
        let mut text = text.to_vec();
        for _ in 0..self.backquotes {
            text = text
                .into_iter()
                .flat_map(|byte| {
                    let escaped = matches!(byte, b'\\' | b'`');
                    escaped.then_some(b'\\').into_iter().chain([byte])
                })
                .collect();
        }
        self.output.extend(text);
    }

    /// The text of a hole in the source.
    pub(super) fn written(&self, hole: usize) -> &'a str {
        self.reading
            .candidates
            .get(hole)
            .and_then(|candidate| self.source.get(candidate.span.clone()))
            .unwrap_or_default()
    }

    /// The commands that the scanner stands in directly.
    pub(super) fn command(&mut self) -> Option<&mut Command> {
        match self.frames.last_mut() {
            Some(Frame::Command(command)) => Some(command),
            _ => None,
        }
    }

    /// The commands whose current word the scanner stands in.
    pub(super) fn enclosing_command(&mut self) -> Option<&mut Command> {
        self.frames.iter_mut().rev().find_map(|frame| match frame {
            Frame::Command(command) => Some(command.as_mut()),
            _ => None,
        })
    }

    /// Ends the current word of the innermost commands.
    pub(super) fn end_word(&mut self) -> Result<(), EvalError> {
        match self.command().and_then(Command::end_word) {
            None => Ok(()),
            Some(Evaluated::Number(hole)) => Err(self.no_number(hole)),
            Some(Evaluated::Name(hole)) => Err(self.no_name(hole)),
        }
    }

    /// Takes the next symbol, which is a hole, and does with it what it means.
    pub(super) fn step_hole(&mut self, hole: usize) -> Result<(), EvalError> {
        let site = self.site();
        self.meanings.stands(hole, site);
        if let Some(command) = self.command() {
            command.mix();
        }
        let open = self.reading.candidates.get(hole).is_some_and(|candidate| candidate.open);
        if self.muted > 0 {
            if open {
                self.open_parameter(None);
            }
            return Ok(());
        }
        match self.meanings.meaning(hole)? {
            Meaning::Shell => {
                self.emit(&Symbol::Hole(hole));
                if open {
                    self.open_parameter(None);
                }
                Ok(())
            }
            Meaning::Missing => {
                self.open_default();
                Ok(())
            }
            Meaning::Paste(_) | Meaning::Data(_) if open => {
                self.muted += 1;
                self.open_parameter(Some(Skipped {
                    hole,
                    output: self.output.len(),
                    display: self.display.len(),
                    patches: self.patches.len(),
                }));
                Ok(())
            }
            Meaning::Paste(text) => {
                self.paste(&text);
                Ok(())
            }
            Meaning::Data(datum) => self.place(hole, &datum),
        }
    }

    /// Text of the author becomes part of the command.
    pub(super) fn paste(&mut self, text: &[u8]) {
        self.input.extend(text.iter().rev().copied().map(Symbol::Byte));
    }

    /// Goes into the default of a hole, behind `:-`.
    fn open_parameter(&mut self, skipped: Option<Skipped>) {
        let double = self.in_double();
        self.frames.push(Frame::Parameter(Parameter {
            operator: Some(Operator::Word),
            double,
            name: 1,
            skipped,
        }));
    }

    /// The default of a hole without a value is read by the shell itself: as it stands when it
    /// is plain, else as the default of a variable that is never set.
    fn open_default(&mut self) {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:@%+,-".contains(&byte);
        let mut length = 0;
        while self.byte(length).is_some_and(plain) {
            length += 1;
        }
        // Before `>` a number would become a file descriptor.
        let alone = !matches!(self.byte(length + 1), Some(b'<' | b'>'));
        if self.byte(length) == Some(b'}') && alone && length > 0 {
            for _ in 0..length {
                if let Some(byte) = self.byte(0)
                    && let Some(command) = self.command()
                {
                    command.push(byte);
                }
                self.copy(1);
            }
            self.input.pop();
            return;
        }
        self.write(b"${PRODIGY_NOTHING:-");
        self.open_parameter(None);
    }

    /// The end of a default that did not count: the value takes its place.
    pub(super) fn close_skipped(&mut self, skipped: &Skipped) -> Result<(), EvalError> {
        self.muted -= 1;
        self.output.truncate(skipped.output);
        self.display.truncate(skipped.display);
        self.patches.truncate(skipped.patches);
        match self.meanings.meaning(skipped.hole)? {
            Meaning::Paste(text) => {
                self.paste(&text);
                Ok(())
            }
            Meaning::Data(datum) => self.place(skipped.hole, &datum),
            Meaning::Shell | Meaning::Missing => Ok(()),
        }
    }

    /// Whether the scanner stands inside double quotes or a here-document, as the shell sees it.
    pub(super) fn in_double(&self) -> bool {
        match self.frames.last() {
            Some(
                Frame::Double | Frame::HereDocument | Frame::Arithmetic { .. } | Frame::Subscript,
            ) => true,
            Some(Frame::Parameter(parameter)) => parameter.double,
            Some(Frame::Command(_) | Frame::Single(_)) | None => false,
        }
    }

    /// Where the next hole stands.
    pub(super) fn site(&self) -> Site {
        let mut in_for = false;
        let mut quoting = None;
        for frame in self.frames.iter().rev() {
            let here = match frame {
                Frame::Command(command) => {
                    if command.is_arithmetic() {
                        quoting = Some(Quoting::Arithmetic);
                    }
                    in_for = command.loops == super::frame::Loop::List && quoting.is_none();
                    break;
                }
                Frame::Arithmetic { .. } | Frame::Subscript => Quoting::Arithmetic,
                Frame::Parameter(Parameter { operator: Some(Operator::Offset), .. }) => {
                    Quoting::Arithmetic
                }
                Frame::Parameter(Parameter { operator: Some(Operator::Pattern), .. }) => {
                    Quoting::Bare
                }
                Frame::Parameter(_) => continue,
                Frame::Double => Quoting::Double,
                Frame::Single(_) => Quoting::Single,
                Frame::HereDocument => Quoting::HereDocument,
            };
            if here == Quoting::Arithmetic {
                quoting = Some(here);
                break;
            }
            quoting = quoting.or(Some(here));
        }
        Site { quoting: quoting.unwrap_or(Quoting::Bare), in_for }
    }

    /// Opens single quotes after the opening quote has been written.
    pub(super) fn open_single(&mut self, kind: Single) {
        self.frames.push(Frame::Single(kind));
    }
}
