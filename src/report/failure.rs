//! What a person needs to understand a failure: the end of the output, and where the rest is.

use crate::session::{FailureKind, Output, Report, Stored};
use crate::view;

/// How many lines of output follow a failure.
const LINES: usize = 20;

/// The last lines of what a failed attempt printed, stderr last; empty where the failure is
/// that of something inside, which has shown its own.
pub fn output_end(report: &Report) -> Vec<String> {
    if report.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Inner) {
        return Vec::new();
    }
    let stdout = text(&report.stdout);
    let stderr = text(&report.stderr);
    let mut ends = view::tail(&stdout, LINES);
    let errors = view::tail(&stderr, LINES);
    // Both are given half when both are long.
    let errors_kept = errors.len().min(LINES.saturating_sub(ends.len()).max(LINES / 2));
    let ends_kept = ends.len().min(LINES - errors_kept);
    ends.drain(..ends.len() - ends_kept);
    ends.extend(errors.into_iter().rev().take(errors_kept).rev());
    ends.into_iter().map(std::borrow::Cow::into_owned).collect()
}

/// The last lines of the end of an output that is recorded by itself.
pub fn tail_of(output: &Stored) -> Vec<String> {
    view::tail(&output.shown(), LINES).into_iter().map(std::borrow::Cow::into_owned).collect()
}

/// What was printed, as far as it is recorded here.
fn text(output: &Output) -> String {
    if output.text.blob_digest().is_some() { String::new() } else { output.text.shown() }
}
