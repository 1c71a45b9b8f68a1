//! A long page as overlapping windows of tokens, and windows' scores as the page's score.
//!
//! A page that fits the model is one window. A longer one is cut into windows of a fixed size on
//! token boundaries; the page scores what its best window scores (MaxP: Dai & Callan 2019,
//! arXiv:1905.09217), and that window is the page's best passage.

use core::ops::Range;

use serde::Deserialize;

use crate::error::Error;

/// How pages that do not fit are cut. Sizes in tokens of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// Tokens in a window; never more than the model has room for.
    pub size: usize,
    /// Tokens that a window shares with the one before it; less than `size`.
    pub overlap: usize,
}

impl Default for Windows {
    /// 192 and 48: the best of those measured on real multi-domain pages.
    fn default() -> Self {
        Self {
            size: 192,
            overlap: 48,
        }
    }
}

impl Windows {
    /// The sizes a caller gave, and the default for what it left out. An overlap left out is at
    /// most a quarter of the window.
    #[must_use]
    pub fn given(size: Option<usize>, overlap: Option<usize>) -> Self {
        let usual = Self::default();
        let size = size.unwrap_or(usual.size);
        let overlap = overlap.unwrap_or(usual.overlap.min(size / 4));
        Self { size, overlap }
    }

    /// Checks the sizes.
    ///
    /// # Errors
    /// `invalid_argument` when the window is shorter than 8 tokens or the overlap not under it.
    pub fn check(self) -> Result<Self, Error> {
        if self.size < 8 {
            return Err(Error::argument("window", "at least 8 tokens", self.size));
        }
        if self.overlap >= self.size {
            let expected = format!("less than the window of {} tokens", self.size);
            return Err(Error::argument("overlap", expected, self.overlap));
        }
        Ok(self)
    }

    /// Token ranges that cover a page of `tokens`, for a model with `room` tokens beside the query.
    /// The last window ends with the page and is full, so no passage is judged on a stub.
    /// An empty page has one empty window.
    #[must_use]
    pub fn cut(self, tokens: usize, room: usize) -> Vec<Range<usize>> {
        if tokens <= room {
            return core::iter::once(0..tokens).collect();
        }
        let size = self.size.min(room).max(1);
        // A window that the query leaves less room than was asked for shares as large a part of it:
        // with the same overlap a long query would make a window of nearly every token.
        let overlap = self.overlap as u64 * size as u64 / self.size.max(1) as u64;
        let stride = size - (overlap as usize).min(size - 1);
        let last = tokens - size;
        (0..last)
            .step_by(stride)
            .chain([last])
            .map(|start| start..start + size)
            .collect()
    }
}

/// A part of each page's windows, for several workers that share a long page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Which part, from 0.
    pub nth: usize,
    /// Of how many.
    pub of: usize,
}

impl Share {
    /// Checks that there is such a part.
    ///
    /// # Errors
    /// `invalid_argument`.
    pub fn check(self) -> Result<Self, Error> {
        if self.nth >= self.of {
            let expected = format!("a part below {}", self.of);
            return Err(Error::argument("share", expected, self.nth));
        }
        Ok(self)
    }

    /// The part's windows, of so many: next to each other, all parts alike in size, each window in
    /// one of them.
    #[must_use]
    pub fn windows(self, all: usize) -> Range<usize> {
        let at = |nth: usize| (nth as u64 * all as u64 / self.of.max(1) as u64) as usize;
        at(self.nth)..at(self.nth + 1)
    }
}

/// Index of the best of a page's window scores: highest first, the earlier on a tie.
#[must_use]
pub fn best(scores: &[f32]) -> usize {
    let better = |&a: &usize, &b: &usize| scores[a].total_cmp(&scores[b]).then(b.cmp(&a));
    (0..scores.len()).max_by(better).unwrap_or(0)
}

