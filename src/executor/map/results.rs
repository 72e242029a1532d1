//! What reduce sees of a map: counts, results and aggregates, each made when it is first asked for.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::executor::run::Run;
use crate::expr::Value;
use crate::playbook::mapreduce::Map;
use crate::session::{ItemStatus, Stored};
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
        Some(match results {
            Ok(results) => crate::mapreduce::aggregate(aggregate, &results).unwrap_or_else(|error| {
                self.warn(&format!("map.variables.{name}: {error}"));
                Value::Null
            }),
            Err(error) => {
                self.warn(&error.to_string());
                Value::Null
            }
        })
    }

    /// The results of the items that `wanted` takes, in input order.
    fn map_results(
        &self,
        files: &JobFiles,
        wanted: impl Fn(ItemStatus) -> bool,
    ) -> Result<Vec<Value>, StoreError> {
        let mut results = Vec::new();
        for (_, status, at) in self.session.with(|state| {
            state.standing.items.results().collect::<Vec<_>>()
        }) {
            if wanted(status) {
                let bytes = files.result(at)?;
                results.push(self.open_stored(&stored(&bytes)));
            }
        }
        Ok(results)
    }

    /// A fresh JSON file with all results in input order, written once a run.
    fn results_file(&self, files: &JobFiles) -> Result<PathBuf, StoreError> {
        let mut known = self.map_values.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = &*known {
            return Ok(path.clone());
        }
        let ended = self.session.with(|state| {
            state.standing.items.results().collect::<Vec<_>>()
        });
        let path = files.fresh_file("results.json", |out| {
            out.write_all(b"[")?;
            for (index, (_, _, at)) in ended.iter().enumerate() {
                out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
                let bytes = files.result(*at).map_err(std::io::Error::other)?;
                let value = self.open_stored(&stored(&bytes));
                serde_json::to_writer(&mut *out, &value.to_json())?;
            }
            out.write_all(b"\n]\n")
        })?;
        *known = Some(path.clone());
        Ok(path)
    }
}

fn stored(bytes: &[u8]) -> Stored {
    serde_json::from_slice(bytes).unwrap_or_default()
}
