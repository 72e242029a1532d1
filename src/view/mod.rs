//! Pure answers from events, shared by lists, `--json` and reports. Does no IO and knows no clock.

mod counts;
mod order;
mod position;
mod quantity;
mod safe;
mod sessions;
#[cfg(test)]
pub mod story;
mod style;
mod table;
mod words;

pub use counts::StepCounts;
pub use position::{Position, Stage, current_step_index, position};
pub use quantity::{age, bytes, dollars, duration, duration_ms, time};
pub use safe::{clip, line, output_lines, paragraph, tail};
pub use sessions::{Holder, OnDisk, SessionDetail, SessionRow, Sessions, standing};
pub use style::{Ink, Style, status_words};
pub use words::{agent_words, count, push_label, rewind_words, step_words};
