//! What a run finds around it: directory, environment, secrets, repository; and the
//! environment that each program gets.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use indexmap::IndexMap;

use crate::expr::{Dialect, EvalError, Lookup, Origin, Path as NamePath, Scope, Template, Value};
use crate::git::Repository;
use crate::playbook::inner_secrets;
use crate::playbook::model::{EnvEntry, EnvValue, Secret, SecretSource, Workflow};
use crate::process::Stop;
use crate::session::{Digest, Secrets};

use super::kinds::output_of;
use super::values::Constants;

/// What a run finds around it.
pub struct Surroundings {
    /// Working directory of the run, absolute.
    pub directory: PathBuf,
    /// What is masked, and put back where the journal refers to it.
    pub secrets: Secrets,
    /// The git repository around the directory.
    pub repository: Option<Repository>,
    /// `--profile`.
    pub profile: Option<String>,
    /// The environment of every program, before stages and steps add theirs.
    base: IndexMap<OsString, OsString>,
    /// The part of it that this process does not have: what programs do not inherit.
    added: IndexMap<OsString, OsString>,
    /// What the workflow file itself sets: `env`, `env_files`, `secrets`.
    file: IndexMap<String, Value>,
}

/// The surroundings are not as the workflow needs them.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SurroundingsError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The secret that cannot be had, where that is what is wrong.
    pub secret: Option<String>,
}

impl SurroundingsError {
    /// Something that is no secret.
    pub(super) fn new(message: String, help: Option<String>) -> Self {
        Self { message, help, secret: None }
    }
}

/// Names that change how programs start: never set by captures and variables (SPEC 4.2).
fn is_reserved(name: &str) -> bool {
    const RESERVED: [&str; 14] = [
        "PATH",
        "HOME",
        "IFS",
        "ENV",
        "BASH_ENV",
        "PS4",
        "SHELLOPTS",
        "BASHOPTS",
        "CDPATH",
        "GLOBIGNORE",
        "PWD",
        "OLDPWD",
        "SHELL",
        "TMPDIR",
    ];
    RESERVED.contains(&name)
        || name.starts_with("LD_")
        || name.starts_with("DYLD_")
        || name.starts_with("PRODIGY_")
}

/// True for the name under which values of `name` are known: `KEY`, `KEY#2` ….
fn of_name(known: &str, name: &str) -> bool {
    known.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
}

/// The largest value that is exported: the kernel takes 128 KiB for one `NAME=value`.
const EXPORTED: usize = 100 * 1024;

impl Surroundings {
    /// Looks around: reads `env_files`, resolves `env` and `secrets`.
    ///
    /// # Errors
    /// A file that cannot be read, a secret that is not set, a command that fails.
    pub fn gather(
        workflow: &Workflow,
        constants: &Constants,
        directory: PathBuf,
        profile: Option<String>,
        stop: &Stop,
    ) -> Result<Self, SurroundingsError> {
        let mut surroundings = Self {
            repository: Repository::find(&directory),
            directory,
            secrets: Secrets::default(),
            profile,
            base: std::env::vars_os().collect(),
            added: IndexMap::new(),
            file: IndexMap::new(),
        };
        let mut secrets: Vec<(String, String)> = surroundings.likely_secrets();
        for (name, value) in constants.iter() {
            surroundings.export(name, value);
        }
        surroundings.read_files(workflow, constants)?;
        for entry in &workflow.env {
            let value = surroundings.resolve(workflow, entry, constants, stop)?;
            surroundings.set(entry, value, &mut secrets);
        }
        let chosen = surroundings.profile.clone();
        if let Some(name) = chosen {
            let Some(profile) = workflow.profiles.iter().find(|profile| profile.name == name)
            else {
                let known: Vec<&str> =
                    workflow.profiles.iter().map(|it| it.name.as_str()).collect();
                let help = if known.is_empty() {
                    "declare it under `profiles:` of the workflow".to_owned()
                } else {
                    format!("known profiles: {}", known.join(", "))
                };
                let message = format!("the workflow has no profile {name:?}");
                return Err(SurroundingsError::new(message, Some(help)));
            };
            for entry in &profile.env {
                let value = surroundings.resolve(workflow, entry, constants, stop)?;
                surroundings.set(entry, value, &mut secrets);
            }
        }
        for secret in &workflow.secrets {
            let value = surroundings.secret(workflow, secret, stop)?;
            secrets.push((secret.name.clone(), value.clone()));
            surroundings.add(&secret.name, value.clone().into());
            surroundings.file.insert(secret.name.clone(), Value::from(value));
        }
        for (entry, _) in inner_secrets(workflow) {
            let value = surroundings.resolve(workflow, entry, constants, stop)?;
            let earlier = secrets.iter().filter(|(name, _)| of_name(name, &entry.name)).count();
            let name = match earlier {
                0 => entry.name.clone(),
                _ => format!("{}#{}", entry.name, earlier + 1),
            };
            secrets.extend(String::from_utf8(value).ok().map(|value| (name, value)));
        }
        surroundings.secrets = Secrets::new(secrets);
        Ok(surroundings)
    }

