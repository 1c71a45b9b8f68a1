//! The best k of many scored documents: a heap of k, its worst on top. Cost: O(n log k).

use core::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::Hit;

/// Collects hits and keeps the best `k`; ties go to the lower number.
#[derive(Debug)]
pub(super) struct Top {
    k: usize,
    heap: BinaryHeap<Reverse<Entry>>,
}

#[derive(Debug)]
struct Entry(Hit);

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_score = self.0.score.total_cmp(&other.0.score);
        by_score.then(other.0.document.cmp(&self.0.document))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl Top {
    pub(super) fn new(k: usize) -> Self {
        let heap = BinaryHeap::new();
        Self { k, heap }
    }

    pub(super) fn push(&mut self, document: u32, score: f32) {
        let entry = Reverse(Entry(Hit { document, score }));
        if self.heap.len() < self.k {
            self.heap.push(entry);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && entry < *worst
        {
            *worst = entry;
        }
    }

    /// Best first.
    pub(super) fn into_hits(self) -> Vec<Hit> {
        let sorted = self.heap.into_sorted_vec();
        sorted.into_iter().map(|Reverse(Entry(hit))| hit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_k_come_out_sorted_with_ties_by_number_whatever_the_order_in() {
        let scores = [0.5_f32, 2.0, 1.0, 2.0, -1.0, 1.0, 0.0, 2.0];
        let mut expected: Vec<u32> = (0..8).collect();
        expected.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]));
        for k in [0, 1, 2, 3, 5, 8, 100] {
            for turn in 0..8 {
                let mut top = Top::new(k);
                for i in 0..8 {
                    let document = (i * 3 + turn) % 8;
                    top.push(document, scores[document as usize]);
                }
                let found: Vec<u32> = top.into_hits().iter().map(|hit| hit.document).collect();
                assert_eq!(found, expected[..k.min(8)], "k {k}, turn {turn}");
            }
        }
    }
}
