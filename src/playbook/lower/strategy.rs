//! `strategy:` of a handler with the keys that belong to it (SPEC 6.4, DECISIONS B9, B47).

use std::time::Duration;

use super::step::one_or_more_steps;
use crate::expr::Template;
use crate::playbook::failure::Strategy;
use crate::playbook::reading::{Field, Fields, Reader, Sequence};
use crate::playbook::yaml::Kind;

/// The delay before the first re-run when the file does not say.
const DEFAULT_DELAY: Duration = Duration::from_secs(1);

/// A strategy, and the `max_attempts` that its mapping form may hold.
pub struct Chosen {
    /// What the handler's success means.
    pub strategy: Strategy,
    /// `max_attempts` given inside of it.
    pub max_attempts: Option<u32>,
}

const NAMES: [(&str, Name); 8] = [
    ("recovery", Name::Recovery),
    ("retry", Name::Retry),
    ("fallback", Name::Fallback),
    ("partial_resume", Name::PartialResume),
    ("intervene", Name::Intervene),
    ("abort", Name::Abort),
    ("cleanup", Name::Cleanup),
    ("custom", Name::Custom),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Recovery,
    Retry,
    Fallback,
    PartialResume,
    Intervene,
    Abort,
    Cleanup,
    Custom,
}

/// The strategy of a handler: `strategy: NAME` with its keys beside it, or `strategy: {NAME: {…}}`.
pub fn strategy(
    reader: &Reader,
    fields: &mut Fields<'_>,
    sequence: Option<Sequence<'_>>,
) -> Chosen {
    let plain = Chosen { strategy: Strategy::Recovery, max_attempts: None };
    let Some(field) = fields.take("strategy") else {
        refuse_keys(fields, None);
        return plain;
    };
    let Some(entries) = field.value.entries() else {
        let Some(name) = reader.choice(field, &NAMES) else {
            for key in ["delay", "from_step", "message", "cleanup"] {
                fields.take(key);
            }
            return plain;
        };
        let strategy = with_keys(reader, name, fields, field, sequence);
        refuse_keys(fields, Some(name));
        return Chosen { strategy, max_attempts: None };
    };
    refuse_keys(fields, None);
    let [entry] = entries else {
        reader.error(field.value, "`strategy` names one strategy");
        return plain;
    };
    let Some((_, name)) = NAMES.iter().find(|(name, _)| *name == entry.name) else {
        let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        let message = format!("unknown strategy `{}`", entry.name);
        reader.error_with_help(&entry.key, message, format!("one of: {}", names.join(", ")));
        return plain;
    };
    let Some(mut inner) = Fields::open(reader, &entry.value, "`strategy`") else { return plain };
    let max_attempts = inner.take("max_attempts").and_then(|field| reader.small_count(field, 1));
    let strategy = with_keys(reader, *name, &mut inner, field, sequence);
    refuse_keys(&mut inner, Some(*name));
    inner.finish();
    Chosen { strategy, max_attempts }
}

/// Whether the strategy does nothing without commands of its handler.
pub fn needs_commands(strategy: &Strategy) -> bool {
    match strategy {
        Strategy::Recovery | Strategy::Fallback | Strategy::Cleanup | Strategy::Custom => true,
        Strategy::Retry { .. }
        | Strategy::PartialResume { .. }
        | Strategy::Intervene { .. }
        | Strategy::Abort { .. } => false,
    }
}

fn with_keys(
    reader: &Reader,
    name: Name,
    fields: &mut Fields<'_>,
    field: Field<'_>,
    sequence: Option<Sequence<'_>>,
) -> Strategy {
    match name {
        Name::Recovery => Strategy::Recovery,
        Name::Fallback => Strategy::Fallback,
        Name::Cleanup => Strategy::Cleanup,
        Name::Custom => Strategy::Custom,
        Name::Retry => Strategy::Retry {
            delay: fields
                .take("delay")
                .and_then(|field| reader.duration_or_zero(field))
                .unwrap_or(DEFAULT_DELAY),
        },
        Name::PartialResume => partial_resume(reader, fields, field, sequence),
        Name::Intervene => Strategy::Intervene {
            message: fields
                .take("message")
                .and_then(|field| reader.filled_template(field))
                .unwrap_or_else(|| Template::literal("a person must look at this failure")),
        },
        Name::Abort => Strategy::Abort {
            cleanup: fields
                .take("cleanup")
                .map(|field| one_or_more_steps(reader, field))
                .unwrap_or_default(),
        },
    }
}

fn partial_resume(
    reader: &Reader,
    fields: &mut Fields<'_>,
    field: Field<'_>,
    sequence: Option<Sequence<'_>>,
) -> Strategy {
    let nowhere = Strategy::PartialResume { from_step: String::new(), index: 1 };
    let given = fields.has("from_step");
    let from = fields.take("from_step");
    let Some(sequence) = sequence else {
        reader.error(field.value, "`partial_resume` has no earlier step to go back to here");
        return nowhere;
    };
    let Some(from) = from else {
        if !given {
            let message = "`partial_resume` needs `from_step`";
            reader.error_with_help(
                field.value,
                message,
                "name an earlier step by its id or its number",
            );
        }
        return nowhere;
    };
    let Some(index) = step_index(reader, from, sequence) else { return nowhere };
    Strategy::PartialResume { from_step: from.value.text().unwrap_or_default().to_owned(), index }
}

/// The 1-based index of the step that `from_step` means.
fn step_index(reader: &Reader, field: Field<'_>, sequence: Sequence<'_>) -> Option<usize> {
    let text = reader.filled_text(field)?;
    let by_id = sequence.ids.iter().position(|id| *id == Some(text)).map(|index| index + 1);
    let by_number = || {
        let number = text.parse::<usize>().ok();
        number.filter(|_| {
            Kind::of(field.value) == Kind::Number || text.bytes().all(|b| b.is_ascii_digit())
        })
    };
    let Some(index) = by_id.or_else(by_number) else {
        let known: Vec<&str> = sequence.ids.iter().flatten().copied().collect();
        let help = match crate::playbook::reading::nearest(text, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "give the step an `id`, or write its number".to_owned(),
            None => format!("known here: {}", known.join(", ")),
        };
        let message = format!("`from_step: {text}` is no step of the same list");
        reader.error_with_help(field.value, message, help);
        return None;
    };
    let count = sequence.ids.len();
    if index == 0 || index > count {
        let message = format!("`from_step: {text}` is no step: the list has steps 1 to {count}");
        reader.error(field.value, message);
        return None;
    }
    if let Some(at) = sequence.at.filter(|at| index > *at) {
        reader.error_with_help(
            field.value,
            format!("`from_step: {text}` is step {index}, which comes after this one, step {at}"),
            "name this step or an earlier one",
        );
        return None;
    }
    Some(index)
}

/// Reports keys of other strategies.
fn refuse_keys(fields: &mut Fields<'_>, chosen: Option<Name>) {
    for (key, owner, spelled) in [
        ("delay", Name::Retry, "retry"),
        ("from_step", Name::PartialResume, "partial_resume"),
        ("message", Name::Intervene, "intervene"),
        ("cleanup", Name::Abort, "abort"),
    ] {
        if chosen != Some(owner) {
            let message = format!("`{key}` belongs to `strategy: {spelled}`");
            fields.refuse(key, message, format!("write `strategy: {spelled}`, or remove it"));
        }
    }
}
