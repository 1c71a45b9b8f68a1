//! Rows of unit vectors, f32 or int8, and their dot products with a query: SIMD in safe Rust.
//!
//! An int8 row is round(127 x / max) with max / 127 as its scale, a quarter of the memory; the query
//! is kept in 13 bits, so the error (some 0.002 in a cosine) is the row's alone. Rows are padded with
//! zeros to whole SIMD registers. Little-endian machines only, as all that run WASM or this are.

use serde::{Deserialize, Serialize};
use wide::{f32x4, i8x16, i16x8, i32x4};

use super::{bytes, damaged};
use crate::error::Error;

/// Numbers that the kernels take at a time.
const LANES: usize = 16;
/// Widest vector: beyond 33,024 numbers a lane of the int8 kernel could overflow.
const WIDEST: usize = 16_384;
const ROW_LIMIT: f32 = 127.0;
const QUERY_LIMIT: f32 = 4095.0;

/// How vectors are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// Four bytes a number, exact.
    #[default]
    F32,
    /// One byte a number and one scale a row.
    Int8,
}

/// Unit vectors of one width, row after row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Rows {
    width: usize,
    values: Values,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Values {
    F32(#[serde(with = "bytes")] Vec<f32>),
    Int8 {
        #[serde(with = "bytes")]
        rows: Vec<i8>,
        #[serde(with = "bytes")]
        scales: Vec<f32>,
    },
}

/// A query made ready for rows of one kind.
#[derive(Debug)]
pub(super) enum Query {
    F32(Vec<f32>),
    /// Even and odd numbers of each 16, and what the sums are to be multiplied with.
    Int8(Vec<[i16x8; 2]>, f32),
}

impl Rows {
    pub(super) fn new(width: usize, precision: Precision) -> Result<Self, Error> {
        if width == 0 || width > WIDEST {
            let expected = format!("1 to {WIDEST} numbers a vector");
            return Err(Error::argument("width", expected, width));
        }
        let values = match precision {
            Precision::F32 => Values::F32(Vec::new()),
            Precision::Int8 => Values::Int8 {
                rows: Vec::new(),
                scales: Vec::new(),
            },
        };
        Ok(Self { width, values })
    }

    pub(super) const fn width(&self) -> usize {
        self.width
    }

    const fn padded(&self) -> usize {
        self.width.next_multiple_of(LANES)
    }

    pub(super) fn len(&self) -> usize {
        match &self.values {
            Values::F32(values) => values.len() / self.padded(),
            Values::Int8 { scales, .. } => scales.len(),
        }
    }

    /// Adds a vector, scaled to unit length.
    pub(super) fn push(&mut self, vector: &[f32]) -> Result<(), Error> {
        let unit = unit(vector, self.width)?;
        let padding = self.padded() - self.width;
        match &mut self.values {
            Values::F32(values) => {
                values.extend_from_slice(&unit);
                values.extend(core::iter::repeat_n(0.0, padding));
            }
            Values::Int8 { rows, scales } => {
                let (scale, whole) = quantised(&unit, ROW_LIMIT);
                rows.extend(whole.map(|value| value as i8));
                rows.extend(core::iter::repeat_n(0, padding));
                scales.push(scale);
            }
        }
        Ok(())
    }

    /// A row as numbers again.
    pub(super) fn row(&self, index: usize) -> Vec<f32> {
        let span = index * self.padded()..index * self.padded() + self.width;
        match &self.values {
            Values::F32(values) => values[span].to_vec(),
            Values::Int8 { rows, scales } => (rows[span].iter())
                .map(|&value| f32::from(value) * scales[index])
                .collect(),
        }
    }

    /// Keeps the rows that `keep` names, in their order.
    pub(super) fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let (padded, len) = (self.padded(), self.len());
        let mut kept = 0;
        for index in (0..len).filter(|&index| keep(index)) {
            let from = index * padded..(index + 1) * padded;
            match &mut self.values {
                Values::F32(values) => values.copy_within(from, kept * padded),
                Values::Int8 { rows, scales } => {
                    rows.copy_within(from, kept * padded);
                    scales[kept] = scales[index];
                }
            }
            kept += 1;
        }
        match &mut self.values {
            Values::F32(values) => values.truncate(kept * padded),
            Values::Int8 { rows, scales } => {
                rows.truncate(kept * padded);
                scales.truncate(kept);
            }
        }
    }

    /// A query of unit length for these rows.
    pub(super) fn query(&self, vector: &[f32]) -> Result<Query, Error> {
        let mut unit = unit(vector, self.width)?;
        unit.resize(self.padded(), 0.0);
        if matches!(self.values, Values::F32(_)) {
            return Ok(Query::F32(unit));
        }
        let (scale, whole) = quantised(&unit, QUERY_LIMIT);
        let whole: Vec<i16> = whole.map(|value| value as i16).collect();
        let split = |chunk: &[i16; LANES]| {
            let every_other =
                |from: usize| i16x8::new(core::array::from_fn(|i| chunk[2 * i + from]));
            [every_other(0), every_other(1)]
        };
        let registers = whole.as_chunks().0.iter().map(split).collect();
        Ok(Query::Int8(registers, scale))
    }

    /// The cosine of a query and a row. Rows and query are of one kind: [`Rows::query`] sees to it.
    pub(super) fn dot(&self, query: &Query, index: usize) -> f32 {
        let span = index * self.padded()..(index + 1) * self.padded();
        match (&self.values, query) {
            (Values::F32(values), Query::F32(query)) => dot_f32(&values[span], query),
            (Values::Int8 { rows, scales }, Query::Int8(query, scale)) => {
                dot_int8(&rows[span], query) as f32 * scale * scales[index]
            }
            _ => f32::NAN,
        }
    }

    /// Whether stored values are whole rows of numbers, `count` of them.
    pub(super) fn check(&self, count: usize) -> Result<(), Error> {
        Self::new(self.width, Precision::F32)?;
        let (numbers, finite) = match &self.values {
            Values::F32(values) => (values.len(), values.iter().all(|v| v.is_finite())),
            Values::Int8 { rows, scales } => {
                let finite = scales.iter().all(|v| v.is_finite());
                (rows.len(), finite && scales.len() == count)
            }
        };
        if !finite || Some(numbers) != count.checked_mul(self.padded()) {
            return Err(damaged("rows that are not whole"));
        }
        Ok(())
    }
}

