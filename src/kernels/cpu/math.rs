//! Element-wise functions of a transformer layer, four numbers at a time.

use wide::{f32x4, i32x4};

use crate::kernels::{ERF_ABOVE, ERF_BELOW};

/// Adding it leaves a number's integer part in the lowest bits: 1.5 x 2^23.
const INTEGER: f32 = 12_582_912.0;

/// `a x b + c`: rounded once in the relaxed-SIMD build where the processor has such an instruction,
/// and twice in every other build.
#[inline(always)]
pub(super) fn multiply_add(a: f32x4, b: f32x4, c: f32x4) -> f32x4 {
    #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
    {
        use core::arch::wasm32 as wasm;
        // `wide` does not show its register; the compiler sees through the arrays.
        let register = |values: f32x4| {
            let [a, b, c, d] = values.to_array();
            wasm::f32x4(a, b, c, d)
        };
        let sum = wasm::f32x4_relaxed_madd(register(a), register(b), register(c));
        f32x4::new([
            wasm::f32x4_extract_lane::<0>(sum),
            wasm::f32x4_extract_lane::<1>(sum),
            wasm::f32x4_extract_lane::<2>(sum),
            wasm::f32x4_extract_lane::<3>(sum),
        ])
    }
    #[cfg(not(all(target_arch = "wasm32", target_feature = "relaxed-simd")))]
    {
        a * b + c
    }
}

/// To the nearest integer, halves to even. For |values| < 2^22.
#[inline(always)]
pub(super) fn round(values: f32x4) -> i32x4 {
    let bits: i32x4 = bytemuck::cast(values + f32x4::splat(INTEGER));
    bits - i32x4::splat(INTEGER.to_bits() as i32)
}

/// e to the power of numbers that are not above 0; below -87 it is as at -87, about 1e-38.
/// Within 2 units of the last place: range reduction by ln 2, then a polynomial of degree six.
#[inline(always)]
pub(super) fn exp(x: f32x4) -> f32x4 {
    let x = x.fast_max(f32x4::splat(-87.0));
    let shifted = x * core::f32::consts::LOG2_E + f32x4::splat(INTEGER + 127.0);
    let bits: i32x4 = bytemuck::cast(shifted);
    let power: f32x4 = bytemuck::cast(bits << 23);
    let whole = shifted - f32x4::splat(INTEGER + 127.0);
    let rest = x - whole * 0.693_359_4 + whole * 2.121_944_4e-4;
    let mut sum = f32x4::splat(1.388_889e-3);
    for coefficient in [8.333_334e-3, 4.166_666_8e-2, 0.166_666_67, 0.5, 1.0, 1.0] {
        sum = multiply_add(sum, rest, f32x4::splat(coefficient));
    }
    sum * power
}

/// The exact GELU, x/2 (1 + erf(x/sqrt 2)).
#[inline(always)]
pub(super) fn gelu(x: f32x4) -> f32x4 {
    let z = (x * core::f32::consts::FRAC_1_SQRT_2)
        .fast_max(f32x4::splat(-4.0))
        .fast_min(f32x4::splat(4.0));
    let square = z * z;
    let polynomial = |coefficients: &[f32]| {
        coefficients.iter().fold(f32x4::ZERO, |sum, &coefficient| {
            multiply_add(sum, square, f32x4::splat(coefficient))
        })
    };
    let (above, below) = (polynomial(&ERF_ABOVE), polynomial(&ERF_BELOW));
    let half = x * 0.5;
    multiply_add(half, z * above / below, half)
}

/// Each row to mean 0 and variance 1, times `weight`, plus `bias`.
pub(super) fn layer_norm(values: &mut [f32x4], weight: &[f32x4], bias: &[f32x4], epsilon: f32) {
    let width = (weight.len() * 4) as f32;
    for row in values.chunks_exact_mut(weight.len()) {
        let mean = row
            .iter()
            .fold(f32x4::ZERO, |sum, &value| sum + value)
            .reduce_add()
            / width;
        let mean = f32x4::splat(mean);
        let squares = row.iter().fold(f32x4::ZERO, |sum, &value| {
            sum + (value - mean) * (value - mean)
        });
        let scale = f32x4::splat(1.0 / (squares.reduce_add() / width + epsilon).sqrt());
        for ((value, &weight), &bias) in row.iter_mut().zip(weight).zip(bias) {
            *value = multiply_add((*value - mean) * scale, weight, bias);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// erf by its series, for |x| < 6, in double precision.
    fn erf(x: f64) -> f64 {
        if x.abs() > 4.5 {
            return x.signum();
        }
        let (mut term, mut sum, mut n) = (x, x, 0.0);
        while term.abs() > 1e-18 {
            n += 1.0;
            term *= -x * x / n;
            sum += term / (2.0 * n + 1.0);
        }
        sum * 2.0 / core::f64::consts::PI.sqrt()
    }

    #[test]
    fn gelu_is_the_erf_form() {
        for step in -1200..=1200 {
            let x = f64::from(step) / 100.0;
            let expected = x / 2.0 * (1.0 + erf(x / 2.0_f64.sqrt()));
            let found = f64::from(gelu(f32x4::splat(x as f32)).to_array()[0]);
            assert!(
                (found - expected).abs() < 2e-6,
                "{x}: {found} is not {expected}"
            );
        }
    }

    #[test]
    fn exp_is_exact_to_the_last_places_below_zero() {
        for step in 0..=8600 {
            let x = -f64::from(step) / 100.0;
            let found = f64::from(exp(f32x4::splat(x as f32)).to_array()[0]);
            let expected = f64::from(x as f32).exp();
            assert!(
                (found / expected - 1.0).abs() < 3e-7,
                "{x}: {found} is not {expected}"
            );
        }
        assert!(exp(f32x4::splat(-1e9)).to_array()[0] < 1e-37);
    }

    #[test]
    fn numbers_are_rounded_to_the_nearest_integer() {
        let found = round(f32x4::new([-32767.4, 0.49, 1.51, 32766.6])).to_array();
        assert_eq!(found, [-32767, 0, 2, 32767]);
    }

    #[test]
    fn rows_are_normalised_one_by_one() {
        let value = |i: usize| ((i * 7) % 11) as f32 + 100.0;
        let mut values: Vec<f32x4> = (0..6)
            .map(|i| f32x4::new([4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3].map(value)))
            .collect();
        layer_norm(
            &mut values,
            &[f32x4::splat(2.0); 3],
            &[f32x4::ONE; 3],
            1e-12,
        );
        for row in values.chunks(3) {
            let row: Vec<f32> = row.iter().flat_map(|v| v.to_array()).collect();
            let mean = row.iter().sum::<f32>() / 12.0;
            let spread = row.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 12.0;
            assert!(
                (mean - 1.0).abs() < 1e-4 && (spread - 4.0).abs() < 1e-3,
                "{mean} {spread}"
            );
        }
    }
}
