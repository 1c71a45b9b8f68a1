//! f32 rows to int8 rows with one f32 scale each, such that a second quantisation changes nothing.
//!
//! A row that already lies on an int8 grid (a dequantised model) is taken over exactly; any other is
//! rounded symmetrically to max/127. It does not know tensors or files.

/// A quantised row: value = level * scale.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// One int8 a column.
    pub(crate) levels: Vec<i8>,
    /// Positive.
    pub(crate) scale: f32,
}

impl Row {
    /// The numbers the row stands for.
    pub(crate) fn values(&self) -> impl Iterator<Item = f32> + '_ {
        self.levels
            .iter()
            .map(|&level| f32::from(level) * self.scale)
    }
}

/// Quantises one row of finite numbers.
pub(crate) fn quantise(row: &[f32]) -> Row {
    exact(row).unwrap_or_else(|| {
        let rounded = symmetric(row);
        // Written as `exact` would find it, so that reading the file back and quantising again
        // gives the same bytes even where max/127 does not survive the round trip.
        let values: Vec<f32> = rounded.values().collect();
        exact(&values).unwrap_or(rounded)
    })
}

fn largest(row: &[f32]) -> f32 {
    row.iter()
        .fold(0.0, |largest: f32, value| largest.max(value.abs()))
}

fn symmetric(row: &[f32]) -> Row {
    let scale = largest(row) / 127.0;
    let level = |value: &f32| (value / scale).round_ties_even().clamp(-127.0, 127.0) as i8;
    Row {
        levels: row.iter().map(level).collect(),
        scale,
    }
}

/// The grid with the fewest levels on which every number of the row lies exactly, if there is one.
fn exact(row: &[f32]) -> Option<Row> {
    let largest = largest(row);
    if largest == 0.0 {
        let levels = vec![0; row.len()];
        return Some(Row { levels, scale: 1.0 });
    }
    (1..=128_u8).find_map(|top| {
        let scale = largest / f32::from(top);
        [scale, scale.next_down(), scale.next_up()]
            .into_iter()
            .find_map(|scale| on_grid(row, scale))
    })
}

fn on_grid(row: &[f32], scale: f32) -> Option<Row> {
    let level = |&value: &f32| {
        let level = (value / scale).round_ties_even();
        ((-128.0..=127.0).contains(&level) && level * scale == value).then_some(level as i8)
    };
    let levels = row.iter().map(level).collect::<Option<Vec<i8>>>()?;
    Some(Row { levels, scale })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random, the same on every run.
    fn noise(length: usize, mut seed: u32) -> Vec<f32> {
        (0..length)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 8) as f32 / 16_777_216.0 - 0.5
            })
            .collect()
    }

    #[test]
    fn quantising_dequantised_rows_again_changes_nothing() {
        for seed in 0..2000 {
            let once = quantise(&noise(48, seed));
            let values: Vec<f32> = once.values().collect();
            assert_eq!(quantise(&values), once, "seed {seed}");
        }
    }

    #[test]
    fn a_row_whose_small_numbers_vanish_is_written_as_it_will_be_read() {
        let once = quantise(&[1.0, 0.001, -0.5]);
        let values: Vec<f32> = once.values().collect();
        assert_eq!(quantise(&values), once);
        let alone = quantise(&[1.0, 0.001]);
        assert_eq!((alone.levels, alone.scale), (vec![1, 0], 1.0));
    }

    #[test]
    fn a_row_on_a_tensors_own_grid_is_taken_over_exactly() {
        let scale = 0.005_255_623_f32;
        for seed in 0..200 {
            let row: Vec<f32> = noise(384, seed)
                .iter()
                .map(|value| (value * 100.0).round() * scale)
                .collect();
            let quantised = quantise(&row);
            assert!(quantised.values().eq(row.iter().copied()), "seed {seed}");
        }
    }

    #[test]
    fn rounding_is_off_by_at_most_half_a_level() {
        let row = noise(512, 9);
        let quantised = quantise(&row);
        for (value, restored) in row.iter().zip(quantised.values()) {
            assert!((value - restored).abs() <= quantised.scale * 0.500_1);
        }
    }

    #[test]
    fn a_row_of_zeros_has_a_scale() {
        let row = quantise(&[0.0, -0.0]);
        assert_eq!((row.levels, row.scale), (vec![0, 0], 1.0));
    }
}
