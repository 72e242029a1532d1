//! The disk: every path, the lock, the journal, snapshots, outputs (SPEC 7.1, 7.2).

mod background;
mod blobs;
mod card;
mod error;
mod files;
mod home;
mod journal;
mod lock;
mod mirror;
mod origin;
mod read;
mod replay;
mod scan;
mod session;
mod snapshot;
mod sync;
#[cfg(test)]
mod tests;

pub use blobs::kept;
pub use card::Card;
pub use error::StoreError;
pub use files::replace_file;
pub use home::{Home, carried_checkpoints};
pub use journal::JOURNAL_FORMAT;
pub use lock::{Held, Holder, holder};
pub use read::Loaded;
pub use replay::fold;
pub use session::{Durability, OpenSession};
pub use snapshot::{SNAPSHOT_FORMAT, snapshot};
