//! `foreach:` in its flat and its nested form (SPEC 3.3, DECISIONS B32).

use super::mapreduce;
use super::step::steps;
use crate::playbook::model::{Constant, Count, Foreach, ItemTemplate, Items};
use crate::playbook::reading::{Field, Fields, Reader, constant, value};
use crate::playbook::yaml::{Kind, Node};

/// How many rounds run at a time for `parallel: true`.
const DEFAULT_PARALLEL: u64 = 10;

/// A loop. In the flat form `do`, `parallel` and `max_items` stand beside `foreach:` in `outer`.
pub fn foreach(reader: &Reader, field: Field<'_>, outer: &mut Fields<'_>) -> Option<Foreach> {
    if Kind::of(field.value) != Kind::Map {
        let items = written(reader, field);
        let steps = body(reader, field, outer);
        let (parallel, max_items) = sizes(reader, outer);
        return Some(Foreach {
            items: items?,
            steps: steps?,
            parallel,
            max_items,
            continue_on_error: false,
        });
    }
    let mut fields = Fields::open(reader, field.value, "`foreach`")?;
    let items = source(reader, field, &mut fields);
    let outside = outer.has("do") && !fields.has("do");
    let steps = if outside { body(reader, field, outer) } else { body(reader, field, &mut fields) };
    let (parallel, max_items) = sizes(reader, &mut fields);
    let continue_on_error = reader.flag_or_false(fields.take("continue_on_error"));
    fields.finish();
    Some(Foreach { items: items?, steps: steps?, parallel, max_items, continue_on_error })
}

fn body(
    reader: &Reader,
    field: Field<'_>,
    fields: &mut Fields<'_>,
) -> Option<Vec<crate::playbook::model::Step>> {
    let given = ["do", "commands", "steps"].iter().any(|name| fields.has(name));
    let taken = fields.take("do");
    let taken = taken.or_else(|| fields.take_either("commands", "steps"));
    if !given && !fields.probably_meant(&["do"]) {
        reader.error_with_help(field.key, "`foreach` has no `do`", "write its steps under `do:`");
    }
    taken.map(|field| steps(reader, field))
}

fn sizes(reader: &Reader, fields: &mut Fields<'_>) -> (Count, Option<Count>) {
    let parallel = fields.take("parallel").and_then(|field| match Kind::of(field.value) {
        Kind::Bool(true) => Some(Count::Fixed(DEFAULT_PARALLEL)),
        Kind::Bool(false) => Some(Count::Fixed(1)),
        _ => reader.count_or_hole(field, 1),
    });
    let max_items = fields.take("max_items").and_then(|field| reader.count_or_hole(field, 0));
    (parallel.unwrap_or(Count::Fixed(1)), max_items)
}

/// The items of the nested form: exactly one of `foreach`, `items`, `command`, `input`.
fn source(reader: &Reader, field: Field<'_>, fields: &mut Fields<'_>) -> Option<Items> {
    const SOURCES: [&str; 4] = ["foreach", "items", "command", "input"];
    let given = SOURCES.iter().any(|name| fields.has(name));
    let mut sources = Vec::new();
    for name in SOURCES {
        sources.extend(fields.take(name));
    }
    let json_path = fields.take("json_path");
    if let [first, second, ..] = sources.as_slice() {
        reader.error(second.key, format!("`foreach` has `{}` and `{}`", first.name, second.name));
    }
    let Some(first) = sources.first().copied() else {
        if !given && !fields.probably_meant(&SOURCES) {
            reader.error_with_help(
                field.key,
                "`foreach` has no items",
                "write `items:` (a list), `command:`, or `input:` with `json_path:`",
            );
        }
        return None;
    };
    match (first.name, json_path) {
        ("input", path) => {
            let json_path = path.and_then(|field| mapreduce::json_path(reader, field));
            let input = reader.shell_text(first)?;
            Some(Items::Input { input, json_path })
        }
        (name, Some(path)) => {
            let message = format!("`json_path` belongs to `input`, not to `{name}`");
            reader.error(path.key, message);
            None
        }
        ("command", None) => reader.shell_text(first).map(Items::Command),
        (_, None) => written(reader, first),
    }
}

/// A list, a text that is one hole, or a command.
fn written(reader: &Reader, field: Field<'_>) -> Option<Items> {
    if let Some(items) = field.value.items() {
        if items.is_empty() {
            reader.error(field.value, format!("`{}` is empty", field.name));
        }
        let items = items.iter().filter_map(|node| item(reader, field.member(node)));
        return Some(Items::List(items.collect()));
    }
    if Kind::of(field.value) == Kind::Map {
        reader.wrong_kind(field, "a list or a command");
        return None;
    }
    if is_one_hole(field.value) {
        return reader.template(field).map(Items::Value);
    }
    reader.shell_text(field).map(Items::Command)
}

/// One written item. Mappings and lists with holes inside are not templates: only texts are.
fn item(reader: &Reader, field: Field<'_>) -> Option<ItemTemplate> {
    match constant(reader, field)? {
        Constant::Text(template) => Some(ItemTemplate::Text(template)),
        Constant::Scalar(_) | Constant::List(_) | Constant::Map(_) => {
            Some(ItemTemplate::Constant(value(field.value)))
        }
    }
}

/// Whether a text is nothing but one `${…}`.
fn is_one_hole(node: &Node) -> bool {
    let Some(inside) = node.text().and_then(|text| text.trim().strip_prefix("${")) else {
        return false;
    };
    inside.strip_suffix('}').is_some_and(|inside| !inside.contains(['{', '}']))
}
