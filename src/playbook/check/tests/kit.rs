//! Small constructors, so that a test reads like the file it stands for.

use std::path::PathBuf;
use std::sync::Arc;

use crate::expr::{Expression, Place, ShellText, Template};
use crate::playbook::failure::{Handler, HandlerSet};
use crate::playbook::model::*;
use crate::playbook::{Position, Severity, check};

/// The problems of a workflow, as `line:column error|warning: message [help]`.
pub(super) fn problems(workflow: &Workflow) -> Vec<String> {
    check(workflow, &file())
        .into_iter()
        .map(|problem| {
            let severity = match problem.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let help = problem.help.map_or(String::new(), |help| format!(" [{help}]"));
            format!(
                "{}:{} {severity}: {}{help}",
                problem.at.line, problem.at.column, problem.message
            )
        })
        .collect()
}

fn file() -> Arc<PathBuf> {
    Arc::new(PathBuf::from("flow.yml"))
}

pub(super) fn at(line: usize, column: usize) -> Position {
    Position { file: file(), line, column }
}

pub(super) fn place(line: u32, column: u32) -> Place {
    Place { line, column, block_indent: None }
}

/// `key: text` whose text begins at this place.
pub(super) fn text(line: u32, column: u32, text: &str) -> Template {
    Template::parse(text).unwrap().at(place(line, column))
}

pub(super) fn when(line: u32, text: &str) -> Option<Expression> {
    Some(Expression::parse(text).unwrap().at(place(line, 11)))
}

/// `  - shell: command`, whose command begins in column 12.
pub(super) fn shell(line: u32, command: &str) -> Step {
    step(line, Action::Shell(ShellText::parse(command).unwrap().at(place(line, 12))))
}

/// `  - claude: prompt`, whose prompt begins in column 13.
pub(super) fn claude(line: u32, prompt: &str) -> Step {
    let options = ClaudeDefaults::default();
    let call = ClaudeCall { prompt: text(line, 13, prompt), options, output_schema: None };
    step(line, Action::Claude(Box::new(call)))
}

/// A `foreach` over two words with these steps.
pub(super) fn foreach(line: u32, steps: Vec<Step>) -> Step {
    let items = ["a", "b"].map(|item| ItemTemplate::Text(Template::literal(item)));
    let each = Foreach {
        items: Items::List(items.to_vec()),
        steps,
        parallel: Count::Fixed(1),
        max_items: None,
        continue_on_error: false,
    };
    step(line, Action::Foreach(Box::new(each)))
}

pub(super) fn step(line: u32, action: Action) -> Step {
    Step::plain(at(line as usize, 5), action)
}

impl Step {
    pub(super) fn called(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    pub(super) fn captured(mut self, name: &str) -> Self {
        self.capture = Capture::of(Some(name.to_owned()));
        self
    }

    pub(super) fn failing(mut self, steps: Vec<Step>) -> Self {
        self.on_failure = Some(handlers(steps));
        self
    }
}

/// One handler of these steps.
pub(super) fn handlers(steps: Vec<Step>) -> HandlerSet {
    let handler = Handler::of_steps(steps.first().map_or(at(1, 1), |step| step.at.clone()), steps);
    HandlerSet { handlers: vec![handler], ignore: false }
}

/// A workflow of these steps.
pub(super) fn workflow(steps: Vec<Step>) -> Workflow {
    Workflow {
        name: "flow".to_owned(),
        description: None,
        body: Body::Steps(steps),
        variables: Vec::new(),
        parameters: Vec::new(),
        env: Vec::new(),
        env_files: Vec::new(),
        secrets: Vec::new(),
        profiles: Vec::new(),
        timeout: None,
        on_failure: None,
        finally: Vec::new(),
        recovery: crate::playbook::recovery::Recovery::default(),
        shell: Shell { words: vec!["sh".to_owned(), "-c".to_owned()] },
        claude: ClaudeDefaults::default(),
        continue_on_error: false,
        budget: Budget::default(),
        limits: Limits::default(),
        capture_limit: 16_000_000,
        artifacts: Vec::new(),
        requires: Requirements::default(),
        snapshots: Snapshots::default(),
    }
}

pub(super) fn stage(line: usize, name: &str, steps: Vec<Step>) -> Stage {
    Stage {
        at: at(line, 5),
        name: name.to_owned(),
        steps,
        when: None,
        env: Vec::new(),
        timeout: None,
        retry: None,
        on_failure: None,
        checkpoint: None,
        requires_confirmation: false,
    }
}

pub(super) fn stages(stages: Vec<Stage>) -> Workflow {
    Workflow { body: Body::Stages(stages), ..workflow(Vec::new()) }
}

/// `  name: value` of `variables:`, whose value begins after it.
pub(super) fn variable(line: u32, name: &str, value: &str) -> Variable {
    let column = u32::try_from(name.len()).unwrap() + 5;
    Variable { name: name.to_owned(), value: Constant::Text(text(line, column, value)) }
}

pub(super) fn parameter(name: &str) -> Parameter {
    Parameter {
        name: name.to_owned(),
        description: None,
        kind: Some(ParameterKind::String),
        required: false,
        default: None,
        choices: Vec::new(),
    }
}

pub(super) fn env(name: &str, value: &str) -> EnvEntry {
    EnvEntry {
        name: name.to_owned(),
        value: EnvValue::Text(Template::parse(value).unwrap()),
        secret: false,
    }
}
