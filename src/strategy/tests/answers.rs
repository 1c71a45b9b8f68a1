//! Answers of language models, in form and out of it.

use crate::strategy::question::Question;

fn read(question: Question<'_>, text: &str) -> Result<Vec<Option<f32>>, String> {
    question.read(text, 3).map(|reading| reading.numbers)
}

#[test]
fn answers_of_each_kind_become_numbers() {
    let order = Question::Order { top: 3 };
    let facets = ["a".to_owned(), "b".to_owned()];
    let checklist = Question::Checklist(&facets);
    for (question, text, numbers) in [
        (Question::Best, r#"{"best": 2}"#, [0.0, 1.0, 0.0]),
        (
            order,
            "```json\n{\"ranking\": [2, 3, 1]}\n```",
            [1.0, 3.0, 2.0],
        ),
        (
            Question::Grades,
            r#"{"scores": [{"id": 2, "score": 7.5}, {"id": 1, "score": 0}, {"id": 3, "score": 10}]}"#,
            [0.0, 7.5, 10.0],
        ),
        (
            checklist,
            r#"{"marks": [{"id": 1, "marks": [2, 2]}, {"id": 2, "marks": [0, 1]}, {"id": 3, "marks": [0, 0]}]}"#,
            [1.0, 0.25, 0.0],
        ),
    ] {
        assert_eq!(read(question, text).unwrap(), numbers.map(Some), "{text}");
    }
    let word = |question: Question<'_>, text, n| question.read(text, n).unwrap().numbers;
    assert_eq!(word(Question::Relevant, "Yes.", 1), [Some(1.0)]);
    assert_eq!(
        word(Question::Relevant, r#"{"relevant": "no"}"#, 1),
        [Some(0.0)]
    );
    let thought = "<think>{\"better\": \"A\"}</think>{\"better\": \"B\"}";
    assert_eq!(word(Question::Pair, thought, 2), [Some(0.0), Some(1.0)]);
}

#[test]
fn an_answer_out_of_form_is_refused_with_a_reason() {
    let facets = ["a".to_owned()];
    for (question, text) in [
        (Question::Order { top: 3 }, r#"{"ranking": [1, 2, 4]}"#),
        (Question::Order { top: 3 }, r#"{"ranking": [1, 2, 0]}"#),
        (Question::Order { top: 3 }, r#"{"ranking": [1, 2, 2]}"#),
        (Question::Order { top: 3 }, r#"{"ranking": [1, 2, 2.5]}"#),
        (Question::Order { top: 3 }, r#"{"ranking": []}"#),
        (Question::Order { top: 3 }, r#"{"order": [1]}"#),
        (Question::Order { top: 3 }, "I cannot rank these."),
        (Question::Best, r#"{"best": 4}"#),
        (Question::Best, r#"{}"#),
        (Question::Pair, r#"{"better": "C"}"#),
        (Question::Relevant, "perhaps"),
        (Question::Grades, r#"{"scores": [{"id": 1, "score": 11}]}"#),
        (Question::Grades, r#"{"scores": [{"id": 1, "score": "7"}]}"#),
        (
            Question::Grades,
            r#"{"scores": [{"id": 1, "score": 7}, {"id": 1, "score": 7}]}"#,
        ),
        (Question::Grades, r#"{"scores": []}"#),
        (
            Question::Checklist(&facets),
            r#"{"marks": [{"id": 1, "marks": [3]}]}"#,
        ),
        (
            Question::Checklist(&facets),
            r#"{"marks": [{"id": 1, "marks": [1, 1]}]}"#,
        ),
    ] {
        let problem = read(question, text).unwrap_err();
        assert!(!problem.is_empty(), "{text}");
    }
}

#[test]
fn what_an_order_leaves_out_is_counted_up_to_what_was_asked_for() {
    let reading = |top| {
        Question::Order { top }
            .read(r#"{"ranking": [3]}"#, 3)
            .unwrap()
    };
    assert_eq!(reading(3).missing, 2);
    assert_eq!(reading(1).missing, 0);
    assert_eq!(reading(3).numbers, [None, None, Some(3.0)]);
}
