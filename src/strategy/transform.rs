//! Query transforms: a language model makes the query plainer, or takes it apart, before anything
//! is judged. One call each; a transform that fails leaves the query as it is, with a warning.

use serde_json::{Value, json};

use super::answer::object;
use super::prompt::{Labels, Listing};
use super::question::closed;
use super::session::Session;
use crate::error::Error;
use crate::llm::LlmRequest;

/// Longest query or facet that is taken from an answer, in characters.
const LONGEST: usize = 400;

/// The query rewritten in the light of the first `context` documents.
///
/// # Errors
/// `invalid_argument` without an LLM; the LLM's and the observer's.
pub(super) async fn rewritten(
    session: &mut Session<'_>,
    context: usize,
) -> Result<Option<String>, Error> {
    let shown: Vec<usize> = (0..context.min(session.len())).collect();
    let schema = closed(&[("query", json!({"type": "string"}))]);
    let template = include_str!("prompts/rewrite.txt");
    let request = request(session, template, &shown, &[], schema);
    let query = session.converse(request, |text| {
        let fields = object(text)?;
        fields.get("query").and_then(line).ok_or_else(|| {
            format!("the field \"query\" must be a text of 1 to {LONGEST} characters")
        })
    });
    let query = query.await?;
    session.extras.queries.extend(query.clone());
    Ok(query)
}

/// Up to `most` parts of the query; none when the transform fails.
///
/// # Errors
/// As [`rewritten`].
pub(super) async fn facets(session: &mut Session<'_>, most: usize) -> Result<Vec<String>, Error> {
    let schema = closed(&[(
        "facets",
        json!({"type": "array", "items": {"type": "string"}}),
    )]);
    let count = most.to_string();
    let template = include_str!("prompts/facets.txt");
    let request = request(session, template, &[], &[("facet_count", &count)], schema);
    let facets = session.converse(request, |text| {
        let fields = object(text)?;
        let facets: Option<Vec<String>> = (fields.get("facets").and_then(Value::as_array))
            .and_then(|facets| facets.iter().map(line).collect());
        facets
            .filter(|facets| (1..=most).contains(&facets.len()))
            .ok_or_else(|| format!("\"facets\" must be 1 to {most} texts of up to {LONGEST}"))
    });
    let facets = facets.await?.unwrap_or_default();
    session.extras.queries.clone_from(&facets);
    Ok(facets)
}

fn request(
    session: &Session<'_>,
    template: &str,
    shown: &[usize],
    more: &[(&str, &str)],
    schema: Value,
) -> LlmRequest {
    let listing = Listing {
        query: session.task.query,
        documents: session.excerpts(shown),
        scores: Vec::new(),
        labels: Labels::Numbers,
    };
    LlmRequest {
        system: listing.system(more),
        user: listing.fill(template, more),
        images: Vec::new(),
        schema: Some(schema),
        max_tokens: session.task.limits.answer_tokens,
        temperature: 0.0,
    }
}

/// A text of one line: what is taken from a model must not look like structure in a later prompt.
fn line(value: &Value) -> Option<String> {
    let text = value
        .as_str()?
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    (!text.is_empty() && text.chars().count() <= LONGEST).then_some(text)
}
