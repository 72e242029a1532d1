//! `variables:` may use parameters and variables written before them: no later ones, no cycles.

use std::collections::HashSet;

use crate::expr::Use;
use crate::playbook::model::Variable;
use crate::playbook::{Position, Problem};

use super::declared::texts;
use super::text::Text;

/// One problem for each variable that is used before it is set, one for each cycle.
pub(super) fn variables(variables: &[Variable], start: &Position) -> Vec<Problem> {
    let edges: Vec<Vec<Edge<'_>>> =
        variables.iter().map(|variable| edges(variable, variables)).collect();
    let mut problems = Vec::new();
    let mut reported = HashSet::new();
    for (from, uses) in edges.iter().enumerate() {
        for edge in uses.iter().filter(|edge| edge.to >= from) {
            let mut cycle = path(&edges, edge.to, from).unwrap_or_default();
            let name = &variables[from].name;
            let later = &variables[edge.to].name;
            let message = if edge.to == from {
                cycle = vec![from];
                format!("the variable `{name}` uses itself")
            } else if cycle.is_empty() {
                format!("`{later}` is used before it is set")
            } else {
                let names: Vec<&str> = [from]
                    .iter()
                    .chain(&cycle)
                    .map(|index| variables[*index].name.as_str())
                    .collect();
                format!("variables use each other in a circle: {}", names.join(" → "))
            };
            cycle.sort_unstable();
            if cycle.is_empty() {
                cycle = vec![variables.len(), edge.to];
            }
            if !reported.insert(cycle) {
                continue;
            }
            let at = edge.text.locate(&edge.used.span, start);
            let problem = Problem::error(at, edge.text.length(&edge.used.span), message);
            problems.push(
                problem.with_help("a variable may use parameters and the variables above it"),
            );
        }
    }
    problems
}

/// One use of another variable.
struct Edge<'a> {
    to: usize,
    text: Text<'a>,
    used: Use,
}

fn edges<'a>(variable: &'a Variable, all: &[Variable]) -> Vec<Edge<'a>> {
    let mut edges = Vec::new();
    for template in texts(&variable.value) {
        let text = Text::Plain(template);
        for used in text.uses() {
            // The last of a name wins, as everywhere.
            if let Some(to) = all.iter().position(|each| each.name == used.path.root)
                && !used.optional
            {
                edges.push(Edge { to, text, used });
            }
        }
    }
    edges
}

/// The variables on the way from `from` to `to`, both included.
fn path(edges: &[Vec<Edge<'_>>], from: usize, to: usize) -> Option<Vec<usize>> {
    let mut ways = vec![vec![from]];
    let mut seen = HashSet::from([from]);
    while let Some(way) = ways.pop() {
        let last = *way.last()?;
        if last == to {
            return Some(way);
        }
        for edge in &edges[last] {
            if seen.insert(edge.to) {
                ways.push([way.as_slice(), &[edge.to]].concat());
            }
        }
    }
    None
}
