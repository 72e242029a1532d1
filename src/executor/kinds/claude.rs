//! `claude:` steps: one conversation each, paid for once (SPEC 5). What the CLI says is read
//! and judged by `agent`; here it is started, watched, continued and recorded.

use std::path::PathBuf;

use chrono::{Local, Utc};

use crate::agent::{
    self, Answer, Call, Conversation, Exit, Failed, Happening, Reader, RetryAdvice, Verdict,
};
use crate::executor::attempt::{Attempt, Done};
use crate::executor::halt::Halt;
use crate::executor::run::Run;
use crate::expr::Value;
use crate::playbook::model::{ClaudeCall, ClaudeDefaults};
use crate::process::{Ended, Limits, Program, Stdin, StopSignal};
use crate::session::{EventKind, Failure, FailureKind, Progress, Report};

use super::agent_sink::AgentSink;

/// From SIGINT to SIGKILL: what the CLI needs to write its result and end its tools.
const GRACE: std::time::Duration = std::time::Duration::from_secs(10);

/// How long an agent may say nothing: longer than the longest tool it may run.
const IDLE: std::time::Duration = std::time::Duration::from_secs(15 * 60);

/// How often an answer that does not satisfy `output_schema` is sent back.
const CORRECTIONS: u32 = 2;

/// What is sent next in a conversation.
struct Turn {
    conversation: Conversation,
    prompt: String,
}

impl<'a> Run<'a> {
    /// One attempt of an agent step: as many calls as limits, interruptions and corrections need.
    pub(in crate::executor) fn claude(
        &self,
        attempt: &Attempt<'_, 'a>,
        call: &'a ClaudeCall,
    ) -> Result<Done, Halt> {
        let Attempt { frame, step, address, .. } = *attempt;
        let prompt = match self.render(&call.prompt, frame, address) {
            Ok(prompt) => prompt,
            Err(error) => return Ok(Done::failed(self.unresolved("the prompt", &error))),
        };
        let mut turn = self.first_turn(attempt, &prompt);
        let mut number = attempt.number;
        let (mut again, mut corrections) = (0, 0);
        loop {
            self.pass_gate(frame, address)?;
            self.within_budget(frame, address)?;
            let now = Attempt { number, ..*attempt };
            let (report, verdict) = match self.one_call(&now, call, &turn)? {
                Ok(ended) => ended,
                Err(failure) => return Ok(Done::failed(failure)),
            };
            let id = turn.conversation.id().to_owned();
            let failed = match verdict.result {
                Ok(answer) => {
                    self.gate.open();
                    match fit(call, &answer) {
                        Ok(text) => return self.answered(attempt, report, text),
                        Err(prompt) if corrections < CORRECTIONS => {
                            corrections += 1;
                            turn = Turn { conversation: Conversation::Resume(id), prompt };
                            self.call_ended(&now, report)?;
                            number = self.next_number(attempt);
                            continue;
                        }
                        Err(reason) => return Ok(self.misfit(report, answer, &reason)),
                    }
                }
                Err(failed) => failed,
            };
            let report = self.failed_report(report, &failed)?;
            turn = match failed.retry {
                RetryAdvice::No => return Ok(Done { report, ..Done::default() }),
                RetryAdvice::StopRun => {
                    self.call_ended(&now, report)?;
                    return Err(Halt::Refused {
                        address: address.clone(),
                        message: failed.message,
                    });
                }
                RetryAdvice::Resume { at_most }
                | RetryAdvice::ResumeLater { at_most: Some(at_most) }
                    if again >= at_most =>
                {
                    return Ok(Done { report, ..Done::default() });
                }
                RetryAdvice::Resume { .. } => self.continued(id, &prompt),
                RetryAdvice::Afresh => {
                    if again >= 1 {
                        return Ok(Done { report, ..Done::default() });
                    }
                    Turn { conversation: fresh(), prompt: prompt.clone() }
                }
                RetryAdvice::ResumeLater { .. } | RetryAdvice::ResumeAt(_) => {
                    self.continued(id, &prompt)
                }
            };
            again += 1;
            self.call_ended(&now, report)?;
            self.wait_for_provider(&now, &failed, again)?;
            number = self.next_number(attempt);
            self.warn(&format!("step {}: {}; going on", step_name(step, address), failed.message));
        }
    }

