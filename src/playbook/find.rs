//! From an address to the step of the workflow that stands there, at any depth, and to what is
//! around it.

use super::failure::{Handler, HandlerSet, Strategy};
use super::mapreduce::MapReduce;
use super::model::{Action, Body, Stage, Step, Workflow};
use crate::session::Address;

/// One thing on the way from the workflow to a step.
#[derive(Debug, Clone)]
pub enum Around<'w> {
    /// A stage, `setup` or `reduce`.
    Stage(&'w Stage),
    /// An item of the map.
    Item(&'w MapReduce),
    /// `finally`.
    Finally,
    /// A step: the one that is meant, or one that holds it.
    Step(Address, &'w Step),
    /// A handler of the set of what comes before it, by its index from 0.
    Handler(&'w HandlerSet, usize),
    /// What hangs below the step before it.
    Part(Part),
}

/// What hangs below a step, other than a handler of `on_failure`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A round of its loop.
    Round,
    /// `on_exit_code`.
    ExitCode,
    /// `on_success`.
    Success,
    /// `validate` and `on_incomplete`.
    Validation,
    /// A round of `goal_seek`.
    Goal,
    /// A fix of a recovery.
    Recovery,
}

/// The step at `address`; none for a scope, and for what the workflow does not have. Steps of a
/// fix are those of the first rule that has some.
#[must_use]
pub fn find_step<'w>(workflow: &'w Workflow, address: &Address) -> Option<&'w Step> {
    match find_way(workflow, address)?.last() {
        Some(Around::Step(_, step)) => Some(step),
        _ => None,
    }
}

/// Everything around the step at `address` and the step itself, outermost first; none where
/// [`find_step`] finds none.
#[must_use]
pub fn find_way<'w>(workflow: &'w Workflow, address: &Address) -> Option<Vec<Around<'w>>> {
    let text = address.as_str();
    let rest = match text.strip_prefix("pass[") {
        Some(pass) => pass.split_once("]/").filter(|(number, _)| is_number(number))?.1,
        None => text,
    };
    let mut search = Search { workflow, text, way: Vec::new() };
    let (list, rest) = search.outermost(rest)?;
    search.in_list(list, rest)?;
    Some(search.way)
}

/// A way as far as it is found.
struct Search<'w, 't> {
    workflow: &'w Workflow,
    /// The whole address.
    text: &'t str,
    way: Vec<Around<'w>>,
}

/// A list of steps that an address goes on in, and the rest of the address.
type List<'w, 't> = (&'w [Step], &'t str);

impl<'w, 't> Search<'w, 't> {
    /// The list of steps that an address begins in.
    fn outermost(&mut self, text: &'t str) -> Option<List<'w, 't>> {
        let workflow = self.workflow;
        if let Some((_, rest)) = numbered(text, "finally[") {
            self.way.push(Around::Finally);
            return Some((&workflow.finally, rest.strip_prefix('/')?));
        }
        if text.starts_with("on_failure[") {
            return self.in_handlers(workflow.on_failure.as_ref()?, text);
        }
        let stages = match &workflow.body {
            Body::Steps(steps) => return Some((steps, text)),
            Body::Stages(stages) => stages.iter().collect::<Vec<_>>(),
            Body::MapReduce(job) => {
                if let Some(rest) = text.strip_prefix("map/item_") {
                    self.way.push(Around::Item(job));
                    let (_, rest) = rest.split_once('/').filter(|(item, _)| is_number(item))?;
                    return Some((&job.map.template, rest));
                }
                [&job.setup, &job.reduce].into_iter().flatten().collect()
            }
        };
        for stage in stages {
            let Some(rest) = text.strip_prefix(stage.name.as_str()) else { continue };
            if let Some(rest) = rest.strip_prefix('/') {
                self.way.push(Around::Stage(stage));
                return Some((&stage.steps, rest));
            }
            if let Some(rest) = rest.strip_prefix('.') {
                self.way.push(Around::Stage(stage));
                return self.in_handlers(stage.on_failure.as_ref()?, rest);
            }
        }
        None
    }

    /// `3`, or `3.do[1]/2` and so on, in a list of steps.
    fn in_list(&mut self, list: &'w [Step], text: &'t str) -> Option<()> {
        let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        let (index, rest) = text.split_at_checked(end)?;
        let step = list.get(index.parse::<usize>().ok()?.checked_sub(1)?)?;
        self.at_step(step, rest)
    }

    fn at_step(&mut self, step: &'w Step, rest: &'t str) -> Option<()> {
        let here = self.text.strip_suffix(rest)?;
        self.way.push(Around::Step(Address::parse(here).ok()?, step));
        if rest.is_empty() {
            return Some(());
        }
        let rest = rest.strip_prefix('.')?;
        if let Action::GoalSeek(seek) = &step.action
            && let Some((_, rest)) = numbered(rest, "goal[")
        {
            self.way.push(Around::Part(Part::Goal));
            let rest = rest.strip_prefix('/')?;
            let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
            let inner = if rest.get(..end)? == "1" { &seek.improve } else { &seek.measure };
            return self.at_step(inner, rest.get(end..)?);
        }
        let (list, rest) = self.below(step, rest)?;
        self.in_list(list, rest)
    }

