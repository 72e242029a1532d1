//! Walks a workflow in the order of execution and lists its moments.

use crate::playbook::failure::{Condition, Handler, HandlerSet, RetryExhausted, Strategy};
use crate::playbook::mapreduce::MapReduce;
use crate::playbook::model::{
    Action, Body, Checkpoint, Count, EnvEntry, EnvValue, Foreach, ItemTemplate, Items, Limit,
    Stage, Step, Validate, Workflow,
};
use crate::playbook::walk::each_step;
use crate::playbook::{Position, inner_secrets};
use crate::session::StepKind;

use super::declared::texts;
use super::moment::{Definition, Meaning, Moment, Part, Role, Rounds, Standing};
use super::text::Text;

/// The moments of `workflow`, in the order of execution; `start` is the top of its file.
pub(super) fn walk<'a>(workflow: &'a Workflow, start: &'a Position) -> Vec<Moment<'a>> {
    let mut walk = Walk { moments: Vec::new() };
    let standing = Standing {
        at: start,
        own: None,
        part: Part::Start,
        loops: 0,
        validation: false,
        env: Vec::new(),
    };
    walk.start(workflow, &standing);
    let steps = Standing { part: Part::Steps, ..standing.clone() };
    match &workflow.body {
        Body::Steps(list) => walk.steps(list, &steps, Ending::Stops),
        Body::Stages(stages) => stages.iter().for_each(|stage| walk.stage(stage, &steps)),
        Body::MapReduce(job) => walk.map_reduce(job, &steps),
    }
    if let Some(handlers) = &workflow.on_failure {
        walk.handlers(handlers, &Standing { part: Part::Handler, ..standing.clone() });
    }
    let finally = Standing { part: Part::Finally, ..standing.clone() };
    walk.steps(&workflow.finally, &finally, Ending::GoesOn);
    let fix = Standing { part: Part::Handler, ..standing };
    for rule in &workflow.recovery.rules {
        walk.steps(&rule.fix, &fix, Ending::GoesOn);
    }
    walk.moments
}

/// Whether what follows is reached after a step failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Stops,
    GoesOn,
}

struct Walk<'a> {
    moments: Vec<Moment<'a>>,
}

impl<'a> Walk<'a> {
    fn start(&mut self, workflow: &'a Workflow, standing: &Standing<'a>) {
        for text in workflow.variables.iter().flat_map(|variable| texts(&variable.value)) {
            self.text(Text::Plain(text), standing);
        }
        for profile in &workflow.profiles {
            self.env(&profile.env, standing);
        }
        for (entry, at) in inner_secrets(workflow) {
            self.env(std::slice::from_ref(entry), &Standing { at, ..standing.clone() });
        }
        self.env(&workflow.env, standing);
        workflow.env_files.iter().for_each(|file| self.text(Text::Plain(file), standing));
        // What a step requires is looked at before the first one, too.
        let own = workflow.requires.files.iter().chain(&workflow.artifacts);
        own.for_each(|text| self.text(Text::Plain(text), standing));
        each_step(workflow, &mut |step, _| {
            let standing = Standing { at: &step.at, ..standing.clone() };
            step.requires.files.iter().for_each(|file| self.text(Text::Plain(file), &standing));
        });
        self.limit(workflow.timeout.as_ref(), standing);
        if let Some(model) = &workflow.claude.model {
            self.text(Text::Plain(model), standing);
        }
    }

    /// Not `filter`, `sort_by`, `distinct` and the expressions of aggregates: any name there may
    /// be a field of the items or results.
    fn map_reduce(&mut self, job: &'a MapReduce, around: &Standing<'a>) {
        let map = &job.map;
        let inside = Standing { at: &map.at, ..around.clone() };
        if let Some(setup) = &job.setup {
            self.stage(setup, around);
        }
        let input = Text::Command(&map.input);
        self.moments.push(Moment::Text(input, Role::FileOrCommand, inside.clone()));
        self.count(Some(&map.max_parallel), &inside);
        self.count(map.max_items.as_ref(), &inside);
        self.moments.push(Moment::LoopBegins(Rounds::Map));
        let item = Standing { loops: 1, ..inside };
        self.limit(map.item_timeout.as_ref(), &item);
        self.steps(&map.template, &item, Ending::Stops);
        self.moments.push(Moment::LoopEnds(Rounds::Map));
        self.moments.extend(map.variables.iter().map(|aggregate| {
            let (name, meaning) = (aggregate.name.as_str(), Meaning::Aggregate);
            Moment::Named(Definition { name, at: &map.at, meaning, stops: false })
        }));
        if let Some(reduce) = &job.reduce {
            self.stage(reduce, around);
        }
    }

