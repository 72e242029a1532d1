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
use crate::store::Home;

use super::find::{Target, nothing_failed};
use super::rules::check_names;

/// Where it is kept what a person can do, of a recovery that waits for one.
pub(super) const NEXT: &str = "next";

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
    home: &Home,
    console: &mut Console,
) -> Result<RecoveryState, Failure> {
    // What is only decided is decided anew: the rules may have changed since.
    let mut waiting = None;
    match &target.open {
        None => {}
        Some(open) if open.status == RecoveryStatus::Pending => waiting = Some(open),
        Some(open) if asked.way.is_none_or(|way| way == open.recovery_type) => {
            console.remark(format_args!("going on with {}", open.id));
            let mut open = open.clone();
            if asked.way.is_some() {
                open.recovery_context.chosen_by = Chooser::Person;
            }
            return Ok(open);
        }
        Some(open) => {
            let mut given_up = open.clone();
            let reason = "a person chose another way";
            given_up.finish(RecoveryStatus::Failed, reason, Utc::now());
            Shelf::of(home).keep(&given_up)?;
        }
    }
    let mut state = anew(target, rules, asked, home, console)?;
    if let Some(waiting) = waiting {
        state.id = waiting.id.clone();
        state.started_at = waiting.started_at;
    }
    Ok(state)
}

fn anew(
    target: &Target,
    rules: &Rules,
    asked: Asked,
    home: &Home,
    console: &mut Console,
) -> Result<RecoveryState, Failure> {
    let failure = target.failure.as_ref().ok_or_else(|| nothing_failed(target, home))?;
    let choice = choose(failure, rules);
    for warning in &choice.warnings {
        console.errors.line(format_args!("warning: {warning}"));
    }
    let step = failure.step.clone().unwrap_or_default();
    let before = target.loaded.state.lifetime.recoveries(&step);
    let limit = asked.limit.unwrap_or_else(|| rules.max_recoveries());
    let mut way = asked.way.unwrap_or(choice.way);
    let mut reason = match asked.way {
        Some(way) => format!(
            "{} ({}); asked for with --type {}",
            class_word(failure.class),
            failure.why,
            way.as_str()
        ),
        None => choice.reason.clone(),
    };
    let over = way != RecoveryType::Person && before >= limit && !asked.force;
    if over {
        way = RecoveryType::Person;
        reason = format!("{reason}; {}", did_not_help(before, limit));
    }
    if let (RecoveryType::Retry, Some(rule)) = (way, &choice.rule)
        && choice.source == "recovery.yaml"
    {
        check_names(home, &target.card, rule, console)?;
    }
    let context = RecoveryContext {
        session_id: failure.session_id.clone(),
        workflow_id: failure.workflow_id.clone(),
        step: failure.step.clone(),
        class: failure.class,
        number: before + 1,
        chosen_by: if asked.way.is_some() { Chooser::Person } else { Chooser::Rule },
        reason,
        rule: Some(written(failure, &choice, way)),
        rule_source: Some(choice.source.to_owned()),
    };
    let (id, repository) = (failure.id.clone(), failure.repository.clone());
    let mut state = RecoveryState::new(id, repository, way, context, Utc::now());
    state.recovery_plan = plan(way, &choice, target);
    if way == RecoveryType::Person {
        state
            .metadata
            .insert(NEXT.to_owned(), json!(persons_way(target, asked.way.filter(|_| over), over)));
    }
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
        RecoveryType::Person => plan.clear(),
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
        _ if choice.way == way => json!({
            "class": class,
            "strategy": "retry",
            "attempts": choice.attempts,
            "delay": spell_duration(choice.delay),
        }),
        _ => json!({ "class": class, "strategy": "retry", "attempts": 1 }),
    }
}

fn did_not_help(before: u32, limit: u32) -> String {
    let times = match before {
        1 => "1 recovery".to_owned(),
        before => format!("{before} recoveries"),
    };
    format!("{times} did not help, and {limit} may be tried")
}

/// What a person can do, with the commands.
fn persons_way(target: &Target, asked: Option<RecoveryType>, over_the_limit: bool) -> String {
    let id = &target.card.workflow_id;
    let goes_on = match target.loaded.state.only_dead_items_failed() {
        true => format!("prodigy dlq retry {id}"),
        false => format!("prodigy resume {id}"),
    };
    let again = match (over_the_limit, asked) {
        (true, Some(way)) => format!("--type {} --force", way.as_str()),
        (true, None) => "--force".to_owned(),
        (false, _) => "--type retry".to_owned(),
    };
    format!("put it right, then: {goes_on}   (or prodigy recovery initiate {id} {again})")
}

/// Says that only a person can go on, and how.
pub(super) fn waits_for_person(state: &RecoveryState) -> Failure {
    let context = &state.recovery_context;
    let step = context.step.as_ref().map_or("the session".to_owned(), |it| format!("step {it}"));
    let message = format!("a person must look at {step} of {}", context.workflow_id);
    let failure = Failure::new(ExitKind::NeedsPerson, message).because(context.reason.clone());
    match state.metadata.get(NEXT).and_then(Value::as_str) {
        Some(next) => failure.with_help(next),
        None => failure,
    }
}
