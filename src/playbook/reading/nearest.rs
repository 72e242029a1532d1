//! The known name that an unknown one was probably meant to be.

/// The nearest of `names` to `wrong`, if any is near enough to be a slip.
#[must_use]
pub fn nearest<'n>(wrong: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let allowed = (wrong.chars().count() / 3).clamp(1, 3);
    names
        .into_iter()
        .map(|name| (distance(&normal(wrong), &normal(name)), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// `captureOutput` and `capture-output` are as near to `capture_output` as can be.
fn normal(name: &str) -> Vec<char> {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// How many insertions, removals, replacements and swaps of neighbours lead from one to the other.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (row, wrong) in from.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, right) in to.iter().enumerate() {
            let mut best = (above[column] + usize::from(wrong != right))
                .min(above[column + 1] + 1)
                .min(current[column] + 1);
            if row > 0 && column > 0 && *wrong == to[column - 1] && from[row - 1] == *right {
                best = best.min(before[column - 1] + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut above, current);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let known = ["commands", "timeout", "when", "env", "capture_output", "shell"];
        assert_eq!(nearest("comands", known), Some("commands"));
        assert_eq!(nearest("captureOutput", known), Some("capture_output"));
        assert_eq!(nearest("tiemout", known), Some("timeout"));
        assert_eq!(nearest("shel", known), Some("shell"));
        assert_eq!(nearest("evn", known), Some("env"));
        assert_eq!(nearest("banana", known), None);
        assert_eq!(nearest("x", known), None);
    }
}
