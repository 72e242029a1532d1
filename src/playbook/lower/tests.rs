//! What workflow files mean, and what is said about those that mean nothing.

mod files;
mod handlers;
mod kinds;
mod maps;
mod older;
mod requires;
mod retries;
mod steps;
mod top_level;

use std::path::Path;

use crate::playbook::model::{Body, Step, Workflow};
use crate::playbook::{LoadError, Problem, parse};

fn found(text: &str) -> Vec<Problem> {
    match parse(Path::new("flow.yml"), text) {
        Ok(loaded) => loaded.problems,
        Err(LoadError::Problems(problems, _)) => problems,
        Err(error) => panic!("{error}"),
    }
}

/// All problems as `line:column message (help)`.
#[track_caller]
fn says(text: &str, expected: &[&str]) {
    let found: Vec<String> = found(text)
        .into_iter()
        .map(|problem| {
            let help = problem.help.map(|help| format!(" ({help})")).unwrap_or_default();
            format!("{}:{} {}{help}", problem.at.line, problem.at.column, problem.message)
        })
        .collect();
    assert_eq!(found, expected, "\n{text}");
}

/// The only problem, without its help.
#[track_caller]
fn refuses(text: &str, expected: &str) {
    let found: Vec<String> = found(text)
        .into_iter()
        .map(|problem| format!("{}:{} {}", problem.at.line, problem.at.column, problem.message))
        .collect();
    assert_eq!(found, [expected], "\n{text}");
}

/// The workflow of a file without problems.
#[track_caller]
fn workflow(text: &str) -> Workflow {
    match parse(Path::new("flow.yml"), text) {
        Ok(loaded) if loaded.problems.is_empty() => loaded.workflow,
        Ok(loaded) => panic!("{:#?}\n{text}", loaded.problems),
        Err(error) => panic!("{error:#?}\n{text}"),
    }
}

/// The steps of a file without problems.
#[track_caller]
fn steps(text: &str) -> Vec<Step> {
    match workflow(text).body {
        Body::Steps(steps) => steps,
        Body::Stages(_) | Body::MapReduce(_) => panic!("stages\n{text}"),
    }
}

/// The first step of a file without problems.
#[track_caller]
fn step(text: &str) -> Step {
    steps(text).remove(0)
}
