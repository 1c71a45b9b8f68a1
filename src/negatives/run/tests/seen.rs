//! Pages with an image: who sees it, what there is without text, and what it costs.

use super::super::super::generate_by_rules;
use super::*;
use crate::llm::{LlmImage, MediaType};

fn image() -> LlmImage {
    LlmImage {
        media_type: MediaType::Jpeg,
        data: [1, 2, 3].as_slice().into(),
        width: 1000,
        height: 1500,
    }
}

fn seen(text: String) -> Job {
    Job {
        image: Some(image()),
        ..job(text)
    }
}

/// No page is found for any query.
struct Nowhere;

impl Consistency for Nowhere {
    async fn rank(&self, _: &str) -> Result<Option<usize>, Error> {
        Ok(None)
    }
}

#[test]
fn whoever_writes_positives_rewrites_or_verifies_sees_the_image_and_nobody_else() {
    for text in [String::new(), page()] {
        let script = Script::new(Mood::Perfect);
        let outcome = run_once(&script, &seen(text.clone()), &settings());
        assert_eq!((outcome.stopped, outcome.groups.len()), (None, 3));
        let mut seeing = 0;
        for request in script.seen.borrow().iter() {
            let schema = request.schema.as_ref().unwrap()["properties"].to_string();
            let rewrites = request.system.contains("vague");
            let sees = schema.contains("plan") || schema.contains("verdicts") || rewrites;
            let images = if sees { vec![image()] } else { Vec::new() };
            assert_eq!(request.images, images, "{schema}");
            assert_eq!(request.user.contains("attached as an image"), sees);
            let reads = request.user.contains("Holm5 had 38 water mills");
            assert_eq!(reads, sees && !text.is_empty(), "{schema}");
            seeing += usize::from(sees);
        }
        assert!(seeing >= 9, "{seeing}");
    }
}

#[test]
fn a_page_without_text_is_not_looked_for_nor_scored_and_keeps_the_model_s_order() {
    let script = Script::new(Mood::Perfect);
    let (cache, ledger) = (MemoryCache::default(), Ledger::default());
    let seams = seams(&script, &Nowhere, &cache, &ledger);
    let blind = run_through(&seams, &seen(" \n".into()), &settings());
    assert_eq!(blind.groups.len(), 3);
    for group in &blind.groups {
        assert_eq!((group.positive.score, &group.positive.span), (None, &None));
        assert!(group.positive.answer.is_some());
        let negatives: Vec<&str> = group.negatives.iter().map(|n| n.query.as_str()).collect();
        assert!(negatives[0].contains("2019") && negatives[1].contains("2018"));
        let judged = |n: &Negative| n.score.is_some() || n.margin.is_some();
        assert!(negatives.len() == 3 && !group.negatives.iter().any(judged));
    }
    assert_eq!(discrimination(&blind.groups), None);
    // With a text it is looked for like any other, and lost here.
    let lost = run_through(&seams, &seen(page()), &settings());
    assert_eq!(lost.funnel.positives.dead_of(Death::Inconsistent), 6);
}

#[test]
fn a_repair_is_not_shown_the_image_again() {
    let script = Script::new(Mood::BrokenAlways);
    run_once(&script, &seen(String::new()), &settings());
    let images: Vec<usize> = script
        .seen
        .borrow()
        .iter()
        .map(|r| r.images.len())
        .collect();
    assert_eq!(images, [1, 0]);
}

#[test]
fn an_image_is_paid_for_in_tokens_before_it_is_sent() {
    // 1000 x 1500 pixels are 3000 tokens; all else of the first question is less.
    for (tokens, calls) in [(3000, 0), (8000, 1)] {
        let script = Script::new(Mood::Perfect);
        let ledger = Ledger::new(Budget {
            tokens: Some(tokens),
            ..Budget::default()
        });
        let cache = MemoryCache::default();
        run_with(&script, &seen(String::new()), &settings(), &cache, &ledger);
        let asked = script.seen.borrow().len();
        assert_eq!(asked.min(1), calls, "{tokens}");
    }
}

#[test]
fn the_rules_refuse_a_page_that_is_only_an_image() {
    let (job, settings) = (seen(String::new()), settings());
    let run = generate_by_rules(&job, &Overlap, &settings, async |_| Ok(()));
    let error = pollster::block_on(run).unwrap_err();
    assert_eq!(error.code(), "invalid_argument");
    assert!(error.to_string().contains("language model"), "{error}");
}
