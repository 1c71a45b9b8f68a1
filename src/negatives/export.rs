//! Training groups to files and back: our JSONL, sentence-transformers triplets, and the columns
//! of the published `ColHNQue` set.
//!
//! Our JSONL loses nothing. Triplets keep page, positive and negatives. `ColHNQue` (dataset
//! `DocReRank/ColHNQue-ColPaliHardNegativeQueries`, its card) has a row a page with `image`,
//! `positive_queries` (strings), `negative_queries` (lists of strings) and `answer` (strings); that
//! the lists go with the positives one to one is our reading. We keep no image, so `image` is its
//! name or null, and the page's text goes into a column of ours, `text`.

use serde::{Deserialize, Serialize};

use super::group::{Negative, Page, Positive, TrainingGroup};
use crate::error::Error;

/// A file's layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// A [`TrainingGroup`] a line, complete.
    Groups,
    /// `{"anchor", "positive", "negative"}` a line. Negatives are queries here, so the anchor is
    /// the page and positive and negative are queries.
    Triplets,
    /// `{"image", "positive_queries", "negative_queries", "answer", "text"}` a line.
    ColHnQue,
}

#[derive(Serialize, Deserialize)]
struct Triplet {
    anchor: String,
    positive: String,
    negative: String,
}

#[derive(Serialize, Deserialize)]
struct Row {
    #[serde(default)]
    image: Option<serde_json::Value>,
    positive_queries: Vec<String>,
    negative_queries: Vec<Vec<String>>,
    #[serde(default)]
    answer: Vec<String>,
    #[serde(default)]
    text: String,
}

/// Groups as JSONL; groups of one page that follow each other share a `ColHNQue` row.
///
/// # Errors
/// `invalid_argument` for a score that is not finite, for JSON has none, and for triplets of a page
/// without text, for they are made of it.
pub fn export(groups: &[TrainingGroup], layout: Layout) -> Result<String, Error> {
    let mut lines = String::new();
    match layout {
        Layout::Groups => {
            for group in groups {
                check_scores(group)?;
                line(&mut lines, group)?;
            }
        }
        Layout::Triplets => {
            for group in groups {
                if group.page.text.trim().is_empty() {
                    let expected = "pages with text; export an image's groups, or as colhnque";
                    let found = format!("only an image of \"{}\"", group.page.id);
                    return Err(Error::argument("triplets", expected, found));
                }
                for negative in &group.negatives {
                    let triplet = Triplet {
                        anchor: group.page.text.clone(),
                        positive: group.positive.query.clone(),
                        negative: negative.query.clone(),
                    };
                    line(&mut lines, &triplet)?;
                }
            }
        }
        Layout::ColHnQue => {
            for same in groups.chunk_by(|a, b| a.page == b.page) {
                let queries = |group: &TrainingGroup| {
                    group.negatives.iter().map(|n| n.query.clone()).collect()
                };
                let row = Row {
                    image: same[0].page.image.clone().map(Into::into),
                    positive_queries: same.iter().map(|g| g.positive.query.clone()).collect(),
                    negative_queries: same.iter().map(queries).collect(),
                    answer: same
                        .iter()
                        .map(|g| g.positive.answer.clone().unwrap_or_default())
                        .collect(),
                    text: same[0].page.text.clone(),
                };
                line(&mut lines, &row)?;
            }
        }
    }
    Ok(lines)
}

/// Groups from JSONL; empty lines are skipped. From triplets and `ColHNQue` come page text, queries
/// and answers alone; triplets of one page and positive that follow each other become one group,
/// and a `ColHNQue` row without our `text` has an empty page (its image is not read).
///
/// # Errors
/// `invalid_argument` with the number of the line that cannot be read.
pub fn import(text: &str, layout: Layout) -> Result<Vec<TrainingGroup>, Error> {
    let mut groups: Vec<TrainingGroup> = Vec::new();
    for (number, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        match layout {
            Layout::Groups => groups.push(read(line, number)?),
            Layout::Triplets => {
                let Triplet {
                    anchor,
                    positive,
                    negative,
                } = read(line, number)?;
                let same =
                    |g: &&mut TrainingGroup| g.page.text == anchor && g.positive.query == positive;
                match groups.last_mut().filter(same) {
                    Some(group) => group.negatives.push(bare(negative)),
                    None => groups.push(group(anchor, positive, None, vec![negative])),
                }
            }
            Layout::ColHnQue => {
                let row: Row = read(line, number)?;
                if row.negative_queries.len() != row.positive_queries.len() {
                    let expected = format!("line {}: a list of negatives a positive", number + 1);
                    let found = format!(
                        "{} for {}",
                        row.negative_queries.len(),
                        row.positive_queries.len()
                    );
                    return Err(Error::argument("negative_queries", expected, found));
                }
                let pairs = row.positive_queries.into_iter().zip(row.negative_queries);
                for (i, (positive, negatives)) in pairs.enumerate() {
                    let answer = row
                        .answer
                        .get(i)
                        .filter(|answer| !answer.is_empty())
                        .cloned();
                    groups.push(group(row.text.clone(), positive, answer, negatives));
                }
            }
        }
    }
    Ok(groups)
}

fn check_scores(group: &TrainingGroup) -> Result<(), Error> {
    let own = group.negatives.iter().flat_map(|n| [n.score, n.margin]);
    match own
        .chain([group.positive.score])
        .flatten()
        .find(|score| !score.is_finite())
    {
        None => Ok(()),
        Some(score) => Err(Error::argument("score", "a finite number", score)),
    }
}

fn line(lines: &mut String, value: &impl Serialize) -> Result<(), Error> {
    let json = serde_json::to_string(value).map_err(|error| Error::Internal {
        what: error.to_string(),
    })?;
    lines.push_str(&json);
    lines.push('\n');
    Ok(())
}

