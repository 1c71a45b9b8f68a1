//! A seeded shuffle, so that the same task gives the same ranking everywhere.
//!
//! SplitMix64 (Steele, Lea & Flood 2014); not for secrets.

/// A stream of numbers that its seed decides.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        // The bias of the remainder is below 2^-40 for any list that fits in memory.
        (self.next() % bound as u64) as usize
    }

    /// The numbers 0 to `n - 1`, each once, in an order that every seed makes another.
    pub(super) fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut items: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            items.swap(i, self.below(i + 1));
        }
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_one() {
        // First outputs of SplitMix64 for seed 1234567, from its reference implementation.
        let mut random = Random::new(1_234_567);
        let found: Vec<u64> = (0..3).map(|_| random.next()).collect();
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!(found, published);
    }

    #[test]
    fn a_permutation_holds_every_number_once_and_follows_the_seed() {
        let mut sorted = Random::new(7).permutation(50);
        assert_eq!(sorted, Random::new(7).permutation(50));
        assert_ne!(sorted, Random::new(8).permutation(50));
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
        assert!(Random::new(0).permutation(0).is_empty());
    }
}
