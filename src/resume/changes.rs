//! An edited workflow: which steps are the same as before (DECISIONS A5).

use std::collections::HashMap;

use crate::playbook::model::{Stage, Step, Workflow};
use crate::session::{Address, Digest, SessionState};

use super::settings::{changed_settings, items_differ};
use super::tree::{Place, pass_of, places};

/// How the steps of an edited workflow match those that ran.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Matched and unchanged: old → new address.
    pub kept: Vec<(Address, Address)>,
    /// Matched, but edited: old → new address.
    pub edited: Vec<(Address, Address)>,
    /// New ones.
    pub added: Vec<Address>,
    /// Old ones that are gone, with what a person calls them.
    pub removed: Vec<(Address, String)>,
    /// Steps as they are now, before which something was removed or which were moved.
    pub shifted: Vec<Address>,
    /// Settings of the file, of stages and of the map that changed, by the names they have in
    /// the file: they apply to what still runs.
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

    /// The steps, as they stand now, at which the order of what has run is another: what has
    /// ended behind one of them is older than it.
    pub fn beginnings(&self) -> impl Iterator<Item = Address> {
        let edited = self.edited.iter().map(|(_, new)| new);
        edited.chain(&self.added).chain(&self.shifted).cloned()
    }
}

/// A sequence of steps: its scope, its stage, and which places stand in it.
struct Sequence<'a> {
    scope: Address,
    stage: Option<&'a Stage>,
    places: Vec<usize>,
}

/// Matches the steps of `new` with those of `old`: stages by name, then by what they do; within
/// each, steps by `id` first, then by an in-order comparison of content hashes.
#[must_use]
pub fn match_steps(old: &Workflow, new: &Workflow, state: &SessionState) -> Changes {
    let (old_places, new_places) = (places(old, state), places(new, state));
    let (old_sequences, new_sequences) = (sequences(&old_places), sequences(&new_places));
    let partners = match_sequences(&old_places, &old_sequences, &new_places, &new_sequences);
    let mut changes = Changes::default();
    let mut shifted = false;
    for (index, sequence) in new_sequences.iter().enumerate() {
        let partner = partners[index];
        let before = partner.map_or(&[][..], |partner| &old_sequences[partner].places);
        // A stage that was moved, or behind one that is gone.
        shifted |= partner != Some(index) && partner.is_some();
        let mut pair = Pair { old: &old_places, new: &new_places, changes: &mut changes };
        shifted = pair.match_steps(before, &sequence.places, shifted);
    }
    let gone = (0..old_sequences.len()).filter(|index| !partners.contains(&Some(*index)));
    for place in gone.flat_map(|index| &old_sequences[index].places) {
        changes.removed.push(named(&old_places[*place]));
    }
    let mut stages: Vec<(&Stage, &Stage)> = Vec::new();
    for (index, sequence) in new_sequences.iter().enumerate() {
        let before = partners[index].and_then(|partner| old_sequences[partner].stage);
        if let (Some(before), Some(after)) = (before, sequence.stage)
            && !stages.iter().any(|(_, known)| known.name == after.name)
        {
            stages.push((before, after));
        }
    }
    changes.settings = changed_settings(old, new, &stages);
    changes.items = items_differ(old, new);
    changes
}

fn sequences<'a>(places: &[Place<'a>]) -> Vec<Sequence<'a>> {
    let mut sequences: Vec<Sequence<'a>> = Vec::new();
    for (index, place) in places.iter().enumerate() {
        match sequences.last_mut() {
            Some(last) if last.scope == place.sequence => last.places.push(index),
            _ => sequences.push(Sequence {
                scope: place.sequence.clone(),
                stage: place.stage,
                places: vec![index],
            }),
        }
    }
    sequences
}

