//! `on_failure:` in all its shapes (SPEC 6.2).

use super::handler::handler;
use super::step::{bare_step, steps};
use crate::playbook::failure::{Handler, HandlerSet};
use crate::playbook::reading::{Field, Fields, Reader, Sequence};
use crate::playbook::yaml::{Kind, Node};

/// Words that are options elsewhere; as a command they would silently do nothing (DECISIONS B2).
const WORDS: [(&str, &str); 10] = [
    ("continue", "true"),
    ("ignore", "true"),
    ("skip", "true"),
    ("pass", "true"),
    ("stop", "false"),
    ("abort", "false"),
    ("fail", "false"),
    ("none", "false"),
    ("retry", ""),
    ("fallback", ""),
];

/// Keys that only handlers have.
const HANDLER_KEYS: [&str; 8] = [
    "condition",
    "strategy",
    "priority",
    "scope",
    "commands",
    "handler_failure_fatal",
    "fail_workflow",
    "max_attempts",
];

/// What happens on a failure; `None` is `on_failure: false`. `sequence` is where
/// `from_step` looks; `None` when it has nowhere to go back to.
pub fn on_failure(
    reader: &Reader,
    field: Field<'_>,
    sequence: Option<Sequence<'_>>,
) -> Option<HandlerSet> {
    let handlers = match Kind::of(field.value) {
        Kind::Bool(true) => return Some(HandlerSet { handlers: Vec::new(), ignore: true }),
        Kind::Bool(false) => return None,
        Kind::Text => vec![of_text(reader, field)?],
        Kind::List => vec![of_list(reader, field)?],
        Kind::Map => of_mapping(reader, field, sequence)?,
        Kind::Number | Kind::Null => {
            reader.wrong_kind(field, "true, false, a command, steps, or a mapping");
            return None;
        }
    };
    Some(HandlerSet { handlers, ignore: false })
}

fn of_text(reader: &Reader, field: Field<'_>) -> Option<Handler> {
    let text = field.value.text().unwrap_or_default().trim();
    if let Some((word, meant)) = WORDS.iter().find(|(word, _)| *word == text) {
        let help = if meant.is_empty() {
            format!("write `on_failure: {{strategy: {word}, …}}`, or `shell: {word}` for a command")
        } else {
            "write `true` to ignore the failure, `false` to fail".to_owned()
        };
        let message = format!("`on_failure: {word}` would run a command called `{word}`");
        reader.error_with_help(field.value, message, help);
        return None;
    }
    let step = bare_step(reader, field.value)?;
    Some(Handler::of_steps(reader.position(field.value), vec![step]))
}

/// A list is one handler; a list of handlers stands under `handlers:`.
fn of_list(reader: &Reader, field: Field<'_>) -> Option<Handler> {
    let items = field.value.items().unwrap_or_default();
    if let Some((node, key)) = items.iter().find_map(|item| Some((item, handler_key(item)?))) {
        reader.error_with_help(
            node,
            format!(
                "a list under `on_failure` holds the steps of one handler, `{key}` is for handlers"
            ),
            "write `handlers:` above the list, or the steps under `commands:`",
        );
        return None;
    }
    let steps = steps(reader, field);
    Some(Handler::of_steps(reader.position(field.value), steps))
}

fn handler_key(node: &Node) -> Option<&'static str> {
    HANDLER_KEYS.into_iter().find(|key| node.entry(key).is_some())
}

fn of_mapping(
    reader: &Reader,
    field: Field<'_>,
    sequence: Option<Sequence<'_>>,
) -> Option<Vec<Handler>> {
    let mut fields = Fields::open(reader, field.value, "`on_failure`")?;
    if !fields.has("handlers") {
        let handler = handler(reader, &mut fields, sequence);
        fields.finish();
        return Some(vec![handler.0]);
    }
    let list = fields.take("handlers")?;
    fields.finish();
    let Some(items) = list.value.items() else {
        reader.wrong_kind(list, "a list of handlers");
        return None;
    };
    if items.is_empty() {
        reader.error(list.value, "`handlers` is empty");
    }
    let mut handlers: Vec<(Handler, i64)> = Vec::new();
    for item in items {
        if Kind::of(item) == Kind::Text {
            let of_text = of_text(reader, Field { name: "handlers", key: item, value: item });
            handlers.extend(of_text.map(|handler| (handler, 0)));
        } else if let Some(mut fields) = Fields::open(reader, item, "a handler") {
            handlers.push(handler(reader, &mut fields, sequence));
            fields.finish();
        }
    }
    handlers.sort_by_key(|(_, priority)| std::cmp::Reverse(*priority));
    Some(handlers.into_iter().map(|(handler, _)| handler).collect())
}
