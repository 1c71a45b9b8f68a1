//! What a run gave, as text: the funnel, what was asked, and the negatives that fool the judge.

use std::fmt::Write as _;

use foliorank::negatives::{Negative, Tally, TrainingGroup, discrimination};

use super::work::All;

/// The whole report; `show` negatives at its end.
pub(super) fn text(all: &All, judge: &str, show: usize) -> String {
    let mut text = String::new();
    let negatives = || all.groups.iter().flat_map(|group| &group.negatives);
    let fooled = negatives().filter(|n| n.margin.is_some_and(|margin| margin <= 0.0));
    let discrimination = discrimination(&all.groups)
        .map_or_else(String::new, |share| format!(", discrimination {share:.3}"));
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    line(format!(
        "{} of {} pages ({} done before): {} groups, {} negatives, {} fool {judge}{discrimination}",
        all.finished,
        all.pages,
        all.reused,
        all.groups.len(),
        negatives().count(),
        fooled.count(),
    ));
    line(format!(
        "{:<10} {:>9} {:>5}  died of",
        "", "generated", "kept"
    ));
    for (name, tally) in [
        ("positives", &all.funnel.positives),
        ("negatives", &all.funnel.negatives),
        ("restated", &all.funnel.restated),
    ] {
        if tally.generated > 0 {
            line(format!(
                "{name:<10} {:>9} {:>5}  {}",
                tally.generated,
                tally.kept,
                deaths(tally)
            ));
        }
    }
    let usage = &all.usage;
    if usage.calls + usage.cached > 0 {
        line(format!(
            "{} calls, {} answers from the cache, {} repairs; {} tokens read, {} written; cost {:.4}",
            usage.calls,
            usage.cached,
            usage.repairs,
            usage.input_tokens,
            usage.output_tokens,
            all.cost
        ));
    }
    for (group, negative) in hardest(&all.groups).into_iter().take(show) {
        line(shown(group, negative));
    }
    text
}

fn deaths(tally: &Tally) -> String {
    let name = |death| {
        serde_json::to_value(death)
            .ok()
            .and_then(|v| v.as_str().map(str::to_owned))
    };
    let deaths = tally.deaths.iter();
    let named = deaths.map(|(death, n)| format!("{} {n}", name(death).unwrap_or_default()));
    named.collect::<Vec<_>>().join(", ")
}

fn hardest(groups: &[TrainingGroup]) -> Vec<(&TrainingGroup, &Negative)> {
    let mut all: Vec<(&TrainingGroup, &Negative)> = groups
        .iter()
        .flat_map(|group| {
            group
                .negatives
                .iter()
                .map(move |negative| (group, negative))
        })
        .collect();
    let margin = |n: &Negative| n.margin.unwrap_or(f32::INFINITY);
    all.sort_by(|(_, a), (_, b)| margin(a).total_cmp(&margin(b)));
    all
}

fn shown(group: &TrainingGroup, negative: &Negative) -> String {
    let mut text = format!("\n+ {}", group.positive.query);
    if let Some(answer) = &group.positive.answer {
        let _ = write!(
            text,
            "  [{}]",
            answer.split_whitespace().collect::<Vec<_>>().join(" ")
        );
    }
    let property = negative
        .property
        .as_ref()
        .map_or("variant".to_owned(), ToString::to_string);
    let votes = negative.votes.map_or("by rules".to_owned(), |votes| {
        let said = |yes| if yes { "answerable" } else { "unanswerable" };
        format!("votes {}, {}", said(votes.a), said(votes.b))
    });
    // A page without text has no score.
    let margin = negative
        .margin
        .map_or_else(String::new, |margin| format!("; margin {margin:+.2}"));
    let _ = write!(
        text,
        "\n- {}\n  {property}; {votes}{margin}",
        negative.query
    );
    text
}
