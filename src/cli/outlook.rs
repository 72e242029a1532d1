//! What a resume would do, before it does anything: the decision, and the plan that a person sees.

use crate::exit::{ExitKind, Failure};
use crate::resume::{
    Changes, Decision, Downstream, Earlier, Refusal, Request, Row, decide, foresee, rows,
};
use crate::session::{Address, Digest, EventKind, SessionState, item_address, item_number};
use crate::store::{Card, FrozenItems, Home, OpenSession};

use super::args::Resume;
use super::goal::{Goal, check_downstream, goal};
use super::output::Console;
use super::refusal::refused;
use super::resume::{ItemWish, header_of};

/// What a resume would do: events, plan rows, and the state after them.
pub(super) struct Outlook {
    pub(super) decision: Decision,
    pub(super) rows: Vec<Row>,
}

/// What resuming `state` would do, as a person asks with `arguments` and `wish`.
pub(super) fn outlook(
    home: &Home,
    state: &SessionState,
    goal: &Goal,
    arguments: &Resume,
    wish: &ItemWish,
    earlier: &Earlier<'_>,
) -> Result<Outlook, Refusal> {
    let workflow = &goal.loaded.workflow;
    let changed = goal.changes.as_ref().map(|changes| EventKind::WorkflowChanged {
        workflow_hash: Digest::of(goal.loaded.text.as_bytes()),
        total_steps: crate::playbook::count_steps(workflow) * passes(state),
        stages: workflow.stage_names(),
        kept: changes.kept.clone(),
        edited: changes.edited.clone(),
        items: changes.items,
    });
    let edited = foresee(state, changed.as_slice(), earlier);
    let request = Request {
        from_checkpoint: arguments
            .from_checkpoint
            .as_deref()
            .map(|name| unlabelled(home, state, name)),
        from_step: arguments.from_step.clone(),
        downstream: match arguments.downstream {
            true => Downstream::Again,
            false => Downstream::Kept,
        },
        edited: goal.changes.iter().flat_map(Changes::beginnings).collect(),
        rereads_items: goal.changes.as_ref().is_some_and(|it| it.items),
        accepts_edit: arguments.accept_changes,
        rerun: arguments.rerun.clone(),
        done: arguments.done.clone(),
        requeue: wish.requeue.clone(),
        reduce: wish.reduce,
        items: match arguments.force || arguments.from_step.as_ref().is_some_and(in_map) {
            true => numbers(home, state).unwrap_or_default(),
            false => Vec::new(),
        },
        pass_over: arguments.force,
    };
    let mut decision = decide(&edited, workflow, &request, earlier)?;
    let after = foresee(&edited, &decision.events, earlier);
    decision.events.splice(0..0, changed);
    if wish.extra_runs.is_some() {
        decision.starting.retain(is_item);
    }
    let rows = rows(workflow, state, &after, &decision, goal.changes.as_ref());
    Ok(Outlook { decision, rows })
}

/// Shows how the workflow was edited, and asks whether to go on with it.
pub(super) fn accept_changes(
    changes: &Changes,
    outlook: &Outlook,
    arguments: &Resume,
    id: &str,
    console: &mut Console,
) -> Result<(), Failure> {
    console.remark("the workflow file was edited since the last run:");
    console.remark(super::plan::table(&outlook.rows));
    tell_settings(changes, console);
    if arguments.accept_changes {
        return Ok(());
    }
    match super::confirm::ask("Go on with the edited workflow?", &|| false) {
        super::confirm::Answer::Yes => Ok(()),
        _ => Err(Failure::new(ExitKind::NeedsPerson, "the workflow file was edited")
            .with_help(typed_again(arguments, id, "--accept-changes"))),
    }
}

/// The command that goes on with the session called `id`, as it was typed, and one flag more.
fn typed_again(arguments: &Resume, id: &str, flag: &str) -> String {
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let goes_on = |word: &String| ["resume", "resume-job", "dlq", "recovery"].contains(&&**word);
    if !words.iter().any(goes_on) {
        return format!("prodigy resume {id} {flag}");
    }
    let mut named = false;
    let mut text = "prodigy".to_owned();
    for word in &words {
        let is_name = arguments.id.as_ref() == Some(word);
        named |= is_name;
        let word = if is_name { id.to_owned() } else { crate::view::typed(word) };
        text.extend([" ", &word]);
    }
    if !named {
        text.extend([" ", id]);
    }
    format!("{text} {flag}")
}

/// `--plan`: shows what would happen, without holding the session.
pub(super) fn show_plan(
    home: &Home,
    card: &Card,
    arguments: &Resume,
    wish: &ItemWish,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    let loaded = OpenSession::read(home, &card.session_id)?;
    if let Some(damage) = loaded.damage {
        return Err(damage.into());
    }
    let mut header = header_of(&loaded.state)?;
    super::moved::follow(home, &mut header, console)?;
    let goal = goal(home, &header, &loaded.state, console)?;
    check_downstream(&goal, arguments, header.workflow_id.as_str())?;
    let earlier = |seq| loaded.at(seq);
    let (rows, notes) = match outlook(home, &loaded.state, &goal, arguments, wish, &earlier) {
        Ok(outlook) => (outlook.rows, outlook.decision.notes),
        Err(Refusal::Completed) => {
            console.remark(format_args!("{} is completed: nothing would run", header.workflow_id));
            (Vec::new(), Vec::new())
        }
        Err(refusal) => return Err(refused(refusal, header.workflow_id.as_str())),
    };
    if arguments.json {
        let json = serde_json::to_value(&rows).map_err(anyhow::Error::from)?;
        console.output.json(&json);
    } else if !rows.is_empty() {
        console.output.text(super::plan::table(&rows));
        if let Some(changes) = &goal.changes {
            console.remark("the workflow file was edited since the last run");
            tell_settings(changes, console);
        }
        for note in notes {
            console.remark(note);
        }
    }
    Ok(ExitKind::Success)
}

fn tell_settings(changes: &Changes, console: &mut Console) {
    for setting in &changes.settings {
        let setting = crate::view::line(setting).into_owned();
        console.remark(format_args!("  {setting}: changed; applies to what still runs"));
    }
    if changes.items {
        console.remark("  the items are read again; those that are the same keep their results");
    }
}

/// A name given from outside stands for a version; any other is what it is.
fn unlabelled(home: &Home, state: &SessionState, name: &str) -> String {
    let label = state.header().and_then(|header| {
        let labels = crate::store::labels(home, &header.session_id).ok()?;
        labels.into_iter().rev().find(|label| label.name == name)
    });
    label.map_or_else(|| name.to_owned(), |label| format!("v{}", label.version))
}

/// The numbers of all items of the session's job.
fn numbers(home: &Home, state: &SessionState) -> Option<Vec<u32>> {
    let (job, header) = (state.lifetime.job.as_ref()?, state.header()?);
    let items = FrozenItems::open(home, &header.repository, job).ok()?;
    Some(items.numbers().collect())
}

/// True for the scope of an item as a whole.
fn is_item(address: &Address) -> bool {
    item_number(address).is_some_and(|item| item_address(item) == *address)
}

fn in_map(address: &Address) -> bool {
    item_number(address).is_some()
}

/// How often the session runs through its steps.
fn passes(state: &SessionState) -> usize {
    let Some(header) = state.header() else { return 1 };
    let iterations = header.max_iterations.map(|it| usize::try_from(it).unwrap_or(usize::MAX));
    iterations.unwrap_or(header.passes.len()).max(1)
}
