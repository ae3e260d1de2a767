//! Random moments that can be had again: every run prints its seed.

/// `SplitMix64`.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number from 0 to `most`.
    pub fn up_to(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let range = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        usize::try_from((mixed ^ (mixed >> 31)) % range).unwrap_or(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_again_and_all_of_its_range() {
        let numbers = || {
            let mut random = Random::new(7);
            (0..100).map(|_| random.up_to(3)).collect::<Vec<_>>()
        };

        assert_eq!(numbers(), numbers());
        assert!((0..=3).all(|number| numbers().contains(&number)));
        assert!(numbers().iter().all(|number| *number <= 3));
    }
}
