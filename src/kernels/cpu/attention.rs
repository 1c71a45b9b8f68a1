//! Multi-head attention over sequences that lie one behind the other, without padding.
//!
//! One head of one sequence at a time: four queries against eight keys, a softmax over the keys,
//! four rows of weights against eight columns of the values.

use core::ops::Range;

use wide::f32x4;

use super::math::{exp, multiply_add};

/// Queries worked on together.
const QUERIES: usize = 4;
/// Keys, or columns of values, worked on together: two vectors.
const LANES: usize = 8;

/// Rows of `[query heads, key heads, value heads]`, each `hidden` wide.
#[derive(Clone, Copy)]
pub(crate) struct Heads<'a> {
    pub(crate) rows: &'a [f32x4],
    pub(crate) hidden: usize,
    pub(crate) count: usize,
}

impl<'a> Heads<'a> {
    fn width(self) -> usize {
        self.hidden / self.count
    }

    fn of(self, token: usize, part: usize, head: usize) -> &'a [f32] {
        let numbers: &[f32] = bytemuck::cast_slice(self.rows);
        &numbers[(token * 3 + part) * self.hidden + head * self.width()..][..self.width()]
    }
}

/// Room for one head of one sequence.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// `[block of keys][dimension]`.
    keys: Vec<[f32x4; 2]>,
    /// `[block of dimensions][key]`.
    values: Vec<[f32x4; 2]>,
    /// `[dimension]`, a query a lane.
    queries: Vec<[f32; QUERIES]>,
    /// `[query][block of keys]`.
    scores: [Vec<[f32x4; 2]>; QUERIES],
    /// `[key]`, a query a lane; not yet divided by their sums.
    weights: Vec<[f32; QUERIES]>,
}

/// `queries` of `sequence` attend to all of it; `out` gets one row, `hidden` wide, a query.
pub(crate) fn attend(
    heads: Heads<'_>,
    sequence: Range<usize>,
    queries: Range<usize>,
    out: &mut [f32x4],
    scratch: &mut Scratch,
) {
    let out: &mut [f32] = bytemuck::cast_slice_mut(out);
    let width = heads.width();
    let scale = 1.0 / (width as f32).sqrt();
    for head in 0..heads.count {
        scratch.load(heads, sequence.clone(), head);
        for first in queries.clone().step_by(QUERIES) {
            let last = (first + QUERIES).min(queries.end);
            scratch.queries.clear();
            scratch.queries.resize(width, [0.0; QUERIES]);
            for (lane, token) in (first..last).enumerate() {
                for (column, value) in scratch.queries.iter_mut().zip(heads.of(token, 0, head)) {
                    column[lane] = value * scale;
                }
            }
            scratch.score();
            let sums = scratch.soften(sequence.len());
            let place = (first - queries.start) * heads.hidden + head * width;
            scratch.mix(sums, &mut out[place..], heads);
        }
    }
}

impl Scratch {
    /// Copies keys and values of one head into the order in which they are read.
    fn load(&mut self, heads: Heads<'_>, sequence: Range<usize>, head: usize) {
        let (width, length) = (heads.width(), sequence.len());
        self.keys.clear();
        self.keys
            .resize(length.div_ceil(LANES) * width, [f32x4::ZERO; 2]);
        self.values.clear();
        self.values
            .resize(width.div_ceil(LANES) * length, [f32x4::ZERO; 2]);
        let keys: &mut [f32] = bytemuck::cast_slice_mut(&mut self.keys);
        let values: &mut [f32] = bytemuck::cast_slice_mut(&mut self.values);
        for (index, token) in sequence.enumerate() {
            let place = index / LANES * width * LANES + index % LANES;
            for (dimension, &number) in heads.of(token, 1, head).iter().enumerate() {
                keys[place + dimension * LANES] = number;
            }
            for (block, numbers) in heads.of(token, 2, head).chunks(LANES).enumerate() {
                values[(block * length + index) * LANES..][..numbers.len()]
                    .copy_from_slice(numbers);
            }
        }
    }

    /// Four queries against every key.
    fn score(&mut self) {
        let width = self.queries.len();
        let blocks = self.keys.len() / width;
        for scores in &mut self.scores {
            scores.resize(blocks, [f32x4::ZERO; 2]);
        }
        for (block, keys) in self.keys.chunks_exact(width).enumerate() {
            let sums = outer(keys, &self.queries);
            for (scores, sums) in self.scores.iter_mut().zip(sums) {
                scores[block] = sums;
            }
        }
    }

    /// Scores over the first `keys` keys to weights; gives the weights' sums.
    fn soften(&mut self, keys: usize) -> [f32; QUERIES] {
        let mut sums = [0.0; QUERIES];
        for (scores, sum) in self.scores.iter_mut().zip(&mut sums) {
            let numbers: &mut [f32] = bytemuck::cast_slice_mut(scores);
            numbers[keys..].fill(f32::NEG_INFINITY);
            let vectors = scores.as_flattened_mut();
            let highest = (vectors.iter()).fold(f32x4::splat(f32::NEG_INFINITY), |high, &score| {
                high.fast_max(score)
            });
            let highest = highest
                .to_array()
                .into_iter()
                .fold(f32::NEG_INFINITY, f32::max);
            let mut total = f32x4::ZERO;
            for vector in vectors {
                *vector = exp(*vector - f32x4::splat(highest));
                total += *vector;
            }
            *sum = total.reduce_add();
        }
        self.weights.clear();
        let [a, b, c, d] = &self.scores;
        for (((a, b), c), d) in a
            .as_flattened()
            .iter()
            .zip(b.as_flattened())
            .zip(c.as_flattened())
            .zip(d.as_flattened())
        {
            let keys = f32x4::transpose([*a, *b, *c, *d]);
            self.weights.extend(keys.map(f32x4::to_array));
        }
        self.weights.truncate(keys);
        sums
    }

    /// Four rows of weights times the values, into as many rows as `out` has.
    fn mix(&self, sums: [f32; QUERIES], out: &mut [f32], heads: Heads<'_>) {
        let blocks = self.values.chunks_exact(self.weights.len());
        for (block, values) in blocks.enumerate() {
            let mixed = outer(values, &self.weights);
            let columns = block * LANES..heads.width().min((block + 1) * LANES);
            for ((mixed, sum), row) in mixed
                .into_iter()
                .zip(sums)
                .zip(out.chunks_mut(heads.hidden))
            {
                let scaled = mixed.map(|half| (half * (1.0 / sum)).to_array());
                let numbers = scaled.as_flattened();
                if let Some(row) = row.get_mut(columns.clone()) {
                    let count = row.len();
                    row.copy_from_slice(&numbers[..count]);
                }
            }
        }
    }
}

/// Sum over all rows of (a number a query) x (eight numbers).
#[inline(always)]
fn outer(rows: &[[f32x4; 2]], factors: &[[f32; QUERIES]]) -> [[f32x4; 2]; QUERIES] {
    let mut sums = [[f32x4::ZERO; 2]; QUERIES];
    for (row, factors) in rows.iter().zip(factors) {
        for (sums, &factor) in sums.iter_mut().zip(factors) {
            let factor = f32x4::splat(factor);
            sums[0] = multiply_add(factor, row[0], sums[0]);
            sums[1] = multiply_add(factor, row[1], sums[1]);
        }
    }
    sums
}
