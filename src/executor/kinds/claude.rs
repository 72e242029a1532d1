//! `claude:` steps: one conversation each, paid for once (SPEC 5). What the CLI says is read
//! and judged by `agent`; here its conversation is begun, continued and brought to an end.

use std::path::PathBuf;
use std::time::Duration;

use chrono::Utc;

use crate::agent::{self, Conversation, Failed, Happening, RetryAdvice};
use crate::executor::attempt::{Attempt, Done};
use crate::executor::halt::Halt;
use crate::executor::run::Run;
use crate::playbook::model::ClaudeCall;
use crate::session::{EventKind, FailureKind, Progress, Record, Report};

use super::agent_call::{Called, GRACE, step_name};
use super::agent_outcome::{Fit, fit};

/// How often an answer that does not satisfy `output_schema` is sent back.
const CORRECTIONS: u32 = 2;

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
        let mut turn = self.first_turn(attempt, &prompt);
        let mut number = attempt.number;
        let (mut again, mut corrections) = (0, 0);
        loop {
            frame.postpone(address, self.pass_gate(&frame, address)?);
            let now = Attempt { number, frame: &frame, ..*attempt };
            let closed = self.gate.closed();
            let (report, verdict) = match self.one_call(&now, call, &turn)? {
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
                    self.gate.open(closed);
                    match fit(call, &answer) {
                        Fit::Good(text) => return self.answered(attempt, report, text),
                        Fit::Bad { correction, .. } if corrections < CORRECTIONS => {
                            corrections += 1;
                            let conversation = Conversation::Resume(id);
                            turn = Turn { conversation, prompt: correction };
                            self.call_ended(&now, &report)?;
                            number = self.next_number(attempt);
                            continue;
                        }
                        Fit::Bad { reason, .. } => {
                            return Ok(self.misfit(report, &answer, &reason));
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
                | RetryAdvice::ResumeAt(_) => self.continued(id, &prompt),
            };
            // A conversation that waits for a limit may be interrupted as often as any other.
            if !failed.kind.is_provider_limit() {
                again += 1;
            }
            self.call_ended(&now, &report)?;
            let waited = self.wait_for_provider(&now, &failed, again)?;
            frame.postpone(address, waited);
            number = self.next_number(attempt);
            self.warn(&format!("step {}: {}; going on", step_name(step, address), failed.message));
        }
    }

    /// How the attempt begins: anew, or with the conversation that a crash, a stop or a limit cut.
    fn first_turn(&self, attempt: &Attempt<'_, 'a>, prompt: &str) -> Turn {
        if let Some(turn) = self.forked_turn(attempt, prompt) {
            return turn;
        }
        let cut = self.session.with(|state| {
            let record = state.standing.record(attempt.address).filter(|record| was_cut(record))?;
            Some((record.agent_session.clone()?, record.started.unwrap_or_else(Utc::now)))
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

    /// A conversation of the session that this one was forked from: that one goes on with it, this
    /// one with a copy (DECISIONS A48).
    fn forked_turn(&self, attempt: &Attempt<'_, 'a>, prompt: &str) -> Option<Turn> {
        let (from, at) = self.session.with(|state| {
            let record = state.standing.record(attempt.address).filter(|record| was_cut(record))?;
            Some((record.agent_to_fork.clone()?, record.started.unwrap_or_else(Utc::now)))
        })?;
        if !self.conversation_exists(&from) {
            return Some(Turn { conversation: fresh(), prompt: prompt.to_owned() });
        }
        let conversation = Conversation::Fork { from, new: uuid::Uuid::new_v4().to_string() };
        Some(Turn { conversation, prompt: agent::resume_prompt(prompt, at) })
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
                self.close_gate(until);
            }
            RetryAdvice::ResumeLater { at_most: None } => {
                self.close_gate(None);
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
