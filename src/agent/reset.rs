//! When an account's limit is over, as the CLI says it: in an event, or in words (`resets 3pm (Europe/Rome)`).

use chrono::{DateTime, Datelike, Days, FixedOffset, Months, NaiveDate, NaiveTime, TimeZone, Utc};
use serde_json::Value as Json;

/// True when a text says that an account's limit is reached.
pub(super) fn speaks_of_limit(text: &str) -> bool {
    let text = text.to_lowercase();
    let says = |words: &str| text.contains(words);
    says("out of extra usage")
        || says("limit reached")
        || (says("limit") && (says("hit your ") || says("resets ") || says("reset at ")))
}

/// The time in a text like `limit reached|1749924000`, `resets 3pm`, `resets Feb 16, 11:30am (UTC)`
/// or `will reset at 9am`: the first such time after `now`.
///
/// The CLI writes local time and names its zone for people; it runs where we run, so the offset of
/// `now` is taken, except for UTC.
#[must_use]
pub fn reset_time(text: &str, now: DateTime<FixedOffset>) -> Option<DateTime<Utc>> {
    let lower = text.to_lowercase();
    if let Some((_, rest)) = lower.split_once('|') {
        let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
        if let Some(time) = digits.parse().ok().and_then(epoch) {
            return Some(time);
        }
    }
    let words = ["resets ", "reset at "].iter().find_map(|mark| Some(lower.split_once(mark)?.1))?;
    let words = words.strip_prefix("at ").unwrap_or(words);
    let is_utc = ["(utc)", "(etc/utc)", "(gmt)"].iter().any(|zone| words.contains(zone));
    let now = if is_utc { now.with_timezone(&Utc).fixed_offset() } else { now };
    let words: String = words.split(['(', '\n', '·', '∙']).next()?.into();
    let mut date = None;
    let mut clock = None;
    let parts: Vec<&str> = words
        .split([' ', ','])
        .map(|part| part.trim_end_matches('.'))
        .filter(|part| !part.is_empty() && *part != "at")
        .collect();
    for (index, part) in parts.iter().enumerate() {
        if let Some(month) = month(part) {
            let day = parts.get(index + 1).and_then(|day| day.parse().ok())?;
            date = Some((month, day));
        } else if clock.is_none() {
            let half = parts.get(index + 1).filter(|next| ["am", "pm"].contains(next));
            clock = clock_time(part, half.copied());
        }
    }
    moment(date, clock, now)
}

/// A point in time in an event: seconds or milliseconds since 1970, or RFC 3339.
pub(super) fn instant(value: &Json) -> Option<DateTime<Utc>> {
    match value {
        Json::Number(number) => epoch(number.to_string().split('.').next()?.parse().ok()?),
        Json::String(text) => match text.parse() {
            Ok(seconds) => epoch(seconds),
            Err(_) => Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc()),
        },
        _ => None,
    }
}

/// Seconds since 1970, or milliseconds when it would be thousands of years away.
fn epoch(number: i64) -> Option<DateTime<Utc>> {
    const YEAR_5138: i64 = 100_000_000_000;
    match number {
        ..1 => None,
        1..YEAR_5138 => DateTime::from_timestamp(number, 0),
        _ => DateTime::from_timestamp_millis(number),
    }
}

fn month(word: &str) -> Option<u32> {
    let months =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let start = word.get(..3)?;
    let index = months.iter().position(|month| *month == start)?;
    u32::try_from(index + 1).ok()
}

/// `3pm`, `12:50am`, `9:30 am`, `15:00`.
fn clock_time(word: &str, half: Option<&str>) -> Option<NaiveTime> {
    let (digits, half) = match word.strip_suffix("am").map(|digits| (digits, "am")) {
        Some((digits, half)) => (digits, Some(half)),
        None => match word.strip_suffix("pm") {
            Some(digits) => (digits, Some("pm")),
            None => (word, half),
        },
    };
    let (hour, minute) = match digits.split_once(':') {
        Some((hour, minute)) => (hour.parse().ok()?, minute.parse().ok()?),
        None if half.is_some() => (digits.parse().ok()?, 0),
        None => return None,
    };
    let hour: u32 = match half {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some("pm") => hour % 12 + 12,
        Some(_) => hour % 12,
        None => hour,
    };
    NaiveTime::from_hms_opt(hour, minute, 0)
}

