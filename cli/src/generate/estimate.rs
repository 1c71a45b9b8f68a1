//! What a run may ask for, before it asks: calls, tokens and cost, from the settings and the pages.
//!
//! Calls are the most that the pipeline makes when every answer can be read, every positive is kept
//! and no verdict is asked for again; tokens count four bytes of English each and answers of the
//! usual length, so they are a guess. A run in which candidates die, or whose answers are cached,
//! costs less.

use foliorank::llm::LlmImage;
use foliorank::negatives::{Prices, Settings};

use super::input::Input;

/// Bytes of a token.
const BYTES: usize = 4;
/// Bytes of a prompt without its data.
const PROMPT: usize = 1_100;
/// Bytes of a query, numbered.
const QUERY: usize = 90;
/// Tokens that a model writes for a query, or for a verdict with its quote.
const WRITTEN: usize = 40;

/// What a run may ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Estimate {
    pub(super) calls: u64,
    pub(super) input_tokens: u64,
    pub(super) output_tokens: u64,
}

impl Estimate {
    /// For these pages.
    pub(super) fn of(pages: &[Input], settings: &Settings) -> Self {
        let mut all = Self::default();
        for Input { page, image } in pages {
            // An image's tokens as bytes of text, for they are asked for with it.
            let seen = image.as_ref().map_or(0, LlmImage::tokens) as usize * BYTES;
            all.add_page(page.text.len() + seen, settings);
        }
        all
    }

    pub(super) fn cost(&self, prices: Prices) -> f64 {
        prices.cost(self.input_tokens, self.output_tokens)
    }

    fn add_page(&mut self, page: usize, settings: &Settings) {
        let kept = settings.positives.min(settings.candidates);
        self.call(page + settings.candidates * QUERY, settings.candidates);
        self.verify(page, settings.candidates, 0, settings);
        for (share, context) in [(settings.rephrase, 0), (settings.rewrite, page)] {
            let chosen = (kept as f32 * share).round() as usize;
            if chosen > 0 {
                self.call(context + chosen * QUERY, chosen);
                self.verify(page, chosen, 0, settings);
            }
        }
        for _ in 0..kept {
            let edits = settings.edits * settings.properties.len();
            if settings.variants > 0 {
                self.call(QUERY, settings.variants);
            }
            for _ in &settings.properties {
                self.call(QUERY, settings.edits);
            }
            // Beside the positive.
            self.verify(page, settings.variants + edits, 1, settings);
        }
    }

    fn verify(&mut self, page: usize, queries: usize, controls: usize, settings: &Settings) {
        let mut left = queries;
        while left > 0 {
            let batch = left.min(settings.verify_at_once);
            let items = batch + controls;
            self.call(page + items * QUERY, items);
            self.call(page + items * QUERY, items);
            left -= batch;
        }
    }

    fn call(&mut self, data: usize, items: usize) {
        self.calls += 1;
        self.input_tokens += (PROMPT + data).div_ceil(BYTES) as u64;
        self.output_tokens += (items * WRITTEN) as u64;
    }
}

#[cfg(test)]
mod tests {
    use foliorank::llm::MediaType;
    use foliorank::negatives::Page;

    use super::*;

    #[test]
    fn the_paper_s_mode_costs_what_its_stages_add_up_to() {
        let page = |text: &str| Input {
            page: Page {
                text: text.into(),
                ..Page::default()
            },
            image: None,
        };
        let settings = Settings {
            candidates: 10,
            positives: 2,
            variants: 12,
            rephrase: 0.5,
            ..Settings::default()
        };
        let one = Estimate::of(&[page("x")], &settings);
        // Positives and two verdicts; one rephrasing and two; for each of two: variants and two.
        assert_eq!(one.calls, 3 + 3 + 2 * 3);
        let two = Estimate::of(&[page("x"), page("x")], &settings);
        assert_eq!(two.calls, 2 * one.calls);
        let longer = Estimate::of(&[page(&"x".repeat(4001))], &settings);
        // The page is read by all calls but the rephrasing and the variants.
        assert_eq!(longer.input_tokens - one.input_tokens, 9 * 1000);
        let seen = Input {
            image: Some(LlmImage {
                media_type: MediaType::Png,
                data: [].into(),
                width: 1000,
                height: 500,
            }),
            ..page("x")
        };
        let seen = Estimate::of(&[seen], &settings);
        assert_eq!(seen.input_tokens - one.input_tokens, 9 * 1000);
        let prices = Prices {
            input: 1.0,
            output: 2.0,
        };
        let expected = (one.input_tokens + 2 * one.output_tokens) as f64 / 1e6;
        assert!((one.cost(prices) - expected).abs() < 1e-12);
    }
}
