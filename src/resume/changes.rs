//! An edited workflow: which steps are the same as before (DECISIONS A5).

use std::collections::HashMap;

use crate::playbook::model::{Step, Workflow};
use crate::session::{Address, Digest, SessionState};

use super::settings::{changed_settings, items_differ};
use super::tree::{Place, places};

/// How the steps of an edited workflow match those that ran.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Matched and unchanged: old → new address.
    pub kept: Vec<(Address, Address)>,
    /// Matched, but edited: old → new address.
    pub edited: Vec<(Address, Address)>,
    /// New ones.
    pub added: Vec<Address>,
    /// Old ones that are gone.
    pub removed: Vec<Address>,
    /// Settings that changed, by the names they have in the file: they apply to what still runs.
    pub settings: Vec<String>,
    /// True when the edit changed which items the map has: they are read again.
    pub items: bool,
}

impl Changes {
    /// True when nothing differs that could change what runs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edited.is_empty()
            && self.added.is_empty()
            && self.removed.is_empty()
            && self.settings.is_empty()
            && self.kept.iter().all(|(old, new)| old == new)
    }
}

/// Matches the steps of `new` with those of `old`: per scope, by `id` first, then by an
/// in-order comparison of content hashes.
#[must_use]
pub fn match_steps(old: &Workflow, new: &Workflow, state: &SessionState) -> Changes {
    let old_places = places(old, state);
    let new_places = places(new, state);
    let mut changes = Changes {
        settings: changed_settings(old, new),
        items: items_differ(old, new),
        ..Changes::default()
    };
    let mut sequences: Vec<&Address> = Vec::new();
    for place in old_places.iter().chain(&new_places) {
        if sequences.last() != Some(&&place.sequence) && !sequences.contains(&&place.sequence) {
            sequences.push(&place.sequence);
        }
    }
    for sequence in sequences {
        let of = |places: &'_ [Place<'_>]| -> Vec<usize> {
            (0..places.len()).filter(|index| places[*index].sequence == *sequence).collect()
        };
        match_sequence(&old_places, &of(&old_places), &new_places, &of(&new_places), &mut changes);
    }
    changes
}

fn match_sequence(
    old: &[Place<'_>],
    old_in: &[usize],
    new: &[Place<'_>],
    new_in: &[usize],
    changes: &mut Changes,
) {
    let mut partner: HashMap<usize, usize> = HashMap::new();
    for &index in new_in {
        let Some(id) = &new[index].step.id else { continue };
        if let Some(&found) = old_in.iter().find(|&&it| old[it].step.id.as_ref() == Some(id)) {
            partner.insert(index, found);
        }
    }
    let taken: Vec<usize> = partner.values().copied().collect();
    let free = |places: &[Place<'_>], indexes: &[usize], used: &[usize]| {
        let free = indexes.iter().filter(|index| !used.contains(index));
        free.map(|&index| (index, digest(places[index].step))).collect::<Vec<_>>()
    };
    let own: Vec<usize> = partner.keys().copied().collect();
    for (left, right) in common(&free(old, old_in, &taken), &free(new, new_in, &own)) {
        partner.insert(right, left);
    }
    for &index in new_in {
        let address = &new[index].address;
        match partner.get(&index) {
            Some(&before) => {
                let pair = (old[before].address.clone(), address.clone());
                if digest(old[before].step) == digest(new[index].step) {
                    changes.kept.push(pair);
                } else {
                    changes.edited.push(pair);
                }
            }
            None => changes.added.push(address.clone()),
        }
    }
    let matched: Vec<usize> = partner.values().copied().collect();
    let gone = old_in.iter().filter(|index| !matched.contains(index));
    changes.removed.extend(gone.map(|&index| old[index].address.clone()));
}

fn digest(step: &Step) -> Digest {
    crate::playbook::digest(step)
}

/// A longest common subsequence of two lists by hash: pairs of their indexes, in order.
fn common(left: &[(usize, Digest)], right: &[(usize, Digest)]) -> Vec<(usize, usize)> {
    let ahead = left.iter().zip(right).take_while(|(a, b)| a.1 == b.1).count();
    let behind = left[ahead..]
        .iter()
        .rev()
        .zip(right[ahead..].iter().rev())
        .take_while(|(a, b)| a.1 == b.1)
        .count();
    let mut pairs: Vec<(usize, usize)> =
        left[..ahead].iter().zip(&right[..ahead]).map(|(a, b)| (a.0, b.0)).collect();
    let (a, b) = (&left[ahead..left.len() - behind], &right[ahead..right.len() - behind]);
    let mut lengths = vec![vec![0u32; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            lengths[i][j] = if a[i].1 == b[j].1 {
                lengths[i + 1][j + 1] + 1
            } else {
                lengths[i + 1][j].max(lengths[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        if a[i].1 == b[j].1 {
            pairs.push((a[i].0, b[j].0));
            (i, j) = (i + 1, j + 1);
        } else if lengths[i + 1][j] >= lengths[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    let (tail_left, tail_right) = (&left[left.len() - behind..], &right[right.len() - behind..]);
    pairs.extend(tail_left.iter().zip(tail_right).map(|(a, b)| (a.0, b.0)));
    pairs
}