    fn stage(&mut self, stage: &'a Stage, around: &Standing<'a>) {
        let mut inside = Standing { at: &stage.at, ..around.clone() };
        if let Some(when) = &stage.when {
            self.moments.push(Moment::Text(Text::Condition(when), Role::When, inside.clone()));
        }
        inside.env.extend(stage.env.iter().map(|entry| entry.name.as_str()));
        self.env(&stage.env, &inside);
        self.limit(stage.timeout.as_ref(), &inside);
        let stops = stage.on_failure.is_none()
            && stage.retry.as_ref().is_none_or(|retry| retry.on_failure == RetryExhausted::Stop);
        let ending = if stops { Ending::Stops } else { Ending::GoesOn };
        self.steps(&stage.steps, &inside, ending);
        if let Some(name) = &stage.checkpoint {
            self.moments.push(Moment::Checkpoint(name, &stage.at));
        }
        if let Some(handlers) = &stage.on_failure {
            self.handlers(handlers, &Standing { part: Part::Handler, ..inside });
        }
    }

    fn steps(&mut self, steps: &'a [Step], around: &Standing<'a>, ending: Ending) {
        steps.iter().for_each(|step| self.step(step, around, ending));
    }

    fn step(&mut self, step: &'a Step, around: &Standing<'a>, ending: Ending) {
        let mut inside = Standing { at: &step.at, own: step.id.as_deref(), ..around.clone() };
        if let Some(when) = &step.when {
            self.moments.push(Moment::Text(Text::Condition(when), Role::When, inside.clone()));
        }
        // An entry may use the outer value of its own name (`PATH: "${PATH}:/opt/bin"`).
        inside.env.extend(step.env.iter().map(|entry| entry.name.as_str()));
        self.env(&step.env, &inside);
        self.limit(step.timeout.as_ref(), &inside);
        let fields = [&step.name, &step.working_dir, &step.output_file].into_iter().flatten();
        for field in fields.chain(&step.artifacts) {
            self.text(Text::Plain(field), &inside);
        }
        let below = Standing { part: below(inside.part), own: None, ..inside.clone() };
        self.action(&step.action, &inside, &below);
        self.name_step(step, ending);
        if let Checkpoint::Named(name) = &step.checkpoint {
            self.moments.push(Moment::Checkpoint(name, &step.at));
        }
        if let Some(message) = &step.commit_message {
            self.text(Text::Plain(message), &below);
        }
        if let Some(validate) = &step.validate {
            self.validate(validate, &below);
        }
        let handler = Standing { part: Part::Handler, ..below.clone() };
        for (_, steps) in &step.on_exit_code {
            self.steps(steps, &handler, Ending::GoesOn);
        }
        if let Some(handlers) = &step.on_failure {
            self.handlers(handlers, &handler);
        }
        self.steps(&step.on_success, &below, Ending::GoesOn);
    }

    fn name_step(&mut self, step: &'a Step, ending: Ending) {
        let kind = kind(&step.action);
        self.moments.push(Moment::Ran(kind));
        let stops = ending == Ending::Stops && stops_when_it_fails(step);
        if let Some(name) = &step.id {
            let meaning = Meaning::Result(kind);
            self.moments.push(Moment::Named(Definition { name, at: &step.at, meaning, stops }));
        }
        if let Some(name) = &step.capture.name {
            let meaning = Meaning::Captured(step.capture.format);
            self.moments.push(Moment::Named(Definition { name, at: &step.at, meaning, stops }));
        }
    }

    fn action(&mut self, action: &'a Action, inside: &Standing<'a>, below: &Standing<'a>) {
        match action {
            Action::Shell(command) => self.text(Text::Command(command), inside),
            Action::Claude(call) => {
                self.text(Text::Plain(&call.prompt), inside);
                if let Some(model) = &call.options.model {
                    self.text(Text::Plain(model), inside);
                }
            }
            Action::WriteFile(file) => {
                self.text(Text::Plain(&file.path), inside);
                self.text(Text::Plain(&file.content), inside);
            }
            Action::GoalSeek(seek) => {
                self.text(Text::Plain(&seek.goal), inside);
                self.limit(seek.timeout.as_ref(), inside);
                // From its second attempt on the improver sees the last measure.
                let names = [seek.measure.id.as_deref(), seek.measure.capture.name.as_deref()];
                self.moments.extend(names.into_iter().flatten().map(Moment::Foreseen));
                self.step(&seek.improve, below, Ending::GoesOn);
                self.step(&seek.measure, below, Ending::GoesOn);
            }
            Action::Foreach(each) => self.foreach(each, inside, below),
        }
    }

    fn foreach(&mut self, each: &'a Foreach, inside: &Standing<'a>, below: &Standing<'a>) {
        match &each.items {
            Items::List(items) => {
                for item in items {
                    if let ItemTemplate::Text(text) = item {
                        self.text(Text::Plain(text), inside);
                    }
                }
            }
            Items::Command(command) => self.text(Text::Command(command), inside),
            Items::Input { input, .. } => {
                let text = Text::Command(input);
                self.moments.push(Moment::Text(text, Role::FileOrCommand, inside.clone()));
            }
            Items::Value(value) => self.text(Text::Plain(value), inside),
        }
        self.count(Some(&each.parallel), inside);
        self.count(each.max_items.as_ref(), inside);
        self.moments.push(Moment::LoopBegins(Rounds::Foreach));
        let round = Standing { part: inside.part, loops: below.loops + 1, ..below.clone() };
        self.steps(&each.steps, &round, Ending::Stops);
        self.moments.push(Moment::LoopEnds(Rounds::Foreach));
    }

