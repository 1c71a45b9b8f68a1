//! Whether a positive finds its own page: the consistency filter of `CoRNStack` (arXiv:2412.01007).

use crate::error::Error;
use crate::retrieval::Bm25;

/// Ranks the page in question for a query, among the pages that the caller has.
#[expect(
    async_fn_in_trait,
    reason = "WASM futures are not Send; callers are generic over the retriever"
)]
pub trait Consistency {
    /// 1-based rank of the page; `None` when it was not found at all.
    ///
    /// # Errors
    /// The retriever's; the run stops.
    async fn rank(&self, query: &str) -> Result<Option<usize>, Error>;
}

/// There is no other page, so the page is always first.
#[derive(Debug, Clone, Copy, Default)]
pub struct OnlyPage;

impl Consistency for OnlyPage {
    async fn rank(&self, _query: &str) -> Result<Option<usize>, Error> {
        Ok(Some(1))
    }
}

/// The page among others, by BM25; always first where it is the only one.
#[derive(Debug, Clone, Copy)]
pub struct AmongPages<'a> {
    /// All pages, the one in question too.
    pub index: &'a Bm25,
    /// Its number there.
    pub document: usize,
    /// How far down it is looked for.
    pub within: usize,
}

impl Consistency for AmongPages<'_> {
    async fn rank(&self, query: &str) -> Result<Option<usize>, Error> {
        if self.index.len() == 1 {
            return Ok(Some(1));
        }
        let hits = self.index.search(query, self.within);
        let place = (hits.iter()).position(|hit| hit.document as usize == self.document);
        Ok(place.map(|place| place + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieval::Analysis;
    use crate::retrieval::bm25::Parameters;

    fn rank(pages: &[&str], document: usize, within: usize, query: &str) -> Option<usize> {
        let mut index = Bm25::new(Analysis::ENGLISH, Parameters::default()).unwrap();
        for page in pages {
            index.add(page).unwrap();
        }
        let among = AmongPages {
            index: &index,
            document,
            within,
        };
        pollster::block_on(among.rank(query)).unwrap()
    }

    #[test]
    fn a_page_has_its_place_among_all_and_none_below_the_limit() {
        let pages = ["a mill by a mill", "one mill in a long text", "a bridge"];
        assert_eq!(rank(&pages, 0, 2, "mill"), Some(1));
        assert_eq!(rank(&pages, 1, 2, "mill"), Some(2));
        assert_eq!(rank(&pages, 1, 1, "mill"), None);
        assert_eq!(rank(&pages, 2, 3, "mill"), None);
    }

    #[test]
    fn the_only_page_is_first_whatever_is_asked() {
        assert_eq!(rank(&["a bridge"], 0, 1, "mill"), Some(1));
    }
}
