//! The budget of the whole session: looked at before each launch, over all runs (`budget:`).

use std::time::Duration;

use crate::session::{Address, WaitReason};

use super::frame::Frame;
use super::halt::Halt;
use super::run::Run;

/// What a call whose cost nobody told is taken to have cost, where no other call tells: dollars.
const UNKNOWN_COST: f64 = 1.0;

impl<'a> Run<'a> {
    /// Parks the session when its budget is used up.
    pub(super) fn within_budget(&self, frame: &Frame<'a>, address: &Address) -> Result<(), Halt> {
        let budget = &self.workflow.budget;
        let spent = self.session.with(|state| {
            let lifetime = &state.lifetime;
            let unknown = lifetime.unknown_costs();
            // What nobody told is not zero: it is taken for as much as the dearest known call.
            let guess = if lifetime.known_costs > 0 { lifetime.largest_cost } else { UNKNOWN_COST };
            Spent {
                usd: lifetime.cost_usd + unknown as f64 * guess,
                tokens: lifetime.tokens,
                calls: lifetime.agent_calls,
                active: Duration::from_millis(lifetime.active_ms) + frame.stop.active(),
            }
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
            return Ok(());
        };
        let message = format!(
            "the budget is used up: {over}; raise `budget` in the workflow, then resume with --accept-changes"
        );
        Err(self.park(address, WaitReason::Budget, message, None))
    }
}

struct Spent {
    usd: f64,
    tokens: u64,
    calls: u64,
    active: Duration,
}
