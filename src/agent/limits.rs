//! How long to wait when the provider has no room, and when to park the session instead (SPEC 7.4).

use std::time::Duration;

use chrono::{DateTime, Utc};

/// What to do about a provider's limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// Wait for so long of real time, then start agents again.
    Wait(Duration),
    /// End the run and let a person or a timer resume it, then if it is known (exit 7).
    Park(Option<DateTime<Utc>>),
}

/// The first wait.
const SHORTEST: Duration = Duration::from_secs(30);
/// No wait without a known end is longer.
const LONGEST: Duration = Duration::from_secs(600);
/// Clocks differ: so much after the stated time, but no more than a tenth of a short wait.
const MARGIN: Duration = Duration::from_secs(5);
/// The least of it.
const LEAST_MARGIN: Duration = Duration::from_millis(200);

/// The wait before try `round` (from 1): 30 s, doubled up to 10 min, of which `chance` (0–1) takes away
/// up to a half, so that many agents do not come back at the same moment.
#[must_use]
pub fn backoff(round: u32, chance: f64) -> Duration {
    let doubled =
        SHORTEST.saturating_mul(1_u32.checked_shl(round.saturating_sub(1)).unwrap_or(u32::MAX));
    let full = if doubled > LONGEST || doubled < SHORTEST { LONGEST } else { doubled };
    let shortened = full.mul_f64(1.0 - 0.5 * clamp(chance));
    shortened.max(SHORTEST)
}

/// Waits or parks: `until` is the end of the limit if it is known, `round` counts the waits for it from 1,
/// `waited` is what was waited before for the same limit, `max_wait` the longest wait in all (`None`: any).
#[must_use]
pub fn pause(
    until: Option<DateTime<Utc>>,
    round: u32,
    chance: f64,
    now: DateTime<Utc>,
    waited: Duration,
    max_wait: Option<Duration>,
) -> Pause {
    let wait = match until.map(|until| until.signed_duration_since(now).to_std()) {
        Some(Ok(left)) => {
            let tenth = left / 10;
            left.saturating_add(tenth.clamp(LEAST_MARGIN, MARGIN))
                .saturating_add(tenth.min(SHORTEST).mul_f64(clamp(chance)))
        }
        // The stated time is over and the limit still there, or no time was stated.
        Some(Err(_)) | None => backoff(round, chance),
    };
    if max_wait.is_some_and(|most| waited.saturating_add(wait) > most) {
        return Pause::Park(until.filter(|until| *until > now));
    }
    Pause::Wait(wait)
}

fn clamp(chance: f64) -> f64 {
    if chance.is_nan() { 0.0 } else { chance.clamp(0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_half_a_minute_to_ten_minutes() {
        let full: Vec<u64> = (1..8).map(|round| backoff(round, 0.0).as_secs()).collect();
        assert_eq!(full, [30, 60, 120, 240, 480, 600, 600]);
        assert_eq!(backoff(40, 0.0), LONGEST);
        assert_eq!(backoff(u32::MAX, 1.0), LONGEST / 2);
        assert_eq!(backoff(2, 0.5).as_secs(), 45);
        assert_eq!(backoff(0, 1.0), SHORTEST);
        assert_eq!(backoff(1, f64::NAN), SHORTEST);
    }

    #[test]
    fn a_known_end_is_waited_for_and_a_little_longer() {
        let now = DateTime::UNIX_EPOCH;
        let until = Some(now + chrono::TimeDelta::hours(2));
        let wait = pause(until, 1, 0.0, now, Duration::ZERO, None);
        assert_eq!(wait, Pause::Wait(Duration::from_secs(7205)));
    }

    #[test]
    fn a_short_wait_is_not_made_much_longer() {
        let now = DateTime::UNIX_EPOCH;
        let until = Some(now + chrono::TimeDelta::seconds(2));
        let wait = pause(until, 1, 1.0, now, Duration::ZERO, None);
        assert_eq!(wait, Pause::Wait(Duration::from_millis(2400)));
    }

    #[test]
    fn a_wait_longer_than_allowed_parks_the_session() {
        let now = DateTime::UNIX_EPOCH;
        let until = Some(now + chrono::TimeDelta::hours(2));
        let hour = Some(Duration::from_secs(3600));
        assert_eq!(pause(until, 1, 0.0, now, Duration::ZERO, hour), Pause::Park(until));
        let waited = Duration::from_secs(3590);
        assert_eq!(pause(None, 3, 0.0, now, waited, hour), Pause::Park(None));
        assert_eq!(
            pause(None, 3, 0.0, now, Duration::ZERO, hour),
            Pause::Wait(Duration::from_secs(120))
        );
    }

    #[test]
    fn an_end_that_is_over_is_waited_for_like_an_unknown_one() {
        let now = DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1);
        let wait = pause(Some(DateTime::UNIX_EPOCH), 1, 0.0, now, Duration::ZERO, None);
        assert_eq!(wait, Pause::Wait(SHORTEST));
    }
}
