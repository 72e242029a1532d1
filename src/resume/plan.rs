//! `resume --plan`: what would be kept, run and run again, and why.

use serde::Serialize;

use crate::playbook::mapreduce::Map;
use crate::playbook::model::{Action as Kind, Body, OnResume, Workflow};
use crate::session::{
    Address, ItemStanding, JobProgress, PersonsAnswer, Progress, SessionState, StepResult,
    StepStatus, item_number, map_address,
};

use super::changes::Changes;
use super::request::Decision;
use super::tree::{Place, places};

/// What happens to a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Its recorded result is used.
    Keep,
    /// It runs again.
    Rerun,
    /// It is new in the edited workflow, and runs.
    New,
    /// It is gone from the edited workflow.
    Removed,
    /// It has not run yet, and runs.
    Run,
    /// It was caught running, and is passed over.
    Skip,
    /// It was caught running, and counts as failed.
    Fail,
    /// It was caught running, and a person is asked whether it was done.
    Ask,
}

impl Action {
    fn runs(self) -> bool {
        matches!(self, Self::Rerun | Self::New | Self::Run)
    }
}

/// One line of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Where it stands (old address for removed ones).
    pub address: Address,
    /// Where it stood before an edit, when that differs.
    pub old_address: Option<Address>,
    /// What a person calls it.
    pub name: String,
    /// What happens.
    pub action: Action,
    /// Why.
    pub reason: String,
    /// What its agents have cost so far; absent where none ran and none will.
    pub agents: Option<RowAgents>,
}

/// The agents at or below a step of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RowAgents {
    /// True when their answers are used as they are: nothing is paid again.
    pub reused: bool,
    /// Calls so far.
    pub calls: u64,
    /// Dollars paid so far, as far as told.
    pub spent_usd: f64,
    /// Calls whose cost nobody told.
    pub unknown_costs: u64,
    /// What of that need not be paid again, in dollars.
    pub saved_usd: f64,
}

/// The items of the map in one line.
fn map_row(before: &SessionState, after: &SessionState) -> Option<Row> {
    let progress = JobProgress::of(after)?;
    let again = (before.standing.items.ended()).saturating_sub(progress.processed);
    let over = progress.total_items > 0 && progress.pending == 0;
    let reason = if before.standing.frozen && !after.standing.frozen {
        match progress.processed {
            0 => "its items are read again".to_owned(),
            ended => format!(
                "its items are read again; {ended} ended, and keep their results where they are \
                 the same"
            ),
        }
    } else if progress.total_items == 0 {
        "its items are not known yet".to_owned()
    } else if over {
        format!("all {} items ended", progress.total_items)
    } else {
        let kept = progress.processed;
        let again = if again > 0 { format!(", {again} of them again") } else { String::new() };
        format!("{kept} of {} items ended, {} run{again}", progress.total_items, progress.pending)
    };
    Some(Row {
        address: map_address(),
        old_address: None,
        name: "map".to_owned(),
        action: match (over, again > 0) {
            (true, _) => Action::Keep,
            (false, true) => Action::Rerun,
            (false, false) => Action::Run,
        },
        reason,
        agents: None,
    })
}

/// What the agents of all items have cost. What became of an item is forgotten when it ended, so
/// that is everything that was spent, without what the steps outside of the map have cost.
fn map_agents(
    map: &Map,
    before: &SessionState,
    after: &SessionState,
    over: bool,
) -> Option<RowAgents> {
    let at = map_address();
    let (mut calls, mut unknown_costs) =
        (before.lifetime.agent_calls, before.lifetime.unknown_costs());
    let mut spent_usd = before.lifetime.cost_usd;
    let mut open_usd = 0.0;
    for (address, record) in before.standing.records() {
        let spent = record.agents;
        if address.is_within(&at) {
            open_usd += spent.cost_usd;
            continue;
        }
        let lost = u64::from(record.lost_agent());
        calls = calls.saturating_sub(u64::from(spent.calls) + lost);
        unknown_costs = unknown_costs.saturating_sub(u64::from(spent.calls - spent.known) + lost);
        spent_usd -= spent.cost_usd;
    }
    let again = before.lifetime.dead.iter().filter(|(number, _)| {
        let ended = |state: &SessionState| {
            matches!(state.standing.items.standing(**number), ItemStanding::Ended(..))
        };
        ended(before) && !ended(after)
    });
    let runs = again.flat_map(|(_, dead)| &dead.history);
    open_usd += runs.filter_map(|(_, failure)| failure.cost_usd).sum::<f64>();
    let named = map.template.iter().any(|step| !step.agent_steps().is_empty());
    (calls > 0 || named).then(|| RowAgents {
        reused: over,
        calls,
        spent_usd: rounded(spent_usd),
        unknown_costs,
        saved_usd: rounded(spent_usd - open_usd),
    })
}

