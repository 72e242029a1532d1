//! What the journal tells of files: what was kept of a working tree and when, and rollbacks, which
//! put it back (DECISIONS A14, A53, A54).

use serde::{Deserialize, Serialize};

use super::address::Address;
use super::ids::RecoveryId;
use super::status::PersonsAnswer;
use super::stored::Stored;

/// The files of a working tree as they were kept, outside of the user's repository.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptFiles {
    /// The id of their tree in `state/<repo>/files.git`.
    pub tree: String,
    /// HEAD at that moment; absent before the first commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// The id of the ignore rules that stand outside the working tree, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<String>,
    /// What is not kept, and never touched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOutFile>,
    /// What was tracked, not there, and matched by a rule that ignores it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tracked: Vec<Stored>,
}

/// Something of the working tree that is not kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeftOutFile {
    /// Relative to the top directory of the repository.
    pub path: Stored,
    /// Why.
    pub reason: LeftOutReason,
}

/// Why something is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOutReason {
    /// It is larger than 50 MB.
    TooLarge,
    /// It is a submodule, or another repository.
    Repository,
    /// It cannot be read.
    Unreadable,
    /// It is no file, directory or link.
    Special,
}

/// A rollback: begun when this is recorded, done with the rewind that follows it. Files are
/// restored in between, so that a crash is noticed and the rest can be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RollbackStarted {
    /// The version it goes back to; 0 for the beginning.
    pub version: u32,
    /// The event that this version is the state after.
    pub to_seq: u64,
    /// The version that the state before became: `recovery rollback --undo` goes back to it.
    pub undo_version: u32,
    /// What happens to the files; absent outside of a git repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<RestoredFiles>,
    /// Why, as a person said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The recovery that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<RecoveryId>,
    /// What a person said of marked steps that have to be gone back over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<(Address, PersonsAnswer)>,
}

/// The way of the files in a rollback.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RestoredFiles {
    /// The tree of the files as they were before.
    pub from: String,
    /// The tree they are brought to.
    pub goal: String,
}
