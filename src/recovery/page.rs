//! The dashboard as one page that needs nothing else: no script, no file, no network. Every
//! value from outside is escaped.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, Utc};

use super::dashboard::{CheckpointStatus, Dashboard, Day, Operation, Share};
use super::state::RecoveryStatus;
use crate::view::{age, clip, duration};

/// The page; `now` is when it is made.
#[must_use]
pub fn page(dashboard: &Dashboard, repository: Option<&str>, now: DateTime<Utc>) -> String {
    let mut html = String::with_capacity(16 << 10);
    let place = match repository {
        Some(repository) => format!("Recoveries of {}", escaped(repository)),
        None => "Recoveries".to_owned(),
    };
    let _ = write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{place}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n\
         <h1>{place}</h1>\n<p class=\"when\">As of {}</p>\n",
        include_str!("page.css"),
        now.format("%Y-%m-%d %H:%M:%S UTC"),
    );
    tiles(&mut html, dashboard);
    html.push_str("<div class=\"charts\">\n");
    ring(&mut html, dashboard);
    let ways = dashboard.recovery_by_type.iter().map(|(name, share)| (*name, *share));
    bars(&mut html, "By type", &ways.collect::<Vec<_>>());
    let classes = dashboard.recovery_by_class.iter().map(|(name, share)| (name.as_str(), *share));
    bars(&mut html, "By class of failure", &classes.collect::<Vec<_>>());
    days(&mut html, dashboard);
    html.push_str("</div>\n");
    operations(&mut html, &dashboard.recent_operations, now);
    checkpoints(&mut html, &dashboard.checkpoint_status, now);
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

/// Text that cannot be taken for HTML, also inside of an attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in crate::view::line(text).chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

fn tiles(html: &mut String, dashboard: &Dashboard) {
    let summary = &dashboard.recovery_summary;
    let rate = summary.success_rate.map_or("–".to_owned(), |rate| format!("{rate:.2} %"));
    let status = &dashboard.checkpoint_status;
    let tiles = [
        (summary.total_recoveries.to_string(), "recoveries"),
        (rate, "success rate"),
        (summary.successful_recoveries.to_string(), "successful"),
        (summary.failed_recoveries.to_string(), "failed"),
        (summary.in_progress_recoveries.to_string(), "in progress"),
        (
            format!("{}/{}", status.healthy_checkpoints, status.total_checkpoints),
            "sound checkpoints",
        ),
    ];
    html.push_str("<div class=\"tiles\">\n");
    for (number, what) in tiles {
        let _ = writeln!(html, "<div class=\"tile\"><b>{number}</b><span>{what}</span></div>");
    }
    html.push_str("</div>\n");
}

const LEGEND: &str = "<ul class=\"legend\"><li><i class=\"good\"></i>successful</li>\
    <li><i class=\"bad\"></i>failed</li><li><i class=\"open\"></i>in progress</li></ul>\n";

/// How they ended, as parts of a ring.
fn ring(html: &mut String, dashboard: &Dashboard) {
    let summary = &dashboard.recovery_summary;
    let parts = [
        ("good", summary.successful_recoveries),
        ("bad", summary.failed_recoveries),
        ("open", summary.in_progress_recoveries),
    ];
    let all = summary.total_recoveries.max(1) as f64;
    let around = 2.0 * std::f64::consts::PI * 52.0;
    let label = summary.success_rate.map_or("–".to_owned(), |rate| format!("{rate:.0} %"));
    let _ = write!(
        html,
        "<section>\n<h2>How they ended</h2>\n\
         <svg viewBox=\"0 0 320 140\" role=\"img\" aria-label=\"success rate {label}\">\n\
         <circle class=\"track\" cx=\"160\" cy=\"70\" r=\"52\"/>\n"
    );
    let mut before = 0.0;
    for (class, count) in parts {
        if count == 0 {
            continue;
        }
        let length = count as f64 / all * around;
        let _ = writeln!(
            html,
            "<circle class=\"{class}\" cx=\"160\" cy=\"70\" r=\"52\" \
             stroke-dasharray=\"{length:.2} {around:.2}\" stroke-dashoffset=\"{:.2}\" \
             transform=\"rotate(-90 160 70)\"><title>{count}</title></circle>",
            -before
        );
        before += length;
    }
    let _ = write!(
        html,
        "<text x=\"160\" y=\"77\" text-anchor=\"middle\" style=\"font-size:22px\">{label}</text>\n</svg>\n{LEGEND}</section>\n"
    );
}

