//! One git run: quiet, never asking, on this repository whatever the environment says.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Repository;
use crate::process::{
    Born, Collector, Ended, Inherits, Keep, Limits, Program, Sink, SpawnError, Stdin, Stop,
    StopSignal, Whole, run,
};

/// Variables that point git elsewhere; set, for example, when we run below a git hook.
const ELSEWHERE: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_PREFIX",
    "GIT_NAMESPACE",
];

/// Lists of paths are held as a whole; one longer than this is refused.
const MOST_OUTPUT: usize = 1 << 30;

/// From the wish to stop to SIGKILL: git removes its lock files first.
const GRACE: Duration = Duration::from_secs(5);

/// Git could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// Git is not there, or cannot be started.
    #[error(transparent)]
    Start(#[from] SpawnError),
    /// Git said no.
    #[error("git {command} failed: {message}")]
    Failed {
        /// Its subcommand.
        command: String,
        /// What it said, or how it ended.
        message: String,
    },
    /// We were asked to stop meanwhile.
    #[error("git was stopped")]
    Stopped,
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// What to run, besides the arguments.
#[derive(Default)]
pub(super) struct Setting<'a> {
    /// Instead of this process's own environment.
    pub(super) env: Option<&'a [(OsString, OsString)]>,
    /// What git reads from stdin.
    pub(super) input: Option<Vec<u8>>,
}

/// How a git run ended that did not fail to run at all.
pub(super) struct Answer {
    pub(super) code: i32,
    pub(super) output: Vec<u8>,
    pub(super) message: String,
}

impl Repository {
    /// Runs git for its output.
    pub(super) fn git(&self, args: &[&str]) -> Result<Vec<u8>, GitError> {
        self.git_in(&Setting::default(), args)
    }

    /// Runs git for its output.
    pub(super) fn git_in(&self, setting: &Setting, args: &[&str]) -> Result<Vec<u8>, GitError> {
        let answer = self.ask_git(setting, args)?;
        if answer.code == 0 { Ok(answer.output) } else { Err(answer.into_error(args)) }
    }

    /// Runs git for its exit code too.
    pub(super) fn ask_git(&self, setting: &Setting, args: &[&str]) -> Result<Answer, GitError> {
        let call = Call {
            directory: &self.top,
            env: environment(setting.env),
            input: setting.input.clone(),
            stop: &self.stop,
        };
        call.answer(args)
    }
}

/// One run of git, whatever repository it is about.
pub(super) struct Call<'a> {
    pub(super) directory: &'a Path,
    /// The whole environment.
    pub(super) env: Vec<(OsString, OsString)>,
    pub(super) input: Option<Vec<u8>>,
    pub(super) stop: &'a Stop,
}

impl Call<'_> {
    /// Runs git and keeps what it writes.
    pub(super) fn answer(self, args: &[&str]) -> Result<Answer, GitError> {
        let mut out = Collector::new(Keep::Whole(MOST_OUTPUT));
        let (code, mut message) = self.stream(args, &mut |bytes| {
            out.push(bytes);
            Flow::On
        })?;
        match out.finish().whole {
            Whole::Bytes(output) => Ok(Answer { code, output, message }),
            _ => {
                message = "its answer is too long".to_owned();
                Err(Answer { code, output: Vec::new(), message }.into_error(args))
            }
        }
    }

    /// Runs git and hands over what it writes as it comes; returns its exit code and what it
    /// said on stderr. A receiver that wants no more ends it.
    pub(super) fn stream(
        self,
        args: &[&str],
        receive: &mut dyn FnMut(&[u8]) -> Flow,
    ) -> Result<(i32, String), GitError> {
        let program = Program {
            program: "git".into(),
            file: None,
            inherits: Inherits::Nothing,
            args: args.iter().map(OsString::from).collect(),
            env: self.env,
            directory: self.directory.to_owned(),
            stdin: self.input.map_or(Stdin::Null, Stdin::Bytes),
        };
        let limits = Limits {
            timeout: None,
            idle: None,
            grace: GRACE,
            signal: StopSignal::Terminate,
            marker: None,
        };
        let mut heard = Heard { receive, flow: Flow::On, err: Collector::new(Keep::Shown) };
        let ended = run(&program, &limits, self.stop, &mut heard)?;
        let message = heard.err.finish().shown.trim().to_owned();
        match ended {
            Ended::Exited(code) => Ok((code, message)),
            Ended::Signaled(signal) => Ok((128 + signal, message)),
            Ended::Ordered => Ok((0, message)),
            _ => Err(GitError::Stopped),
        }
    }
}

/// Whether a receiver wants more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    On,
    End,
}

impl GitError {
    /// An error of the disk, with what was tried.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

impl Answer {
    pub(super) fn into_error(self, args: &[&str]) -> GitError {
        let command = args.iter().find(|arg| !arg.starts_with('-') && !arg.contains('='));
        let message =
            if self.message.is_empty() { format!("exit code {}", self.code) } else { self.message };
        GitError::Failed { command: command.map_or("", |name| name).to_owned(), message }
    }
}

fn environment(given: Option<&[(OsString, OsString)]>) -> Vec<(OsString, OsString)> {
    let own = given.is_none();
    let given = given.map_or_else(|| std::env::vars_os().collect(), <[_]>::to_vec);
    let mut env: Vec<_> =
        given.into_iter().filter(|(name, _)| !ELSEWHERE.iter().any(|it| name == it)).collect();
    let mut set = |name: &str, value: &str| env.push((name.into(), OsStr::new(value).to_owned()));
    set("GIT_TERMINAL_PROMPT", "0");
    // A look must not hold a lock that a step's own git then stumbles over.
    set("GIT_OPTIONAL_LOCKS", "0");
    if own {
        // A commit's hooks keep the language of their user.
        set("LC_ALL", "C");
    }
    env
}

struct Heard<'a> {
    receive: &'a mut dyn FnMut(&[u8]) -> Flow,
    flow: Flow,
    err: Collector,
}

impl Sink for Heard<'_> {
    fn spawned(&mut self, _: &dyn Fn() -> Born) -> std::io::Result<()> {
        Ok(())
    }

    fn stdout(&mut self, bytes: &[u8]) {
        if self.flow == Flow::On {
            self.flow = (self.receive)(bytes);
        }
    }

    fn stderr(&mut self, bytes: &[u8]) {
        self.err.push(bytes);
    }

    fn wants_end(&mut self) -> bool {
        self.flow == Flow::End
    }
}
