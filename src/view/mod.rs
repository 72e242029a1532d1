//! Pure answers from events, shared by lists, `--json` and reports. Does no IO and knows no clock.

mod counts;
mod position;
mod quantity;
mod safe;
#[cfg(test)]
pub mod story;
mod style;
mod words;

pub use counts::StepCounts;
pub use position::{Position, Stage, position};
pub use quantity::{age, bytes, dollars, duration, duration_ms};
pub use safe::{clip, line, output_lines, paragraph, tail};
pub use style::{Ink, Style, status_words};
pub use words::{agent_words, count, push_label, rewind_words, step_words};
