//! `model.json` as a type: what a model is, which files it has, and what its numbers mean.
//!
//! Parsed strictly: an unknown field, architecture or format is an error, never a guess. The
//! manifest is checked once, in [`Manifest::from_json`]; everything after may rely on it.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::error::Error;

mod source;

pub use source::{Conversion, Source, SourceFile};

/// The manifest format this library reads.
pub const FORMAT: u32 = 1;

/// A model's manifest. See `models/README.md` for the file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Always [`FORMAT`].
    pub format: u32,
    /// Folder name, lower case.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// SPDX licence of the weights.
    pub licence: String,
    /// Whose weights these are.
    pub attribution: String,
    /// Which network reads the weights.
    pub architecture: Architecture,
    /// Shape of the network.
    pub dimensions: Dimensions,
    /// How token states become one state.
    pub pooling: Pooling,
    /// Longest sequence in tokens, special tokens included.
    pub max_length: usize,
    /// What a raw score is.
    pub score: ScoreKind,
    /// What the model wants before a query, space and all; nothing where absent.
    #[serde(default)]
    pub query_prefix: String,
    /// Tokens that tell queries and documents apart, after the first; none where absent.
    #[serde(default)]
    pub markers: Option<Markers>,
    /// The two files beside the manifest.
    pub files: Files,
    /// Known answers that a device must reproduce before it is trusted.
    pub self_test: SelfTest,
    /// Where the files can be had, in the order to try; the local cache always comes first.
    #[serde(default)]
    pub sources: Vec<Source>,
}

/// The architectures; [`crate::nn::Network`] has one network for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// Query and document in one sequence, one logit.
    BertCrossEncoder,
    /// One text a sequence, one vector; the score is the cosine.
    BertBiEncoder,
    /// One text a sequence, a vector for each of its tokens; the score is MaxSim over the number of
    /// query tokens: the mean of the best cosine that each finds (ColBERT, arXiv:2004.12832).
    BertLateInteraction,
    /// One text a sequence, a weight for each word piece of the vocabulary; the score is the dot
    /// product (SPLADE, arXiv:2107.05720).
    BertSparseEncoder,
}

impl Architecture {
    /// As `model.json` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BertCrossEncoder => "bert-cross-encoder",
            Self::BertBiEncoder => "bert-bi-encoder",
            Self::BertLateInteraction => "bert-late-interaction",
            Self::BertSparseEncoder => "bert-sparse-encoder",
        }
    }

    /// Whether query and document go through the network together.
    #[must_use]
    pub fn is_pairwise(self) -> bool {
        self == Self::BertCrossEncoder
    }

    fn score(self) -> ScoreKind {
        match self {
            Self::BertCrossEncoder => ScoreKind::Logit,
            Self::BertBiEncoder | Self::BertLateInteraction => ScoreKind::Cosine,
            Self::BertSparseEncoder => ScoreKind::Dot,
        }
    }

    fn poolings(self) -> &'static [Pooling] {
        match self {
            Self::BertCrossEncoder => &[Pooling::FirstToken],
            Self::BertBiEncoder => &[Pooling::FirstToken, Pooling::Mean],
            Self::BertLateInteraction => &[Pooling::None],
            Self::BertSparseEncoder => &[Pooling::Max],
        }
    }
}

/// Shape of a BERT network.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dimensions {
    /// Word pieces.
    pub vocabulary: usize,
    /// Width of a token's state.
    pub hidden: usize,
    /// Encoder layers.
    pub layers: usize,
    /// Attention heads; divides `hidden`.
    pub heads: usize,
    /// Width inside the feed-forward.
    pub feed_forward: usize,
    /// Position embeddings; at least `max_length`.
    pub positions: usize,
    /// Segment embeddings.
    pub segments: usize,
    /// Outputs of the classifier; 1 for a cross-encoder, 0 for others.
    pub labels: usize,
    /// Epsilon of every layer norm.
    pub layer_norm_epsilon: f64,
}

/// Ids of the tokens that a network was trained to see after the first of a text: what the text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Markers {
    /// Of a query.
    pub query: u32,
    /// Of a document.
    pub document: u32,
}

/// How the token states of a sequence become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// The first token's state.
    FirstToken,
    /// The mean over tokens, padding excluded.
    Mean,
    /// Not at all: each token keeps its own.
    None,
    /// The largest over tokens, of each word piece's weight.
    Max,
}

/// What a raw score means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreKind {
    /// An unbounded logit; its sigmoid is the relevance in 0..1.
    Logit,
    /// A cosine in -1..1, or the mean of some; its positive part is the relevance.
    Cosine,
    /// A dot product of weights, 0 or more; x / (1 + x) is the relevance.
    Dot,
}

impl ScoreKind {
    /// A raw score as a relevance in 0..1. Monotone, so it never changes an order.
    #[must_use]
    pub fn relevance(self, raw: f32) -> f32 {
        match self {
            Self::Logit => 1.0 / (1.0 + (-raw).exp()),
            Self::Cosine => raw.clamp(0.0, 1.0),
            Self::Dot => raw / (1.0 + raw),
        }
    }
}

/// The files beside the manifest.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Hugging Face `tokenizer.json`.
    pub tokenizer: File,
    /// Safetensors.
    pub weights: WeightsFile,
}

/// A file with what is needed to know it is the right one.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Path beside the manifest.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// Lower-case hexadecimal SHA-256.
    pub sha256: String,
}

/// The weights file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightsFile {
    /// Path beside the manifest.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// Lower-case hexadecimal SHA-256.
    pub sha256: String,
    /// How numbers are stored, for people; the file's header decides.
    pub dtype: WeightsType,
}

