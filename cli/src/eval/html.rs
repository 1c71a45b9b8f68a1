//! The report as one HTML page: the table, nDCG@10 with its intervals as a chart, and for each reranked
//! row what it did to every query. Inline SVG, no scripts, nothing from elsewhere.

use std::fmt::Write;

use super::bootstrap::Interval;
use super::report::{self, Row};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;\
padding:0 1rem;color:#1b1f24;background:#fff}table{border-collapse:collapse}th,td{padding:.25rem .6rem;\
border-bottom:1px solid #d7dbe0;text-align:left}td.n{text-align:right;font-variant-numeric:tabular-nums}\
svg{max-width:100%;height:auto}.up{fill:#1a7f4b}.down{fill:#b3392c}.line{stroke:#5b6672}\
.dot{fill:#1f5fa8}.grid{stroke:#d7dbe0}text{font:12px system-ui,sans-serif;fill:#1b1f24}";

/// The page.
pub(super) fn page(rows: &[Row<'_>], top: usize) -> String {
    let mut body = table(rows, top);
    body += "<h2>nDCG@10 with 95 % intervals</h2>";
    body += &intervals(rows);
    for row in rows {
        if let Some((gained, of_queries)) = &row.gained {
            let (name, chart) = (escaped(&name(row)), differences(of_queries));
            let helped = of_queries.iter().filter(|&&d| d > 0.0).count();
            let hurt = of_queries.iter().filter(|&&d| d < 0.0).count();
            let same = of_queries.len() - helped - hurt;
            // Writing to a string cannot fail.
            let _ = write!(
                body,
                "<h2>{name}</h2><p>{:+.3} nDCG@10 against the first stage: better on {helped} queries, \
                 worse on {hurt}, the same on {same}.</p>{chart}",
                gained.mean
            );
        }
    }
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>foliorank eval</title>\
         <style>{STYLE}</style><h1>foliorank eval</h1>{body}</html>\n"
    )
}

fn name(row: &Row<'_>) -> String {
    let label = &row.trial.label;
    match &*label.reranker {
        "none" => format!("{}: {}", label.dataset, label.first_stage),
        reranker => format!(
            "{}: {} + {reranker}, fuse {}",
            label.dataset, label.first_stage, label.fuse
        ),
    }
}

fn table(rows: &[Row<'_>], top: usize) -> String {
    let mut html = format!(
        "<table><thead><tr><th>ranking</th><th>queries</th><th>nDCG@10</th><th>against first stage</th>\
         <th>MRR@10</th><th>R@{top}</th><th>judgements</th><th>queries/s</th></tr></thead><tbody>"
    );
    let cell = |value: String| format!("<td class=\"n\">{value}</td>");
    let plain = |i: Interval| format!("{:.3} [{:.3}, {:.3}]", i.mean, i.low, i.high);
    let signed = |i: Interval| format!("{:+.3} [{:+.3}, {:+.3}]", i.mean, i.low, i.high);
    for row in rows {
        html += &format!("<tr><td>{}</td>", escaped(&name(row)));
        let judgements = row.trial.judgements().map(|count| format!("{count:.1}"));
        let speed = row.trial.queries_per_second().map(report::speed);
        let gained = row.gained.as_ref().map(|(gained, _)| signed(*gained));
        for value in [
            row.trial.judged.len().to_string(),
            plain(row.ndcg),
            gained.unwrap_or_default(),
            plain(row.reciprocal_rank),
            plain(row.recall),
            judgements.unwrap_or_default(),
            speed.unwrap_or_default(),
        ] {
            html += &cell(value);
        }
        html += "</tr>";
    }
    html + "</tbody></table>"
}

/// A line from low to high and a dot at the mean for each row, on a scale of 0 to 1.
fn intervals(rows: &[Row<'_>]) -> String {
    const LEFT: f64 = 380.0;
    const WIDTH: f64 = 500.0;
    let at = |value: f64| LEFT + WIDTH * value;
    let height = 26 * rows.len() + 30;
    let mut svg = opening(
        LEFT + WIDTH + 60.0,
        height as f64,
        "nDCG@10 of each ranking",
    );
    for tenth in 0..=10 {
        let (x, value) = (at(f64::from(tenth) / 10.0), f64::from(tenth) / 10.0);
        let bottom = height - 20;
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{x}\" x2=\"{x}\" y1=\"0\" y2=\"{bottom}\"/>\
             <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{value:.1}</text>",
            height - 5
        );
    }
    for (index, row) in rows.iter().enumerate() {
        let y = 26 * index + 14;
        let Interval { mean, low, high } = row.ndcg;
        let _ = write!(
            svg,
            "<text x=\"0\" y=\"{}\">{}</text><line class=\"line\" stroke-width=\"2\" x1=\"{:.1}\" \
             x2=\"{:.1}\" y1=\"{y}\" y2=\"{y}\"/><circle class=\"dot\" r=\"4\" cx=\"{:.1}\" \
             cy=\"{y}\"><title>{mean:.3}</title></circle>",
            y + 4,
            escaped(&name(row)),
            at(low),
            at(high),
            at(mean),
        );
    }
    svg + "</svg>"
}

/// A bar a query, from the most helped to the most hurt.
fn differences(of_queries: &[f64]) -> String {
    const WIDTH: f64 = 900.0;
    const HALF: f64 = 80.0;
    let mut sorted = of_queries.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let mut svg = opening(WIDTH, 2.0 * HALF, "Change of nDCG@10 for each query");
    let step = WIDTH / sorted.len().max(1) as f64;
    for (index, &difference) in sorted.iter().enumerate() {
        let height = HALF * difference.abs().min(1.0);
        let (class, y) = if difference > 0.0 {
            ("up", HALF - height)
        } else {
            ("down", HALF)
        };
        let x = index as f64 * step;
        let width = (step * 0.85).max(0.5);
        let _ = write!(
            svg,
            "<rect class=\"{class}\" x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" \
             height=\"{height:.2}\"/>"
        );
    }
    let _ = write!(
        svg,
        "<line class=\"line\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{HALF}\" y2=\"{HALF}\"/></svg>"
    );
    svg
}

fn opening(width: f64, height: f64, title: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {width} {height}\" width=\"{width}\" role=\"img\" \
         aria-label=\"{title}\"><title>{title}</title>"
    )
}

fn escaped(text: &str) -> String {
    (text.replace('&', "&amp;").replace('<', "&lt;")).replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_become_markup() {
        assert_eq!(escaped("<b>&amp;"), "&lt;b&gt;&amp;amp;");
    }
}
