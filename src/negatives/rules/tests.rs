//! The rules on written pages of three kinds, on made pages, and on nonsense.

use std::collections::BTreeSet;

use super::super::funnel::Tally;
use super::super::group::Page;
use super::super::text::{contains_words, lower_words};
use super::*;
use crate::random::Random;
use crate::strategy::Group;

mod prose;

/// The last was not written for the tests: it begins the annual message to the Congress of the
/// United States of 6 December 1892, in the public domain (17 U.S.C. § 105).
const PAGES: [&str; 4] = [
    include_str!("tests/report.txt"),
    include_str!("tests/manual.txt"),
    include_str!("tests/licence.txt"),
    include_str!("tests/message.txt"),
];

/// Share of the query's words that the document has.
struct Overlap;

impl Judge for Overlap {
    fn max_group(&self) -> usize {
        1
    }

    async fn judge(&self, groups: &[Group<'_>]) -> Result<Vec<Vec<f32>>, Error> {
        let score = |query: &str, document: &str| {
            let (query, document) = (lower_words(query), lower_words(document));
            query.iter().filter(|word| document.contains(word)).count() as f32
                / query.len().max(1) as f32
        };
        Ok(groups
            .iter()
            .map(|g| g.documents.iter().map(|d| score(g.query, d)).collect())
            .collect())
    }
}

fn run(page: &str, settings: &Settings) -> Outcome {
    let job = Job {
        page: Page {
            id: "p".into(),
            text: page.into(),
            ..Page::default()
        },
        ..Job::default()
    };
    pollster::block_on(generate_by_rules(
        &job,
        &Overlap,
        settings,
        async |_| Ok(()),
    ))
    .unwrap()
}

fn is_balanced(tally: &Tally) -> bool {
    tally.generated == tally.kept + tally.dead()
}

/// What must hold of every draft of every page.
fn check(page: &str) -> usize {
    let (drafts, _) = drafts(page, 0.9);
    let seen = lower_words(page);
    for draft in &drafts {
        assert!(draft.query.ends_with('?'), "{}", draft.query);
        assert!(
            draft.sentence.start <= draft.answer.start && draft.answer.end <= draft.sentence.end
        );
        assert!(!page[draft.answer.clone()].trim().is_empty());
        for negative in &draft.negatives {
            let (property, from, to) = (
                negative.property.as_ref().unwrap(),
                negative.from.as_deref().unwrap(),
                negative.to.as_deref().unwrap(),
            );
            assert!(
                check_edit(property, &draft.query, &negative.query, from, to).is_ok(),
                "{negative:?}"
            );
            assert!(
                !contains_words(&seen, &lower_words(to)),
                "{to} is on the page: {}",
                negative.query
            );
        }
    }
    drafts.len()
}

#[test]
fn a_page_of_a_report_gives_positives_and_verified_negatives_without_a_model() {
    for page in [PAGES[0], PAGES[3]] {
        gives_enough(page);
    }
}

fn gives_enough(page: &str) {
    let outcome = run(page, &Settings::default());
    let negatives: usize = outcome.groups.iter().map(|g| g.negatives.len()).sum();
    assert!(
        outcome.groups.len() >= 5 && negatives >= 15,
        "{:#?}",
        outcome.funnel
    );
    assert!(
        is_balanced(&outcome.funnel.positives) && is_balanced(&outcome.funnel.negatives),
        "{:?}",
        outcome.funnel
    );
    for group in &outcome.groups {
        let span = group.positive.span.clone().unwrap();
        assert_eq!(group.positive.answer.as_deref(), Some(&page[span]));
        let margins: Vec<f32> = group.negatives.iter().filter_map(|n| n.margin).collect();
        assert!(margins.len() == group.negatives.len() && margins.is_sorted());
        assert_eq!(group.source.prompts_version, RULES_VERSION);
    }
}

#[test]
fn other_kinds_of_pages_give_fewer_and_never_unsound_ones() {
    for (page, least) in PAGES.into_iter().zip([18, 8, 4, 10]) {
        let found = check(page);
        assert!(found >= least, "{found} of {least}: {page}");
    }
}

#[test]
fn questions_read_as_a_person_would_ask_them() {
    let asked: BTreeSet<String> = PAGES
        .iter()
        .flat_map(|page| drafts(page, 0.9).0)
        .map(|d| d.query)
        .collect();
    for expected in [
        "By what percentage did revenue rise to $4.2 billion in 2021?",
        "How much was operating profit?",
        "In which year was Northwind Energy founded in Bergen by Ingrid Solheim?",
        "How many terawatt hours of electricity did the wind segment generate in 2021?",
        "For how much did the company sell its Danish gas business to Baltic Gas in October 2021?",
        "How many days of notice must customers receive before a price change?",
        "How many patents did the research department receive in 2021?",
        "How many households joined the trial in June 2021?",
        "Within how many days must users confirm the change?",
        "What does \"Licensor\" mean?",
        "What was the total mileage of railways in the United States in 1860?",
        "How much were the wages earned in 1880?",
        "What was the consumption of cotton by American mills in 1891?",
        "How many companies were there manufacturing tin and terne plate in the United States at the date of September 30, 1892?",
    ] {
        assert!(asked.contains(expected), "{expected} is not in {asked:#?}");
    }
}

#[test]
fn a_sentence_without_a_better_question_is_asked_around_its_answer() {
    for (sentence, question, answer) in [
        (
            "Debian 3.1 (sarge) was released June 6th, 2005 for the same architectures as woody.",
            "When was it that Debian 3.1 was released for the same architectures as woody?",
            "June 6th, 2005",
        ),
        (
            "There were around 15,000 binary packages maintained by more than 900 developers.",
            "How many binary packages were there maintained by more than 900 developers?",
            "around 15,000",
        ),
        (
            "The consumption of cotton by local mills was 2,396 gross tons in 1891.",
            "What was the consumption of cotton by local mills in 1891?",
            "2,396 gross tons",
        ),
        (
            "The population of the old town was 2,396 souls in 1891.",
            "What was the population of the old town in 1891?",
            "2,396 souls",
        ),
        (
            "The new package (Böhm, Čapek and Lee 2014a) for the board [12] contains 18 files (in 3 folders).",
            "How many files does the new package for the board contain?",
            "18",
        ),
        (
            "The old tool compresses large files with a block sorting algorithm.",
            "What compresses large files with a block sorting algorithm?",
            "The old tool",
        ),
    ] {
        let (drafts, _) = drafts(sentence, 0.9);
        let asked: Vec<(&str, &str)> = (drafts.iter())
            .map(|d| (d.query.as_str(), &sentence[d.answer.clone()]))
            .collect();
        assert!(asked.contains(&(question, answer)), "{asked:?}");
    }
    for sentence in [
        "It compresses large files with a block sorting algorithm.",
        "The release was published in 1996 or 1997, as far as anybody knows.",
        "Ian Murdock joined the old board with a block sorting algorithm.",
    ] {
        let (drafts, _) = drafts(sentence, 0.9);
        assert!(
            drafts.iter().all(|d| !d.query.starts_with("What ")),
            "{drafts:?}"
        );
        assert!(
            drafts.iter().all(|d| !d.query.contains("was it that")),
            "{drafts:?}"
        );
    }
}

#[test]
fn made_pages_keep_every_promise() {
    let mut random = Random::new(21);
    let verbs = [
        "employed",
        "sold",
        "opened",
        "built",
        "delivered",
        "repaired",
    ];
    let things = [
        "buses", "bridges", "patients", "loans", "reports", "widgets",
    ];
    let names = [
        "Northwind",
        "Halden",
        "Oslo Port",
        "Debian",
        "the council",
        "Acme Ltd",
    ];
    let mut found = 0;
    for _ in 0..50 {
        let mut sentence = || {
            let year = 1990 + random.below(35);
            let (name, verb, thing) = (
                names[random.below(6)],
                verbs[random.below(6)],
                things[random.below(6)],
            );
            match random.below(5) {
                0 => format!(
                    "In {year}, {name} {verb} {} {thing}.",
                    2 + random.below(5000)
                ),
                1 => format!(
                    "{name} {verb} {thing} for ${}.{} million in {year}.",
                    random.below(90),
                    random.below(10)
                ),
                2 => format!(
                    "Sales of {thing} rose by {}% in {year} and fell in {}.",
                    1 + random.below(60),
                    year + 1
                ),
                3 => format!(
                    "From {year} to {} the margin was {}%.",
                    year + 6,
                    random.below(50)
                ),
                _ => format!("There {verb} ({thing}, {year}"),
            }
        };
        let page: Vec<String> = (0..6).map(|_| sentence()).collect();
        let page = page.join([" ", "\n", "\n\n"][found % 3]);
        found += check(&page);
        assert_eq!(drafts(&page, 0.9), drafts(&page, 0.9));
        let (_, funnel) = drafts(&page, 0.9);
        assert!(funnel.positives.generated >= funnel.positives.dead());
    }
    assert!(found > 100, "{found}");
}

#[test]
fn a_year_inside_a_span_of_the_page_is_not_offered() {
    let page =
        "Between 2015 and 2020 the port grew every year. The port employed 40 people in 2014.";
    let (drafts, funnel) = drafts(page, 0.9);
    let years: Vec<&str> = (drafts.iter().flat_map(|d| &d.negatives))
        .filter(|n| n.property == Some(super::super::property::Property::Year))
        .filter_map(|n| n.to.as_deref())
        .collect();
    assert!(
        !years.is_empty() && years.iter().all(|y| !("2015".."2021").contains(y)),
        "{years:?}"
    );
    assert!(funnel.negatives.dead_of(Death::OnPage) > 0);
}

#[test]
fn nonsense_and_other_languages_give_nothing_and_no_panic() {
    let texts = [
        "",
        "?",
        "1 2 3.",
        "Die Firma beschäftigte 2019 etwa 40 Leute in Köln.",
        "東京は2020年に40人を雇った。",
        "a | b | c 2020.",
        "It rose. They fell by 5%.",
        "((((( 2020 ) has 5 % in .",
        "\u{feff}\u{2028}É 5 €5 %5 2020.",
    ];
    for text in texts {
        assert_eq!(check(text), 0, "{text}");
    }
    let mut random = Random::new(4);
    let parts = [
        "The ", "port ", "rose ", "by ", "5% ", "in ", "2020", ".", ", ", "(", "\"", "é", "東 ",
        "\n", "$5 ", "is ", "of ", "and ", "May ", "3 ",
    ];
    for _ in 0..200 {
        let text: String = (0..random.below(30))
            .map(|_| parts[random.below(parts.len())])
            .collect();
        check(&text);
    }
}

/// Scores every passage but the first with `elsewhere`, the first with 1.
struct Fixed {
    elsewhere: fn(&str) -> f32,
}

impl Judge for Fixed {
    fn max_group(&self) -> usize {
        1
    }

