//! What brings a failed session back: which way, whether it may be gone, how far it is (SPEC 9).
//! It decides and returns a plan; `cli` loops: run, decide, run.

mod artifacts;
mod choice;
mod dashboard;
mod failure;
mod integrity;
mod marked;
mod outcome;
mod page;
mod requirements;
mod rollback;
mod shelf;
mod state;
mod table;
mod validation;

pub use choice::{Choice, Rules, choose, class_word, delay_before};
pub use dashboard::{CheckpointStatus, Dashboard, Day, Operation, SessionHealth, Share, Summary};
pub use failure::{FailureRecord, damage_id, failure_ids, present_failure};
pub use integrity::{Integrity, LostText};
pub use marked::{Marked, doubtful_mark, repeated_mark};
pub use outcome::{Outcome, catch_up, is_past_fix, last_attempt, outcome};
pub use page::page;
pub use requirements::{Around, Finding, Lack, Look, RequiredKind, look_at_requirements};
pub use rollback::{
    FilesReach, Rollback, RollbackRefusal, RollbackRequest, RollbackTarget, plan_rollback,
};
pub use shelf::{Shelf, ShelfError};
pub use state::{Chooser, ProgressStep, RecoveryContext, RecoveryState, RecoveryStatus, StepWord};
pub use table::{BUILT_IN, BuiltIn, built_in};
pub use validation::{Check, CheckName, CheckStatus, Files, Ground, Validation, validate};
