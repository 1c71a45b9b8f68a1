//! The one place that asks a language model: cache first, then the budget, then the call, then
//! the answer into the cache before anybody reads it.
//!
//! So an interrupted run, run again, pays only for what it had not yet asked. An answer that
//! cannot be read gets one repair attempt (also cached); after that the item dies, not the run.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::answer::{Answer, read};
use super::prompt::{Family, fence};
use crate::error::Error;
use crate::llm::{Llm, LlmAnswer, LlmImage, LlmRequest};

/// Keeps answers by request.
#[expect(
    async_fn_in_trait,
    reason = "WASM futures are not Send; callers are generic over the cache"
)]
pub trait Cache {
    /// The answer kept under `key` (64 hexadecimal digits).
    ///
    /// # Errors
    /// The store's; the run stops.
    async fn get(&self, key: &str) -> Result<Option<LlmAnswer>, Error>;

    /// Keeps an answer, durably when this returns.
    ///
    /// # Errors
    /// The store's; the run stops, for what is paid next could not be kept either.
    async fn put(&self, key: &str, answer: &LlmAnswer) -> Result<(), Error>;
}

/// Keeps answers as long as it lives.
#[derive(Debug, Default)]
pub struct MemoryCache(RefCell<HashMap<String, LlmAnswer>>);

impl Cache for MemoryCache {
    async fn get(&self, key: &str) -> Result<Option<LlmAnswer>, Error> {
        Ok(self.0.borrow().get(key).cloned())
    }

    async fn put(&self, key: &str, answer: &LlmAnswer) -> Result<(), Error> {
        self.0.borrow_mut().insert(key.to_owned(), answer.clone());
        Ok(())
    }
}

/// A language model and the names it goes by in requests' keys and in exports.
#[derive(Debug)]
pub struct Seat<'a, L> {
    /// The model.
    pub llm: &'a L,
    /// Who serves it, never with a key or a URL's credentials.
    pub provider: &'a str,
    /// The model's name there.
    pub model: &'a str,
}

/// What may be spent; `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Budget {
    /// Paid calls.
    pub calls: Option<u64>,
    /// Tokens read and written.
    pub tokens: Option<u64>,
    /// Money, in the currency of `prices`.
    pub cost: Option<f64>,
    /// What a token costs.
    pub prices: Prices,
}

/// What a million tokens cost, in any currency, at least 0.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Prices {
    /// Of a million tokens read.
    pub input: f64,
    /// Of a million tokens written.
    pub output: f64,
}

impl Prices {
    /// The cost of a call.
    #[must_use]
    pub fn cost(&self, input_tokens: u64, output_tokens: u64) -> f64 {
        (input_tokens as f64 * self.input + output_tokens as f64 * self.output) / 1e6
    }
}

/// Tokens read and written, known or estimated.
#[derive(Debug, Clone, Copy)]
struct Tokens {
    input: u64,
    output: u64,
}

/// A budget and what is spent of it. Pages that share one share the budget.
///
/// Before a call its cost is estimated (a token for three bytes of the prompt, and for 500 pixels
/// of an image, and the longest answer) and refused when it might go over; afterwards the provider's own count stands, or the
/// estimate where it gives none. Only a provider that writes more than it was allowed to, or a
/// script with more tokens than that, can go over, by one call.
#[derive(Debug, Default)]
pub struct Ledger {
    budget: Budget,
    calls: AtomicU64,
    tokens: AtomicU64,
    /// In billionths, rounded up: sums of floats would drift.
    cost: AtomicU64,
}

impl Ledger {
    /// Nothing spent yet.
    #[must_use]
    pub fn new(budget: Budget) -> Self {
        Self {
            budget,
            ..Self::default()
        }
    }

    /// Calls and tokens spent.
    #[must_use]
    pub fn spent(&self) -> (u64, u64) {
        (self.calls.load(Relaxed), self.tokens.load(Relaxed))
    }

    /// Money spent, by the budget's prices.
    #[must_use]
    pub fn cost(&self) -> f64 {
        self.cost.load(Relaxed) as f64 / 1e9
    }

    fn billionths(&self, tokens: Tokens) -> u64 {
        (self.budget.prices.cost(tokens.input, tokens.output) * 1e9).ceil() as u64
    }

