//! What stands at the end of a run: how it went, in words, and the exact next command.

use std::fmt::Write as _;
use std::path::Path;

use crate::session::{JobProgress, SessionState, SessionStatus, WaitReason};
use crate::view::{self, Agents, StepCounts, Style};

/// Where a session's files lie.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// The directory of the logs.
    pub logs: &'a Path,
    /// The journal.
    pub journal: &'a Path,
    /// The results of all items as reduce saw them, where it asked for the file.
    pub results: Option<&'a Path>,
}

/// The one line that matters, for `-q`: how the session stands, and how to go on.
#[must_use]
pub fn headline(state: &SessionState, style: Style) -> String {
    let mut text = standing(state, style);
    let commands: Vec<String> =
        resume_commands(state).into_iter().map(|(command, _)| command).collect();
    if !commands.is_empty() {
        let _ = write!(text, "; to go on: {}", commands.join(" or "));
    }
    text.push('\n');
    text
}

/// The whole summary.
#[must_use]
pub fn summary(state: &SessionState, places: Places<'_>, style: Style) -> String {
    let mut text = standing(state, style);
    text.push('\n');
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<8} {value}");
    };
    if let Some(waiting) = &state.waiting
        && matches!(state.status, Some(SessionStatus::Waiting | SessionStatus::Parked))
    {
        row("why", &view::paragraph(&waiting.message, 11));
        if let Some(until) = waiting.until {
            row("until", &until.format("%Y-%m-%d %H:%M:%S UTC").to_string());
        }
    }
    let job = JobProgress::of(state);
    match &job {
        Some(job) if job.total_items > 0 => row("items", &view::item_counts(job)),
        Some(_) if state.standing.frozen => row("items", "none"),
        _ => {}
    }
    let steps = StepCounts::of(state);
    if job.is_none() || !steps.is_empty() {
        row("steps", &steps.to_string());
    }
    row("time", &view::duration_ms(state.lifetime.active.ms()));
    if let Some(older) = older(state) {
        row("older", &older);
    }
    if let Some(agents) = Agents::of(&state.lifetime).words() {
        row("agents", &agents);
    }
    if let Some(id) = job.as_ref().and_then(|job| job.job_id.as_deref()) {
        row("job", &view::line(id));
    }
    if let Some(results) = places.results {
        row("results", &view::line(&results.display().to_string()));
    }
    row("logs", &view::line(&places.logs.display().to_string()));
    row("journal", &view::line(&places.journal.display().to_string()));
    if let (Some(SessionStatus::Failed), Some(failure)) = (state.status, &state.failure)
        && let Some(help) = &failure.failure.help
    {
        row("help", &view::line(help));
    }
    for (command, what) in resume_commands(state) {
        row(word_of(&command), &format!("{command}{what}"));
    }
    if let (Some(SessionStatus::Failed), Some(header), Some(failure)) =
        (state.status, state.header(), &state.failure)
        && !state.only_dead_items_failed()
    {
        let class = view::journal_word(&failure.failure.class);
        let (workflow, id) = (&header.workflow_id, view::line(&failure.id));
        row("recover", &format!("prodigy recovery initiate {workflow}   ({id}: {class})"));
    }
    text
}

/// `steps 3, 4 are older than step 2, which ran again`.
fn older(state: &SessionState) -> Option<String> {
    const TOLD: usize = 5;
    let older = view::outdated(state);
    let mut steps: Vec<_> = older.keys().collect();
    steps.sort_by_cached_key(|step| view::order(step, state));
    let by = older.get(*steps.first()?)?;
    let mut names: Vec<_> = steps.iter().map(|step| view::line(step.as_str())).collect();
    if names.len() > TOLD {
        let more = names.len() - TOLD;
        names.truncate(TOLD);
        names.push(format!("{more} more").into());
    }
    let (word, are) = if steps.len() == 1 { ("step", "is") } else { ("steps", "are") };
    let by = view::line(by.as_str());
    Some(format!("{word} {} {are} older than step {by}, which ran again", names.join(", ")))
}

/// `NAME failed at step 3/10: exit code 1`.
fn standing(state: &SessionState, style: Style) -> String {
    let Some(header) = state.header() else { return "nothing has run".to_owned() };
    let status = state.status.unwrap_or(SessionStatus::Running);
    let (words, ink) = view::status_words(status);
    let mut text = format!("{} {}", view::clip(&header.name, 80), style.paint(ink, words));
    let position = view::position(state).to_string();
    if !status.is_completed() {
        let _ = write!(text, " at {position}");
    }
    if let (SessionStatus::Failed, Some(failure)) = (status, &state.failure) {
        let step = view::line(failure.step.as_str());
        if !position.starts_with(&format!("step {step}/")) {
            let _ = write!(text, ": step {step}");
        }
        let message = failure.failure.message.shown();
        let _ = write!(text, ": {}", view::clip(&message, 160));
    }
    text
}