fn read<T: serde::de::DeserializeOwned>(line: &str, number: usize) -> Result<T, Error> {
    serde_json::from_str(line).map_err(|error| {
        Error::argument(
            "file",
            format!("line {} in the layout asked for", number + 1),
            error,
        )
    })
}

fn group(
    text: String,
    query: String,
    answer: Option<String>,
    negatives: Vec<String>,
) -> TrainingGroup {
    TrainingGroup {
        page: Page {
            text,
            ..Page::default()
        },
        positive: Positive {
            query,
            answer,
            ..Positive::default()
        },
        negatives: negatives.into_iter().map(bare).collect(),
        ..TrainingGroup::default()
    }
}

fn bare(query: String) -> Negative {
    Negative {
        query,
        property: None,
        from: None,
        to: None,
        votes: None,
        score: None,
        margin: None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::group::{Restatement, Source, Votes, Way};
    use super::super::property::Property;
    use super::*;

    fn groups() -> Vec<TrainingGroup> {
        let votes = Votes { a: false, b: false };
        let full = TrainingGroup {
            page: Page {
                id: "p1".into(),
                text: "Line one.\nLine \"two\" \u{2028} 東京.".into(),
                image: None,
            },
            positive: Positive {
                query: "What is two?".into(),
                answer: Some("two".into()),
                span: Some(16..19),
                votes: Some(Votes { a: true, b: true }),
                score: Some(1.25),
            },
            restated: vec![Restatement {
                way: Way::Rewrite,
                query: "Which is two?".into(),
                votes,
            }],
            negatives: vec![
                Negative {
                    property: Some(Property::Custom("machine type".into())),
                    from: Some("two".into()),
                    to: Some("three".into()),
                    votes: Some(votes),
                    score: Some(-0.1),
                    margin: Some(1.35),
                    ..bare("What is three?".into())
                },
                bare("What is four?".into()),
            ],
            source: Source {
                provider: "p".into(),
                model: "m".into(),
                time: "t".into(),
                ..Source::default()
            },
        };
        let second = TrainingGroup {
            positive: Positive {
                query: "What is one?".into(),
                ..Positive::default()
            },
            negatives: vec![bare("What is nine?".into())],
            ..full.clone()
        };
        let other = group(
            "Another page.".into(),
            "Which page?".into(),
            None,
            vec!["Which book?".into()],
        );
        vec![full, second, other]
    }

    #[test]
    fn our_jsonl_comes_back_whole_one_group_a_line() {
        let text = export(&groups(), Layout::Groups).unwrap();
        assert_eq!(text.matches('\n').count(), 3);
        assert_eq!(import(&text, Layout::Groups), Ok(groups()));
        assert!(text.contains("\"property\":\"custom:machine type\""));
    }

    #[test]
    fn triplets_and_columns_come_back_with_what_they_can_hold() {
        let held = |group: &TrainingGroup, answers: bool| {
            let answer = group.positive.answer.clone().filter(|_| answers);
            let negatives = group.negatives.iter().map(|n| n.query.clone()).collect();
            super::group(
                group.page.text.clone(),
                group.positive.query.clone(),
                answer,
                negatives,
            )
        };
        for (layout, answers, lines) in [(Layout::Triplets, false, 4), (Layout::ColHnQue, true, 2)]
        {
            let text = export(&groups(), layout).unwrap();
            assert_eq!(text.lines().count(), lines);
            let expected: Vec<TrainingGroup> =
                groups().iter().map(|group| held(group, answers)).collect();
            assert_eq!(import(&text, layout), Ok(expected), "{layout:?}");
        }
    }

    #[test]
    fn the_columns_have_the_published_names() {
        let text = export(&groups(), Layout::ColHnQue).unwrap();
        let row: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        let expected = serde_json::json!([["What is three?", "What is four?"], ["What is nine?"]]);
        assert_eq!(row["negative_queries"], expected);
        assert_eq!(row["answer"], serde_json::json!(["two", ""]));
        assert!(row["image"].is_null() && row["positive_queries"].is_array());
        let published = r#"{"image": {"bytes": null, "path": "a.jpg"}, "positive_queries": ["q"], "negative_queries": [["n"]], "answer": ["a"]}"#;
        assert_eq!(
            import(published, Layout::ColHnQue).unwrap()[0].negatives[0].query,
            "n"
        );
    }

    #[test]
    fn a_page_s_image_goes_by_its_name_and_without_text_there_are_no_triplets() {
        let mut groups = groups();
        for group in &mut groups {
            group.page.image = Some("p1.png".into());
            group.page.text.clear();
            group.positive.span = None;
        }
        let text = export(&groups, Layout::Groups).unwrap();
        assert_eq!(import(&text, Layout::Groups), Ok(groups.clone()));
        let text = export(&groups, Layout::ColHnQue).unwrap();
        let row: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(row["image"], "p1.png");
        let error = export(&groups, Layout::Triplets).unwrap_err();
        assert!(error.to_string().contains("\"p1\""), "{error}");
    }

    #[test]
    fn a_bad_line_is_named_and_a_score_without_json_is_refused() {
        let text = format!(
            "{}\n{{}}\n",
            export(&groups()[..1], Layout::Groups).unwrap()
        );
        let error = import(&text, Layout::Groups).unwrap_err();
        assert!(
            error.code() == "invalid_argument" && error.to_string().contains("line 3"),
            "{error}"
        );
        let uneven = r#"{"positive_queries": ["a", "b"], "negative_queries": [["n"]]}"#;
        assert!(import(uneven, Layout::ColHnQue).is_err());
        let mut groups = groups();
        groups[0].positive.score = Some(f32::INFINITY);
        assert!(export(&groups, Layout::Groups).is_err());
    }
}
