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

/// What a sequence of a batch costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Rows of one width: every sequence costs as many tokens as the longest.
    Padded,
    /// One behind the other: a sequence costs its own tokens.
    Packed,
}

/// Packs sequences of these `lengths` (tokens) so that a batch costs at most `budget` tokens.
/// A sequence longer than the budget travels alone. Ties keep input order.
#[must_use]
pub fn plan(lengths: &[usize], budget: usize, layout: Layout) -> Plan {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&index| (core::cmp::Reverse(lengths[index]), index));

    let mut batches: Vec<(Space, Vec<usize>)> = Vec::new();
    for index in order {
        let length = lengths[index];
        if let Some((space, batch)) = batches.last_mut()
            && space.take(length)
        {
            batch.push(index);
        } else {
            let mut space = Space::new(budget, layout);
            space.take(length);
            batches.push((space, vec![index]));
        }
    }
    let tokens = lengths.iter().sum();
    let spent: usize = batches.iter().map(|(space, _)| space.spent()).sum();
    Plan {
        batches: batches.into_iter().map(|(_, batch)| batch).collect(),
        tokens,
        padded_tokens: spent - tokens,
    }
}

/// What fits a batch, and what it costs.
#[derive(Debug)]
pub(crate) struct Space {
    budget: usize,
    layout: Layout,
    rows: usize,
    /// Of the longest, padded.
    width: usize,
    tokens: usize,
}

impl Space {
    /// An empty batch that should cost at most `budget` tokens.
    pub(crate) fn new(budget: usize, layout: Layout) -> Self {
        Self {
            budget,
            layout,
            rows: 0,
            width: 0,
            tokens: 0,
        }
    }

    /// Takes a sequence of so many tokens in, if there is room; the first is never refused.
    pub(crate) fn take(&mut self, length: usize) -> bool {
        let width = self.width.max(padded_width(length));
        let cost = match self.layout {
            Layout::Padded => width * (self.rows + 1),
            Layout::Packed => self.tokens + length,
        };
        if self.rows > 0 && cost > self.budget {
            return false;
        }
        self.rows += 1;
        self.width = width;
        self.tokens += length;
        true
    }

    /// Tokens that the batch costs.
    fn spent(&self) -> usize {
        match self.layout {
            Layout::Padded => self.width * self.rows,
            Layout::Packed => self.tokens,
        }
    }

    /// Tokens of padding that a sequence of so many costs in this batch.
    pub(crate) fn padding(&self, length: usize) -> usize {
        match self.layout {
            Layout::Padded => self.width - length,
            Layout::Packed => 0,
        }
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

    /// Tokens of each sequence, without padding.
    #[must_use]
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// Ids and segments of each sequence, without padding.
    pub fn sequences(&self) -> impl Iterator<Item = (&[i32], &[i32])> {
        let rows = self
            .ids
            .chunks_exact(self.width)
            .zip(self.segments.chunks_exact(self.width));
        (self.lengths.iter().zip(rows))
            .map(|(&length, (ids, segments))| (&ids[..length], &segments[..length]))
    }

    /// The same sequences in at most `count` batches of about as many tokens each, in order.
    #[must_use]
    pub fn split(&self, count: usize) -> Vec<Self> {
        let tokens: usize = self.lengths.iter().sum();
        let share = tokens.div_ceil(count.max(1)).max(1);
        let mut parts: Vec<Self> = Vec::new();
        let mut filled = share;
        for (row, &length) in self.lengths.iter().enumerate() {
            if filled + length / 2 >= share && parts.len() < count.max(1) {
                filled = 0;
                parts.push(Self {
                    ids: Vec::new(),
                    segments: Vec::new(),
                    lengths: Vec::new(),
                    width: self.width,
                });
            }
            if let Some(part) = parts.last_mut() {
                let cells = row * self.width..(row + 1) * self.width;
                part.ids.extend_from_slice(&self.ids[cells.clone()]);
                part.segments.extend_from_slice(&self.segments[cells]);
                part.lengths.push(length);
            }
            filled += length;
        }
        parts
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
        let plan = plan(&lengths, 512, Layout::Padded);
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
        let plan = plan(&[3, 8, 8, 20], 24, Layout::Padded);
        assert_eq!(plan.batches, vec![vec![3], vec![1, 2, 0]]);
        assert_eq!(plan.tokens, 39);
        assert_eq!(plan.padded_tokens, (24 - 20) + (8 - 3));
    }

    #[test]
    fn packed_sequences_cost_their_own_tokens_and_nothing_else() {
        let plan = plan(&[3, 8, 9, 20, 5], 24, Layout::Packed);
        assert_eq!(plan.batches, vec![vec![3], vec![2, 1, 4], vec![0]]);
        assert_eq!((plan.tokens, plan.padded_tokens), (45, 0));
    }

    #[test]
    fn a_sequence_over_the_budget_travels_alone() {
        for layout in [Layout::Padded, Layout::Packed] {
            assert_eq!(plan(&[100, 90], 64, layout).batches, vec![vec![0], vec![1]]);
        }
        assert_eq!(
            plan(&[], 64, Layout::Packed).batches,
            Vec::<Vec<usize>>::new()
        );
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
    fn a_batch_splits_into_parts_of_about_as_many_tokens_and_loses_nothing() {
        let lengths = [40, 1, 30, 5, 5, 60, 3];
        let sequences = lengths.map(|length| Sequence {
            ids: vec![length; length as usize],
            second_from: 1,
        });
        let batch = Batch::new(&sequences, 0, 64);
        for count in 1..9 {
            let parts = batch.split(count);
            assert!(parts.len() <= count, "{count}");
            let whole: Vec<_> = parts.iter().flat_map(Batch::sequences).collect();
            assert_eq!(whole, batch.sequences().collect::<Vec<_>>());
        }
        let tokens: Vec<usize> = batch
            .split(2)
            .iter()
            .map(|b| b.lengths.iter().sum())
            .collect();
        assert_eq!(tokens, [71, 73]);
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
