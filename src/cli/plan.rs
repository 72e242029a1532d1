//! The plan of a resume as a table for people.

use std::fmt::Write as _;

use crate::resume::{Action, Row, RowAgents};

/// One line a step: what happens, where, why.
pub(super) fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.address.as_str().chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for row in rows {
        let action = match row.action {
            Action::Keep => "keep",
            Action::Rerun => "rerun",
            Action::New => "new",
            Action::Removed => "removed",
            Action::Run => "run",
            Action::Skip => "skip",
            Action::Fail => "fail",
            Action::Ask => "ask",
        };
        let moved = row.old_address.as_ref().map(|old| format!(" (was {old})")).unwrap_or_default();
        let name = crate::view::clip(&row.name, 60);
        // The map as a whole is called what it stands at.
        let name =
            if row.name == row.address.as_str() { String::new() } else { format!(": {name}") };
        let address = crate::view::line(row.address.as_str());
        let agents = row.agents.as_ref().map(agents).unwrap_or_default();
        let _ =
            writeln!(text, "  {action:<7}  {address:<width$}  {}{moved}{name}{agents}", row.reason);
    }
    let rows = rows.iter().filter_map(|row| row.agents.as_ref());
    let (mut spent, mut saved, mut calls) = (0.0, 0.0, 0);
    for row in rows {
        spent += row.spent_usd;
        saved += row.saved_usd;
        calls += row.calls;
    }
    if calls > 0 {
        let (spent, saved) = (crate::view::dollars(spent), crate::view::dollars(saved));
        let _ = writeln!(text, "  agents: {spent} spent so far, {saved} of it not paid again");
    }
    text
}

/// ` [agent: reused, $0.12 saved]`, ` [agent: to run, $0.30 spent so far, $0.12 of it saved]`.
fn agents(agents: &RowAgents) -> String {
    let dollars = crate::view::dollars;
    let unknown = match agents.unknown_costs {
        0 => String::new(),
        calls => format!(", cost of {} unknown", crate::view::count(calls, "call")),
    };
    if agents.reused {
        return format!(" [agent: reused, {} saved{unknown}]", dollars(agents.saved_usd));
    }
    if agents.calls == 0 {
        return " [agent: to run]".to_owned();
    }
    // Of a loop or map some rounds may be over.
    let saved = match agents.saved_usd {
        usd if usd > 0.0 => format!(", {} of it saved", dollars(usd)),
        _ => String::new(),
    };
    format!(" [agent: to run, {} spent so far{saved}{unknown}]", dollars(agents.spent_usd))
}