/// What a command does, in a word.
fn word_of(command: &str) -> &'static str {
    if command.starts_with("prodigy dlq") { "retry" } else { "resume" }
}

/// The commands that continue the session, with what each of them means where there is a choice;
/// none when there is nothing left to resume.
fn resume_commands(state: &SessionState) -> Vec<(String, &'static str)> {
    let (Some(header), Some(status)) = (state.header(), state.status) else { return Vec::new() };
    if state.lifetime.superseded_by.is_some() {
        return Vec::new();
    }
    let dead = state.lifetime.waiting_dead().next().is_some();
    if state.only_dead_items_failed() || (status.is_completed() && dead) {
        let command = format!("prodigy dlq retry {}", header.workflow_id);
        return vec![(command, "   (run the failed items again)")];
    }
    if status.is_completed() {
        return Vec::new();
    }
    let command = format!("prodigy resume {}", header.workflow_id);
    let waiting = state.waiting.as_ref().filter(|_| status == SessionStatus::Waiting);
    match waiting.map(|waiting| (waiting.reason, view::typed(waiting.address.as_str()))) {
        Some((WaitReason::Confirmation, _)) => vec![(format!("{command} -y"), "")],
        Some((WaitReason::OnResume, step)) => vec![
            (format!("{command} --rerun {step}"), "   (run it again)"),
            (format!("{command} --done {step}"), "   (it is done)"),
        ],
        Some((WaitReason::Intervention, step)) => vec![
            (command.clone(), "   (run it again)"),
            (format!("{command} --done {step}"), "   (it is done)"),
        ],
        _ if dead => vec![
            (command, "   (run what is left)"),
            (
                format!("prodigy dlq retry {}", header.workflow_id),
                "   (run the failed items again)",
            ),
        ],
        _ => vec![(command, "")],
    }
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::session::{EventKind, RunFailure, StepStatus, WaitReason};
    use crate::view::story::{Story, address, agent_report, failed_report, result};

    fn shown(story: &Story) -> String {
        let places = Places {
            logs: Path::new("/home/s/logs"),
            journal: Path::new("/home/s/journal.jsonl"),
            results: None,
        };
        summary(&story.state, places, Style::Plain)
    }

    #[test]
    fn a_failure_says_where_why_and_how_to_go_on() {
        let mut story = Story::new("flow", 3, &[]);
        story.done("1", "a");
        let report = failed_report(2, "", "");
        let failure = report.failure.clone().unwrap();
        story.finished("2", result(StepStatus::Failed, 1, report));
        story.add(EventKind::RunFinished {
            status: SessionStatus::Failed,
            active_ms: 80_000,
            failure: Some(RunFailure { id: "f1".into(), step: address("2"), failure }),
        });
        assert_data_eq!(
            shown(&story),
            str![[r#"
flow failed at step 2/3: exit code 2
  steps    1 done, 1 failed, 1 to do
  time     1m 20s
  logs     /home/s/logs
  journal  /home/s/journal.jsonl
  resume   prodigy resume flow-3fa9c1
  recover  prodigy recovery initiate flow-3fa9c1   (f1: unknown)

"#]]
        );
        assert_eq!(
            headline(&story.state, Style::Plain),
            "flow failed at step 2/3: exit code 2; to go on: prodigy resume flow-3fa9c1\n"
        );
    }

    #[test]
    fn after_completion_there_is_nothing_to_resume() {
        let mut story = Story::new("flow", 2, &[]);
        story.finished("1", result(StepStatus::Success, 1, agent_report(Some(0.5))));
        let mut passed = result(StepStatus::Failed, 1, failed_report(1, "", ""));
        passed.goes_on = true;
        story.finished("2", passed).ended(SessionStatus::CompletedWithFailures);
        assert_data_eq!(
            shown(&story),
            str![[r#"
flow completed with failures
  steps    1 done, 1 failed
  time     1m 20s
  agents   0 calls, $0.50, 1000 tokens
  logs     /home/s/logs
  journal  /home/s/journal.jsonl

"#]]
        );
        assert_eq!(headline(&story.state, Style::Plain), "flow completed with failures\n");
    }

    #[test]
    fn a_wait_says_why() {
        let mut story = Story::new("flow", 2, &["build", "ship\u{1b}[2J"]);
        story.add(EventKind::Waiting {
            address: address("build"),
            reason: WaitReason::Confirmation,
            message: "stage build needs a yes\nhelp: prodigy resume flow-3fa9c1 --yes".into(),
            until: None,
        });
        story.ended(SessionStatus::Waiting);
        assert_data_eq!(
            shown(&story),
            str![[r#"
flow waiting at Stage 1/2 - build
  why      stage build needs a yes
           help: prodigy resume flow-3fa9c1 --yes
  steps    2 to do
  time     1m 20s
  logs     /home/s/logs
  journal  /home/s/journal.jsonl
  resume   prodigy resume flow-3fa9c1 -y

"#]]
        );
    }
}