    fn reserve(&self, tokens: Tokens) -> Result<(), Error> {
        let Budget { calls, cost, .. } = self.budget;
        let both = tokens.input + tokens.output;
        take(&self.calls, 1, calls, "calls")?;
        take(&self.tokens, both, self.budget.tokens, "tokens").inspect_err(|_| {
            self.calls.fetch_sub(1, Relaxed);
        })?;
        let limit = cost.map(|cost| (cost * 1e9) as u64);
        let what = "billionths of the currency";
        take(&self.cost, self.billionths(tokens), limit, what).inspect_err(|_| {
            self.calls.fetch_sub(1, Relaxed);
            self.tokens.fetch_sub(both, Relaxed);
        })
    }

    fn settle(&self, reserved: Tokens, spent: Tokens) {
        let pay = |account: &AtomicU64, spent: u64, reserved: u64| {
            account.fetch_add(spent, Relaxed);
            account.fetch_sub(reserved, Relaxed);
        };
        let sum = |tokens: Tokens| tokens.input + tokens.output;
        pay(&self.tokens, sum(spent), sum(reserved));
        pay(
            &self.cost,
            self.billionths(spent),
            self.billionths(reserved),
        );
    }
}

fn take(account: &AtomicU64, n: u64, limit: Option<u64>, what: &str) -> Result<(), Error> {
    let add = |spent: u64| Some(spent + n).filter(|&sum| limit.is_none_or(|limit| sum <= limit));
    match account.fetch_update(Relaxed, Relaxed, add) {
        Ok(_) => Ok(()),
        Err(spent) => Err(Error::Budget {
            what: format!(
                "{spent} of {} {what} are spent, the next call may need {n}",
                limit.unwrap_or(0)
            ),
        }),
    }
}

/// What a run asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LlmUsage {
    /// Answers from the model.
    pub calls: u64,
    /// Answers from the cache.
    pub cached: u64,
    /// Repair attempts, cached or not.
    pub repairs: u64,
    /// Tokens read, as the provider counts; cached answers not included.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
}

/// A question to a model.
pub(crate) struct Question<'a> {
    pub(crate) family: Family,
    pub(crate) values: &'a [(&'a str, &'a str)],
    /// What the prompt speaks of as attached.
    pub(crate) images: &'a [LlmImage],
    pub(crate) max_tokens: u32,
    pub(crate) temperature: f32,
}

/// Cache, budget and count.
pub(crate) struct Desk<'a, C> {
    pub(crate) cache: &'a C,
    pub(crate) ledger: &'a Ledger,
    pub(crate) usage: LlmUsage,
}

impl<C: Cache> Desk<'_, C> {
    /// The answer, or `None` when it could not be read and not be repaired.
    pub(crate) async fn ask<T: Answer, L: Llm>(
        &mut self,
        seat: &Seat<'_, L>,
        question: &Question<'_>,
    ) -> Result<Option<T>, Error> {
        let (system, user) = question.family.fill(question.values);
        let schema = T::schema();
        let request = LlmRequest {
            system,
            user,
            images: question.images.to_vec(),
            schema: Some(schema.clone()),
            max_tokens: Some(question.max_tokens),
            temperature: question.temperature,
        };
        let first = self.complete(seat, &request).await?;
        let complaint = match read::<T>(&first.text) {
            Ok(answer) => return Ok(Some(answer)),
            Err(complaint) => complaint,
        };
        self.usage.repairs += 1;
        let (system, user) = Family::Repair.fill(&[
            ("answer", &fence("answer", &first.text)),
            ("complaint", &complaint),
            ("schema", &schema.to_string()),
        ]);
        let repair = LlmRequest {
            system,
            user,
            // The broken answer has what was seen.
            images: Vec::new(),
            temperature: 0.0,
            ..request
        };
        let second = self.complete(seat, &repair).await?;
        Ok(read::<T>(&second.text).ok())
    }

    async fn complete<L: Llm>(
        &mut self,
        seat: &Seat<'_, L>,
        request: &LlmRequest,
    ) -> Result<LlmAnswer, Error> {
        let key = request_key(seat.provider, seat.model, request);
        if let Some(answer) = self.cache.get(&key).await? {
            self.usage.cached += 1;
            return Ok(answer);
        }
        let longest = u64::from(request.max_tokens.unwrap_or(0));
        let bytes = request.system.len() + request.user.len();
        let reserved = Tokens {
            input: (bytes as u64).div_ceil(3) + request.image_tokens(),
            output: longest,
        };
        self.ledger.reserve(reserved)?;
        // A call that fails may have been paid for: its reservation stands.
        let answer = seat.llm.complete(request).await?;
        self.usage.calls += 1;
        self.usage.input_tokens += answer.input_tokens;
        self.usage.output_tokens += answer.output_tokens;
        let spent = match answer.input_tokens + answer.output_tokens {
            0 => Tokens {
                output: (answer.text.len() as u64).div_ceil(3),
                ..reserved
            },
            _ => Tokens {
                input: answer.input_tokens,
                output: answer.output_tokens,
            },
        };
        self.ledger.settle(reserved, spent);
        self.cache.put(&key, &answer).await?;
        Ok(answer)
    }
}

