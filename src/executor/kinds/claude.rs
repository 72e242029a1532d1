//! `claude:` steps: one conversation each, paid for once (SPEC 5). What the CLI says is read
//! and judged by `agent`; here its conversation is begun, continued and brought to an end.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use chrono::Utc;

use crate::agent::{self, Conversation, Failed, Happening, RetryAdvice};
use crate::executor::attempt::{Attempt, Done};
use crate::executor::halt::Halt;
use crate::executor::run::Run;
use crate::expr::EvalError;
use crate::playbook::model::ClaudeCall;
use crate::session::{Address, EventKind, FailureKind, Progress, Record, Report};

use super::agent_call::{Called, GRACE, step_name};
use super::agent_outcome::{Fit, fit};

/// How often an answer that does not satisfy `output_schema` is sent back.
const CORRECTIONS: u32 = 2;

/// The variables that say where the CLI keeps its conversations; the first goes before the second.
const PLACES: [&str; 2] = ["CLAUDE_CONFIG_DIR", "HOME"];

/// What is sent next in a conversation.
pub(super) struct Turn {
    pub(super) conversation: Conversation,
    pub(super) prompt: String,
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
        let mut frame = frame.clone();
        let (mut turn, mut corrections) = match self.first_turn(attempt, call, &prompt) {
            Ok(first) => first,
            Err(error) => return Ok(Done::failed(self.unresolved("the environment", &error))),
        };
        let mut number = attempt.number;
        let mut again = 0;
        loop {
            frame.postpone(address, self.pass_gate(&frame, address)?);
            let now = Attempt { number, frame: &frame, ..*attempt };
            let closed = self.gate.closed();
            let (report, verdict) = match self.one_call(&now, call, &turn, &prompt)? {
                Called::Ended(report, verdict) => (*report, *verdict),
                Called::NotStarted(failure) => return Ok(Done::failed(failure)),
                Called::Held(report) => {
                    self.call_ended(&now, &report)?;
                    number = self.next_number(attempt);
                    continue;
                }
            };
            let id = turn.conversation.id().to_owned();
            let failed = match verdict.result {
                Ok(answer) => {
                    self.gate.open(closed, address);
                    match fit(call, &answer) {
                        Fit::Good(text) => return self.answered(attempt, report, text),
                        Fit::Bad { correction, reason } if corrections < CORRECTIONS => {
                            corrections += 1;
                            let conversation = Conversation::Resume(id);
                            turn = Turn { conversation, prompt: correction };
                            self.call_ended(&now, &self.misfit(report, &answer, &reason))?;
                            number = self.next_number(attempt);
                            continue;
                        }
                        Fit::Bad { reason, .. } => {
                            let report = self.misfit(report, &answer, &reason);
                            return Ok(Done { report, ..Done::default() });
                        }
                    }
                }
                Err(failed) => failed,
            };
            let report = self.failed_report(report, &failed)?;
            turn = match failed.retry {
                RetryAdvice::No => return Ok(Done { report, ..Done::default() }),
                RetryAdvice::StopRun => {
                    self.call_ended(&now, &report)?;
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
                RetryAdvice::Afresh if again >= 1 => {
                    return Ok(Done { report, ..Done::default() });
                }
                RetryAdvice::Afresh => Turn { conversation: fresh(), prompt: prompt.clone() },
                RetryAdvice::Resume { .. }
                | RetryAdvice::ResumeLater { .. }
                | RetryAdvice::ResumeAt(_) => match self.continued(&now, id, &prompt) {
                    Ok(turn) => turn,
                    Err(_) => return Ok(Done { report, ..Done::default() }),
                },
            };
            // A conversation that waits for a limit may be interrupted as often as any other.
            if !failed.kind.is_provider_limit() {
                again += 1;
            }
            self.call_ended(&now, &report)?;
            let waited = self.wait_for_provider(&now, &failed, again)?;
            frame.postpone(address, waited);
            number = self.next_number(attempt);
            // A limit was told of when it was met.
            if !failed.kind.is_provider_limit() {
                let step = step_name(step, address);
                let message = failed.message.trim_end_matches('.');
                self.warn(&format!("step {step}: {message}; going on"));
            }
        }
    }

    /// How the attempt begins: anew, or with the conversation that a crash, a stop or a limit
    /// cut; and how often an answer was sent back in it.
    fn first_turn(
        &self,
        attempt: &Attempt<'_, 'a>,
        call: &ClaudeCall,
        prompt: &str,
    ) -> Result<(Turn, u32), EvalError> {
        let cut = self.session.with(|state| {
            let record = state.standing.record(attempt.address).filter(|record| was_cut(record))?;
            let shared = record.agent_to_fork.clone();
            let own = record.agent_session.clone();
            let at = record.started.unwrap_or_else(Utc::now);
            Some((
                shared.clone().or(own)?,
                shared,
                at,
                record.corrections,
                record.misfit().cloned(),
            ))
        });
        let Some((id, shared, at, corrections, misfit)) = cut else {
            return Ok((Turn { conversation: fresh(), prompt: prompt.to_owned() }, 0));
        };
        if !self.conversation_exists(attempt, &id)? {
            let conversation = if shared.is_some() { fresh() } else { Conversation::New(id) };
            return Ok((Turn { conversation, prompt: prompt.to_owned() }, 0));
        }
        // The session that this one was forked from goes on with its conversation, this one with
        // a copy (DECISIONS A48).
        let conversation = match shared {
            Some(from) => Conversation::Fork { from, new: uuid::Uuid::new_v4().to_string() },
            None => Conversation::Resume(id),
        };
        let correction = misfit.and_then(|report| self.correction(call, &report));
        let prompt = correction.unwrap_or_else(|| agent::resume_prompt(prompt, at));
        Ok((Turn { conversation, prompt }, corrections))
    }

