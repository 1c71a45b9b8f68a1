//! TREC's two formats: run files (`query Q0 document rank score tag`) and qrels (`query 0 document
//! grade`).

use std::fmt::Write;

use anyhow::{Context, Result};

/// A ranking as lines of a run file; ranks count from 1.
pub(super) fn run_lines<'a>(
    query: &str,
    ranking: impl IntoIterator<Item = (&'a str, f32)>,
    tag: &str,
) -> String {
    let mut lines = String::new();
    for (index, (document, score)) in ranking.into_iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{query} Q0 {document} {} {score} {tag}", index + 1);
    }
    lines
}

/// A line of qrels: query, document, grade.
pub(super) fn judgement(line: &str) -> Result<(&str, &str, u32)> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    match columns[..] {
        [query, _, document, grade_] => Ok((query, document, grade(grade_)?)),
        _ => anyhow::bail!("expected query, iteration, document and grade, found {line:?}"),
    }
}

/// A grade; negative ones mean not relevant.
pub(super) fn grade(text: &str) -> Result<u32> {
    let grade: i64 = (text.trim().parse())
        .with_context(|| format!("expected a whole number as grade, found {text:?}"))?;
    Ok(u32::try_from(grade.max(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_counts_ranks_from_one_and_a_judgement_is_read_with_any_blanks() {
        let lines = run_lines("q", [("a", 2.5), ("b", -1.0)], "bm25");
        assert_eq!(lines, "q Q0 a 1 2.5 bm25\nq Q0 b 2 -1 bm25\n");
        assert_eq!(judgement("7\t0  d3 3").unwrap(), ("7", "d3", 3));
        assert_eq!(judgement("7 0 d3 -2").unwrap().2, 0);
        for bad in ["7 d3 3", "7 0 d3 x", ""] {
            assert!(judgement(bad).is_err(), "{bad}");
        }
    }
}