/// Four sums, so that an addition need not wait for the one before it.
fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [f32x4::ZERO; 4];
    let chunks = (a.as_chunks::<LANES>().0.iter()).zip(b.as_chunks::<LANES>().0);
    for (a, b) in chunks {
        let quarters = a.as_chunks().0.iter().zip(b.as_chunks().0);
        for (sum, (a, b)) in sums.iter_mut().zip(quarters) {
            *sum += f32x4::new(*a) * f32x4::new(*b);
        }
    }
    ((sums[0] + sums[1]) + (sums[2] + sums[3])).reduce_add()
}

/// Each 16 numbers are read as 8 pairs: shifted left and back for the even ones, right for the odd.
/// A lane takes two products of at most 127 x 4095 for each 16 numbers, see [`WIDEST`].
fn dot_int8(row: &[i8], query: &[[i16x8; 2]]) -> i64 {
    let mut sums = [i32x4::ZERO; 2];
    for (chunk, [even, odd]) in row.as_chunks::<LANES>().0.iter().zip(query) {
        let pairs: i16x8 = bytemuck::cast(i8x16::new(*chunk));
        let (low, high): (i16x8, i16x8) = ((pairs << 8_i32) >> 8_i32, pairs >> 8_i32);
        sums[0] += low.dot(*even);
        sums[1] += high.dot(*odd);
    }
    let lanes = sums.iter().flat_map(|sum| sum.to_array());
    lanes.map(i64::from).sum()
}

/// Whole numbers within `limit` and the scale that makes them the values again.
fn quantised(values: &[f32], limit: f32) -> (f32, impl Iterator<Item = f32>) {
    let largest = values
        .iter()
        .fold(0.0_f32, |max, value| max.max(value.abs()));
    let scale = largest / limit;
    (
        scale,
        values.iter().map(move |value| (value / scale).round()),
    )
}

/// `vector` at unit length.
fn unit(vector: &[f32], width: usize) -> Result<Vec<f32>, Error> {
    let norm = vector
        .iter()
        .map(|&x| f64::from(x).powi(2))
        .sum::<f64>()
        .sqrt();
    if vector.len() != width || !norm.is_normal() {
        let expected = format!("{width} finite numbers, not all 0");
        let found = format!("{} of length {norm}", vector.len());
        return Err(Error::argument("vector", expected, found));
    }
    Ok(vector
        .iter()
        .map(|&x| (f64::from(x) / norm) as f32)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers in -1..1 without a pattern.
    pub(crate) fn noise(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
        let next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as f32 / u32::MAX as f32 * 2.0 - 1.0
        };
        core::iter::repeat_with(next).take(count).collect()
    }

    fn cosine(a: &[f32], b: &[f32]) -> f64 {
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter()
                .zip(b)
                .map(|(&a, &b)| f64::from(a) * f64::from(b))
                .sum()
        };
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    }

    #[test]
    fn dot_products_are_cosines_at_every_width() {
        for (precision, tolerance) in [(Precision::F32, 1e-6), (Precision::Int8, 0.01)] {
            for width in [1, 2, 7, 8, 15, 16, 17, 31, 33, 128, 384] {
                let mut rows = Rows::new(width, precision).unwrap();
                let vectors: Vec<_> = (1..20).map(|seed| noise(width, seed)).collect();
                for vector in &vectors {
                    rows.push(vector).unwrap();
                }
                let query = noise(width, 99);
                let ready = rows.query(&query).unwrap();
                for (index, vector) in vectors.iter().enumerate() {
                    let found = f64::from(rows.dot(&ready, index));
                    let expected = cosine(vector, &query);
                    assert!(
                        (found - expected).abs() < tolerance,
                        "{precision:?} {width}: {found} is not {expected}"
                    );
                    assert!(cosine(&rows.row(index), vector) > 0.999);
                }
            }
        }
    }

    #[test]
    fn the_widest_vectors_of_the_largest_numbers_do_not_overflow() {
        let mut rows = Rows::new(WIDEST, Precision::Int8).unwrap();
        rows.push(&vec![1.0; WIDEST]).unwrap();
        rows.push(&vec![-1.0; WIDEST]).unwrap();
        let query = rows.query(&vec![5.0; WIDEST]).unwrap();
        assert!((rows.dot(&query, 0) - 1.0).abs() < 1e-3);
        assert!((rows.dot(&query, 1) + 1.0).abs() < 1e-3);
    }

    #[test]
    fn vectors_that_have_no_direction_or_another_width_are_refused() {
        let mut rows = Rows::new(3, Precision::F32).unwrap();
        for bad in [
            &[0.0, 0.0, 0.0][..],
            &[1.0, f32::NAN, 0.0],
            &[f32::INFINITY, 0.0, 0.0],
            &[1.0, 2.0],
            &[],
        ] {
            assert_eq!(rows.push(bad).unwrap_err().code(), "invalid_argument");
            assert_eq!(rows.query(bad).unwrap_err().code(), "invalid_argument");
        }
        assert_eq!(rows.len(), 0);
        for width in [0, WIDEST + 1] {
            assert!(Rows::new(width, Precision::F32).is_err());
        }
    }
}
