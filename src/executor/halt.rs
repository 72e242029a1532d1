//! Why a run ends before its workflow does. Never a failing command: that is data.

use crate::process::Signal;
use crate::session::Address;
use crate::store::StoreError;

/// The reasons to leave the tree at once.
#[derive(Debug, thiserror::Error)]
pub enum Halt {
    /// A signal asked for it.
    #[error("interrupted")]
    Stopped(Signal),
    /// A sibling round of the same loop failed: this one starts nothing new.
    #[error("stopped by another round")]
    Cancelled,
    /// The session waits for a person; what for is recorded.
    #[error("waiting for a person at {0}")]
    Waiting(Address),
    /// The session waits for a provider's limit or a larger budget.
    #[error("parked at {0}")]
    Parked(Address),
    /// A provider refused the account: nothing that calls it can go on.
    #[error("{message}")]
    Refused {
        /// The step that met it.
        address: Address,
        /// What the provider said.
        message: String,
    },
    /// The machine has no room for another process: memory, processes or open files.
    #[error("step {address} could not be started: {message}")]
    Shortage {
        /// The step.
        address: Address,
        /// What the system said.
        message: String,
    },
    /// The state cannot be written: nothing was acknowledged.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Halt {
    /// Of two reasons, from work side by side, the one that the other follows from.
    #[must_use]
    pub fn or_weightier(self, known: Option<Halt>) -> Halt {
        let weight = |halt: &Halt| match halt {
            Self::Store(_) => 6,
            Self::Stopped(_) => 5,
            Self::Shortage { .. } => 4,
            Self::Refused { .. } => 3,
            Self::Waiting(_) => 2,
            Self::Parked(_) => 1,
            Self::Cancelled => 0,
        };
        match known {
            Some(known) if weight(&known) >= weight(&self) => known,
            _ => self,
        }
    }

    /// Whether the run was cut for a reason that says nothing about the workflow: a resume goes on.
    #[must_use]
    pub fn is_interruption(&self) -> bool {
        matches!(self, Self::Stopped(_) | Self::Cancelled | Self::Shortage { .. })
    }

    /// Whether what runs side by side is stopped too: a limit or a question says nothing about
    /// work that has been paid for, which ends.
    #[must_use]
    pub fn stops_others(&self) -> bool {
        !matches!(self, Self::Parked(_) | Self::Waiting(_))
    }
}
