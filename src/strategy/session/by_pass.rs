//! Single passes of models that give more than a verdict, and the cached vectors.

use super::super::seams::AttentionPrompt;
use super::Session;
use crate::error::Error;

impl<'a> Session<'a> {
    /// A query's vector; `None` at a limit.
    ///
    /// # Errors
    /// `invalid_argument` without an embedder, the embedder's, the observer's.
    pub(in super::super) async fn embed(&mut self, text: &str) -> Result<Option<Vec<f32>>, Error> {
        let embedder = needed("embedder", self.seams.embedder)?;
        if self.room(1) == 0 {
            return Ok(None);
        }
        let vector = embedder.embed_query_boxed(text).await?;
        self.passed().await?;
        Ok(Some(vector))
    }

    /// Logits of the first letters after a prompt about `positions`; `None` at a limit.
    ///
    /// # Errors
    /// `invalid_argument` without such a model, `internal` when it answers NaN or another count,
    /// the model's, the observer's.
    pub(in super::super) async fn letters(
        &mut self,
        prompt: &str,
        positions: &[usize],
    ) -> Result<Option<Vec<f32>>, Error> {
        let letters = needed("letters", self.seams.letters)?;
        if self.room(1) == 0 {
            return Ok(None);
        }
        let logits = letters.letters_boxed(prompt, positions.len()).await?;
        if logits.len() != positions.len() || logits.iter().any(|logit| logit.is_nan()) {
            let what = format!("asked for the logits of {} letters", positions.len());
            return Err(Error::Internal { what });
        }
        self.see(positions);
        self.passed().await?;
        Ok(Some(logits))
    }

    /// Attention to each token of each document of a prompt; `None` at a limit.
    ///
    /// # Errors
    /// As [`Self::letters`].
    pub(in super::super) async fn attention(
        &mut self,
        prompt: &AttentionPrompt,
    ) -> Result<Option<Vec<Vec<f32>>>, Error> {
        let attention = needed("attention", self.seams.attention)?;
        if self.room(1) == 0 {
            return Ok(None);
        }
        let found = attention.attention_boxed(prompt).await?;
        let has_nan = found.iter().flatten().any(|weight| weight.is_nan());
        if found.len() != prompt.documents.len() || has_nan {
            let what = format!(
                "asked for attention to {} documents",
                prompt.documents.len()
            );
            return Err(Error::Internal { what });
        }
        self.passed().await?;
        Ok(Some(found))
    }

    async fn passed(&mut self) -> Result<(), Error> {
        self.cost.passes += 1;
        self.step().await
    }

    /// The query's vector and those of all candidates, each of length 1 (or all zeros).
    ///
    /// # Errors
    /// `invalid_argument` without vectors, or when their numbers or lengths differ.
    pub(in super::super) fn vectors(&mut self) -> Result<(Vec<f32>, Vec<Vec<f32>>), Error> {
        let vectors = needed("vectors", self.seams.vectors)?;
        let (rows, length) = (vectors.documents, vectors.query.len());
        let all = self.task.documents.len();
        if rows.len() != all || rows.iter().any(|row| row.len() != length) {
            let expected = format!("{all} vectors as long as the query's {length}");
            let found = format!("{} of other lengths", rows.len());
            return Err(Error::argument("vectors", expected, found));
        }
        self.saw_all();
        let documents = (self.candidates.iter()).map(|&index| unit(rows[index]));
        Ok((unit(vectors.query), documents.collect()))
    }

    /// The anchor queries' scores of all candidates, a row a query.
    ///
    /// # Errors
    /// `invalid_argument` without anchors, or when a row is not a score for each document.
    pub(in super::super) fn anchors(&self) -> Result<Vec<Vec<f64>>, Error> {
        let rows = needed("anchors", self.seams.anchors)?;
        let all = self.task.documents.len();
        let fits = |row: &&[f32]| row.len() == all && row.iter().all(|score| score.is_finite());
        if rows.is_empty() || !rows.iter().all(fits) {
            let expected = format!("rows of {all} finite scores");
            return Err(Error::argument("anchors", expected, "other rows"));
        }
        let pick = |row: &&[f32]| -> Vec<f64> {
            (self.candidates.iter().map(|&index| f64::from(row[index]))).collect()
        };
        Ok(rows.iter().map(pick).collect())
    }
}

fn needed<T>(name: &'static str, seam: Option<T>) -> Result<T, Error> {
    seam.ok_or_else(|| Error::argument(name, "what this strategy needs", "none"))
}

/// `vector` at length 1; zeros stay zeros.
pub(in super::super) fn unit(vector: &[f32]) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    let scale = if length > 0.0 { length.recip() } else { 0.0 };
    vector.iter().map(|x| x * scale).collect()
}