/// What is left of adding and taking away fractions is no money.
fn rounded(usd: f64) -> f64 {
    ((usd * 1e9).round() / 1e9).max(0.0)
}

/// The plan: `after` is the state once `decision` and `changes` are recorded.
#[must_use]
pub fn rows(
    workflow: &Workflow,
    before: &SessionState,
    after: &SessionState,
    decision: &Decision,
    changes: Option<&Changes>,
) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut stale = None;
    let mut made_again = None;
    let mut behind_asked = false;
    for place in places(workflow, after) {
        let address = &place.address;
        let old = changes.and_then(|changes| {
            let pairs = changes.kept.iter().chain(&changes.edited);
            pairs.clone().find(|(_, new)| new == address).map(|(old, _)| old.clone())
        });
        let was = before.standing.record(old.as_ref().unwrap_or(address));
        let edited = changes.is_some_and(|it| it.edited.iter().any(|(_, new)| new == address));
        let added = changes.is_some_and(|it| it.added.contains(address));
        if stale.is_none() && changes.is_some_and(|it| it.shifted.contains(address)) {
            stale = Some("a step before it was removed or moved".to_owned());
        }
        let asked = decision.asked.iter().find(|asked| asked.is_within(address));
        let (action, reason) = if let Some(result) = after.standing.result(address) {
            if decision.passed_over.contains(address) {
                (Action::Keep, "passed over on request".to_owned())
            } else {
                (Action::Keep, kept(result, stale.as_deref()))
            }
        } else if added {
            (Action::New, "new in the edited workflow".to_owned())
        } else {
            match was.map(|record| (record.progress, record.result.is_some())) {
                Some((_, true)) if edited => (Action::Rerun, "edited".to_owned()),
                Some((_, true)) => (Action::Rerun, again(address, asked, behind_asked, decision)),
                Some((Progress::Running | Progress::InDoubt, _)) => {
                    match caught(place.step.on_resume, after.standing.answer(address)) {
                        (Action::Rerun, why) => {
                            goes_on(&place, after).unwrap_or((Action::Rerun, why))
                        }
                        other => other,
                    }
                }
                Some((Progress::Between, _)) if decision.starting.contains(address) => {
                    (Action::Rerun, "failed before".to_owned())
                }
                Some((Progress::Between, _)) => {
                    (Action::Run, "goes on after its last attempt".to_owned())
                }
                _ => (Action::Run, "has not run yet".to_owned()),
            }
        };
        behind_asked |= asked.is_some();
        let serves = place.step.on_resume == OnResume::Always;
        if action.runs() && !serves && item_number(address).is_none() {
            stale.get_or_insert_with(|| format!("older than step {address} then"));
            if made_again.is_none() && place.sequence.as_str() == "setup" {
                made_again = Some(address.clone());
            }
        }
        rows.push(Row {
            address: address.clone(),
            old_address: old.clone().filter(|old| old != address),
            name: place.name(),
            action,
            reason,
            agents: agents(&place, before, after, old.as_ref().unwrap_or(address), action),
        });
    }
    if let Body::MapReduce(job) = &workflow.body
        && let Some(mut row) = map_row(before, after)
    {
        row.agents = map_agents(&job.map, before, after, row.action == Action::Keep);
        if let Some(by) = made_again.filter(|_| row.action == Action::Keep) {
            let older = format!(", older than step {by} then (--downstream reads them again)");
            row.reason.push_str(&older);
        }
        let reduce = Address::root().join("reduce");
        let place = rows.iter().position(|row| row.address.is_within(&reduce));
        rows.insert(place.unwrap_or(rows.len()), row);
    }
    for (address, name) in changes.map(|changes| changes.removed.as_slice()).unwrap_or_default() {
        rows.push(Row {
            address: address.clone(),
            old_address: None,
            name: name.clone(),
            action: Action::Removed,
            reason: "gone from the edited workflow".to_owned(),
            agents: None,
        });
    }
    rows
}