/// The first moment from `now` on with this date and clock time.
fn moment(
    date: Option<(u32, u32)>,
    clock: Option<NaiveTime>,
    now: DateTime<FixedOffset>,
) -> Option<DateTime<Utc>> {
    let today = now.date_naive();
    let at = |day: NaiveDate, clock: NaiveTime| {
        now.offset().from_local_datetime(&day.and_time(clock)).single()
    };
    let time = match (date, clock) {
        (None, None) => return None,
        (None, Some(clock)) => {
            let time = at(today, clock)?;
            // A reset that is just over was meant, not tomorrow's.
            let is_past = now.signed_duration_since(time) > chrono::TimeDelta::hours(1);
            if is_past { at(today.checked_add_days(Days::new(1))?, clock)? } else { time }
        }
        (Some((month, day)), clock) => {
            let clock = clock.unwrap_or(NaiveTime::MIN);
            let time = at(NaiveDate::from_ymd_opt(today.year(), month, day)?, clock)?;
            let is_past = now.signed_duration_since(time) > chrono::TimeDelta::days(180);
            if is_past {
                at(time.date_naive().checked_add_months(Months::new(12))?, clock)?
            } else {
                time
            }
        }
    };
    Some(time.to_utc())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reset(text: &str) -> Option<String> {
        let now = DateTime::parse_from_rfc3339("2026-11-25T14:10:00+01:00").unwrap();
        reset_time(text, now).map(|time| time.format("%Y-%m-%d %H:%M").to_string())
    }

    #[test]
    fn reset_times_are_read_from_words() {
        let cases = [
            ("You've hit your limit · resets 4:50pm (Europe/Rome)", "2026-11-25 15:50"),
            ("You've hit your session limit · resets 12:50am (Europe/Rome)", "2026-11-25 23:50"),
            ("You've hit your limit · resets 3pm (UTC)", "2026-11-25 15:00"),
            ("You've hit your limit · resets Nov 30, 11:30am (Europe/Rome)", "2026-11-30 10:30"),
            ("You've hit your limit · resets Jan 3 at 1am", "2027-01-03 00:00"),
            ("Claude usage limit reached. Your limit will reset at 9am (x/y).", "2026-11-26 08:00"),
            ("Limits will reset at 9:30 PM. View", "2026-11-25 20:30"),
            ("5-hour limit reached ∙ resets 15:00", "2026-11-25 14:00"),
            ("Claude AI usage limit reached|1795166222", "2026-11-20 09:17"),
            ("limit reached · resets 2pm", "2026-11-25 13:00"),
        ];
        for (text, expected) in cases {
            assert_eq!(reset(text).as_deref(), Some(expected), "{text}");
            assert!(speaks_of_limit(text), "{text}");
        }
    }

    #[test]
    fn words_without_a_time_have_none() {
        for text in ["", "resets", "resets soon", "resets 99pm", "reset at Feb 31, 1am", "a|b"] {
            assert_eq!(reset(text), None, "{text}");
        }
        assert!(!speaks_of_limit(
            "API Error: Request rejected (429) · This request would exceed your account's rate limit."
        ));
        assert!(!speaks_of_limit("the test resets the counter"));
    }

    #[test]
    fn events_hold_seconds_milliseconds_or_text() {
        let seconds = instant(&json!(1_778_565_600)).unwrap();
        assert_eq!(instant(&json!(1_778_565_600_000_u64)), Some(seconds));
        assert_eq!(instant(&json!("2026-05-12T06:00:00Z")), Some(seconds));
        assert_eq!(instant(&json!("1778565600")), Some(seconds));
        assert_eq!(instant(&json!("soon")), None);
        assert_eq!(instant(&json!(-5)), None);
    }
}
