//! The steps of a workflow that stand on their own (not below another step), with their addresses.

use std::collections::BTreeSet;

use crate::playbook::model::{Body, Stage, Step, Workflow};
use crate::session::{Address, SessionState, item_address, item_number, map_address};

/// One step of the workflow, a stage or a pass.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// Where it runs.
    pub address: Address,
    /// The sequence it stands in.
    pub sequence: Address,
    /// Its stage, where there are stages.
    pub stage: Option<&'a Stage>,
    /// The step.
    pub step: &'a Step,
}

impl Place<'_> {
    /// What a person calls it: its name or id, else what it does.
    #[must_use]
    pub fn name(&self) -> String {
        let named = self.step.name.as_ref().map(|name| name.source().to_owned());
        named.or_else(|| self.step.id.clone()).unwrap_or_else(|| self.step.summary())
    }
}

/// The steps of `workflow` in the order they run, over all passes of the session; of a map those
/// of the items in progress.
#[must_use]
pub fn places<'a>(workflow: &'a Workflow, state: &SessionState) -> Vec<Place<'a>> {
    let mut places = Vec::new();
    for base in passes(state) {
        match &workflow.body {
            Body::Steps(steps) => add(&mut places, &base, None, steps),
            Body::MapReduce(job) => {
                if let Some(stage) = &job.setup {
                    add(&mut places, &base.join(&stage.name), Some(stage), &stage.steps);
                }
                for item in items_in_progress(state) {
                    add(&mut places, &item_address(item), None, &job.map.template);
                }
                if let Some(stage) = &job.reduce {
                    add(&mut places, &base.join(&stage.name), Some(stage), &stage.steps);
                }
            }
            Body::Stages(stages) => {
                for stage in stages {
                    add(&mut places, &base.join(&stage.name), Some(stage), &stage.steps);
                }
            }
        }
    }
    places
}

/// The items of which something inside is recorded: they have begun and not ended.
fn items_in_progress(state: &SessionState) -> BTreeSet<u32> {
    let map = map_address();
    let records = state.standing.records_within(&map);
    records.filter_map(|(address, _)| item_number(address)).collect()
}

/// The scopes of the passes: the root alone without `--arg`, `--map` and `-n`.
pub(super) fn passes(state: &SessionState) -> Vec<Address> {
    let Some(header) = state.header() else { return vec![Address::root()] };
    let count = match header.max_iterations {
        _ if !header.passes.is_empty() => header.passes.len() as u64,
        Some(iterations) => iterations,
        None => return vec![Address::root()],
    };
    (1..=count).map(|number| Address::root().join(&format!("pass[{number}]"))).collect()
}

/// The scope of the pass that `address` lies in: the root without passes.
pub(super) fn pass_of(address: &Address) -> Address {
    match address.pass() {
        Some(number) => Address::root().join(&format!("pass[{number}]")),
        None => Address::root(),
    }
}

fn add<'a>(
    places: &mut Vec<Place<'a>>,
    sequence: &Address,
    stage: Option<&'a Stage>,
    steps: &'a [Step],
) {
    places.extend(steps.iter().enumerate().map(|(index, step)| Place {
        address: sequence.step(index + 1),
        sequence: sequence.clone(),
        stage,
        step,
    }));
}