/// Why a step whose result stays does so.
fn kept(result: &StepResult, stale: Option<&str>) -> String {
    match stale {
        Some(why) if result.status != StepStatus::Skipped => {
            format!("finished, {why} (--downstream runs it again)")
        }
        _ => "finished".to_owned(),
    }
}

/// Why a step that had ended runs again.
fn again(
    address: &Address,
    asked: Option<&Address>,
    behind_asked: bool,
    decision: &Decision,
) -> String {
    match (asked, decision.asked.first()) {
        (Some(asked), _) if asked == address => "asked for".to_owned(),
        (Some(asked), _) => format!("{asked} in it runs again"),
        (None, _) if decision.starting.contains(address) => "failed before".to_owned(),
        (None, Some(asked)) if behind_asked => format!("follows step {asked}"),
        (None, _) if decision.after_edit.contains(address) => "follows an edited step".to_owned(),
        (None, _) => "gone back over".to_owned(),
    }
}

/// What becomes of a step that the end of the run before caught running.
fn caught(on_resume: OnResume, answer: Option<PersonsAnswer>) -> (Action, String) {
    let was = "was running when the run before ended";
    match (answer, on_resume) {
        (Some(PersonsAnswer::Done), _) => (Action::Skip, format!("{was}; done, as you say")),
        (Some(PersonsAnswer::Rerun), _) => (Action::Rerun, format!("{was}; again, as you say")),
        (None, OnResume::Rerun | OnResume::Always) => (Action::Rerun, was.to_owned()),
        (None, OnResume::Skip) => (Action::Skip, format!("{was} (on_resume: skip)")),
        (None, OnResume::Fail) => (Action::Fail, format!("{was} (on_resume: fail)")),
        (None, OnResume::Confirm) => (
            Action::Ask,
            format!("{was}; only a person knows whether it was done (on_resume: confirm)"),
        ),
    }
}

/// A loop that was caught running goes on: of its rounds only those run that had not ended.
fn goes_on(place: &Place<'_>, after: &SessionState) -> Option<(Action, String)> {
    let Kind::Foreach(each) = &place.step.action else { return None };
    let total = after.standing.record(&place.address)?.items.as_ref()?.len();
    let ended = |round: &usize| {
        let round = place.address.below_numbered("do", *round);
        let last = round.step(each.steps.len());
        after.standing.records_within(&round).any(|(at, record)| {
            let result = record.result.as_ref().filter(|_| at.sequence() == round);
            result.is_some_and(|result| !result.goes_on || *at == last)
        })
    };
    let ended = (1..=total).filter(ended).count();
    Some((Action::Run, format!("goes on: {ended} of {total} rounds ended, {} run", total - ended)))
}

/// What is known of the agents at and below a step, which stood at `old` before an edit.
fn agents(
    place: &Place<'_>,
    before: &SessionState,
    after: &SessionState,
    old: &Address,
    action: Action,
) -> Option<RowAgents> {
    let mut row = RowAgents {
        reused: action == Action::Keep,
        calls: 0,
        spent_usd: 0.0,
        unknown_costs: 0,
        saved_usd: 0.0,
    };
    for (_, record) in before.standing.records_within(old) {
        row.calls += u64::from(record.agents.calls);
        row.spent_usd += record.agents.cost_usd;
        row.unknown_costs += u64::from(record.agents.calls - record.agents.known);
        row.calls += u64::from(record.lost_agent());
        row.unknown_costs += u64::from(record.lost_agent());
    }
    let kept = after.standing.records_within(&place.address);
    row.saved_usd = kept
        .filter(|(_, record)| record.result.is_some())
        .map(|(_, record)| record.agents.cost_usd)
        .sum();
    (row.calls > 0 || !place.step.agent_steps().is_empty()).then_some(row)
}
