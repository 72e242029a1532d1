//! Every step of a workflow, at any depth, in the order of the file.

use super::Position;
use super::failure::{HandlerSet, Strategy};
use super::model::{Action, Body, EnvEntry, Stage, Step, Workflow};
use crate::session::SessionKind;

/// What a list of steps hangs below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Branch {
    /// `commands:` of the workflow.
    Commands,
    /// `commands:` of the stage with this index, from 0.
    Stage(usize),
    /// `agent_template:` of a map.
    Map,
    /// `finally:`.
    Finally,
    /// Commands of a handler, its `on_success`, or the cleanup of `abort`.
    Handler,
    /// `on_success:` of a step.
    OnSuccess,
    /// `on_exit_code:`.
    OnExitCode(u8),
    /// `do:` of a `foreach`.
    Do,
    /// The improver of a `goal_seek`.
    Improve,
    /// The measure of a `goal_seek`.
    Measure,
    /// `validate:`.
    Validate,
    /// `on_incomplete:`.
    OnIncomplete,
    /// `fix:` of a rule of `recovery:`.
    Fix,
}

/// Where a step stands in the tree.
#[derive(Debug, Clone, Copy)]
pub struct Spot<'w> {
    /// The step it hangs below, if any.
    pub below: Option<&'w Step>,
    /// The list it is in.
    pub branch: Branch,
    /// Its index in that list, from 1.
    pub index: usize,
    /// 0 for steps of the workflow, stages and `finally`.
    pub depth: usize,
}

impl Workflow {
    /// The stages; none for a workflow of plain steps.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        match &self.body {
            Body::Steps(_) | Body::MapReduce(_) => &[],
            Body::Stages(stages) => stages,
        }
    }

    /// What kind of session runs it.
    #[must_use]
    pub fn session_kind(&self) -> SessionKind {
        match &self.body {
            Body::MapReduce(_) => SessionKind::Mapreduce,
            Body::Steps(_) | Body::Stages(_) => SessionKind::Standard,
        }
    }

    /// The names of its stages, or of the phases of a map; none for plain steps.
    #[must_use]
    pub fn stage_names(&self) -> Vec<String> {
        match &self.body {
            Body::Steps(_) => Vec::new(),
            Body::Stages(stages) => stages.iter().map(|stage| stage.name.clone()).collect(),
            Body::MapReduce(job) => {
                let phases = [
                    job.setup.as_ref().map(|_| "setup"),
                    Some("map"),
                    job.reduce.as_ref().map(|_| "reduce"),
                ];
                phases.into_iter().flatten().map(str::to_owned).collect()
            }
        }
    }

    /// The steps that count as positions (`step 3/10`): those of the workflow or of all its stages.
    pub fn top_steps(&self) -> impl Iterator<Item = &Step> {
        let steps: &[Step] = match &self.body {
            Body::Steps(steps) => steps,
            Body::Stages(_) | Body::MapReduce(_) => &[],
        };
        let phases = match &self.body {
            Body::MapReduce(job) => [job.setup.as_ref(), job.reduce.as_ref()],
            Body::Steps(_) | Body::Stages(_) => [None, None],
        };
        let stages = self.stages().iter().chain(phases.into_iter().flatten());
        steps.iter().chain(stages.flat_map(|stage| &stage.steps))
    }
}

/// The entries with `secret: true` in the `env` of stages and steps: like those of the workflow
/// they are known before the first step, so that nothing of them is ever shown.
#[must_use]
pub fn inner_secrets(workflow: &Workflow) -> Vec<(&EnvEntry, &Position)> {
    let phases = match &workflow.body {
        Body::MapReduce(job) => [job.setup.as_ref(), job.reduce.as_ref()],
        Body::Steps(_) | Body::Stages(_) => [None, None],
    };
    let stages = workflow.stages().iter().chain(phases.into_iter().flatten());
    let mut found: Vec<(&EnvEntry, &Position)> =
        stages.flat_map(|stage| stage.env.iter().map(|entry| (entry, &stage.at))).collect();
    each_step(workflow, &mut |step, _| {
        found.extend(step.env.iter().map(|entry| (entry, &step.at)));
    });
    found.retain(|(entry, _)| entry.secret);
    found
}

/// How many steps the workflow has as a person counts: top-level and stage steps.
#[must_use]
pub fn count_steps(workflow: &Workflow) -> usize {
    workflow.top_steps().count()
}

