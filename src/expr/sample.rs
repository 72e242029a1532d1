//! A small scope for the tests of this directory.

use indexmap::IndexMap;

use super::{Lookup, Origin, Path, Scope, Value};

/// Names with their values and origins.
#[derive(Debug, Default)]
pub(super) struct Sample(IndexMap<String, (Value, Origin)>);

impl Sample {
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>, origin: Origin) -> Self {
        self.0.insert(name.to_owned(), (value.into(), origin));
        self
    }

    pub(super) fn with_data(self, name: &str, value: impl Into<Value>) -> Self {
        self.with(name, value, Origin::Data)
    }

    pub(super) fn with_json(self, name: &str, json: &str) -> Self {
        let value: serde_json::Value = serde_json::from_str(json).expect("JSON");
        self.with_data(name, value)
    }
}

impl Scope for Sample {
    fn lookup(&self, path: &Path) -> Lookup {
        match self.0.get(&path.root) {
            None => Lookup::Unknown,
            Some((value, origin)) => {
                Lookup::Found { value: value.clone(), origin: *origin, used: 0 }
            }
        }
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}
