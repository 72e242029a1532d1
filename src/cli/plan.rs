//! The plan of a resume as a table for people.

use std::fmt::Write as _;

use crate::resume::{Action, Row};

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
        };
        let moved = row.old_address.as_ref().map(|old| format!(" (was {old})")).unwrap_or_default();
        let name = crate::view::clip(&row.name, 60);
        let address = crate::view::line(row.address.as_str());
        let _ = writeln!(text, "  {action:<7}  {address:<width$}  {}{moved}: {name}", row.reason);
    }
    text
}
