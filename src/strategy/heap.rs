//! The top of a list by heapsort, asking only which of a node and its children is best.
//!
//! As in Zhuang et al. 2024 (Setwise, arXiv:2310.09497). Cost: one pick a level, see
//! [`most_picks`]; a heap of higher arity is flatter, with larger picks.

use crate::error::Error;

/// The best `k` of `0..n`, best first; fewer when a pick finds the limit reached.
///
/// `best` is given a node and its children, 2 to `arity + 1` items, and names the place of the best
/// among them, or `None` to stop.
///
/// # Errors
/// Those of `best`.
pub(super) async fn top(
    n: usize,
    arity: usize,
    k: usize,
    mut best: impl AsyncFnMut(&[usize]) -> Result<Option<usize>, Error>,
) -> Result<Vec<usize>, Error> {
    let mut heap: Vec<usize> = (0..n).collect();
    let mut top = Vec::new();
    let parents = n.saturating_sub(1).div_ceil(arity);
    for node in (0..parents).rev() {
        if !sift(&mut heap, arity, node, &mut best).await? {
            return Ok(top);
        }
    }
    while !heap.is_empty() && top.len() < k {
        top.push(heap.swap_remove(0));
        if top.len() == k || !sift(&mut heap, arity, 0, &mut best).await? {
            break;
        }
    }
    Ok(top)
}

/// Lets the item at `node` sink to its place; `false` when `best` said to stop.
async fn sift(
    heap: &mut [usize],
    arity: usize,
    mut node: usize,
    best: &mut impl AsyncFnMut(&[usize]) -> Result<Option<usize>, Error>,
) -> Result<bool, Error> {
    loop {
        let first = arity * node + 1;
        if first >= heap.len() {
            return Ok(true);
        }
        let children = first..(first + arity).min(heap.len());
        let places: Vec<usize> = [node].into_iter().chain(children).collect();
        let items: Vec<usize> = places.iter().map(|&place| heap[place]).collect();
        let Some(winner) = best(&items).await? else {
            return Ok(false);
        };
        if winner == 0 {
            return Ok(true);
        }
        heap.swap(node, places[winner]);
        node = places[winner];
    }
}

/// Picks that [`top`] makes at most: one for each level below each parent while the heap is built
/// (fewer than `n` in all), then the heap's height for each of the `k - 1` next places.
pub(super) fn most_picks(n: usize, arity: usize, k: usize) -> usize {
    let height = |mut node: usize, n: usize| {
        let mut levels = 0;
        while arity * node + 1 < n {
            node = arity * node + 1;
            levels += 1;
        }
        levels
    };
    if k == 0 {
        return 0;
    }
    let build: usize = (0..n).map(|node| height(node, n)).sum();
    let places = (1..k.min(n)).map(|taken| height(0, n - taken));
    build + places.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn sorted(worth: &[usize], arity: usize, k: usize, limit: usize) -> (Vec<usize>, usize) {
        let mut picks = 0;
        let best = async |items: &[usize]| {
            if picks == limit {
                return Ok(None);
            }
            picks += 1;
            Ok((0..items.len()).max_by_key(|&i| worth[items[i]]))
        };
        let top = pollster::block_on(top(worth.len(), arity, k, best)).unwrap();
        (top, picks)
    }

    #[test]
    fn the_top_comes_out_sorted_within_the_bound_which_is_met() {
        for arity in 2..5 {
            for n in 0..40 {
                let mut most = 0;
                for seed in 0..30 {
                    let worth = Random::new(seed).permutation(n);
                    let k = 1 + seed as usize % (n + 2);
                    let (top, picks) = sorted(&worth, arity, k, usize::MAX);
                    let found: Vec<usize> = top.iter().map(|&item| worth[item]).collect();
                    let expected: Vec<usize> = (0..n).rev().take(k).collect();
                    assert_eq!(found, expected);
                    assert!(picks <= most_picks(n, arity, k));
                    most = most.max(picks * 100 / most_picks(n, arity, k).max(1));
                }
                assert!(n < 3 || most >= 70, "bound never near: {most}% for {n}");
            }
        }
    }

    #[test]
    fn a_stop_gives_the_places_that_are_settled() {
        let worth = Random::new(1).permutation(30);
        let (all, _) = sorted(&worth, 3, 10, usize::MAX);
        let mut lengths = Vec::new();
        for limit in 0..40 {
            let (top, picks) = sorted(&worth, 3, 10, limit);
            assert!(picks <= limit);
            assert_eq!(top, all[..top.len()]);
            lengths.push(top.len());
        }
        assert!(lengths.is_sorted());
        assert_eq!((lengths[0], lengths[39]), (0, 10));
    }
}
