//! A page's text as segments like elementary discourse units, and plans for diverse questions.
//!
//! After "EDU plan-guided" re-ranking (arXiv:2305.17779): there a span is copied as the plan of
//! one abstract, here one segment is the plan of one question. Cut by marks and words, without a
//! parser: paragraphs, list items, sentences, then clauses at `;`, `:` and connectives. English
//! connectives; other languages are cut into sentences.

use core::ops::Range;

/// A heading, a sentence, a list item or a clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Byte span in the page.
    pub span: Range<usize>,
    /// The sentence it is part of, as a byte span in the page.
    pub sentence: Range<usize>,
}

/// Where a clause may begin.
const CONNECTIVES: [&str; 17] = [
    "; ",
    ": ",
    " – ",
    " — ",
    ", but ",
    ", because ",
    " because ",
    ", although ",
    ", while ",
    ", whereas ",
    ", which ",
    ", so ",
    " unless ",
    " so that ",
    " in order to ",
    ", where ",
    ", and ",
];

/// Words before a full stop that does not end a sentence.
const ABBREVIATIONS: &str = " e.g i.e mr mrs ms dr prof no nos fig figs vs u.s u.k inc ltd co corp \
    approx etc st p pp al cf sec ch vol ed jr sr dept est art resp incl ca eq ";

/// Fewest words on either side of a cut inside a sentence.
const CLAUSE_WORDS: usize = 4;

/// Sentences, headings and list items of `page` as byte spans, without white space around them.
#[must_use]
pub fn sentences(page: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    for block in blocks(page) {
        let text = &page[block.clone()];
        let mut start = 0;
        for (at, c) in text.char_indices() {
            if at < start {
                continue;
            }
            let mut after = at + c.len_utf8();
            let wide = matches!(c, '。' | '！' | '？');
            if wide || (matches!(c, '.' | '!' | '?') && ends(text, at, after)) {
                let closers = ['"', '\'', ')', '”', '’', ']'];
                let rest = &text[after..];
                after += rest.len() - rest.trim_start_matches(closers).len();
                push(&mut spans, page, block.start + start..block.start + after);
                start = after;
            }
        }
        push(&mut spans, page, block.start + start..block.end);
    }
    spans
}

/// Segments of `page` in reading order.
#[must_use]
pub fn segments(page: &str) -> Vec<Segment> {
    let mut all = Vec::new();
    for sentence in sentences(page) {
        let text = &page[sentence.clone()];
        let mut cuts: Vec<usize> = (CONNECTIVES.iter())
            .flat_map(|mark| text.match_indices(mark).map(|(at, _)| at))
            .collect();
        cuts.sort_unstable();
        let mut start = 0;
        for cut in cuts {
            if cut < start {
                continue;
            }
            let long = |part: &str| part.split_whitespace().count() >= CLAUSE_WORDS;
            if long(&text[start..cut]) && long(&text[cut..]) {
                push_segment(
                    &mut all,
                    page,
                    sentence.start + start..sentence.start + cut,
                    &sentence,
                );
                start = cut;
            }
        }
        push_segment(
            &mut all,
            page,
            sentence.start + start..sentence.end,
            &sentence,
        );
    }
    all
}

/// Up to `count` segments to ask about, in reading order: the page in `count` parts, of each the
/// segment that says most (numbers and names count, bare words a little).
#[must_use]
pub fn plans(page: &str, count: usize) -> Vec<Segment> {
    let all: Vec<Segment> = (segments(page).into_iter())
        .filter(|s| page[s.span.clone()].split_whitespace().count() >= CLAUSE_WORDS)
        .collect();
    let parts = count.min(all.len());
    (0..parts)
        .filter_map(|part| {
            let range = part * all.len() / parts..(part + 1) * all.len() / parts;
            let says = |s: &&Segment| information(&page[s.span.clone()]);
            // The first of the best: max_by_key gives the last.
            all[range].iter().rev().max_by_key(says).cloned()
        })
        .collect()
}

