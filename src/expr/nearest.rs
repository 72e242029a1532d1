//! "Did you mean …": the known names that look most like an unknown one.

/// Up to three of `known` within a third of the length of `name`, nearest first.
#[must_use]
pub fn nearest(name: &str, known: &[String]) -> Vec<String> {
    let limit = (name.chars().count() / 3).clamp(1, 3);
    let lower = name.to_lowercase();
    let mut near: Vec<(usize, &String)> = known
        .iter()
        .filter(|candidate| candidate.as_str() != name)
        .map(|candidate| (distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .collect();
    near.sort();
    near.dedup();
    near.into_iter().take(3).map(|(_, candidate)| candidate.clone()).collect()
}

/// Advice that names the nearest known names, if there are any.
pub(super) fn did_you_mean(name: &str, known: &[String]) -> Option<String> {
    let near = nearest(name, known);
    if near.is_empty() {
        return None;
    }
    let names: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    Some(format!("did you mean {}?", names.join(" or ")))
}

/// Edit distance in characters, where two exchanged neighbours are one edit; long names are
/// cut, they only serve a hint.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).collect();
    let b: Vec<char> = b.chars().take(64).collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    let cell = |rows: &[Vec<usize>], row: usize, column: usize| {
        rows.get(row).and_then(|row| row.get(column)).copied().unwrap_or(usize::MAX - 1)
    };
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = a.get(i - 1) == b.get(j - 1);
            let mut best = (cell(&rows, i - 1, j - 1) + usize::from(!same))
                .min(cell(&rows, i - 1, j) + 1)
                .min(row.last().map_or(usize::MAX, |left| left + 1));
            let exchanged =
                i > 1 && j > 1 && a.get(i - 1) == b.get(j - 2) && a.get(i - 2) == b.get(j - 1);
            if exchanged {
                best = best.min(cell(&rows, i - 2, j - 2) + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    cell(&rows, a.len(), b.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_comes_first() {
        let known = ["build", "builds", "guild", "test"].map(str::to_owned);
        assert_eq!(nearest("biuld", &known), ["build"]);
        assert_eq!(
            did_you_mean("build_", &known).as_deref(),
            Some("did you mean `build` or `builds` or `guild`?")
        );
        assert_eq!(did_you_mean("deployment", &known), None);
    }

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("same", "same"), 0);
        assert_eq!(distance("nmae", "name"), 1);
    }
}
