//! One process that runs a session: everything the tree walk needs at hand.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::expr::{EvalError, Template};
use crate::playbook::model::{Limit, Workflow};
use crate::process::Stop;
use crate::session::{
    Address, EventKind, Failure, FailureClass, FailureKind, Notice, Secrets, SessionState, Stored,
    WaitReason,
};
use crate::store::{OpenSession, StoreError};

use super::artifacts::Watched;
use super::budget::Running;
use super::confirm::Confirm;
use super::environment::Surroundings;
use super::files::FileKeeper;
use super::frame::Frame;
use super::gate::Gate;
use super::halt::Halt;
use super::map::MapValues;
use super::names::Names;
use super::permissions::Permissions;
use super::values::Constants;

/// How a person asked to run.
pub struct Options<'a> {
    /// `-y`: confirmations are answered with yes.
    pub yes: bool,
    /// `--park`: do not wait for a provider's limit.
    pub park: bool,
    /// `--permission-mode` and `--skip-permissions`.
    pub permissions: Permissions,
    /// `resume --max-retries N` for the steps in [`Self::starting`].
    pub extra_retries: Option<u32>,
    /// `--max-parallel N`: items of a map at a time, instead of what the workflow says.
    pub max_parallel: Option<u64>,
    /// The steps that this run starts at: in progress, or failed before.
    pub starting: HashSet<Address>,
    /// `--inject`.
    pub injections: Vec<Injection>,
    /// Whom to ask.
    pub person: &'a dyn Confirm,
    /// What starts the failed steps of a session again (a run that finds a failure recorded, and
    /// only had to answer it, goes on there).
    pub failed_again: fn(&SessionState) -> Vec<EventKind>,
}

/// `--inject ADDRESS=KIND`: a step that is made to fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injection {
    /// The step.
    pub address: Address,
    /// How it fails.
    pub kind: Inject,
    /// How many attempts fail; absent: all.
    pub times: Option<u32>,
}

/// How an injected failure looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inject {
    /// It ends with this exit code.
    Exit(i32),
    /// Its time is up.
    Timeout,
}

/// One process that runs a session.
pub struct Run<'a> {
    /// The session it holds.
    pub session: &'a OpenSession,
    /// What it runs.
    pub workflow: &'a Workflow,
    /// The wish to stop.
    pub stop: Stop,
    /// How a person asked to run.
    pub options: Options<'a>,
    /// Directory, environment, secrets, repository.
    pub surroundings: Surroundings,
    /// Variables and parameters.
    pub constants: Constants,
    /// Ids and captures of the workflow: null until they have a value.
    pub(super) step_names: HashSet<String>,
    /// Keeps the files of the working tree.
    pub(super) files: FileKeeper,
    /// Closed while a provider's limit holds.
    pub(super) gate: Gate,
    /// The agents that run now.
    pub(super) running: Running,
    /// The tries that the steps it starts at had before.
    pub(super) tries_before: HashMap<Address, u32>,
    /// The files that the workflow declares as its own.
    pub(super) watched: Watched,
    /// What reduce sees of the map.
    pub(super) map_values: MapValues<'a>,
    /// The last event before anything of this run's own.
    pub(super) began: u64,
}

impl<'a> Run<'a> {
    /// A run of `session`, which has recorded its start.
    #[must_use]
    pub fn new(
        session: &'a OpenSession,
        workflow: &'a Workflow,
        stop: Stop,
        options: Options<'a>,
        surroundings: Surroundings,
        constants: Constants,
    ) -> Self {
        let place = session.with(|state| {
            let header = state.header()?;
            Some(session.home().kept_files(&header.repository))
        });
        // A session always has a header.
        let repository = surroundings.repository.as_ref().filter(|_| place.is_some());
        let files = FileKeeper::new(repository, place.unwrap_or_default(), workflow.snapshots);
        Self {
            session,
            workflow,
            files,
            stop,
            options,
            surroundings,
            constants,
            step_names: crate::playbook::step_names(workflow),
            gate: Gate::default(),
            running: Running::default(),
            tries_before: HashMap::new(),
            watched: Watched::default(),
            map_values: MapValues::default(),
            began: session.with(|state| state.last_seq),
        }
    }

