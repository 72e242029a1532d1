//! What a text at one address can ask for: built-in names, captures, ids, variables (SPEC 4.1).

use std::sync::Arc;

use indexmap::IndexMap;

use crate::expr::{Lookup, Origin, Path, Scope, Segment, Value};
use crate::playbook::builtins::{self, BUILTINS, Builtin, Known, ResultField};
use crate::session::{Address, IdEntry, SessionState, StepKind, StepResult, StepStatus, Stored};

use super::frame::{Frame, Round};
use super::run::Run;

/// The names visible at one address.
pub(super) struct Names<'b, 'a> {
    pub(super) run: &'b Run<'a>,
    pub(super) frame: &'b Frame<'a>,
    pub(super) address: &'b Address,
}

impl Scope for Names<'_, '_> {
    fn lookup(&self, path: &Path) -> Lookup {
        let field = match path.rest.first() {
            Some(Segment::Field(name)) => Some(name.as_str()),
            _ => None,
        };
        if let Some(builtin) = builtins::find(&path.root)
            && (self.stands_for(builtin) || self.run.constants.value(&path.root).is_none())
        {
            return match field {
                Some(field) if !builtin.fields.has(field) => Lookup::Unknown,
                field => self.built_in(&path.root, field),
            };
        }
        let found = self.run.session.with(|state| {
            let names = &state.standing.names;
            if let Some(stored) = names.capture(self.address, &path.root) {
                return Some(Found::Stored(stored.clone()));
            }
            let entry = names.id(self.address, &path.root)?;
            Some(Found::Id(Self::id(state, entry, field)))
        });
        match found {
            Some(Found::Stored(stored)) => data(self.open(&stored), 0),
            Some(Found::Id(Some(fields))) => fields.lookup(self),
            Some(Found::Id(None)) => Lookup::Unknown,
            None => self.constant(&path.root),
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            BUILTINS.iter().map(|builtin| builtin.name.to_owned()).collect();
        self.run.session.with(|state| {
            let known = &state.standing.names;
            names.extend(known.captures(self.address).into_keys().map(str::to_owned));
            names.extend(known.ids(self.address).map(str::to_owned));
        });
        names.extend(self.run.constants.iter().map(|(name, _)| name.to_owned()));
        names.extend(self.run.surroundings.file_names().map(str::to_owned));
        names
    }
}

/// What a name was found to be, to be opened outside the lock.
enum Found {
    Stored(Stored),
    Id(Option<IdField>),
}

/// One field of a step, or the step as a whole.
enum IdField {
    Stored(Stored, usize),
    Value(Value, usize),
    /// `ID.handler`: the output of the handler that answered.
    Handler(Option<Stored>),
}

impl IdField {
    fn lookup(self, names: &Names<'_, '_>) -> Lookup {
        match self {
            Self::Stored(stored, used) => data(names.open(&stored), used),
            Self::Value(value, used) => data(value, used),
            Self::Handler(output) => {
                let output = output.map(|output| names.open(&output)).unwrap_or_default();
                let fields = IndexMap::from([("output".to_owned(), output)]);
                data(Value::Object(fields), 1)
            }
        }
    }
}

fn data(value: Value, used: usize) -> Lookup {
    Lookup::Found { value, origin: Origin::Data, used }
}

impl Names<'_, '_> {
    fn constant(&self, name: &str) -> Lookup {
        if let Some(value) = self.run.map_variable(name) {
            return data(value, 0);
        }
        if let Some((value, origin)) = self.run.constants.value(name) {
            return Lookup::Found { value: value.clone(), origin: *origin, used: 0 };
        }
        match self.run.surroundings.file_value(name) {
            Some(value) => data(value, 0),
            // What did not run has no result, as a step that was skipped.
            None if self.run.step_names.contains(name) => data(Value::Null, 0),
            None => Lookup::Unknown,
        }
    }

    fn open(&self, stored: &Stored) -> Value {
        self.run.open_stored(stored)
    }