    /// A list of steps that hangs below a step.
    fn below(&mut self, step: &'w Step, text: &'t str) -> Option<List<'w, 't>> {
        if text.starts_with("on_failure[") {
            return self.in_handlers(step.on_failure.as_ref()?, text);
        }
        let (part, list, rest): (Part, &'w [Step], &'t str) =
            if let Some((code, rest)) = numbered(text, "on_exit_code[") {
                let (_, steps) = step.on_exit_code.iter().find(|(it, _)| it.to_string() == code)?;
                (Part::ExitCode, steps, rest)
            } else if let Some(rest) = text.strip_prefix("on_success") {
                (Part::Success, &step.on_success, rest)
            } else if let Some((_, rest)) = numbered(text, "recovery[") {
                let mut rules = self.workflow.recovery.rules.iter();
                (Part::Recovery, &rules.find(|rule| !rule.fix.is_empty())?.fix, rest)
            } else if let Some((_, rest)) = numbered(text, "validate[") {
                (Part::Validation, &step.validate.as_ref()?.steps, rest)
            } else if let Some((_, rest)) = numbered(text, "on_incomplete[") {
                let incomplete = step.validate.as_ref()?.on_incomplete.as_ref()?;
                (Part::Validation, &incomplete.steps, rest)
            } else {
                let (_, rest) = numbered(text, "do[")?;
                let Action::Foreach(each) = &step.action else { return None };
                (Part::Round, &each.steps, rest)
            };
        self.way.push(Around::Part(part));
        Some((list, rest.strip_prefix('/')?))
    }

    /// `on_failure[1]/2`, `on_failure[1].on_failure[2]/1` … of a set of handlers.
    fn in_handlers(&mut self, set: &'w HandlerSet, text: &'t str) -> Option<List<'w, 't>> {
        let (number, rest) = numbered(text, "on_failure[")?;
        let index = number.parse::<usize>().ok()?.checked_sub(1)?;
        let handler: &Handler = set.handlers.get(index)?;
        self.way.push(Around::Handler(set, index));
        if let Some(rest) = rest.strip_prefix('/') {
            return Some((&handler.steps, rest));
        }
        let rest = rest.strip_prefix('.')?;
        if let (Strategy::Abort { cleanup }, Some(rest)) =
            (&handler.strategy, rest.strip_prefix("cleanup/"))
        {
            return Some((cleanup, rest));
        }
        if let Some(rest) = rest.strip_prefix("on_success/") {
            return Some((&handler.on_success, rest));
        }
        self.in_handlers(handler.on_failure.as_deref()?, rest)
    }
}

/// The number of `name[NUMBER]`, and what follows.
fn numbered<'t>(text: &'t str, name: &str) -> Option<(&'t str, &'t str)> {
    text.strip_prefix(name)?.split_once(']').filter(|(number, _)| is_number(number))
}

/// A number, or `N` for any of them.
fn is_number(text: &str) -> bool {
    text == "N" || text.parse::<u32>().is_ok_and(|number| number > 0)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::playbook::parse;

    #[test]
    fn every_address_of_a_step_leads_to_it() {
        let text = "
commands:
  - {name: a, foreach: [x], do: [{name: b, shell: x, on_success: [{name: c, shell: x}]}]}
  - name: d
    shell: x
    validate: {commands: [{name: e, shell: x}], on_incomplete: [{name: f, shell: x}]}
    on_exit_code: {7: {name: g, shell: x}}
    on_failure:
      commands: [{name: h, shell: x}]
      strategy: abort
      cleanup: [{name: i, shell: x}]
      on_failure: [{name: j, shell: x}]
  - {name: k, goal_seek: {goal: x, shell: l, validate: m}}
on_failure: [{name: n, shell: x}]
finally: [{name: o, shell: x}]
recovery: {rules: [{class: lint, fix: {name: p, shell: x}}]}
";
        let workflow = parse(Path::new("flow.yml"), text).unwrap().workflow;
        let found = |address: &str| {
            let address = Address::parse(address).unwrap();
            let step = find_step(&workflow, &address)?;
            let name = step.name.as_ref().map(|name| name.source().to_owned());
            Some(name.unwrap_or_else(|| step.summary()))
        };
        for (address, name) in [
            ("1", "a"),
            ("pass[2]/1.do[17]/1", "b"),
            ("1.do[1]/1.on_success/1", "c"),
            ("2.validate[3]/1", "e"),
            ("2.on_incomplete[1]/1", "f"),
            ("2.on_exit_code[7]/1", "g"),
            ("2.on_failure[1]/1", "h"),
            ("2.on_failure[1].cleanup/1", "i"),
            ("2.on_failure[1].on_failure[1]/1", "j"),
            ("3.goal[4]/1", "shell: l"),
            ("3.goal[4]/2", "shell: m"),
            ("on_failure[1]/1", "n"),
            ("finally[3]/1", "o"),
            ("2.recovery[1]/1", "p"),
        ] {
            assert_eq!(found(address).as_deref(), Some(name), "{address}");
        }
        for address in [
            "4",
            "0",
            "1.do[1]",
            "1.do[x]/1",
            "2.on_failure[2]/1",
            "2.on_failure[1]",
            "x/1",
            "1.do[1]/2",
            "2.do[1]/1",
        ] {
            assert_eq!(found(address), None, "{address}");
        }
    }
}
