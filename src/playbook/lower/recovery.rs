//! `recovery:` and the user's `recovery.yaml` (DECISIONS A52, A56).

use super::retry::CLASSES;
use super::step::one_or_more_steps;
use crate::expr::{Path, Segment};
use crate::playbook::reading::{Field, Fields, Reader, nearest, value};
use crate::playbook::recovery::{Recovery, RecoveryRule, RecoveryStrategy};
use crate::playbook::yaml::{Kind, Node};
use crate::session::FailureClass;

const STRATEGIES: [(&str, RecoveryStrategy); 4] = [
    ("retry", RecoveryStrategy::Retry),
    ("resume", RecoveryStrategy::Resume),
    ("rollback", RecoveryStrategy::Rollback),
    ("person", RecoveryStrategy::Person),
];

/// Keys that only mean something where the failed step runs again at once.
const OF_RETRY: [&str; 3] = ["fix", "delay", "attempts"];

/// What a condition can ask of the failure.
const ERROR_FIELDS: [&str; 7] =
    ["exit_code", "output", "stderr", "message", "kind", "class", "step"];

/// What `recovery:` says; a whole file of rules is the same mapping.
pub fn recovery(reader: &Reader, node: &Node) -> Option<Recovery> {
    let mut fields = Fields::open(reader, node, "`recovery`")?;
    let recovery = Recovery {
        auto: fields.take("auto").and_then(|field| reader.flag(field)),
        max_recoveries: fields
            .take("max_recoveries")
            .and_then(|field| reader.small_count(field, 1)),
        allow_rollback: fields.take("allow_rollback").and_then(|field| reader.flag(field)),
        rules: fields.take("rules").map(|field| rules(reader, field)).unwrap_or_default(),
    };
    fields.finish();
    Some(recovery)
}

fn rules(reader: &Reader, field: Field<'_>) -> Vec<RecoveryRule> {
    match field.value.items() {
        Some([]) => {
            reader.error(field.value, "`rules` is empty");
            Vec::new()
        }
        Some(items) => items.iter().filter_map(|item| rule(reader, item)).collect(),
        None => {
            reader.wrong_kind(field, "a list of rules");
            Vec::new()
        }
    }
}

fn rule(reader: &Reader, node: &Node) -> Option<RecoveryRule> {
    let mut fields = Fields::open(reader, node, "a rule")?;
    let said = fields.has("class") || fields.has("when");
    let classes = fields.take("class").map(|field| classes(reader, field)).unwrap_or_default();
    let when = fields.take("when").and_then(|field| {
        let when = reader.expression(field)?;
        for used in when.uses() {
            check_asked(reader, field.value, &used.path);
        }
        Some(when)
    });
    let strategy = match fields.take("strategy") {
        Some(field) => reader.choice(field, &STRATEGIES),
        // Fixes and delays only make sense where the step runs again.
        None if OF_RETRY.iter().any(|name| fields.has(name)) => Some(RecoveryStrategy::Retry),
        None if fields.probably_meant(&["strategy"]) => None,
        None => {
            let help = "write `strategy: retry`, `resume`, `rollback` or `person`";
            reader.error_with_help(node, "this rule says no `strategy`", help);
            None
        }
    };
    for name in OF_RETRY {
        if let Some(strategy) = strategy.filter(|it| *it != RecoveryStrategy::Retry) {
            let message = format!("`{name}` has no meaning for `strategy: {}`", strategy.as_str());
            fields.refuse(name, message, "it is for `strategy: retry`");
        }
    }
    let rule = RecoveryRule {
        at: reader.position(node),
        classes,
        when,
        strategy: strategy.unwrap_or(RecoveryStrategy::Person),
        fix: fields.take("fix").map(|field| one_or_more_steps(reader, field)).unwrap_or_default(),
        delay: fields.take("delay").and_then(|field| reader.duration_or_zero(field)),
        attempts: fields.take("attempts").and_then(|field| reader.small_count(field, 1)),
        written: value(node),
    };
    if !said && !fields.probably_meant(&["class", "when"]) {
        let help = "write `class: lint`, a list of classes, or `when:` with `error.*`";
        reader.error_with_help(node, "this rule says not which failures it is for", help);
    }
    fields.finish();
    Some(rule)
}

/// A condition sees the failure alone.
fn check_asked(reader: &Reader, node: &Node, path: &Path) {
    let sees = format!("it sees `error.*`: {}", ERROR_FIELDS.join(", "));
    if path.root != "error" {
        let message = format!("`when` of a rule cannot ask for `{}`", path.root);
        reader.error_with_help(node, message, sees);
        return;
    }
    let field = match path.rest.first() {
        Some(Segment::Field(field)) => field.as_str(),
        _ => "",
    };
    if !ERROR_FIELDS.contains(&field) {
        let help = match nearest(field, ERROR_FIELDS) {
            Some(near) => format!("did you mean `error.{near}`?"),
            None => sees,
        };
        reader.error_with_help(node, format!("a rule knows no `{path}`"), help);
    }
}

/// One class, or a list of them; `any` stands for all.
fn classes(reader: &Reader, field: Field<'_>) -> Vec<FailureClass> {
    if Kind::of(field.value) == Kind::Text && field.value.text() == Some("any") {
        return Vec::new();
    }
    match field.value.items() {
        Some([]) => {
            reader.error(field.value, "`class` is empty; `any` stands for all classes");
            Vec::new()
        }
        Some(items) => {
            items.iter().filter_map(|it| reader.choice(field.member(it), &CLASSES)).collect()
        }
        None => reader.choice(field, &CLASSES).into_iter().collect(),
    }
}
