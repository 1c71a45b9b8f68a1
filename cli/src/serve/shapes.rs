//! The request and answer shapes of Cohere (v1 and v2), Jina and Text Embeddings Inference. With `fields.rs` and `texts.rs` the
//! twin of www/edge/shapes.ts; tests/edge/native.test.mjs compares the two. A body with `texts` is TEI's, on whatever path it comes.

use foliorank::page::{Windows, utf16};
use foliorank::{Options, Ranking, Scores};
use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::problem::Problem;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Cohere,
    Tei,
}

/// Whether an answer has the documents in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Echo {
    Nothing,
    Documents,
}

/// A rerank request, whatever it looked like.
#[derive(Debug)]
pub(super) struct Question {
    shape: Shape,
    pub(super) query: String,
    pub(super) documents: Vec<Document>,
    pub(super) options: Options,
    echo: Echo,
}

/// A document and the fields that came with its text.
#[derive(Debug)]
pub(super) struct Document {
    text: String,
    rest: Map<String, Value>,
}

impl From<String> for Document {
    fn from(text: String) -> Self {
        let rest = Map::new();
        Self { text, rest }
    }
}

impl AsRef<str> for Document {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

fn document((index, value): (usize, Value)) -> Result<Document, Problem> {
    match value {
        Value::String(text) => Ok(text.into()),
        Value::Object(mut rest) if rest.get("text").is_some_and(Value::is_string) => {
            let text = match rest.remove("text") {
                Some(Value::String(text)) => text,
                _ => String::new(),
            };
            Ok(Document { text, rest })
        }
        other => Err(Fields::wrong(
            &format!("documents[{index}]"),
            "a string or an object with a string `text`",
            Some(&other),
        )),
    }
}

impl Question {
    /// Decodes a body; `most` documents are allowed.
    pub(super) fn decode(body: Map<String, Value>, most: usize) -> Result<Self, Problem> {
        let mut fields = Fields(body);
        let query = fields.text("query")?;
        let shape = if fields.0.contains_key("texts") {
            Shape::Tei
        } else {
            Shape::Cohere
        };
        let (documents, echo) = match shape {
            Shape::Tei => {
                let texts = fields.strings("texts", most)?.into_iter();
                let documents = texts.map(Document::from).collect();
                (documents, "return_text")
            }
            Shape::Cohere => {
                let values = fields.list("documents", most)?.into_iter().enumerate();
                let documents = values.map(document).collect::<Result<_, _>>()?;
                (documents, "return_documents")
            }
        };
        let echo = if fields.flag(echo)? {
            Echo::Documents
        } else {
            Echo::Nothing
        };
        let scores = if fields.flag("raw_scores")? {
            Scores::Raw
        } else {
            Scores::Relevance
        };
        let options = match shape {
            Shape::Tei => Options {
                scores,
                ..Options::default()
            },
            Shape::Cohere => Options {
                top_n: fields.count("top_n")?,
                scores,
                max_tokens_per_document: fields.count("max_tokens_per_doc")?,
                windows: Windows::given(fields.count("window")?, fields.count("overlap")?),
                share: None,
            },
        };
        Ok(Self {
            shape,
            query,
            documents,
            options,
            echo,
        })
    }

    /// Encodes an answer in the shape of its question.
    pub(super) fn encode(&self, ranking: &Ranking, model: &str, request_id: &str) -> Value {
        let results = ranking.results.iter().map(|result| {
            let document = &self.documents[result.index];
            // JavaScript has no single precision: the same digits as there.
            let score = f64::from(result.score);
            if self.shape == Shape::Tei {
                let mut answer = json!({"index": result.index, "score": score});
                if self.echo == Echo::Documents {
                    answer["text"] = document.text.as_str().into();
                }
                return answer;
            }
            let passage = utf16(&document.text, &result.passage);
            let mut answer = json!({
                "index": result.index, "relevance_score": score,
                "passage": {"start": passage.start, "end": passage.end},
            });
            if self.echo == Echo::Documents {
                let mut fields = document.rest.clone();
                fields.insert("text".into(), document.text.as_str().into());
                answer["document"] = fields.into();
            }
            answer
        });
        let results: Vec<Value> = results.collect();
        if self.shape == Shape::Tei {
            return results.into();
        }
        let tokens = ranking.usage.tokens;
        json!({
            "id": request_id, "model": model, "results": results,
            "usage": {"total_tokens": tokens, "prompt_tokens": tokens},
            "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}, "tokens": {"input_tokens": tokens}},
        })
    }

    /// Bytes of text to read.
    pub(super) fn bytes(&self) -> usize {
        let documents = self.documents.iter().map(|document| document.text.len());
        self.query.len() + documents.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn options_left_out_are_the_defaults_and_null_is_left_out() {
        let asked = json!({"query": "q", "documents": [], "top_n": null, "window": 64, "return_documents": null});
        let question = Question::decode(body(asked), 9).unwrap();
        assert_eq!(question.options.top_n, None);
        assert_eq!(
            question.options.windows,
            Windows {
                size: 64,
                overlap: 16
            }
        );
        assert_eq!(question.echo, Echo::Nothing);
    }
}
