//! Where everything that a person or program reads goes: never panics, stops silently when nobody reads.

use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, Write};

use crate::exit::Failure;
use crate::view::{self, Depth, Style};

use super::args::{Color, Global};

/// One stream. Writing to it never fails where it is written: a closed pipe ends it
/// silently, any other failure is kept for [`Output::failure`].
pub struct Output {
    sink: Box<dyn Write + Send>,
    ended: Ended,
    colored: bool,
}

enum Ended {
    No,
    Closed,
    Failed(io::Error),
}

/// Both streams, and how much a person wants to see.
pub struct Console {
    /// What was asked for.
    pub output: Output,
    /// Errors, questions and remarks.
    pub errors: Output,
    /// `-q`.
    pub quiet: bool,
    /// The number of `-v`.
    pub verbose: u8,
    /// `--color`.
    pub color: Color,
}

impl Output {
    /// Standard output, buffered; call [`Output::flush`] after what must be seen at once.
    #[must_use]
    pub fn stdout(color: Color) -> Self {
        let colored = wants_color(color, io::stdout().is_terminal());
        Self::new(BufWriter::new(io::stdout()), colored)
    }

    /// Standard error, unbuffered.
    #[must_use]
    pub fn stderr(color: Color) -> Self {
        Self::new(io::stderr(), wants_color(color, io::stderr().is_terminal()))
    }

    /// Any other place.
    #[must_use]
    pub fn new(sink: impl Write + Send + 'static, colored: bool) -> Self {
        Self { sink: Box::new(sink), ended: Ended::No, colored }
    }

    /// Writes a text as it is.
    pub fn text(&mut self, text: impl Display) {
        let _ = write!(self, "{text}");
    }

    /// Writes a line.
    pub fn line(&mut self, line: impl Display) {
        let _ = writeln!(self, "{line}");
    }

    /// Writes JSON over several lines, keys in their order.
    pub fn json(&mut self, json: &serde_json::Value) {
        self.line(format_args!("{json:#}"));
    }

    /// True where escape sequences for colour are wanted.
    #[must_use]
    pub fn colored(&self) -> bool {
        self.colored
    }

    /// Colours or none, for what `view` and `report` write.
    #[must_use]
    pub fn style(&self) -> Style {
        if self.colored { Style::Coloured } else { Style::Plain }
    }

    /// True when nobody reads any more: whoever follows something can stop.
    #[must_use]
    pub fn ended(&self) -> bool {
        !matches!(self.ended, Ended::No)
    }

    /// What made writing fail, other than that nobody reads.
    #[must_use]
    pub fn failure(&self) -> Option<&io::Error> {
        match &self.ended {
            Ended::Failed(error) => Some(error),
            Ended::No | Ended::Closed => None,
        }
    }

    fn end(&mut self, error: io::Error) {
        self.ended = match error.kind() {
            ErrorKind::BrokenPipe => Ended::Closed,
            _ => Ended::Failed(error),
        };
        self.sink = Box::new(io::sink());
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.ended() {
            match self.sink.write(bytes) {
                Ok(written) => return Ok(written),
                Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
                Err(error) => self.end(error),
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.ended()
            && let Err(error) = self.sink.flush()
        {
            self.end(error);
        }
        Ok(())
    }
}

impl Console {
    /// The streams of this process.
    #[must_use]
    pub fn new(global: &Global) -> Self {
        Self {
            output: Output::stdout(global.color),
            errors: Output::stderr(global.color),
            quiet: global.quiet,
            verbose: global.verbose,
            color: global.color,
        }
    }

    /// How much detail is wanted: `-v` or `--verbose`.
    #[must_use]
    pub fn depth(&self) -> Depth {
        if self.verbose > 0 { Depth::Verbose } else { Depth::Brief }
    }

    /// An error, told once on stderr.
    pub fn error(&mut self, failure: &Failure) {
        // What was shown before the error should stand before it on a terminal, too.
        let _ = self.output.flush();
        let (start, end) =
            if self.errors.colored() { ("\u{1b}[1;31m", "\u{1b}[0m") } else { ("", "") };
        let told = view::paragraph(&failure.to_string(), 0);
        self.errors.line(format_args!("{start}error:{end} {told}"));
    }

    /// A remark for people, on stderr; `-q` silences it.
    pub fn remark(&mut self, remark: impl Display) {
        if !self.quiet {
            // As for errors: what was shown before should stand before it.
            let _ = self.output.flush();
            self.errors.line(remark);
        }
    }
}

/// `--color` decides, then `NO_COLOR`, then `CLICOLOR_FORCE`, then whether it is a terminal.
fn wants_color(color: Color, terminal: bool) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if set("NO_COLOR") => false,
        Color::Auto if std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
        Color::Auto => terminal && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Refusing(ErrorKind);

    impl Write for Refusing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let mut output = Output::new(Refusing(ErrorKind::BrokenPipe), false);
        output.line("x");
        assert!(output.ended() && output.failure().is_none());
        output.line("y");
    }

    #[test]
    fn a_full_disk_is_one() {
        let mut output = Output::new(BufWriter::new(Refusing(ErrorKind::StorageFull)), false);
        output.line("x");
        assert!(output.failure().is_none(), "still in the buffer");
        output.flush().unwrap();
        assert_eq!(output.failure().map(io::Error::kind), Some(ErrorKind::StorageFull));
    }
}
