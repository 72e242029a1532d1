//! The pure heart: events, addresses, and the fold that turns a journal into state (SPEC 1, 7). Does no IO.

mod active;
mod address;
mod attempts;
mod class;
mod classify;
mod digest;
mod event;
mod files;
mod ids;
mod items;
mod job;
mod lifetime;
mod log_names;
mod lookup;
mod names;
mod observer;
mod outcome;
mod record;
mod recovery;
mod rewind;
mod run;
mod short_result;
mod standing;
mod state;
mod status;
mod stored;
mod tree;
mod version;

pub use active::ActiveTime;
pub use address::Address;
pub use attempts::{Attempt, attempts, correlations};
pub use class::FailureClass;
pub use classify::{Evidence, Verdict, classify, explain};
pub use digest::{Digest, Hashing};
pub use event::{Event, EventKind, Reach, RewindCause};
pub use files::{KeptFiles, LeftOutFile, LeftOutReason, RestoredFiles, RollbackStarted};
pub use ids::{RecoveryId, SessionId, WorkflowId, slug};
pub use items::{
    DeadItem, Disposition, ItemFailure, ItemStanding, ItemStatus, Items, ResultPlace, ResultRef,
    item_address, item_number, map_address,
};
pub use job::{JobProgress, Phase};
pub use lifetime::{HandlerExecution, Lifetime};
pub use log_names::LogName;
pub use names::{IdEntry, Names};
pub use observer::{Notice, Observer};
pub use outcome::{
    AgentReport, Artifact, Captured, Failure, FailureKind, Output, Report, StepKind, StepResult,
    StepStatus,
};
pub use record::{AgentsSpent, Progress, RaisedError, Record, RetryPlan};
pub use recovery::{RecoveryFinished, RecoveryStarted, RecoveryType};
pub use rewind::{covers, returned_to, rewound};
pub use run::{RunFailure, RunStarted, SessionKind, SessionStarted};
pub use short_result::ShortResult;
pub use standing::{HandlerEnd, HandlerStanding, ScopeStanding, Score, Standing};
pub use state::{SessionState, Waiting, failure_of};
pub use status::{PersonsAnswer, SessionStatus, WaitReason};
pub use stored::{MissingSecret, Secrets, Stored};
pub use version::Version;
