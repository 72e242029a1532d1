//! Steps one after the other.

use crate::playbook::model::Step;
use crate::session::Address;

use super::frame::Frame;
use super::halt::Halt;
use super::run::Run;

/// How a sequence ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flow {
    /// Every step ended so that the workflow goes on.
    Done,
    /// This step failed and nothing in the sequence dealt with it.
    Failed(Address),
}

/// What follows a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The next step.
    On,
    /// Nothing: the failure of this step goes outward.
    Failed(Address),
    /// The step with this 1-based index, again (`partial_resume`).
    Back(usize),
}

impl<'a> Run<'a> {
    /// Runs `steps` at the addresses below `frame.base`, from where the journal says they are.
    pub(super) fn sequence(&self, frame: &Frame<'a>, steps: &'a [Step]) -> Result<Flow, Halt> {
        let mut index = 1;
        while let Some(step) = steps.get(index - 1) {
            match self.step(frame, step, &frame.base.step(index))? {
                Next::On => index += 1,
                Next::Failed(cause) => return Ok(Flow::Failed(cause)),
                Next::Back(earlier) => index = earlier.max(1),
            }
        }
        Ok(Flow::Done)
    }
}
