//! SQUARE's grid: which pages are shown, what becomes of the others, and of answers that are no use.

use crate::error::Error;
use crate::llm::LlmImage;
use crate::strategy::test_support::{
    Album, Manner, Scripted, documents, order, run, task, true_order,
};
use crate::strategy::{Limits, Outcome, Pages, Seams, Task, Warning};

fn square(name: &str, manner: Manner, n: usize) -> (Outcome, Vec<Vec<usize>>, Scripted) {
    let texts = documents(n);
    let texts_of: Vec<&str> = texts.iter().map(String::as_str).collect();
    // The first stage's order is the input's, turned around.
    let scores: Vec<f32> = (0..n).map(|i| i as f32).collect();
    let (album, llm) = (Album::new(&texts), Scripted::new(manner));
    let seams = Seams {
        llm: Some(&llm),
        pages: Some(&album),
        ..Seams::default()
    };
    let task = Task {
        first_stage: Some(&scores),
        ..task(&texts_of)
    };
    let outcome = run(name, &task, &seams).unwrap();
    let grids = album.grids.take();
    (outcome, grids, llm)
}

#[test]
fn the_first_pages_are_shown_in_their_order_and_sorted_and_the_rest_keep_their_places() {
    for n in [0, 1, 2, 5, 6, 40] {
        let (outcome, grids, llm) = square("square:size=5", Manner::Perfect, n);
        let shown: Vec<usize> = (0..n).rev().take(5).collect();
        let is_asked = n > 1;
        assert_eq!(
            (grids.len(), llm.calls()),
            (usize::from(is_asked), usize::from(is_asked))
        );
        assert_eq!(outcome.cost.judgements, usize::from(is_asked));
        let texts = documents(n);
        let texts: Vec<&str> = shown.iter().map(|&i| texts[i].as_str()).collect();
        let mut expected: Vec<usize> = true_order(&texts).iter().map(|&i| shown[i]).collect();
        expected.extend((0..n).rev().skip(5));
        assert_eq!(order(&outcome), expected, "{n}");
        if is_asked {
            assert_eq!(grids[0], shown);
            let request = &llm.requests.borrow()[0];
            assert_eq!(request.images.len(), 1);
            // The model sees the pages, not their texts.
            assert!(!request.user.contains("text of worth"), "{}", request.user);
            let count = format!("shows {} pages", shown.len());
            assert!(request.user.contains(&count), "{}", request.user);
        }
    }
}

#[test]
fn an_answer_out_of_form_is_repaired_once_with_the_grid_beside_it() {
    let (outcome, grids, llm) = square("square", Manner::Careless, 6);
    let perfect = square("square", Manner::Perfect, 6).0;
    assert_eq!(order(&outcome), order(&perfect));
    assert_eq!((grids.len(), llm.calls()), (1, 2));
    assert!(
        llm.requests
            .borrow()
            .iter()
            .all(|request| request.images.len() == 1)
    );
    assert_eq!(outcome.warnings, [Warning::Repaired { answers: 1 }]);
}

#[test]
fn numbers_out_of_range_or_twice_leave_the_first_stage_s_order_with_a_warning() {
    for text in [
        "{\"ranking\": [7, 1]}",
        "{\"ranking\": [1, 1, 2]}",
        "the second",
    ] {
        let (outcome, _, llm) = square("square", Manner::Broken(text), 6);
        assert_eq!(order(&outcome), [5, 4, 3, 2, 1, 0], "{text}");
        assert_eq!(llm.calls(), 2);
        let warned = matches!(outcome.warnings[..], [Warning::Unusable { answers: 1, .. }]);
        assert!(warned, "{text}: {:?}", outcome.warnings);
    }
}

#[test]
fn pages_that_the_answer_leaves_out_follow_in_the_first_stage_s_order() {
    let (outcome, _, _) = square("square", Manner::Forgetful, 6);
    // The last page shown is document 0.
    assert_eq!(order(&outcome).last(), Some(&0));
    assert_eq!(outcome.warnings, [Warning::Missing { documents: 1 }]);
}

#[test]
fn a_page_that_cannot_be_read_or_a_grid_over_the_budget_costs_nothing() {
    struct Torn;
    impl Pages for Torn {
        async fn grid(&self, _: &[usize]) -> Result<LlmImage, Error> {
            Err(Error::argument(
                "images",
                "files that can be read",
                "page 2",
            ))
        }
    }
    let llm = Scripted::new(Manner::Perfect);
    let texts = documents(3);
    let texts_of: Vec<&str> = texts.iter().map(String::as_str).collect();
    let torn = Seams {
        llm: Some(&llm),
        pages: Some(&Torn),
        ..Seams::default()
    };
    let error = run("square", &task(&texts_of), &torn).unwrap_err();
    assert!(error.to_string().starts_with("images"), "{error}");
    // The prompt's text alone would fit: 20 tokens of 100 x 100 pixels do not.
    let album = Album::new(&texts);
    let seams = Seams {
        pages: Some(&album),
        ..torn
    };
    let request = |limit: u64| {
        let limits = Limits {
            tokens: Some(limit),
            ..Limits::default()
        };
        let task = Task {
            limits,
            ..task(&texts_of)
        };
        run("square", &task, &seams).unwrap()
    };
    let least = (0..2000).find(|&limit| {
        let before = llm.calls();
        request(limit);
        llm.calls() > before
    });
    let request = &llm.requests.borrow()[0];
    let bytes = request.system.len() + request.user.len();
    assert_eq!(least, Some(bytes.div_ceil(4) as u64 + 20));
}
