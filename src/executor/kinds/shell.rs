//! `shell:` steps.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::executor::attempt::{Attempt, Done};
use crate::executor::halt::Halt;
use crate::executor::run::Run;
use crate::expr::{Dialect, ShellScript, ShellText};
use crate::playbook::model::Shell;
use crate::process::{
    Collected, Collector, Ended, Inherits, Keep, Limits, Program, Sink, SpawnError, Stdin, Stop,
    StopSignal, Whole,
};
use crate::session::{Address, Failure, FailureKind, Report};

use super::sink::StepSink;

/// What is kept whole of output that nobody captures.
const SHOWN: usize = 1024 * 1024;

/// From the first signal to SIGKILL.
pub(super) const GRACE: Duration = Duration::from_secs(5);

impl<'a> Run<'a> {
    /// One attempt of a shell step.
    pub(in crate::executor) fn shell(
        &self,
        attempt: &Attempt<'_, 'a>,
        text: &'a ShellText,
    ) -> Result<Done, Halt> {
        let Attempt { frame, step, address, number } = *attempt;
        let dialect = Dialect::of(&self.workflow.shell.words[0]);
        let prepared = text.render(&self.names(frame, address), dialect).and_then(|script| {
            let mentions = text.mentions();
            let env = self.environment(frame, &step.env, address, number, &mentions)?;
            let directory = self.directory(frame, step, address)?;
            let output_file = match &step.output_file {
                Some(path) => Some(directory.join(self.render(path, frame, address)?)),
                None => None,
            };
            Ok((script, env, directory, output_file))
        });
        let (script, env, directory, output_file) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return Ok(Done::failed(self.unresolved("the command", &error))),
        };
        self.start(attempt, &script.display, None)?;
        let program = self.program(&script, env, directory)?;
        let mut done = self.run_program(
            attempt,
            &program,
            Limits {
                timeout: None,
                idle: None,
                grace: GRACE,
                signal: StopSignal::Terminate,
                marker: None,
            },
        )?;
        if let Some(path) = output_file
            && done.report.failure.is_none()
        {
            self.write_output(&path, &mut done);
        }
        Ok(done)
    }

    /// The program that runs a script, with its large values in private files.
    fn program(
        &self,
        script: &ShellScript,
        mut env: Vec<(OsString, OsString)>,
        directory: PathBuf,
    ) -> Result<Program, Halt> {
        for (name, value) in &script.env {
            env.push((name.into(), OsString::from_vec(value.clone())));
        }
        for (name, bytes) in &script.files {
            let path = self.session.scratch_file(bytes)?;
            env.push((name.into(), path.into()));
        }
        Ok(invocation(&self.workflow.shell, script, env, directory))
    }

    /// Runs a program for an attempt to its end, within the limits around it.
    pub(super) fn run_program(
        &self,
        attempt: &Attempt<'_, 'a>,
        program: &Program,
        mut limits: Limits,
    ) -> Result<Done, Halt> {
        let Attempt { frame, step, address, number } = *attempt;
        let started = frame.stop.active();
        limits.timeout = frame.deadline.as_ref().map(|it| it.at.saturating_sub(started));
        limits.marker = Some((self.session.id().as_str().to_owned(), address.as_str().to_owned()));
        let keep = Keep::Whole(match step.capture.name {
            Some(_) => usize::try_from(self.workflow.capture_limit).unwrap_or(usize::MAX),
            None => SHOWN,
        });
        let mut sink =
            StepSink::new(self, address, number, Collector::new(keep), Collector::new(keep));
        let ended = crate::process::run(program, &limits, &frame.stop, &mut sink);
        let took = frame.stop.active().saturating_sub(started);
        let (stdout, stderr) = sink.finish()?;
        let too_large = |collected: &Collected| matches!(collected.whole, Whole::Overflow { .. });
        let overflow = (step.capture.streams.stdout && too_large(&stdout))
            || (step.capture.streams.stderr && too_large(&stderr));
        let mut report = Report {
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            stdout: self.keep_output(attempt, stdout)?,
            stderr: self.keep_output(attempt, stderr)?,
            ..Report::default()
        };
        match ended {
            Ok(ended) => {
                if matches!(ended, Ended::Stopped) {
                    self.go_on(frame)?;
                }
                (report.exit_code, report.failure) = self.judge(attempt, ended, &limits);
            }
            Err(error) if error.is_shortage() => return Err(shortage(address, &error)),
            Err(error) => {
                (report.exit_code, report.failure) = (Some(127), Some(self.no_start(&error)));
            }
        }
        if report.failure.is_none() && step.capture.name.is_some() && overflow {
            let message = format!(
                "the captured output is larger than {} bytes; write it to a file, or raise `capture_limit`",
                self.workflow.capture_limit
            );
            report.failure = Some(self.failure(FailureKind::CaptureTooLarge, &message));
        }
        let mut done = Done { report, ..Done::default() };
        self.capture(step, &mut done);
        Ok(done)
    }

    fn judge(
        &self,
        attempt: &Attempt<'_, 'a>,
        ended: Ended,
        limits: &Limits,
    ) -> (Option<i32>, Option<Failure>) {
        match ended {
            Ended::Exited(0) => (Some(0), None),
            Ended::Exited(code) => {
                let message = format!("exit code {code}");
                (Some(code), Some(self.failure(FailureKind::Exit, &message)))
            }
            Ended::Signaled(signal) => {
                let name = signal_name(signal);
                let message = format!("killed by signal {signal}{name}");
                (Some(128 + signal), Some(self.failure(FailureKind::Signal, &message)))
            }
            Ended::TimedOut => {
                (Some(124), Some(self.failure(FailureKind::Timeout, &self.whose_limit(attempt))))
            }
            Ended::Idle => {
                let limit = limits.idle.unwrap_or_default();
                let message = format!("no output for {}", humantime::format_duration(limit));
                (Some(124), Some(self.failure(FailureKind::IdleTimeout, &message)))
            }
            Ended::TtyInput => {
                let message = "it waited for input from the terminal, which steps do not have";
                (None, Some(self.failure(FailureKind::TtyInput, message)))
            }
            Ended::Stopped | Ended::Ordered => {
                (None, Some(self.failure(FailureKind::Interrupted, "it was stopped")))
            }
        }
    }

    /// Whose time was up.
    pub(super) fn whose_limit(&self, attempt: &Attempt<'_, 'a>) -> String {
        let Some(deadline) = &attempt.frame.deadline else { return "timed out".to_owned() };
        let limit = humantime::format_duration(deadline.limit);
        if deadline.owner == *attempt.address {
            format!("timed out after {limit}")
        } else if deadline.owner.is_root() {
            format!("timed out: the workflow has {limit}")
        } else {
            format!("timed out: {} has {limit}", deadline.owner)
        }
    }

    fn no_start(&self, error: &SpawnError) -> Failure {
        let mut failure = self.failure(FailureKind::Start, &error.to_string());
        if error.source.kind() == std::io::ErrorKind::NotFound {
            failure.class = crate::session::FailureClass::MissingTool;
        }
        failure
    }

    /// `output_file:`.
    fn write_output(&self, path: &Path, done: &mut Done) {
        let mut bytes = self.read_back(&done.report.stdout.text);
        if !bytes.is_empty() {
            bytes.push(b'\n');
        }
        if let Err(error) = crate::store::replace_file(path, &bytes, None) {
            let message = format!("output_file: {error}");
            done.report.failure = Some(self.failure(FailureKind::File, &message));
        }
    }
}

