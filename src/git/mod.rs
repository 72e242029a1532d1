//! The only place that runs git (SPEC 8), and what keeps the files of a working tree (SPEC 9).

mod changes;
mod command;
mod commit;
mod files;
mod head;
mod repository;
#[cfg(test)]
mod tests;

pub use changes::Changes;
pub use command::GitError;
pub use files::{Change, FileStore, Kept, Left, LeftOut, Restoration, WhyLeft, WhyLeftOut};
pub use repository::Repository;