/// Calls `visit` for every step at any depth, each before what hangs below it.
pub fn each_step<'w>(workflow: &'w Workflow, visit: &mut dyn FnMut(&'w Step, Spot<'w>)) {
    let mut walk = Walk { visit };
    match &workflow.body {
        Body::Steps(steps) => walk.list(steps, None, Branch::Commands, 0),
        Body::Stages(stages) => {
            for (index, stage) in stages.iter().enumerate() {
                walk.list(&stage.steps, None, Branch::Stage(index), 0);
                walk.handlers(stage.on_failure.as_ref(), None, 1);
            }
        }
        Body::MapReduce(job) => {
            if let Some(setup) = &job.setup {
                walk.list(&setup.steps, None, Branch::Stage(0), 0);
            }
            walk.list(&job.map.template, None, Branch::Map, 0);
            if let Some(reduce) = &job.reduce {
                walk.list(&reduce.steps, None, Branch::Stage(1), 0);
            }
        }
    }
    walk.handlers(workflow.on_failure.as_ref(), None, 1);
    walk.list(&workflow.finally, None, Branch::Finally, 0);
    for rule in &workflow.recovery.rules {
        walk.list(&rule.fix, None, Branch::Fix, 1);
    }
}

/// Calls `visit` for every step below `step`, itself not included.
pub fn each_step_below<'w>(step: &'w Step, visit: &mut dyn FnMut(&'w Step, Spot<'w>)) {
    Walk { visit }.below(step, 1);
}

struct Walk<'v, 'w> {
    visit: &'v mut dyn FnMut(&'w Step, Spot<'w>),
}

impl<'w> Walk<'_, 'w> {
    fn list(&mut self, steps: &'w [Step], below: Option<&'w Step>, branch: Branch, depth: usize) {
        for (index, step) in steps.iter().enumerate() {
            self.one(step, Spot { below, branch, index: index + 1, depth });
        }
    }

    fn one(&mut self, step: &'w Step, spot: Spot<'w>) {
        (self.visit)(step, spot);
        self.below(step, spot.depth + 1);
    }

    fn below(&mut self, step: &'w Step, depth: usize) {
        let below = Some(step);
        match &step.action {
            Action::Foreach(each) => self.list(&each.steps, below, Branch::Do, depth),
            Action::GoalSeek(seek) => {
                self.one(&seek.improve, Spot { below, branch: Branch::Improve, index: 1, depth });
                self.one(&seek.measure, Spot { below, branch: Branch::Measure, index: 1, depth });
            }
            Action::Shell(_) | Action::Claude(_) | Action::WriteFile(_) => {}
        }
        if let Some(validate) = &step.validate {
            self.list(&validate.steps, below, Branch::Validate, depth);
            if let Some(incomplete) = &validate.on_incomplete {
                self.list(&incomplete.steps, below, Branch::OnIncomplete, depth);
            }
        }
        for (code, steps) in &step.on_exit_code {
            self.list(steps, below, Branch::OnExitCode(*code), depth);
        }
        self.handlers(step.on_failure.as_ref(), below, depth);
        self.list(&step.on_success, below, Branch::OnSuccess, depth);
    }

    fn handlers(&mut self, set: Option<&'w HandlerSet>, below: Option<&'w Step>, depth: usize) {
        for handler in set.into_iter().flat_map(|set| &set.handlers) {
            self.list(&handler.steps, below, Branch::Handler, depth);
            if let Strategy::Abort { cleanup } = &handler.strategy {
                self.list(cleanup, below, Branch::Handler, depth);
            }
            self.list(&handler.on_success, below, Branch::Handler, depth);
            self.handlers(handler.on_failure.as_deref(), below, depth + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::playbook::parse;

    #[test]
    fn every_step_is_visited_once_before_what_hangs_below_it() {
        let text = "
commands:
  - name: a
    foreach: [x]
    do: [{name: b, shell: x, on_success: [{name: c, shell: x}]}]
  - name: d
    shell: x
    validate: {commands: [{name: e, shell: x}], on_incomplete: [{name: f, shell: x}]}
    on_exit_code: {7: {name: g, shell: x}}
    on_failure:
      commands: [{name: h, shell: x}]
      strategy: abort
      cleanup: [{name: i, shell: x}]
      on_failure: [{name: j, shell: x}]
  - name: k
    goal_seek: {goal: x, shell: l, validate: m}
on_failure: [{name: n, shell: x}]
finally: [{name: o, shell: x}]
recovery: {rules: [{class: lint, fix: {name: p, shell: x}}]}
";
        let workflow = parse(Path::new("flow.yml"), text).unwrap().workflow;
        let mut seen = String::new();
        each_step(&workflow, &mut |step, spot| {
            let name = step.name.as_ref().map(|name| name.source().to_owned());
            let name = name.unwrap_or_else(|| format!("{:?}", spot.branch));
            seen.push_str(&format!("{name}{} ", spot.depth));
        });
        assert_eq!(seen, "a0 b1 c2 d0 e1 f1 g1 h1 i1 j2 k0 Improve1 Measure1 n1 o0 p1 ");
        assert_eq!(count_steps(&workflow), 3);
        let mut below = 0;
        each_step_below(workflow.top_steps().next().unwrap(), &mut |_, _| below += 1);
        assert_eq!(below, 2);
    }
}
