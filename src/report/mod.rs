//! Observers: they eat events and write for people and programs (SPEC 10).

#[cfg(test)]
mod capture;
mod failure;
mod items;
mod json_lines;
mod level;
mod lines;
mod live_output;
mod mask;
mod out;
mod plain;
mod screen;
mod summary;
mod terminal;

pub use json_lines::{JsonLines, json_line};
pub use level::{Level, LogPath, Wishes};
pub use mask::Masker;
pub use plain::Plain;
pub use screen::{Columns, Screen};
pub use summary::{Places, headline, summary};
pub use terminal::Terminal;
