//! `goal_seek:`: improve and measure until the score is high enough.

use crate::executor::attempt::{Attempt, Done};
use crate::executor::halt::Halt;
use crate::executor::run::Run;
use crate::playbook::model::GoalSeek;
use crate::session::{FailureKind, Report};

impl<'a> Run<'a> {
    /// One attempt of a goal: rounds of improving and measuring, each recorded.
    pub(in crate::executor) fn goal_seek(
        &self,
        attempt: &Attempt<'_, 'a>,
        goal: &'a GoalSeek,
    ) -> Result<Done, Halt> {
        let address = attempt.address;
        let started = attempt.frame.stop.active();
        let told = match self.render(&goal.goal, attempt.frame, address) {
            Ok(told) => told,
            Err(error) => return Ok(Done::failed(self.unresolved("goal", &error))),
        };
        let limit = match self.limit(goal.timeout.as_ref(), attempt.frame, address) {
            Ok(limit) => limit,
            Err(error) => return Ok(Done::failed(self.unresolved("timeout_seconds", &error))),
        };
        self.start(attempt, &format!("goal_seek: {told}"), None)?;
        let mut frame = attempt.frame.clone().within(limit, address);
        frame.scored = Some(address.clone());
        let mut best: Option<f64> = None;
        let mut done = Done::default();
        for round in 1..=goal.max_attempts {
            let at = address.below_numbered("goal", round);
            let recorded = self.session.with(|state| state.standing.score(&at).cloned());
            let score = match recorded {
                Some(score) => score,
                None => {
                    let late =
                        frame.deadline.as_ref().is_some_and(|it| frame.stop.active() >= it.at);
                    if late {
                        break;
                    }
                    let inner = frame.at(at.clone());
                    self.step(&inner, &goal.improve, &at.step(1))?;
                    self.step(&inner, &goal.measure, &at.step(2))?;
                    let text = self.read_back(&self.report_of(&at.step(2)).stdout.text);
                    let score = score_of(&text).unwrap_or(0.0);
                    self.scored(&at, score, score >= goal.threshold, text)?
                }
            };
            best = Some(best.map_or(score.score, |best: f64| best.max(score.score)));
            done.detail = Some(score.detail);
            if score.reached {
                break;
            }
        }
        let took = attempt.frame.stop.active().saturating_sub(started);
        done.report = Report {
            exit_code: Some(0),
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            ..Report::default()
        };
        let best = best.unwrap_or(0.0);
        let text = percent(best);
        done.report.stdout.bytes = text.len() as u64;
        done.report.stdout.text = self.seal(&text);
        if best < goal.threshold && goal.fail_on_incomplete {
            let message = format!(
                "the goal was not reached: the best score is {}, {} is asked for",
                percent(best),
                percent(goal.threshold)
            );
            done.report.exit_code = Some(1);
            done.report.failure = Some(self.failure(FailureKind::GoalNotReached, &message));
        }
        self.capture(attempt.step, &mut done);
        Ok(done)
    }
}

/// A score as it was printed: without a needless fraction.
pub(super) fn percent(score: f64) -> String {
    if score.fract() == 0.0 { format!("{score:.0}") } else { format!("{score:.2}") }
}

/// The score of a measurement: JSON `{"score": N}`, `score: N`, or a bare number 0–100; of
/// several lines the last that has one.
fn score_of(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let in_range = |score: f64| (0.0..=100.0).contains(&score).then_some(score);
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(text)
        && let Some(score) = json.get("score").unwrap_or(&json).as_f64()
    {
        return in_range(score);
    }
    text.lines().rev().find_map(|line| {
        let line = line.trim();
        let lower = line.to_ascii_lowercase();
        let number = match lower.find("score:") {
            Some(start) => &line[start + "score:".len()..],
            None => line,
        };
        let number = number.trim().trim_end_matches('%').trim_end();
        in_range(number.parse().ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::score_of;

    #[test]
    fn scores_are_read_in_all_their_forms() {
        assert_eq!(score_of(b"score: 85"), Some(85.0));
        assert_eq!(score_of(b"checking\nScore: 85.5%\n"), Some(85.5));
        assert_eq!(score_of(b"{\"score\": 7}"), Some(7.0));
        assert_eq!(score_of(b"42\n"), Some(42.0));
        assert_eq!(score_of(b"all good"), None);
        assert_eq!(score_of(b"140"), None);
    }
}
