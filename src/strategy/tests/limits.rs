//! Budgets, candidate pruning, early exit, and calls side by side.

use std::cell::Cell;

use crate::error::Error;
use crate::llm::{Llm, LlmAnswer, LlmRequest};
use crate::strategy::test_support::{
    Knowing, Manner, Scripted, World, documents, order, run, task, true_order,
};
use crate::strategy::{Limits, Prune, Seams, Strategy, Task, Warning};

fn budget(warnings: &[Warning]) -> Option<&'static str> {
    warnings.iter().find_map(|warning| match warning {
        Warning::Budget { limit, .. } => Some(*limit),
        _ => None,
    })
}

#[test]
fn at_any_limit_of_judgements_everything_comes_back_with_a_warning() {
    for strategy in Strategy::all() {
        let name = strategy.describe().name;
        for most in [0, 1, 2, 3, 7, 1000] {
            let world = World::new(21);
            let limits = Limits {
                judgements: Some(most),
                ..Limits::default()
            };
            world.with(limits, |task, seams| {
                let outcome = run(name, task, seams).unwrap();
                let mut found = order(&outcome);
                found.sort_unstable();
                assert_eq!(found, (0..21).collect::<Vec<_>>(), "{name} {most}");
                let spent = outcome.cost.judgements + outcome.cost.passes;
                assert!(spent <= most, "{name}: {spent} of {most}");
                let bound = strategy.at_most(21);
                let wanted = bound.judgements + bound.passes;
                let warned = budget(&outcome.warnings);
                if most >= wanted {
                    assert_eq!(warned, None, "{name} {most}");
                }
                if spent == most && most < wanted.min(8) {
                    assert_eq!(warned, Some("judgements"), "{name} {most}");
                }
                if most == 0 && wanted > 0 {
                    assert_eq!(order(&outcome), task.first_stage_order(), "{name}");
                    assert_eq!(outcome.judged, 0, "{name}");
                }
            });
        }
    }
}

