//! Language models that are perfect, noisy, biased, careless or broken in a judge's place.

use crate::strategy::test_support::{
    Manner, Scripted, agreement, documents, order, run, task, true_order,
};
use crate::strategy::{Limits, Outcome, Seams, Task, Warning};

/// Strategies that a language model alone can drive, and how many places of 40 they settle.
const DRIVEN: [(&str, usize); 10] = [
    ("prp-all-pair", 40),
    ("prp-heapsort:k=40", 40),
    ("prp-sliding:k=40", 40),
    ("setwise-heapsort:k=40", 40),
    ("listwise-windows:passes=4", 40),
    ("listwise-windows:passes=4,freeze=10,top=10", 40),
    ("listwise-full", 40),
    ("groupwise:size=8,shuffles=3", 40),
    ("insert-rank", 40),
    ("listwise-windows", 10),
];

fn ask(name: &str, texts: &[&str], llm: &Scripted) -> Outcome {
    let scores: Vec<f32> = (0..texts.len()).rev().map(|i| i as f32).collect();
    let task = Task {
        first_stage: Some(&scores),
        ..task(texts)
    };
    let seams = Seams {
        llm: Some(llm),
        ..Seams::default()
    };
    run(name, &task, &seams).unwrap()
}

fn is_whole(outcome: &Outcome, n: usize) -> bool {
    let mut found = order(outcome);
    found.sort_unstable();
    found.into_iter().eq(0..n)
}

#[test]
fn a_perfect_model_gives_the_true_order() {
    let texts = documents(40);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for (name, settled) in DRIVEN {
        let llm = Scripted::new(Manner::Perfect);
        let outcome = ask(name, &texts, &llm);
        let truth = true_order(&texts);
        assert_eq!(order(&outcome)[..settled], truth[..settled], "{name}");
        assert_eq!(outcome.warnings, [], "{name}");
        assert_eq!(outcome.extras.valid_answers, llm.calls(), "{name}");
    }
}

#[test]
fn yes_and_no_and_marks_put_the_better_half_first() {
    let texts = documents(40);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let is_good = |&index: &usize| true_order(&texts)[..20].contains(&index);
    for name in ["pointwise", "car", "facets", "cotrr"] {
        let outcome = ask(name, &texts, &Scripted::new(Manner::Perfect));
        assert!(order(&outcome)[..20].iter().all(is_good), "{name}");
        assert!(
            order(&outcome)[..20].is_sorted(),
            "{name}: ties in first-stage order"
        );
    }
}

#[test]
fn a_noisy_model_is_right_in_three_pairs_of_four() {
    let texts = documents(40);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let first_stage: Vec<usize> = (0..40).collect();
    let chance = agreement(&texts, &first_stage);
    assert!((0.35..0.65).contains(&chance), "{chance}");
    for (name, settled) in DRIVEN {
        if settled < 40 {
            continue;
        }
        let outcome = ask(name, &texts, &Scripted::new(Manner::Noisy(20)));
        let found = agreement(&texts, &order(&outcome));
        assert!((0.75..1.0).contains(&found), "{name}: {found}");
    }
}

#[test]
fn averaging_shuffles_takes_noise_away() {
    let texts = documents(40);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let found = |name| {
        let outcome = ask(name, &texts, &Scripted::new(Manner::Noisy(40)));
        agreement(&texts, &order(&outcome))
    };
    let (one, eight) = (found("groupwise"), found("groupwise:shuffles=8"));
    assert!(eight > one + 0.05, "{one} {eight}");
}

#[test]
fn a_model_biased_by_position_shows_in_the_conflict_rate() {
    let texts = documents(12);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for name in ["prp-all-pair", "prp-heapsort", "prp-sliding"] {
        let outcome = ask(name, &texts, &Scripted::new(Manner::Biased));
        assert_eq!(outcome.extras.conflict_rate(), Some(1.0), "{name}");
        assert_eq!(order(&outcome), (0..12).collect::<Vec<_>>(), "{name}");
        let outcome = ask(name, &texts, &Scripted::new(Manner::Perfect));
        assert_eq!(outcome.extras.conflict_rate(), Some(0.0), "{name}");
    }
}

#[test]
fn a_careless_model_is_repaired_once_and_the_result_is_the_same() {
    let texts = documents(40);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for (name, settled) in DRIVEN {
        let llm = Scripted::new(Manner::Careless);
        let outcome = ask(name, &texts, &llm);
        assert_eq!(
            order(&outcome)[..settled],
            true_order(&texts)[..settled],
            "{name}"
        );
        let answers = outcome.cost.judgements;
        assert_eq!(llm.calls(), 2 * answers, "{name}");
        assert_eq!(outcome.extras.repaired_answers, answers, "{name}");
        assert_eq!(outcome.warnings, [Warning::Repaired { answers }], "{name}");
    }
}

