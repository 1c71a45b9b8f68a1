//! Every strategy: nothing lost, the truth found, and never more asked than its formula says.

use crate::strategy::test_support::{World, order, true_order};
use crate::strategy::{Limits, Progress, Seams, Strategy, Task};

/// What is to be ranked: none, one, two, the default k, a window, and more than all of them.
const SIZES: [usize; 7] = [0, 1, 2, 10, 20, 21, 37];

fn run(strategy: &Strategy, task: &Task<'_>, seams: &Seams<'_>) -> crate::strategy::Outcome {
    pollster::block_on(strategy.run(task, seams, async |_: Progress| Ok(()))).unwrap()
}

fn name(strategy: &Strategy) -> &'static str {
    strategy.describe().name
}

#[test]
fn every_strategy_returns_every_document_once_and_scores_that_fall() {
    for n in SIZES {
        let world = World::new(n);
        for strategy in Strategy::all() {
            let outcome = world.with(Limits::default(), |task, seams| run(&strategy, task, seams));
            let mut found = order(&outcome);
            found.sort_unstable();
            assert_eq!(found, (0..n).collect::<Vec<_>>(), "{} {n}", name(&strategy));
            let falls = outcome.ranking.is_sorted_by(|a, b| a.score >= b.score);
            assert!(falls, "{} {n}: {:?}", name(&strategy), outcome.ranking);
            assert_eq!(outcome.warnings, [], "{} {n}", name(&strategy));
        }
    }
}

#[test]
fn every_strategy_finds_the_best_that_it_promises_when_told_the_truth() {
    for n in SIZES {
        let world = World::new(n);
        for strategy in Strategy::all() {
            world.with(Limits::default(), |task, seams| {
                let truth = true_order(task.documents);
                // What each settles; feedback and diffusion mix in the first stage's opinion, and
                // marks of 0 to 2 cannot tell neighbours apart.
                let settled = match name(&strategy) {
                    "prp-heapsort" | "prp-sliding" | "setwise-heapsort" | "listwise-windows"
                    | "first" | "anncur" => 10,
                    "diffusion" | "cotrr" | "rocchio" => 0,
                    // Sixteen pages are looked at, and the best may be another.
                    "square" if n > 16 => 0,
                    _ => n,
                };
                let found = order(&run(&strategy, task, seams));
                let settled = settled.min(n);
                assert_eq!(
                    found[..settled],
                    truth[..settled],
                    "{} {n}",
                    name(&strategy)
                );
            });
        }
    }
}

/// What the documented formulas say for `n` documents: judgements, calls and passes in all.
fn formula(name: &str, n: usize) -> f64 {
    let (k, x) = (n.min(10) as f64, n as f64);
    let places = (k - 1.0).max(0.0);
    let some = f64::from(u8::from(n > 0));
    let several = f64::from(u8::from(n > 1));
    let windows = several * (1.0 + ((x - 20.0).max(0.0) / 10.0).ceil());
    match name {
        "pointwise" => x,
        "prp-all-pair" => x * (x - 1.0),
        "prp-heapsort" => 4.0 * (x + places * x.max(1.0).log2()),
        "prp-sliding" => k * (2.0 * x - k - 1.0),
        "setwise-heapsort" => x + places * (2.0 * x + 1.0).log(3.0),
        "listwise-windows" | "first" => windows,
        "listwise-full" | "insert-rank" | "prompt-feedback" | "square" => several,
        "groupwise" => (x / 20.0).ceil(),
        "icr" => 2.0 * several,
        "rocchio" | "diffusion" => 0.0,
        "anncur" => x.min(20.0),
        "car" => some + x,
        "facets" => some + 5.0 * x,
        "cotrr" => some + (x / 10.0).ceil(),
        other => panic!("no formula for {other}"),
    }
}

