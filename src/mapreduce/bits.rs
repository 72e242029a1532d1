//! One bit for each item: what a finished item costs in memory.

/// A fixed number of bits, all clear at first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bits {
    words: Vec<u64>,
    set: u32,
}

impl Bits {
    /// `length` clear bits.
    pub(super) fn new(length: u32) -> Self {
        Self { words: vec![0; (length as usize).div_ceil(64)], set: 0 }
    }

    /// Whether the bit is set; bits beyond the end are clear.
    pub(super) fn contains(&self, position: u32) -> bool {
        self.words
            .get(position as usize / 64)
            .is_some_and(|word| word & (1 << (position % 64)) != 0)
    }

    /// Sets a bit; true when it was clear.
    pub(super) fn insert(&mut self, position: u32) -> bool {
        let clear = !self.contains(position);
        if let Some(word) = self.words.get_mut(position as usize / 64)
            && clear
        {
            *word |= 1 << (position % 64);
            self.set += 1;
            return true;
        }
        false
    }

    /// Clears a bit; true when it was set.
    pub(super) fn remove(&mut self, position: u32) -> bool {
        let set = self.contains(position);
        if let Some(word) = self.words.get_mut(position as usize / 64)
            && set
        {
            *word &= !(1 << (position % 64));
            self.set -= 1;
            return true;
        }
        false
    }

    /// How many bits are set.
    pub(super) fn count(&self) -> u32 {
        self.set
    }

    /// The first clear bit at or after `from`; may lie beyond the end.
    pub(super) fn first_clear(&self, from: u32) -> u32 {
        let mut index = from as usize / 64;
        let mut skip = from % 64;
        while let Some(word) = self.words.get(index) {
            let free = !word >> skip;
            if free != 0 {
                return index as u32 * 64 + skip + free.trailing_zeros();
            }
            index += 1;
            skip = 0;
        }
        from.max(index as u32 * 64)
    }

    /// The set bits in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.words.iter().zip(0_u32..).flat_map(|(word, index)| {
            (0..64).filter(move |bit| word & (1 << bit) != 0).map(move |bit| index * 64 + bit)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bits_beyond_the_end_are_clear_and_stay_so() {
        let mut bits = Bits::new(3);
        assert!(!bits.insert(64));
        assert!(!bits.contains(64) && !bits.remove(64));
        assert_eq!(Bits::new(0).first_clear(0), 0);
    }

    proptest! {
        #[test]
        fn bits_are_a_set(changes in proptest::collection::vec((0_u32..200, any::<bool>()), 0..300), from in 0_u32..200) {
            let (mut bits, mut set) = (Bits::new(200), BTreeSet::new());
            for (position, insert) in changes {
                if insert {
                    prop_assert_eq!(bits.insert(position), set.insert(position));
                } else {
                    prop_assert_eq!(bits.remove(position), set.remove(&position));
                }
            }
            prop_assert_eq!(bits.count() as usize, set.len());
            prop_assert_eq!(bits.iter().collect::<Vec<_>>(), set.iter().copied().collect::<Vec<_>>());
            let expected = (from..).find(|position| !set.contains(position)).unwrap();
            prop_assert_eq!(bits.first_clear(from), expected);
        }
    }
}
