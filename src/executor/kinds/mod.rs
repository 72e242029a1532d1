//! One file for each kind of step, and for the checks that run steps of their own.

mod agent_call;
mod agent_outcome;
mod agent_sink;
mod claude;
mod commit;
mod foreach;
mod goal_seek;
mod items;
mod log;
mod shell;
mod sink;
mod validate;
mod write_file;

pub(super) use shell::output_of;
