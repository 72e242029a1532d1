//! Durations, ages, sizes and money in words.

use chrono::{DateTime, Utc};

/// A duration: `350ms`, `1.2s`, `42s`, `1m 20s`, `3h 5m`, `2d 4h`.
#[must_use]
pub fn duration_ms(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms}ms"),
        1_000..10_000 if ms % 1_000 >= 100 => format!("{}.{}s", ms / 1_000, ms % 1_000 / 100),
        _ => duration(ms / 1_000),
    }
}

/// A duration in whole seconds: `0s`, `42s`, `1m 20s`, `3h 5m`, `2d 4h`.
#[must_use]
pub fn duration(seconds: u64) -> String {
    let pair = |great: u64, unit: &str, small: u64, lesser: &str| {
        if small == 0 { format!("{great}{unit}") } else { format!("{great}{unit} {small}{lesser}") }
    };
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => pair(seconds / 60, "m", seconds % 60, "s"),
        3_600..86_400 => pair(seconds / 3_600, "h", seconds % 3_600 / 60, "m"),
        _ => pair(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// How long ago: `just now`, `12s ago`, `3h ago`; a time ahead of the clock is `just now`.
#[must_use]
pub fn age(then: DateTime<Utc>, now: DateTime<Utc>) -> String {
    match u64::try_from((now - then).num_seconds()).unwrap_or(0) {
        0..2 => "just now".to_owned(),
        seconds @ 2..60 => format!("{seconds}s ago"),
        seconds @ 60..3_600 => format!("{}m ago", seconds / 60),
        seconds @ 3_600..86_400 => format!("{}h ago", seconds / 3_600),
        seconds => format!("{}d ago", seconds / 86_400),
    }
}

/// A time and how long ago that was: `2026-01-31 12:00:00 UTC (3h ago)`; `-` for none.
#[must_use]
pub fn time(then: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
    match then {
        Some(then) => format!("{} ({})", then.format("%Y-%m-%d %H:%M:%S UTC"), age(then, now)),
        None => "-".to_owned(),
    }
}

/// A size: `512 B`, `1.5 KB`, `20 MB` (powers of 1024).
#[must_use]
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut tenths = bytes.saturating_mul(10) / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    let unit = UNITS[unit];
    if tenths < 100 {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    } else {
        format!("{} {unit}", tenths / 10)
    }
}

/// Money: `$0.42`; less than a cent keeps four digits.
#[must_use]
pub fn dollars(usd: f64) -> String {
    if usd > 0.0 && usd < 0.01 { format!("${usd:.4}") } else { format!("${usd:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        let shown = [0, 350, 1_250, 59_999, 80_000, 3_600_000, 187_200_000].map(duration_ms);
        assert_eq!(shown, ["0ms", "350ms", "1.2s", "59s", "1m 20s", "1h", "2d 4h"]);
    }

    #[test]
    fn ages_and_sizes() {
        let then = DateTime::from_timestamp(1_000_000, 0).unwrap();
        let after = |seconds: i64| DateTime::from_timestamp(1_000_000 + seconds, 0).unwrap();
        assert_eq!(age(then, after(3 * 3_600 + 5)), "3h ago");
        assert_eq!(age(then, after(-50)), "just now");
        assert_eq!(
            [512, 1_536, 20 << 20, u64::MAX].map(bytes),
            ["512 B", "1.5 KB", "20 MB", "1677721 TB"]
        );
        assert_eq!([0.0042, 1.5].map(dollars), ["$0.0042", "$1.50"]);
    }
}
