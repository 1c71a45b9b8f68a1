//! Seeded randomness, the same on every machine: `SplitMix64` (Steele, Lea & Flood 2014).
//!
//! Good enough to draw and to shuffle with, not for secrets.

/// A stream of numbers decided by its seed.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in (0, 1): never 0, so that its logarithm is finite.
    pub(crate) fn unit(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        // The bias of the remainder is below 2^-40 for any list that fits in memory.
        (self.next() % bound as u64) as usize
    }

    /// Standard normal (Box & Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let (u, v) = (self.unit(), self.unit());
        (-2.0 * u.ln()).sqrt() * (core::f64::consts::TAU * v).cos()
    }

    /// The numbers 0 to `n - 1`, each once, in an order that every seed makes another.
    pub(crate) fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut items: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            items.swap(i, self.below(i + 1));
        }
        items
    }

    /// `count` of `0..n` without repetition, each as likely as any other, in the order drawn.
    pub(crate) fn draw(&mut self, n: usize, count: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..n).collect();
        let count = count.min(n);
        for i in 0..count {
            let left = n - i;
            let j = i + ((self.unit() * left as f64) as usize).min(left - 1);
            all.swap(i, j);
        }
        all.truncate(count);
        all
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

    #[test]
    fn a_seed_decides_the_stream_and_draws_do_not_repeat() {
        let (mut a, mut b) = (Random::new(7), Random::new(7));
        for n in 0..40 {
            let drawn = a.draw(n, 5);
            assert_eq!(drawn, b.draw(n, 5));
            let unique: std::collections::BTreeSet<_> = drawn.iter().collect();
            assert_eq!(unique.len(), n.min(5));
            assert!(drawn.iter().all(|&i| i < n));
        }
        assert_ne!(Random::new(1).next(), Random::new(2).next());
    }

    #[test]
    fn units_and_normals_have_the_mean_they_should() {
        let mut random = Random::new(3);
        let n = 20_000;
        let units = (0..n).map(|_| random.unit()).sum::<f64>() / f64::from(n);
        let normals = (0..n).map(|_| random.normal()).sum::<f64>() / f64::from(n);
        assert!(
            (units - 0.5).abs() < 0.02 && normals.abs() < 0.05,
            "{units} {normals}"
        );
    }
}