#[test]
fn what_a_limit_leaves_unjudged_follows_in_first_stage_order() {
    let texts: Vec<String> = (0..10).map(|worth| worth.to_string()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let judge = Knowing::new(2);
    let seams = Seams {
        judge: Some(&judge),
        ..Seams::default()
    };
    let limited = |judgements| Task {
        limits: Limits {
            judgements: Some(judgements),
            ..Limits::default()
        },
        ..task(&texts)
    };
    // Three pairs in both orders: the first three documents are wholly compared.
    let outcome = run("prp-all-pair", &limited(7), &seams).unwrap();
    assert_eq!(order(&outcome), [2, 1, 0, 3, 4, 5, 6, 7, 8, 9]);
    // Four comparisons from the bottom: the last document has risen so far.
    let outcome = run("prp-sliding", &limited(8), &seams).unwrap();
    assert_eq!(order(&outcome), [0, 1, 2, 3, 4, 9, 5, 6, 7, 8]);
    let unjudged = Warning::Budget {
        limit: "judgements",
        unjudged: 5,
    };
    assert_eq!(outcome.warnings, [unjudged]);
    // A heap that was never finished settles nothing.
    let outcome = run("prp-heapsort", &limited(8), &seams).unwrap();
    assert_eq!(order(&outcome), (0..10).collect::<Vec<_>>());
    let single = Knowing::new(1);
    let seams = Seams {
        judge: Some(&single),
        ..Seams::default()
    };
    let outcome = run("pointwise", &limited(4), &seams).unwrap();
    assert_eq!(order(&outcome), [3, 2, 1, 0, 4, 5, 6, 7, 8, 9]);
    assert_eq!((single.asked.get(), outcome.judged), (4, 4));
}

#[test]
fn calls_and_tokens_are_limited_and_repairs_count() {
    let texts = documents(12);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for (manner, limits, calls, limit) in [
        (Manner::Perfect, (Some(5), None), 5, Some("calls")),
        (Manner::Careless, (Some(5), None), 5, Some("calls")),
        // 110 tokens a call, as the script counts them: the seventh would begin at 660, and reads
        // more than 40.
        (Manner::Perfect, (None, Some(700)), 6, Some("tokens")),
        (Manner::Perfect, (None, Some(0)), 0, Some("tokens")),
        (Manner::Perfect, (Some(0), None), 0, Some("calls")),
        (Manner::Perfect, (Some(12), Some(9999)), 12, None),
    ] {
        let llm = Scripted::new(manner);
        let seams = Seams {
            llm: Some(&llm),
            ..Seams::default()
        };
        let task = Task {
            limits: Limits {
                calls: limits.0,
                tokens: limits.1,
                ..Limits::default()
            },
            ..task(&texts)
        };
        let outcome = run("pointwise", &task, &seams).unwrap();
        assert_eq!(outcome.cost.calls, llm.calls());
        assert_eq!(llm.calls(), calls, "{manner:?} {limits:?}");
        assert_eq!(budget(&outcome.warnings), limit, "{manner:?} {limits:?}");
        assert_eq!(outcome.ranking.len(), 12);
        let tokens = (outcome.cost.input_tokens, outcome.cost.output_tokens);
        assert_eq!(tokens, (100 * calls as u64, 10 * calls as u64));
    }
}

#[test]
fn tokens_are_estimated_where_the_provider_does_not_count() {
    struct Silent;
    impl Llm for Silent {
        async fn complete(&self, request: &LlmRequest) -> Result<LlmAnswer, Error> {
            assert_eq!(request.max_tokens, Some(50));
            Ok(LlmAnswer {
                text: r#"{"relevant": "yes"}"#.into(),
                ..LlmAnswer::default()
            })
        }
    }
    let seams = Seams {
        llm: Some(&Silent),
        ..Seams::default()
    };
    let mut task = task(&["a", "b"]);
    task.limits.answer_tokens = Some(50);
    let cost = run("pointwise", &task, &seams).unwrap().cost;
    assert_eq!(cost.output_tokens, 2 * 5, "19 bytes an answer");
    assert!((2 * 100..2 * 400).contains(&cost.input_tokens), "{cost:?}");
}

#[test]
fn pruned_candidates_are_never_judged_and_come_last() {
    let world = World::new(21);
    for strategy in Strategy::all() {
        let name = strategy.describe().name;
        world.with(Limits::default(), |task, seams| {
            // First-stage scores are 21 to 1: those of at least 0.8 x 17 stay, the first eight.
            let prune = Some(Prune { k: 5, alpha: 0.2 });
            let task = Task { prune, ..*task };
            let outcome = run(name, &task, seams).unwrap();
            let found = order(&outcome);
            assert_eq!(outcome.extras.saved, 13, "{name}");
            assert!(
                found[..8].iter().all(|&index| index < 8),
                "{name}: {found:?}"
            );
            assert_eq!(found[8..], (8..21).collect::<Vec<_>>(), "{name}");
            let most = strategy.at_most(8);
            assert!(outcome.cost.judgements <= most.judgements, "{name}");
        });
    }
}

#[test]
fn an_early_exit_stops_after_beta_misses_and_says_what_it_saved() {
    // Worths fall except for one good document at 14, after seven misses.
    let worth = |i: usize| if i == 14 { 90 } else { 50 - i };
    let texts: Vec<String> = (0..40).map(|i| worth(i).to_string()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for (name, judged, first) in [
        ("pointwise:k=7,beta=7", 14, 0),
        ("pointwise:k=7,beta=8", 23, 14),
        ("pointwise:k=40,beta=1", 40, 14),
        ("pointwise", 40, 14),
    ] {
        let judge = Knowing::new(1);
        let seams = Seams {
            judge: Some(&judge),
            ..Seams::default()
        };
        let outcome = run(name, &task(&texts), &seams).unwrap();
        assert_eq!(judge.asked.get(), judged, "{name}");
        assert_eq!(outcome.extras.saved, 40 - judged, "{name}");
        assert_eq!(order(&outcome)[0], first, "{name}");
        let rest: Vec<usize> = (judged..40).collect();
        assert_eq!(order(&outcome)[judged..], rest, "{name}");
        assert_eq!(outcome.warnings, [], "{name}");
    }
}

/// Counts the calls under way.
struct Slow {
    llm: Scripted,
    now: Cell<usize>,
    most: Cell<usize>,
}

impl Llm for Slow {
    async fn complete(&self, request: &LlmRequest) -> Result<LlmAnswer, Error> {
        self.now.set(self.now.get() + 1);
        self.most.set(self.most.get().max(self.now.get()));
        let mut is_ready = false;
        std::future::poll_fn(|context| {
            context.waker().wake_by_ref();
            if std::mem::replace(&mut is_ready, true) {
                return std::task::Poll::Ready(());
            }
            std::task::Poll::Pending
        })
        .await;
        self.now.set(self.now.get() - 1);
        self.llm.complete(request).await
    }
}

#[test]
fn calls_run_side_by_side_up_to_the_limit_with_the_same_result() {
    let texts = documents(40);
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for (parallel, most) in [(None, 1), (Some(3), 3), (Some(100), 8)] {
        let llm = Slow {
            llm: Scripted::new(Manner::Careless),
            now: Cell::new(0),
            most: Cell::new(0),
        };
        let seams = Seams {
            llm: Some(&llm),
            ..Seams::default()
        };
        let limits = Limits {
            parallel,
            ..Limits::default()
        };
        let task = Task {
            limits,
            ..task(&texts)
        };
        let outcome = run("groupwise:size=5", &task, &seams).unwrap();
        assert_eq!(llm.most.get(), most, "{parallel:?}");
        assert_eq!(outcome.cost.calls, 16, "eight groups, each with a repair");
        assert_eq!(order(&outcome), true_order(&texts));
    }
}