    /// HEAD, in a git repository.
    #[must_use]
    pub fn head(&self) -> Option<String> {
        self.repository.as_ref()?.head()
    }

    /// Digests of what the workflow file names, to notice changes between runs (never values).
    #[must_use]
    pub fn digests(&self) -> Vec<(String, Digest)> {
        let digest =
            |(name, value): (&String, &Value)| (name.clone(), Digest::of(&value.to_bytes()));
        self.file.iter().map(digest).collect()
    }

    pub(super) fn file_names(&self) -> impl Iterator<Item = &str> {
        self.file.keys().map(String::as_str)
    }

    pub(super) fn file_value(&self, name: &str) -> Option<Value> {
        self.file.get(name).cloned()
    }

    /// A `step.*`/`workflow.*` value of git: what changed since `from`.
    pub(super) fn changes(&self, from: Option<&str>, field: &str) -> Value {
        let Some(repository) = &self.repository else { return Value::Null };
        let Ok(changes) = repository.changes(from) else { return Value::Null };
        let list = |names: &[PathBuf]| {
            let name = |path: &PathBuf| Value::text(path.as_os_str().as_bytes().to_vec());
            Value::Array(names.iter().map(name).collect())
        };
        match field {
            "files_added" => list(&changes.files_added),
            "files_modified" => list(&changes.files_modified),
            "files_deleted" => list(&changes.files_deleted),
            "files_changed" => list(&changes.files_changed()),
            "commits" => {
                Value::Array(changes.commits.iter().map(|id| Value::from(id.as_str())).collect())
            }
            "commit_count" => Value::from(changes.commits.len() as u64),
            "insertions" => Value::from(changes.insertions),
            "deletions" => Value::from(changes.deletions),
            _ => Value::Null,
        }
    }

    /// A text of the workflow file as it is before the first step.
    ///
    /// # Errors
    /// A name has no value.
    pub fn render(
        &self,
        text: &Template,
        constants: &Constants,
    ) -> Result<String, SurroundingsError> {
        text.render(&FileScope { constants, surroundings: self })
            .map_err(|error| SurroundingsError::new(error.to_string(), error.help))
    }

