//! What the present standing says of an address.

use std::sync::Arc;

use super::address::Address;
use super::outcome::StepResult;
use super::record::{RaisedError, Record};
use super::standing::{HandlerStanding, ScopeStanding, Score, Standing};
use super::status::PersonsAnswer;
use super::stored::{MissingSecret, Secrets};
use super::tree::range_within;

impl Standing {
    /// What is known of the step at `address`.
    #[must_use]
    pub fn record(&self, address: &Address) -> Option<&Record> {
        self.records.get(address)
    }

    /// The result of a finished step.
    #[must_use]
    pub fn result(&self, address: &Address) -> Option<&Arc<StepResult>> {
        self.records.get(address)?.result.as_ref()
    }

    /// All records in the order of their addresses as text.
    pub fn records(&self) -> impl Iterator<Item = (&Address, &Record)> {
        self.records.iter()
    }

    /// The records of `scope` and below.
    pub fn records_within(&self, scope: &Address) -> impl Iterator<Item = (&Address, &Record)> {
        range_within(&self.records, scope)
    }

    /// How a stage or pass ended.
    #[must_use]
    pub fn scope(&self, address: &Address) -> Option<ScopeStanding> {
        self.scopes.get(address).copied()
    }

    /// The error raised at this step, stage or workflow, settled or not.
    #[must_use]
    pub fn error(&self, address: &Address) -> Option<&RaisedError> {
        self.errors.get(address)
    }

    /// All errors raised and not settled, outermost first.
    pub fn active_errors(&self) -> impl Iterator<Item = (&Address, &RaisedError)> {
        self.errors.iter().filter(|(_, error)| error.settled.is_none())
    }

    /// All errors that stand, outermost first.
    pub fn errors(&self) -> impl Iterator<Item = (&Address, &RaisedError)> {
        self.errors.iter()
    }

    /// How far the handler at `address` is.
    #[must_use]
    pub fn handler(&self, address: &Address) -> Option<&HandlerStanding> {
        self.handlers.get(address)
    }

    /// Handlers that have started and not ended.
    pub fn active_handlers(&self) -> impl Iterator<Item = (&Address, &HandlerStanding)> {
        self.handlers.iter().filter(|(_, handler)| handler.ended.is_none())
    }

    /// A measurement of a loop.
    #[must_use]
    pub fn score(&self, address: &Address) -> Option<&Score> {
        self.scores.get(address)
    }

    /// The latest measurement of the loop of the step `at` (`4.goal[…]`, `4.validate[…]`).
    #[must_use]
    pub fn latest_score(&self, at: &Address) -> Option<&Score> {
        range_within(&self.scores, at).max_by_key(|(_, score)| score.seq).map(|(_, score)| score)
    }

    /// The latest measurement of all.
    #[must_use]
    pub fn last_score(&self) -> Option<&Score> {
        self.scores.values().max_by_key(|score| score.seq)
    }

    /// A secret that a recorded value refers to and that is not set now.
    #[must_use]
    pub fn missing_secret(&self, secrets: &Secrets) -> Option<MissingSecret> {
        let results = self.records.values().filter_map(|record| record.result.as_ref());
        results
            .flat_map(|result| {
                let captures = result.captures.iter().filter_map(|it| it.value.as_ref());
                captures.chain([&result.report.stdout.text, &result.report.stderr.text])
            })
            .find_map(|stored| stored.missing(secrets))
    }

    /// A person's answer for a marked step.
    #[must_use]
    pub fn answer(&self, address: &Address) -> Option<PersonsAnswer> {
        self.answers.get(address).copied()
    }

    /// Whether a stage or step was confirmed.
    #[must_use]
    pub fn confirmed(&self, address: &Address) -> bool {
        self.confirmed.get(address).copied().unwrap_or(false)
    }
}
