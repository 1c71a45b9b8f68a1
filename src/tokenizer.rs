//! Text to WordPiece ids with the byte span of each, read from a Hugging Face `tokenizer.json`.
//!
//! The BERT family only (BertNormalizer, BertPreTokenizer, WordPiece): ids and spans equal those
//! of the Python `tokenizers` package on `tests/golden`. Ours because of the two kept crates one
//! adds 576 KB gzip to the WASM (`tokenizers` 0.23, only the BERT types) and the other neither
//! drops control characters nor separates CJK (`rten-text` 0.27, 86 KB); this adds about 40 KB.

use crate::error::Error;

mod file;
mod normalize;
mod word_piece;

use word_piece::Vocabulary;

/// A tokenizer for texts and pairs.
#[derive(Debug)]
pub struct Tokenizer {
    vocabulary: Vocabulary,
    normalizer: normalize::Normalizer,
    /// Written out in a text, these are the special token itself, as the reference has it.
    special: Vec<(String, u32)>,
    /// First token of every sequence.
    pub(crate) first: u32,
    /// Ends each text.
    pub(crate) separator: u32,
    /// Fills short rows; masked.
    pub(crate) padding: u32,
}

/// The tokens of one text, special tokens not added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Ids in the vocabulary.
    pub ids: Vec<u32>,
    /// Byte span of each token in the text: start and end.
    pub spans: Vec<(u32, u32)>,
}

impl Tokens {
    /// Number of tokens.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    fn push(&mut self, id: u32, start: usize, end: usize) {
        self.ids.push(id);
        self.spans.push((start as u32, end as u32));
    }
}

impl Tokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// `tokenizer`, naming what in the file is not BERT WordPiece.
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        file::parse(json)
    }

    /// Ids up to the largest in the vocabulary, plus one.
    #[must_use]
    pub fn vocabulary_size(&self) -> usize {
        self.vocabulary.size()
    }

    /// The tokens of `text`, at most `limit` of them; the rest of the text is not read.
    /// Cost: linear in the text read. Texts are limited to 4 GiB.
    #[must_use]
    pub fn encode(&self, text: &str, limit: usize) -> Tokens {
        let mut tokens = Tokens::default();
        let mut rest = 0;
        while rest < text.len() && tokens.len() < limit {
            let (plain_end, special) = self.next_special(text, rest);
            self.encode_plain(&text[rest..plain_end], rest, limit, &mut tokens);
            rest = plain_end;
            if let Some((content, id)) = special {
                rest += content.len();
                tokens.push(*id, plain_end, rest);
            }
        }
        tokens.ids.truncate(limit);
        tokens.spans.truncate(limit);
        tokens
    }

    /// Where the next special token starts (or the text ends), and which it is.
    fn next_special(&self, text: &str, from: usize) -> (usize, Option<&(String, u32)>) {
        // Special tokens start with a bracket: no bracket, nothing to compare.
        let starts = text[from..].match_indices('[').map(|(at, _)| from + at);
        for at in starts {
            let here = |special: &&(String, u32)| text[at..].starts_with(&special.0);
            if let Some(special) = self.special.iter().find(here) {
                return (at, Some(special));
            }
        }
        (text.len(), None)
    }

    /// Tokens of a text without special tokens; `base` is added to the spans.
    fn encode_plain(&self, text: &str, base: usize, limit: usize, tokens: &mut Tokens) {
        let mut word = word_piece::Word::default();
        for (at, raw) in text.char_indices() {
            let span = (base + at, base + at + raw.len_utf8());
            self.normalizer.each(raw, |normal| match normal {
                normalize::Normal::Space => self.vocabulary.split(&mut word, tokens),
                normalize::Normal::Alone(symbol) => {
                    self.vocabulary.split(&mut word, tokens);
                    word.push(symbol, span);
                    self.vocabulary.split(&mut word, tokens);
                }
                normalize::Normal::Letter(letter) => word.push(letter, span),
            });
            if tokens.len() >= limit {
                return;
            }
        }
        self.vocabulary.split(&mut word, tokens);
    }
}
