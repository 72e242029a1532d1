//! The budget of the whole session: looked at before each launch, over all runs (`budget:`).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::session::{Address, WaitReason};

use super::frame::Frame;
use super::halt::Halt;
use super::run::Run;

/// What a call whose cost nobody told is taken to have cost, where no other call tells: dollars.
const UNKNOWN_COST: f64 = 1.0;

/// The same in tokens: a conversation of a few turns.
const UNKNOWN_TOKENS: u64 = 100_000;

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
        let (spent, expected, guessed) = self.session.with(|state| {
            let lifetime = &state.lifetime;
            // What nobody told is not zero: it is taken for as much as the largest known call.
            let usd = if lifetime.known_costs > 0 { lifetime.largest_cost } else { UNKNOWN_COST };
            let tokens = match lifetime.known_tokens {
                0 => UNKNOWN_TOKENS,
                _ => lifetime.largest_tokens,
            };
            let unknown_costs = lifetime.unknown_costs().saturating_sub(running);
            let unknown_tokens = lifetime.unknown_tokens().saturating_sub(running);
            let spent = Spent {
                usd: lifetime.cost_usd + unknown_costs as f64 * usd,
                tokens: lifetime.tokens + unknown_tokens * tokens,
                calls: lifetime.agent_calls,
                active: Duration::from_millis(lifetime.active.earlier_ms()) + frame.stop.active(),
            };
            // What those that run may cost.
            let expected = Spent {
                usd: spent.usd + running as f64 * usd,
                tokens: spent.tokens + running * tokens,
                ..spent
            };
            (spent, expected, (unknown_costs, unknown_tokens))
        });
        // A person sees why the sum is larger than what was told.
        let guesses = |unknown: u64| match unknown {
            0 => String::new(),
            1 => " (with a guess for a call that told nothing)".to_owned(),
            _ => format!(" (with a guess for {unknown} calls that told nothing)"),
        };
        let over = if budget.usd.is_some_and(|limit| spent.usd >= limit) {
            let limit = budget.usd.unwrap_or_default();
            format!("${:.2} of {limit:.2} USD are spent{}", spent.usd, guesses(guessed.0))
        } else if budget.tokens.is_some_and(|limit| spent.tokens >= limit) {
            let limit = budget.tokens.unwrap_or_default();
            format!("{} of {limit} tokens are used{}", spent.tokens, guesses(guessed.1))
        } else if budget.agent_calls.is_some_and(|limit| spent.calls >= limit) {
            format!("{} agent calls are made", spent.calls)
        } else if budget.wall_time.is_some_and(|limit| spent.active >= limit) {
            let seconds = Duration::from_secs(spent.active.as_secs());
            format!("it has run for {}", humantime::format_duration(seconds))
        } else {
            let waits = running > 0
                && (budget.usd.is_some_and(|limit| expected.usd >= limit)
                    || budget.tokens.is_some_and(|limit| expected.tokens >= limit));
            return if waits { Room::Later } else { Room::Yes };
        };
        Room::No(over)
    }
}

#[derive(Clone, Copy)]
struct Spent {
    usd: f64,
    tokens: u64,
    calls: u64,
    active: Duration,
}
