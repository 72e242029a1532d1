//! Subtrees of maps by address: everything at or below one address.

use std::collections::BTreeMap;

use super::address::Address;

/// The entries of `scope` and below: itself, and two neighbouring ranges of the map.
pub(super) fn range_within<'map, T>(
    map: &'map BTreeMap<Address, T>,
    scope: &Address,
) -> Box<dyn Iterator<Item = (&'map Address, &'map T)> + 'map> {
    if scope.is_root() {
        return Box::new(map.iter());
    }
    let (low, high) = bounds(scope);
    Box::new(map.get_key_value(scope).into_iter().chain(map.range::<str, _>((
        std::ops::Bound::Included(low.as_str()),
        std::ops::Bound::Excluded(high.as_str()),
    ))))
}

/// `scope.` and `scope/` are neighbours, and `scope0` is the first text after both.
fn bounds(scope: &Address) -> (String, String) {
    (format!("{scope}."), format!("{scope}0"))
}

/// Drops what `keep` refuses, at and below `scope`.
pub(super) fn retain_within<T>(
    map: &mut BTreeMap<Address, T>,
    scope: &Address,
    keep: impl Fn(&Address) -> bool,
) {
    if map.is_empty() {
        return;
    }
    let gone: Vec<Address> = range_within(map, scope)
        .map(|(address, _)| address.clone())
        .filter(|address| !keep(address))
        .collect();
    for address in gone {
        map.remove(&address);
    }
}

/// Moves everything at and below `old` to `new`.
pub(super) fn move_subtree<T>(
    from: &mut BTreeMap<Address, T>,
    to: &mut BTreeMap<Address, T>,
    old: &Address,
    new: &Address,
) {
    let moved: Vec<Address> = range_within(from, old).map(|(address, _)| address.clone()).collect();
    for address in moved {
        if let Some(entry) = from.remove(&address) {
            to.insert(address.moved(old, new), entry);
        }
    }
}
