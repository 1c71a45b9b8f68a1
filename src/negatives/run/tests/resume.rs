//! Interrupted runs: nothing is paid twice, whatever the point and the reason of the interruption.

use super::*;

fn calls_of_a_whole_run() -> usize {
    let script = Script::new(Mood::Perfect);
    run_on(&script, &MemoryCache::default());
    let calls = script.seen.borrow().len();
    assert!(calls > 15, "{calls}");
    calls
}

#[test]
fn a_run_that_fails_at_any_call_repeats_no_paid_call() {
    let calls = calls_of_a_whole_run();
    let whole = run(Mood::Perfect);
    for index in 0..calls {
        let (script, cache) = (Script::new(Mood::Perfect), MemoryCache::default());
        script.fail_at.set(Some(index));
        let first = run_on(&script, &cache);
        assert_eq!(
            first.stopped.as_ref().map(Error::code),
            Some("llm"),
            "call {index}"
        );
        assert_eq!(
            first.groups,
            whole.groups[..first.groups.len()],
            "what is finished is returned"
        );
        script.fail_at.set(None);
        let second = run_on(&script, &cache);
        assert_eq!(
            (&second.groups, &second.funnel),
            (&whole.groups, &whole.funnel)
        );
        assert_eq!(script.seen.borrow().len(), calls, "call {index}");
        assert_eq!(second.usage.cached, index as u64);
    }
}

#[test]
fn a_caller_may_stop_before_any_call_and_go_on_later() {
    let whole = run(Mood::Perfect);
    let calls = calls_of_a_whole_run();
    for stop in 0..calls + 9 {
        let (script, cache) = (Script::new(Mood::Perfect), MemoryCache::default());
        let ledger = Ledger::default();
        let seams = seams(&script, &OnlyPage, &cache, &ledger);
        let mut heard = 0;
        let mut paid_when_stopped = 0;
        let observe = async |progress: Progress| {
            heard += 1;
            paid_when_stopped = progress.usage.calls;
            if heard > stop {
                Err(Error::Aborted)
            } else {
                Ok(())
            }
        };
        let first =
            pollster::block_on(generate(&job(page()), &seams, &settings(), observe)).unwrap();
        assert_eq!(first.stopped, Some(Error::Aborted), "{stop}");
        assert_eq!(
            script.seen.borrow().len() as u64,
            paid_when_stopped,
            "nothing is asked after a stop"
        );
        let second = run_on(&script, &cache);
        assert_eq!(second.groups, whole.groups);
        assert_eq!(script.seen.borrow().len(), calls);
    }
}

#[test]
fn a_budget_stops_hard_and_a_larger_one_goes_on() {
    let calls = calls_of_a_whole_run();
    let (script, cache) = (Script::new(Mood::Perfect), MemoryCache::default());
    for limit in 0..calls as u64 {
        // One more call each time: all the earlier ones come from the cache.
        let ledger = Ledger::new(Budget {
            calls: Some(1),
            ..Budget::default()
        });
        let outcome = run_with(&script, &job(page()), &settings(), &cache, &ledger);
        assert_eq!(outcome.usage.calls, 1);
        assert_eq!(script.seen.borrow().len() as u64, limit + 1);
        let last = limit + 1 == calls as u64;
        assert_eq!(
            outcome.stopped.map(|e| e.code()),
            (!last).then_some("budget")
        );
    }
    let ledger = Ledger::new(Budget {
        tokens: Some(2_500),
        ..Budget::default()
    });
    let outcome = run_with(
        &Script::new(Mood::Perfect),
        &job(page()),
        &settings(),
        &MemoryCache::default(),
        &ledger,
    );
    assert_eq!(outcome.stopped.map(|e| e.code()), Some("budget"));
    assert!(
        ledger.spent().1 <= 2_500 && outcome.usage.calls > 0,
        "{:?}",
        ledger.spent()
    );
}

#[test]
fn an_answer_that_cannot_be_kept_stops_the_run() {
    struct Full(Cell<usize>);
    impl Cache for Full {
        async fn get(&self, _: &str) -> Result<Option<LlmAnswer>, Error> {
            Ok(None)
        }
        async fn put(&self, _: &str, _: &LlmAnswer) -> Result<(), Error> {
            self.0.set(self.0.get() + 1);
            Err(Error::Internal {
                what: "the disk is full".into(),
            })
        }
    }
    let (script, cache) = (Script::new(Mood::Perfect), Full(Cell::new(0)));
    let outcome = run_on(&script, &cache);
    assert_eq!(outcome.stopped.map(|e| e.code()), Some("internal"));
    assert_eq!((cache.0.get(), script.seen.borrow().len()), (1, 1));
}

#[test]
fn another_models_answers_are_not_taken_for_this_ones() {
    let cache = MemoryCache::default();
    let script = Script::new(Mood::Perfect);
    let mut answers = Vec::new();
    for model in ["one", "two"] {
        let ledger = Ledger::default();
        let mut seams = seams(&script, &OnlyPage, &cache, &ledger);
        (seams.generator.model, seams.verifier.model) = (model, model);
        let outcome = run_through(&seams, &job(page()), &settings());
        answers.push(outcome.usage);
    }
    assert_eq!(answers[0].calls, answers[1].calls);
    assert_eq!(answers[1].cached, 0);
}
