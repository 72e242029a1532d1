//! Reads commands outside of quotes: words, separators, redirections, parentheses, comments.

use super::{
    frame::{Case, Command, Frame, Loop, Single},
    meaning::Site,
    scanner::Scanner,
    symbol::Symbol,
};
use crate::expr::{EvalError, Quoting};

impl Scanner<'_> {
    /// The next symbol of a command outside of quotes.
    pub(super) fn step_bare(&mut self) -> Result<(), EvalError> {
        let Some(byte) = self.byte(0) else {
            if let Some(command) = self.command() {
                command.mix();
            }
            return self.step_expanding();
        };
        match byte {
            b' ' | b'\t' => {
                self.end_word()?;
                self.copy(1);
                Ok(())
            }
            b'\n' => self.step_newline(),
            b'#' if self.command().is_some_and(|command| !command.started) => {
                self.step_comment();
                Ok(())
            }
            b';' | b'&' | b'|' => self.step_separator(byte),
            b'<' | b'>' => self.step_redirection(byte),
            b'(' => self.step_open_parenthesis(),
            b')' => self.step_close_parenthesis(),
            b'"' => {
                self.mix();
                self.copy(1);
                self.frames.push(Frame::Double);
                Ok(())
            }
            b'\'' => {
                self.mix();
                self.copy(1);
                self.open_single(Single::Plain);
                Ok(())
            }
            b'\\' if self.byte(1) == Some(b'\n') => {
                self.copy(2);
                Ok(())
            }
            b'\\' | b'$' | b'`' => {
                self.mix();
                self.step_expanding()
            }
            byte => {
                if let Some(command) = self.command() {
                    command.push(byte);
                }
                self.copy(1);
                Ok(())
            }
        }
    }

    fn mix(&mut self) {
        if let Some(command) = self.command() {
            command.mix();
        }
    }

    fn step_newline(&mut self) -> Result<(), EvalError> {
        self.end_word()?;
        self.copy(1);
        let Some(command) = self.command() else {
            return Ok(());
        };
        let pending = std::mem::take(&mut command.pending);
        // `for name` may have its `in` or `do` on the next line.
        if !matches!(command.loops, Loop::Name | Loop::In) {
            command.separate();
        }
        for document in pending {
            self.read_document(document)?;
        }
        Ok(())
    }

    /// A comment keeps its holes: nothing in it is run.
    fn step_comment(&mut self) {
        while let Some(symbol) = self.input.last() {
            if symbol.byte() == Some(b'\n') {
                break;
            }
            if let Symbol::Hole(hole) = symbol {
                let hole = *hole;
                self.meanings.stands(hole, Site { quoting: Quoting::Comment, in_for: false });
            }
            self.copy(1);
        }
    }

    fn step_separator(&mut self, byte: u8) -> Result<(), EvalError> {
        self.end_word()?;
        if byte == b'&' && self.byte(1) == Some(b'>') {
            self.copy(1);
            return Ok(());
        }
        let ends_case = self.starts_with(b";;") || self.starts_with(b";&");
        self.copy(if self.starts_with(b";;&") {
            3
        } else if ends_case || self.starts_with(b"&&") || self.starts_with(b"||") {
            2
        } else {
            1
        });
        if let Some(command) = self.command() {
            match command.cases.last_mut() {
                Some(case @ Case::Body) if ends_case => {
                    *case = Case::Pattern;
                    command.named = false;
                }
                _ => command.separate(),
            }
        }
        Ok(())
    }

    fn step_redirection(&mut self, byte: u8) -> Result<(), EvalError> {
        if let Some(command) = self.command()
            && !command.mixed
            && command.word.iter().all(u8::is_ascii_digit)
        {
            // A file descriptor is no word.
            command.word.clear();
            command.started = false;
        }
        self.end_word()?;
        if self.byte(1) == Some(b'(') {
            self.mix();
            self.copy(2);
            self.frames.push(Frame::Command(Box::new(Command::nested(b')'))));
            return Ok(());
        }
        if self.starts_with(b"<<<") {
            self.copy(3);
        } else if self.starts_with(b"<<") {
            return self.announce_document();
        } else {
            let double = matches!(
                (byte, self.byte(1)),
                (b'<', Some(b'&' | b'>')) | (b'>', Some(b'&' | b'>' | b'|'))
            );
            self.copy(if double { 2 } else { 1 });
        }
        if let Some(command) = self.command() {
            command.redirected = true;
        }
        Ok(())
    }

    fn step_open_parenthesis(&mut self) -> Result<(), EvalError> {
        let arithmetic = self.byte(1) == Some(b'(') && self.is_arithmetic(2);
        let Some(command) = self.command() else {
            return Ok(());
        };
        if matches!(command.cases.last(), Some(Case::Pattern)) && !command.started {
            self.copy(1);
            return Ok(());
        }
        if arithmetic && !command.started && (command.at_command() || command.loops == Loop::Name) {
            command.mix();
            self.copy(2);
            self.frames.push(Frame::Arithmetic { closer: b')', parentheses: 0 });
            return Ok(());
        }
        let mut nested = Command::nested(b')');
        nested.list = command.started && command.word.ends_with(b"=");
        // `@(a|b)` of bash: patterns inside a word, and in `[[ … ]]` groups of tests.
        let pattern =
            command.started && command.word.last().is_some_and(|byte| b"@?*+!".contains(byte));
        nested.list |= pattern;
        nested.bracket = command.bracket;
        nested.named = command.bracket;
        if !nested.list {
            self.end_word()?;
        }
        self.copy(1);
        self.frames.push(Frame::Command(Box::new(nested)));
        Ok(())
    }

    fn step_close_parenthesis(&mut self) -> Result<(), EvalError> {
        self.end_word()?;
        self.copy(1);
        let Some(command) = self.command() else {
            return Ok(());
        };
        if let Some(case @ Case::Pattern) = command.cases.last_mut() {
            *case = Case::Body;
            command.named = false;
            command.name.clear();
            command.previous.clear();
            return Ok(());
        }
        if command.closer != Some(b')') {
            return Ok(());
        }
        let pending = std::mem::take(&mut command.pending);
        let list = command.list;
        self.frames.pop();
        if let Some(outer) = self.enclosing_command() {
            outer.pending.extend(pending);
        }
        if let Some(outer) = self.command() {
            if list {
                outer.mix();
            } else if !outer.started {
                // Behind `name()` comes the body of a function, behind `(…)` an operator.
                outer.named = false;
            }
        }
        Ok(())
    }
}
