//! The items of a loop: evaluated once, then frozen in the journal.

use crate::executor::attempt::Attempt;
use crate::executor::frame::Frame;
use crate::executor::run::Run;
use crate::expr::{EvalError, Value};
use crate::playbook::model::{Count, Foreach, ItemTemplate, Items};
use crate::session::{Address, Failure, FailureKind};

impl<'a> Run<'a> {
    /// The items of a loop, as they are now.
    pub(super) fn items(
        &self,
        attempt: &Attempt<'_, 'a>,
        each: &'a Foreach,
    ) -> Result<Vec<Value>, Failure> {
        let unresolved = |error: EvalError| self.unresolved("the items", &error);
        let mut items = match &each.items {
            Items::List(templates) => self.listed(attempt, templates).map_err(unresolved)?,
            Items::Command(text) => from_output(self.value_command(attempt, text)?),
            Items::Value(text) => {
                let names = self.names(attempt.frame, attempt.address);
                match text.evaluate(&names).map_err(unresolved)?.0 {
                    Value::Array(items) => items,
                    Value::Null => Vec::new(),
                    other => from_output(other.to_bytes()),
                }
            }
            Items::Input { input, json_path } => {
                self.input(attempt, input, json_path.as_deref())?
            }
        };
        if let Some(limit) = &each.max_items {
            let limit =
                self.count(limit, attempt).map_err(|error| self.unresolved("max_items", &error))?;
            items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        }
        Ok(items)
    }

    fn listed(
        &self,
        attempt: &Attempt<'_, 'a>,
        templates: &'a [ItemTemplate],
    ) -> Result<Vec<Value>, EvalError> {
        let names = self.names(attempt.frame, attempt.address);
        let mut items = Vec::with_capacity(templates.len());
        for template in templates {
            match template {
                ItemTemplate::Constant(value) => items.push(value.clone()),
                ItemTemplate::Text(text) => match (text.as_literal(), text.evaluate(&names)?.0) {
                    (Some(literal), _) => items.push(Value::from(literal)),
                    (None, Value::Array(values)) => items.extend(values),
                    (None, value) => items.push(value),
                },
            }
        }
        Ok(items)
    }

    /// `input:`: a file, or the command when there is no such file.
    fn input(
        &self,
        attempt: &Attempt<'_, 'a>,
        input: &'a crate::expr::ShellText,
        json_path: Option<&str>,
    ) -> Result<Vec<Value>, Failure> {
        let names = self.names(attempt.frame, attempt.address);
        let plain = crate::expr::Template::parse(input.source()).ok();
        let name = plain.and_then(|text| text.render(&names).ok());
        let file =
            name.map(|name| self.surroundings.directory.join(name)).filter(|it| it.is_file());
        let bytes = match file {
            Some(path) => std::fs::read(&path).map_err(|error| {
                let message = format!("cannot read {}: {error}", path.display());
                self.failure(FailureKind::File, &message)
            })?,
            None => self.value_command(attempt, input)?,
        };
        let Some(path) = json_path else { return Ok(from_output(bytes)) };
        let path = serde_json_path::JsonPath::parse(path).map_err(|error| {
            self.failure(FailureKind::Expression, &format!("json_path {path:?}: {error}"))
        })?;
        let json: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| {
            self.failure(FailureKind::Expression, &format!("the input is not JSON: {error}"))
        })?;
        Ok(path.query(&json).all().into_iter().map(|node| Value::from(node.clone())).collect())
    }

    /// A count, resolved now.
    pub(super) fn count(
        &self,
        count: &'a Count,
        attempt: &Attempt<'_, 'a>,
    ) -> Result<u64, EvalError> {
        self.resolved_count(count, attempt.frame, attempt.address)
    }

    /// A count as it is seen from `address`, resolved now.
    pub(in crate::executor) fn resolved_count(
        &self,
        count: &'a Count,
        frame: &Frame<'a>,
        address: &Address,
    ) -> Result<u64, EvalError> {
        match count {
            Count::Fixed(number) => Ok(*number),
            Count::Computed(text) => {
                let text = self.render(text, frame, address)?;
                text.trim().parse().map_err(|_| EvalError {
                    message: format!("{text:?} is no whole number"),
                    help: None,
                })
            }
        }
    }
}

/// A JSON array, a JSON value, JSON Lines, or plain lines.
fn from_output(bytes: Vec<u8>) -> Vec<Value> {
    if let Ok(json) = serde_json::from_slice::<serde_json::Value>(&bytes) {
        return match Value::from(json) {
            Value::Array(items) => items,
            Value::Null => Vec::new(),
            other => vec![other],
        };
    }
    let lines =
        bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let lines: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).collect();
    let documents: Option<Vec<Value>> = lines
        .iter()
        .map(|line| match serde_json::from_slice::<serde_json::Value>(line) {
            Ok(json @ (serde_json::Value::Object(_) | serde_json::Value::Array(_))) => {
                Some(Value::from(json))
            }
            _ => None,
        })
        .collect();
    documents.unwrap_or_else(|| lines.into_iter().map(|line| Value::text(line.to_vec())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_become_items() {
        let texts = |items: &[Value]| items.iter().map(Value::to_text).collect::<Vec<_>>();
        assert_eq!(texts(&from_output(b"[1, \"a\"]".to_vec())), ["1", "a"]);
        assert_eq!(texts(&from_output(b"{\"a\":1}\n{\"a\":2}\n".to_vec())).len(), 2);
        assert_eq!(texts(&from_output(b"one two\r\nthree\n\n".to_vec())), ["one two", "three"]);
        assert!(from_output(Vec::new()).is_empty());
    }
}
