//! All names that a workflow declares, and what is wrong with the names themselves.

use std::collections::{BTreeMap, HashSet};

use crate::expr::{Origin, Path, Segment, Template};
use crate::playbook::model::{
    Body, CaptureFormat, Constant, EnvEntry, EnvValue, Parameter, ParameterKind, Variable, Workflow,
};
use crate::session::StepKind;

use super::moment::{Definition, Meaning, Moment};
use crate::playbook::builtins::{self, ResultField};

/// The names of a workflow.
pub(super) struct Declared<'a> {
    /// Ids and captures, each with all places that define it, in the order of execution.
    pub(super) steps: BTreeMap<&'a str, Vec<Definition<'a>>>,
    /// `variables:`.
    pub(super) variables: BTreeMap<&'a str, &'a Variable>,
    /// `parameters:`.
    pub(super) parameters: BTreeMap<&'a str, &'a Parameter>,
    /// `env:`, `profiles:` and `secrets:` of the workflow; `None` for those whose value is data.
    pub(super) env: BTreeMap<&'a str, Option<&'a EnvEntry>>,
    /// True when there are `env_files:`, whose names are not known beforehand.
    pub(super) open_env: bool,
    /// True when the workflow has stages, or the phases of a map.
    pub(super) stages: bool,
    /// True when it has a map.
    pub(super) map: bool,
}

impl<'a> Declared<'a> {
    pub(super) fn of(workflow: &'a Workflow, moments: &[Moment<'a>]) -> Self {
        let mut steps: BTreeMap<&str, Vec<Definition<'_>>> = BTreeMap::new();
        for moment in moments {
            if let Moment::Named(definition) = moment {
                steps.entry(definition.name).or_default().push(*definition);
            }
        }
        let mut env = BTreeMap::new();
        let profiles = workflow.profiles.iter().flat_map(|profile| &profile.env);
        for entry in profiles.chain(&workflow.env) {
            env.insert(entry.name.as_str(), (!entry.secret).then_some(entry));
        }
        env.extend(workflow.secrets.iter().map(|secret| (secret.name.as_str(), None)));
        Self {
            steps,
            variables: workflow.variables.iter().map(|each| (each.name.as_str(), each)).collect(),
            parameters: workflow.parameters.iter().map(|each| (each.name.as_str(), each)).collect(),
            env,
            open_env: !workflow.env_files.is_empty(),
            stages: !matches!(workflow.body, Body::Steps(_)),
            map: matches!(workflow.body, Body::MapReduce(_)),
        }
    }

    /// True when `name` is a variable, a parameter or an environment name of the file.
    pub(super) fn is_constant(&self, name: &str) -> bool {
        self.variables.contains_key(name)
            || self.parameters.contains_key(name)
            || self.env.contains_key(name)
    }

    /// All names of the file, for "did you mean".
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.steps
            .keys()
            .chain(self.variables.keys())
            .chain(self.parameters.keys())
            .chain(self.env.keys())
            .copied()
    }

    /// Who wrote the value of `path` (SPEC 4.2), as far as it is certain beforehand.
    pub(super) fn origin(&self, path: &Path) -> Origin {
        self.origin_of(path, &mut HashSet::new())
    }

    fn origin_of(&self, path: &Path, seen: &mut HashSet<String>) -> Origin {
        let name = path.root.as_str();
        if name == "env" {
            return match path.rest.first() {
                Some(Segment::Field(name)) => self.env_origin(name, seen),
                _ => Origin::Data,
            };
        }
        if builtins::find(name).is_some() || self.steps.contains_key(name) {
            return Origin::Data;
        }
        if let Some(variable) = self.variables.get(name) {
            if !seen.insert(name.to_owned()) {
                return Origin::Authored;
            }
            let texts = texts(&variable.value);
            return texts
                .iter()
                .map(|text| self.text_origin(text, seen))
                .max()
                .unwrap_or(Origin::Authored);
        }
        if self.parameters.contains_key(name) {
            return Origin::Parameter;
        }
        self.env_origin(name, seen)
    }

    fn env_origin(&self, name: &str, seen: &mut HashSet<String>) -> Origin {
        match self.env.get(name).copied().flatten().map(|entry| &entry.value) {
            Some(EnvValue::Text(text)) => self.text_origin(text, seen),
            Some(EnvValue::ByProfile { default, profiles }) => {
                let texts = default.iter().chain(profiles.iter().map(|(_, text)| text));
                texts.map(|text| self.text_origin(text, seen)).max().unwrap_or(Origin::Authored)
            }
            _ => Origin::Data,
        }
    }

    fn text_origin(&self, text: &Template, seen: &mut HashSet<String>) -> Origin {
        let uses = text.uses();
        uses.iter().map(|each| self.origin_of(&each.path, seen)).max().unwrap_or(Origin::Authored)
    }

    /// True when the value of `path` is certainly data that is one text, not a list.
    pub(super) fn is_single_text(&self, path: &Path) -> bool {
        let name = path.root.as_str();
        let field = match path.rest.as_slice() {
            [] => None,
            [Segment::Field(field)] => Some(field.as_str()),
            _ => return false,
        };
        if matches!(name, "shell" | "claude" | "last" | "error") {
            return field.is_some();
        }
        if let Some(definitions) = self.steps.get(name) {
            return definitions.iter().all(|definition| match (definition.meaning, field) {
                (Meaning::Captured(format), None) => {
                    !matches!(format, Some(CaptureFormat::Json | CaptureFormat::Lines))
                }
                (Meaning::Result(StepKind::Foreach) | Meaning::Aggregate, _)
                | (Meaning::Captured(_), Some(_)) => false,
                (Meaning::Result(_) | Meaning::Handler, Some(field)) => {
                    ResultField::named(field).is_some_and(ResultField::is_text)
                }
                (Meaning::Result(_) | Meaning::Handler, None) => true,
            });
        }
        field.is_none()
            && !self.variables.contains_key(name)
            && self.parameters.get(name).is_some_and(|parameter| {
                !matches!(parameter.kind, None | Some(ParameterKind::Array | ParameterKind::Object))
            })
    }
}

/// The texts inside a constant.
pub(super) fn texts(constant: &Constant) -> Vec<&Template> {
    match constant {
        Constant::Text(text) => vec![text],
        Constant::Scalar(_) => Vec::new(),
        Constant::List(items) => items.iter().flat_map(texts).collect(),
        Constant::Map(entries) => entries.iter().flat_map(|(_, value)| texts(value)).collect(),
    }
}
