//! The built-in rules: what each class of failure leads to when nobody says otherwise.

use std::time::Duration;

use crate::playbook::recovery::RecoveryStrategy;
use crate::session::FailureClass;

/// A built-in rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltIn {
    /// The class it is for.
    pub class: FailureClass,
    /// What it leads to.
    pub strategy: RecoveryStrategy,
    /// Attempts of one recovery.
    pub attempts: u32,
    /// Before the first attempt; it doubles from attempt to attempt.
    pub delay: Duration,
    /// Why, for people: a clause without a full stop.
    pub why: &'static str,
}

const fn retry(class: FailureClass, attempts: u32, seconds: u64, why: &'static str) -> BuiltIn {
    let delay = Duration::from_secs(seconds);
    BuiltIn { class, strategy: RecoveryStrategy::Retry, attempts, delay, why }
}

const fn other(class: FailureClass, strategy: RecoveryStrategy, why: &'static str) -> BuiltIn {
    BuiltIn { class, strategy, attempts: 1, delay: Duration::ZERO, why }
}

/// All of them, one for each class.
pub const BUILT_IN: [BuiltIn; 15] = [
    other(
        FailureClass::Lint,
        RecoveryStrategy::Person,
        "it finds the same again until a person, or the fix of a rule, puts it right",
    ),
    retry(FailureClass::Test, 1, 0, "a test may fail by chance, once"),
    other(
        FailureClass::Build,
        RecoveryStrategy::Resume,
        "what was built before need not be built again",
    ),
    retry(FailureClass::Network, 3, 5, "networks come back"),
    retry(FailureClass::Timeout, 2, 5, "it may be faster the next time"),
    retry(FailureClass::RateLimit, 3, 60, "limits of providers end by themselves"),
    retry(FailureClass::ServerError, 3, 10, "servers come back"),
    other(FailureClass::Auth, RecoveryStrategy::Person, "only a person can give it credentials"),
    other(
        FailureClass::Permission,
        RecoveryStrategy::Person,
        "only a person can give it permission",
    ),
    other(FailureClass::MissingTool, RecoveryStrategy::Person, "only a person can install it"),
    other(
        FailureClass::OutOfMemory,
        RecoveryStrategy::Person,
        "it may take the memory of others again, and only a person can give it more",
    ),
    other(
        FailureClass::DiskFull,
        RecoveryStrategy::Person,
        "only a person can say what may be removed",
    ),
    other(
        FailureClass::MergeConflict,
        RecoveryStrategy::Rollback,
        "half-merged files are of no use to any step",
    ),
    other(FailureClass::CorruptState, RecoveryStrategy::Rollback, "what is corrupt does not heal"),
    other(
        FailureClass::Unknown,
        RecoveryStrategy::Person,
        "nothing says why it failed, so nothing says that it may run again",
    ),
];

/// The built-in rule for a class.
#[must_use]
pub fn built_in(class: FailureClass) -> BuiltIn {
    let found = BUILT_IN.into_iter().find(|rule| rule.class == class);
    found.unwrap_or(other(class, RecoveryStrategy::Person, "no rule is for it"))
}
