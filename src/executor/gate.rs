//! The gate that every agent passes before it starts: closed as soon as one of them meets a
//! provider's limit, for all agents of the session (SPEC 7.4).

use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::agent::{Pause, pause};
use crate::session::{Address, EventKind, WaitReason};

use super::frame::Frame;
use super::halt::Halt;
use super::run::Run;

/// Open, or closed until a time.
#[derive(Debug, Default)]
pub(super) struct Gate(Mutex<Limit>);

/// The limit that was met last.
#[derive(Debug, Default)]
struct Limit {
    /// When agents may start again.
    reopens: Option<DateTime<Utc>>,
    /// When the provider said that the limit ends.
    until: Option<DateTime<Utc>>,
    /// Waits for it so far.
    round: u32,
    /// How long they took.
    waited: Duration,
    /// The session parks instead of waiting.
    parks: bool,
}

impl Gate {
    fn limit(&self) -> std::sync::MutexGuard<'_, Limit> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// An agent got through: the limit is over.
    pub(super) fn open(&self) {
        *self.limit() = Limit::default();
    }
}

impl<'a> Run<'a> {
    /// An agent met a limit: no other starts before it is over. The time of the next try.
    pub(super) fn close_gate(&self, until: Option<DateTime<Utc>>) -> DateTime<Utc> {
        let now = Utc::now();
        let mut limit = self.gate.limit();
        if let Some(reopens) = limit.reopens
            && reopens > now
            && until.is_none_or(|until| until <= reopens)
        {
            return reopens;
        }
        let max_wait =
            if self.options.park { Some(Duration::ZERO) } else { self.workflow.limits.max_wait };
        limit.round += 1;
        limit.until = until;
        let chance = super::retry::random_share();
        match pause(until, limit.round, chance, now, limit.waited, max_wait) {
            Pause::Wait(wait) => {
                limit.waited += wait;
                let reopens = now + chrono::Duration::from_std(wait).unwrap_or_default();
                limit.reopens = Some(reopens);
                let told =
                    until.map(|until| until.format(", which the provider says ends at %H:%M UTC"));
                let told = told.map(|told| told.to_string()).unwrap_or_default();
                drop(limit);
                self.warn(&format!(
                    "the provider's limit is reached{told}: no agent starts before {}",
                    reopens.format("%H:%M:%S UTC")
                ));
                reopens
            }
            Pause::Park(until) => {
                limit.parks = true;
                limit.until = until.or(limit.until);
                limit.until.unwrap_or(now)
            }
        }
    }

    /// Waits until agents may start; parks the session where that takes too long.
    pub(super) fn pass_gate(&self, frame: &Frame<'a>, address: &Address) -> Result<(), Halt> {
        loop {
            let (left, until, parks) = {
                let limit = self.gate.limit();
                let left = limit.reopens.map(|it| (it - Utc::now()).to_std().unwrap_or_default());
                (left.unwrap_or_default(), limit.until, limit.parks)
            };
            if parks {
                let message = match until {
                    Some(until) => format!(
                        "the provider's limit is reached until {}",
                        until.format("%Y-%m-%d %H:%M UTC")
                    ),
                    None => "the provider's limit is reached".to_owned(),
                };
                return Err(self.park(address, WaitReason::Limit, message, until));
            }
            if left.is_zero() {
                return self.go_on(frame);
            }
            if !frame.stop.wait(left) {
                self.go_on(frame)?;
            }
        }
    }

    /// Records that the session ends here until a limit is over, and leaves the tree.
    pub(super) fn park(
        &self,
        address: &Address,
        reason: WaitReason,
        message: String,
        until: Option<DateTime<Utc>>,
    ) -> Halt {
        let waiting = EventKind::Waiting { address: address.clone(), reason, message, until };
        match self.commit(waiting) {
            Ok(()) => Halt::Parked(address.clone()),
            Err(error) => Halt::Store(error),
        }
    }
}
