//! Reading of flags, numbers, durations, choices and free YAML values.

use std::time::Duration;

use super::duration::parse_duration;
use super::nearest::nearest;
use super::reader::{Field, Reader};
use crate::expr::{Template, Value};
use crate::playbook::model::{Constant, Count, Limit};
use crate::playbook::yaml::{Content, Kind, Node, scalar};

impl Reader {
    /// `true` or `false`, also in quotes; the `yes` and `on` of older YAML are refused.
    pub fn flag(&self, field: Field<'_>) -> Option<bool> {
        match (Kind::of(field.value), field.value.text()) {
            (Kind::Bool(value), _) => Some(value),
            (Kind::Text, Some("true")) => Some(true),
            (Kind::Text, Some("false")) => Some(false),
            (Kind::Text, Some(text)) => {
                let meant = match text.to_ascii_lowercase().as_str() {
                    "yes" | "on" | "y" => Some("true"),
                    "no" | "off" | "n" => Some("false"),
                    _ => None,
                };
                let message = format!("`{}` must be true or false, not `{text}`", field.name);
                self.note(match meant {
                    Some(meant) => {
                        self.problem(field.value, message).with_help(format!("write `{meant}`"))
                    }
                    None => self.problem(field.value, message),
                });
                None
            }
            _ => {
                self.wrong_kind(field, "true or false");
                None
            }
        }
    }

    /// A flag that is false when absent.
    pub fn flag_or_false(&self, field: Option<Field<'_>>) -> bool {
        field.and_then(|field| self.flag(field)).unwrap_or(false)
    }

    /// A whole number of at least `least`, also in quotes.
    pub fn count(&self, field: Field<'_>, least: u64) -> Option<u64> {
        let text = match Kind::of(field.value) {
            Kind::Number | Kind::Text => field.value.text().unwrap_or_default(),
            _ => {
                self.wrong_kind(field, "a whole number");
                return None;
            }
        };
        match text.parse::<u64>() {
            Ok(number) if number >= least => Some(number),
            Ok(_) => {
                self.error(
                    field.value,
                    format!("`{}` must be at least {least}, not {text}", field.name),
                );
                None
            }
            Err(_) => {
                let atleast =
                    if least > 0 { format!(" of at least {least}") } else { String::new() };
                let name = field.name;
                self.error(
                    field.value,
                    format!("`{name}` must be a whole number{atleast}, not `{text}`"),
                );
                None
            }
        }
    }

    /// A count that fits 32 bits.
    pub fn small_count(&self, field: Field<'_>, least: u32) -> Option<u32> {
        let number = self.count(field, u64::from(least))?;
        let small = u32::try_from(number).ok();
        if small.is_none() {
            self.error(field.value, format!("`{}` is too large", field.name));
        }
        small
    }

    /// A count, or a `${…}` that becomes one.
    pub fn count_or_hole(&self, field: Field<'_>, least: u64) -> Option<Count> {
        if is_hole(field.value) {
            return self.hole(field).map(Count::Computed);
        }
        self.count(field, least).map(Count::Fixed)
    }

    /// A number between two bounds, both included; also in quotes.
    pub fn number(&self, field: Field<'_>, least: f64, most: f64) -> Option<f64> {
        let text = match Kind::of(field.value) {
            Kind::Number | Kind::Text => field.value.text().unwrap_or_default(),
            _ => {
                self.wrong_kind(field, "a number");
                return None;
            }
        };
        let range = if most.is_finite() {
            format!("a number from {least} to {most}")
        } else {
            format!("a number of at least {least}")
        };
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        if let Some(number) = number.filter(|number| (least..=most).contains(number)) {
            return Some(number);
        }
        let message = format!("`{}` must be {range}, not `{text}`", field.name);
        match text.strip_suffix('%').filter(|text| text.parse::<f64>().is_ok()) {
            Some(bare) => self.error_with_help(field.value, message, format!("write `{bare}`")),
            None => self.error(field.value, message),
        }
        None
    }

