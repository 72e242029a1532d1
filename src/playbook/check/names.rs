//! What is wrong with names themselves: reserved, refused, given twice, hidden (DECISIONS A38, B15, B51).

use std::collections::HashMap;

use crate::expr::Expression;
use crate::playbook::model::Workflow;
use crate::playbook::{Position, Problem};

use super::declared::texts;
use super::moment::{Definition, Meaning, Moment};
use super::refused::is_refused;
use super::text::Text;
use crate::playbook::builtins;

const FOR_COMMANDS: &str = "choose another name; to set it for commands use `env`";

/// All problems with the names of parameters, variables, ids and captures.
pub(super) fn names(workflow: &Workflow, moments: &[Moment<'_>], start: &Position) -> Vec<Problem> {
    let parameters = workflow
        .parameters
        .iter()
        .filter_map(|parameter| constant("parameter", &parameter.name, start.clone()));
    let variables = workflow.variables.iter().filter_map(|variable| {
        let text = texts(&variable.value).into_iter().find(|text| text.place().line > 0);
        let at = text.map_or(start.clone(), |text| Text::Plain(text).locate(&(0..0), start));
        constant("variable", &variable.name, at)
    });
    let mut given = HashMap::new();
    let steps = moments.iter().filter_map(|moment| match moment {
        Moment::Named(definition) => of_step(definition, given.entry(definition.name).or_default()),
        _ => None,
    });
    parameters.chain(variables).chain(steps).collect()
}

/// Who has a name so far.
#[derive(Default)]
struct Given<'a> {
    id: Option<&'a Position>,
    capture: Option<&'a Position>,
}

fn of_step<'a>(definition: &Definition<'a>, given: &mut Given<'a>) -> Option<Problem> {
    let name = definition.name;
    let captured = matches!(definition.meaning, Meaning::Captured(_));
    let problem = |message: String, help: String| {
        Some(Problem::error(definition.at.clone(), 1, message).with_help(help))
    };
    let what = match definition.meaning {
        Meaning::Captured(_) => "captured name",
        Meaning::Aggregate => "variable of the map",
        Meaning::Result(_) | Meaning::Handler => "id",
    };
    if builtins::find(name).is_some() {
        return problem(
            format!("the {what} `{name}` is the name of a built-in value"),
            format!("choose another name, for example `my_{name}`"),
        );
    }
    if is_word(name) {
        return problem(
            format!("`{name}` is a word of the expression language"),
            "choose another name".to_owned(),
        );
    }
    if captured && is_refused(name) {
        return problem(
            format!("`{name}` cannot be captured: it would change how programs start"),
            FOR_COMMANDS.to_owned(),
        );
    }
    if definition.meaning == Meaning::Aggregate
        && let Some(other) = given.id.or(given.capture)
    {
        return problem(
            format!("`{name}` of the map is already a name of a step (line {})", other.line),
            "give one of them another name".to_owned(),
        );
    }
    let (other, same) = if captured {
        (given.id, given.capture.replace(definition.at))
    } else {
        (given.capture, given.id.replace(definition.at))
    };
    match (other, same) {
        (Some(other), _) => problem(
            format!("`{name}` is both an id and a captured name (line {})", other.line),
            "give one of them another name".to_owned(),
        ),
        (None, Some(first)) if !captured => problem(
            format!("the id `{name}` is already given at line {}", first.line),
            "ids are unique in the whole file".to_owned(),
        ),
        _ => None,
    }
}

fn constant(what: &str, name: &str, at: Position) -> Option<Problem> {
    if is_refused(name) {
        let message = format!("the {what} `{name}` would change how programs start");
        return Some(Problem::error(at, 1, message).with_help(FOR_COMMANDS));
    }
    if is_word(name) {
        let message = format!("the {what} `{name}` is a word of the expression language");
        return Some(Problem::error(at, 1, message).with_help("choose another name"));
    }
    builtins::find(name).map(|_| {
        let message = format!("the {what} `{name}` is hidden by the built-in value of that name");
        Problem::warning(at, 1, message)
            .with_help(format!("choose another name, for example `my_{name}`"))
    })
}

/// True when an expression does not read `name` as a name: `true`, `not` ….
fn is_word(name: &str) -> bool {
    let read = Expression::parse(name).map(|expression| expression.uses());
    !read.is_ok_and(|uses| uses.iter().any(|used| used.path.root == name))
}
