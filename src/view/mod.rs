//! Pure answers from events, shared by lists, `--json` and reports. Does no IO and knows no clock.

mod agents;
mod checkpoint;
mod counts;
mod difference;
mod dlq;
mod event_words;
mod events;
mod job;
mod order;
mod outdated;
mod position;
mod quantity;
mod recovery_state;
mod safe;
mod session_detail;
mod sessions;
mod statistics;
#[cfg(test)]
pub(crate) mod story;
mod style;
mod table;
mod variables;
mod versions;
mod words;

pub use agents::Agents;
pub use checkpoint::Checkpoint;
pub use counts::StepCounts;
pub use difference::{Difference, FileChange};
pub use dlq::{DeadDetail, DeadItems, DeadRow, RunLogs, Selection};
pub use event_words::{EVENT_TYPES, event_address, event_type, event_words};
pub use events::{EventFilter, EventRow, event_line, event_rows};
pub use job::item_counts;
pub use order::order;
pub use outdated::outdated;
pub use position::{Position, Stage, current_step_index, position};
pub use quantity::{age, bytes, dollars, duration, duration_ms, time};
pub use recovery_state::ErrorRecoveryState;
pub use safe::{clip, line, output_lines, paragraph, tail, typed};
pub use session_detail::SessionDetail;
pub use sessions::{Holder, OnDisk, SessionRow, Sessions, standing};
pub use statistics::{HandlerStatistics, ResumeStatistics, Statistics, StepStatistics};
pub use style::{Depth, Ink, Style, status_words};
pub use variables::{value_line, variables};
pub use versions::{VersionRow, Versions};
pub use words::{count, journal_word, push_label, rewind_words, step_words};
