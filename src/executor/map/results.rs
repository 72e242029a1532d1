//! What reduce sees of a map: counts, results and aggregates, each made when it is first asked for.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::executor::run::Run;
use crate::expr::{Expression, Lookup, Origin, Path, Scope, Value};
use crate::mapreduce::Accumulator;
use crate::playbook::mapreduce::{Aggregate, Map};
use crate::session::{ItemStatus, ResultRef, Stored};
use crate::store::{JobFiles, StoreError};

/// The job's files and what was made of them in this run.
#[derive(Default)]
pub(in crate::executor) struct MapValues<'a> {
    job: OnceLock<(JobFiles, &'a Map)>,
    file: Mutex<Option<PathBuf>>,
}

impl<'a> MapValues<'a> {
    /// The map is over.
    pub(super) fn fill(&self, files: JobFiles, map: &'a Map) {
        let _ = self.job.set((files, map));
    }
}

impl<'a> Run<'a> {
    /// `map.FIELD`; null before the map is over.
    pub(in crate::executor) fn map_value(&self, field: &str) -> Value {
        let Some((files, _)) = self.map_values.job.get() else { return Value::Null };
        let counted = self.session.with(|state| {
            let items = &state.standing.items;
            match field {
                "total" => Some(state.lifetime.items),
                "successful" => Some(items.successful()),
                "failed" => Some(items.failed()),
                "skipped" => Some(items.skipped()),
                _ => None,
            }
        });
        if let Some(count) = counted {
            return Value::from(u64::from(count));
        }
        let made = match field {
            "results" => self.map_results(files, |_| true).map(Value::Array),
            "errors" => {
                self.map_results(files, |status| status != ItemStatus::Success).map(Value::Array)
            }
            "results_file" => self
                .results_file(files)
                .map(|path| Value::from(path.to_string_lossy().into_owned())),
            _ => Ok(Value::Null),
        };
        made.unwrap_or_else(|error| {
            self.warn(&error.to_string());
            Value::Null
        })
    }

    /// An aggregate of `map.variables`; none of that name, or before the map is over.
    pub(in crate::executor) fn map_variable(&self, name: &str) -> Option<Value> {
        let (files, map) = self.map_values.job.get()?;
        let aggregate = map.variables.iter().find(|it| it.name == name)?;
        let results = self.map_results(files, |status| status == ItemStatus::Success);
        match results {
            Ok(results) => Some(self.aggregate(aggregate, &results)),
            Err(error) => {
                self.warn(&error.to_string());
                Some(Value::Null)
            }
        }
    }

    fn aggregate(&self, aggregate: &Aggregate, results: &[Value]) -> Value {
        let mut accumulator = Accumulator::new(&aggregate.function);
        for result in results {
            let scope = ResultScope(result);
            let evaluate = |expression: &Option<Expression>| match expression {
                Some(expression) => expression.evaluate(&scope),
                None => Ok(scope.field("output").unwrap_or_default()),
            };
            let pushed = evaluate(&aggregate.of).and_then(|value| match &aggregate.by {
                Some(_) => {
                    evaluate(&aggregate.by).map(|key| accumulator.push_with_key(value, &key))
                }
                None => {
                    accumulator.push(value);
                    Ok(())
                }
            });
            if let Err(error) = pushed {
                self.warn(&format!("map.variables.{}: {error}", aggregate.name));
                return Value::Null;
            }
        }
        accumulator.finish()
    }

    /// The results of the items that `wanted` takes, in input order.
    fn map_results(
        &self,
        files: &JobFiles,
        wanted: impl Fn(ItemStatus) -> bool,
    ) -> Result<Vec<Value>, StoreError> {
        let mut results = Vec::new();
        for (item, status, at) in
            self.session.with(|state| state.standing.items.results().collect::<Vec<_>>())
        {
            if wanted(status) {
                results.push(self.item_value(files, item, at)?);
            }
        }
        Ok(results)
    }

    /// The result of one item.
    fn item_value(&self, files: &JobFiles, item: u32, at: ResultRef) -> Result<Value, StoreError> {
        if at == ResultRef::NONE {
            return Ok(self.open_stored(&passed_over(item)));
        }
        Ok(self.open_stored(&stored(&files.result(at)?)))
    }

    /// A fresh JSON file with all results in input order, written once a run.
    fn results_file(&self, files: &JobFiles) -> Result<PathBuf, StoreError> {
        let mut known = self.map_values.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = &*known {
            return Ok(path.clone());
        }
        let ended = self.session.with(|state| state.standing.items.results().collect::<Vec<_>>());
        let path = files.fresh_file("results.json", |out| {
            out.write_all(b"[")?;
            for (index, (item, _, at)) in ended.iter().enumerate() {
                out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
                let value = self.item_value(files, *item, *at).map_err(std::io::Error::other)?;
                serde_json::to_writer(&mut *out, &value.to_json())?;
            }
            out.write_all(b"\n]\n")
        })?;
        *known = Some(path.clone());
        Ok(path)
    }
}

/// The names of an aggregate: fields of a result, of its variables, and of its output where
/// that is JSON.
struct ResultScope<'a>(&'a Value);

impl ResultScope<'_> {
    fn field(&self, name: &str) -> Option<Value> {
        let Value::Object(result) = self.0 else { return None };
        if let Some(value) = result.get(name) {
            return Some(value.clone());
        }
        if let Some(Value::Object(variables)) = result.get("variables")
            && let Some(value) = variables.get(name)
        {
            return Some(value.clone());
        }
        let Some(Value::String(output)) = result.get("output") else { return None };
        let json: serde_json::Value = serde_json::from_str(output).ok()?;
        json.get(name).cloned().map(Value::from)
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

/// What stands for the result of an item that a person passed over.
fn passed_over(item: u32) -> Stored {
    Stored::object(vec![
        ("item_id", Stored::plain(format!("item_{item}"))),
        ("status", Stored::plain("skipped")),
        ("output", Stored::default()),
        ("error", Stored::plain("passed over by a person")),
    ])
}

fn stored(bytes: &[u8]) -> Stored {
    serde_json::from_slice(bytes).unwrap_or_default()
}
