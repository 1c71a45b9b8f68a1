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

    /// Uniform in `0..n`; 0 when `n` is 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n.saturating_sub(1))
    }

    /// Standard normal (Box & Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let (u, v) = (self.unit(), self.unit());
        (-2.0 * u.ln()).sqrt() * (core::f64::consts::TAU * v).cos()
    }

    /// `count` of `0..n` without repetition, each as likely as any other, in the order drawn.
    pub(crate) fn draw(&mut self, n: usize, count: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..n).collect();
        let count = count.min(n);
        for i in 0..count {
            let j = i + self.below(n - i);
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
