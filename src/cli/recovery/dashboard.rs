//! `prodigy recovery dashboard`: all recoveries and the health of checkpoints, as text, JSON or a page.

use std::fmt::Write as _;

use chrono::Utc;
use serde_json::json;

use crate::cli::args::RecoveryDashboard;
use crate::cli::lookup::Place;
use crate::cli::output::Console;
use crate::cli::rows;
use crate::exit::{ExitKind, Failure};
use crate::recovery::{
    CheckpointStatus, Dashboard, Operation, SessionHealth, Share, Shelf, Summary, page,
};
use crate::store::replace_file;
use crate::view::{Cell, Ink, Style, Table, age, clip, journal_word};

use super::{status, words};

/// Shows the dashboard.
pub(super) fn run(
    arguments: &RecoveryDashboard,
    console: &mut Console,
) -> Result<ExitKind, Failure> {
    let place = Place::open()?;
    let wanted =
        |repository: &str| arguments.repository.as_deref().is_none_or(|asked| asked == repository);
    let shelf = Shelf::of(&place.home);
    let (states, _) = shelf.all()?;
    let states: Vec<_> = states
        .into_iter()
        .filter(|state| wanted(&state.repository))
        .map(|state| status::as_recorded(&place, state))
        .collect();
    let (listed, warnings) = rows::rows(&place)?;
    let sessions = listed.iter().filter(|it| it.card.cleaned_at.is_none());
    let sessions = sessions.filter(|it| wanted(&it.card.repository));
    let dashboard = Dashboard::of(&states, sessions.map(health).collect());
    if let Some(file) = &arguments.html {
        let page = page(&dashboard, arguments.repository.as_deref(), Utc::now());
        replace_file(file, page.as_bytes(), None)?;
        console.remark(format_args!("wrote {}", file.display()));
    }
    if arguments.json {
        console.output.json(&json!(dashboard));
    } else if arguments.html.is_none() {
        console.output.text(text(&dashboard, console.output.style()));
    }
    status::tell_unreadable(&shelf, console)?;
    for warning in warnings {
        console.errors.line(warning);
    }
    Ok(ExitKind::Success)
}

fn health(listed: &rows::Listed) -> SessionHealth {
    let card = &listed.card;
    let latest = listed.state.as_ref().and_then(|state| state.lifetime.latest_version());
    SessionHealth {
        workflow_id: card.workflow_id.to_string(),
        repository: card.repository.clone(),
        status: journal_word(&listed.row.status),
        checkpoints: listed.state.as_ref().map_or(0, |state| state.lifetime.versions.len()),
        latest_checkpoint_id: latest.map(|it| format!("{}@v{}", card.workflow_id, it.version)),
        created_at: latest.map(|version| version.at),
        problem: listed.problem.clone(),
    }
}

fn text(dashboard: &Dashboard, style: Style) -> String {
    let mut text = summary(&dashboard.recovery_summary);
    shares(&mut text, "TYPE", dashboard.recovery_by_type.iter().map(|(k, v)| (*k, v)), style);
    let classes = dashboard.recovery_by_class.iter().map(|(k, v)| (k.as_str(), v));
    shares(&mut text, "CLASS", classes, style);
    operations(&mut text, &dashboard.recent_operations, style);
    checkpoints(&mut text, &dashboard.checkpoint_status, style);
    text
}

fn summary(summary: &Summary) -> String {
    let rate = summary.success_rate.map_or(String::new(), |rate| format!(", {rate:.2} %"));
    format!(
        "recoveries {}: {} successful{rate}, {} failed, {} in progress\n",
        summary.total_recoveries,
        summary.successful_recoveries,
        summary.failed_recoveries,
        summary.in_progress_recoveries,
    )
}

fn shares<'a>(
    text: &mut String,
    heading: &'static str,
    shares: impl Iterator<Item = (&'a str, &'a Share)>,
    style: Style,
) {
    let mut table = Table::new(&[heading, "ALL", "SUCCESSFUL"]);
    for (name, share) in shares.filter(|(_, share)| share.total > 0) {
        table.row([
            Cell::from(name),
            share.total.to_string().into(),
            share.successful.to_string().into(),
        ]);
    }
    push(text, &table, style);
}

fn operations(text: &mut String, operations: &[Operation], style: Style) {
    let mut table =
        Table::new(&["RECOVERY", "SESSION", "STEP", "CLASS", "TYPE", "STATUS", "BEGUN", "RESULT"]);
    for operation in operations {
        let status = words::status_words(operation.status);
        let ink = match operation.status {
            crate::recovery::RecoveryStatus::Completed => Ink::Good,
            crate::recovery::RecoveryStatus::Failed => Ink::Bad,
            _ => Ink::Caution,
        };
        let result = operation.result.as_deref().unwrap_or_default();
        table.row([
            Cell::from(&operation.id),
            (&operation.workflow_id).into(),
            operation.step.as_deref().unwrap_or("-").into(),
            (&operation.class).into(),
            operation.recovery_type.as_str().into(),
            Cell::inked(ink, status),
            age(operation.started_at, Utc::now()).into(),
            clip(result, 60).as_ref().into(),
        ]);
    }
    push(text, &table, style);
}

fn checkpoints(text: &mut String, status: &CheckpointStatus, style: Style) {
    let _ = writeln!(
        text,
        "\ncheckpoints {}, of which {} sound",
        status.total_checkpoints, status.healthy_checkpoints
    );
    let mut table = Table::new(&["SESSION", "STATUS", "CHECKPOINTS", "LATEST", "MADE", "HEALTH"]);
    for session in &status.sessions {
        let health = match &session.problem {
            None => Cell::inked(Ink::Good, "sound"),
            Some(problem) => Cell::inked(Ink::Bad, &clip(problem, 80)),
        };
        table.row([
            Cell::from(&session.workflow_id),
            (&session.status).into(),
            session.checkpoints.to_string().into(),
            session.latest_checkpoint_id.as_deref().unwrap_or("-").into(),
            session.created_at.map_or("-".to_owned(), |at| age(at, Utc::now())).into(),
            health,
        ]);
    }
    text.push_str(&table.text(2, style));
}

fn push(text: &mut String, table: &Table, style: Style) {
    let table = table.text(2, style);
    if !table.is_empty() {
        text.push('\n');
        text.push_str(&table);
    }
}
