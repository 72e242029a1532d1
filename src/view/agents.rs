//! What agents did and cost.

use std::fmt::Write as _;

use serde::Serialize;

use super::{count, dollars};
use crate::session::Lifetime;

/// Agent calls of one session or of several.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Agents {
    /// Calls started.
    pub calls: u64,
    /// Dollars, as far as known.
    pub cost_usd: f64,
    /// Calls whose cost nobody told; unknown is not zero.
    pub unknown_costs: u64,
    /// Tokens.
    pub tokens: u64,
}

impl Agents {
    /// Those of a session.
    #[must_use]
    pub fn of(lifetime: &Lifetime) -> Self {
        Self {
            calls: lifetime.agent_calls,
            cost_usd: lifetime.cost_usd,
            unknown_costs: lifetime.unknown_costs(),
            tokens: lifetime.tokens,
        }
    }

    /// Adds those of another session.
    pub fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.cost_usd += other.cost_usd;
        self.unknown_costs += other.unknown_costs;
        self.tokens += other.tokens;
    }

    /// `4 calls, $1.24, 20000 tokens`; none when no agent was called.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        if *self == Self::default() {
            return None;
        }
        let mut text = count(self.calls, "call");
        if self.cost_usd > 0.0 {
            let _ = write!(text, ", {}", dollars(self.cost_usd));
        }
        if self.unknown_costs > 0 {
            let _ = write!(text, ", cost of {} unknown", count(self.unknown_costs, "call"));
        }
        if self.tokens > 0 {
            let _ = write!(text, ", {} tokens", self.tokens);
        }
        Some(text)
    }
}
