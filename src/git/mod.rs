//! The only place that runs git (SPEC 8).

mod changes;
mod command;
mod commit;
mod head;
mod repository;
#[cfg(test)]
mod tests;

pub use changes::Changes;
pub use command::GitError;
pub use repository::Repository;
