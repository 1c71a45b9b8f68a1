//! Products of 16-bit activations with int8 weights, exact in 32-bit integers.
//!
//! A row of activations is scaled to integers so large that a whole dot product still fits 32 bits
//! (15 bits for 384 columns, 13 for 1,536), so the only loss is that rounding, about 1e-4 of the
//! row's largest number. Weights stay int8 in memory, packed once in the order in which they are
//! read. The inner step is one multiply-add of eight pairs: `i32x4.dot_i16x8_s`, `pmaddwd`.

use wide::{f32x4, i16x8, i32x4, i32x8};

use super::math::round;

/// Rows of activations in a tile.
const ROWS: usize = 4;
/// Output columns in a panel.
const COLUMNS: usize = 8;
/// Bytes of activations that one pass over the weights works on: half of a usual second-level cache.
const BLOCK: usize = 256 * 1024;

/// Activations as integers, in tiles of four rows; two columns share a word.
pub(crate) struct Rows {
    /// `[tile][pair of columns][row in tile]`.
    words: Vec<[i32; ROWS]>,
    /// What one step of a row is worth; a whole number of tiles.
    steps: Vec<f32>,
    pairs: usize,
    count: usize,
}

impl Rows {
    /// Scales `values`, rows of `columns` (a multiple of eight) each.
    pub(crate) fn new(values: &[f32x4], columns: usize) -> Self {
        let pairs = columns / 2;
        let count = values.len() * 4 / columns;
        // |weight| is at most 127, so the sum over all columns stays below 2^31.
        let largest = (i32::MAX as f32 / (127.0 * columns as f32)).min(32767.0);
        let (tiles, vectors) = (count.div_ceil(ROWS), columns / 4);
        let mut words = vec![[0; ROWS]; tiles * pairs];
        let mut steps = vec![0.0; tiles * ROWS];
        let mut scales = [f32x4::ZERO; ROWS];
        let blocks = values
            .chunks(ROWS * vectors)
            .zip(steps.as_chunks_mut::<ROWS>().0);
        for ((block, steps), words) in blocks.zip(words.chunks_exact_mut(pairs)) {
            for ((row, step), scale) in block.chunks_exact(vectors).zip(steps).zip(&mut scales) {
                (*step, *scale) = step_and_scale(row, largest);
            }
            // The last tile may be short of rows: what it has is read again, and nobody reads the result.
            let row = |index: usize| &block[index * vectors % block.len()..][..vectors];
            let rows: [_; ROWS] = core::array::from_fn(row);
            for (place, words) in words.chunks_exact_mut(2).enumerate() {
                let [a, b, c, d]: [i32x4; ROWS] =
                    core::array::from_fn(|row| round(rows[row][place] * scales[row]));
                let [a, b] = [interleave(a, b), interleave(c, d)];
                words[0] = i32x4::new([a[0], a[2], b[0], b[2]]).to_array();
                words[1] = i32x4::new([a[1], a[3], b[1], b[3]]).to_array();
            }
        }
        Self {
            words,
            steps,
            pairs,
            count,
        }
    }
}

/// What one step of a row is worth, and what its numbers are multiplied with to become steps.
fn step_and_scale(row: &[f32x4], largest: f32) -> (f32, f32x4) {
    // Without their signs numbers are ordered as their bits are, and above all an infinity and then
    // NaN: such a row's steps are that, and so is every result of it.
    let highest = row.iter().fold(i32x4::ZERO, |high, &value| {
        let bits: i32x4 = bytemuck::cast(value);
        high.max(bits & i32x4::splat(i32::MAX))
    });
    let highest = highest.to_array().into_iter().fold(0, i32::max);
    let highest = f32::from_bits(highest as u32);
    let scale = if highest > 0.0 {
        largest / highest
    } else {
        0.0
    };
    (highest / largest, f32x4::splat(scale))
}

/// Two vectors of four as 16 bits, two numbers a word.
#[inline(always)]
fn interleave(a: i32x4, b: i32x4) -> [i32; 4] {
    let halves: i32x8 = bytemuck::cast([a, b]);
    bytemuck::cast(i16x8::from_i32x8_saturate(halves))
}

/// A linear layer's weights `[out, in]` with one scale a row, and its bias.
#[derive(Debug)]
pub(crate) struct Matrix {
    /// `[panel][pair of inputs][output in panel][input in pair]`.
    packed: Vec<i8>,
    /// Scales and biases of a panel.
    finish: Vec<[[f32x4; 2]; 2]>,
    inputs: usize,
}

