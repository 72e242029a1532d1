//! Nodes → the strict workflow type, one file a concept; every option gets its value here.

mod action;
mod aggregates;
mod capture;
mod claude;
mod env;
mod error_policy;
mod foreach;
mod goal_seek;
mod handler;
mod mapreduce;
mod on_failure;
mod parameters;
mod recovery;
mod requires;
mod retry;
mod secrets;
mod stage;
mod step;
mod strategy;
mod validate;
mod workflow;
mod write_file;

pub use recovery::recovery;
pub use retry::RetryFields;
pub use workflow::workflow;

#[cfg(test)]
mod tests;
