//! What an evaluation leaves: the table as Markdown, and for each row a TREC run file and a CSV with a
//! line a query.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use foliorank::metrics::{Gain, Judged};

use super::bootstrap::{Interval, interval};
use super::dataset::Dataset;
use super::trec;
use super::trial::Trial;

/// A row of the table as numbers.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) trial: &'a Trial,
    pub(super) ndcg: Interval,
    /// nDCG@10 less that of the first stage alone, query by query; `None` for the first stage.
    pub(super) gained: Option<(Interval, Vec<f64>)>,
    pub(super) reciprocal_rank: Interval,
    pub(super) recall: Interval,
}

/// Rows from trials; a first stage's own row comes before those that rerank it.
pub(super) fn rows(trials: &[Trial], gain: Gain, top: usize) -> Vec<Row<'_>> {
    let mean = |trial: &Trial, of: &dyn Fn(&Judged) -> f64| {
        let values: Vec<f64> = trial.judged.iter().map(of).collect();
        interval(&values)
    };
    (trials.iter())
        .map(|trial| {
            let first = (trials.iter()).find(|first| {
                let (a, b) = (&first.label, &trial.label);
                (&a.dataset, &a.first_stage) == (&b.dataset, &b.first_stage) && a.reranker == "none"
            });
            let gained = first
                .filter(|_| trial.label.reranker != "none")
                .map(|first| {
                    let pairs = trial.ndcg(gain).into_iter().zip(first.ndcg(gain));
                    let differences: Vec<f64> =
                        pairs.map(|(after, before)| after - before).collect();
                    (interval(&differences), differences)
                });
            Row {
                trial,
                ndcg: interval(&trial.ndcg(gain)),
                gained,
                reciprocal_rank: mean(trial, &|judged| judged.reciprocal_rank(10)),
                recall: mean(trial, &|judged| judged.recall(top)),
            }
        })
        .collect()
}

/// The table. Intervals are 95 %, over queries; judgements are those of a query.
pub(super) fn markdown(rows: &[Row<'_>], top: usize) -> String {
    let mut table = format!(
        "| data | queries | first stage | reranker | fuse | nDCG@10 | against first stage | MRR@10 | \
         R@{top} | judgements | queries/s |\n|---|---|---|---|---|---|---|---|---|---|---|\n"
    );
    for row in rows {
        let label = &row.trial.label;
        let gained = (row.gained.as_ref()).map_or("-".into(), |(gained, _)| signed(*gained));
        let speed = (row.trial.queries_per_second()).map_or("-".into(), speed);
        let judgements = (row.trial.judgements()).map_or("-".into(), |n| format!("{n:.1}"));
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} | {} | {gained} | {} | {} | {judgements} | {speed} |",
            label.dataset,
            row.trial.judged.len(),
            label.first_stage,
            label.reranker,
            label.fuse,
            plain(row.ndcg),
            plain(row.reciprocal_rank),
            plain(row.recall),
        );
    }
    table
}

fn plain(Interval { mean, low, high }: Interval) -> String {
    format!("{mean:.3} [{low:.3}, {high:.3}]")
}

fn signed(Interval { mean, low, high }: Interval) -> String {
    format!("{mean:+.3} [{low:+.3}, {high:+.3}]")
}

/// Queries a second; a slow reranker's too.
pub(super) fn speed(queries: f64) -> String {
    let places = if queries < 1.0 { 3 } else { 1 };
    format!("{queries:.places$}")
}

/// Writes a trial's run file and its CSV.
pub(super) fn write(
    folder: &Path,
    dataset: &Dataset,
    row: &Row<'_>,
    gain: Gain,
    top: usize,
) -> Result<()> {
    let trial = row.trial;
    let mut run = String::new();
    let mut csv = format!("query,relevant,ndcg@10,against_first_stage,mrr@10,recall@{top}\n");
    let name = trial.file_name();
    for (place, query) in dataset.queries.iter().enumerate() {
        let (hits, judged) = (&trial.rankings[place], &trial.judged[place]);
        let id = |document: u32| &*dataset.documents[document as usize].id;
        let ranking = hits.iter().map(|hit| (id(hit.document), hit.score));
        run += &trec::run_lines(&query.id, ranking, &name);
        let gained = row.gained.as_ref().map(|(_, of_query)| of_query[place]);
        let _ = writeln!(
            csv,
            "{},{},{:.6},{},{:.6},{:.6}",
            quoted(&query.id),
            judged.relevant(),
            judged.ndcg(10, gain),
            gained.map_or(String::new(), |gained| format!("{gained:.6}")),
            judged.reciprocal_rank(10),
            judged.recall(top)
        );
    }
    for (ending, text) in [("run", run), ("csv", csv)] {
        let file = folder.join(format!("{name}.{ending}"));
        fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}

/// A CSV field (RFC 4180).
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_speed_is_not_nothing() {
        assert_eq!([speed(0.0413), speed(101.46)], ["0.041", "101.5"]);
    }

    #[test]
    fn a_field_is_quoted_only_where_it_must_be() {
        assert_eq!(quoted("q 1"), "q 1");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
    }
}