/// The end of the run where the machine, not the step, is to blame.
pub(super) fn shortage(address: &Address, error: &SpawnError) -> Halt {
    Halt::Shortage { address: address.clone(), message: error.to_string() }
}

/// How a script is started: by its shell, or directly where nobody can tell the difference
/// (DECISIONS A34).
fn invocation(
    shell: &Shell,
    script: &ShellScript,
    env: Vec<(OsString, OsString)>,
    directory: PathBuf,
) -> Program {
    if let Some(words) = &script.words
        && shell.is_default()
        && let Some(direct) = direct(words, &env, &directory)
    {
        return Program { env, directory, ..direct };
    }
    let mut words = shell.words.iter().map(OsString::from);
    let program = words.next().unwrap_or_else(|| "sh".into());
    let args = words.chain([OsString::from(&script.text)]).collect();
    let inherits = Inherits::Everything;
    Program { program, file: None, args, inherits, env, directory, stdin: Stdin::Null }
}

fn direct(words: &[Vec<u8>], env: &[(OsString, OsString)], directory: &Path) -> Option<Program> {
    let (first, rest) = words.split_first()?;
    let inherits = Inherits::Everything;
    let path = crate::process::search_path(env, inherits)?;
    let name = OsString::from_vec(first.clone());
    let file = crate::process::find_program(&name, &path, directory)?;
    if !crate::process::starts_like_a_program(&file) {
        return None;
    }
    let args = rest.iter().map(|word| OsString::from_vec(word.clone())).collect();
    Some(Program {
        program: name,
        file: Some(file),
        args,
        inherits,
        env: Vec::new(),
        directory: PathBuf::new(),
        stdin: Stdin::Null,
    })
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        1 => " (SIGHUP)",
        2 => " (SIGINT)",
        3 => " (SIGQUIT)",
        6 => " (SIGABRT)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        13 => " (SIGPIPE)",
        15 => " (SIGTERM)",
        _ => "",
    }
}

