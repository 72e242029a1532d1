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
    /// How often it was closed in this run: who was started before the latest time says nothing
    /// about the limit.
    closed: u64,
    /// Who closed it the latest time.
    met_by: Option<Address>,
}

/// How soon an agent that waits sees that the gate was opened, or that the session parks.
const LOOK: Duration = Duration::from_millis(100);

impl Gate {
    fn limit(&self) -> std::sync::MutexGuard<'_, Limit> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// How often the gate has been closed; to be given to [`Self::open`].
    pub(super) fn closed(&self) -> u64 {
        self.limit().closed
    }

    /// The agent at `address` got through; it was started when the gate had been closed `closed`
    /// times. The limit is over, unless another met it since or its stated end is to come.
    pub(super) fn open(&self, closed: u64, address: &Address) {
        let mut limit = self.limit();
        let knows = limit.closed == closed || limit.met_by.as_ref() == Some(address);
        if knows && limit.until.is_none_or(|until| until <= Utc::now()) {
            *limit = Limit { closed: limit.closed, ..Limit::default() };
        }
    }
}

impl<'a> Run<'a> {
    /// The agent at `address` met a limit: no other starts before it is over.
    pub(super) fn close_gate(&self, address: &Address, until: Option<DateTime<Utc>>) {
        let now = Utc::now();
        let mut limit = self.gate.limit();
        limit.closed += 1;
        limit.met_by = Some(address.clone());
        if limit.parks {
            return;
        }
        if let Some(reopens) = limit.reopens
            && reopens > now
            && until.is_none_or(|until| until <= reopens)
        {
            return;
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
            }
            Pause::Park(until) => {
                limit.parks = true;
                limit.until = until.or(limit.until);
            }
        }
    }

    /// True while no agent may start.
    pub(super) fn is_gate_closed(&self) -> bool {
        let limit = self.gate.limit();
        limit.parks || limit.reopens.is_some_and(|reopens| reopens > Utc::now())
    }

    /// Waits until agents may start; parks the session where that takes too long. How long it took.
    pub(super) fn pass_gate(&self, frame: &Frame<'a>, address: &Address) -> Result<Duration, Halt> {
        let begun = frame.stop.active();
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
                self.go_on(frame)?;
                return Ok(frame.stop.active().saturating_sub(begun));
            }
            if !frame.stop.wait(left.min(LOOK)) {
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
