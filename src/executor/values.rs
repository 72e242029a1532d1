//! Variables and parameters: fixed for the whole session, evaluated once a run (SPEC 4.1).

use indexmap::IndexMap;

use crate::expr::{EvalError, Lookup, Origin, Path, Scope, Value};
use crate::playbook::model::{Constant, Parameter, ParameterKind, Workflow};
use crate::session::{Secrets, Stored};

/// Variables and parameters by name, with who wrote them.
#[derive(Debug, Clone, Default)]
pub struct Constants(IndexMap<String, (Value, Origin)>);

/// A parameter that was given wrongly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParameterError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// The values of all parameters: given ones converted to their type, then defaults; in the
/// order of the file.
///
/// # Errors
/// An unknown or missing parameter, or a value that does not fit its type or `enum`.
pub fn parameters(
    declared: &[Parameter],
    given: &IndexMap<String, Value>,
) -> Result<Vec<(String, Value)>, Vec<ParameterError>> {
    let mut errors = Vec::new();
    let mut values = Vec::new();
    for name in given.keys() {
        if !declared.iter().any(|parameter| parameter.name == *name) {
            let known: Vec<&str> = declared.iter().map(|it| it.name.as_str()).collect();
            let help = if known.is_empty() {
                "declare it under `parameters:` of the workflow".to_owned()
            } else {
                format!("known parameters: {}", known.join(", "))
            };
            let message = format!("the workflow has no parameter {name:?}");
            errors.push(ParameterError { message, help: Some(help) });
        }
    }
    for parameter in declared {
        match one_parameter(parameter, given.get(&parameter.name)) {
            Ok(Some(value)) => values.push((parameter.name.clone(), value)),
            Ok(None) => {}
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(values) } else { Err(errors) }
}

fn one_parameter(
    parameter: &Parameter,
    given: Option<&Value>,
) -> Result<Option<Value>, ParameterError> {
    let name = &parameter.name;
    let Some(given) = given.or(parameter.default.as_ref()) else {
        if parameter.required {
            let kind = parameter.kind.map_or("VALUE", kind_word);
            return Err(ParameterError {
                message: format!("parameter {name:?} is required"),
                help: Some(format!("add `--param {name}=<{kind}>`")),
            });
        }
        return Ok(Some(Value::Null));
    };
    let value = match parameter.kind {
        Some(kind) => convert(given, kind).ok_or_else(|| ParameterError {
            message: format!(
                "parameter {name:?} wants {}, {:?} is none",
                with_article(kind),
                given.to_text()
            ),
            help: None,
        })?,
        None => given.clone(),
    };
    if !parameter.choices.is_empty() && !parameter.choices.contains(&value) {
        let choices: Vec<String> = parameter.choices.iter().map(Value::to_text).collect();
        return Err(ParameterError {
            message: format!("parameter {name:?} cannot be {:?}", value.to_text()),
            help: Some(format!("one of: {}", choices.join(", "))),
        });
    }
    Ok(Some(value))
}

fn convert(value: &Value, kind: ParameterKind) -> Option<Value> {
    match (kind, value) {
        (ParameterKind::String, Value::String(_) | Value::Bytes(_))
        | (ParameterKind::Number, Value::Number(_))
        | (ParameterKind::Boolean, Value::Bool(_))
        | (ParameterKind::Array, Value::Array(_))
        | (ParameterKind::Object, Value::Object(_)) => Some(value.clone()),
        (ParameterKind::String, Value::Number(_) | Value::Bool(_)) => {
            Some(Value::String(value.to_text()))
        }
        (ParameterKind::Boolean, Value::String(text)) => text.parse::<bool>().ok().map(Value::from),
        (
            ParameterKind::Number | ParameterKind::Array | ParameterKind::Object,
            Value::String(text),
        ) => {
            let parsed = Value::from(serde_json::from_str::<serde_json::Value>(text).ok()?);
            convert(&parsed, kind)
        }
        _ => None,
    }
}

fn kind_word(kind: ParameterKind) -> &'static str {
    match kind {
        ParameterKind::String => "string",
        ParameterKind::Number => "number",
        ParameterKind::Boolean => "boolean",
        ParameterKind::Array => "array",
        ParameterKind::Object => "object",
    }
}

fn with_article(kind: ParameterKind) -> String {
    let word = kind_word(kind);
    let article = if word.starts_with(['a', 'o']) { "an" } else { "a" };
    format!("{article} {word}")
}

impl Constants {
    /// Evaluates the variables of `workflow` in file order over the parameters of the session.
    ///
    /// # Errors
    /// A variable that cannot be resolved, by name, or a secret that is not set any more.
    pub fn evaluate(
        workflow: &Workflow,
        parameters: &[(String, Stored)],
        secrets: &Secrets,
    ) -> Result<Self, EvalError> {
        let mut constants = Self::default();
        for (name, value) in parameters {
            let value = value
                .open(secrets)
                .map_err(|error| EvalError { message: error.to_string(), help: None })?;
            constants.0.insert(name.clone(), (value, Origin::Parameter));
        }
        for variable in &workflow.variables {
            let (value, origin) =
                constants.constant(&variable.value).map_err(|error| EvalError {
                    message: format!("variable {:?}: {error}", variable.name),
                    help: error.help,
                })?;
            constants.0.insert(variable.name.clone(), (value, origin));
        }
        Ok(constants)
    }

    /// One value.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&(Value, Origin)> {
        self.0.get(name)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, (value, _))| (name.as_str(), value))
    }

    fn constant(&self, constant: &Constant) -> Result<(Value, Origin), EvalError> {
        Ok(match constant {
            Constant::Text(text) => match text.as_literal() {
                Some(literal) => (Value::from(literal), Origin::Authored),
                None => text.evaluate(self)?,
            },
            Constant::Scalar(value) => (value.clone(), Origin::Authored),
            Constant::List(items) => {
                let mut origin = Origin::Authored;
                let mut values = Vec::with_capacity(items.len());
                for item in items {
                    let (value, from) = self.constant(item)?;
                    origin = origin.max(from);
                    values.push(value);
                }
                (Value::Array(values), origin)
            }
            Constant::Map(fields) => {
                let mut origin = Origin::Authored;
                let mut values = IndexMap::with_capacity(fields.len());
                for (name, field) in fields {
                    let (value, from) = self.constant(field)?;
                    origin = origin.max(from);
                    values.insert(name.clone(), value);
                }
                (Value::Object(values), origin)
            }
        })
    }
}

impl Scope for Constants {
    fn lookup(&self, path: &Path) -> Lookup {
        if path.root == "env"
            && let Some(crate::expr::Segment::Field(name)) = path.rest.first()
        {
            let value = std::env::var_os(name).map_or(Value::Null, |value| {
                Value::text(std::os::unix::ffi::OsStringExt::into_vec(value))
            });
            return Lookup::Found { value, origin: Origin::Data, used: 1 };
        }
        match self.0.get(&path.root) {
            Some((value, origin)) => {
                Lookup::Found { value: value.clone(), origin: *origin, used: 0 }
            }
            None => Lookup::Unknown,
        }
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}
