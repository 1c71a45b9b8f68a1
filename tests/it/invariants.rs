//! What must never change a score: neighbours in a batch, order, padding, the device's budget.

use std::ops::Range;

use foliorank::Options;
use foliorank::page::{Share, Windows};
use foliorank::strategy::pointwise;

use crate::support::{BI, CROSS, assert_close, raw, rerank, scores, texts, tiny};

#[test]
fn a_document_scores_the_same_alone_shuffled_and_among_others() {
    for name in [CROSS, BI] {
        let reranker = tiny(name);
        let documents = texts(60);
        let together = scores(&reranker, "stone bridge", &documents);
        let alone: Vec<f32> = (documents.iter())
            .flat_map(|document| scores(&reranker, "stone bridge", &[document]))
            .collect();
        assert_close(&together, &alone, 2e-5, name);

        let order: Vec<usize> = (0..60).map(|i| (i * 37 + 11) % 60).collect();
        let shuffled: Vec<&String> = order.iter().map(|&i| &documents[i]).collect();
        let found = scores(&reranker, "stone bridge", &shuffled);
        let expected: Vec<f32> = order.iter().map(|&i| together[i]).collect();
        assert_close(&found, &expected, 2e-5, name);
    }
}

#[test]
fn results_are_sorted_cut_and_between_zero_and_one_unless_raw() {
    let reranker = tiny(CROSS);
    let documents = texts(30);
    let all = rerank(&reranker, "river", &documents, &raw())
        .unwrap()
        .results;
    assert!(all.windows(2).all(|pair| pair[0].score >= pair[1].score));
    let options = Options {
        top_n: Some(5),
        ..Options::default()
    };
    let top = rerank(&reranker, "river", &documents, &options)
        .unwrap()
        .results;
    assert_eq!(top.len(), 5);
    for (top, all) in top.iter().zip(&all) {
        assert_eq!(top.index, all.index);
        assert!((0.0..=1.0).contains(&top.score));
        let sigmoid = 1.0 / (1.0 + (-all.score).exp());
        assert!((top.score - sigmoid).abs() < 1e-6);
    }
}

#[test]
fn a_long_page_scores_what_its_best_window_scores_and_names_that_passage() {
    let reranker = tiny(CROSS);
    let page = texts(400).pop().unwrap();
    let options = Options {
        windows: Windows {
            size: 40,
            overlap: 10,
        },
        ..raw()
    };
    let ranking = rerank(&reranker, "stone bridge", &[&page], &options).unwrap();
    let result = &ranking.results[0];
    assert!(ranking.usage.passages > 10, "{:?}", ranking.usage);
    assert!(result.passage.len() < page.len() / 4);
    let passage = &page[result.passage.clone()];
    let alone = scores(&reranker, "stone bridge", &[passage]);
    assert_close(&alone, &[result.score], 2e-5, passage);
}

#[test]
fn the_best_of_all_shares_of_the_windows_is_what_all_windows_say() {
    let reranker = tiny(CROSS);
    let mut pages = texts(400);
    let pages = [pages.pop().unwrap(), "short".into(), pages.pop().unwrap()];
    let options = Options {
        windows: Windows {
            size: 40,
            overlap: 10,
        },
        ..raw()
    };
    let whole = rerank(&reranker, "stone bridge", &pages, &options).unwrap();
    for of in [1, 2, 5, 1000] {
        let mut best: Vec<Option<(f32, Range<usize>)>> = vec![None; pages.len()];
        let mut passages = 0;
        for nth in 0..of {
            let share = Some(Share { nth, of });
            let options = Options {
                share,
                ..options.clone()
            };
            let part = rerank(&reranker, "stone bridge", &pages, &options).unwrap();
            passages += part.usage.passages;
            for result in part.results {
                let known = &mut best[result.index];
                if known.as_ref().is_none_or(|known| result.score > known.0) {
                    *known = Some((result.score, result.passage));
                }
            }
        }
        assert_eq!(passages, whole.usage.passages, "{of} shares");
        for result in &whole.results {
            let (score, passage) = best[result.index].clone().unwrap();
            assert_close(&[score], &[result.score], 2e-5, "share");
            assert_eq!(passage, result.passage, "{of} shares");
        }
    }
    let share = Some(Share { nth: 2, of: 2 });
    let options = Options { share, ..options };
    let refused = rerank(&reranker, "stone bridge", &pages, &options);
    assert_eq!(refused.unwrap_err().code(), "invalid_argument");
}

#[test]
fn a_short_page_is_its_own_passage() {
    let reranker = tiny(CROSS);
    let ranking = rerank(&reranker, "river", &["  the old bridge.  ", ""], &raw()).unwrap();
    let span = |index| {
        let found = ranking.results.iter().find(|result| result.index == index);
        found.unwrap().passage.clone()
    };
    assert_eq!((span(0), span(1)), (2..17, 0..0));
}

#[test]
fn usage_counts_what_was_computed() {
    let reranker = tiny(CROSS);
    let usage = rerank(&reranker, "river", &texts(20), &raw())
        .unwrap()
        .usage;
    assert_eq!(usage.passages, 20);
    assert!(usage.tokens > 20 * 4 && usage.batches >= 1);
    assert!(usage.padded_tokens < usage.tokens, "{usage:?}");
}

#[test]
fn the_judge_seam_ranks_as_the_call_does() {
    let reranker = tiny(CROSS);
    let documents = texts(12);
    let borrowed: Vec<&str> = documents.iter().map(String::as_str).collect();
    let ranked = pollster::block_on(pointwise(&reranker, "river", &borrowed, None)).unwrap();
    let called = rerank(&reranker, "river", &documents, &raw()).unwrap();
    let order: Vec<usize> = ranked.iter().map(|r| r.index).collect();
    let expected: Vec<usize> = called.results.iter().map(|r| r.index).collect();
    assert_eq!(order, expected);
}