/// One bar for each name: the whole, and in it what was successful.
fn bars(html: &mut String, title: &str, shares: &[(&str, Share)]) {
    const LEFT: f64 = 118.0;
    const WIDTH: f64 = 150.0;
    let _ = write!(html, "<section>\n<h2>{}</h2>\n", escaped(title));
    let most = shares.iter().map(|(_, share)| share.total).max().unwrap_or(0);
    if most == 0 {
        html.push_str("<p class=\"none\">Nothing was recovered yet.</p>\n</section>\n");
        return;
    }
    let height = shares.len() * 26 + 6;
    let _ = writeln!(
        html,
        "<svg viewBox=\"0 0 320 {height}\" role=\"img\" aria-label=\"{}\">",
        escaped(title)
    );
    for (index, (name, share)) in shares.iter().enumerate() {
        let top = index * 26 + 4;
        let wide = |count: usize| count as f64 / most as f64 * WIDTH;
        let _ = write!(
            html,
            "<text x=\"0\" y=\"{}\">{}</text>\n\
             <rect class=\"track\" x=\"{LEFT}\" y=\"{top}\" width=\"{:.2}\" height=\"16\" rx=\"3\"/>\n\
             <rect class=\"good\" x=\"{LEFT}\" y=\"{top}\" width=\"{:.2}\" height=\"16\" rx=\"3\"/>\n\
             <text class=\"faint\" x=\"{:.2}\" y=\"{}\">{}/{}</text>\n",
            top + 13,
            escaped(name),
            wide(share.total),
            wide(share.successful),
            LEFT + wide(share.total) + 6.0,
            top + 13,
            share.successful,
            share.total,
        );
    }
    html.push_str("</svg>\n<ul class=\"legend\"><li>successful / all</li></ul>\n</section>\n");
}

/// The last days, one column each.
fn days(html: &mut String, dashboard: &Dashboard) {
    const SHOWN: usize = 14;
    const HIGH: f64 = 96.0;
    html.push_str("<section>\n<h2>By day</h2>\n");
    let days = last_days(dashboard, SHOWN);
    let whole = |day: &Day| day.successful + day.failed + day.in_progress;
    let Some(most) = days.iter().map(|(_, day)| whole(day)).max() else {
        html.push_str("<p class=\"none\">Nothing was recovered yet.</p>\n</section>\n");
        return;
    };
    let step = 320.0 / days.len().max(7) as f64;
    html.push_str("<svg viewBox=\"0 0 320 140\" role=\"img\" aria-label=\"recoveries by day\">\n");
    for (index, (date, day)) in days.iter().enumerate() {
        let left = index as f64 * step;
        let mut bottom = 8.0 + HIGH;
        for (class, count) in
            [("good", day.successful), ("bad", day.failed), ("open", day.in_progress)]
        {
            if count == 0 {
                continue;
            }
            let high = count as f64 / most as f64 * HIGH;
            bottom -= high;
            let _ = writeln!(
                html,
                "<rect class=\"{class}\" x=\"{:.2}\" y=\"{bottom:.2}\" width=\"{:.2}\" height=\"{high:.2}\"><title>{date}: {count}</title></rect>",
                left + step * 0.15,
                step * 0.7,
            );
        }
        // Where they stand close, every second day is named, the latest always.
        if days.len() > 7 && (days.len() - index).is_multiple_of(2) {
            continue;
        }
        let middle = left + step / 2.0;
        let _ = writeln!(
            html,
            "<text class=\"faint\" x=\"{middle:.2}\" y=\"124\" text-anchor=\"middle\" style=\"font-size:10px\">{}</text>",
            date.format("%m-%d")
        );
    }
    let _ = write!(html, "</svg>\n{LEGEND}</section>\n");
}

/// The days up to the latest one with a recovery, also those without any, oldest first.
fn last_days(dashboard: &Dashboard, most: usize) -> Vec<(NaiveDate, Day)> {
    let by_day = &dashboard.recovery_by_day;
    let Some((first, last)) = by_day.keys().next().zip(by_day.keys().next_back()) else {
        return Vec::new();
    };
    let back = last.iter_days().rev();
    let mut days: Vec<_> = back
        .take(most)
        .take_while(|date| date >= first)
        .map(|date| (date, by_day.get(&date).copied().unwrap_or_default()))
        .collect();
    days.reverse();
    days
}