/// For each new sequence the old one that it is: of the same name, or else a stage that was
/// renamed, which does the same or has a step in common.
fn match_sequences(
    old_places: &[Place<'_>],
    old: &[Sequence<'_>],
    new_places: &[Place<'_>],
    new: &[Sequence<'_>],
) -> Vec<Option<usize>> {
    let same_name = |it: &Sequence<'_>| old.iter().position(|before| before.scope == it.scope);
    let mut partners: Vec<Option<usize>> = new.iter().map(same_name).collect();
    let steps = |places: &[Place<'_>], of: &Sequence<'_>| -> Vec<Digest> {
        of.places.iter().map(|index| digest(places[*index].step)).collect()
    };
    let same = |left: &[Digest], right: &[Digest]| left == right;
    let alike = |left: &[Digest], right: &[Digest]| left.iter().any(|it| right.contains(it));
    let tests: [&dyn Fn(&[Digest], &[Digest]) -> bool; 2] = [&same, &alike];
    for test in tests {
        for index in 0..new.len() {
            let sequence = &new[index];
            if partners[index].is_some() || sequence.stage.is_none() {
                continue;
            }
            let wanted = steps(new_places, sequence);
            let fits = (0..old.len()).find(|candidate| {
                let before = &old[*candidate];
                before.stage.is_some()
                    && pass_of(&before.scope) == pass_of(&sequence.scope)
                    && !partners.contains(&Some(*candidate))
                    && test(&steps(old_places, before), &wanted)
            });
            partners[index] = fits;
        }
    }
    partners
}

/// Two lists of places that are being compared.
struct Pair<'p, 'w> {
    old: &'p [Place<'w>],
    new: &'p [Place<'w>],
    changes: &'p mut Changes,
}

impl Pair<'_, '_> {
    /// Matches the steps of one sequence; `shifted` is true when something before it was removed
    /// or moved and no step has told so yet. The same for what follows.
    fn match_steps(&mut self, old_in: &[usize], new_in: &[usize], mut shifted: bool) -> bool {
        let partner = self.partners(old_in, new_in);
        let mut in_order = true;
        for (position, &index) in new_in.iter().enumerate() {
            let address = &self.new[index].address;
            let before = partner.get(&index).copied();
            if before.is_some() && before != old_in.get(position).copied() && in_order {
                // Behind an inserted step everything stands elsewhere; that step tells.
                let inserted = new_in[..position].iter().any(|it| !partner.contains_key(it));
                shifted |= !inserted;
                in_order = false;
            }
            if std::mem::take(&mut shifted) {
                self.changes.shifted.push(address.clone());
            }
            match before {
                Some(before) => {
                    let pair = (self.old[before].address.clone(), address.clone());
                    match digest(self.old[before].step) == digest(self.new[index].step) {
                        true => self.changes.kept.push(pair),
                        false => self.changes.edited.push(pair),
                    }
                }
                None => self.changes.added.push(address.clone()),
            }
        }
        let matched: Vec<usize> = partner.values().copied().collect();
        let gone: Vec<&usize> = old_in.iter().filter(|index| !matched.contains(index)).collect();
        let last = new_in.last().and_then(|last| partner.get(last));
        let behind = gone.iter().any(|it| last.is_none_or(|last| *it > last));
        self.changes.removed.extend(gone.iter().map(|it| named(&self.old[**it])));
        shifted || behind
    }

    /// New place → old place.
    fn partners(&self, old_in: &[usize], new_in: &[usize]) -> HashMap<usize, usize> {
        let mut partner: HashMap<usize, usize> = HashMap::new();
        for &index in new_in {
            let Some(id) = &self.new[index].step.id else { continue };
            let mut old = old_in.iter();
            if let Some(&found) = old.find(|&&it| self.old[it].step.id.as_ref() == Some(id)) {
                partner.insert(index, found);
            }
        }
        let taken: Vec<usize> = partner.values().copied().collect();
        let own: Vec<usize> = partner.keys().copied().collect();
        let free = |places: &[Place<'_>], indexes: &[usize], used: &[usize]| {
            let free = indexes.iter().filter(|index| !used.contains(index));
            free.map(|&index| (index, digest(places[index].step))).collect::<Vec<_>>()
        };
        let (left, right) = (free(self.old, old_in, &taken), free(self.new, new_in, &own));
        partner.extend(common(&left, &right).into_iter().map(|(old, new)| (new, old)));
        self.pair_edited(old_in, new_in, &mut partner);
        partner
    }

    /// Between two steps that match, as many others as before are the same ones, edited; one
    /// that has another `id` is another step.
    fn pair_edited(&self, old_in: &[usize], new_in: &[usize], partner: &mut HashMap<usize, usize>) {
        let mut from = 0;
        let mut open: Vec<usize> = Vec::new();
        let mut found = Vec::new();
        let ends = new_in.iter().map(Some).chain([None]);
        for end in ends {
            let anchor = match end {
                Some(index) => match partner.get(index) {
                    None => {
                        open.push(*index);
                        continue;
                    }
                    Some(old) => old_in.iter().position(|it| it == old),
                },
                None => Some(old_in.len()),
            };
            let Some(anchor) = anchor else { continue };
            if anchor >= from {
                let between = old_in.get(from..anchor).unwrap_or_default();
                let free = |it: &&usize| !partner.values().any(|taken| taken == *it);
                let lost: Vec<usize> = between.iter().filter(free).copied().collect();
                if lost.len() == open.len() {
                    found.extend(open.iter().copied().zip(lost));
                }
                from = anchor + 1;
            }
            open.clear();
        }
        let another = |new: usize, old: usize| {
            let (new, old) = (&self.new[new].step.id, &self.old[old].step.id);
            new.is_some() && old.is_some()
        };
        partner.extend(found.into_iter().filter(|(new, old)| !another(*new, *old)));
    }
}

fn named(place: &Place<'_>) -> (Address, String) {
    (place.address.clone(), place.name())
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
