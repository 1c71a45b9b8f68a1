//! Sentences of real prose: what is not asked, what is asked, and which edits stay plausible.

use std::collections::BTreeSet;

use super::super::*;

#[test]
fn what_would_be_misread_is_not_asked() {
    for sentence in [
        "The new plants established since October 1890 and up to 1892, number 345 in the press.",
        "The estimate submitted to the board by the new clerk and the old auditor indicates a gain of 5%.",
        "But Congress can never repeal a law of nature by a vote of the old members.",
        "A simple rule is to think about how much the largest value of the columns changes.",
        "The default settings are 5 minutes and 1 GB in the old version.",
        "In their report of 1892, there were 32 mills in Oslo.",
        "The new daemon stores the oldest row of that table for each of the columns.",
    ] {
        let (drafts, _) = drafts(sentence, 0.9);
        assert!(drafts.is_empty(), "{drafts:#?}");
    }
}

#[test]
fn what_somebody_reports_is_asked_as_a_fact() {
    let sentence =
        "The census of the Old Board shows that the city of Oslo had 1,203 mills in 1892.";
    let (drafts, _) = drafts(sentence, 0.9);
    let query = "How many mills did the city of Oslo have in 1892?";
    let draft = drafts.iter().find(|d| d.query == query);
    assert_eq!(&sentence[draft.unwrap().answer.clone()], "1,203");
    let hoped = sentence.replace("shows that", "hopes that");
    assert!(
        super::drafts(&hoped, 0.9)
            .0
            .iter()
            .all(|d| d.query != query)
    );
}

#[test]
fn edits_of_real_prose_stay_plausible() {
    let changed = |sentence: &str, from: &str| -> BTreeSet<String> {
        let (drafts, _) = drafts(sentence, 0.9);
        let edits = drafts.into_iter().flat_map(|d| d.negatives);
        let of = edits.filter(|n| n.from.as_deref() == Some(from));
        of.filter_map(|n| n.to).collect()
    };
    let sentence = "The installer compresses the file names of Debian 3.1 in the second stage.";
    assert!(
        changed(sentence, "file").is_empty(),
        "a socket has no names"
    );
    let versions = ["3.2", "3.3", "2.1", "4.1"].map(str::to_owned);
    assert_eq!(changed(sentence, "3.1"), versions.into());
    let harvest = "The harvest was 30 bushels on September 30, 1892.";
    let months = changed(harvest, "September");
    assert!(
        months.contains("March") && !months.contains("February"),
        "{months:?}"
    );
    let lexicon = Lexicon::get();
    for (sentence, kept) in [
        (
            "The old daemon starts the vacuum as a function of the rows in the heap.",
            "function",
        ),
        (
            "The format remains a good candidate with many open problems.",
            "open",
        ),
        (
            "The format remains an area of research with new problems.",
            "area",
        ),
        (
            "The old package improves the fit of mixed pensions for the users.",
            "pensions",
        ),
        (
            "The old daemon uses every single row of the heap.",
            "single",
        ),
        (
            "The form of the daemon will run in parallel with 12 files.",
            "parallel",
        ),
        (
            "The board needs no longer than 3 hours for the repairs.",
            "longer",
        ),
        (
            "The estimate was made by the Secretary of the Treasury in 1892.",
            "Secretary",
        ),
        (
            "The old daemon keeps a lock within XLogFlush for 30 microseconds.",
            "XLogFlush",
        ),
        (
            "The old server uses the kernel to store the updates on the disk.",
            "kernel",
        ),
    ] {
        let asked = questions(sentence, lexicon, &Seen::new(sentence, lexicon));
        assert!(
            asked.iter().any(|(query, ..)| query.contains(kept)),
            "{asked:?}"
        );
        let changed = changed(sentence, kept);
        assert!(changed.is_empty(), "{kept}: {changed:?}");
    }
    let both =
        "The old server uses the kernel to store the updates on the disk. The package is small.";
    assert!(changed(both, "kernel").contains("bootloader"));
    let versions = "The old server stored 30 letters in the versions before 9.4.";
    assert!(changed(versions, "9.4").contains("9.5"));
    let database = "The old server of PostgreSQL stores 30 letters.";
    assert!(changed(database, "PostgreSQL").contains("MySQL"));
    let stages = ["first", "third", "fourth", "fifth"].map(str::to_owned);
    assert_eq!(changed(sentence, "second"), stages.into());
}