fn information(text: &str) -> usize {
    let weight = |word: &str| match word.chars().next() {
        _ if word.chars().any(|c| c.is_ascii_digit()) => 4,
        Some(c) if c.is_uppercase() => 2,
        _ => 0,
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    words.iter().skip(1).map(|word| weight(word)).sum::<usize>() + words.len().min(20) / 4
}

/// Paragraphs and list items: cut at empty lines, at bullets, and around lines that look like
/// headings (short, without an end mark, before or after an empty line).
fn blocks(page: &str) -> Vec<Range<usize>> {
    let mut blocks: Vec<Range<usize>> = Vec::new();
    let mut open: Option<Range<usize>> = None;
    let mut at = 0;
    for line in page.split_inclusive('\n') {
        let span = at..at + line.len();
        at += line.len();
        let text = line.trim();
        let rule = !text.is_empty() && !text.chars().any(char::is_alphanumeric);
        if text.is_empty() || rule {
            blocks.extend(open.take());
        } else if begins_item(text) {
            blocks.extend(open.replace(span));
        } else {
            open = Some(open.map_or(span.clone(), |o| o.start..span.end));
        }
    }
    blocks.extend(open);
    blocks
}

fn begins_item(line: &str) -> bool {
    let mark = line.split_whitespace().next().unwrap_or_default();
    let body = mark.trim_matches(|c| matches!(c, '(' | ')' | '.'));
    let bullet = matches!(mark, "-" | "*" | "•" | "–" | "o" | "·");
    let short = mark != body && (body.len() == 1 || body.parse::<u8>().is_ok());
    let heading = mark.starts_with('#');
    (bullet || short || heading) && line.len() > mark.len()
}

/// Whether the mark at `at..after` ends a sentence of `text`.
fn ends(text: &str, at: usize, after: usize) -> bool {
    let rest = text[after..].trim_start_matches(['"', '\'', ')', '”', '’', ']']);
    let gap = rest.len() - rest.trim_start().len();
    let next = rest.trim_start().chars().next();
    if gap == 0 && next.is_some() {
        return false;
    }
    let last = text[..at]
        .rsplit([' ', '\n', '\t', '('])
        .next()
        .unwrap_or_default();
    let word = last.to_lowercase();
    let initial = last.chars().count() == 1 && last.chars().all(char::is_uppercase);
    if text[at..].starts_with('.') && (initial || ABBREVIATIONS.contains(&format!(" {word} "))) {
        return false;
    }
    next.is_none_or(|c| !c.is_lowercase())
}

fn push(spans: &mut Vec<Range<usize>>, page: &str, span: Range<usize>) {
    if let Some(span) = trim(page, span, &[]) {
        spans.push(span);
    }
}

fn push_segment(all: &mut Vec<Segment>, page: &str, span: Range<usize>, sentence: &Range<usize>) {
    if let Some(span) = trim(page, span, &[',', ';', ':', '–', '—']) {
        let sentence = sentence.clone();
        all.push(Segment { span, sentence });
    }
}

/// `span` without white space, bullets and `marks` around it; `None` when no letter is left.
fn trim(page: &str, span: Range<usize>, marks: &[char]) -> Option<Range<usize>> {
    let text = &page[span.clone()];
    let edge = |c: char| c.is_whitespace() || marks.contains(&c);
    let front = |c: char| edge(c) || matches!(c, '*' | '•' | '#' | '·');
    let left = text.trim_start_matches(front);
    let left = left.strip_prefix("- ").map_or(left, str::trim_start);
    let start = span.start + (text.len() - left.len());
    let end = start + left.trim_end_matches(edge).len();
    let any = page[start..end].chars().any(char::is_alphanumeric);
    any.then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "Annual report\n\nRevenue rose to $4.2 million in 2021, because Dr. Smith \
        opened three\nnew branches in Oslo. The U.S. unit, e.g. Texas, was sold.\n\n\
        - First item here is long; the second part of it is longer still\n- Second item\n";

    fn texts(spans: impl IntoIterator<Item = Range<usize>>) -> Vec<String> {
        spans
            .into_iter()
            .map(|s| super::super::text::collapse(&PAGE[s]))
            .collect()
    }

    #[test]
    fn sentences_end_at_marks_and_not_at_abbreviations_or_decimals() {
        let expected = [
            "Annual report",
            "Revenue rose to $4.2 million in 2021, because Dr. Smith opened three new branches in Oslo.",
            "The U.S. unit, e.g. Texas, was sold.",
            "First item here is long; the second part of it is longer still",
            "Second item",
        ];
        assert_eq!(texts(sentences(PAGE)), expected);
    }

    #[test]
    fn clauses_are_cut_at_connectives_and_only_when_both_sides_are_long() {
        let found = texts(segments(PAGE).into_iter().map(|s| s.span));
        assert!(
            found.contains(&"Revenue rose to $4.2 million in 2021".to_owned()),
            "{found:?}"
        );
        assert!(
            found.contains(&"First item here is long".to_owned()),
            "{found:?}"
        );
        assert!(
            found.contains(&"The U.S. unit, e.g. Texas, was sold.".to_owned()),
            "{found:?}"
        );
    }

    #[test]
    fn plans_are_spread_over_the_page_and_in_reading_order() {
        let page: String = (0..40)
            .map(|i| {
                format!(
                    "Sentence {i} is about nothing much at all. Town{i} has {i}00 mills here.\n\n"
                )
            })
            .collect();
        let plans = plans(&page, 8);
        assert_eq!(plans.len(), 8);
        for (part, pair) in plans.windows(2).enumerate() {
            assert!(pair[0].span.end <= pair[1].span.start);
            let gap = pair[1].span.start - pair[0].span.start;
            assert!(
                gap > page.len() / 16,
                "part {part} is {gap} bytes from the next"
            );
        }
        assert!(super::plans("", 5).is_empty() && super::plans("Too short", 5).is_empty());
    }

    #[test]
    fn spans_are_valid_for_any_text() {
        let nasty = [
            "。。",
            "\n\n\n",
            "é. É! 東京。大阪",
            "...",
            "- - -",
            "* *",
            "a. b. c.",
            "“Q.” R",
            "1) ",
            "—;:,",
        ];
        for page in nasty {
            for segment in segments(page) {
                assert!(!page[segment.span.clone()].trim().is_empty());
                assert!(segment.sentence.start <= segment.span.start);
                assert!(segment.span.end <= segment.sentence.end);
            }
        }
    }
}
