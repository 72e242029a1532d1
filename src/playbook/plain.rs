//! Steps and handlers without any option: what the options that are written are put into.

use super::Position;
use super::failure::{Condition, Handler, Strategy};
use super::model::*;

impl Step {
    /// A step at this place that does only this.
    #[must_use]
    pub fn plain(at: Position, action: Action) -> Self {
        Self {
            at,
            id: None,
            name: None,
            action,
            when: None,
            timeout: None,
            retry: None,
            env: Vec::new(),
            working_dir: None,
            capture: Capture::of(None),
            output_file: None,
            on_failure: None,
            on_success: Vec::new(),
            on_exit_code: Vec::new(),
            continue_on_error: false,
            checkpoint: Checkpoint::Implicit,
            on_resume: OnResume::Rerun,
            requires_confirmation: false,
            commit_required: false,
            auto_commit: false,
            commit_message: None,
            validate: None,
            artifacts: Vec::new(),
            requires: Requirements::default(),
        }
    }
}

impl Handler {
    /// A handler at this place that is nothing but steps.
    #[must_use]
    pub fn of_steps(at: Position, steps: Vec<Step>) -> Self {
        Self {
            at,
            id: None,
            condition: Condition::Always,
            scope: None,
            timeout: None,
            retry: None,
            steps,
            strategy: Strategy::Recovery,
            max_attempts: 1,
            retry_original: false,
            fail_workflow: None,
            failure_fatal: false,
            commit_required: false,
            capture: None,
            on_failure: None,
            on_success: Vec::new(),
        }
    }
}

impl Capture {
    /// What a step prints to stdout, as a text, under this name.
    #[must_use]
    pub fn of(name: Option<String>) -> Self {
        Self { name, format: None, streams: CaptureStreams { stdout: true, stderr: false } }
    }
}