    /// A duration; zero is refused.
    pub fn duration(&self, field: Field<'_>) -> Option<Duration> {
        let duration = self.duration_or_zero(field)?;
        if duration.is_zero() {
            self.error_with_help(
                field.value,
                format!("`{}` must be longer than zero", field.name),
                "remove the key for no limit",
            );
            return None;
        }
        Some(duration)
    }

    /// A duration that may be zero.
    pub fn duration_or_zero(&self, field: Field<'_>) -> Option<Duration> {
        let wanted = "a duration such as 30 (seconds), 90s, 5m or 1h30m";
        if !matches!(Kind::of(field.value), Kind::Number | Kind::Text) {
            self.wrong_kind(field, wanted);
            return None;
        }
        match parse_duration(field.value.text().unwrap_or_default()) {
            Ok(duration) => Some(duration),
            Err(why) => {
                self.error(field.value, format!("`{}` must be {wanted}: {why}", field.name));
                None
            }
        }
    }

    /// A time limit, or a `${…}` that becomes one.
    pub fn limit(&self, field: Field<'_>) -> Option<Limit> {
        if is_hole(field.value) {
            return self.hole(field).map(Limit::Computed);
        }
        self.duration(field).map(Limit::Fixed)
    }

    /// The template of a node that [`is_hole`].
    fn hole(&self, field: Field<'_>) -> Option<Template> {
        let Some(name) = field.value.text().and_then(older_hole) else {
            return self.template(field);
        };
        let template = Template::parse(&format!("${{{name}}}")).ok()?;
        Some(template.at(self.place(field.value)))
    }

    /// One of some words.
    pub fn choice<T: Copy>(&self, field: Field<'_>, choices: &[(&'static str, T)]) -> Option<T> {
        let text = self.text(field)?;
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == text) {
            return Some(*choice);
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let help = match nearest(text, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of: {}", names.join(", ")),
        };
        self.error_with_help(field.value, format!("`{}` cannot be `{text}`", field.name), help);
        None
    }
}

/// Whether the node holds `${…}`, or is the older `$NAME`.
fn is_hole(node: &Node) -> bool {
    node.text().is_some_and(|text| text.contains("${") || older_hole(text).is_some())
}

/// The name of the older `$NAME`.
fn older_hole(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let is_name = name.chars().all(|each| each.is_ascii_alphanumeric() || each == '_');
    (starts && is_name).then_some(name)
}

/// Any YAML value as it is.
#[must_use]
pub fn value(node: &Node) -> Value {
    match &node.content {
        Content::Scalar(text, style) => scalar::value_of_scalar(text, *style),
        Content::List(items) => Value::Array(items.iter().map(value).collect()),
        Content::Map(entries) => Value::Object(
            entries.iter().map(|entry| (entry.name.clone(), value(&entry.value))).collect(),
        ),
    }
}

/// Any YAML value whose texts may hold `${…}`.
pub fn constant(reader: &Reader, field: Field<'_>) -> Option<Constant> {
    match &field.value.content {
        Content::Scalar(text, style) => match scalar::value_of_scalar(text, *style) {
            Value::String(text) => match Template::parse(&text) {
                Ok(template) => Some(Constant::Text(template.at(reader.place(field.value)))),
                Err(error) => {
                    reader.syntax_error(field.value, &text, &error);
                    None
                }
            },
            scalar => Some(Constant::Scalar(scalar)),
        },
        Content::List(items) => {
            let items = items.iter().filter_map(|item| constant(reader, field.member(item)));
            Some(Constant::List(items.collect()))
        }
        Content::Map(entries) => {
            let entries = entries.iter().filter_map(|entry| {
                Some((entry.name.clone(), constant(reader, field.member(&entry.value))?))
            });
            Some(Constant::Map(entries.collect()))
        }
    }
}
