//! What reduce sees of a map: counts, results and aggregates, each made when it is first asked for.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use indexmap::IndexMap;

use crate::executor::run::Run;
use crate::expr::Value;
use crate::playbook::mapreduce::Map;
use crate::playbook::model::Body;
use crate::session::{EventKind, ItemStatus, ResultPlace, Stored};
use crate::store::{JobFiles, Records, StoreError};

use super::aggregation::Aggregation;

/// The job's files and what was made of them in this run.
#[derive(Default)]
pub(in crate::executor) struct MapValues<'a> {
    job: OnceLock<(JobFiles, &'a Map)>,
    records: OnceLock<Records>,
    file: Mutex<Option<PathBuf>>,
    aggregates: OnceLock<IndexMap<String, Value>>,
}

impl<'a> MapValues<'a> {
    /// The map is over.
    pub(super) fn fill(&self, files: JobFiles, map: &'a Map) {
        let _ = self.job.set((files, map));
    }
}

impl<'a> Run<'a> {
    /// `map.FIELD`; null before the map is over, none where it cannot be made (and that is told).
    pub(in crate::executor) fn map_value(&self, field: &str) -> Option<Value> {
        let Some((files, _)) = self.map_values.job.get() else { return Some(Value::Null) };
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
            return Some(Value::from(u64::from(count)));
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
        made.inspect_err(|error| self.warn(&error.to_string())).ok()
    }

    /// An entry of `map.variables`, null before the map is over; none where there is none of
    /// that name, or it cannot be made (and that is told).
    pub(in crate::executor) fn map_variable(&self, name: &str) -> Option<Value> {
        let Body::MapReduce(job) = &self.workflow.body else { return None };
        job.map.variables.iter().find(|it| it.name == name)?;
        let Some((files, map)) = self.map_values.job.get() else { return Some(Value::Null) };
        self.map_values.aggregates.get_or_init(|| self.aggregates(files, map)).get(name).cloned()
    }

    /// All aggregates, from one look at each result.
    fn aggregates(&self, files: &JobFiles, map: &Map) -> IndexMap<String, Value> {
        let mut aggregation = Aggregation::new(&map.variables);
        let succeeded = |&(_, status, _): &(_, ItemStatus, _)| status == ItemStatus::Success;
        for (item, _, place) in self.ended_items().into_iter().filter(succeeded) {
            match self.item_value(files, item, place) {
                Ok(result) => aggregation.add(&result),
                Err(error) => {
                    self.warn(&error.to_string());
                    return IndexMap::new();
                }
            }
        }
        let (values, remarks) = aggregation.finish();
        remarks.iter().for_each(|remark| self.warn(remark));
        values
    }

    /// The items that ended, in input order.
    fn ended_items(&self) -> Vec<(u32, ItemStatus, ResultPlace)> {
        self.session.with(|state| state.standing.items.results().collect())
    }

    /// The results of the items that `wanted` takes, in input order.
    fn map_results(
        &self,
        files: &JobFiles,
        wanted: impl Fn(ItemStatus) -> bool,
    ) -> Result<Vec<Value>, StoreError> {
        let mut results = Vec::new();
        for (item, status, place) in self.ended_items() {
            if wanted(status) {
                results.push(self.item_value(files, item, place)?);
            }
        }
        Ok(results)
    }

    /// The result of one item.
    fn item_value(
        &self,
        files: &JobFiles,
        item: u32,
        place: ResultPlace,
    ) -> Result<Value, StoreError> {
        Ok(self.open_stored(&match place {
            ResultPlace::Nowhere => passed_over(item),
            ResultPlace::Record(seq) => match self.records()?.event(seq)?.kind {
                EventKind::ItemFinished { status, value: Some(short), .. } => {
                    short.whole(item, status)
                }
                _ => Stored::default(),
            },
            ResultPlace::File(at) => serde_json::from_slice(&files.result(at)?).unwrap_or_default(),
        }))
    }

    /// The journal as it was when the first result was asked for: the map was over by then.
    fn records(&self) -> Result<&Records, StoreError> {
        let known = &self.map_values.records;
        if let Some(records) = known.get() {
            return Ok(records);
        }
        let opened = Records::open(self.session.home(), self.session.id())?;
        Ok(known.get_or_init(|| opened))
    }

    /// A fresh JSON file with all results in input order, written once a run.
    fn results_file(&self, files: &JobFiles) -> Result<PathBuf, StoreError> {
        let mut known = self.map_values.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = &*known {
            return Ok(path.clone());
        }
        let ended = self.ended_items();
        let path = files.write_all_results(|out| {
            out.write_all(b"[")?;
            for (index, (item, _, place)) in ended.iter().enumerate() {
                out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
                let value = self.item_value(files, *item, *place).map_err(std::io::Error::other)?;
                serde_json::to_writer(&mut *out, &value.to_json())?;
            }
            out.write_all(b"\n]\n")
        })?;
        *known = Some(path.clone());
        Ok(path)
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
