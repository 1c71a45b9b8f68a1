//! How alike a query and a document are by what each is to a network that reads texts alone.
//!
//! Late interaction: ColBERT, arXiv:2004.12832. On the CPU; the same in WGSL is `kernels/webgpu/max_sim.wgsl`.

use crate::manifest::Architecture;

/// The raw score of a query and a document that [`super::Network::vectors`] gave; tokens are `width`
/// numbers.
pub(super) fn likeness(
    architecture: Architecture,
    width: usize,
    query: &[f32],
    document: &[f32],
) -> f32 {
    match architecture {
        Architecture::BertLateInteraction => max_sim(query, document, width),
        _ => dot(query, document),
    }
}

/// Sum of the products; of vectors of unit length the cosine.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, rest) = a.as_chunks::<8>();
    let (b, last) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest = rest.iter().zip(last).map(|(a, b)| a * b);
    sums.iter().sum::<f32>() + rest.sum::<f32>()
}

/// The mean over the query's tokens of the best cosine each finds in the document.
fn max_sim(query: &[f32], document: &[f32], width: usize) -> f32 {
    let best = query.chunks_exact(width).map(|token| {
        let cosines = document.chunks_exact(width).map(|other| dot(token, other));
        // A NaN must not hide behind a number.
        cosines.fold(f32::NEG_INFINITY, |best, cosine| {
            if cosine > best || cosine.is_nan() {
                cosine
            } else {
                best
            }
        })
    });
    best.sum::<f32>() / (query.len() / width) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dot_product_takes_every_number() {
        for length in [1, 7, 8, 9, 24, 30] {
            let a: Vec<f32> = (0..length).map(|i| i as f32 + 1.0).collect();
            let expected: f32 = a.iter().map(|x| x * 2.0).sum();
            assert_eq!(dot(&a, &vec![2.0; length]), expected, "{length}");
        }
    }

    #[test]
    fn each_query_token_finds_its_best_and_they_are_averaged() {
        let query = [1.0, 0.0, 0.0, 1.0];
        let document = [0.6, 0.8, 1.0, 0.0, -1.0, 0.0];
        assert_eq!(max_sim(&query, &document, 2), (1.0 + 0.8) / 2.0);
        assert_eq!(max_sim(&[-1.0, 0.0], &[0.6, 0.8], 2), -0.6);
        assert!(max_sim(&query, &[1.0, 0.0, f32::NAN, 0.0], 2).is_nan());
    }
}
