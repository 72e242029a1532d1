//! `cook --dry-run`: what would run; with `--simulate-failure` also what would follow a failure.

use std::fmt::Write as _;

use crate::exit::{ExitKind, Failure};
use crate::playbook::find_way;
use crate::playbook::mapreduce::Map;
use crate::playbook::model::{Body, Count, Step, Workflow};
use crate::resume::{Place, places};
use crate::session::{Address, SessionState};

use super::args::{Cook, Fault};
use super::output::Console;
use super::rehearsal::rehearsal;

/// Shows what `cook` would do with the workflow; nothing is started or written.
pub(super) fn run(
    workflow: &Workflow,
    arguments: &Cook,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    let places = places(workflow, &SessionState::default());
    if arguments.simulate_failure.is_empty() {
        let passes = arguments.arguments.len().max(1);
        console.output.text(listing(workflow, &places, passes));
        return Ok(ExitKind::Success);
    }
    for fault in &arguments.simulate_failure {
        let Some(way) = find_way(workflow, &fault.address) else {
            return Err(no_step(workflow, &fault.address));
        };
        let text = rehearsal(workflow, &way, fault).map_err(|why| {
            let address = &fault.address;
            Failure::new(ExitKind::Usage, format!("step {address} cannot be rehearsed: {why}"))
                .with_help(format!("make it fail in a real run: --inject {address}=exit:1"))
        })?;
        console.output.text(text);
    }
    Ok(ExitKind::Success)
}

/// Refuses `--inject` for steps that the workflow cannot have.
pub(super) fn refuse_unknown(workflow: &Workflow, faults: &[Fault]) -> Result<(), Failure> {
    for Fault { address, .. } in faults {
        if find_way(workflow, address).is_none() {
            return Err(no_step(workflow, address));
        }
        if let Some(example) = numbered(address) {
            return Err(Failure::new(
                ExitKind::Usage,
                format!("{address} stands for many steps, and --inject is for one"),
            )
            .with_help(format!("--inject {example}=exit:1")));
        }
    }
    Ok(())
}

/// The address with numbers in place of its `N`s, which the rehearsal takes for any number.
fn numbered(address: &Address) -> Option<String> {
    let text = address.as_str();
    let with_numbers = text.replace("[N]", "[1]").replace("map/item_N/", "map/item_1/");
    (with_numbers != text).then_some(with_numbers)
}

fn no_step(workflow: &Workflow, address: &Address) -> Failure {
    const SHOWN: usize = 20;
    let mut known: Vec<String> = places(workflow, &SessionState::default())
        .iter()
        .map(|it| it.address.to_string())
        .collect();
    if let Body::MapReduce(job) = &workflow.body {
        let reduce = known.iter().position(|it| it.starts_with("reduce/")).unwrap_or(known.len());
        let items = (1..=job.map.template.len()).map(|index| format!("map/item_N/{index}"));
        known.splice(reduce..reduce, items);
    }
    let more = if known.len() > SHOWN { ", …" } else { "" };
    known.truncate(SHOWN);
    let about = match address.as_str().rsplit_once(']') {
        Some((handler, "")) if handler.contains("on_failure[") => {
            format!("the commands of a handler are {address}/1 and so on; ")
        }
        _ => String::new(),
    };
    Failure::new(ExitKind::NotFound, format!("the workflow itself has no step {address}"))
        .with_help(format!("{about}its steps: {}{more}", known.join(", ")))
}

fn listing(workflow: &Workflow, places: &[Place<'_>], passes: usize) -> String {
    let mut text = match &workflow.body {
        Body::MapReduce(_) => {
            format!("{} would run {}", workflow.name, workflow.stage_names().join(", "))
        }
        Body::Steps(_) | Body::Stages(_) => {
            let steps = if places.len() == 1 { "step" } else { "steps" };
            format!("{} would run {} {steps}", workflow.name, places.len())
        }
    };
    if passes > 1 {
        let _ = write!(text, " in each of {passes} passes");
    }
    text.push('\n');
    let reduce = Address::root().join("reduce");
    let (after, before): (Vec<_>, Vec<_>) =
        places.iter().partition(|place| place.address.is_within(&reduce));
    for place in before {
        step_line(&mut text, place.address.as_str(), place.step);
    }
    if let Body::MapReduce(job) = &workflow.body {
        map_lines(&mut text, &job.map);
    }
    for place in after {
        step_line(&mut text, place.address.as_str(), place.step);
    }
    if !workflow.finally.is_empty() {
        let _ = writeln!(text, "finally:");
        for step in &workflow.finally {
            let _ = writeln!(text, "       {}", crate::view::line(&step.title()));
        }
    }
    text
}

fn step_line(text: &mut String, address: &str, step: &Step) {
    let what = step.title();
    let _ = writeln!(text, "  {address:<4} {}{}", crate::view::line(&what), settings(step));
}

/// Which items there would be, how many at a time, and the steps of each.
fn map_lines(text: &mut String, map: &Map) {
    let mut words = format!("the items of {}", map.input.source());
    if let Some(path) = &map.json_path {
        let _ = write!(words, " at {path}");
    }
    for (name, expression) in [("where", &map.filter), ("distinct by", &map.distinct)] {
        if let Some(expression) = expression {
            let _ = write!(words, ", {name} {}", expression.source());
        }
    }
    if let Some(limit) = &map.max_items {
        let _ = write!(words, ", at most {}", count_text(limit));
    }
    let _ = write!(words, ", {} at a time", count_text(&map.max_parallel));
    let _ = writeln!(text, "  map  {}", crate::view::line(&words));
    for (index, step) in map.template.iter().enumerate() {
        step_line(text, &format!("map/item_N/{}", index + 1), step);
    }
}

fn count_text(count: &Count) -> String {
    match count {
        Count::Fixed(count) => count.to_string(),
        Count::Computed(text) => text.source().to_owned(),
    }
}

/// What a step's settings mean for how it runs, in brackets.
fn settings(step: &Step) -> String {
    let mut words = Vec::new();
    if let Some(when) = &step.when {
        words.push(format!("when {}", when.source()));
    }
    if let Some(retry) = &step.retry {
        words.push(format!("up to {} attempts", retry.attempts));
    }
    if step.requires_confirmation {
        words.push("asks first".to_owned());
    }
    if let Some(set) = &step.on_failure {
        words.push(match set.handlers.len() {
            _ if set.ignore => "a failure passes".to_owned(),
            0 => "a failure stops".to_owned(),
            1 => "1 handler".to_owned(),
            count => format!("{count} handlers"),
        });
    }
    if words.is_empty() {
        return String::new();
    }
    format!("   ({})", crate::view::line(&words.join(", ")))
}
