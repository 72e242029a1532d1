//! The budget of the whole session: looked at before each launch, over all runs (`budget:`).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::session::{Address, WaitReason};

use super::frame::Frame;
use super::halt::Halt;
use super::run::Run;

/// What a call whose cost nobody told is taken to have cost, where no other call tells: dollars.
const UNKNOWN_COST: f64 = 1.0;

/// How often a launch that has to wait for the cost of running agents looks again.
const LOOK: Duration = Duration::from_millis(50);

/// The agents that run now. Whoever holds the lock is the only one who may launch another.
#[derive(Debug, Default)]
pub(super) struct Running(Mutex<u64>);

impl Running {
    fn count(&self) -> MutexGuard<'_, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An agent that runs; it has ended when this is dropped.
pub(super) struct Admitted<'b>(&'b Running);

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        *self.0.count() -= 1;
    }
}

/// Whether there is money for one more agent.
enum Room {
    Yes,
    /// Not before those that run have told what they cost.
    Later,
    /// The budget is used up; how.
    No(String),
}

impl<'a> Run<'a> {
    /// Announces an agent, if the budget has room for it; parks the session when it is used up.
    pub(super) fn admit_agent(
        &self,
        frame: &Frame<'a>,
        address: &Address,
        announce: impl FnOnce() -> Result<(), Halt>,
    ) -> Result<Admitted<'_>, Halt> {
        loop {
            let mut running = self.running.count();
            match self.room(frame, *running) {
                Room::Yes => {
                    // Others look at the budget when this one is in the journal.
                    let has_budget = self.workflow.budget != Default::default();
                    *running += 1;
                    let admitted = Admitted(&self.running);
                    if has_budget {
                        let announced = announce();
                        drop(running);
                        announced?;
                    } else {
                        drop(running);
                        announce()?;
                    }
                    return Ok(admitted);
                }
                Room::Later => {
                    drop(running);
                    if !frame.stop.wait(LOOK) {
                        self.go_on(frame)?;
                    }
                }
                Room::No(over) => {
                    drop(running);
                    let message = format!(
                        "the budget is used up: {over}; raise `budget` in the workflow, then resume with --accept-changes"
                    );
                    return Err(self.park(address, WaitReason::Budget, message, None));
                }
            }
        }
    }

    fn room(&self, frame: &Frame<'a>, running: u64) -> Room {
        let budget = &self.workflow.budget;
        let (spent, guess) = self.session.with(|state| {
            let lifetime = &state.lifetime;
            // What nobody told is not zero: it is taken for as much as the dearest known call.
            let guess = if lifetime.known_costs > 0 { lifetime.largest_cost } else { UNKNOWN_COST };
            let unknown = lifetime.unknown_costs().saturating_sub(running);
            let spent = Spent {
                usd: lifetime.cost_usd + unknown as f64 * guess,
                tokens: lifetime.tokens,
                calls: lifetime.agent_calls,
                active: Duration::from_millis(lifetime.active_ms) + frame.stop.active(),
            };
            (spent, guess)
        });
        let over = if budget.usd.is_some_and(|limit| spent.usd >= limit) {
            format!("${:.2} of {:.2} USD are spent", spent.usd, budget.usd.unwrap_or_default())
        } else if budget.tokens.is_some_and(|limit| spent.tokens >= limit) {
            format!("{} tokens are used", spent.tokens)
        } else if budget.agent_calls.is_some_and(|limit| spent.calls >= limit) {
            format!("{} agent calls are made", spent.calls)
        } else if budget.wall_time.is_some_and(|limit| spent.active >= limit) {
            let seconds = Duration::from_secs(spent.active.as_secs());
            format!("it has run for {}", humantime::format_duration(seconds))
        } else {
            let expected = spent.usd + running as f64 * guess;
            let waits = running > 0 && budget.usd.is_some_and(|limit| expected >= limit);
            return if waits { Room::Later } else { Room::Yes };
        };
        Room::No(over)
    }
}

struct Spent {
    usd: f64,
    tokens: u64,
    calls: u64,
    active: Duration,
}
