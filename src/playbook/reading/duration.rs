//! Durations as people write them: `30` (seconds), `90s`, `1h30m`, `1.5h`, `7d` (DECISIONS B23).

use std::time::Duration;

/// Units with their length in milliseconds, longest names first where one begins another.
const UNITS: [(&str, u32); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// The duration that `text` means; zero is one, whether it makes sense is the caller's business.
///
/// # Errors
/// Says in one line why the text is no duration.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let no_duration = || format!("{text:?} is no duration");
    if text.starts_with('-') {
        return Err(format!("{text:?} is negative"));
    }
    let mut rest = text;
    let mut seconds = 0.0_f64;
    let mut parts = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let number: f64 = number.parse().map_err(|_| no_duration())?;
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let milliseconds = if unit.is_empty() && parts == 0 && after.is_empty() {
            1_000
        } else {
            UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(no_duration)?.1
        };
        seconds += number * f64::from(milliseconds) / 1_000.0;
        parts += 1;
        rest = after;
    }
    if parts == 0 {
        return Err(no_duration());
    }
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|duration| *duration <= Duration::from_secs(100 * 365 * 86_400))
        .ok_or_else(|| format!("{text:?} is longer than 100 years"))
}

/// A duration in the spelling that [`parse_duration`] reads: `1h30m`, `1.5s`, `0s`.
#[must_use]
pub fn spell_duration(duration: Duration) -> String {
    let mut left = duration.as_millis();
    let mut text = String::new();
    for (unit, length) in
        [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)]
    {
        let count = left / length;
        left %= length;
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_documented() {
        let seconds = |text: &str| parse_duration(text).map(|duration| duration.as_secs_f64());
        assert_eq!(seconds("30"), Ok(30.0));
        assert_eq!(seconds("2.5"), Ok(2.5));
        assert_eq!(seconds("90s"), Ok(90.0));
        assert_eq!(seconds("5m"), Ok(300.0));
        assert_eq!(seconds("1h30m"), Ok(5400.0));
        assert_eq!(seconds("1.5h"), Ok(5400.0));
        assert_eq!(seconds("7d"), Ok(604_800.0));
        assert_eq!(seconds("250ms"), Ok(0.25));
        for wrong in ["", "m", "5x", "5 m", "1h30", "-5", "1..5", "soon", "5M", "1e3", "99999999d"]
        {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn spelling_is_read_back() {
        for text in ["1h30m", "1s500ms", "7d", "0s"] {
            assert_eq!(spell_duration(parse_duration(text).unwrap()), text);
        }
    }
}