    /// A variable of that environment.
    #[must_use]
    pub fn env(&self, name: &str) -> Option<&OsStr> {
        self.base.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    fn add(&mut self, name: &str, value: OsString) {
        self.base.insert(name.into(), value.clone());
        self.added.insert(name.into(), value);
    }

    /// What programs that belong to the whole run have besides the environment they inherit.
    pub(super) fn added(&self) -> Vec<(OsString, OsString)> {
        self.added.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The whole environment of such programs.
    #[must_use]
    pub fn base(&self) -> Vec<(OsString, OsString)> {
        self.base.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Values of names that look like secrets, long enough not to blank out ordinary text.
    fn likely_secrets(&self) -> Vec<(String, String)> {
        const PARTS: [&str; 9] = [
            "TOKEN",
            "SECRET",
            "PASSWORD",
            "PASSWD",
            "API_KEY",
            "APIKEY",
            "PRIVATE_KEY",
            "ACCESS_KEY",
            "CREDENTIAL",
        ];
        let likely = |name: &str| {
            let name = name.to_ascii_uppercase();
            PARTS.iter().any(|part| name.contains(part))
        };
        self.base
            .iter()
            .filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)))
            .filter(|(name, value)| value.len() >= 8 && likely(name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    fn read_files(
        &mut self,
        workflow: &Workflow,
        constants: &Constants,
    ) -> Result<(), SurroundingsError> {
        for file in &workflow.env_files {
            let name = file.render(constants).map_err(|error| at("env_files", &error))?;
            let path = self.directory.join(&name);
            let text = std::fs::read_to_string(&path).map_err(|error| {
                let message = format!("env_files: cannot read {}: {error}", path.display());
                let help = "paths are relative to the directory of the run";
                SurroundingsError::new(message, Some(help.into()))
            })?;
            for (name, value) in env_file(&text) {
                self.add(&name, value.clone().into());
                self.file.insert(name, Value::from(value));
            }
        }
        Ok(())
    }

    fn resolve(
        &self,
        workflow: &Workflow,
        entry: &EnvEntry,
        constants: &Constants,
        stop: &Stop,
    ) -> Result<Vec<u8>, SurroundingsError> {
        let scope = FileScope { constants, surroundings: self };
        let what = format!("env.{}", entry.name);
        let profile = self.profile.as_deref();
        env_text(entry, profile, &scope).map_err(|error| at(&what, &error)).and_then(|value| {
            match value {
                EnvText::Is(value) => Ok(value),
                EnvText::Command(text) => {
                    let dialect = Dialect::of(&workflow.shell.words[0]);
                    let script = text.render(&scope, dialect).map_err(|error| at(&what, &error))?;
                    let env = self.added();
                    output_of(&workflow.shell, &script, env, &self.directory, stop).map_err(
                        |message| SurroundingsError::new(format!("{what}: {message}"), None),
                    )
                }
            }
        })
    }

    fn set(&mut self, entry: &EnvEntry, value: Vec<u8>, secrets: &mut Vec<(String, String)>) {
        if entry.secret
            && let Ok(text) = String::from_utf8(value.clone())
        {
            secrets.push((entry.name.clone(), text));
        }
        self.add(&entry.name, OsString::from_vec(value.clone()));
        self.file.insert(entry.name.clone(), Value::text(value));
    }

    fn secret(
        &self,
        workflow: &Workflow,
        secret: &Secret,
        stop: &Stop,
    ) -> Result<String, SurroundingsError> {
        let failed = |message: String, help: Option<String>| SurroundingsError {
            secret: Some(secret.name.clone()),
            ..SurroundingsError::new(message, help)
        };
        let bytes = match &secret.source {
            SecretSource::Env(name) => {
                let value = std::env::var_os(name).filter(|value| !value.is_empty());
                value.map(OsStringExt::into_vec).ok_or_else(|| {
                    failed(
                        format!("the secret {:?} is not set", secret.name),
                        Some(format!("set the environment variable {name}")),
                    )
                })?
            }
            SecretSource::File(path) => {
                std::fs::read(self.directory.join(path)).map_err(|error| {
                    let path = path.display();
                    let message = format!("secret {:?}: cannot read {path}: {error}", secret.name);
                    failed(message, Some("put the file back, or correct the workflow".to_owned()))
                })?
            }
            SecretSource::Command(command) => {
                let script =
                    crate::expr::ShellScript { text: command.clone(), ..Default::default() };
                let env = self.added();
                output_of(&workflow.shell, &script, env, &self.directory, stop).map_err(
                    |message| failed(format!("secret {:?}: {message}", secret.name), None),
                )?
            }
        };
        let text = String::from_utf8(bytes)
            .map_err(|_| failed(format!("the secret {:?} is not UTF-8", secret.name), None))?;
        let text = text.trim_end_matches(['\n', '\r']).to_owned();
        if text.len() < 4 {
            let message = format!("the secret {:?} is shorter than 4 characters", secret.name);
            let help = "its value would be masked everywhere in the output; use `env` for it";
            return Err(failed(message, Some(help.into())));
        }
        Ok(text)
    }

    /// Sets a scalar under its own name, where that is safe.
    fn export(&mut self, name: &str, value: &Value) {
        if let Some(bytes) = exported(name, value) {
            self.add(name, OsString::from_vec(bytes));
        }
    }
}

/// The bytes of a scalar that may be exported as `name`.
pub(super) fn exported(name: &str, value: &Value) -> Option<Vec<u8>> {
    let is_name = !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let scalar = !matches!(value, Value::Array(_) | Value::Object(_) | Value::Null);
    if !is_name || !scalar || is_reserved(name) {
        return None;
    }
    let bytes = value.to_bytes();
    (bytes.len() <= EXPORTED && !bytes.contains(&0)).then_some(bytes)
}

fn at(what: &str, error: &EvalError) -> SurroundingsError {
    SurroundingsError::new(format!("{what}: {error}"), error.help.clone())
}

/// What an environment entry says, before commands run.
pub(super) enum EnvText<'a> {
    Is(Vec<u8>),
    Command(&'a crate::expr::ShellText),
}

pub(super) fn env_text<'a>(
    entry: &'a EnvEntry,
    profile: Option<&str>,
    scope: &dyn Scope,
) -> Result<EnvText<'a>, EvalError> {
    let text =
        match &entry.value {
            EnvValue::Text(text) => text,
            EnvValue::ByProfile { default, profiles } => {
                let chosen = profiles.iter().find(|(name, _)| Some(name.as_str()) == profile);
                match chosen.map(|(_, text)| text).or(default.as_ref()) {
                    Some(text) => text,
                    None => return Ok(EnvText::Is(Vec::new())),
                }
            }
            EnvValue::Command(text) => return Ok(EnvText::Command(text)),
            EnvValue::Conditional { condition, when_true, when_false } => {
                if condition.is_true(scope)? { when_true } else { when_false }
            }
        };
    let (value, _) = text.evaluate(scope)?;
    let bytes = value.to_bytes();
    if bytes.contains(&0) {
        let message = format!("the value of {} holds a NUL byte", entry.name);
        return Err(EvalError { message, help: None });
    }
    Ok(EnvText::Is(bytes))
}

/// Names that the `env` of the file can use: constants, and the environment so far.
struct FileScope<'a> {
    constants: &'a Constants,
    surroundings: &'a Surroundings,
}

impl Scope for FileScope<'_> {
    fn lookup(&self, path: &NamePath) -> Lookup {
        if path.root == "env"
            && let Some(crate::expr::Segment::Field(name)) = path.rest.first()
        {
            let value = self.surroundings.base.get(OsStr::new(name));
            let value = value.map_or(Value::Null, |it| Value::text(it.as_bytes().to_vec()));
            return Lookup::Found { value, origin: Origin::Data, used: 1 };
        }
        match self.surroundings.file.get(&path.root) {
            Some(value) => Lookup::Found { value: value.clone(), origin: Origin::Data, used: 0 },
            None => self.constants.lookup(path),
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.constants.names();
        names.extend(self.surroundings.file.keys().cloned());
        names
    }
}

/// `NAME=value` lines; quotes around a value are taken off, `#` lines and `export` are skipped.
fn env_file(text: &str) -> Vec<(String, String)> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| line.strip_prefix("export ").unwrap_or(line).split_once('='))
        .map(|(name, value)| {
            let value = value.trim();
            let quoted = ['"', '\'']
                .iter()
                .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
            (name.trim().to_owned(), quoted.unwrap_or(value).to_owned())
        })
        .collect()
}
