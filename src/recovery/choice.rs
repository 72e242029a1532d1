//! Which way a failure leads to: the workflow's rules, then the user's, then the built-in ones.

use std::time::Duration;

use crate::expr::{Lookup, Origin, Path, Scope, Segment, Value};
use crate::playbook::recovery::{Recovery, RecoveryRule, RecoveryStrategy};
use crate::session::{FailureClass, RecoveryType};

use super::failure::FailureRecord;
use super::table::built_in;

/// Recoveries of one step, over all its failures, where nobody says otherwise.
const MAX_RECOVERIES: u32 = 3;
/// Attempts of a `retry` whose rule does not say.
const ATTEMPTS: u32 = 1;
/// No delay between attempts is longer.
pub(super) const LONGEST_DELAY: Duration = Duration::from_secs(600);

/// Rules from outside the program, the nearest first.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// `recovery:` of the workflow.
    pub workflow: Recovery,
    /// The user's `recovery.yaml`.
    pub user: Recovery,
}

impl Rules {
    /// Recoveries of one step, over all its failures.
    #[must_use]
    pub fn max_recoveries(&self) -> u32 {
        self.workflow.max_recoveries.or(self.user.max_recoveries).unwrap_or(MAX_RECOVERIES)
    }

    /// Whether a failed run is recovered without being asked.
    #[must_use]
    pub fn auto(&self) -> bool {
        self.workflow.auto.or(self.user.auto).unwrap_or(false)
    }

    /// Whether a rule may roll back without a person's yes.
    #[must_use]
    pub fn allow_rollback(&self) -> bool {
        self.workflow.allow_rollback.or(self.user.allow_rollback).unwrap_or(false)
    }
}

/// What a failure leads to, and why.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The way.
    pub way: RecoveryType,
    /// Attempts of a `retry`.
    pub attempts: u32,
    /// Before the first of them; it doubles.
    pub delay: Duration,
    /// The rule from outside that decided.
    pub rule: Option<RecoveryRule>,
    /// Where the rule stands: `workflow`, `recovery.yaml` or `built-in`.
    pub source: &'static str,
    /// Why, for people: one sentence without a full stop.
    pub reason: String,
    /// Conditions that could not be evaluated, for people.
    pub warnings: Vec<String>,
}

/// What the rules say of a failure.
#[must_use]
pub fn choose(failure: &FailureRecord, rules: &Rules) -> Choice {
    let mut warnings = Vec::new();
    let sources = [("workflow", &rules.workflow), ("recovery.yaml", &rules.user)];
    for (source, recovery) in sources {
        for rule in &recovery.rules {
            if matches(rule, failure, source, &mut warnings) {
                return ruled(failure, rule, source, warnings);
            }
        }
    }
    let rule = built_in(failure.class);
    let way = match rule.strategy {
        // What is corrupt here are Prodigy's own records: there is a way back within them.
        _ if failure.step.is_none() => RecoveryType::Resume,
        strategy => way_of(strategy),
    };
    let why = match failure.step {
        Some(_) => rule.why,
        None => "what is recorded before the damage is good",
    };
    Choice {
        way,
        attempts: rule.attempts,
        delay: rule.delay,
        rule: None,
        source: "built-in",
        reason: format!(
            "{} ({}); built-in rule {} → {}: {why}",
            class_word(failure.class),
            failure.why,
            class_word(failure.class),
            way.as_str(),
        ),
        warnings,
    }
}

fn ruled(
    failure: &FailureRecord,
    rule: &RecoveryRule,
    source: &'static str,
    warnings: Vec<String>,
) -> Choice {
    let place = format!("{}:{}", rule.at.file.display(), rule.at.line);
    let when = rule.when.as_ref().map(|when| format!(", because {}", when.source()));
    Choice {
        way: way_of(rule.strategy),
        attempts: rule.attempts.unwrap_or(ATTEMPTS),
        delay: rule.delay.unwrap_or(Duration::ZERO),
        rule: Some(rule.clone()),
        source,
        reason: format!(
            "{} ({}); rule {} → {}{} ({place})",
            class_word(failure.class),
            failure.why,
            classes_of(rule),
            rule.strategy.as_str(),
            when.unwrap_or_default(),
        ),
        warnings,
    }
}

fn way_of(strategy: RecoveryStrategy) -> RecoveryType {
    match strategy {
        RecoveryStrategy::Retry => RecoveryType::Retry,
        RecoveryStrategy::Resume => RecoveryType::Resume,
        RecoveryStrategy::Rollback => RecoveryType::Rollback,
        RecoveryStrategy::Person => RecoveryType::Person,
    }
}

fn classes_of(rule: &RecoveryRule) -> String {
    match rule.classes[..] {
        [] => "any".to_owned(),
        _ => rule.classes.iter().map(|class| class_word(*class)).collect::<Vec<_>>().join(", "),
    }
}

/// How a class is spelt.
#[must_use]
pub fn class_word(class: FailureClass) -> String {
    crate::view::journal_word(&class)
}

fn matches(
    rule: &RecoveryRule,
    failure: &FailureRecord,
    source: &str,
    warnings: &mut Vec<String>,
) -> bool {
    if !rule.classes.is_empty() && !rule.classes.contains(&failure.class) {
        return false;
    }
    let Some(when) = &rule.when else { return true };
    when.is_true(&ErrorScope(failure)).unwrap_or_else(|error| {
        let place = rule.at.line;
        warnings.push(format!(
            "{source}, line {place}: {} cannot be evaluated: {error}",
            when.source()
        ));
        false
    })
}

/// `error.*` of a failure.
struct ErrorScope<'a>(&'a FailureRecord);

impl Scope for ErrorScope<'_> {
    fn lookup(&self, path: &Path) -> Lookup {
        let (true, Some(Segment::Field(field))) = (path.root == "error", path.rest.first()) else {
            return Lookup::Unknown;
        };
        let failure = self.0;
        let address = |it: &Option<crate::session::Address>| {
            it.as_ref().map_or(Value::Null, |it| Value::from(it.as_str()))
        };
        let value = match field.as_str() {
            "message" => Value::from(failure.message.as_str()),
            "exit_code" => failure.exit_code.map_or(Value::Null, |it| Value::from(i64::from(it))),
            "step" => address(&failure.step),
            "kind" => failure
                .kind
                .map_or(Value::Null, |kind| Value::from(crate::view::journal_word(&kind))),
            "class" => Value::from(class_word(failure.class)),
            "output" => Value::from(failure.stdout.as_str()),
            "stderr" => Value::from(failure.stderr.as_str()),
            _ => Value::Null,
        };
        Lookup::Found { value, origin: Origin::Data, used: 1 }
    }

    fn names(&self) -> Vec<String> {
        vec!["error".to_owned()]
    }
}

/// The delay before attempt `attempt` (from 1) of a recovery.
#[must_use]
pub fn delay_before(first: Duration, attempt: u32) -> Duration {
    let factor = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(LONGEST_DELAY.max(first))
}
