//! From an address to the step of the workflow that stands there, at any depth.

use super::failure::{Handler, HandlerSet, Strategy};
use super::model::{Action, Body, Step, Workflow};
use crate::session::Address;

/// The step at `address`; none for a scope, and for what the workflow does not have. Steps of a
/// fix are those of the first rule that has some.
#[must_use]
pub fn find_step<'w>(workflow: &'w Workflow, address: &Address) -> Option<&'w Step> {
    let text = address.as_str();
    let rest = match text.strip_prefix("pass[") {
        Some(pass) => pass.split_once("]/")?.1,
        None => text,
    };
    let (list, rest) = outermost(workflow, rest)?;
    in_list(workflow, list, rest)
}

/// The list of steps that an address begins in, and the rest of it.
fn outermost<'w, 't>(workflow: &'w Workflow, text: &'t str) -> Option<(&'w [Step], &'t str)> {
    if let Some((_, rest)) = numbered(text, "finally[") {
        return Some((&workflow.finally, rest.strip_prefix('/')?));
    }
    if text.starts_with("on_failure[") {
        return in_handlers(workflow.on_failure.as_ref()?, text);
    }
    let stages = match &workflow.body {
        Body::Steps(steps) => return Some((steps, text)),
        Body::Stages(stages) => stages.iter().collect::<Vec<_>>(),
        Body::MapReduce(job) => {
            if let Some(rest) = text.strip_prefix("map/item_") {
                return Some((&job.map.template, rest.split_once('/')?.1));
            }
            [&job.setup, &job.reduce].into_iter().flatten().collect()
        }
    };
    for stage in stages {
        if let Some(rest) = text.strip_prefix(stage.name.as_str()) {
            if let Some(rest) = rest.strip_prefix('/') {
                return Some((&stage.steps, rest));
            }
            if let Some(rest) = rest.strip_prefix('.') {
                return in_handlers(stage.on_failure.as_ref()?, rest);
            }
        }
    }
    None
}

/// `3`, or `3.do[1]/2` and so on, in a list of steps.
fn in_list<'w>(workflow: &'w Workflow, list: &'w [Step], text: &str) -> Option<&'w Step> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (index, rest) = text.split_at_checked(end)?;
    let step = list.get(index.parse::<usize>().ok()?.checked_sub(1)?)?;
    if rest.is_empty() {
        return Some(step);
    }
    let rest = rest.strip_prefix('.')?;
    if let Action::GoalSeek(seek) = &step.action
        && let Some((_, rest)) = numbered(rest, "goal[")
    {
        let rest = rest.strip_prefix('/')?;
        let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let inner = if rest.get(..end)? == "1" { &seek.improve } else { &seek.measure };
        return in_list(workflow, std::slice::from_ref(inner), &format!("1{}", rest.get(end..)?));
    }
    let (list, rest) = below(workflow, step, rest)?;
    in_list(workflow, list, rest)
}

/// A list of steps that hangs below a step, and what follows it in the address.
fn below<'w, 't>(
    workflow: &'w Workflow,
    step: &'w Step,
    text: &'t str,
) -> Option<(&'w [Step], &'t str)> {
    if text.starts_with("on_failure[") {
        return in_handlers(step.on_failure.as_ref()?, text);
    }
    if let Some((code, rest)) = numbered(text, "on_exit_code[") {
        let (_, steps) = step.on_exit_code.iter().find(|(it, _)| it.to_string() == code)?;
        return Some((steps, rest.strip_prefix('/')?));
    }
    if let Some(rest) = text.strip_prefix("on_success/") {
        return Some((&step.on_success, rest));
    }
    if let Some((_, rest)) = numbered(text, "recovery[") {
        let rule = workflow.recovery.rules.iter().find(|rule| !rule.fix.is_empty())?;
        return Some((&rule.fix, rest.strip_prefix('/')?));
    }
    if let Some((_, rest)) = numbered(text, "validate[") {
        return Some((&step.validate.as_ref()?.steps, rest.strip_prefix('/')?));
    }
    if let Some((_, rest)) = numbered(text, "on_incomplete[") {
        let incomplete = step.validate.as_ref()?.on_incomplete.as_ref()?;
        return Some((&incomplete.steps, rest.strip_prefix('/')?));
    }
    let (_, rest) = numbered(text, "do[")?;
    match &step.action {
        Action::Foreach(each) => Some((&each.steps, rest.strip_prefix('/')?)),
        _ => None,
    }
}

/// `on_failure[1]/2`, `on_failure[1].on_failure[2]/1` … of a set of handlers.
fn in_handlers<'w, 't>(set: &'w HandlerSet, text: &'t str) -> Option<(&'w [Step], &'t str)> {
    let (number, rest) = numbered(text, "on_failure[")?;
    let handler: &Handler = set.handlers.get(number.parse::<usize>().ok()?.checked_sub(1)?)?;
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
    in_handlers(handler.on_failure.as_deref()?, rest)
}

/// The number of `name[NUMBER]`, and what follows.
fn numbered<'t>(text: &'t str, name: &str) -> Option<(&'t str, &'t str)> {
    text.strip_prefix(name)?.split_once(']')
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
        for address in ["4", "0", "1.do[1]", "2.on_failure[2]/1", "x/1", "1.do[1]/2", "2.do[1]/1"] {
            assert_eq!(found(address), None, "{address}");
        }
    }
}
