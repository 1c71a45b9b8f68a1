//! Judges of each kind under strategies, what goes wrong with them, and the adapters.

use crate::error::Error;
use crate::strategy::test_support::{
    Knowing, Manner, Scripted, documents, order, run, task, true_order,
};
use crate::strategy::{Asked, Group, Judge, LlmJudge, RoundRobin, Seams};

const RELATIVE: [&str; 6] = [
    "prp-all-pair",
    "prp-heapsort",
    "prp-sliding",
    "setwise-heapsort",
    "listwise-windows",
    "groupwise",
];

#[test]
fn a_judge_of_single_documents_drives_every_strategy_from_one_score_each() {
    let texts = documents(30);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for name in RELATIVE {
        let judge = Knowing::new(1);
        let seams = Seams {
            judge: Some(&judge),
            ..Seams::default()
        };
        let outcome = run(name, &task(&texts), &seams).unwrap();
        assert_eq!(order(&outcome)[..10], true_order(&texts)[..10], "{name}");
        assert_eq!((judge.asked.get(), judge.largest.get()), (30, 1), "{name}");
        assert_eq!(outcome.judged, 30, "{name}");
        assert_eq!(outcome.extras.conflicts, 0, "{name}");
    }
}

#[test]
fn a_group_larger_than_the_judge_takes_is_refused() {
    let texts = documents(30);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let judge = Knowing::new(2);
    let seams = Seams {
        judge: Some(&judge),
        ..Seams::default()
    };
    for name in RELATIVE {
        let outcome = run(name, &task(&texts), &seams);
        if name.starts_with("prp") {
            assert_eq!(outcome.unwrap().judged, 30);
            assert_eq!(judge.largest.get(), 2);
            continue;
        }
        let error = outcome.unwrap_err().to_string();
        assert!(
            error.starts_with("judge: expected one that takes"),
            "{error}"
        );
    }
}

#[test]
fn a_judge_that_prefers_the_first_place_shows_as_conflict_and_changes_nothing() {
    let texts = documents(12);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let judge = Knowing {
        number: |_, place| -(place as f32),
        ..Knowing::new(2)
    };
    let seams = Seams {
        judge: Some(&judge),
        ..Seams::default()
    };
    let first_stage: Vec<usize> = (0..12).collect();
    for name in ["prp-all-pair", "prp-heapsort", "prp-sliding"] {
        let outcome = run(name, &task(&texts), &seams).unwrap();
        assert_eq!(outcome.extras.conflict_rate(), Some(1.0), "{name}");
        assert_eq!(order(&outcome), first_stage, "{name}");
        // In one order only the bias decides, and nothing shows it.
        let outcome = run(&format!("{name}:orders=1"), &task(&texts), &seams).unwrap();
        assert_eq!(outcome.extras.conflict_rate(), None, "{name}");
    }
}

#[test]
fn a_bias_smaller_than_the_difference_conflicts_only_between_neighbours() {
    let texts = documents(12);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let judge = Knowing {
        // The first place is worth one and a half: neighbours by worth are 1 apart.
        number: |text, place| {
            crate::strategy::test_support::worth(text) as f32 - 1.5 * place as f32
        },
        ..Knowing::new(2)
    };
    let seams = Seams {
        judge: Some(&judge),
        ..Seams::default()
    };
    let outcome = run("prp-all-pair", &task(&texts), &seams).unwrap();
    assert_eq!((outcome.extras.pairs, outcome.extras.conflicts), (66, 11));
}

/// Answers with what it was made with, whatever it is asked.
struct Fixed(Vec<Vec<f32>>);

impl Judge for Fixed {
    fn max_group(&self) -> usize {
        2
    }

    async fn judge(&self, _: &[Group<'_>]) -> Result<Vec<Vec<f32>>, Error> {
        Ok(self.0.clone())
    }
}

#[test]
fn a_judge_that_answers_nan_or_another_count_is_a_fault() {
    for numbers in [
        vec![vec![1.0, f32::NAN], vec![1.0, 0.0]],
        vec![vec![1.0, 0.0]],
        vec![vec![1.0], vec![0.0]],
    ] {
        let seams = Seams {
            judge: Some(&Fixed(numbers)),
            ..Seams::default()
        };
        let error = run("prp-all-pair", &task(&["a", "b"]), &seams).unwrap_err();
        assert_eq!(error.code(), "internal");
    }
}

fn judged(judge: &impl Judge, documents: &[&str]) -> Result<Vec<f32>, Error> {
    let query = "q";
    let groups = [Group { query, documents }];
    pollster::block_on(judge.judge(&groups)).map(|numbers| numbers.concat())
}

#[test]
fn a_round_robin_counts_wins_in_both_orders() {
    let pairs = Knowing::new(2);
    let judge = RoundRobin::new(&pairs, 4);
    assert_eq!(judge.max_group(), 4);
    let points = judged(&judge, &["7", "3", "9", "3"]).unwrap();
    assert_eq!(points, [4.0, 1.0, 6.0, 1.0]);
    assert_eq!(pairs.asked.get(), 12);
    assert_eq!(judged(&judge, &["7"]).unwrap(), [0.0]);
    assert!(judged(&judge, &[]).unwrap().is_empty());
}

#[test]
fn a_language_model_judges_as_it_is_asked() {
    let llm = Scripted::new(Manner::Perfect);
    let judge = |asked| LlmJudge::new(&llm, asked);
    assert_eq!(judged(&judge(Asked::Relevant), &["30"]).unwrap(), [1.0]);
    assert_eq!(judged(&judge(Asked::Relevant), &["3"]).unwrap(), [0.0]);
    assert_eq!(
        judged(&judge(Asked::Pair), &["3", "9"]).unwrap(),
        [0.0, 1.0]
    );
    let best = judged(&judge(Asked::Best(3)), &["3", "9", "5"]).unwrap();
    assert_eq!(best, [0.0, 1.0, 0.0]);
    let grades = judged(&judge(Asked::Grades(3)), &["30", "90", "50"]).unwrap();
    assert_eq!(grades, [3.0, 9.0, 5.0]);
    let error = judged(&judge(Asked::Pair), &["3"]).unwrap_err();
    assert_eq!(error.code(), "invalid_argument");
}

#[test]
fn a_language_model_as_judge_gets_one_repair_and_then_is_an_error() {
    let careless = Scripted::new(Manner::Careless);
    let judge = LlmJudge::new(&careless, Asked::Pair);
    assert_eq!(judged(&judge, &["3", "9"]).unwrap(), [0.0, 1.0]);
    assert_eq!(careless.calls(), 2);
    for manner in [Manner::Broken("no"), Manner::Forgetful] {
        let llm = Scripted::new(manner);
        let judge = LlmJudge::new(&llm, Asked::Grades(2));
        assert_eq!(judged(&judge, &["3", "9"]).unwrap_err().code(), "llm");
        assert_eq!(llm.calls(), 2);
    }
}
