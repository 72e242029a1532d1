//! How much a person wants to see, and where the logs are.

use std::path::PathBuf;

use crate::playbook::mapreduce::ErrorCollection;
use crate::session::{Address, SessionState};
use crate::view::Style;

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// `-q`: steps that failed.
    Quiet,
    /// Every change.
    #[default]
    Normal,
    /// `-v`: also the output of steps and the words of agents, as they come (what agents do is
    /// shown before: it is a change).
    Verbose,
}

/// The log of an attempt, where there is one; the caller knows where logs are kept.
pub type LogPath = Box<dyn Fn(&SessionState, &Address, u32) -> Option<PathBuf> + Send>;

/// What the caller wishes of an observer for people.
pub struct Wishes {
    /// How much.
    pub level: Level,
    /// Colours or none.
    pub style: Style,
    /// Where the log of an attempt lies.
    pub log: LogPath,
    /// When failures of items are told (`error_collection:`).
    pub item_errors: ErrorCollection,
}