    /// How the attempt begins: anew, or with the conversation that a crash or a limit cut.
    fn first_turn(&self, attempt: &Attempt<'_, 'a>, prompt: &str) -> Turn {
        let cut = self.session.with(|state| {
            let record = state.standing.record(attempt.address)?;
            let cut = match record.progress {
                Progress::InDoubt => true,
                // A planned call that does not count goes on with its conversation.
                Progress::Between => record.retry.is_some(),
                _ => false,
            };
            let id = record.agent_session.clone().filter(|_| cut)?;
            Some((id, record.started.unwrap_or_else(Utc::now)))
        });
        match cut {
            Some((id, _)) if !self.conversation_exists(&id) => {
                Turn { conversation: Conversation::New(id), prompt: prompt.to_owned() }
            }
            Some((id, at)) => Turn {
                conversation: Conversation::Resume(id),
                prompt: agent::resume_prompt(prompt, at),
            },
            None => Turn { conversation: fresh(), prompt: prompt.to_owned() },
        }
    }

    /// True when the CLI has a log of the conversation.
    fn conversation_exists(&self, id: &str) -> bool {
        let root = self.surroundings.env("CLAUDE_CONFIG_DIR").map(PathBuf::from);
        let home = self.surroundings.env("HOME").map(|home| PathBuf::from(home).join(".claude"));
        let Some(projects) = root.or(home).map(|root| root.join("projects")) else { return false };
        let name = format!("{id}.jsonl");
        let entries = std::fs::read_dir(projects).into_iter().flatten().flatten();
        entries.map(|entry| entry.path().join(&name)).any(|log| log.exists())
    }

    fn continued(&self, id: String, prompt: &str) -> Turn {
        if self.conversation_exists(&id) {
            let prompt = agent::resume_prompt(prompt, Utc::now());
            return Turn { conversation: Conversation::Resume(id), prompt };
        }
        Turn { conversation: Conversation::New(id), prompt: prompt.to_owned() }
    }

