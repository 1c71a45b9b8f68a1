//! What documents were to a network that reads texts alone, kept from one call to the next: another
//! query on the same documents costs its own pass only.
//!
//! Within a budget: what was used longest ago goes first, and what the running call has used stays,
//! so that documents beyond the budget do not push out each other.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Bytes kept, unless told otherwise: a browser has less to spare.
#[cfg(target_arch = "wasm32")]
pub(super) const BYTES: usize = 48 << 20;
/// Bytes kept, unless told otherwise.
#[cfg(not(target_arch = "wasm32"))]
pub(super) const BYTES: usize = 256 << 20;

/// Rows of numbers by the tokens that they are of.
#[derive(Debug)]
pub(super) struct Kept {
    budget: usize,
    bytes: usize,
    rows: HashMap<Arc<[u32]>, Row>,
    /// The same by when they were used last.
    order: BTreeMap<u64, Arc<[u32]>>,
    /// Counts uses.
    now: u64,
    /// When the running call began.
    call: u64,
}

#[derive(Debug)]
struct Row {
    numbers: Vec<f32>,
    used: u64,
}

impl Kept {
    pub(super) fn new(budget: usize) -> Self {
        Self {
            budget,
            bytes: 0,
            rows: HashMap::new(),
            order: BTreeMap::new(),
            now: 0,
            call: 0,
        }
    }

    /// Says that a call begins.
    pub(super) fn begin(&mut self) {
        self.call = self.now + 1;
    }

    /// What these tokens were, if it is known.
    pub(super) fn get(&mut self, tokens: &[u32]) -> Option<&[f32]> {
        self.now += 1;
        let row = self.rows.get_mut(tokens)?;
        if let Some(key) = self.order.remove(&row.used) {
            self.order.insert(self.now, key);
        }
        row.used = self.now;
        Some(&row.numbers)
    }

    /// Keeps a row, if there is room for it or can be made.
    pub(super) fn put(&mut self, tokens: &[u32], numbers: Vec<f32>) {
        let size = cost(tokens, &numbers);
        if self.rows.contains_key(tokens) || size > self.budget {
            return;
        }
        while self.bytes + size > self.budget {
            let oldest = self.order.first_key_value().map(|(used, _)| *used);
            match oldest.filter(|used| *used < self.call) {
                Some(used) => self.drop_row(used),
                None => return,
            }
        }
        self.now += 1;
        let (key, used): (Arc<[u32]>, u64) = (tokens.into(), self.now);
        self.order.insert(used, Arc::clone(&key));
        self.rows.insert(key, Row { numbers, used });
        self.bytes += size;
    }

    fn drop_row(&mut self, used: u64) {
        let row = (self.order.remove(&used)).and_then(|key| self.rows.remove_entry(&key));
        if let Some((key, row)) = row {
            self.bytes -= cost(&key, &row.numbers);
        }
    }
}

/// Bytes of a row and its key.
fn cost(tokens: &[u32], numbers: &[f32]) -> usize {
    size_of_val(tokens) + size_of_val(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of four bytes of key and sixteen of numbers.
    fn row(number: u32) -> Vec<f32> {
        vec![number as f32; 4]
    }

    fn known(kept: &mut Kept, of: std::ops::Range<u32>) -> Vec<u32> {
        of.filter(|&key| kept.get(&[key]).is_some_and(|found| found == row(key)))
            .collect()
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let mut kept = Kept::new(60);
        kept.begin();
        (0..3).for_each(|key| kept.put(&[key], row(key)));
        kept.begin();
        assert!(kept.get(&[0]).is_some());
        kept.begin();
        kept.put(&[3], row(3));
        assert_eq!(known(&mut kept, 0..4), [0, 2, 3]);
        assert_eq!(kept.bytes, 60);
    }

    #[test]
    fn what_the_running_call_has_used_stays() {
        let mut kept = Kept::new(60);
        for _ in 0..2 {
            kept.begin();
            let hits = known(&mut kept, 0..9);
            (0..9).for_each(|key| kept.put(&[key], row(key)));
            assert!(hits.is_empty() || hits == [0, 1, 2], "{hits:?}");
        }
        assert_eq!(known(&mut kept, 0..9), [0, 1, 2]);
    }

    #[test]
    fn a_row_is_kept_once_and_one_beyond_the_budget_never() {
        let mut kept = Kept::new(40);
        kept.begin();
        kept.put(&[1], row(1));
        kept.put(&[1], row(1));
        assert_eq!(kept.bytes, 20);
        kept.begin();
        kept.put(&[2], vec![0.0; 10]);
        assert_eq!(known(&mut kept, 0..4), [1]);
        let mut none = Kept::new(0);
        none.put(&[1], row(1));
        assert_eq!(none.get(&[1]), None);
        assert_eq!(none.bytes, 0);
    }
}
