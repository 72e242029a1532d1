//! What brings a failed session back: which way, whether it may be gone, how far it is (SPEC 9).
//! It decides and returns a plan; `cli` loops: run, decide, run.

mod rollback;
mod shelf;
mod state;

pub use rollback::{
    FilesReach, Rollback, RollbackRefusal, RollbackRequest, RollbackTarget, plan_rollback,
};
pub use shelf::{Shelf, ShelfError};
pub use state::{
    Chooser, ProgressStep, RecoveryContext, RecoveryState, RecoveryStatus, RecoveryType, StepWord,
};
