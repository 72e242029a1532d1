//! Checks of names.

use std::path::Path;

use super::Problem;
use super::model::Workflow;

/// What is wrong with the names of a workflow.
#[must_use]
pub fn check(_workflow: &Workflow, _file: &Path) -> Vec<Problem> {
    Vec::new()
}