    async fn judge(&self, groups: &[Group<'_>]) -> Result<Vec<Vec<f32>>, Error> {
        let score = |g: &Group<'_>| {
            if g.documents[0].contains("employed") {
                1.0
            } else {
                (self.elsewhere)(g.query)
            }
        };
        Ok(groups.iter().map(|g| vec![score(g)]).collect())
    }
}

#[test]
fn the_judge_kills_what_another_passage_answers() {
    let page = "The port employed 40 people in 2014. The sky was blue. The sea was calm. \
        The town is old. The town is large. The town is rich. The hill is far. The hill is steep.";
    let run = |elsewhere| {
        let job = Job {
            page: Page {
                id: "p".into(),
                text: page.into(),
                ..Page::default()
            },
            ..Job::default()
        };
        let settings = Settings {
            consistent_within: 1,
            ..Settings::default()
        };
        pollster::block_on(generate_by_rules(
            &job,
            &Fixed { elsewhere },
            &settings,
            async |_| Ok(()),
        ))
        .unwrap()
    };
    assert!(!run(|_| 0.0).groups.is_empty());
    let outcome = run(|query| if query.contains("2014") { 0.0 } else { 2.0 });
    assert!(outcome.funnel.negatives.dead_of(Death::AnsweredElsewhere) > 0);
    let outcome = run(|_| 2.0);
    assert!(outcome.groups.is_empty() && outcome.funnel.positives.dead_of(Death::Inconsistent) > 0);
    assert!(is_balanced(&outcome.funnel.positives) && is_balanced(&outcome.funnel.negatives));
}

#[test]
fn a_caller_may_stop_and_keeps_what_is_finished() {
    let job = Job {
        page: Page {
            id: "p".into(),
            text: PAGES[0].into(),
            ..Page::default()
        },
        ..Job::default()
    };
    let mut heard = 0;
    let observe = async |_: Progress| {
        heard += 1;
        if heard > 3 {
            Err(Error::Aborted)
        } else {
            Ok(())
        }
    };
    let outcome = pollster::block_on(generate_by_rules(
        &job,
        &Overlap,
        &Settings::default(),
        observe,
    ))
    .unwrap();
    assert_eq!(outcome.stopped, Some(Error::Aborted));
    assert!((1..=3).contains(&outcome.groups.len()));
}

#[test]
fn a_typographic_apostrophe_is_an_apostrophe() {
    let made = "Norway's exports to Denmark rose by 12% in 2021. In 2019 the town bought Finland's \
        largest ferry for $40 million. Adam Berg led Northwind's board from 2015 to 2020.";
    let queries = |page: &str| -> Vec<(String, Vec<String>)> {
        let plain = |query: &str| query.replace('’', "'");
        let group = |group: &TrainingGroup| {
            let negatives = group.negatives.iter().map(|n| plain(&n.query));
            (plain(&group.positive.query), negatives.collect())
        };
        run(page, &Settings::default())
            .groups
            .iter()
            .map(group)
            .collect()
    };
    for page in PAGES.iter().chain(&[made]) {
        assert_eq!(queries(&page.replace('\'', "’")), queries(page));
    }
}
