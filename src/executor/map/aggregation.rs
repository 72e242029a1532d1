//! `map.variables` out of results: all aggregates in one pass.

use std::cell::OnceCell;

use indexmap::IndexMap;

use crate::expr::{EvalError, Expression, Lookup, Origin, Path, Scope, Value};
use crate::mapreduce::Accumulator;
use crate::playbook::mapreduce::Aggregate;

/// Aggregates in the making.
pub(super) struct Aggregation<'a> {
    parts: Vec<(&'a Aggregate, Result<Accumulator, EvalError>)>,
}

impl<'a> Aggregation<'a> {
    /// Of no result yet.
    pub(super) fn new(aggregates: &'a [Aggregate]) -> Self {
        let parts = aggregates.iter().map(|it| (it, Ok(Accumulator::new(&it.function))));
        Self { parts: parts.collect() }
    }

    /// One more result, in input order.
    pub(super) fn add(&mut self, result: &Value) {
        let scope = ResultScope { result, output: OnceCell::new() };
        for (aggregate, state) in &mut self.parts {
            if let Ok(accumulator) = state
                && let Err(error) = push(accumulator, aggregate, &scope)
            {
                *state = Err(error);
            }
        }
    }

    /// The aggregates by name, without those that could not be made, and what is to be said of them.
    pub(super) fn finish(self) -> (IndexMap<String, Value>, Vec<String>) {
        let (mut values, mut remarks) = (IndexMap::new(), Vec::new());
        for (aggregate, state) in self.parts {
            let name = &aggregate.name;
            match state {
                Ok(accumulator) => {
                    match accumulator.passed_over() {
                        0 => {}
                        1 => remarks.push(format!("map.variables.{name}: 1 value does not fit")),
                        some => {
                            remarks.push(format!("map.variables.{name}: {some} values do not fit"));
                        }
                    }
                    values.insert(name.clone(), accumulator.finish());
                }
                Err(error) => remarks.push(format!("map.variables.{name}: {error}")),
            }
        }
        (values, remarks)
    }
}

fn push(
    accumulator: &mut Accumulator,
    aggregate: &Aggregate,
    scope: &ResultScope<'_>,
) -> Result<(), EvalError> {
    let evaluate = |expression: &Expression| expression.evaluate(scope);
    let value = match &aggregate.of {
        Some(expression) => evaluate(expression)?,
        None => scope.field("output").unwrap_or_default(),
    };
    match &aggregate.by {
        Some(key) => accumulator.push_with_key(value, &evaluate(key)?),
        None => accumulator.push(value),
    }
    Ok(())
}

/// The names of an aggregate: fields of a result, of its variables, and of its output where
/// that is JSON. What a result does not have is null.
struct ResultScope<'a> {
    result: &'a Value,
    /// The output as JSON.
    output: OnceCell<Option<Value>>,
}

impl ResultScope<'_> {
    fn field(&self, name: &str) -> Option<Value> {
        let Value::Object(result) = self.result else { return None };
        let variables = || match result.get("variables") {
            Some(Value::Object(variables)) => variables.get(name).cloned(),
            _ => None,
        };
        let output = || match self.output(result) {
            Some(Value::Object(fields)) => fields.get(name).cloned(),
            _ => None,
        };
        result.get(name).cloned().or_else(variables).or_else(output)
    }

    fn output(&self, result: &IndexMap<String, Value>) -> Option<&Value> {
        let parse = || match result.get("output") {
            Some(Value::String(text)) => {
                let json: serde_json::Value = serde_json::from_str(text).ok()?;
                Some(Value::from(json))
            }
            other => other.cloned(),
        };
        self.output.get_or_init(parse).as_ref()
    }
}

impl Scope for ResultScope<'_> {
    fn lookup(&self, path: &Path) -> Lookup {
        let value = self.field(&path.root).unwrap_or_default();
        Lookup::Found { value, origin: Origin::Data, used: 0 }
    }

    fn names(&self) -> Vec<String> {
        ["item_id", "status", "output", "duration", "variables"].map(str::to_owned).to_vec()
    }
}
