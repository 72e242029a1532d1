//! `map.variables:`: aggregates over the results of a map (SPEC 3.4).

use crate::playbook::mapreduce::{Aggregate, Direction, Function};
use crate::playbook::reading::{Field, Fields, Reader, nearest};
use crate::playbook::yaml::Kind;

const ORDERS: [(&str, Direction); 4] = [
    ("asc", Direction::Ascending),
    ("ascending", Direction::Ascending),
    ("desc", Direction::Descending),
    ("descending", Direction::Descending),
];

/// Name → `count`, `{sum: EXPRESSION}` or `{function: sum, of: EXPRESSION, …}`.
pub fn aggregates(reader: &Reader, field: Field<'_>) -> Vec<Aggregate> {
    let Some(entries) = field.value.entries() else {
        let help = "for example `variables: {total: {sum: size}}`";
        let message = "`variables` of a map must be a mapping from names to aggregates";
        reader.error_with_help(field.value, message, help);
        reader.lose_names();
        return Vec::new();
    };
    entries
        .iter()
        .filter(|entry| !entry.name.starts_with("x-"))
        .filter_map(|entry| {
            let name = reader.name(Field { name: "variables", key: &entry.key, value: &entry.key });
            let written = Field { name: &entry.name, key: &entry.key, value: &entry.value };
            let aggregate = aggregate(reader, written);
            if name.is_none() || aggregate.is_none() {
                reader.lose_names();
            }
            Some(Aggregate { name: name?, ..aggregate? })
        })
        .collect()
}

fn aggregate(reader: &Reader, field: Field<'_>) -> Option<Aggregate> {
    let mut aggregate =
        Aggregate { name: String::new(), function: Function::Count, of: None, by: None };
    if Kind::of(field.value) != Kind::Map {
        aggregate.function = function(reader, field)?;
        complete(reader, field, &aggregate)?;
        return Some(aggregate);
    }
    let mut fields = Fields::open(reader, field.value, "an aggregate")?;
    let long = fields.take("function");
    let of = fields.take("of");
    let mut given = long.and_then(|field| function(reader, field));
    aggregate.of = of.and_then(|field| reader.expression(field));
    for name in Function::NAMES {
        let Some(short) = fields.take(name) else { continue };
        let expression = reader.expression(short);
        // The short form names the key of `group_by`, and what is computed of all others.
        let groups = name == "group_by";
        if given.is_some() || (of.is_some() && !groups) {
            let message = format!("`{}` says two things", field.name);
            reader.error_with_help(short.key, message, "keep one of them");
        }
        given = Function::named(name);
        if groups {
            aggregate.by = expression;
        } else {
            aggregate.of = expression;
        }
    }
    let known = given.is_some() || long.is_some();
    if let Some(function) = given {
        aggregate.function = function;
    }
    options(reader, &mut fields, &mut aggregate);
    if !known && !fields.probably_meant(&["function"]) {
        let message = format!("`{}` has no function", field.name);
        reader.error_with_help(field.key, message, "for example `{sum: size}`");
    }
    fields.finish();
    complete(reader, field, &aggregate)?;
    known.then_some(aggregate)
}

/// `by`, `separator` and `order`, each only where it has an effect.
fn options(reader: &Reader, fields: &mut Fields<'_>, aggregate: &mut Aggregate) {
    if let Some(field) = fields.take("by") {
        let by = reader.expression(field);
        match aggregate.function {
            Function::GroupBy => aggregate.by = by.or(aggregate.by.take()),
            _ => no_effect(reader, field, "group_by"),
        }
    }
    if let Some(field) = fields.take("separator") {
        let text = reader.text(field).unwrap_or_default().to_owned();
        match &mut aggregate.function {
            Function::Concat { separator } => *separator = text,
            _ => no_effect(reader, field, "concat"),
        }
    }
    if let Some(field) = fields.take("order") {
        let order = reader.choice(field, &ORDERS);
        match &mut aggregate.function {
            Function::Sort(direction) => *direction = order.unwrap_or_default(),
            _ => no_effect(reader, field, "sort"),
        }
    }
}

fn no_effect(reader: &Reader, field: Field<'_>, function: &str) {
    let message = format!("`{}` belongs to `{function}`", field.name);
    reader.error_with_help(field.key, message, "remove it");
}

/// `group_by` without a key groups nothing.
fn complete(reader: &Reader, field: Field<'_>, aggregate: &Aggregate) -> Option<()> {
    if aggregate.function == Function::GroupBy && aggregate.by.is_none() {
        let message = format!("`{}` does not say what it groups by", field.name);
        reader.error_with_help(field.key, message, "for example `{group_by: status}`");
        return None;
    }
    Some(())
}

fn function(reader: &Reader, field: Field<'_>) -> Option<Function> {
    let text = reader.text(field)?;
    let function = Function::named(text);
    if function.is_none() {
        let help = match nearest(text, Function::NAMES) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of: {}", Function::NAMES.join(", ")),
        };
        reader.error_with_help(field.value, format!("there is no aggregate `{text}`"), help);
    }
    function
}