    /// True where a built-in name has a value; elsewhere a variable may be called so.
    fn stands_for(&self, builtin: &Builtin) -> bool {
        match builtin.known {
            Known::Everywhere => builtin.name != "ARG" || self.frame.argument.is_some(),
            Known::InHandlers => self.frame.error.is_some(),
            Known::InLoops => self.frame.round.is_some(),
            Known::AfterValidation => {
                self.frame.scored.is_some()
                    || self.run.session.with(|state| state.standing.last_score().is_some())
            }
            Known::WithStages => self.frame.stage.is_some(),
            Known::FromMapOn | Known::AfterMap => {
                self.run.session.with(|state| state.lifetime.job.is_some())
            }
            Known::InMerge => false,
        }
    }

    fn built_in(&self, root: &str, field: Option<&str>) -> Lookup {
        let context = match (root, field) {
            ("item" | "item_id" | "item_index" | "item_total", _) => {
                let Some(round) = &self.frame.round else { return Lookup::Unknown };
                return data(self.item(round, root), 0);
            }
            ("ARG", _) => match &self.frame.argument {
                Some(argument) => return data(self.open(argument), 0),
                None => return Lookup::Unknown,
            },
            ("attempt", _) => {
                let next = self.run.session.with(|state| state.lifetime.next_attempt(self.address));
                return data(Value::from(u64::from(next.saturating_sub(1).max(1))), 0);
            }
            ("env", Some(name)) => return data(self.run.env_value(self.frame, name), 1),
            ("map", Some(field)) => match self.run.map_value(field) {
                Some(value) => value,
                None => return Lookup::Unknown,
            },
            ("job", Some("id")) => self
                .run
                .session
                .with(|state| state.lifetime.job.as_deref().map_or(Value::Null, Value::from)),
            ("session", Some("id")) => Value::from(self.run.session.id().as_str()),
            ("stage", Some("name")) => self.frame.stage.map_or(Value::Null, Value::from),
            ("workflow", Some(field)) => self.workflow(field),
            ("step", Some(field)) => self.step_changes(field),
            ("error", Some(field)) => self.error(field),
            ("validation", Some(field)) => self.validation(field),
            ("shell" | "claude" | "last", Some(field)) => return self.latest(root, field),
            _ => return Lookup::Unknown,
        };
        data(context, 1)
    }

    fn item(&self, round: &Arc<Round>, root: &str) -> Value {
        match root {
            "item" => self.open(&round.item),
            "item_id" => Value::from(round.id.as_str()),
            "item_index" => Value::from(round.index as u64),
            _ => Value::from(round.total as u64),
        }
    }

    fn workflow(&self, field: &str) -> Value {
        match field {
            "name" => Value::from(self.run.workflow.name.as_str()),
            "dir" => Value::from(self.run.surroundings.directory.to_string_lossy().into_owned()),
            "status" => {
                self.frame.status.map_or(Value::from("running"), |it| Value::from(it.as_str()))
            }
            "id" => self.run.session.with(|state| {
                state.header().map_or(Value::Null, |it| Value::from(it.workflow_id.as_str()))
            }),
            field => {
                let from = self
                    .run
                    .session
                    .with(|state| state.lifetime.runs.first().and_then(|run| run.head.clone()));
                self.run.surroundings.changes(from.as_deref(), field)
            }
        }
    }

    /// `step.*`: what changed in the repository since the latest step before this one ended.
    fn step_changes(&self, field: &str) -> Value {
        let from = self.run.session.with(|state| {
            let latest = state.standing.latest.as_ref()?;
            state.standing.record(latest)?.head_before.clone()
        });
        let from = from.or_else(|| self.run.surroundings.head());
        self.run.surroundings.changes(from.as_deref(), field)
    }