    /// Remembers how often the steps that this run starts at were tried.
    pub(super) fn count_tries(&mut self) {
        let starting = &self.options.starting;
        self.tries_before = self.session.with(|state| {
            let tries = |address| state.standing.record(address).map_or(0, |record| record.tries);
            starting.iter().map(|address| (address.clone(), tries(address))).collect()
        });
    }

    /// Records one fact.
    pub(super) fn commit(&self, kind: EventKind) -> Result<(), StoreError> {
        self.session.commit(kind).map(drop)
    }

    /// Tells the observers something that is not recorded.
    pub(super) fn warn(&self, text: &str) {
        let text = self.secrets().mask(text);
        self.session.notice(&Notice::Warning(&text));
    }

    pub(super) fn secrets(&self) -> &Secrets {
        &self.surroundings.secrets
    }

    /// A text for the journal.
    pub(super) fn seal(&self, text: &str) -> Stored {
        Stored::seal(&text.into(), self.secrets())
    }

    /// The names that a text at `address` can ask for.
    pub(super) fn names<'b>(&'b self, frame: &'b Frame<'a>, address: &'b Address) -> Names<'b, 'a> {
        Names { run: self, frame, address }
    }

    /// Leaves the tree when a signal came while a person was asked.
    pub(super) fn heed_signals(&self) -> Result<(), Halt> {
        self.stop.requested().map_or(Ok(()), |signal| Err(Halt::Stopped(signal)))
    }

    /// Leaves the tree when someone asked to stop.
    pub(super) fn go_on(&self, frame: &Frame<'_>) -> Result<(), Halt> {
        if let Some(signal) = frame.stop.requested() {
            return Err(Halt::Stopped(signal));
        }
        if frame.stop.is_stopped() {
            return Err(Halt::Cancelled);
        }
        Ok(())
    }

    /// Records that the session stops here for a person, and leaves the tree.
    pub(super) fn wait_for_person(
        &self,
        address: &Address,
        reason: WaitReason,
        message: String,
    ) -> Halt {
        let waiting = EventKind::Waiting { address: address.clone(), reason, message, until: None };
        match self.commit(waiting) {
            Ok(()) => Halt::Waiting(address.clone()),
            Err(error) => Halt::Store(error),
        }
    }

    /// A failure of `kind` for the journal.
    pub(super) fn failure(&self, kind: FailureKind, message: &str) -> Failure {
        let class = match kind {
            FailureKind::Timeout | FailureKind::IdleTimeout => FailureClass::Timeout,
            _ => FailureClass::Unknown,
        };
        Failure { kind, class, message: self.seal(message), help: None }
    }

    /// A failure for a value that could not be resolved.
    pub(super) fn unresolved(&self, what: &str, error: &EvalError) -> Failure {
        let help = error.help.as_deref().map(|help| format!(" ({help})")).unwrap_or_default();
        self.failure(FailureKind::Expression, &format!("{what}: {error}{help}"))
    }

    /// The duration of a limit, resolved now.
    pub(super) fn limit(
        &self,
        limit: Option<&Limit>,
        frame: &Frame<'a>,
        address: &Address,
    ) -> Result<Option<Duration>, EvalError> {
        match limit {
            None => Ok(None),
            Some(Limit::Fixed(duration)) => Ok(Some(*duration)),
            Some(Limit::Computed(text)) => {
                let text = self.render(text, frame, address)?;
                match crate::playbook::parse_duration(&text) {
                    Ok(duration) if !duration.is_zero() => Ok(Some(duration)),
                    Ok(_) => Err(EvalError {
                        message: format!("a timeout of {text:?} means nothing"),
                        help: Some("write a duration above zero, or leave `timeout` out".into()),
                    }),
                    Err(reason) => Err(EvalError {
                        message: reason,
                        help: Some("write 30 (seconds), 90s, 5m or 1h30m".into()),
                    }),
                }
            }
        }
    }

    /// A template as text, seen from `address`.
    pub(super) fn render(
        &self,
        text: &Template,
        frame: &Frame<'a>,
        address: &Address,
    ) -> Result<String, EvalError> {
        match text.as_literal() {
            Some(literal) => Ok(literal.to_owned()),
            None => text.render(&self.names(frame, address)),
        }
    }
}