/// How the weights are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightsType {
    /// 32-bit floats.
    F32,
    /// 16-bit floats.
    F16,
    /// 8-bit rows with an f32 scale each.
    Int8,
}

/// Known answers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelfTest {
    /// Largest accepted difference to a raw score.
    pub tolerance: f32,
    /// At least one.
    pub cases: Vec<KnownAnswer>,
}

/// One pair and its raw score by an independent implementation.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownAnswer {
    /// Query text.
    pub query: String,
    /// Document text; fits one window.
    pub document: String,
    /// Raw score.
    pub score: f32,
}

impl Manifest {
    /// Parses and checks a `model.json`.
    ///
    /// # Errors
    /// `manifest`, naming the field, what it must be and what it is.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        let manifest: Self = serde_json::from_str(json).map_err(|error| Error::Manifest {
            what: error.to_string(),
        })?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), Error> {
        let (d, name) = (&self.dimensions, self.architecture.name());
        let cross = self.architecture.is_pairwise();
        let require =
            |holds: bool, what: String| holds.then_some(()).ok_or(Error::Manifest { what });
        require(
            self.format == FORMAT,
            format!("format: expected {FORMAT}, found {}", self.format),
        )?;
        for (field, value) in [
            ("vocabulary", d.vocabulary),
            ("hidden", d.hidden),
            ("layers", d.layers),
            ("heads", d.heads),
            ("feed_forward", d.feed_forward),
            ("positions", d.positions),
        ] {
            require(
                value > 0,
                format!("dimensions.{field}: expected at least 1, found 0"),
            )?;
        }
        require(
            d.hidden.is_multiple_of(d.heads),
            format!(
                "dimensions.heads: expected a divisor of hidden {}, found {}",
                d.hidden, d.heads
            ),
        )?;
        require(
            d.layer_norm_epsilon > 0.0 && d.layer_norm_epsilon < 1.0,
            format!(
                "dimensions.layer_norm_epsilon: expected 0..1, found {}",
                d.layer_norm_epsilon
            ),
        )?;
        require(
            d.segments >= if cross { 2 } else { 1 },
            format!(
                "dimensions.segments: expected 2 for a pair, 1 for a text, found {}",
                d.segments
            ),
        )?;
        require(
            d.labels == usize::from(cross),
            format!(
                "dimensions.labels: expected 1 for a cross-encoder, 0 for others, found {}",
                d.labels
            ),
        )?;
        require(
            (16..=d.positions).contains(&self.max_length),
            format!(
                "max_length: expected 16..={} (positions), found {}",
                d.positions, self.max_length
            ),
        )?;
        let (score, poolings) = (self.architecture.score(), self.architecture.poolings());
        require(
            self.score == score,
            format!(
                "score: expected {score:?} for {name}, found {:?}",
                self.score
            ),
        )?;
        require(
            poolings.contains(&self.pooling),
            format!(
                "pooling: expected one of {poolings:?} for {name}, found {:?}",
                self.pooling
            ),
        )?;
        let marked = self.markers.is_none_or(|m| {
            !cross
                && [m.query, m.document]
                    .iter()
                    .all(|&id| (id as usize) < d.vocabulary)
        });
        require(
            marked,
            format!(
                "markers: expected ids below {} and no cross-encoder, found {:?} for {name}",
                d.vocabulary, self.markers
            ),
        )?;
        require(
            !self.self_test.cases.is_empty() && self.self_test.tolerance > 0.0,
            "self_test: expected at least one case and a positive tolerance".into(),
        )
    }

    /// Number of weights, biases included.
    #[must_use]
    pub fn parameters(&self) -> usize {
        let d = &self.dimensions;
        let (h, f) = (d.hidden, d.feed_forward);
        let linear = |input: usize, output: usize| (input + 1) * output;
        let layer = linear(h, 3 * h) + linear(h, h) + linear(h, f) + linear(f, h) + 4 * h;
        let head = match self.architecture {
            Architecture::BertCrossEncoder => linear(h, h) + linear(h, d.labels),
            Architecture::BertBiEncoder | Architecture::BertLateInteraction => 0,
            Architecture::BertSparseEncoder => linear(h, h) + 2 * h + d.vocabulary,
        };
        (d.vocabulary + d.positions + d.segments) * h + 2 * h + d.layers * layer + head
    }

    /// The same network cut down to one layer and a few words, for timing a device.
    #[must_use]
    pub fn probe(&self) -> Self {
        let mut probe = self.clone();
        probe.dimensions.layers = 1;
        probe.dimensions.vocabulary = 8;
        probe
    }
}

/// Checks that `bytes` are the named file.
///
/// # Errors
/// `checksum`, when size or SHA-256 differ.
pub fn verify(path: &str, size: u64, sha256: &str, bytes: &[u8]) -> Result<(), Error> {
    verify_digest(path, size, sha256, bytes, None)
}

/// As [`verify`], with the SHA-256 of `bytes` where somebody has computed it.
pub(crate) fn verify_digest(
    path: &str,
    size: u64,
    sha256: &str,
    bytes: &[u8],
    digest: Option<String>,
) -> Result<(), Error> {
    let differs = |expected: String, found: String| Error::Checksum {
        file: path.into(),
        expected,
        found,
    };
    if bytes.len() as u64 != size {
        let found = bytes.len();
        return Err(differs(format!("{size} bytes"), format!("{found} bytes")));
    }
    let found = digest.unwrap_or_else(|| {
        let digest = Sha256::digest(bytes);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    });
    if found == sha256 {
        Ok(())
    } else {
        Err(differs(
            format!("sha256 {sha256}"),
            format!("sha256 {found}"),
        ))
    }
}