    fn error(&self, field: &str) -> Value {
        let Some(at) = &self.frame.error else { return Value::Null };
        let error = self.run.session.with(|state| state.standing.error(at).cloned());
        let Some(error) = error else { return Value::Null };
        match field {
            "message" => self.open(&error.failure.message),
            "exit_code" => error.exit_code.map_or(Value::Null, |it| Value::from(i64::from(it))),
            "step" => Value::from(error.step.as_str()),
            "kind" => word(&error.failure.kind),
            "class" => word(&error.failure.class),
            "attempt" => Value::from(u64::from(error.attempt)),
            "output" => self.open(&error.output),
            "stderr" => self.open(&error.stderr),
            "timestamp" => {
                Value::from(error.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
            }
            "correlation_id" => Value::from(error.correlation_id),
            _ => Value::Null,
        }
    }

    fn validation(&self, field: &str) -> Value {
        let score = self.run.session.with(|state| match &self.frame.scored {
            Some(at) => state.standing.latest_score(at).cloned(),
            None => state.standing.last_score().cloned(),
        });
        let Some(score) = score else { return Value::Null };
        let detail = self.open(&score.detail);
        let parsed = match &detail {
            Value::String(text) => {
                serde_json::from_str::<serde_json::Value>(text).ok().map(Value::from)
            }
            other => Some(other.clone()),
        };
        match (field, parsed) {
            ("score" | "completion" | "completion_percentage", _) => number(score.score),
            ("complete" | "reached", _) => Value::from(score.reached),
            ("output", _) => detail,
            (field, Some(Value::Object(fields))) => fields.get(field).cloned().unwrap_or_default(),
            _ => Value::Null,
        }
    }

    fn latest(&self, root: &str, field: &str) -> Lookup {
        let kind = match root {
            "shell" => Some(StepKind::Shell),
            "claude" => Some(StepKind::Claude),
            _ => None,
        };
        let result =
            self.run.session.with(|state| state.standing.names.latest(self.address, kind).cloned());
        match result {
            Some(result) => match ResultField::named(field) {
                Some(field) => field_of(&result, field).lookup(self),
                None => Lookup::Unknown,
            },
            None => data(Value::Null, 1),
        }
    }

    /// A step by its id: one field, or its output for the id alone. In the step's own handlers
    /// the latest attempt speaks.
    fn id(state: &SessionState, entry: &IdEntry, field: Option<&str>) -> Option<IdField> {
        let Some(field) = field else {
            let result = entry.result.as_ref()?;
            return Some(IdField::Stored(result.report.stdout.text.clone(), 0));
        };
        let field = ResultField::named(field)?;
        if field == ResultField::Handler {
            return Some(IdField::Handler(entry.handler.clone()));
        }
        if let Some(result) = &entry.result {
            return Some(field_of(result, field));
        }
        let record = state.standing.record(&entry.address)?;
        let report = record.latest_report()?;
        let mut result = StepResult::skipped(StepKind::Shell);
        result.status =
            if report.failure.is_some() { StepStatus::Failed } else { StepStatus::Success };
        result.attempts = record.attempt;
        result.report = report.clone();
        Some(field_of(&result, field))
    }
}

/// A field of a step's result.
fn field_of(result: &StepResult, field: ResultField) -> IdField {
    let report = &result.report;
    let agent = report.agent.as_deref();
    let is = |status: StepStatus| Value::from(result.status == status);
    let value = match field {
        ResultField::Output => return IdField::Stored(report.stdout.text.clone(), 1),
        ResultField::Stderr => return IdField::Stored(report.stderr.text.clone(), 1),
        ResultField::Error => match &report.failure {
            Some(failure) => return IdField::Stored(failure.message.clone(), 1),
            None => Value::Null,
        },
        ResultField::Results => {
            return IdField::Stored(result.detail.clone().unwrap_or_default(), 1);
        }
        ResultField::Handler => return IdField::Handler(None),
        ResultField::ExitCode => report.exit_code.map_or(Value::Null, |it| i64::from(it).into()),
        ResultField::Success => is(StepStatus::Success),
        ResultField::Failed => is(StepStatus::Failed),
        ResultField::Skipped => is(StepStatus::Skipped),
        ResultField::Recovered => is(StepStatus::Recovered),
        ResultField::Duration => number(report.duration_ms as f64 / 1000.0),
        ResultField::Attempts => Value::from(u64::from(result.attempts)),
        ResultField::CostUsd => agent.and_then(|it| it.cost_usd).map_or(Value::Null, number),
        ResultField::Tokens => agent.and_then(|it| it.tokens).map_or(Value::Null, Value::from),
        ResultField::Turns => agent.and_then(|it| it.turns).map_or(Value::Null, Value::from),
        ResultField::SessionId => agent.map_or(Value::Null, |it| it.session_id.as_str().into()),
    };
    IdField::Value(value, 1)
}

/// The word of a serialized enum.
fn word(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).map_or(Value::Null, Value::from)
}

/// A number without a needless fraction.
pub(super) fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return Value::from(value as i64);
    }
    serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number)
}
