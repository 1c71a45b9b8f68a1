//! T2Ranking folders: `collection.tsv`, `queries.SPLIT.tsv` (id, text) and `qrels.SPLIT.tsv` (TREC,
//! grades 0-3), as the data set of arXiv:2304.03679 has them. Grade 2 and more is relevant.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::dataset::{Dataset, Document, Judgements, judged};
use super::trec;

pub(super) fn read(folder: &Path, split: &str) -> Result<Dataset> {
    let documents = pairs(&folder.join("collection.tsv"), "pid")?
        .into_iter()
        .map(|(id, text)| Document { id, text });
    let queries = pairs(&folder.join(format!("queries.{split}.tsv")), "qid")?;
    let judgements = qrels(&folder.join(format!("qrels.{split}.tsv")))?;
    Ok(Dataset {
        documents: documents.collect(),
        queries: judged(queries, judgements),
        relevant_from: 2,
        ..Dataset::default()
    })
}

/// Lines of id, tab, text; a first line with `header` in the first column is none.
fn pairs(file: &Path, header: &str) -> Result<Vec<(String, String)>> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    (text.lines().enumerate())
        .filter(|(index, line)| !line.is_empty() && (*index > 0 || !line.starts_with(header)))
        .map(|(index, line)| {
            let (id, text) = line.split_once('\t').with_context(|| {
                format!(
                    "{}, line {}: expected an id, a tab and a text, found {line:?}",
                    file.display(),
                    index + 1
                )
            })?;
            Ok((id.to_owned(), text.to_owned()))
        })
        .collect()
}

fn qrels(file: &Path) -> Result<Judgements> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let mut judgements = Judgements::new();
    for (index, line) in text.lines().enumerate() {
        if line.is_empty() || (index == 0 && line.starts_with("qid")) {
            continue;
        }
        let (query, document, grade) = trec::judgement(line)
            .with_context(|| format!("{}, line {}", file.display(), index + 1))?;
        let grades = judgements.entry(query.to_owned()).or_default();
        grades.insert(document.to_owned(), grade);
    }
    Ok(judgements)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::dataset::Part;

    #[test]
    fn tabs_headers_and_trec_judgements_are_read_and_grade_two_is_relevant() {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("collection.tsv", "pid\ttext\n0\t城市\n1\ta\tb\n"),
            ("queries.dev.tsv", "qid\ttext\n10\t河\n11\tweak\n"),
            (
                "qrels.dev.tsv",
                "qid\t-\tpid\trel\n10\t0\t0\t3\n10\t0\t1\t1\n11\t0\t1\t1\n",
            ),
        ] {
            fs::write(folder.path().join(file), text).unwrap();
        }
        let mut part = Part {
            split: "dev".into(),
            queries: None,
            relevant_from: None,
        };
        let dataset = Dataset::read(folder.path(), &part).unwrap();
        let texts: Vec<&str> = dataset.documents.iter().map(|d| &*d.text).collect();
        assert_eq!(texts, ["城市", "a\tb"]);
        assert_eq!((dataset.queries.len(), dataset.unjudged), (1, 1));
        assert_eq!(dataset.queries[0].grades["0"], 3);
        part.relevant_from = Some(1);
        assert_eq!(
            Dataset::read(folder.path(), &part).unwrap().queries.len(),
            2
        );
    }
}
