//! The disk: every path, the lock, the journal, snapshots, outputs (SPEC 7.1, 7.2).

mod background;
mod blobs;
mod bundle;
mod card;
mod error;
mod files;
mod find;
mod foreign;
mod home;
mod import;
mod job;
mod journal;
mod labels;
mod lock;
mod mirror;
mod origin;
mod prune;
mod read;
mod repair;
mod replay;
mod scan;
mod session;
mod snapshot;
mod sync;
#[cfg(test)]
mod tests;

pub use blobs::kept;
pub use bundle::export;
pub use card::Card;
pub use error::StoreError;
pub use files::replace_file;
pub use find::{Entry, cards, find, latest_resumable};
pub use foreign::{ForeignCheckpoint, ForeignRetry, ForeignStep, checkpoint_files, read_foreign};
pub use home::{Home, carried_checkpoints};
pub use import::{Imported, import};
pub use job::{JobFiles, Mapping, mapped_session, write_mapping};
pub use journal::JOURNAL_FORMAT;
pub use labels::{Label, add_label, labels};
pub use lock::{Held, Holder, holder};
pub use prune::size;
pub use prune::{Prunable, prunable, prune, remove_half_made};
pub use read::{Loaded, stored_workflow};
pub use repair::{Repaired, repair};
pub use replay::fold;
pub use session::{Durability, OpenSession};
pub use snapshot::{SNAPSHOT_FORMAT, snapshot, snapshot_in_full};
