//! Where a session stands, counted from 1 as a person counts: `step 3/10`,
//! `Stage 2/3 - staging`, `pass 2/4 - step 1/5` (DECISIONS A72).

use std::fmt;

use serde::Serialize;

use crate::session::{Address, JobProgress, Phase, Progress, Record, SessionState, SessionStatus};

/// Where a session stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Position {
    /// The pass of `--arg`, `--map` or `-n`, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass: Option<usize>,
    /// How many passes there are; absent where only an upper limit is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passes: Option<usize>,
    /// The stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// The step within the pass or stage, from 1; 0 when there is none.
    pub step: usize,
    /// The steps of the pass; absent within a stage, whose length the journal does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// The phase of a map workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The items of the map that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processed: Option<u32>,
    /// The items of the map, once they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<u32>,
}

/// The stage that a session stands in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// From 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(pass) = self.pass {
            write!(formatter, "pass {pass}")?;
            if let Some(passes) = self.passes {
                write!(formatter, "/{passes}")?;
            }
            formatter.write_str(" - ")?;
        }
        match (self.phase, self.processed, self.items) {
            (Some(Phase::Map), Some(ended), Some(items)) => {
                return write!(formatter, "map {ended}/{items}");
            }
            (Some(Phase::Map), ..) => return formatter.write_str("map"),
            (Some(phase), ..) => return write!(formatter, "{} step {}", phase.as_str(), self.step),
            (None, ..) => {}
        }
        match (&self.stage, self.steps) {
            (Some(Stage { number, of, name }), _) => {
                write!(formatter, "Stage {number}/{of} - {}", super::line(name))
            }
            (None, Some(steps)) => write!(formatter, "step {}/{steps}", self.step),
            (None, None) => write!(formatter, "step {}", self.step),
        }
    }
}

/// Where the session stands: at the step that runs, waits, failed or comes next; at the last
/// one when all are through.
#[must_use]
pub fn position(state: &SessionState) -> Position {
    let Some(header) = state.header() else { return Position::default() };
    if let Some(progress) = JobProgress::of(state) {
        return in_map(state, &progress);
    }
    let with_passes = !header.passes.is_empty() || header.max_iterations.is_some();
    let passes = (!header.passes.is_empty()).then_some(header.passes.len());
    let steps_of_pass = header.total_steps / passes.unwrap_or(1).max(1);
    let pass = with_passes.then(|| current_pass(state, passes));
    let scope =
        pass.map_or_else(Address::root, |pass| Address::root().join(&format!("pass[{pass}]")));
    if header.stages.is_empty() {
        let step = current_step(state, &scope).min(steps_of_pass.max(1));
        return Position { pass, passes, step, steps: Some(steps_of_pass), ..Position::default() };
    }
    let open =
        |name: &String| state.standing.scope(&scope.join(name)).is_none_or(|end| !end.goes_on);
    let of = header.stages.len();
    let index = header.stages.iter().position(open).unwrap_or(of - 1);
    let name = header.stages.get(index).cloned().unwrap_or_default();
    let step = current_step(state, &scope.join(&name));
    let stage = Some(Stage { number: index + 1, of, name });
    Position { pass, passes, stage, step, ..Position::default() }
}

/// Where the session of a map workflow stands.
fn in_map(state: &SessionState, progress: &JobProgress) -> Position {
    let known = state.standing.frozen;
    // Once everything is over, what was worked on says more than the last step.
    let end = state.standing.scope(&Address::root().join(progress.phase.as_str()));
    let over =
        end.is_some_and(|end| end.goes_on) || state.status.is_some_and(SessionStatus::is_completed);
    let phase = if over && known { Phase::Map } else { progress.phase };
    let step = match phase {
        Phase::Map => 0,
        phase => current_step(state, &Address::root().join(phase.as_str())),
    };
    Position {
        step,
        phase: Some(phase),
        processed: known.then_some(progress.processed),
        items: known.then_some(progress.total_items),
        ..Position::default()
    }
}

