//! Means with 95 % intervals by the percentile bootstrap (Efron 1979): queries are drawn with
//! replacement, always the same way, so a report can be made again to the last digit.

const DRAWS: usize = 2000;

/// A mean and where it would lie for other queries of the same kind.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Interval {
    pub(crate) mean: f64,
    /// 2.5 % of the resampled means are lower.
    pub(crate) low: f64,
    /// 2.5 % of them are higher.
    pub(crate) high: f64,
}

/// The mean of `values`, one a query, with its interval; all 0 without values.
pub(crate) fn interval(values: &[f64]) -> Interval {
    if values.is_empty() {
        return Interval::default();
    }
    let n = values.len();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut means: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let drawn = (0..n).map(|_| values[below(n, &mut state)]);
            drawn.sum::<f64>() / n as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let at = |share: f64| means[((DRAWS - 1) as f64 * share).round() as usize];
    Interval {
        mean: values.iter().sum::<f64>() / n as f64,
        low: at(0.025),
        high: at(0.975),
    }
}

/// SplitMix64, scaled to 0..n.
fn below(n: usize, state: &mut u64) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    ((u128::from(z) * n as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_coin_tosses_is_that_of_the_normal_approximation() {
        let values: Vec<f64> = (0..400).map(|i| f64::from(i % 2)).collect();
        let found = interval(&values);
        let half = 1.96 * 0.5 / 20.0;
        assert_eq!(found.mean, 0.5);
        assert!((found.low - (0.5 - half)).abs() < 0.006, "{found:?}");
        assert!((found.high - (0.5 + half)).abs() < 0.006, "{found:?}");
        assert_eq!(found, interval(&values));
    }

    #[test]
    fn equal_values_have_no_width_and_no_values_are_zero() {
        let all = interval(&[0.25; 30]);
        assert_eq!((all.low, all.mean, all.high), (0.25, 0.25, 0.25));
        assert_eq!(interval(&[]), Interval::default());
    }
}
