//! The check of edits.

use super::*;
use crate::random::Random;

const POSITIVE: &str = "How much revenue did Northwind Energy report for its cloud unit in 2021?";

fn check(property: &Property, edited: &str, from: &str, to: &str) -> Result<Change, Death> {
    check_edit(property, POSITIVE, edited, from, to)
}

#[test]
fn an_edit_of_the_property_alone_is_located() {
    let edited = "How much revenue did Northwind Energy report for its cloud unit in 2019?";
    let change = check(&Property::Year, edited, "2021", "2019").unwrap();
    assert_eq!(&POSITIVE[change.span], "2021");
    let edited = "how much revenue did an Orion Gas Ltd report for its cloud unit in 2021";
    let error = check(
        &Property::Entity,
        edited,
        "Northwind Energy",
        "Orion Gas Ltd",
    );
    assert_eq!(error, Err(Death::EditElsewhere), "an article came in");
    let edited = "How much revenue did Orion Gas Ltd report for its cloud unit in 2021?";
    assert!(
        check(
            &Property::Entity,
            edited,
            "Northwind Energy",
            "Orion Gas Ltd"
        )
        .is_ok()
    );
}

#[test]
fn a_change_outside_the_span_is_found_wherever_it_is() {
    let to = "2019";
    let honest = POSITIVE.replace("2021", to);
    let count = words(&honest).len();
    for at in 0..count {
        for extra in ["", "other"] {
            let mut spoiled: Vec<&str> =
                words(&honest).iter().map(|w| &honest[w.clone()]).collect();
            if spoiled[at] == to {
                continue;
            }
            if extra.is_empty() {
                spoiled.remove(at);
            } else {
                spoiled[at] = extra;
            }
            let result = check(&Property::Year, &spoiled.join(" "), "2021", to);
            assert_eq!(
                result,
                Err(Death::EditElsewhere),
                "word {at} of {spoiled:?}"
            );
        }
    }
}

#[test]
fn a_change_of_another_kind_than_the_property_dies() {
    let cases = [
        (Property::Year, "2021", "Oslo"),
        (Property::Number, "2021", "2019"),
        (Property::Entity, "cloud", "retail"),
        (Property::Metric, "2021", "2019"),
    ];
    for (property, from, to) in cases {
        let edited = POSITIVE.replace(from, to);
        assert_eq!(
            check(&property, &edited, from, to),
            Err(Death::EditWrongKind),
            "{property}"
        );
    }
    let edited = POSITIVE.replace("revenue", "profit");
    assert!(check(&Property::Metric, &edited, "revenue", "profit").is_ok());
    assert!(
        check(
            &Property::Custom("measure".into()),
            &edited,
            "revenue",
            "profit"
        )
        .is_ok()
    );
}

#[test]
fn names_may_begin_in_lower_case_and_other_words_may_not_take_their_place() {
    let entity = |from: &str, to: &str| {
        let positive = format!("Which models does the {from} package fit?");
        check_edit(
            &Property::Entity,
            &positive,
            &positive.replace(from, to),
            from,
            to,
        )
    };
    for (from, to) in [
        ("lme4", "nlme"),
        ("lme4", "glmmTMB"),
        ("lme4's lmer", "nlme's lme"),
        ("PostgreSQL", "openGauss"),
        ("eBay", "3M"),
        ("東京", "大阪"),
    ] {
        assert!(entity(from, to).is_ok(), "{from} {to}");
    }
    for (from, to) in [
        ("nlme", "lme4"),
        ("PostgreSQL", "database"),
        ("lme4", "whole statistics"),
        ("3 percent", "several percent"),
        ("lme4", "15"),
    ] {
        assert_eq!(entity(from, to), Err(Death::EditWrongKind), "{from} {to}");
    }
}

#[test]
fn a_name_may_be_given_with_its_possessive_or_without() {
    let positive = "When is PostgreSQL's next checkpoint due?";
    for (edited, from, to) in [
        (
            "When is Greenplum's next checkpoint due?",
            "PostgreSQL",
            "Greenplum",
        ),
        (
            "When is Greenplum’s next checkpoint due?",
            "PostgreSQL's",
            "Greenplum's",
        ),
    ] {
        let change = check_edit(&Property::Entity, positive, edited, from, to).unwrap();
        assert_eq!((&*change.from, &*change.to), (from, to));
        assert_eq!(&positive[change.span], from);
    }
    let edited = "When is Greenplum next checkpoint due?";
    let lost = check_edit(
        &Property::Entity,
        positive,
        edited,
        "PostgreSQL",
        "Greenplum",
    );
    assert_eq!(lost, Err(Death::EditElsewhere));
}

#[test]
fn an_unchanged_or_misreported_edit_dies() {
    let same = check(&Property::Year, POSITIVE, "2021", "2021");
    assert_eq!(same, Err(Death::EditUnchanged));
    let edited = POSITIVE.replace("2021", "2019");
    assert_eq!(
        check(&Property::Year, &edited, "2020", "2019"),
        Err(Death::EditElsewhere)
    );
    assert_eq!(
        check(&Property::Year, &edited, "2021", "2018"),
        Err(Death::EditElsewhere)
    );
    assert_eq!(
        check(&Property::Year, &edited, "", "2019"),
        Err(Death::EditElsewhere)
    );
}

#[test]
fn every_occurrence_or_one_may_change_and_articles_follow() {
    let positive = "Did sales in 2020 beat the plan for 2020?";
    let year = Property::Year;
    let both = check_edit(
        &year,
        positive,
        "Did sales in 2018 beat the plan for 2018?",
        "2020",
        "2018",
    );
    let one = check_edit(
        &year,
        positive,
        "Did sales in 2020 beat the plan for 2018?",
        "2020",
        "2018",
    );
    assert!(both.is_ok() && one.is_ok());
    let positive = "Which bank gave a loan to the firm?";
    let edited = "Which bank gave an advance to the firm?";
    assert!(check_edit(&Property::Subject, positive, edited, "loan", "advance").is_ok());
}

#[test]
fn any_replacement_in_any_question_passes_and_keeps_the_rest() {
    let mut random = Random::new(11);
    for round in 0..500 {
        let n = 3 + random.below(12);
        let question: Vec<String> = (0..n)
            .map(|i| format!("w{}x{i}", random.below(50)))
            .collect();
        let start = random.below(n);
        let end = start + 1 + random.below((n - start).min(3));
        let to = format!("new{round} value");
        let mut edited = question.clone();
        edited.splice(start..end, [to.clone()]);
        let from = question[start..end.min(n)].join(" ");
        let custom = Property::Custom("thing".into());
        let (positive, edited) = (question.join(" ") + "?", edited.join(" "));
        let change = check_edit(&custom, &positive, &edited, &from, &to).unwrap();
        assert_eq!(change.from, from);
        let rebuilt = format!(
            "{}{to}{}",
            &positive[..change.span.start],
            &positive[change.span.end..]
        );
        assert_eq!(lower_words(&rebuilt), lower_words(&edited));
    }
}

#[test]
fn properties_are_read_as_they_are_written() {
    for property in Property::PAPER
        .into_iter()
        .chain([Property::Custom("machine type".into())])
    {
        assert_eq!(property.to_string().parse(), Ok(property));
    }
    assert!("colour".parse::<Property>().is_err() && "custom: ".parse::<Property>().is_err());
    assert!(years("FY21").is_some() && years("fiscal year 2021").is_some());
    assert!(years("2021 revenue").is_none() && years("3021").is_none());
}
