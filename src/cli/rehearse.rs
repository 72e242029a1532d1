//! pending
use super::args::Cook;
use super::output::Console;
use crate::exit::{ExitKind, Failure};
use crate::playbook::model::Workflow;
pub(super) fn run(_: &Workflow, _: &Cook, _: &mut Console) -> Result<ExitKind, Failure> {
    unimplemented!()
}
