//! The command as a whole on a small collection, with fakes in place of a model.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;

use clap::Parser;
use foliorank::Error;
use foliorank::reranker::TextKind;
use foliorank::retrieval::Sparse;
use foliorank::strategy::rank;

use super::first_stage::{Encoder, SparseIndex};
use super::trial::Reranked;
use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: EvalArgs,
}

/// 40 documents and 20 queries of two words. The relevant document has both words for odd queries, so
/// that BM25 finds it first, and one for even ones, where two others have both.
fn collection(folder: &Path) {
    let document =
        |id: usize, text: &str| format!("{{\"_id\": \"d{id}\", \"text\": \"{text}\"}}\n");
    let query = |id: usize| format!("{{\"_id\": \"q{id}\", \"text\": \"topic{id} common\"}}\n");
    let words = |id: usize| {
        let words = ["", "common topic topic topic"][id % 2];
        words.replace("topic", &format!("topic{id}"))
    };
    let answers = (0..20).map(|id| document(id, &format!("topic{id} {} answer", words(id))));
    let others =
        (20..40).map(|id| document(id, &format!("common topic{} topic{}", id - 20, id - 19)));
    let judged = (0..20).map(|id| format!("q{id}\td{id}\t1\n"));
    std::fs::create_dir_all(folder.join("qrels")).unwrap();
    for (file, text) in [
        ("corpus.jsonl", answers.chain(others).collect::<String>()),
        ("queries.jsonl", (0..20).map(query).collect()),
        (
            "qrels/test.tsv",
            format!("query-id\tcorpus-id\tscore\n{}", judged.collect::<String>()),
        ),
    ] {
        std::fs::write(folder.join(file), text).unwrap();
    }
}

/// A lexical stand-in for a model: scores a document by one word, counts its calls, and breaks down
/// after some of them.
struct Lexical {
    word: &'static str,
    calls: Rc<Cell<usize>>,
    breaks_after: usize,
}

impl Rerank for Lexical {
    fn name(&self) -> &str {
        self.word
    }

    fn settings(&self) -> String {
        format!("lexical {}", self.word)
    }

    fn rank(&self, _query: &str, documents: &[&str]) -> Result<Reranked> {
        if self.calls.get() == self.breaks_after {
            return Err(Error::Aborted.into());
        }
        self.calls.set(self.calls.get() + 1);
        let score = |document: &&str| document.matches(self.word).count() as f32;
        let scores: Vec<f32> = documents.iter().map(score).collect();
        Ok(Reranked {
            ranking: rank(&scores, None)?,
            judgements: documents.len(),
            ..Reranked::default()
        })
    }
}

/// A lexical stand-in for an embedder: which numbers a text has, as a vector.
#[derive(Default)]
struct Letters(Cell<usize>);

impl Encoder for Letters {
    fn name(&self) -> &str {
        "letters"
    }

    fn settings(&self) -> String {
        Encoder::name(self).into()
    }
}

impl Embed for Letters {
    fn embed(&self, texts: &[&str], _kind: TextKind) -> Result<Vec<Vec<f32>>> {
        self.0.set(self.0.get() + texts.len());
        let has = |text: &str, id: usize| {
            let topic = format!("topic{id}");
            text.split(' ').filter(|word| *word == topic).count() as f32 + 0.01
        };
        let vector = |text: &&str| (0..20).map(|id| has(text, id)).collect();
        Ok(texts.iter().map(vector).collect())
    }
}

/// The same numbers as weights.
impl SparseIndex for Letters {
    fn name(&self) -> &str {
        "letters"
    }

    fn index(&self, dataset: &Dataset) -> Result<Sparse> {
        let mut index = Sparse::new();
        for document in &dataset.documents {
            index.add(&self.query(&document.text)?)?;
        }
        Ok(index)
    }

    fn query(&self, text: &str) -> Result<Vec<(u32, f32)>> {
        let vector = self.embed(&[text], TextKind::Query)?.remove(0);
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        Ok((0..).zip(vector.iter().map(|x| x / length)).collect())
    }
}

