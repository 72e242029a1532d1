//! How an agent call can fail, and what to do then.

use chrono::{DateTime, Utc};

use crate::session::{FailureClass, FailureKind};

/// The classes of failures of an agent call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AgentFailure {
    /// It was stopped before it was ready.
    Interrupted,
    /// It printed nothing for the idle limit.
    Hang,
    /// The step's time was up.
    TimedOut,
    /// The account's limit is reached.
    Limit,
    /// Too many requests.
    RateLimit,
    /// The API is at capacity.
    Overloaded,
    /// The API answered with a server's error.
    Server,
    /// The API was not reached.
    Network,
    /// Missing or wrong credentials, or no credit.
    Auth,
    /// The CLI or the API does not accept how it was called: model, flags, files.
    Configuration,
    /// `max_turns` or `max_budget_usd` of the step is used up.
    Bounded,
    /// The model refused, or its answer or the prompt is too long.
    Model,
    /// The prompt calls a slash command that does not exist.
    UnknownCommand,
    /// A command inside the prompt's slash command was not allowed, or failed.
    CommandBlocked,
    /// A good answer, but the CLI's exit code says otherwise.
    ExitMismatch,
    /// It died by a signal that was not ours.
    Killed,
    /// It ended without a result.
    NoResult,
    /// The conversation to resume is not there.
    NoConversation,
    /// The id of the new conversation exists already: it was started before.
    SessionInUse,
    /// The CLI says that it failed, and nothing more is known.
    Execution,
}

/// What to do after a failure, if the step's own `retry` does not say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAdvice {
    /// The step failed: again would be the same, or is the author's choice.
    No,
    /// Nothing in this run can do better until a person has done something: stop it.
    StopRun,
    /// Go on with the conversation at once, so often at most for this reason.
    Resume {
        /// How often in all.
        at_most: u32,
    },
    /// Start a new conversation with a new id.
    Afresh,
    /// Wait ([`super::backoff`]), then go on with the conversation; so often at most for this reason.
    ResumeLater {
        /// How often in all; `None` as long as the waits are allowed to take.
        at_most: Option<u32>,
    },
    /// Start no agent before this time, then go on with the conversation; unknown: as [`Self::ResumeLater`].
    ResumeAt(Option<DateTime<Utc>>),
}

impl AgentFailure {
    /// What `error.kind` says.
    #[must_use]
    pub fn kind(self) -> FailureKind {
        match self {
            Self::Interrupted => FailureKind::Interrupted,
            Self::Hang => FailureKind::IdleTimeout,
            Self::TimedOut => FailureKind::Timeout,
            Self::Killed => FailureKind::Signal,
            Self::ExitMismatch => FailureKind::Exit,
            _ => FailureKind::Agent,
        }
    }

    /// What `retry_on` and recovery look at.
    #[must_use]
    pub fn class(self) -> FailureClass {
        match self {
            Self::Hang | Self::TimedOut => FailureClass::Timeout,
            Self::Limit | Self::RateLimit => FailureClass::RateLimit,
            Self::Overloaded | Self::Server => FailureClass::ServerError,
            Self::Network => FailureClass::Network,
            Self::Auth => FailureClass::Auth,
            Self::CommandBlocked => FailureClass::Permission,
            _ => FailureClass::Unknown,
        }
    }

    /// What a person does about it, where the CLI's own words leave that open.
    #[must_use]
    pub fn next_step(self) -> Option<&'static str> {
        match self {
            Self::Auth => Some(
                "log in with `claude`, or correct the key or the credit of the account, then resume",
            ),
            Self::Configuration => Some(
                "correct `model`, `extra_args` or `command` of the agent, then resume with --accept-changes",
            ),
            Self::Bounded => {
                Some("raise `max_turns` or `max_budget_usd`, then resume with --accept-changes")
            }
            Self::Hang => {
                Some("where a tool may be silent for longer, raise `idle_timeout` under `limits`")
            }
            Self::TimedOut => Some("where it needs longer, raise `timeout`"),
            Self::Killed => Some(
                "where memory is short (an agent takes 300 MB and more), let fewer run side by side",
            ),
            Self::CommandBlocked => {
                Some("see `allowed-tools` of that command, or `allowed_tools` of the step")
            }
            _ => None,
        }
    }

    /// True when the provider has no room now: no other agent is started, and the attempt does not count
    /// (SPEC 7.4).
    #[must_use]
    pub fn is_provider_limit(self) -> bool {
        matches!(self, Self::Limit | Self::RateLimit | Self::Overloaded)
    }

    /// What to do; `until` is the end of an account's limit.
    #[must_use]
    pub fn advice(self, until: Option<DateTime<Utc>>) -> RetryAdvice {
        match self {
            Self::Interrupted | Self::Hang | Self::Killed | Self::NoResult => {
                RetryAdvice::Resume { at_most: 1 }
            }
            Self::SessionInUse => RetryAdvice::Resume { at_most: 1 },
            Self::NoConversation => RetryAdvice::Afresh,
            Self::Limit => RetryAdvice::ResumeAt(until),
            Self::RateLimit | Self::Overloaded => RetryAdvice::ResumeLater { at_most: None },
            Self::Server | Self::Network => RetryAdvice::ResumeLater { at_most: Some(5) },
            Self::Auth | Self::Configuration => RetryAdvice::StopRun,
            // The time limit is the author's word: only the step's `retry` goes past it.
            Self::TimedOut
            | Self::Bounded
            | Self::Model
            | Self::UnknownCommand
            | Self::CommandBlocked
            | Self::ExitMismatch
            | Self::Execution => RetryAdvice::No,
        }
    }
}
