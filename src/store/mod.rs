//! The disk: every path, the lock, the journal, snapshots, outputs (SPEC 7.1, 7.2).

mod error;
mod files;
mod home;
mod journal;
mod lock;
mod origin;
mod replay;
mod scan;
mod session;
mod sync;

#[cfg(test)]
mod tests;

pub use error::StoreError;
pub use files::replace_file;
pub use home::{Home, carried_checkpoints};
pub use journal::JOURNAL_FORMAT;
pub use lock::{Held, Holder, holder};
pub use session::{Durability, Loaded, OpenSession, kept};