struct Bench {
    letters: Letters,
    folder: tempfile::TempDir,
    calls: Rc<Cell<usize>>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        collection(&folder.path().join("small"));
        let calls = Rc::default();
        let letters = Letters::default();
        Self {
            letters,
            folder,
            calls,
        }
    }

    fn out(&self, file: &str) -> String {
        std::fs::read_to_string(self.folder.path().join("out").join(file)).unwrap()
    }

    fn run(&self, word: &'static str, breaks_after: usize, more: &[&str]) -> Result<String> {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let (data, out) = (path("small"), path("out"));
        let line = ["eval", "--data", &data, "--out", &out, "--top", "10"];
        let line = Line::parse_from(line.iter().chain(more).copied());
        let fake = Lexical {
            word,
            calls: self.calls.clone(),
            breaks_after,
        };
        let encoders = Encoders {
            embedder: Some(&self.letters),
            sparse: Some(&self.letters),
        };
        evaluate(&line.arguments, &[Box::new(fake)], encoders)
    }
}

/// The mean in a cell such as `0.500 [0.400, 0.600]`.
fn means(table: &str, column: usize) -> Vec<f64> {
    (table.lines().skip(2))
        .map(|line| line.split('|').nth(column).unwrap().trim())
        .map(|cell| cell.split(' ').next().unwrap().parse().unwrap_or(f64::NAN))
        .collect()
}

const NDCG: usize = 6;
const GAINED: usize = 7;
const JUDGEMENTS: usize = 10;

#[test]
fn a_good_reranker_gains_and_a_bad_one_loses_against_the_first_stage() {
    let table = Bench::new().run("answer", 99, &[]).unwrap();
    let good = means(&table, NDCG);
    // Each query was asked about all its candidates, and the first stage about none.
    assert!(means(&table, JUDGEMENTS)[1] > 1.0, "{table}");
    assert!(means(&table, JUDGEMENTS)[0].is_nan(), "{table}");
    assert_eq!(good.len(), 2, "{table}");
    assert!(good[0] < 0.99 && good[1] == 1.0, "{table}");
    assert!(
        (means(&table, GAINED)[1] - (good[1] - good[0])).abs() < 2e-3,
        "{table}"
    );

    let table = Bench::new().run("common", 99, &[]).unwrap();
    assert!(means(&table, GAINED)[1] < -0.05, "{table}");
}

#[test]
fn a_fusion_is_a_row_of_its_own_and_asks_nothing_again() {
    let bench = Bench::new();
    let table = bench
        .run("common", 99, &["--fuse", "none,z:0.5,rrf"])
        .unwrap();
    assert_eq!(bench.calls.get(), 20);
    let ndcg = means(&table, NDCG);
    assert_eq!(ndcg.len(), 4, "{table}");
    assert!(ndcg[1] < ndcg[3] && ndcg[3] < ndcg[0], "{table}");
    assert!(
        table.contains("| z:0.5 |") && table.contains("| rrf:60 |"),
        "{table}"
    );
    bench.run("common", 99, &["--fuse", "minmax:0.9"]).unwrap();
    assert_eq!(bench.calls.get(), 20);
}

#[test]
fn a_stopped_evaluation_goes_on_where_it_was() {
    let bench = Bench::new();
    let error = bench.run("answer", 7, &[]).unwrap_err();
    assert!(error.to_string().contains("aborted"), "{error}");
    let table = bench.run("answer", 20, &[]).unwrap();
    assert_eq!(bench.calls.get(), 20);
    assert_eq!(means(&table, NDCG)[1], 1.0);
    // Other candidates are other questions.
    bench
        .run("answer", 99, &["--terms", "words", "--queries", "5"])
        .unwrap();
    assert_eq!(bench.calls.get(), 25);
}

#[test]
fn run_files_csvs_and_the_report_tell_the_same() {
    let bench = Bench::new();
    let table = bench.run("answer", 99, &["--gain", "exponential"]).unwrap();
    assert_eq!(bench.out("table.md"), table);

    let run = bench.out("small-bm25-answer-none.run");
    let lines: Vec<Vec<&str>> = run.lines().map(|line| line.split(' ').collect()).collect();
    let first = ["q0", "Q0", "d0", "1", "1", "small-bm25-answer-none"];
    assert_eq!(lines[0], first);
    assert!(lines.iter().all(|line| line.len() == 6));

    let csv = bench.out("small-bm25-none-none.csv");
    let values = csv
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(2).unwrap());
    let values: Vec<f64> = values.map(|value| value.parse().unwrap()).collect();
    let mean = values.iter().sum::<f64>() / 20.0;
    assert!(
        (mean - means(&table, NDCG)[0]).abs() < 1e-3,
        "{mean}: {table}"
    );

    let html = bench.out("report.html");
    assert_eq!(
        html.matches("<svg").count(),
        2,
        "a chart of all, one of the reranked row"
    );
    assert_eq!(html.matches("<rect").count(), 20);
    for foreign in ["<script", "http:", "https:", "src=", "@import"] {
        assert!(!html.contains(foreign), "{foreign}");
    }
}

