//! The disk: every path, the lock, the journal, snapshots, outputs (SPEC 7.1, 7.2).

mod error;
mod home;
mod session;

pub use error::StoreError;
pub use home::Home;
pub use session::{Durability, Loaded, OpenSession};
