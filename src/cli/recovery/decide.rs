//! From a failure to a recovery: the way, its reason, the limit (DECISIONS A51, A52, A55).

use chrono::Utc;
use serde_json::{Value, json};

use crate::cli::output::Console;
use crate::exit::{ExitKind, Failure};
use crate::playbook::spell_duration;
use crate::recovery::{
    Choice, Chooser, FailureRecord, RecoveryContext, RecoveryState, RecoveryStatus, Rules, Shelf,
    StepWord, choose, class_word,
};
use crate::session::RecoveryType;

use super::find::{Target, nothing_failed};

/// What a person, or nobody, asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// `--type`.
    pub(super) way: Option<RecoveryType>,
    /// `--force`: once more over the limit.
    pub(super) force: bool,
    /// `--auto-recover=N`.
    pub(super) limit: Option<u32>,
}

/// The recovery that goes on, or a new one, not begun. Nothing is kept yet.
pub(super) fn decide(
    target: &Target,
    rules: &Rules,
    asked: Asked,
    shelf: &Shelf<'_>,
    console: &mut Console,
) -> Result<RecoveryState, Failure> {
    if let Some(open) = &target.open {
        if asked.way.is_none_or(|way| way == open.recovery_type) {
            console.remark(format_args!("going on with {}", open.id));
            let mut open = open.clone();
            if asked.way.is_some() {
                open.recovery_context.chosen_by = Chooser::Person;
            }
            return Ok(open);
        }
        let mut given_up = open.clone();
        let reason = "a person chose another way";
        given_up.finish(RecoveryStatus::Failed, reason, Utc::now());
        shelf.keep(&given_up)?;
    }
    let failure = target.failure.as_ref().ok_or_else(|| nothing_failed(target))?;
    let choice = choose(failure, rules);
    for warning in &choice.warnings {
        console.errors.line(format_args!("warning: {warning}"));
    }
    let Some(way) = asked.way.or(choice.way) else { return Err(only_a_person(failure, &choice)) };
    let step = failure.step.clone().unwrap_or_default();
    let before = target.loaded.state.lifetime.recoveries(&step);
    let limit = asked.limit.unwrap_or_else(|| rules.max_recoveries());
    if before >= limit && !asked.force {
        return Err(over_the_limit(failure, before, limit));
    }
    let context = RecoveryContext {
        session_id: failure.session_id.clone(),
        workflow_id: failure.workflow_id.clone(),
        step: failure.step.clone(),
        class: failure.class,
        number: before + 1,
        chosen_by: if asked.way.is_some() { Chooser::Person } else { Chooser::Rule },
        reason: match asked.way {
            Some(way) => format!(
                "{} ({}); asked for with --type {}",
                class_word(failure.class),
                failure.why,
                way.as_str()
            ),
            None => choice.reason.clone(),
        },
        rule: Some(written(failure, &choice, way)),
        rule_source: Some(choice.source.to_owned()),
    };
    let (id, repository) = (failure.id.clone(), failure.repository.clone());
    let mut state = RecoveryState::new(id, repository, way, context, Utc::now());
    state.recovery_plan = plan(way, &choice, target);
    state.corruption_detected = target.loaded.damage.is_some();
    state.target_checkpoint_id = target
        .loaded
        .state
        .lifetime
        .latest_version()
        .map(|version| format!("{}@v{}", failure.workflow_id, version.version));
    Ok(state)
}

fn plan(way: RecoveryType, choice: &Choice, target: &Target) -> Vec<StepWord> {
    let mut plan = vec![StepWord::ValidateState];
    match way {
        RecoveryType::Retry => {
            if !choice.delay.is_zero() {
                plan.push(StepWord::Wait);
            }
            if choice.rule.as_ref().is_some_and(|rule| !rule.fix.is_empty()) {
                plan.push(StepWord::ApplyFix);
            }
            plan.push(StepWord::RetryStep);
        }
        RecoveryType::Resume => {
            if target.loaded.damage.is_some() {
                plan.push(StepWord::RestoreContext);
            }
            plan.push(StepWord::ResumeExecution);
        }
        RecoveryType::Rollback => {
            plan.extend([
                StepWord::SavePresentState,
                StepWord::RestoreFiles,
                StepWord::SetPosition,
            ]);
        }
    }
    plan
}

/// The rule as it is written in a file, also a built-in one: so it is read again after a crash.
fn written(failure: &FailureRecord, choice: &Choice, way: RecoveryType) -> Value {
    let class = class_word(failure.class);
    match &choice.rule {
        Some(rule) if rule.strategy.as_str() == way.as_str() => rule.written.to_json(),
        _ if way != RecoveryType::Retry => json!({ "class": class, "strategy": way.as_str() }),
        _ if choice.way == Some(way) => json!({
            "class": class,
            "strategy": "retry",
            "attempts": choice.attempts,
            "delay": spell_duration(choice.delay),
        }),
        _ => json!({ "class": class, "strategy": "retry", "attempts": 1 }),
    }
}

fn only_a_person(failure: &FailureRecord, choice: &Choice) -> Failure {
    let id = &failure.workflow_id;
    Failure::new(ExitKind::NeedsPerson, format!("nothing brings {id} back by itself"))
        .because(choice.reason.clone())
        .with_help(format!("put it right, then: prodigy resume {id}"))
}

fn over_the_limit(failure: &FailureRecord, before: u32, limit: u32) -> Failure {
    let id = &failure.workflow_id;
    let step = failure.step.as_ref().map_or("the session".to_owned(), |it| format!("step {it}"));
    let times = match before {
        1 => "1 recovery".to_owned(),
        before => format!("{before} recoveries"),
    };
    Failure::new(ExitKind::NeedsPerson, format!("a person must look at {step} of {id}"))
        .because(format!("{times} did not help, and {limit} may be tried"))
        .with_help(format!(
            "put it right, then: prodigy resume {id}   (or prodigy recovery initiate {id} --force)"
        ))
}