fn operations(html: &mut String, operations: &[Operation], now: DateTime<Utc>) {
    html.push_str("<section class=\"wide\">\n<h2>Recent operations</h2>\n");
    if operations.is_empty() {
        html.push_str("<p class=\"none\">Nothing was recovered yet.</p>\n</section>\n");
        return;
    }
    html.push_str(
        "<table>\n<tr><th>Recovery</th><th>Session</th><th>Step</th><th>Class</th><th>Type</th>\
         <th>Status</th><th>Begun</th><th class=\"number\">Took</th><th>Result</th></tr>\n",
    );
    for operation in operations {
        let (class, words) = match operation.status {
            RecoveryStatus::Completed => ("good-text", "✓ completed"),
            RecoveryStatus::Failed => ("bad-text", "✗ failed"),
            RecoveryStatus::InProgress => ("open-text", "… in progress"),
            RecoveryStatus::Pending => ("open-text", "? pending"),
        };
        let took = operation.completed_at.map(|end| {
            duration(u64::try_from((end - operation.started_at).num_seconds()).unwrap_or(0))
        });
        let told = operation.result.as_deref().unwrap_or(&operation.reason);
        let _ = writeln!(
            html,
            "<tr><td data-label=\"Recovery\"><code>{}</code></td><td data-label=\"Session\"><code>{}</code></td>\
             <td data-label=\"Step\">{}</td><td data-label=\"Class\">{}</td><td data-label=\"Type\">{}</td>\
             <td data-label=\"Status\" class=\"{class}\">{words}</td><td data-label=\"Begun\" title=\"{}\">{}</td>\
             <td data-label=\"Took\" class=\"number\">{}</td>\
             <td data-label=\"Result\" class=\"told\" title=\"{}\">{}</td></tr>",
            escaped(&operation.id),
            escaped(&operation.workflow_id),
            escaped(operation.step.as_deref().unwrap_or("–")),
            escaped(&operation.class),
            operation.recovery_type.as_str(),
            operation.started_at.to_rfc3339(),
            age(operation.started_at, now),
            took.as_deref().unwrap_or("–"),
            escaped(&operation.reason),
            escaped(&clip(told, 120)),
        );
    }
    html.push_str("</table>\n</section>\n");
}

fn checkpoints(html: &mut String, status: &CheckpointStatus, now: DateTime<Utc>) {
    html.push_str("<section class=\"wide\">\n<h2>Checkpoints</h2>\n");
    if status.sessions.is_empty() {
        html.push_str("<p class=\"none\">There are none.</p>\n</section>\n");
        return;
    }
    html.push_str(
        "<table>\n<tr><th>Session</th><th>Status</th><th class=\"number\">Checkpoints</th>\
         <th>Latest</th><th>Made</th><th>Health</th></tr>\n",
    );
    for session in &status.sessions {
        let health = match &session.problem {
            None => "<td data-label=\"Health\" class=\"good-text\">✓ sound</td>".to_owned(),
            Some(problem) => {
                let told = escaped(&clip(problem, 160));
                format!("<td data-label=\"Health\" class=\"told bad\">✗ {told}</td>")
            }
        };
        let _ = writeln!(
            html,
            "<tr><td data-label=\"Session\"><code>{}</code></td><td data-label=\"Status\">{}</td>\
             <td data-label=\"Checkpoints\" class=\"number\">{}</td>\
             <td data-label=\"Latest\"><code>{}</code></td><td data-label=\"Made\">{}</td>{health}</tr>",
            escaped(&session.workflow_id),
            escaped(&session.status),
            session.checkpoints,
            escaped(session.latest_checkpoint_id.as_deref().unwrap_or("–")),
            session.created_at.map_or("–".to_owned(), |at| age(at, now)),
        );
    }
    html.push_str("</table>\n</section>\n");
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nothing_from_outside_becomes_markup() {
        assert_eq!(
            escaped("<img src=x onerror='a(\"b\")'>&\u{1b}[0m"),
            "&lt;img src=x onerror=&#39;a(&quot;b&quot;)&#39;&gt;&amp;\\x1b[0m"
        );
    }
}
