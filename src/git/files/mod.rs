//! The content of a working tree, kept and put back (DECISIONS A14, A53): in a repository of our
//! own, so that branches, index, stash and configuration of the user's stay as they are.

mod apply;
mod keep;
mod listing;
mod receive;
mod restore;
mod rules;
mod store;
#[cfg(test)]
mod tests;
mod transfer;

pub use keep::Kept;
pub use listing::{LeftOut, WhyLeftOut};
pub use restore::{Change, Left, Restoration, WhyLeft};
pub use store::FileStore;