#[test]
fn no_strategy_asks_more_than_its_formula() {
    for n in SIZES {
        for strategy in Strategy::all() {
            let name = name(&strategy);
            let bound = strategy.at_most(n);
            let (total, formula) = (bound.calls() + bound.passes, formula(name, n));
            let world = World::new(n);
            let cost = world.with(Limits::default(), |task, seams| {
                run(&strategy, task, seams).cost
            });
            let asked = world.judge.asked.get() + world.inside.passes.get() + world.llm.calls();
            assert_eq!(cost.passes, world.inside.passes.get(), "{name} {n}");
            assert_eq!(cost.calls, world.llm.calls(), "{name} {n}");
            assert!(
                total as f64 <= formula,
                "{name} {n}: {total} above {formula}"
            );
            assert!(asked <= total, "{name} {n}: {asked} above {total}");
            match name {
                // A heap is often in order before its worst case.
                "prp-heapsort" | "setwise-heapsort" => assert!(asked * 2 >= total, "{name} {n}"),
                // The scripted model finds two facets where four are allowed.
                "facets" => assert_eq!(asked, usize::from(n > 0) + 3 * n),
                _ => assert_eq!((asked, asked as f64), (total, formula), "{name} {n}"),
            }
        }
    }
}

#[test]
fn bounds_hold_for_every_size_and_without_a_judge_too() {
    for n in SIZES {
        for strategy in Strategy::all() {
            let bound = strategy.at_most(n);
            let world = World::new(n);
            world.with(Limits::default(), |task, seams| {
                let cost = run(&strategy, task, seams).cost;
                assert!(
                    cost.judgements <= bound.judgements,
                    "{} {n}",
                    name(&strategy)
                );
                assert!(cost.passes <= bound.passes, "{} {n}", name(&strategy));
                let seams = Seams {
                    judge: None,
                    ..*seams
                };
                let cost = run(&strategy, task, &seams).cost;
                assert!(cost.calls <= bound.calls(), "{} {n}", name(&strategy));
            });
        }
    }
}

#[test]
fn ties_keep_the_first_stage_order() {
    for n in [2, 10, 37] {
        let mut world = World::tied(n);
        // The first stage's order is not the input's.
        world.first_stage = (0..n).map(|i| ((i * 5) % n) as f32 - 3.0).collect();
        for strategy in Strategy::all() {
            world.with(Limits::default(), |task, seams| {
                let outcome = run(&strategy, task, seams);
                // The approximation of equal scores is not exactly equal to them.
                if name(&strategy) != "anncur" {
                    assert_eq!(
                        order(&outcome),
                        task.first_stage_order(),
                        "{}",
                        name(&strategy)
                    );
                }
                assert_eq!(outcome.extras.conflicts, 0, "{}", name(&strategy));
            });
        }
    }
}

#[test]
fn an_observer_sees_steps_grow_and_can_stop_at_each() {
    for strategy in Strategy::all() {
        let world = World::new(21);
        let mut heard = Vec::new();
        world.with(Limits::default(), |task, seams| {
            let observe = async |progress: Progress| {
                heard.push(progress);
                Ok(())
            };
            pollster::block_on(strategy.run(task, seams, observe)).unwrap();
        });
        assert_eq!(heard[0].step, 0, "{}", name(&strategy));
        assert!(heard.is_sorted_by_key(|progress| progress.step));
        assert!(heard.iter().all(|progress| progress.step <= progress.steps));
        for stop in 0..heard.len() {
            let mut left = stop;
            let observe = async |_: Progress| {
                left = left.checked_sub(1).ok_or(crate::error::Error::Aborted)?;
                Ok(())
            };
            let world = World::new(21);
            let error = world.with(Limits::default(), |task, seams| {
                pollster::block_on(strategy.run(task, seams, observe)).unwrap_err()
            });
            assert_eq!(error.code(), "aborted", "{} at {stop}", name(&strategy));
            let asked = world.judge.asked.get() + world.llm.calls() + world.inside.passes.get();
            assert!(
                stop > 0 || asked == 0,
                "{}: asked before hearing",
                name(&strategy)
            );
        }
    }
}

