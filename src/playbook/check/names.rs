//! What is wrong with names themselves: reserved, refused, given twice, hidden (DECISIONS A38, B15, B51).

use crate::playbook::model::Workflow;
use crate::playbook::{Position, Problem};

use super::builtins;
use super::declared::{Declared, texts};
use super::moment::{Definition, Meaning, Moment};
use super::refused::is_refused;
use super::text::Text;

/// All problems with the names of ids, captures, variables and parameters.
pub(super) fn names(
    workflow: &Workflow,
    moments: &[Moment<'_>],
    declared: &Declared<'_>,
    start: &Position,
) -> Vec<Problem> {
    let definitions = moments.iter().filter_map(|moment| match moment {
        Moment::Named(definition) => Some(definition),
        _ => None,
    });
    let steps = definitions.filter_map(|definition| step_name(definition, declared));
    let variables = workflow.variables.iter().filter_map(|variable| {
        let text = texts(&variable.value).into_iter().find(|text| text.place().line > 0);
        let at = text.map_or(start.clone(), |text| Text::Plain(text).locate(&(0..0), start));
        constant_name("variable", &variable.name, at)
    });
    let parameters = workflow
        .parameters
        .iter()
        .filter_map(|parameter| constant_name("parameter", &parameter.name, start.clone()));
    parameters.chain(variables).chain(steps).collect()
}

fn step_name(definition: &Definition<'_>, declared: &Declared<'_>) -> Option<Problem> {
    let name = definition.name;
    let captured = matches!(definition.meaning, Meaning::Captured(_));
    let what = if captured { "captured name" } else { "id" };
    let error = |message: String| Some(Problem::error(definition.at.clone(), 1, message));
    if builtins::find(name).is_some() {
        return error(format!("the {what} `{name}` is the name of a built-in value")).map(
            |problem| problem.with_help(format!("choose another name, for example `my_{name}`")),
        );
    }
    if captured && is_refused(name) {
        return error(format!("`{name}` cannot be captured: it would change how programs start"))
            .map(|problem| {
                problem.with_help("choose another name; to set it for commands use `env`")
            });
    }
    let earlier = declared.steps.get(name)?;
    let earlier = earlier.iter().take_while(|each| {
        !std::ptr::eq(each.at, definition.at) || each.meaning != definition.meaning
    });
    let clash = earlier.last()?;
    let line = clash.at.line;
    match (captured, matches!(clash.meaning, Meaning::Captured(_))) {
        (true, true) => None,
        (false, false) => error(format!("the id `{name}` is already given at line {line}"))
            .map(|problem| problem.with_help("ids are unique in the whole file")),
        _ => error(format!("`{name}` is both an id and a captured name (line {line})"))
            .map(|problem| problem.with_help("give one of them another name")),
    }
}

fn constant_name(what: &str, name: &str, at: Position) -> Option<Problem> {
    if is_refused(name) {
        let message = format!("the {what} `{name}` would change how programs start");
        let help = "choose another name; to set it for commands use `env`";
        return Some(Problem::error(at, 1, message).with_help(help));
    }
    builtins::find(name).map(|_| {
        let message = format!("the {what} `{name}` is hidden by the built-in value of that name");
        Problem::warning(at, 1, message)
            .with_help(format!("choose another name, for example `my_{name}`"))
    })
}