    /// Starts the CLI once and waits for its end; a failure where it cannot be started.
    fn one_call(
        &self,
        attempt: &Attempt<'_, 'a>,
        call: &'a ClaudeCall,
        turn: &Turn,
    ) -> Result<Result<(Report, Verdict), Failure>, Halt> {
        let Attempt { frame, step, address, number } = *attempt;
        let prepared = self
            .agent_call(attempt, call, turn)
            .and_then(|made| Ok((made, self.environment(frame, &step.env, address, number, &[])?)))
            .and_then(|(made, env)| Ok((made, env, self.directory(frame, step, address)?)));
        let (made, env, directory) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return Ok(Err(self.unresolved("the call", &error))),
        };
        let env = agent::environment(env);
        if let Some(refusal) = agent::refusal(&made, crate::process::user_id(), &env) {
            return Ok(Err(self.failure(FailureKind::Start, &refusal.to_string())));
        }
        let command = self.agent_program(&call.options);
        let (program, leading) =
            command.split_first().map_or(("claude", &[][..]), |(it, rest)| (it.as_str(), rest));
        let mut args: Vec<_> = leading.iter().map(Into::into).collect();
        args.extend(agent::arguments(&made));
        let continues = !matches!(turn.conversation, Conversation::New(_));
        let shown = turn.prompt.lines().next().unwrap_or_default();
        let agent_session = Some((turn.conversation.id().to_owned(), continues));
        self.start(attempt, &format!("claude: {shown}"), agent_session)?;
        // Since the gate was passed another agent may have met a limit.
        self.pass_gate(frame, address)?;
        let program = Program {
            program: program.into(),
            args,
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
        let (reader, stderr) = sink.finish()?;
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => return Ok(Err(self.no_agent(&error))),
        };
        if ended == Ended::Stopped {
            self.go_on(frame)?;
        }
        let verdict =
            agent::verdict(&reader, exit_of(ended), &stderr.shown, Local::now().fixed_offset());
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
            stderr: self.keep_output(stderr)?,
            agent: Some(Box::new(verdict.report.clone())),
            ..Report::default()
        };
        Ok(Ok((report, verdict)))
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
        Ok(Call {
            prompt: turn.prompt.clone(),
            conversation: turn.conversation.clone(),
            model,
            permission_mode: own.permission_mode.clone().or(common.permission_mode.clone()),
            allowed_tools: listed(&own.allowed_tools, &common.allowed_tools),
            skip_permissions: own.skip_permissions.or(common.skip_permissions).unwrap_or(false),
            max_turns: own.max_turns.or(common.max_turns),
            max_budget_usd: own.max_budget_usd.or(common.max_budget_usd),
            output_schema: call.output_schema.as_ref().map(Value::to_json),
            extra_args: listed(&own.extra_args, &common.extra_args),
        })
    }

    /// The program and its leading arguments.
    fn agent_program(&self, own: &'a ClaudeDefaults) -> &'a [String] {
        if own.command.is_empty() { &self.workflow.claude.command } else { &own.command }
    }

    /// Records the end of a call that the step goes on after.
    fn call_ended(&self, attempt: &Attempt<'_, 'a>, report: Report) -> Result<(), Halt> {
        self.attempt_ended(attempt.address, &report)?;
        self.commit(EventKind::RetryScheduled {
            address: attempt.address.clone(),
            attempt: attempt.number + 1,
            delay_ms: 0,
            not_before: Utc::now(),
            max_attempts: None,
            uncounted: true,
        })?;
        Ok(())
    }

    /// Waits as long as the provider needs; the other agents of the session wait as well.
    fn wait_for_provider(
        &self,
        attempt: &Attempt<'_, 'a>,
        failed: &Failed,
        round: u32,
    ) -> Result<(), Halt> {
        match failed.retry {
            RetryAdvice::ResumeAt(until) => {
                self.close_gate(until);
            }
            RetryAdvice::ResumeLater { at_most: None } => {
                self.close_gate(None);
            }
            RetryAdvice::ResumeLater { at_most: Some(_) } => {
                let wait = agent::backoff(round, crate::executor::retry::random_share());
                if !attempt.frame.stop.wait(wait) {
                    self.go_on(attempt.frame)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn next_number(&self, attempt: &Attempt<'_, 'a>) -> u32 {
        self.session.with(|state| state.lifetime.next_attempt(attempt.address))
    }

    fn answered(
        &self,
        attempt: &Attempt<'_, 'a>,
        mut report: Report,
        text: String,
    ) -> Result<Done, Halt> {
        report.exit_code = Some(0);
        report.stdout.bytes = text.len() as u64;
        report.stdout.text = self.keep_text(text.trim_end_matches('\n').as_bytes().to_vec())?;
        let mut done = Done { report, ..Done::default() };
        self.capture(attempt.step, &mut done);
        Ok(done)
    }

    fn misfit(&self, mut report: Report, answer: Answer, reason: &str) -> Done {
        report.exit_code = Some(1);
        report.stdout.bytes = answer.text.len() as u64;
        report.stdout.text = self.seal(&answer.text);
        let message = format!("the answer does not satisfy output_schema: {reason}");
        report.failure = Some(self.failure(FailureKind::Capture, &message));
        Done { report, ..Done::default() }
    }

    fn failed_report(&self, mut report: Report, failed: &Failed) -> Result<Report, Halt> {
        report.stdout.bytes = failed.text.len() as u64;
        report.stdout.text = self.keep_text(failed.text.clone().into_bytes())?;
        report.failure = Some(Failure {
            kind: failed.kind.kind(),
            class: failed.class,
            message: self.seal(&failed.message),
        });
        Ok(report)
    }

    fn no_agent(&self, error: &crate::process::SpawnError) -> Failure {
        let missing = error.source.kind() == std::io::ErrorKind::NotFound;
        let hint = if missing {
            "; install it with: npm install -g @anthropic-ai/claude-code"
        } else {
            ""
        };
        let mut failure = self.failure(FailureKind::Start, &format!("{error}{hint}"));
        if missing {
            failure.class = crate::session::FailureClass::MissingTool;
        }
        failure
    }

    /// A happening that matters beyond the call, as soon as it is seen.
    pub(super) fn agent_happened(&self, happening: &Happening, throttled: bool) {
        match happening {
            Happening::LimitReached(until) => {
                self.close_gate(*until);
            }
            Happening::WaitingForApi { .. } if throttled => {
                self.close_gate(None);
            }
            _ => {}
        }
    }
}

fn fresh() -> Conversation {
    Conversation::New(uuid::Uuid::new_v4().to_string())
}

fn step_name<'s>(
    step: &'s crate::playbook::model::Step,
    address: &'s crate::session::Address,
) -> &'s str {
    step.id.as_deref().unwrap_or(address.as_str())
}

/// The answer as the step keeps it: its text, or with `output_schema` the JSON that satisfies
/// it; else the prompt that asks the agent to correct itself.
fn fit(call: &ClaudeCall, answer: &Answer) -> Result<String, String> {
    match &call.output_schema {
        None => Ok(answer.text.clone()),
        Some(schema) => {
            agent::structured_answer(&schema.to_json(), answer).map(|json| json.to_string())
        }
    }
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
