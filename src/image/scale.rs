//! Scaling by Lanczos' filter with three lobes, widened when an image shrinks, so that thin lines
//! of a scanned page turn grey instead of vanishing.
//!
//! Rows first: a whole row is multiplied by one number, which the compiler does in SIMD. Weights
//! are whole numbers of 14 bits that add up exactly, so a plain colour stays that colour.

use core::f64::consts::PI;

use super::pixels::Pixels;

/// One, in weights.
const ONE: i32 = 1 << 14;
/// Lobes on each side.
const LOBES: f64 = 3.0;

/// The size of `width` x `height` within a box, sides in proportion, each at least 1; never larger.
pub(super) fn fit(width: u32, height: u32, most_width: u32, most_height: u32) -> (u32, u32) {
    let ratio = (f64::from(most_width) / f64::from(width))
        .min(f64::from(most_height) / f64::from(height))
        .min(1.0);
    // Within 1..=side: the ratio is at most 1.
    let side = |side: u32| (f64::from(side) * ratio).round().max(1.0) as u32;
    (side(width), side(height))
}

/// What one row or column of the result is made of.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

/// `image` at another size. Time: about six multiplications a channel of each pixel read.
pub(super) fn scale(image: &Pixels, width: u32, height: u32) -> Pixels {
    let rows = vertical(image, &taps(image.height, height));
    horizontal(&rows, image.stride(), &taps(image.width, width), height)
}

fn vertical(image: &Pixels, taps: &[Taps]) -> Vec<u8> {
    let stride = image.stride();
    let mut out = Vec::with_capacity(taps.len() * stride);
    let mut sums = vec![0_i32; stride];
    for Taps { first, weights } in taps {
        sums.fill(ONE / 2);
        for (row, &weight) in weights.iter().enumerate() {
            let start = (first + row) * stride;
            let row = &image.bytes[start..start + stride];
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += weight * i32::from(value);
            }
        }
        out.extend(sums.iter().copied().map(byte));
    }
    out
}

fn horizontal(rows: &[u8], stride: usize, taps: &[Taps], height: u32) -> Pixels {
    let mut bytes = Vec::with_capacity(3 * taps.len() * height as usize);
    for row in rows.chunks_exact(stride) {
        for Taps { first, weights } in taps {
            let mut sums = [ONE / 2; 3];
            let pixels = row[3 * first..].chunks_exact(3);
            for (pixel, &weight) in pixels.zip(weights) {
                for (sum, &value) in sums.iter_mut().zip(pixel) {
                    *sum += weight * i32::from(value);
                }
            }
            bytes.extend(sums.map(byte));
        }
    }
    Pixels {
        width: u32::try_from(taps.len()).unwrap_or(u32::MAX),
        height,
        bytes,
    }
}

fn byte(sum: i32) -> u8 {
    (sum >> 14).clamp(0, 255) as u8
}

fn taps(from: u32, to: u32) -> Vec<Taps> {
    let scale = f64::from(from) / f64::from(to);
    let wide = scale.max(1.0);
    let tap = |i: u32| {
        let centre = (f64::from(i) + 0.5) * scale;
        let first = (centre - LOBES * wide).floor().max(0.0) as usize;
        let end = ((centre + LOBES * wide).ceil() as usize).min(from as usize);
        let raw = (first..end).map(|at| lanczos((at as f64 + 0.5 - centre) / wide));
        let raw: Vec<f64> = raw.collect();
        let sum: f64 = raw.iter().sum();
        let whole = raw
            .iter()
            .map(|w| (w / sum * f64::from(ONE)).round() as i32);
        let mut weights: Vec<i32> = whole.collect();
        // What rounding has lost goes to the largest, where it is least.
        let lost = ONE - weights.iter().sum::<i32>();
        if let Some(largest) = weights.iter_mut().max() {
            *largest += lost;
        }
        Taps { first, weights }
    };
    (0..to).map(tap).collect()
}

fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| {
        if x == 0.0 {
            1.0
        } else {
            (PI * x).sin() / (PI * x)
        }
    };
    match x.abs() < LOBES {
        true => sinc(x) * sinc(x / LOBES),
        false => 0.0,
    }
}
