//! The environment and directory that each program of a step gets.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::expr::{Dialect, EvalError, Value};
use crate::playbook::model::EnvEntry;
use crate::session::Address;

use super::environment::{EnvText, env_text, exported};
use super::frame::Frame;
use super::kinds::output_of;
use super::run::Run;

/// With more captures than this, only those that a command mentions are exported, so that a
/// step costs the same however many came before.
const ALL_EXPORTED: usize = 200;

impl<'a> Run<'a> {
    /// What a program of the step at `address` has besides the environment it inherits.
    pub(super) fn environment(
        &self,
        frame: &Frame<'a>,
        own: &'a [EnvEntry],
        address: &Address,
        attempt: u32,
        mentions: &[String],
    ) -> Result<Vec<(OsString, OsString)>, EvalError> {
        let names = self.names(frame, address);
        let mut env = self.surroundings.added();
        let mut set = |name: &str, value: Vec<u8>| {
            env.push((name.into(), OsString::from_vec(value)));
        };
        for (name, value) in self.exported_captures(address, mentions) {
            set(&name, value);
        }
        if let Some(round) = &frame.round {
            let item = round.item.open(self.secrets()).unwrap_or_default();
            if let Some(value) = exported("item", &item) {
                set("item", value);
            }
            set("item_index", round.index.to_string().into_bytes());
            set("item_total", round.total.to_string().into_bytes());
        }
        if let Some(argument) = &frame.argument
            && let Some(value) = exported("ARG", &argument.open(self.secrets()).unwrap_or_default())
        {
            set("ARG", value);
        }
        for entry in frame.env.iter().copied().chain([own]).flatten() {
            match env_text(entry, self.surroundings.profile.as_deref(), &names).map_err(
                |error| EvalError { message: format!("env.{}: {error}", entry.name), ..error },
            )? {
                EnvText::Is(value) => {
                    if entry.secret && !value.is_empty() && !self.secrets().holds(&value) {
                        return Err(unforeseen(&entry.name));
                    }
                    set(&entry.name, value);
                }
                EnvText::Command(text) => {
                    let dialect = Dialect::of(&self.workflow.shell.words[0]);
                    let script = text.render(&names, dialect)?;
                    let added = self.surroundings.added();
                    let output = output_of(
                        &self.workflow.shell,
                        &script,
                        added,
                        &self.surroundings.directory,
                        &frame.stop,
                    );
                    let output = output.map_err(|message| EvalError {
                        message: format!("env.{}: {message}", entry.name),
                        help: None,
                    })?;
                    set(&entry.name, output);
                }
            }
        }
        set("PRODIGY_SESSION_ID", self.session.id().as_str().into());
        set("PRODIGY_STEP", address.as_str().into());
        set("PRODIGY_ATTEMPT", attempt.to_string().into_bytes());
        Ok(env)
    }

    /// The captures that a program sees natively: all while they are few, else the mentioned ones.
    fn exported_captures(&self, address: &Address, mentions: &[String]) -> Vec<(String, Vec<u8>)> {
        self.session.with(|state| {
            let names = &state.standing.names;
            let open = |name: &str, stored: &crate::session::Stored| {
                if stored.blob_digest().is_some() {
                    return None;
                }
                let value = stored.open(self.secrets()).ok()?;
                Some((name.to_owned(), exported(name, &value)?))
            };
            if names.capture_count() <= ALL_EXPORTED {
                let all = names.captures(address);
                return all.into_iter().filter_map(|(name, it)| open(name, it)).collect();
            }
            mentions.iter().filter_map(|name| open(name, names.capture(address, name)?)).collect()
        })
    }

    /// `env.NAME` as the step would see it.
    pub(super) fn env_value(&self, frame: &Frame<'a>, name: &str) -> Value {
        let entries = frame.env.iter().rev().flat_map(|layer| layer.iter());
        for entry in entries {
            if entry.name == name
                && let Ok(EnvText::Is(value)) =
                    env_text(entry, self.surroundings.profile.as_deref(), &self.constants)
            {
                return Value::text(value);
            }
        }
        let value = self.surroundings.env(name);
        value.map_or(Value::Null, |value| Value::text(value.as_bytes().to_vec()))
    }

    /// The working directory of a step.
    pub(super) fn directory(
        &self,
        frame: &Frame<'a>,
        step: &'a crate::playbook::model::Step,
        address: &Address,
    ) -> Result<PathBuf, EvalError> {
        match &step.working_dir {
            None => Ok(self.surroundings.directory.clone()),
            Some(text) => {
                let text = self.render(text, frame, address)?;
                Ok(self.surroundings.directory.join(Path::new(&text)))
            }
        }
    }
}

/// A secret that nobody could mask so far.
fn unforeseen(name: &str) -> EvalError {
    EvalError {
        message: format!(
            "env.{name}: it is secret, but its value is another one than before the first step"
        ),
        help: Some("write it under `env` or `secrets` of the workflow".to_owned()),
    }
}