    /// True when the CLI has a log of the conversation: where the environment of the step says
    /// that it keeps them.
    fn conversation_exists(&self, attempt: &Attempt<'_, 'a>, id: &str) -> Result<bool, EvalError> {
        let Attempt { frame, step, address, number } = *attempt;
        let own = frame.env.iter().copied().chain([step.env.as_slice()]).flatten();
        let mut places = own.filter(|entry| PLACES.contains(&entry.name.as_str()));
        let env = match places.next() {
            Some(_) => self.environment(frame, &step.env, address, number, &[])?,
            None => Vec::new(),
        };
        let value = |name: &str| -> Option<OsString> {
            let own = env.iter().rev().find(|(known, _)| known == name);
            own.map(|(_, value)| value.clone())
                .or_else(|| self.surroundings.env(name).map(OsStr::to_owned))
        };
        let [config, home] = PLACES.map(value);
        let root = config.map(PathBuf::from);
        let home = home.map(|home| PathBuf::from(home).join(".claude"));
        let Some(projects) = root.or(home).map(|root| root.join("projects")) else {
            return Ok(false);
        };
        let name = format!("{id}.jsonl");
        let entries = std::fs::read_dir(projects).into_iter().flatten().flatten();
        Ok(entries.map(|entry| entry.path().join(&name)).any(|log| log.exists()))
    }

    fn continued(
        &self,
        attempt: &Attempt<'_, 'a>,
        id: String,
        prompt: &str,
    ) -> Result<Turn, EvalError> {
        if self.conversation_exists(attempt, &id)? {
            let prompt = agent::resume_prompt(prompt, Utc::now());
            return Ok(Turn { conversation: Conversation::Resume(id), prompt });
        }
        Ok(Turn { conversation: Conversation::New(id), prompt: prompt.to_owned() })
    }

    /// Records the end of a call that the step goes on after.
    fn call_ended(&self, attempt: &Attempt<'_, 'a>, report: &Report) -> Result<(), Halt> {
        self.attempt_ended(attempt.address, report)?;
        self.commit(EventKind::RetryScheduled {
            address: attempt.address.clone(),
            attempt: attempt.number + 1,
            delay_ms: 0,
            not_before: Utc::now(),
            max_attempts: None,
            uncounted: true,
            correlation_id: String::new(),
        })?;
        Ok(())
    }

    /// Waits as long as a server that is down needs; a limit closes the gate, at which the other
    /// agents of the session wait as well. How long it took.
    fn wait_for_provider(
        &self,
        attempt: &Attempt<'_, 'a>,
        failed: &Failed,
        round: u32,
    ) -> Result<Duration, Halt> {
        let stop = &attempt.frame.stop;
        match failed.retry {
            RetryAdvice::ResumeAt(until) => {
                self.close_gate(attempt.address, until);
            }
            RetryAdvice::ResumeLater { at_most: None } => {
                self.close_gate(attempt.address, None);
            }
            RetryAdvice::ResumeLater { at_most: Some(_) } => {
                let begun = stop.active();
                let wait = agent::backoff(round, crate::executor::retry::random_share());
                if !stop.wait(wait) {
                    self.go_on(attempt.frame)?;
                }
                return Ok(stop.active().saturating_sub(begun));
            }
            _ => {}
        }
        Ok(Duration::ZERO)
    }

    fn next_number(&self, attempt: &Attempt<'_, 'a>) -> u32 {
        self.session.with(|state| state.lifetime.next_attempt(attempt.address))
    }

    /// A happening that matters beyond the call, as soon as it is seen.
    pub(super) fn agent_happened(&self, at: &Address, happening: &Happening, throttled: bool) {
        match happening {
            Happening::LimitReached(until) => {
                self.close_gate(at, *until);
            }
            Happening::WaitingForApi { .. } if throttled => {
                self.close_gate(at, None);
            }
            _ => {}
        }
    }

    /// Ends the tools of an agent that did not end them itself, before it is asked to go on.
    pub(super) fn end_tools(&self, conversation: &str) {
        let marker = ("CLAUDE_CODE_SESSION_ID".to_owned(), conversation.to_owned());
        for ended in crate::process::end_leftovers(&[], &[marker], GRACE / 5) {
            self.warn(&format!("ended a process that the agent left: {}", ended.command));
        }
    }
}

/// True when the latest attempt was cut off, so that its conversation goes on: by a crash, a stop, a
/// limit or its time. After any other failure a retry begins a new one.
fn was_cut(record: &Record) -> bool {
    match record.progress {
        Progress::InDoubt => true,
        Progress::Between => record.retry.as_ref().is_some_and(|retry| {
            let failure = record.report.as_ref().and_then(|report| report.failure.as_ref());
            retry.uncounted
                || failure.is_some_and(|failure| {
                    matches!(
                        failure.kind,
                        FailureKind::Timeout
                            | FailureKind::IdleTimeout
                            | FailureKind::Signal
                            | FailureKind::Interrupted
                    )
                })
        }),
        _ => false,
    }
}

fn fresh() -> Conversation {
    Conversation::New(uuid::Uuid::new_v4().to_string())
}
