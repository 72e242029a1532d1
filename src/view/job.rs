//! How far a job is, in words.

use std::fmt::Write as _;

use crate::session::JobProgress;

/// `195 of 200 done, 2 left, 3 in the dead letter queue`.
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
