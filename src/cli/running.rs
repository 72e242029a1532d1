//! What `cook` and `resume` share: run an open session to its end, show it, tell the exit code.

use std::collections::HashSet;
use std::path::Path;

use crate::executor::{
    Before, Constants, Ending, Fix, Halt, Inject, Injection, Options, Run, Surroundings,
    SurroundingsError,
};
use crate::exit::{ExitKind, Failure};
use crate::playbook::mapreduce::ErrorCollection;
use crate::playbook::model::{Body, Workflow};
use crate::process::{Machine, Stop, end_background, end_leftovers};
use crate::report::{JsonLines, Level, Places, Plain, Screen, Terminal, Wishes, headline, summary};
use crate::session::{
    Address, Event, EventKind, Observer as _, RecoveryFinished, RecoveryStarted, RunStarted,
    SessionState, SessionStatus,
};
use crate::store::{Durability, OpenSession};
use crate::view::Style;

use super::args::{Color, Fault, FaultKind, OutputMode, RunOptions};
use super::output::{Console, Output};
use super::person::Person;
use super::terminal;

/// How a person asked to run.
pub(super) struct Wanted<'a> {
    pub(super) options: &'a RunOptions,
    pub(super) max_retries: Option<u32>,
    pub(super) inject: &'a [Fault],
    pub(super) color: Color,
    /// The command as typed, for the journal.
    pub(super) command: String,
}

/// What a run starts from.
pub(super) struct Prepared<'a> {
    pub(super) session: OpenSession,
    pub(super) workflow: &'a Workflow,
    pub(super) stop: Stop,
    pub(super) constants: Constants,
    pub(super) surroundings: Surroundings,
    /// To be recorded after the start of the run.
    pub(super) events: Vec<EventKind>,
    /// The text of an edited workflow, to be stored once the edit is recorded.
    pub(super) edited: Option<&'a str>,
    /// The steps that the run starts at.
    pub(super) starting: HashSet<Address>,
    /// The recovery that this run is an attempt of.
    pub(super) recovery: Option<Attempt<'a>>,
}

/// An attempt of a recovery.
pub(super) struct Attempt<'a> {
    /// What is recorded of it before anything else.
    pub(super) started: RecoveryStarted,
    /// The fix of its rule.
    pub(super) fix: Option<Fix<'a>>,
    /// Tells, when the run is over, how the recovery ended, or nothing while it goes on.
    pub(super) ended: &'a dyn Fn(&SessionState) -> Option<RecoveryFinished>,
}

/// Runs the session from where it stands; everything is shown by observers.
pub(super) fn run(
    prepared: Prepared<'_>,
    wanted: &Wanted<'_>,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    let Prepared {
        session,
        workflow,
        stop,
        constants,
        surroundings,
        events,
        edited,
        starting,
        recovery,
    } = prepared;
    let style = if console.output.colored() { Style::Coloured } else { Style::Plain };
    let _ = std::io::Write::flush(&mut console.output);
    let screen = observe(&session, workflow, wanted, console, style);
    let person = Person::new(stop.clone(), screen);
    session.commit(EventKind::RunStarted(Box::new(run_started(
        &session,
        &surroundings,
        wanted,
    ))))?;
    let (mut fix, mut ended) = (None, None);
    if let Some(attempt) = recovery {
        session.commit(EventKind::RecoveryStarted(Box::new(attempt.started)))?;
        (fix, ended) = (attempt.fix, Some(attempt.ended));
    }
    let options = Options {
        yes: wanted.options.yes,
        park: wanted.options.park,
        permissions: super::agents::permissions(wanted.options),
        extra_retries: wanted.max_retries,
        max_parallel: wanted.options.max_parallel,
        starting,
        injections: wanted.inject.iter().map(injection).collect(),
        person: &person,
        failed_again: crate::resume::failed_again,
    };
    let mut run = Run::new(&session, workflow, stop, options, surroundings, constants);
    let ending = run.execute(Before { fix, events, edited });
    if let Some(finished) = ended.and_then(|ended| session.with(ended)) {
        session.commit(EventKind::RecoveryFinished(Box::new(finished)))?;
        session.sync_now()?;
    }
    let marker = ("PRODIGY_SESSION_ID".to_owned(), session.id().to_string());
    drop(end_background(&[marker], GRACE));
    let kind = tell(&session, ending, wanted, console, style);
    drop(session);
    kind
}

