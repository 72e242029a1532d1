//! A mapping whose keys are handed out one by one; what nobody asked for is unknown.

use std::fmt::Display;

use super::nearest::nearest;
use super::older;
use super::reader::{Field, Reader};
use crate::playbook::Problem;
use crate::playbook::yaml::{Entry, Kind, Node};

/// Keys under which a file defines names that others use.
const DEFINING: [&str; 8] =
    ["id", "capture", "capture_output", "variables", "parameters", "env", "env_files", "secrets"];

/// The keys of one mapping. Because a key is known exactly when it is asked for, none can be
/// accepted and then forgotten.
pub struct Fields<'n> {
    reader: &'n Reader,
    node: &'n Node,
    whole: &'static str,
    left: Vec<&'n Entry>,
    asked: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// The fields of `node`, which is `whole` (`a step`, `` `retry` ``); notes it when it is no mapping.
    pub fn open(reader: &'n Reader, node: &'n Node, whole: &'static str) -> Option<Self> {
        let Some(entries) = node.entries() else {
            let found = Kind::of(node).with_article();
            reader.error(node, format!("{whole} must be a mapping, not {found}"));
            return None;
        };
        let left = entries.iter().filter(|entry| !entry.name.starts_with("x-")).collect();
        // A step is asked about some 50 keys.
        Some(Self { reader, node, whole, left, asked: Vec::with_capacity(64) })
    }

    /// The mapping itself.
    #[must_use]
    pub fn node(&self) -> &'n Node {
        self.node
    }

    /// Whether the mapping has this key, without taking it.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.left.iter().any(|entry| entry.name == name)
    }

    /// Takes a key with its value; a key without a value is an error.
    pub fn take(&mut self, name: &'static str) -> Option<Field<'n>> {
        let field = self.take_any_value(name)?;
        if Kind::of(field.value) == Kind::Null {
            let message = format!("`{name}` has no value");
            self.reader.error_with_help(field.key, message, "give it one, or remove the key");
            return None;
        }
        Some(field)
    }

    /// Takes a key whose value may be null.
    pub fn take_any_value(&mut self, name: &'static str) -> Option<Field<'n>> {
        self.asked.push(name);
        let index = self.left.iter().position(|entry| entry.name == name)?;
        let entry = self.left.remove(index);
        Some(Field { name, key: &entry.key, value: &entry.value })
    }

    /// Takes a key that has a second spelling; both at once are an error.
    pub fn take_either(&mut self, name: &'static str, alias: &'static str) -> Option<Field<'n>> {
        let (first, second) = (self.take(name), self.take(alias));
        if let (Some(_), Some(second)) = (first, second) {
            self.reader.error_with_help(
                second.key,
                format!("`{alias}` and `{name}` mean the same"),
                format!("keep `{name}`"),
            );
        }
        first.or(second)
    }

    /// Reports a key that is known but has no place in this mapping. The words are spelled only
    /// where it is there: most steps are asked about many keys that they do not have.
    pub fn refuse(&mut self, name: &str, message: impl Display, help: impl Display) -> bool {
        let Some(index) = self.left.iter().position(|entry| entry.name == name) else {
            return false;
        };
        let entry = self.left.remove(index);
        self.reader.error_with_help(&entry.key, message.to_string(), help.to_string());
        true
    }

    /// Reports each key of SPEC that this version cannot do yet; true when there was one.
    pub fn refuse_not_yet(&mut self, names: &[&str]) -> bool {
        let mut found = false;
        for name in names {
            let message = format_args!("`{name}` is not supported yet by this version");
            found |= self.refuse(name, message, "remove it, or wait for a version that knows it");
        }
        found
    }

    /// Among the keys nobody asked for, is there one that was probably meant to be one of `names`?
    #[must_use]
    pub fn probably_meant(&self, names: &[&'static str]) -> bool {
        self.left.iter().take(20).any(|entry| {
            nearest(&entry.name, self.asked.iter().copied())
                .is_some_and(|near| names.contains(&near))
                || older::replaces(self.whole, &entry.name).is_some_and(|new| names.contains(&new))
        })
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self) {
        for entry in &self.left {
            self.report_unknown(entry);
        }
    }

    fn report_unknown(&self, entry: &Entry) {
        let name = entry.name.as_str();
        let near =
            if self.reader.has_enough() { None } else { nearest(name, self.asked.iter().copied()) };
        if near.is_some_and(|near| DEFINING.contains(&near)) {
            self.reader.lose_names();
        }
        let at = self.reader.position(&entry.key);
        let length = entry.key.length;
        if let Some(older) = older::refusal(self.whole, name) {
            self.reader.note(Problem::error(at, length, older.message).with_help(older.help));
            return;
        }
        let problem = Problem::error(at, length, format!("unknown key `{name}` in {}", self.whole));
        let help = match (near, older::home_of(name)) {
            (Some(near), _) => Some(format!("did you mean `{near}`?")),
            (None, Some(home)) => Some(format!("`{name}` belongs {home}")),
            (None, None) if self.asked.len() <= 12 => {
                Some(format!("known here: {}", self.asked.join(", ")))
            }
            (None, None) => None,
        };
        self.reader.note(match help {
            Some(help) => problem.with_help(help),
            None => problem,
        });
    }
}
