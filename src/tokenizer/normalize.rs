//! BertNormalizer and BertPreTokenizer, one character at a time.
//!
//! The steps and their order are those of Hugging Face `tokenizers`: drop control characters, set
//! CJK apart, decompose and strip accents, lower-case; then split at whitespace and punctuation.
//! Character classes come from the same crates (and so the same Unicode versions) it uses.

use unicode_categories::UnicodeCategories;
use unicode_normalization_alignments::char::decompose_canonical;

/// A normalised character with its part in splitting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Normal {
    /// Ends a word and is dropped.
    Space,
    /// A word of its own: punctuation, CJK.
    Alone(char),
    /// Part of a word.
    Letter(char),
}

/// Which steps are on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Normalizer {
    pub(super) clean_text: bool,
    pub(super) separate_cjk: bool,
    pub(super) strip_accents: bool,
    pub(super) lowercase: bool,
}

impl Normalizer {
    /// Feeds `give` with what `raw` becomes: nothing, or one or more characters.
    pub(super) fn each(self, raw: char, mut give: impl FnMut(Normal)) {
        if self.clean_text && is_dropped(raw) {
            return;
        }
        if is_space(raw) {
            return give(Normal::Space);
        }
        let apart = self.separate_cjk && is_cjk(raw);
        if apart {
            give(Normal::Space);
        }
        if self.strip_accents {
            // Reordering of marks is left out: the marks are dropped.
            decompose_canonical(raw, |part| {
                if !part.is_mark_nonspacing() {
                    self.lower(part, &mut give);
                }
            });
        } else {
            self.lower(raw, &mut give);
        }
        if apart {
            give(Normal::Space);
        }
    }

    fn lower(self, character: char, give: &mut impl FnMut(Normal)) {
        if self.lowercase {
            character
                .to_lowercase()
                .for_each(|lower| give(class(lower)));
        } else {
            give(class(character));
        }
    }
}

fn class(character: char) -> Normal {
    if character.is_whitespace() {
        Normal::Space
    } else if character.is_ascii_punctuation() || character.is_punctuation() {
        Normal::Alone(character)
    } else {
        Normal::Letter(character)
    }
}

fn is_dropped(raw: char) -> bool {
    raw == '\0' || raw == '\u{fffd}' || (!matches!(raw, '\t' | '\n' | '\r') && raw.is_other())
}

fn is_space(raw: char) -> bool {
    raw.is_whitespace()
}

/// The blocks of the reference: CJK ideographs, not Hangul, Hiragana or Katakana.
fn is_cjk(raw: char) -> bool {
    matches!(
        u32::from(raw),
        0x4E00..=0x9FFF
            | 0x3400..=0x4DBF
            | 0x20000..=0x2A6DF
            | 0x2A700..=0x2B73F
            | 0x2B740..=0x2B81F
            | 0x2B920..=0x2CEAF
            | 0xF900..=0xFAFF
            | 0x2F800..=0x2FA1F
    )
}
