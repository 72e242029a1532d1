//! How text looks: how much of it, and in which colours, which only repeat what the words say.

use crate::session::SessionStatus;

/// Whether text carries colours (`--color`, `NO_COLOR` and the terminal are resolved by the caller).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// Text without any control codes.
    #[default]
    Plain,
    /// Text with ANSI colours.
    Coloured,
}

/// How much of an answer is shown (`--verbose`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// What matters now.
    #[default]
    Brief,
    /// Everything that is known.
    Verbose,
}

/// What a colour stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// It went well.
    Good,
    /// It went wrong.
    Bad,
    /// A person should look.
    Caution,
    /// Of less interest.
    Faint,
    /// A heading or a name.
    Strong,
}

impl Style {
    /// The text in that colour.
    #[must_use]
    pub fn paint(self, ink: Ink, text: &str) -> String {
        format!("{}{text}{}", self.start(ink), self.end())
    }

    /// What switches the colour on; nothing without colours.
    #[must_use]
    pub fn start(self, ink: Ink) -> &'static str {
        match (self, ink) {
            (Self::Plain, _) => "",
            (Self::Coloured, Ink::Good) => "\u{1b}[32m",
            (Self::Coloured, Ink::Bad) => "\u{1b}[31m",
            (Self::Coloured, Ink::Caution) => "\u{1b}[33m",
            (Self::Coloured, Ink::Faint) => "\u{1b}[2m",
            (Self::Coloured, Ink::Strong) => "\u{1b}[1m",
        }
    }

    /// What switches it off.
    #[must_use]
    pub fn end(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Coloured => "\u{1b}[0m",
        }
    }
}

/// The standing of a session in words, and its colour.
#[must_use]
pub fn status_words(status: SessionStatus) -> (&'static str, Ink) {
    match status {
        SessionStatus::Running => ("running", Ink::Strong),
        SessionStatus::Interrupted => ("interrupted", Ink::Caution),
        SessionStatus::Completed => ("completed", Ink::Good),
        SessionStatus::CompletedWithFailures => ("completed with failures", Ink::Caution),
        SessionStatus::Failed => ("failed", Ink::Bad),
        SessionStatus::Waiting => ("waiting", Ink::Caution),
        SessionStatus::Parked => ("parked", Ink::Caution),
    }
}
