//! Names of checkpoints beside those of stages: both are what `--from-checkpoint` takes
//! (DECISIONS A23, B28). What one name may look like is said by the lowering.

use std::collections::HashMap;

use crate::playbook::model::{Body, Workflow};
use crate::playbook::{Position, Problem};

use super::moment::Moment;

/// One problem for each checkpoint whose name is taken by a stage or an earlier checkpoint.
pub(super) fn checkpoints(workflow: &Workflow, moments: &[Moment<'_>]) -> Vec<Problem> {
    let stages = match &workflow.body {
        Body::Steps(_) | Body::MapReduce(_) => &[][..],
        Body::Stages(stages) => stages,
    };
    let mut taken: HashMap<&str, (&str, &Position)> = HashMap::new();
    for stage in stages {
        taken.entry(&stage.name).or_insert(("stage", &stage.at));
    }
    if let Body::MapReduce(job) = &workflow.body {
        let phases = [&job.setup, &job.reduce].into_iter().flatten();
        taken.extend(phases.map(|phase| (phase.name.as_str(), ("phase", &phase.at))));
        taken.insert("map", ("phase", &job.map.at));
    }
    let mut problems = Vec::new();
    for moment in moments {
        let Moment::Checkpoint(name, at) = moment else { continue };
        if let Some((other, place)) = taken.get(name) {
            let message = format!(
                "the checkpoint `{name}` has the name of the {other} at line {}",
                place.line
            );
            let help = "`resume --from-checkpoint` takes both, so the names must differ";
            problems.push(Problem::error((*at).clone(), 1, message).with_help(help));
        } else {
            taken.insert(name, ("checkpoint", at));
        }
    }
    problems
}