#[test]
fn top_n_cuts_the_ranking_and_the_work_of_settling_it() {
    for strategy in Strategy::all() {
        let world = World::new(37);
        world.with(Limits::default(), |task, seams| {
            let all = run(&strategy, task, seams);
            let task = Task {
                top_n: Some(3),
                ..*task
            };
            let cut = run(&strategy, &task, seams);
            assert_eq!(order(&cut), order(&all)[..3], "{}", name(&strategy));
            let settles = ["prp-heapsort", "prp-sliding", "setwise-heapsort"];
            if settles.contains(&name(&strategy)) {
                assert!(
                    cut.cost.judgements < all.cost.judgements,
                    "{}",
                    name(&strategy)
                );
            }
        });
    }
}

#[test]
fn names_and_options_parse_and_others_are_refused_by_name() {
    for strategy in Strategy::all() {
        assert_eq!(Strategy::parse(name(&strategy)).unwrap(), strategy);
        for option in strategy.describe().options {
            let value = match *option {
                "size" if name(&strategy) == "first" => "25",
                "size" if name(&strategy) == "insert-rank" => "60",
                "size" => "30",
                "expansion" => "mean",
                "weight" => "0.25",
                "orders" => "1",
                _ => "7",
            };
            let text = format!("{}:{option}={value}", name(&strategy));
            let changed: Strategy = text.parse().unwrap();
            assert_ne!(changed, strategy, "{text}");
        }
    }
    for text in [
        "",
        "prp",
        "pointwise:k",
        "pointwise:k=x",
        "pointwise:z=1",
        "prp-all-pair:k=3",
        "prp-sliding:k=0",
        "prp-sliding:orders=3",
        "listwise-windows:step=20",
        "listwise-windows:size=1",
        "first:size=27",
        "groupwise:size=0",
        "square:size=1",
        "square:size=101",
        "facets:weight=2",
        "diffusion:expansion=sum",
        "rocchio:alpha=inf",
        "icr:k=1",
        "setwise-heapsort:children=1",
    ] {
        let error = Strategy::parse(text).unwrap_err();
        assert_eq!(error.code(), "invalid_argument", "{text}");
    }
}

#[test]
fn a_strategy_without_what_it_needs_says_so_before_anything_is_asked() {
    let world = World::new(5);
    world.with(Limits::default(), |task, _| {
        let bare = Task {
            first_stage: None,
            ..*task
        };
        let nothing = Seams::default();
        for strategy in Strategy::all() {
            let run = strategy.run(&bare, &nothing, async |_: Progress| Ok(()));
            let error = pollster::block_on(run).unwrap_err();
            assert_eq!(error.code(), "invalid_argument", "{}", name(&strategy));
        }
        let llm_alone = Seams {
            llm: Some(&world.llm),
            ..Seams::default()
        };
        let insert_rank = Strategy::parse("insert-rank").unwrap();
        let run = insert_rank.run(&bare, &llm_alone, async |_: Progress| Ok(()));
        let error = pollster::block_on(run).unwrap_err().to_string();
        assert!(error.starts_with("firstStage"), "{error}");
        assert_eq!(world.llm.calls(), 0);
    });
}

#[test]
fn frozen_places_are_not_asked_about_again() {
    // Windows of 20 over 40, 30, 20 and the last 10 documents, against all 40 each time.
    for (name, asked) in [
        ("listwise-windows:passes=4,freeze=10,top=10", 3 + 2 + 1 + 1),
        ("listwise-windows:passes=4", 4 * 3),
    ] {
        let strategy = Strategy::parse(name).unwrap();
        assert_eq!(strategy.at_most(40).judgements, asked);
        let world = World::new(40);
        world.with(Limits::default(), |task, seams| {
            let outcome = run(&strategy, task, seams);
            assert_eq!(order(&outcome), true_order(task.documents), "{name}");
            let seams = Seams {
                judge: None,
                ..*seams
            };
            run(&strategy, task, &seams);
        });
        assert_eq!(
            (world.judge.asked.get(), world.llm.calls()),
            (asked, asked),
            "{name}"
        );
        let top = if name.contains("top") {
            "best 10"
        } else {
            "best 20"
        };
        assert!(world.llm.requests.borrow()[0].user.contains(top), "{name}");
    }
}
