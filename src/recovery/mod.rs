//! What brings a failed session back: which way, whether it may be gone, how far it is (SPEC 9).
//! It decides and returns a plan; `cli` loops: run, decide, run.

mod artifacts;
mod integrity;
mod requirements;
mod shelf;
mod state;
mod validation;

pub use integrity::{Integrity, LostText};
pub use requirements::{Around, Finding, Lack, Look, RequiredKind, look_at_requirements};
pub use shelf::{Shelf, ShelfError};
pub use state::{
    Chooser, ProgressStep, RecoveryContext, RecoveryState, RecoveryStatus, RecoveryType, StepWord,
};
pub use validation::{Check, CheckName, CheckStatus, Files, Ground, Validation, validate};