/// The step the session stands at, counted from 0 over all stages and passes as snapshots
/// do; the number of steps when it is completed.
#[must_use]
pub fn current_step_index(state: &SessionState) -> usize {
    let Some(header) = state.header() else { return 0 };
    if state.status.is_some_and(SessionStatus::is_completed) {
        return header.total_steps;
    }
    let through = |record: &Record| record.result.as_ref().is_some_and(|result| result.goes_on);
    state
        .standing
        .records()
        .filter(|(address, record)| address.is_top_level() && through(record))
        .count()
}

/// The first step of `scope` that is not through; with all through, the one after the last
/// unless the session is completed.
fn current_step(state: &SessionState, scope: &Address) -> usize {
    let mut step = 0;
    loop {
        let record = state.standing.record(&scope.step(step + 1));
        match record {
            Some(record) if record.progress == Progress::Done => {
                step += 1;
                if record.result.as_ref().is_some_and(|result| !result.goes_on) {
                    return step;
                }
            }
            Some(_) => return step + 1,
            None if state.status.is_some_and(SessionStatus::is_completed) => return step,
            None => return step + 1,
        }
    }
}

fn current_pass(state: &SessionState, passes: Option<usize>) -> usize {
    let mut pass = 1;
    loop {
        let scope = Address::root().join(&format!("pass[{pass}]"));
        let last = passes.is_some_and(|passes| pass >= passes);
        let next = Address::root().join(&format!("pass[{}]", pass + 1));
        let through = state.standing.scope(&scope).is_some_and(|end| end.goes_on);
        let goes_on = !last
            && through
            && (passes.is_some() || state.standing.records_within(&next).next().is_some());
        if !goes_on {
            return pass;
        }
        pass += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, address, failed_report, result};
    use super::*;
    use crate::session::{EventKind, StepStatus, Stored};

    fn shown(story: &Story) -> String {
        position(&story.state).to_string()
    }

    #[test]
    fn the_step_that_comes_next_counts_from_one() {
        let mut story = Story::new("flow", 3, &[]);
        assert_eq!(shown(&story), "step 1/3");
        story.done("1", "a").started("2", 1, "b");
        assert_eq!(shown(&story), "step 2/3");
        story.finished("2", result(StepStatus::Failed, 1, failed_report(1, "", "")));
        story.ended(SessionStatus::Failed);
        assert_eq!(shown(&story), "step 2/3");
    }

    #[test]
    fn a_failure_that_goes_on_and_the_end() {
        let mut story = Story::new("flow", 2, &[]);
        let mut passed = result(StepStatus::Failed, 1, failed_report(1, "", ""));
        passed.goes_on = true;
        story.finished("1", passed);
        assert_eq!(shown(&story), "step 2/2");
        story.done("2", "b").ended(SessionStatus::CompletedWithFailures);
        assert_eq!(shown(&story), "step 2/2");
    }

    #[test]
    fn stages_by_number_and_name() {
        let mut story = Story::new("flow", 6, &["build", "staging", "production"]);
        assert_eq!(shown(&story), "Stage 1/3 - build");
        story.done("build/1", "a").add(EventKind::ScopeFinished {
            address: address("build"),
            status: StepStatus::Success,
            goes_on: true,
            checkpoint: None,
        });
        story.done("staging/1", "b");
        assert_eq!(shown(&story), "Stage 2/3 - staging");
        assert_eq!(position(&story.state).step, 2);
    }

    #[test]
    fn passes_go_in_front() {
        let mut story = Story::with("flow", 4, &[], |header| {
            header.passes = vec![Stored::plain("a"), Stored::plain("b")];
        });
        story.done("pass[1]/1", "a").done("pass[1]/2", "a").add(EventKind::ScopeFinished {
            address: address("pass[1]"),
            status: StepStatus::Success,
            goes_on: true,
            checkpoint: None,
        });
        assert_eq!(shown(&story), "pass 2/2 - step 1/2");
    }
}
