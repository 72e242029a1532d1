//! The one table of commands and flags: source of `--help`, the man page, completions and docs/cli.md.

mod assignment;
mod dlq;
mod fault;
mod files;
mod global;
mod look;
mod recovery;
mod run_options;
mod sessions;
mod work;

pub use dlq::{Dlq, DlqClear, DlqExport, DlqList, DlqRetry, DlqShow};
pub use fault::{Fault, FaultKind};
pub use files::{Completions, Init, Man, Schema, Validate};
pub use global::{Arguments, Color, Command, Global};
pub use look::{EventFilter, Events, EventsExport, EventsFollow, EventsList, EventsStats, Logs};
pub use recovery::{
    CheckpointType, CreateCheckpoint, Initiate, Recovery, RecoveryDashboard, RecoveryKind,
    RecoveryStatus, Rollback,
};
pub use run_options::{AutoRecover, OutputMode, RunOptions};
pub use sessions::{
    Checkpoints, CheckpointsClean, CheckpointsExport, CheckpointsImport, CheckpointsList,
    CheckpointsShow, CheckpointsValidate, Sessions, SessionsClean, SessionsFork, SessionsList,
    SessionsShow,
};
pub use work::{Cook, Resume, ResumeJob};
