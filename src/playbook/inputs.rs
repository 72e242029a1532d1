//! What a workflow is given before it runs: variables, parameters, environment, secrets (SPEC 3.1).

use std::path::PathBuf;

use serde::Serialize;

use crate::expr::{Expression, ShellText, Template, Value};

/// One entry of `variables:`.
#[derive(Debug, Clone, Serialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value; texts inside may hold `${…}`.
    pub value: Constant,
}

/// A YAML value whose texts may hold `${…}`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Constant {
    /// Text with holes.
    Text(Template),
    /// null, boolean or number.
    Scalar(Value),
    /// A list.
    List(Vec<Constant>),
    /// A mapping.
    Map(Vec<(String, Constant)>),
}

/// One entry of `parameters:`.
#[derive(Debug, Clone, Serialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// `description:`.
    pub description: Option<String>,
    /// `type:`; `None` accepts anything.
    pub kind: Option<ParameterKind>,
    /// `required:`.
    pub required: bool,
    /// `default:`.
    pub default: Option<Value>,
    /// `enum:`; empty accepts anything.
    pub choices: Vec<Value>,
}

/// `parameters.NAME.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterKind {
    /// Text.
    String,
    /// A number.
    Number,
    /// A boolean.
    Boolean,
    /// A list.
    Array,
    /// A mapping.
    Object,
}

/// One environment name and where its value comes from.
#[derive(Debug, Clone, Serialize)]
pub struct EnvEntry {
    /// `[A-Za-z_][A-Za-z0-9_]*`.
    pub name: String,
    /// The value.
    pub value: EnvValue,
    /// `secret: true`: masked wherever it appears.
    pub secret: bool,
}

/// The shapes of an environment value.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvValue {
    /// Text with holes.
    Text(Template),
    /// `{default, <profile>: …}`.
    ByProfile {
        /// Without a matching profile.
        default: Option<Template>,
        /// Profile name → value.
        profiles: Vec<(String, Template)>,
    },
    /// `{command, cache}`: the output of a command (`cache` is always true: once per run).
    Command(ShellText),
    /// `{condition, when_true, when_false}`.
    Conditional {
        /// The expression.
        condition: Expression,
        /// Its value when true.
        when_true: Template,
        /// Its value when false.
        when_false: Template,
    },
}

/// One entry of `profiles:`.
#[derive(Debug, Clone, Serialize)]
pub struct Profile {
    /// Its name for `--profile`.
    pub name: String,
    /// Its entries.
    pub env: Vec<EnvEntry>,
}

/// One entry of `secrets:`; exported under its name and masked wherever its value appears.
#[derive(Debug, Clone, Serialize)]
pub struct Secret {
    /// The name under which steps see it.
    pub name: String,
    /// Where its value comes from.
    pub source: SecretSource,
}

/// Where a secret's value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretSource {
    /// An environment variable of the caller.
    Env(String),
    /// A file, without its trailing newlines.
    File(PathBuf),
    /// The output of a command, without its trailing newlines.
    Command(String),
}