/// What the tools of an agent carry in their environment.
fn marker_of(conversation: String) -> (String, String) {
    ("CLAUDE_CODE_SESSION_ID".to_owned(), conversation)
}

/// What processes that outlive their step get to end by themselves.
const GRACE: std::time::Duration = std::time::Duration::from_secs(2);

/// Ends what the dead run of a session left behind, before anything new starts.
pub(super) fn end_dead_run(state: &SessionState, console: &mut Console) {
    let (Some(header), Some(last)) = (state.header(), state.lifetime.runs.last()) else { return };
    let groups: Vec<(i32, u64)> =
        state.standing.records().filter_map(|(_, record)| record.group).collect();
    let mut markers = vec![("PRODIGY_SESSION_ID".to_owned(), header.session_id.to_string())];
    let open = state.standing.records().filter(|(_, record)| record.result.is_none());
    markers.extend(open.filter_map(|(_, record)| record.agent_session.clone()).map(marker_of));
    let here = Machine::present();
    let same = last.host == here.host
        && last.boot_id == here.boot_id
        && last.pid_namespace == here.pid_namespace;
    if !same {
        return;
    }
    for ended in end_leftovers(&groups, &markers, GRACE) {
        console.remark(format_args!(
            "ended a process that the run before left: {} ({})",
            crate::view::line(&ended.command),
            ended.pid
        ));
    }
}

/// Lets the run be shown as a person or program asked for; returns the screen that is drawn on,
/// if it is one.
fn observe(
    session: &OpenSession,
    workflow: &Workflow,
    wanted: &Wanted<'_>,
    console: &Console,
    style: Style,
) -> Option<Screen> {
    let out = Box::new(Output::stdout(wanted.color));
    let quiet = console.quiet || wanted.options.output == OutputMode::Quiet;
    let level = match console.verbose {
        _ if quiet => Level::Quiet,
        0 => Level::Normal,
        _ => Level::Verbose,
    };
    if wanted.options.output == OutputMode::Silent {
        return None;
    }
    if wanted.options.output == OutputMode::Json {
        let mut lines = JsonLines::new(out);
        // The first event of a new session was recorded before anyone could look on.
        session.with(|state| {
            if let (Some(header), Some(at), 1) = (state.header(), state.started_at, state.last_seq)
            {
                let kind = EventKind::SessionStarted(Box::new(header.clone()));
                lines.event(&Event::new(1, at, kind), state);
            }
        });
        session.observe(Box::new(lines));
        return None;
    }
    let (home, id) = (session.home().clone(), session.id().clone());
    let log = move |state: &SessionState, address: &Address, attempt: u32| {
        let path = home.log(&id, &state.lifetime.log_name(address, attempt));
        path.exists().then_some(path)
    };
    let item_errors = match &workflow.body {
        Body::MapReduce(job) => job.policy.error_collection,
        Body::Steps(_) | Body::Stages(_) => ErrorCollection::default(),
    };
    let wishes = Wishes { level, style, log: Box::new(log), item_errors };
    if quiet || !terminal::can_be_drawn_on() {
        session.observe(Box::new(Plain::new(out, wishes)));
        return None;
    }
    let terminal = Terminal::new(out, terminal::columns, wishes);
    let screen = terminal.screen();
    session.observe(Box::new(terminal));
    Some(screen)
}

