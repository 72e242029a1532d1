//! How far a job is, in words.

use std::fmt::Write as _;

use super::count;
use crate::session::{JobProgress, Phase};

/// `map, 120 of 200 items are done, 78 left, 2 in the dead letter queue`.
#[must_use]
pub fn job_words(progress: &JobProgress) -> String {
    let mut text = progress.phase.as_str().to_owned();
    if progress.total_items == 0 {
        if progress.phase == Phase::Setup {
            text.push_str(", the items are not known yet");
        }
        return text;
    }
    let done = progress.successful;
    let all = count(u64::from(progress.total_items), "item");
    let _ = write!(text, ", {done} of {all} {} done", if done == 1 { "is" } else { "are" });
    push_rest(&mut text, progress, ", ");
    text
}

/// `195 done, 3 in the dead letter queue, 2 left`.
#[must_use]
pub fn item_counts(progress: &JobProgress) -> String {
    let mut text = format!("{} of {} done", progress.successful, progress.total_items);
    push_rest(&mut text, progress, ", ");
    text
}

fn push_rest(text: &mut String, progress: &JobProgress, separator: &str) {
    let rest = [
        (progress.pending, "left"),
        (progress.in_dlq, "in the dead letter queue"),
        (progress.skipped, "passed over"),
    ];
    for (number, words) in rest.into_iter().filter(|(number, _)| *number > 0) {
        let _ = write!(text, "{separator}{number} {words}");
    }
}
