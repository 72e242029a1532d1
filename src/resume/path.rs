//! From an address that a person typed to the step of the workflow, and to every sequence around it.

use crate::playbook::model::{Action, Body, Foreach, Step, Workflow};
use crate::session::{Address, SessionState, item_address, item_number};

use super::tree::passes;

/// One sequence on the way to a step, and where in it the way goes on.
#[derive(Debug, Clone)]
pub(super) struct Level<'w> {
    /// The scope of the sequence.
    pub(super) sequence: Address,
    /// Its steps.
    pub(super) steps: &'w [Step],
    /// The step that is meant or lies around what is meant, from 1.
    pub(super) index: usize,
    /// The loop whose round the next level is.
    pub(super) each: Option<(&'w Foreach, usize)>,
}

/// The way to a step, a round or an item.
#[derive(Debug, Clone)]
pub(super) struct Path<'w> {
    /// The pass it lies in; root without passes.
    pub(super) pass: Address,
    /// The stage or phase it lies in.
    pub(super) stage: Option<&'w str>,
    /// The item of the map that it is or lies in.
    pub(super) item: Option<u32>,
    /// Outermost first; none for a whole item.
    pub(super) levels: Vec<Level<'w>>,
}

/// Why an address does not name something that can run by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Astray {
    /// There is no such step.
    NoStep,
    /// It is known, but does not run by itself: why, and what can be asked for instead.
    NotAlone(&'static str, Option<String>),
}

impl Level<'_> {
    /// The address of the step.
    pub(super) fn step(&self) -> Address {
        self.sequence.step(self.index)
    }
}

impl<'w> Path<'w> {
    /// The way to `address`.
    pub(super) fn to(
        address: &Address,
        workflow: &'w Workflow,
        state: &SessionState,
    ) -> Result<Self, Astray> {
        let text = address.as_str();
        if text.starts_with("finally[") {
            return Err(Astray::NotAlone("`finally` runs at the end of every run", None));
        }
        let pass = passes(state)
            .into_iter()
            .find(|pass| address.is_within(pass) && address != pass)
            .ok_or(Astray::NoStep)?;
        let rest = below(text, &pass).ok_or(Astray::NoStep)?;
        if rest.starts_with("on_failure[") {
            return Err(Astray::NotAlone("it answers a failure of the workflow", None));
        }
        let mut path = Path { pass: pass.clone(), stage: None, item: None, levels: Vec::new() };
        let (name, inside) = match rest.find(['/', '.']) {
            Some(end) => (&rest[..end], &rest[end..]),
            None => (rest, ""),
        };
        let (base, steps): (Address, &'w [Step]) = match &workflow.body {
            Body::Steps(steps) => (pass, steps),
            Body::Stages(stages) => {
                let stage = stages.iter().find(|stage| stage.name == name).ok_or(Astray::NoStep)?;
                whole_stage(name, inside)?;
                path.stage = Some(&stage.name);
                (pass.join(&stage.name), &stage.steps)
            }
            Body::MapReduce(job) => match (item_number(address), name) {
                (Some(item), _) => {
                    path.item = Some(item);
                    if *address == item_address(item) {
                        return Ok(path);
                    }
                    (item_address(item), &job.map.template)
                }
                (None, "map") => return Err(not_a_step("it is the map", "map")),
                (None, _) => {
                    let phases = [job.setup.as_ref(), job.reduce.as_ref()];
                    let mut phases = phases.into_iter().flatten();
                    let phase = phases.find(|phase| phase.name == name).ok_or(Astray::NoStep)?;
                    whole_stage(name, inside)?;
                    path.stage = Some(&phase.name);
                    (pass.join(&phase.name), &phase.steps)
                }
            },
        };
        let rest = below(text, &base).ok_or(Astray::NoStep)?;
        path.go_down(base, steps, rest)?;
        Ok(path)
    }

    /// Follows `rest` (`4.do[17]/1`) through loops.
    fn go_down(
        &mut self,
        mut sequence: Address,
        mut steps: &'w [Step],
        mut rest: &str,
    ) -> Result<(), Astray> {
        loop {
            let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
            let index: usize = rest[..end].parse().map_err(|_| Astray::NoStep)?;
            let step = index.checked_sub(1).and_then(|index| steps.get(index));
            let step = step.ok_or(Astray::NoStep)?;
            let mut level = Level { sequence: sequence.clone(), steps, index, each: None };
            let at = level.step();
            if rest[end..].is_empty() {
                self.levels.push(level);
                return Ok(());
            }
            let round = rest[end..].strip_prefix(".do[").and_then(|rest| rest.split_once(']'));
            let (Some((number, inside)), Action::Foreach(each)) = (round, &step.action) else {
                return Err(below_step(&at, &rest[end..]));
            };
            let round: usize = number.parse().map_err(|_| Astray::NoStep)?;
            level.each = Some((each, round));
            self.levels.push(level);
            if inside.is_empty() {
                return Ok(());
            }
            rest = inside.strip_prefix('/').ok_or(Astray::NoStep)?;
            sequence = at.below_numbered("do", round);
            steps = &each.steps;
        }
    }

    /// The step that is meant; none for a whole item or round.
    pub(super) fn step(&self) -> Option<&'w Step> {
        let last = self.levels.last().filter(|level| level.each.is_none())?;
        last.steps.get(last.index - 1)
    }
}

/// What follows `scope/` in an address.
fn below<'t>(text: &'t str, scope: &Address) -> Option<&'t str> {
    match scope.is_root() {
        true => Some(text),
        false => text.strip_prefix(scope.as_str())?.strip_prefix('/'),
    }
}

fn whole_stage(name: &str, inside: &str) -> Result<(), Astray> {
    match inside {
        "" => Err(not_a_step("it is a stage, not a step", name)),
        inside if inside.starts_with('.') => {
            Err(not_a_step("it answers a failure of its stage", name))
        }
        _ => Ok(()),
    }
}

fn not_a_step(reason: &'static str, stage: &str) -> Astray {
    let stage = crate::view::typed(stage);
    Astray::NotAlone(reason, Some(format!("--from-checkpoint {stage}")))
}

/// Something that hangs below the step `at`: its handlers, checks and rounds of goals.
fn below_step(at: &Address, rest: &str) -> Astray {
    let hangs = [".on_", ".validate[", ".goal[", ".cleanup"].iter().any(|it| rest.starts_with(it));
    let instead = format!("--from-step {}", crate::view::typed(at.as_str()));
    match hangs {
        true => Astray::NotAlone("it belongs to a step and runs when that needs it", Some(instead)),
        false => Astray::NoStep,
    }
}
