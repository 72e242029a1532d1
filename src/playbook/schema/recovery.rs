//! `recovery:` (DECISIONS A56).

use serde_json::{Value, json};

use super::build::{
    any, choice, described, flag, list, mapping, reference, requires, some_of, whole,
};
use super::failure::class;
use super::step::Keys;

/// The definitions of this file, by name.
pub(super) fn definitions() -> Keys {
    vec![("recovery", recovery()), ("recovery_rule", rule())]
}

fn recovery() -> Value {
    let keys = vec![
        ("auto", flag("Recover by itself after a failure, within the limits.")),
        ("max_recoveries", whole("Recoveries of one step, over all its failures.", 1)),
        ("allow_rollback", flag("A rule may roll back without a person's yes.")),
        ("rules", list("The first that matches decides.", reference("recovery_rule", "A rule."))),
    ];
    mapping("What brings a failed session back.", keys)
}

fn rule() -> Value {
    let one = any("A class.", vec![class(), described(json!({ "const": "any" }), "All.")]);
    let classes = any("The classes it is for.", vec![one, list("Any of these.", class())]);
    let attempt = "Before the first attempt; it doubles from attempt to attempt.";
    let fix = "Steps that put right what made the step fail, before it runs again.";
    let words = "retry: fix, wait, run the failed step again. resume: go on from the last valid \
                 checkpoint. rollback: back to the last good one, files too. person: wait for one.";
    let common = vec![
        ("class", classes),
        ("when", reference("condition", "Only for failures for which this is true (`error.*`).")),
    ];
    let retry = vec![
        ("strategy", choice("What it leads to.", &["retry"])),
        ("fix", reference("commands", fix)),
        ("delay", reference("delay", attempt)),
        ("attempts", whole("How often the step is tried again.", 1)),
    ];
    let other = vec![("strategy", choice(words, &["resume", "rollback", "person"]))];
    let said = |schema| some_of(schema, &["class", "when"]);
    let retry = said(mapping("Fix, wait, run again.", [common.clone(), retry].concat()));
    let other = said(requires(mapping("Another way.", [common, other].concat()), &["strategy"]));
    any("Which failures, and what they lead to.", vec![retry, other])
}