#[test]
fn a_ranking_that_leaves_documents_out_is_refused() {
    struct Lossy;
    impl Rerank for Lossy {
        fn name(&self) -> &str {
            "lossy"
        }
        fn settings(&self) -> String {
            "lossy".into()
        }
        fn rank(&self, _query: &str, _documents: &[&str]) -> Result<Reranked> {
            Ok(Reranked::default())
        }
    }
    let bench = Bench::new();
    let path = |name: &str| bench.folder.path().join(name).display().to_string();
    let line = ["eval", "--data", &path("small"), "--out", &path("out")];
    let arguments = Line::parse_from(line).arguments;
    let error = evaluate(&arguments, &[Box::new(Lossy)], Encoders::default()).unwrap_err();
    assert!(
        error.to_string().contains("lossy: expected a ranking"),
        "{error}"
    );
}

#[test]
fn dense_finds_by_vectors_and_hybrid_by_both() {
    let bench = Bench::new();
    let stages = ["--first-stage", "bm25,dense,hybrid", "--fuse", "rrf"];
    let table = bench.run("answer", 999, &stages).unwrap();
    // Of six rows the second of each first stage is reranked.
    let ndcg = means(&table, NDCG);
    let [bm25, dense, hybrid] = [ndcg[0], ndcg[2], ndcg[4]];
    assert!(bm25 < hybrid && hybrid < dense, "{table}");
    assert!(
        table.contains("| dense |") && table.contains("| hybrid |"),
        "{table}"
    );
    let answers = bench.out("answers.jsonl");
    assert!(answers.contains("dense letters"), "{answers}");
    // 40 documents and 20 queries, for both first stages together, and nothing again.
    assert_eq!(bench.letters.0.get(), 60);
    bench.run("answer", 999, &stages).unwrap();
    assert_eq!(bench.letters.0.get(), 60);
}

#[test]
fn sparse_finds_by_weights() {
    let bench = Bench::new();
    let stages = ["--first-stage", "bm25,sparse"];
    let table = bench.run("answer", 999, &stages).unwrap();
    let ndcg = means(&table, NDCG);
    assert!(ndcg[0] < ndcg[2], "{table}");
    assert!(table.contains("| sparse |"), "{table}");
    assert!(bench.out("answers.jsonl").contains("sparse letters"));
}

#[test]
fn a_first_stage_without_its_encoder_says_what_is_missing() {
    let bench = Bench::new();
    let path = |name: &str| bench.folder.path().join(name).display().to_string();
    let (data, out) = (path("small"), path("out"));
    for (stage, missing) in [
        ("dense", "--embedder"),
        ("hybrid", "--embedder"),
        ("sparse", "--sparse-encoder"),
    ] {
        let line = [
            "eval",
            "--data",
            &data,
            "--out",
            &out,
            "--first-stage",
            stage,
        ];
        let arguments = Line::parse_from(line).arguments;
        let error = evaluate(&arguments, &[], Encoders::default()).unwrap_err();
        assert!(error.to_string().contains(missing), "{error}");
    }
}

#[test]
fn only_strategies_that_a_judge_can_answer_are_taken() {
    for known in ["pointwise", "prp-heapsort:k=3,orders=1", "listwise-windows"] {
        assert_eq!(known.parse::<Asking>().unwrap().text, known);
    }
    for refused in ["car", "rocchio", "no-such", "pointwise:x=1"] {
        let error = refused.parse::<Asking>().unwrap_err();
        assert_eq!(error.code(), "invalid_argument", "{refused}");
    }
}

#[test]
fn a_data_set_without_a_first_stage_of_its_own_says_so() {
    let error = Bench::new()
        .run("x", 9, &["--first-stage", "given"])
        .unwrap_err();
    assert!(error.to_string().contains("--first-stage bm25"), "{error}");
}
