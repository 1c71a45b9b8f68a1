//! The head of a sparse encoder: what each word piece of the vocabulary weighs in a sequence.
//!
//! The product with all word embeddings is nine tenths of the network's work. It is taken for some
//! hundred word pieces at a time, and of their logits only the largest over a sequence's tokens is
//! kept while they are in the cache; as the weight grows with the logit, the logarithm is taken of
//! that alone.

use wide::f32x4;

use super::matrix::{Matrix, Rows};
use super::{Norm, gelu, int8, matrix, same};
use crate::nn::bert::tensors::VocabularyTensors;
use crate::nn::bert::{raise, token_weight};
use crate::weights::Stored;

/// Word pieces of a product: 256 kB of logits for a batch's 512 tokens.
const PORTION: usize = 128;

/// A transform of each token's state, then the product with the word embeddings.
pub(super) struct Vocabulary {
    transform: Matrix,
    norm: Norm,
    words: Vec<Matrix>,
    pieces: usize,
}

impl Vocabulary {
    /// Packs the word embeddings a second time, in the order of the product.
    pub(super) fn new(tensors: &VocabularyTensors, words: &Stored, epsilon: f64) -> Self {
        let (weights, scales) = int8(words);
        Self {
            transform: matrix(&tensors.transform),
            norm: Norm::new(&tensors.norm, epsilon),
            words: portions(weights, scales, &tensors.bias.floats(), PORTION),
            pieces: scales.len(),
        }
    }

    /// For each sequence a weight of every word piece, from the states of its tokens; `starts` has
    /// the first token of each, and the end. NaN where a state is not finite.
    pub(super) fn weights(&self, states: &[f32x4], starts: &[usize]) -> Vec<Vec<f32>> {
        let hidden = self.transform.outputs();
        let mut states = self.transform.product(&Rows::new(states, hidden), gelu);
        self.norm.apply(&mut states);
        let rows = Rows::new(&states, hidden);
        let mut weights = vec![Vec::new(); starts.len() - 1];
        for words in &self.words {
            let logits = words.product(&rows, same);
            let logits: &[f32] = bytemuck::cast_slice(&logits);
            let width = words.outputs();
            for (pair, weights) in starts.windows(2).zip(&mut weights) {
                let mut largest = vec![f32::NEG_INFINITY; width];
                raise(&mut largest, &logits[pair[0] * width..pair[1] * width]);
                let left = self.pieces - weights.len();
                weights.extend(largest.into_iter().take(left).map(token_weight));
            }
        }
        weights
    }
}

/// The word embeddings as matrices of `portion` word pieces.
fn portions(weights: &[u8], scales: &[f32], bias: &[f32], portion: usize) -> Vec<Matrix> {
    let hidden = weights.len() / scales.len();
    (weights.chunks(portion * hidden))
        .zip(scales.chunks(portion).zip(bias.chunks(portion)))
        .map(|(weights, (scales, bias))| Matrix::pack(weights, scales, bias))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIDDEN: usize = 8;
    const PIECES: usize = 21;

    fn head(portion: usize) -> Vocabulary {
        let identity: Vec<u8> = (0..HIDDEN * HIDDEN)
            .map(|i| if i % (HIDDEN + 1) == 0 { 100 } else { 0 })
            .collect();
        let weights: Vec<u8> = (0..PIECES * HIDDEN).map(|i| (i * 29) as u8).collect();
        let scales: Vec<f32> = (0..PIECES).map(|i| i as f32 / 1e3).collect();
        let bias: Vec<f32> = (0..PIECES).map(|i| 0.5 - i as f32 / 10.0).collect();
        Vocabulary {
            transform: Matrix::pack(&identity, &[0.01; HIDDEN], &[0.0; HIDDEN]),
            norm: Norm {
                weight: vec![f32x4::ONE; HIDDEN / 4],
                bias: vec![f32x4::ZERO; HIDDEN / 4],
                epsilon: 1e-12,
            },
            words: portions(&weights, &scales, &bias, portion),
            pieces: PIECES,
        }
    }

    fn states() -> Vec<f32x4> {
        let number = |i: usize| ((i * 37) % 101) as f32 / 50.0 - 1.0;
        (0..13 * HIDDEN / 4)
            .map(|i| f32x4::new([4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3].map(number)))
            .collect()
    }

    #[test]
    fn a_weight_is_that_of_the_sequences_heaviest_token_however_the_words_are_divided() {
        let starts = [0, 1, 6, 13];
        let found = head(8).weights(&states(), &starts);
        assert_eq!(found, head(PORTION).weights(&states(), &starts));
        let each: Vec<usize> = (0..14).collect();
        let tokens = head(PORTION).weights(&states(), &each);
        for (pair, found) in starts.windows(2).zip(&found) {
            assert_eq!(found.len(), PIECES);
            for (piece, &found) in found.iter().enumerate() {
                let weights = tokens[pair[0]..pair[1]].iter().map(|token| token[piece]);
                assert_eq!(found, weights.fold(0.0, f32::max), "{piece}");
            }
        }
        assert!(found.iter().flatten().any(|&weight| weight == 0.0));
        assert!(found.iter().flatten().any(|&weight| weight > 0.5));
    }

    #[test]
    fn a_state_that_is_no_number_spoils_its_own_sequence_only() {
        let (head, starts, mut spoilt) = (head(8), [0, 1, 6, 13], states());
        let sound = head.weights(&spoilt, &starts);
        // Not the last token of its sequence: a number comes after it.
        spoilt[3 * HIDDEN / 4] = f32x4::new([0.0, f32::NAN, 0.0, 0.0]);
        let found = head.weights(&spoilt, &starts);
        assert!(found[1].iter().all(|weight| weight.is_nan()));
        assert_eq!([&found[0], &found[2]], [&sound[0], &sound[2]]);
    }
}