/// A span of bytes as UTF-16 code units, which is how JavaScript counts. Cost: the text up to its end.
///
/// # Panics
/// When the span is none of `text`.
#[must_use]
pub fn utf16(text: &str, span: &Range<usize>) -> Range<usize> {
    let units = |text: &str| text.chars().map(char::len_utf16).sum::<usize>();
    let start = units(&text[..span.start]);
    start..start + units(&text[span.clone()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_every_token_and_overlap_as_asked() {
        for tokens in [101, 150, 193, 1000, 4097] {
            let windows = Windows {
                size: 100,
                overlap: 30,
            }
            .cut(tokens, 100);
            assert_eq!(windows.first().map(|w| w.start), Some(0));
            assert_eq!(windows.last().map(|w| w.end), Some(tokens));
            for pair in windows.windows(2) {
                assert!(pair[1].start + 30 <= pair[0].end, "{tokens}: {pair:?}");
                assert!(pair[1].start > pair[0].start, "{tokens}: {pair:?}");
                assert_eq!(pair[1].len(), 100);
            }
        }
    }

    #[test]
    fn a_page_that_fits_is_one_window_and_an_empty_page_too() {
        for tokens in [300, 0] {
            let windows = Windows::default().cut(tokens, 300);
            assert_eq!((windows.len(), windows[0].clone()), (1, 0..tokens));
        }
    }

    #[test]
    fn a_window_never_exceeds_the_room_beside_the_query() {
        let windows = Windows {
            size: 192,
            overlap: 48,
        }
        .cut(500, 20);
        assert!(windows.iter().all(|w| w.len() <= 20));
        assert_eq!(windows.last().map(|w| w.end), Some(500));
    }

    #[test]
    fn a_window_that_the_query_makes_smaller_overlaps_by_as_large_a_part() {
        let windows = Windows::default().cut(1000, 61);
        assert_eq!((windows[0].clone(), windows[1].start), (0..61, 46));
        assert_eq!(windows.len(), 22);
        assert_eq!(Windows::default().cut(1000, 192)[1].start, 144);
    }

    #[test]
    fn every_window_is_in_one_share_and_shares_are_alike_in_size() {
        for (all, of) in [(10, 3), (2, 5), (1, 1), (0, 4), (7, 7)] {
            let shares: Vec<_> = (0..of).map(|nth| Share { nth, of }.windows(all)).collect();
            let windows: Vec<usize> = shares.iter().cloned().flatten().collect();
            assert_eq!(windows, (0..all).collect::<Vec<_>>());
            let sizes = shares.iter().map(Range::len);
            assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1);
        }
        let check = |nth, of| Share { nth, of }.check().map_err(|e| e.code());
        assert_eq!(check(2, 2), Err("invalid_argument"));
        assert_eq!(check(0, 0), Err("invalid_argument"));
        assert!(check(1, 2).is_ok());
    }

    #[test]
    fn the_earlier_window_wins_a_tie() {
        assert_eq!(best(&[0.5, 2.0, 2.0, -1.0]), 1);
        assert_eq!(best(&[]), 0);
    }

    #[test]
    fn an_overlap_left_out_suits_the_window() {
        let sizes = |size, overlap| {
            let windows = Windows::given(size, overlap);
            (windows.size, windows.overlap)
        };
        assert_eq!(sizes(None, None), (192, 48));
        assert_eq!(sizes(Some(64), None), (64, 16));
        assert_eq!(sizes(Some(400), None), (400, 48));
        assert_eq!(sizes(None, Some(7)), (192, 7));
    }

    #[test]
    fn spans_are_counted_as_javascript_counts() {
        let text = "aß🦀城 b";
        let span = text.find('城').unwrap()..text.len();
        assert_eq!(utf16(text, &span), 4..7);
    }

    #[test]
    fn a_window_that_cannot_move_forward_is_refused() {
        let error = Windows {
            size: 48,
            overlap: 48,
        }
        .check();
        assert_eq!(error.map_err(|e| e.code()), Err("invalid_argument"));
    }
}
