//! The ranking of plain scores.

use crate::strategy::rank;

#[test]
fn the_highest_score_comes_first_and_ties_keep_input_order() {
    let ranked = rank(&[0.5, 2.0, -0.0, 2.0, 0.0], Some(4)).unwrap();
    let order: Vec<usize> = ranked.iter().map(|r| r.index).collect();
    assert_eq!(order, [1, 3, 0, 4]);
}

#[test]
fn a_nan_is_an_error_that_names_the_document() {
    let error = rank(&[1.0, f32::NAN], None).unwrap_err();
    assert_eq!(error.code(), "internal");
    assert!(error.to_string().contains("document 1"), "{error}");
}