fn run_started(
    session: &OpenSession,
    surroundings: &Surroundings,
    wanted: &Wanted<'_>,
) -> RunStarted {
    let machine = Machine::present();
    let run = session.with(|state| state.lifetime.run()) + 1;
    RunStarted {
        run,
        pid: i32::try_from(std::process::id()).unwrap_or(0),
        host: machine.host,
        boot_id: machine.boot_id,
        pid_namespace: machine.pid_namespace,
        command: wanted.command.clone(),
        correlation_id: uuid::Uuid::new_v4().to_string(),
        environment: surroundings.digests(),
        head: surroundings.head(),
        relaxed: wanted.options.durability == Durability::Relaxed,
        max_retries: wanted.max_retries,
    }
}

fn injection(fault: &Fault) -> Injection {
    Injection {
        address: fault.address.clone(),
        kind: match fault.kind {
            FaultKind::Exit(code) => Inject::Exit(code),
            FaultKind::Timeout => Inject::Timeout,
        },
        times: fault.times,
    }
}

/// The end of a run in words and as an exit code.
fn tell(
    session: &OpenSession,
    ending: Ending,
    wanted: &Wanted<'_>,
    console: &mut Console,
    style: Style,
) -> Result<ExitKind, Failure> {
    let mut shortage = None;
    let kind = match ending {
        Ending::Halted(halt @ Halt::Shortage { .. }) => {
            let id = session.with(|state| state.header().map(|it| it.workflow_id.to_string()));
            let help = format!(
                "end other programs, raise the limits (ulimit -a), or lower `parallel`; then: prodigy resume {}",
                id.unwrap_or_default()
            );
            shortage = Some(Failure::new(ExitKind::Failed, halt.to_string()).with_help(help));
            ExitKind::Failed
        }
        Ending::Halted(Halt::Store(error)) => return Err(error.into()),
        Ending::Over(SessionStatus::Completed | SessionStatus::CompletedWithFailures) => {
            ExitKind::Success
        }
        Ending::Over(_) | Ending::Halted(Halt::Refused { .. } | Halt::Cancelled) => {
            ExitKind::Failed
        }
        Ending::Halted(Halt::Waiting(_)) => ExitKind::NeedsPerson,
        Ending::Halted(Halt::Parked(_)) => ExitKind::Parked,
        Ending::Halted(Halt::Stopped(signal)) => match signal.exit_code() {
            129 => ExitKind::Hangup,
            143 => ExitKind::Terminated,
            _ => ExitKind::Interrupted,
        },
    };
    if !matches!(wanted.options.output, OutputMode::Json | OutputMode::Silent) {
        let logs = session.home().logs(session.id());
        let journal = session.home().journal(session.id());
        let results = session.with(|state| {
            let (job, header) = (state.lifetime.job.as_ref()?, state.header()?);
            Some(session.home().all_results(&header.repository, job)).filter(|it| it.exists())
        });
        let quiet = console.quiet || wanted.options.output == OutputMode::Quiet;
        let text = session.with(|state: &SessionState| {
            if quiet {
                headline(state, style)
            } else {
                summary(
                    state,
                    Places { logs: &logs, journal: &journal, results: results.as_deref() },
                    style,
                )
            }
        });
        if !quiet || kind != ExitKind::Success {
            console.output.text(text);
        }
    }
    shortage.map_or(Ok(kind), Err)
}

/// What the surroundings lack, as an error of usage.
pub(super) fn lacking(error: SurroundingsError) -> Failure {
    let failure = Failure::new(ExitKind::Usage, error.message);
    match error.help {
        Some(help) => failure.with_help(help),
        None => failure,
    }
}

/// Where the workflow file is, absolute.
pub(super) fn absolute(path: &Path) -> std::path::PathBuf {
    std::fs::canonicalize(path)
        .or_else(|_| std::path::absolute(path))
        .unwrap_or_else(|_| path.to_owned())
}

/// The working directory of this run.
pub(super) fn here() -> Result<std::path::PathBuf, Failure> {
    std::env::current_dir().map_err(|error| {
        Failure::new(ExitKind::Failed, "the working directory is gone")
            .because(error.to_string())
            .with_help("change to a directory that exists, or give one with -C")
    })
}