/// The stdout of a command that is part of a value (`env: {command}`, secrets, loop items),
/// without its trailing newlines; a message when it failed.
pub(in crate::executor) fn output_of(
    shell: &Shell,
    script: &ShellScript,
    mut env: Vec<(OsString, OsString)>,
    directory: &Path,
    stop: &Stop,
) -> Result<Vec<u8>, String> {
    if !script.files.is_empty() {
        return Err("a value is too large for this place".into());
    }
    for (name, value) in &script.env {
        env.push((name.into(), OsString::from_vec(value.clone())));
    }
    let program = invocation(shell, script, env, directory.to_owned());
    let mut sink = ValueSink {
        stdout: Collector::new(Keep::Whole(VALUE_LIMIT)),
        stderr: Collector::new(Keep::Shown),
    };
    let limits = Limits {
        timeout: Some(Duration::from_secs(300)),
        idle: None,
        grace: GRACE,
        signal: StopSignal::Terminate,
        marker: None,
    };
    let ended = crate::process::run(&program, &limits, stop, &mut sink)
        .map_err(|error| error.to_string())?;
    let stdout = sink.stdout.finish();
    if ended != Ended::Exited(0) {
        let stderr = sink.stderr.finish().shown.trim().to_owned();
        let how = match ended {
            Ended::Exited(code) => format!("exit code {code}"),
            Ended::Signaled(signal) => format!("killed by signal {signal}"),
            Ended::TimedOut => "no end after 5 minutes".to_owned(),
            _ => "it was stopped".to_owned(),
        };
        let why = if stderr.is_empty() { String::new() } else { format!(": {stderr}") };
        return Err(format!("the command failed ({how}){why}"));
    }
    let Whole::Bytes(mut bytes) = stdout.whole else {
        return Err(format!(
            "the command printed more than {} MB: let a step write a file, and name the file",
            VALUE_LIMIT / (1024 * 1024)
        ));
    };
    while bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok(bytes)
}

/// The largest value that a command may give.
const VALUE_LIMIT: usize = 64 * 1024 * 1024;

/// Only collects.
struct ValueSink {
    stdout: Collector,
    stderr: Collector,
}

impl Sink for ValueSink {
    fn spawned(&mut self, _: &dyn Fn() -> crate::process::Born) -> std::io::Result<()> {
        Ok(())
    }

    fn stdout(&mut self, bytes: &[u8]) {
        self.stdout.push(bytes);
    }

    fn stderr(&mut self, bytes: &[u8]) {
        self.stderr.push(bytes);
    }
}

impl<'a> Run<'a> {
    /// The environment of a command that is part of a value of the step at `address`.
    pub(in crate::executor) fn value_command(
        &self,
        attempt: &Attempt<'_, 'a>,
        text: &'a ShellText,
    ) -> Result<Vec<u8>, Failure> {
        let Attempt { frame, step, address, number } = *attempt;
        let dialect = Dialect::of(&self.workflow.shell.words[0]);
        let prepared = text.render(&self.names(frame, address), dialect).and_then(|script| {
            let env = self.environment(frame, &step.env, address, number, &text.mentions())?;
            Ok((script, env, self.directory(frame, step, address)?))
        });
        let (script, env, directory) =
            prepared.map_err(|error| self.unresolved("the command", &error))?;
        output_of(&self.workflow.shell, &script, env, &directory, &frame.stop)
            .map_err(|message| self.failure(FailureKind::Exit, &message))
    }
}