/// The cache's key of a request to a model: SHA-256 of all that decides the answer.
#[must_use]
pub fn request_key(provider: &str, model: &str, request: &LlmRequest) -> String {
    let mut parts = serde_json::json!([
        provider,
        model,
        request.system,
        request.user,
        request.schema,
        request.max_tokens,
        request.temperature.to_bits(),
    ]);
    // Keys of requests without images are older than images.
    if let (false, Some(parts)) = (request.images.is_empty(), parts.as_array_mut()) {
        let digest = |image: &LlmImage| format!("{:x}", Sha256::digest(&image.data));
        let images: Vec<String> = request.images.iter().map(digest).collect();
        parts.push(images.into());
    }
    format!("{:x}", Sha256::digest(parts.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::MediaType;

    fn tokens(input: u64, output: u64) -> Tokens {
        Tokens { input, output }
    }

    #[test]
    fn a_budget_is_never_exceeded_and_a_refused_call_costs_nothing() {
        let ledger = Ledger::new(Budget {
            calls: Some(3),
            tokens: Some(100),
            ..Budget::default()
        });
        assert_eq!(ledger.reserve(tokens(50, 10)), Ok(()));
        let error = ledger.reserve(tokens(10, 40)).unwrap_err();
        assert_eq!((error.code(), ledger.spent()), ("budget", (1, 60)));
        ledger.settle(tokens(50, 10), tokens(8, 2));
        assert_eq!(ledger.reserve(tokens(50, 0)), Ok(()));
        assert_eq!(ledger.reserve(tokens(0, 40)), Ok(()));
        assert!(ledger.reserve(tokens(0, 0)).is_err(), "three calls are all");
        assert_eq!(ledger.spent(), (3, 100));
    }

    #[test]
    fn money_is_reserved_at_the_most_and_settled_at_what_was_used() {
        let ledger = Ledger::new(Budget {
            cost: Some(0.02),
            prices: Prices {
                input: 2.0,
                output: 10.0,
            },
            ..Budget::default()
        });
        assert_eq!(ledger.reserve(tokens(1000, 1000)), Ok(()));
        let error = ledger.reserve(tokens(1000, 1000)).unwrap_err();
        assert_eq!((error.code(), ledger.spent()), ("budget", (1, 2000)));
        assert!((ledger.cost() - 0.012).abs() < 1e-9, "{}", ledger.cost());
        ledger.settle(tokens(1000, 1000), tokens(1000, 100));
        assert!((ledger.cost() - 0.003).abs() < 1e-9, "{}", ledger.cost());
        assert_eq!(ledger.reserve(tokens(1000, 1000)), Ok(()));
    }

    #[test]
    fn the_key_changes_with_everything_that_decides_the_answer() {
        let base = LlmRequest {
            user: "u".into(),
            max_tokens: Some(5),
            ..LlmRequest::default()
        };
        let mut keys = vec![
            request_key("p", "m", &base),
            request_key("p", "n", &base),
            request_key("q", "m", &base),
        ];
        let image = |byte: u8| LlmImage {
            media_type: MediaType::Png,
            data: [byte; 4].as_slice().into(),
            width: 2,
            height: 2,
        };
        for images in [
            vec![image(1)],
            vec![image(2)],
            vec![image(1), image(2)],
            vec![image(2), image(1)],
        ] {
            let request = LlmRequest {
                images,
                ..base.clone()
            };
            keys.push(request_key("p", "m", &request));
        }
        let changes: [fn(&mut LlmRequest); 5] = [
            |r| r.system = "s".into(),
            |r| r.user = "v".into(),
            |r| r.schema = Some(serde_json::json!({})),
            |r| r.max_tokens = None,
            |r| r.temperature = 0.5,
        ];
        for change in changes {
            let mut request = base.clone();
            change(&mut request);
            keys.push(request_key("p", "m", &request));
        }
        assert!(keys.iter().all(|key| key.len() == 64));
        assert_eq!(request_key("p", "m", &base.clone()), keys[0]);
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 12);
    }
}
