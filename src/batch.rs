//! Sequences to batches: sort by length, pack to a token budget, remember where each came from.
//!
//! A sequence's score does not depend on the batch it travels in: padding is masked to exactly
//! zero weight, and results carry their own index.

/// Widths are rounded up to this many tokens, so that a GPU compiles few kernels.
const WIDTH_STEP: usize = 8;

/// How sequences are put together: indices of sequences for each batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Indices into the lengths given, longest first.
    pub batches: Vec<Vec<usize>>,
    /// Tokens of all sequences.
    pub tokens: usize,
    /// Tokens spent on padding.
    pub padded_tokens: usize,
}

/// Packs sequences of these `lengths` (tokens) so that rows x width stays within `budget` tokens.
/// A sequence longer than the budget travels alone. Ties keep input order.
#[must_use]
pub fn plan(lengths: &[usize], budget: usize) -> Plan {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&index| (core::cmp::Reverse(lengths[index]), index));

    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut width = 0;
    let mut spent = 0;
    for index in order {
        match batches.last_mut() {
            Some(batch) if (batch.len() + 1) * width <= budget => batch.push(index),
            _ => {
                width = padded_width(lengths[index]);
                batches.push(vec![index]);
            }
        }
        spent += width;
    }
    let tokens = lengths.iter().sum();
    Plan {
        batches,
        tokens,
        padded_tokens: spent - tokens,
    }
}

fn padded_width(length: usize) -> usize {
    length.max(1).next_multiple_of(WIDTH_STEP)
}

/// Token ids, segments and lengths of `rows` sequences, padded to one width; row-major.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    ids: Vec<i32>,
    segments: Vec<i32>,
    lengths: Vec<usize>,
    width: usize,
}

/// One sequence: its ids and the position from which the segment is 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// Token ids, special tokens included.
    pub ids: Vec<u32>,
    /// First position of the second segment; `ids.len()` when there is none.
    pub second_from: usize,
}

impl Batch {
    /// Pads `sequences` with `padding` to the longest, rounded up to a multiple of eight but
    /// never over `limit` (the network's positions).
    #[must_use]
    pub fn new(sequences: &[Sequence], padding: u32, limit: usize) -> Self {
        let longest = sequences.iter().map(|s| s.ids.len()).max().unwrap_or(0);
        let width = padded_width(longest).min(limit.max(longest));
        let mut ids = vec![padding as i32; sequences.len() * width];
        let mut segments = vec![0; sequences.len() * width];
        for (row, sequence) in sequences.iter().enumerate() {
            let start = row * width;
            for (column, &id) in sequence.ids.iter().enumerate() {
                ids[start + column] = id as i32;
                segments[start + column] = i32::from(column >= sequence.second_from);
            }
        }
        Self {
            ids,
            segments,
            lengths: sequences.iter().map(|s| s.ids.len()).collect(),
            width,
        }
    }

    /// Number of sequences.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.lengths.len()
    }

    /// Tokens a row, padding included.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Token ids, `rows * width`.
    #[must_use]
    pub fn ids(&self) -> &[i32] {
        &self.ids
    }

    /// Segments (0 or 1), `rows * width`.
    #[must_use]
    pub fn segments(&self) -> &[i32] {
        &self.segments
    }

    /// 1 for a token and 0 for padding, `rows * width`.
    #[must_use]
    pub fn mask(&self) -> Vec<f32> {
        let row = |&length: &usize| {
            (0..self.width).map(move |column| if column < length { 1.0 } else { 0.0 })
        };
        self.lengths.iter().flat_map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sequence_travels_once_within_the_budget() {
        let lengths: Vec<usize> = (0..200).map(|i| 1 + (i * 37) % 96).collect();
        let plan = plan(&lengths, 512);
        let mut seen: Vec<usize> = plan.batches.concat();
        seen.sort_unstable();
        assert_eq!(seen, (0..200).collect::<Vec<_>>());
        for batch in &plan.batches {
            let width = padded_width(batch.iter().map(|&i| lengths[i]).max().unwrap());
            assert!(width * batch.len() <= 512, "{width} x {}", batch.len());
        }
    }

    #[test]
    fn padding_is_counted_as_what_the_device_computes_for_nothing() {
        let plan = plan(&[3, 8, 8, 20], 24);
        assert_eq!(plan.batches, vec![vec![3], vec![1, 2, 0]]);
        assert_eq!(plan.tokens, 39);
        assert_eq!(plan.padded_tokens, (24 - 20) + (8 - 3));
    }

    #[test]
    fn a_sequence_over_the_budget_travels_alone() {
        assert_eq!(plan(&[100, 90], 64).batches, vec![vec![0], vec![1]]);
        assert_eq!(plan(&[], 64).batches, Vec::<Vec<usize>>::new());
    }

    #[test]
    fn segments_start_where_the_second_text_starts_and_padding_is_masked() {
        let sequence = Sequence {
            ids: vec![7, 8, 9],
            second_from: 2,
        };
        let batch = Batch::new(&[sequence], 1, 512);
        assert_eq!(batch.ids(), [7, 8, 9, 1, 1, 1, 1, 1]);
        assert_eq!(batch.segments(), [0, 0, 1, 0, 0, 0, 0, 0]);
        assert_eq!(batch.mask(), [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_full_length_row_is_not_padded_past_the_positions() {
        let sequence = Sequence {
            ids: vec![5; 30],
            second_from: 30,
        };
        assert_eq!(Batch::new(&[sequence], 0, 30).width(), 30);
    }
}
