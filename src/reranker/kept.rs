//! What documents were to a network that reads texts alone, kept from one call to the next: another
//! query on the same documents costs its own pass only.
//!
//! Within a budget: what was used longest ago goes first, and what the running call has used stays,
//! so that documents beyond the budget do not push out each other.

/// Bytes kept, unless told otherwise: a browser has less to spare.
pub(super) const BYTES: usize = if cfg!(target_arch = "wasm32") {
    48 << 20
} else {
    256 << 20
};

/// Rows of numbers by the tokens that they are of.
#[derive(Debug)]
pub(super) struct Kept {
    budget: usize,
    bytes: usize,
    /// By tokens. Thousands at most: a forward pass costs more than moving or asking them all.
    rows: Vec<Row>,
    /// Counts calls.
    call: u32,
}

#[derive(Debug)]
struct Row {
    tokens: Box<[u32]>,
    numbers: Vec<f32>,
    /// The call that used it last.
    used: u32,
}

impl Row {
    fn bytes(&self) -> usize {
        size_of_val(&*self.tokens) + size_of_val(&*self.numbers)
    }
}

impl Kept {
    pub(super) fn new(budget: usize) -> Self {
        Self {
            budget,
            bytes: 0,
            rows: Vec::new(),
            call: 0,
        }
    }

    /// Says that a call begins.
    pub(super) fn begin(&mut self) {
        self.call += 1;
    }

    /// What these tokens were, if it is known.
    pub(super) fn get(&mut self, tokens: &[u32]) -> Option<&[f32]> {
        let place = self.place(tokens).ok()?;
        let row = &mut self.rows[place];
        row.used = self.call;
        Some(&row.numbers)
    }

    /// Keeps a row, if there is room for it or can be made.
    pub(super) fn put(&mut self, tokens: &[u32], numbers: Vec<f32>) {
        let row = Row {
            tokens: tokens.into(),
            numbers,
            used: self.call,
        };
        if self.place(tokens).is_ok() || row.bytes() > self.budget {
            return;
        }
        while self.bytes + row.bytes() > self.budget {
            let (place, oldest) = match self.rows.iter().enumerate().min_by_key(|(_, row)| row.used)
            {
                Some((place, oldest)) => (place, oldest.used),
                None => return,
            };
            if oldest == self.call {
                return;
            }
            self.bytes -= self.rows.remove(place).bytes();
        }
        if let Err(place) = self.place(tokens) {
            self.bytes += row.bytes();
            self.rows.insert(place, row);
        }
    }

    /// Where the row of these tokens is, or would be.
    fn place(&self, tokens: &[u32]) -> Result<usize, usize> {
        self.rows.binary_search_by(|row| (*row.tokens).cmp(tokens))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of four bytes of key and sixteen of numbers.
    fn row(number: u32) -> Vec<f32> {
        vec![number as f32; 4]
    }

    fn known(kept: &mut Kept, of: core::ops::Range<u32>) -> Vec<u32> {
        of.filter(|&key| kept.get(&[key]).is_some_and(|found| found == row(key)))
            .collect()
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let mut kept = Kept::new(60);
        kept.begin();
        [2, 0, 1].iter().for_each(|&key| kept.put(&[key], row(key)));
        kept.begin();
        assert!(kept.get(&[0]).is_some() && kept.get(&[2]).is_some());
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
