//! WordPiece: a word as the longest pieces of the vocabulary, left to right.
//!
//! Schuster & Nakajima 2012, as in BERT: a word with no such division, or over the longest length,
//! is the one unknown token.

use std::collections::HashMap;

use super::Tokens;

/// The pieces: those that start a word, and those that continue one (stored without prefix).
#[derive(Debug)]
pub(super) struct Vocabulary {
    starts: HashMap<Box<str>, u32>,
    continues: HashMap<Box<str>, u32>,
    unknown: u32,
    longest_word: usize,
    longest_piece: usize,
}

/// A word being collected: its characters with the byte span each came from.
#[derive(Debug, Default)]
pub(super) struct Word {
    text: String,
    /// For each character: where it starts in `text`, and its span in the source.
    characters: Vec<(usize, (usize, usize))>,
}

impl Word {
    pub(super) fn push(&mut self, character: char, span: (usize, usize)) {
        self.characters.push((self.text.len(), span));
        self.text.push(character);
    }

    fn clear(&mut self) {
        self.text.clear();
        self.characters.clear();
    }

    /// The text of characters `from..to`.
    fn piece(&self, from: usize, to: usize) -> &str {
        let end = self.characters.get(to).map_or(self.text.len(), |c| c.0);
        &self.text[self.characters[from].0..end]
    }

    /// The source span of characters `from..to`.
    fn span(&self, from: usize, to: usize) -> (usize, usize) {
        (self.characters[from].1.0, self.characters[to - 1].1.1)
    }
}

impl Vocabulary {
    pub(super) fn new(
        pieces: HashMap<String, u32>,
        prefix: &str,
        unknown: u32,
        longest_word: usize,
    ) -> Self {
        let longest = pieces.keys().map(|piece| piece.chars().count()).max();
        let mut vocabulary = Self {
            starts: HashMap::with_capacity(pieces.len()),
            continues: HashMap::new(),
            unknown,
            longest_word,
            longest_piece: longest.unwrap_or(0),
        };
        for (piece, id) in pieces {
            if let Some(rest) = piece.strip_prefix(prefix) {
                vocabulary.continues.insert(rest.into(), id);
            }
            // A piece with the prefix can also start a word, should the text spell it so.
            vocabulary.starts.insert(piece.into(), id);
        }
        vocabulary
    }

    pub(super) fn size(&self) -> usize {
        self.starts.values().max().map_or(0, |&id| id as usize + 1)
    }

    /// Appends the pieces of `word` to `tokens` and empties it.
    pub(super) fn split(&self, word: &mut Word, tokens: &mut Tokens) {
        let count = word.characters.len();
        if count > 0 && !self.divide(word, tokens) {
            let (start, end) = word.span(0, count);
            tokens.push(self.unknown, start, end);
        }
        word.clear();
    }

    /// Appends nothing and answers false when the word has no division.
    fn divide(&self, word: &Word, tokens: &mut Tokens) -> bool {
        let count = word.characters.len();
        if count > self.longest_word {
            return false;
        }
        let before = tokens.len();
        let mut from = 0;
        while from < count {
            let pieces = if from == 0 {
                &self.starts
            } else {
                &self.continues
            };
            let longest = count.min(from + self.longest_piece);
            let found = (from + 1..=longest)
                .rev()
                .find_map(|to| Some((to, *pieces.get(word.piece(from, to))?)));
            let Some((to, id)) = found else {
                tokens.ids.truncate(before);
                tokens.spans.truncate(before);
                return false;
            };
            let (start, end) = word.span(from, to);
            tokens.push(id, start, end);
            from = to;
        }
        true
    }
}
