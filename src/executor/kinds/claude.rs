//! `claude:` steps.
use crate::executor::attempt::{Attempt, Done};
use crate::executor::halt::Halt;
use crate::executor::run::Run;
use crate::playbook::model::ClaudeCall;
impl<'a> Run<'a> {
    pub(in crate::executor) fn claude(
        &self,
        _: &Attempt<'_, 'a>,
        _: &'a ClaudeCall,
    ) -> Result<Done, Halt> {
        unimplemented!()
    }
}
