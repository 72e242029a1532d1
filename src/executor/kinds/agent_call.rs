//! One call of the Claude CLI: announced, started, watched and paid for.

use std::time::Duration;

use chrono::Local;

use crate::agent::{self, Call, Conversation, Exit, Reader, Verdict};
use crate::executor::attempt::Attempt;
use crate::executor::halt::Halt;
use crate::executor::run::Run;
use crate::expr::Value;
use crate::playbook::model::{ClaudeCall, Step};
use crate::process::{Ended, Inherits, Limits, Program, Stdin, StopSignal};
use crate::session::{Address, EventKind, Failure, FailureClass, FailureKind, Report};

use super::agent_sink::AgentSink;
use super::claude::Turn;

/// From SIGINT to SIGKILL: what the CLI needs to write its result and end its tools.
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// How long an agent may say nothing: longer than the longest tool it may run.
const IDLE: Duration = Duration::from_secs(15 * 60);

/// What came of a call.
pub(super) enum Called {
    /// It ran, and was judged.
    Ended(Box<Report>, Box<Verdict>),
    /// It cannot be made.
    NotStarted(Failure),
    /// It was announced, but another agent met a limit before it started.
    Held(Box<Report>),
}

impl<'a> Run<'a> {
    /// Starts the CLI once and waits for its end. People know the step by its own `prompt`,
    /// whatever is said now.
    pub(super) fn one_call(
        &self,
        attempt: &Attempt<'_, 'a>,
        call: &'a ClaudeCall,
        turn: &Turn,
        prompt: &str,
    ) -> Result<Called, Halt> {
        let Attempt { frame, step, address, number } = *attempt;
        let prepared = self
            .agent_call(attempt, call, turn)
            .and_then(|made| Ok((made, self.environment(frame, &step.env, address, number, &[])?)))
            .and_then(|(made, env)| Ok((made, env, self.directory(frame, step, address)?)));
        let (made, env, directory) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return Ok(Called::NotStarted(self.unresolved("the call", &error))),
        };
        let mut whole = self.surroundings.base();
        whole.extend(env);
        let env = agent::environment(whole);
        if let Some(refusal) = agent::refusal(&made, crate::process::user_id(), &env) {
            let failure = self.failure(FailureKind::Start, &refusal.to_string());
            return Ok(Called::NotStarted(failure));
        }
        let command = self.workflow.agent_command(&call.options);
        let (program, leading) =
            command.split_first().map_or(("claude", &[][..]), |(it, rest)| (it.as_str(), rest));
        let mut args: Vec<_> = leading.iter().map(Into::into).collect();
        args.extend(agent::arguments(&made));
        let continues = !matches!(turn.conversation, Conversation::New(_));
        let shown = prompt.lines().next().unwrap_or_default();
        let id = turn.conversation.id();
        let _running = self.admit_agent(frame, address, || {
            let conversation = Some((id.to_owned(), continues));
            self.start(attempt, &format!("claude: {shown}"), conversation)
        })?;
        if self.is_gate_closed() {
            let message = "another agent met a limit before this one started";
            let mut failure = self.failure(FailureKind::Agent, message);
            failure.class = FailureClass::RateLimit;
            return Ok(Called::Held(Box::new(Report::failed(failure))));
        }
        let program = Program {
            program: program.into(),
            file: None,
            args,
            inherits: Inherits::Nothing,
            env,
            directory,
            stdin: Stdin::Bytes(turn.prompt.clone().into_bytes()),
        };
        let started = frame.stop.active();
        let limits = Limits {
            timeout: frame.deadline.as_ref().map(|it| it.at.saturating_sub(started)),
            idle: Some(self.workflow.limits.idle_timeout.unwrap_or(IDLE)),
            grace: GRACE,
            signal: StopSignal::Interrupt,
            marker: Some((self.session.id().to_string(), address.to_string())),
        };
        let mut sink = AgentSink::new(self, address, number, Reader::of(&made));
        let ended = crate::process::run(&program, &limits, &frame.stop, &mut sink);
        let ran = sink.has_started();
        let (reader, stderr) = sink.finish()?;
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) if error.is_shortage() => {
                return Err(super::shell::shortage(address, &error));
            }
            Err(error) => return Ok(Called::NotStarted(self.no_agent(&error))),
        };
        let mut verdict =
            agent::verdict(&reader, exit_of(ended), &stderr.shown, Local::now().fixed_offset());
        if verdict.report.session_id.is_empty() {
            id.clone_into(&mut verdict.report.session_id);
        }
        if ran {
            self.commit(EventKind::AgentEnded {
                address: address.clone(),
                attempt: number,
                agent: Box::new(verdict.report.clone()),
            })?;
        }
        if verdict.result.is_err() {
            self.end_tools(id);
        }
        // An answer that was complete when the stop came is kept: it has been paid for.
        if ended == Ended::Stopped && verdict.result.is_err() {
            self.session.sync_now()?;
            self.go_on(frame)?;
        }
        for warning in &verdict.warnings {
            self.warn(&format!("step {}: {warning}", step_name(step, address)));
        }
        let took = frame.stop.active().saturating_sub(started);
        let report = Report {
            exit_code: match ended {
                Ended::Exited(code) => Some(code),
                Ended::Signaled(signal) => Some(128 + signal),
                _ => None,
            },
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            stderr: self.keep_output(attempt, stderr)?,
            agent: Some(Box::new(self.total(address, &verdict.report))),
            ..Report::default()
        };
        Ok(Called::Ended(Box::new(report), Box::new(verdict)))
    }

    /// The report of a call, with what all calls of its step cost so far.
    fn total(
        &self,
        address: &Address,
        last: &crate::session::AgentReport,
    ) -> crate::session::AgentReport {
        let spent = self.session.with(|state| {
            state.standing.record(address).map(|record| record.agents).unwrap_or_default()
        });
        crate::session::AgentReport {
            // What is left of adding fractions is no money.
            cost_usd: (spent.known > 0).then(|| (spent.cost_usd * 1e9).round() / 1e9),
            tokens: last
                .tokens
                .map(|_| spent.tokens)
                .or((spent.tokens > 0).then_some(spent.tokens)),
            ..last.clone()
        }
    }

    /// The call with every option decided: the step's over the workflow's.
    fn agent_call(
        &self,
        attempt: &Attempt<'_, 'a>,
        call: &'a ClaudeCall,
        turn: &Turn,
    ) -> Result<Call, crate::expr::EvalError> {
        let (own, common) = (&call.options, &self.workflow.claude);
        let model = match own.model.as_ref().or(common.model.as_ref()) {
            Some(model) => Some(self.render(model, attempt.frame, attempt.address)?),
            None => None,
        };
        let listed = |own: &[String], common: &[String]| {
            if own.is_empty() { common.to_vec() } else { own.to_vec() }
        };
        let permissions = self.options.permissions.over(own, common);
        Ok(Call {
            prompt: turn.prompt.clone(),
            conversation: turn.conversation.clone(),
            model,
            permission_mode: permissions.mode,
            allowed_tools: listed(&own.allowed_tools, &common.allowed_tools),
            skip_permissions: permissions.skip,
            max_turns: own.max_turns.or(common.max_turns),
            max_budget_usd: own.max_budget_usd.or(common.max_budget_usd),
            output_schema: call.output_schema.as_ref().map(Value::to_json),
            extra_args: listed(&own.extra_args, &common.extra_args),
        })
    }
}

pub(super) fn step_name<'s>(step: &'s Step, address: &'s Address) -> &'s str {
    step.id.as_deref().unwrap_or(address.as_str())
}

fn exit_of(ended: Ended) -> Exit {
    match ended {
        Ended::Exited(code) => Exit::Code(code),
        Ended::Signaled(signal) => Exit::Signal(signal),
        Ended::TimedOut => Exit::TimedOut,
        Ended::Idle | Ended::TtyInput => Exit::Idle,
        Ended::Stopped => Exit::Stopped,
        Ended::Ordered => Exit::Ordered,
    }
}