#[test]
fn a_broken_model_leaves_the_first_stage_order_with_a_warning() {
    let texts = documents(25);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let broken = [
        "",
        "I cannot help with that.",
        r#"{"ranking": [1, 1, 2], "best": 99, "scores": [{"id": 0, "score": 5}], "better": "C"}"#,
        r#"{"ranking": "1 > 2", "best": "one", "scores": 7, "marks": [[]], "facets": [7]}"#,
        r#"{"ranking": [-1], "best": 1.5, "scores": [{"id": 1, "score": 99}], "query": ""}"#,
    ];
    let more = ["pointwise", "car", "facets", "cotrr"];
    for name in DRIVEN.map(|(name, _)| name).into_iter().chain(more) {
        for answer in broken {
            let llm = Scripted::new(Manner::Broken(answer));
            let outcome = ask(name, &texts, &llm);
            let first_stage: Vec<usize> = (0..25).collect();
            assert_eq!(order(&outcome), first_stage, "{name} {answer}");
            let unusable = outcome.extras.unusable_answers;
            assert_eq!(llm.calls(), 2 * unusable, "{name}: one repair each");
            let warned = outcome.warnings.iter().any(|warning| {
                matches!(warning, Warning::Unusable { answers, .. } if *answers == unusable)
            });
            assert!(
                warned && unusable > 0,
                "{name} {answer}: {:?}",
                outcome.warnings
            );
        }
    }
}

#[test]
fn a_model_that_forgets_documents_loses_none() {
    let texts = documents(25);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for name in [
        "listwise-windows",
        "listwise-full",
        "groupwise",
        "insert-rank",
        "cotrr",
    ] {
        let outcome = ask(name, &texts, &Scripted::new(Manner::Forgetful));
        assert!(is_whole(&outcome, 25), "{name}");
        let missing = |warning: &Warning| matches!(warning, Warning::Missing { .. });
        assert!(outcome.warnings.iter().any(missing), "{name}");
        assert_eq!(
            outcome.extras.repaired_answers, 0,
            "{name}: missing is not malformed"
        );
    }
    let outcome = ask("listwise-full", &texts, &Scripted::new(Manner::Forgetful));
    assert_eq!(
        order(&outcome).last(),
        Some(&24),
        "the forgotten one is last"
    );
    assert_eq!(outcome.warnings, [Warning::Missing { documents: 1 }]);
}

#[test]
fn a_transform_that_fails_leaves_the_query_as_it_is() {
    // The transform is out of form, the judgements are fine: the answer is a usable yes.
    let texts = documents(5);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let yes = Scripted::new(Manner::Broken(r#"{"relevant": "yes"}"#));
    let outcome = ask("car", &texts, &yes);
    assert_eq!(outcome.extras.queries, [""; 0]);
    assert_eq!((outcome.cost.calls, outcome.judged), (7, 5));
    assert!(
        yes.requests.borrow()[2]
            .user
            .contains("what is worth most?\n")
    );
    let perfect = Scripted::new(Manner::Perfect);
    let outcome = ask("car", &texts, &perfect);
    assert_eq!(outcome.extras.queries, ["what is worth most in all?"]);
    let asked = perfect.requests.borrow();
    assert!(
        asked[1..]
            .iter()
            .all(|r| r.user.contains("what is worth most in all?\n"))
    );
    let outcome = ask("facets", &texts, &Scripted::new(Manner::Perfect));
    assert_eq!(outcome.extras.queries, ["part one", "part two"]);
}

#[test]
fn a_provider_that_fails_for_good_is_an_error() {
    use crate::error::Error;
    use crate::llm::{Llm, LlmAnswer, LlmRequest};
    struct Down;
    impl Llm for Down {
        async fn complete(&self, _: &LlmRequest) -> Result<LlmAnswer, Error> {
            let what = "503".into();
            Err(Error::Llm { what })
        }
    }
    let mut task = task(&["a", "b", "c"]);
    task.limits = Limits {
        parallel: Some(2),
        ..Limits::default()
    };
    let seams = Seams {
        llm: Some(&Down),
        ..Seams::default()
    };
    let error = run("pointwise", &task, &seams).unwrap_err();
    assert_eq!(error.code(), "llm");
}
