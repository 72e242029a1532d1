//! The table of built-in rules in the documents is that of the program.

use prodigy::playbook::recovery::RecoveryStrategy;
use prodigy::playbook::spell_duration;
use prodigy::recovery::{BUILT_IN, class_word};

#[test]
fn the_documented_rules_are_the_built_in_ones() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recovery.md");
    let page = std::fs::read_to_string(page).unwrap();
    for rule in BUILT_IN {
        let retries = rule.strategy == RecoveryStrategy::Retry;
        let runs = retries || rule.strategy == RecoveryStrategy::Resume;
        let attempts = if runs { rule.attempts.to_string() } else { String::new() };
        let delay = match retries {
            true if rule.delay.is_zero() => "0s".to_owned(),
            true => spell_duration(rule.delay),
            false => String::new(),
        };
        let row = format!(
            "| `{}` | `{}` | {attempts} | {delay} | {} |",
            class_word(rule.class),
            rule.strategy.as_str(),
            rule.why
        )
        .replace("|  |", "| |")
        .replace("|  |", "| |");
        assert!(page.contains(&row), "{row}");
    }
}