impl Matrix {
    /// Packs `weights`, rows of int8 with a scale each, of a size that is a multiple of eight; rows
    /// of zeros are added up to the next multiple of eight.
    pub(crate) fn pack(weights: &[u8], scales: &[f32], bias: &[f32]) -> Self {
        let inputs = weights.len() / scales.len();
        let mut packed = vec![0; scales.len().next_multiple_of(COLUMNS) * inputs];
        for (output, row) in weights.chunks_exact(inputs).enumerate() {
            let panel = &mut packed[output / COLUMNS * COLUMNS * inputs..];
            for (pair, values) in row.chunks_exact(2).enumerate() {
                let place = (pair * COLUMNS + output % COLUMNS) * 2;
                panel[place] = values[0] as i8;
                panel[place + 1] = values[1] as i8;
            }
        }
        let finish = scales.chunks(COLUMNS).zip(bias.chunks(COLUMNS));
        Self {
            packed,
            finish: finish
                .map(|(scales, bias)| [eight(scales), eight(bias)])
                .collect(),
            inputs,
        }
    }

    /// Width of a result row.
    pub(crate) fn outputs(&self) -> usize {
        self.finish.len() * COLUMNS
    }

    /// `finish(rows x weights + bias, position)`, `[rows, outputs]` in vectors of four.
    ///
    /// `finish` is for what follows element by element.
    pub(crate) fn product(
        &self,
        rows: &Rows,
        finish: impl Fn(f32x4, usize) -> f32x4,
    ) -> Vec<f32x4> {
        let pairs = self.inputs / 2;
        debug_assert_eq!(rows.pairs, pairs);
        let width = self.outputs() / 4;
        let mut out = vec![f32x4::ZERO; rows.count * width];
        let mut panel = vec![[i16x8::ZERO; 2]; pairs];
        let tiles_in_block = (BLOCK / (pairs * ROWS * 4)).max(1);
        for (block, tiles) in rows.words.chunks(tiles_in_block * pairs).enumerate() {
            let panels = self.packed.chunks_exact(COLUMNS * self.inputs);
            for (index, (packed, [scales, bias])) in panels.zip(&self.finish).enumerate() {
                widen(packed, &mut panel);
                for (tile, words) in tiles.chunks_exact(pairs).enumerate() {
                    let sums = dot(&panel, words);
                    let first = (block * tiles_in_block + tile) * ROWS;
                    for (row, sums) in (first..rows.count).zip(sums) {
                        let step = f32x4::splat(rows.steps[row]);
                        let place = row * width + index * 2;
                        let out = &mut out[place..place + 2];
                        for half in 0..2 {
                            let value = f32x4::from_i32x4(sums[half]);
                            let value = value * (step * scales[half]) + bias[half];
                            out[half] = finish(value, place + half);
                        }
                    }
                }
            }
        }
        out
    }
}

/// A panel's int8 as the 16 bits that the inner step takes.
fn widen(packed: &[i8], panel: &mut [[i16x8; 2]]) {
    for (wide, bytes) in panel.iter_mut().zip(packed.chunks_exact(2 * COLUMNS)) {
        let (halves, _) = bytes.as_chunks::<8>();
        for (wide, bytes) in wide.iter_mut().zip(halves) {
            *wide = i16x8::new(bytes.map(i16::from));
        }
    }
}

/// Four rows by eight columns, over all pairs.
#[inline(always)]
fn dot(panel: &[[i16x8; 2]], tile: &[[i32; ROWS]]) -> [[i32x4; 2]; ROWS] {
    let mut sums = [[i32x4::ZERO; 2]; ROWS];
    for (weights, words) in panel.iter().zip(tile) {
        for (sums, &word) in sums.iter_mut().zip(words) {
            let pair: i16x8 = bytemuck::cast(i32x4::splat(word));
            sums[0] += pair.dot(weights[0]);
            sums[1] += pair.dot(weights[1]);
        }
    }
    sums
}

/// Up to eight numbers, then zeros.
fn eight(values: &[f32]) -> [f32x4; 2] {
    let mut eight = [0.0; COLUMNS];
    eight[..values.len()].copy_from_slice(values);
    bytemuck::cast(eight)
}