    fn validate(&mut self, validate: &'a Validate, below: &Standing<'a>) {
        self.steps(&validate.steps, below, Ending::GoesOn);
        if let Some(file) = &validate.result_file {
            self.text(Text::Plain(file), below);
        }
        self.limit(validate.timeout.as_ref(), below);
        self.moments.push(Moment::Validated);
        if let Some(incomplete) = &validate.on_incomplete {
            let inside = Standing { validation: true, ..below.clone() };
            self.steps(&incomplete.steps, &inside, Ending::GoesOn);
        }
    }

    fn handlers(&mut self, set: &'a HandlerSet, standing: &Standing<'a>) {
        set.handlers.iter().for_each(|handler| self.handler(handler, standing));
    }

    fn handler(&mut self, handler: &'a Handler, around: &Standing<'a>) {
        let inside = Standing { at: &handler.at, ..around.clone() };
        if let Condition::When(condition) = &handler.condition {
            self.text(Text::Condition(condition), &inside);
        }
        self.limit(handler.timeout.as_ref(), &inside);
        self.steps(&handler.steps, &inside, Ending::GoesOn);
        match &handler.strategy {
            Strategy::Intervene { message } => self.text(Text::Plain(message), &inside),
            Strategy::Abort { cleanup } => self.steps(cleanup, &inside, Ending::GoesOn),
            _ => {}
        }
        let names = [
            (handler.id.as_deref(), Meaning::Handler),
            (handler.capture.as_deref(), Meaning::Captured(None)),
        ];
        for (name, meaning) in names {
            if let Some(name) = name {
                let definition = Definition { name, at: &handler.at, meaning, stops: false };
                self.moments.push(Moment::Named(definition));
            }
        }
        if let Some(nested) = &handler.on_failure {
            self.handlers(nested, &inside);
        }
        self.steps(&handler.on_success, &inside, Ending::GoesOn);
    }

    fn env(&mut self, entries: &'a [EnvEntry], standing: &Standing<'a>) {
        for entry in entries {
            match &entry.value {
                EnvValue::Text(text) => self.text(Text::Plain(text), standing),
                EnvValue::ByProfile { default, profiles } => {
                    let texts = default.iter().chain(profiles.iter().map(|(_, text)| text));
                    texts.for_each(|text| self.text(Text::Plain(text), standing));
                }
                EnvValue::Command(command) => self.text(Text::Command(command), standing),
                EnvValue::Conditional { condition, when_true, when_false } => {
                    self.text(Text::Condition(condition), standing);
                    self.text(Text::Plain(when_true), standing);
                    self.text(Text::Plain(when_false), standing);
                }
            }
        }
    }

    fn limit(&mut self, limit: Option<&'a Limit>, standing: &Standing<'a>) {
        if let Some(Limit::Computed(text)) = limit {
            self.text(Text::Plain(text), standing);
        }
    }

    fn count(&mut self, count: Option<&'a Count>, standing: &Standing<'a>) {
        if let Some(Count::Computed(text)) = count {
            self.text(Text::Plain(text), standing);
        }
    }

    fn text(&mut self, text: Text<'a>, standing: &Standing<'a>) {
        self.moments.push(Moment::Text(text, Role::Other, standing.clone()));
    }
}

/// The part that steps below a step of `part` are in.
fn below(part: Part) -> Part {
    match part {
        Part::Start | Part::Steps | Part::Below => Part::Below,
        Part::Handler | Part::Finally => part,
    }
}

fn kind(action: &Action) -> StepKind {
    match action {
        Action::Shell(_) => StepKind::Shell,
        Action::Claude(_) => StepKind::Claude,
        Action::GoalSeek(_) => StepKind::GoalSeek,
        Action::Foreach(_) => StepKind::Foreach,
        Action::WriteFile(_) => StepKind::WriteFile,
    }
}

/// True when nothing can make the sequence go on after this step failed or was skipped.
fn stops_when_it_fails(step: &Step) -> bool {
    let command =
        matches!(step.action, Action::Shell(_) | Action::Claude(_) | Action::WriteFile(_));
    let tolerant =
        step.retry.as_ref().is_some_and(|retry| retry.on_failure != RetryExhausted::Stop)
            || step.validate.as_ref().is_some_and(|validate| {
                validate.on_incomplete.as_ref().is_none_or(|incomplete| !incomplete.fail_workflow)
            });
    command
        && !tolerant
        && !step.continue_on_error
        && step.when.is_none()
        && step.on_failure.is_none()
        && step.on_exit_code.is_empty()
}
