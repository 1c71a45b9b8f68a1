//! The command as a whole against a scripted server, with word overlap in place of the model.

use std::fs;
use std::path::Path;
use std::time::Duration;

use clap::Parser;
use foliorank::negatives::{Death, TrainingGroup, Votes, import};

use super::*;
use test_server::{Mood, ORDER, Server};
use work::All;

#[path = "test_seen.rs"]
mod seen;
#[path = "test_form.rs"]
mod test_form;
#[path = "test_server.rs"]
mod test_server;

const KEY: &str = "sk-test-0123456789";

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: GenerateArgs,
}

/// Share of the query's words that the document has.
struct Overlap;

impl Judge for Overlap {
    fn max_group(&self) -> usize {
        1
    }

    async fn judge(&self, groups: &[Group<'_>]) -> Result<Vec<Vec<f32>>, Error> {
        let score = |query: &str, document: &str| {
            let words: Vec<&str> = query.split_whitespace().collect();
            let known = words
                .iter()
                .filter(|word| document.contains(**word))
                .count();
            known as f32 / words.len().max(1) as f32
        };
        let all = groups
            .iter()
            .map(|g| g.documents.iter().map(|d| score(g.query, d)).collect());
        Ok(all.collect())
    }
}

impl Named for Overlap {
    fn name(&self) -> &str {
        "overlap"
    }
}

/// Two pages of three towns each, in a folder.
fn write_pages(folder: &Path, order: &str) {
    fs::create_dir_all(folder).unwrap();
    for page in 0..2 {
        let town = |i: usize| {
            format!(
                "Holm{} had {} water mills on its river in 2021. ",
                3 * page + i,
                10 + i
            )
        };
        let text: String = (0..3).map(town).collect();
        fs::write(
            folder.join(format!("{page}.txt")),
            format!("{text}{order}\n"),
        )
        .unwrap();
    }
}

struct Bench {
    folder: tempfile::TempDir,
    llm: String,
    more: Vec<String>,
}

impl Bench {
    fn new(llm: &str, order: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_pages(&folder.path().join("in"), order);
        Self {
            folder,
            llm: llm.to_owned(),
            more: Vec::new(),
        }
    }

    fn with(mut self, more: &[&str]) -> Self {
        self.more = more.iter().map(|&word| word.to_owned()).collect();
        self
    }

    fn out(&self) -> std::path::PathBuf {
        self.folder.path().join("data.jsonl")
    }

    fn arguments(&self) -> GenerateArgs {
        let input = self.folder.path().join("in");
        let mut line: Vec<String> = [
            "foliorank",
            "--llm-model",
            "m",
            "--candidates",
            "3",
            "--retries",
            "1",
            "--timeout",
            "1",
        ]
        .map(str::to_owned)
        .into();
        line.extend([
            format!("--llm={}", self.llm),
            format!("--input={}", input.display()),
            format!("--out={}", self.out().display()),
        ]);
        line.extend(self.more.clone());
        if !self.more.iter().any(|word| word == "--parallel") {
            line.push("--parallel=1".into());
        }
        Line::parse_from(line).arguments
    }

    fn run(&self) -> All {
        let arguments = self.arguments();
        let pages = arguments.pages().unwrap();
        let clients = arguments
            .clients(|name| (name == "OPENAI_API_KEY").then(|| KEY.to_owned()))
            .unwrap();
        work::all(&arguments, &pages, clients.as_ref(), &Overlap).unwrap()
    }

    fn groups(&self) -> Vec<TrainingGroup> {
        import(&fs::read_to_string(self.out()).unwrap(), Layout::Groups).unwrap()
    }

    /// All that the run left on disk.
    fn everything(&self) -> String {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path)
                } else {
                    files.push(path)
                }
            }
        }
        files
            .iter()
            .map(|file| fs::read_to_string(file).unwrap())
            .collect()
    }
}

fn code(all: &All) -> Option<&'static str> {
    all.stopped.as_ref().map(Error::code)
}

fn calls_of_a_whole_run() -> usize {
    let server = Server::start(Mood::Perfect);
    Bench::new(&server.llm, "").run();
    server.count()
}

#[test]
fn a_perfect_model_gives_verified_groups_and_a_second_run_asks_nothing() {
    let server = Server::start(Mood::Perfect);
    let bench = Bench::new(&server.llm, "").with(&["--property", "year", "--parallel", "2"]);
    let all = bench.run();
    assert_eq!((code(&all), all.finished, all.groups.len()), (None, 2, 6));
    assert_eq!(bench.groups(), all.groups);
    let first = &all.groups[0];
    assert_eq!(first.page.id, "0.txt");
    assert!(
        first.source.provider.starts_with("openai:http://127.0.0.1")
            && first.source.time.ends_with('Z')
    );
    assert!(
        all.groups
            .iter()
            .flat_map(|g| &g.negatives)
            .all(|n| n.votes == Some(Votes { a: false, b: false }) && n.margin.is_some())
    );
    assert_eq!(all.usage.calls as usize, server.count());
    let arguments = bench.arguments();
    let estimate = Estimate::of(&arguments.pages().unwrap(), &arguments.settings());
    assert!(
        estimate.calls >= all.usage.calls && estimate.calls <= 2 * all.usage.calls,
        "{estimate:?}"
    );
    let (asked, again) = (server.count(), bench.run());
    assert_eq!((server.count(), again.reused), (asked, 2));
    assert_eq!(again.groups, all.groups);
    // The pages are gone, the answers are not: everything comes from the cache.
    fs::remove_dir_all(bench.folder.path().join("data.jsonl.cache/pages")).unwrap();
    let again = bench.run();
    assert_eq!((server.count(), again.usage.calls), (asked, 0));
    assert_eq!(again.usage.cached as usize, asked);
}

#[test]
fn a_liar_leaves_no_negative_and_copies_leave_one() {
    let server = Server::start(Mood::Lies);
    let all = Bench::new(&server.llm, "").run();
    assert_eq!(code(&all), None);
    let negatives = &all.funnel.negatives;
    assert_eq!(
        (negatives.kept, negatives.dead_of(Death::BothPrompts)),
        (0, negatives.generated)
    );
    let server = Server::start(Mood::Copies);
    let all = Bench::new(&server.llm, "").run();
    assert!(all.groups.iter().all(|group| group.negatives.len() == 1));
    assert_eq!(all.funnel.negatives.dead_of(Death::Duplicate), 6 * 11);
}

#[test]
fn broken_json_is_repaired_once_and_then_costs_the_item_not_the_run() {
    let server = Server::start(Mood::Broken);
    let all = Bench::new(&server.llm, "").run();
    assert_eq!((code(&all), all.finished, all.groups.len()), (None, 2, 0));
    // Both pages' repairs are one question, so the second comes from the cache.
    assert_eq!((server.count(), all.usage.repairs), (3, 2));
    assert_eq!(all.funnel.positives.dead_of(Death::Malformed), 2);
}

#[test]
fn a_cut_body_a_busy_server_and_a_stall_cost_one_more_attempt_each() {
    let calls = calls_of_a_whole_run();
    for (mood, least) in [
        (Mood::Truncates(2), Duration::ZERO),
        (Mood::Busy(2), Duration::from_secs(1)),
        (Mood::Stalls(2), Duration::from_secs(1)),
    ] {
        let server = Server::start(mood);
        let all = Bench::new(&server.llm, "").run();
        assert_eq!((code(&all), all.groups.len()), (None, 6), "{mood:?}");
        assert_eq!(server.count(), calls + 1, "{mood:?}");
        let requests = server.requests();
        assert_eq!(requests[2].body, requests[3].body, "{mood:?}");
        assert!(requests[3].at - requests[2].at >= least, "{mood:?}");
    }
}

#[test]
fn a_server_that_breaks_down_stops_the_run_and_nothing_paid_is_paid_again() {
    let calls = calls_of_a_whole_run();
    for from in [0, 1, 4, calls - 1] {
        let server = Server::start(Mood::Down(from));
        let bench = Bench::new(&server.llm, "");
        let all = bench.run();
        assert_eq!(code(&all), Some("llm"), "{from}");
        assert!(
            all.stopped
                .unwrap()
                .to_string()
                .contains("HTTP 500: out of order")
        );
        // One failing call, tried twice; no other page goes on asking.
        assert_eq!(server.count(), from + 2);
        assert_eq!(bench.groups(), all.groups);
        server.feel(Mood::Perfect);
        let again = bench.run();
        assert_eq!((code(&again), again.groups.len()), (None, 6));
        assert_eq!(server.count(), calls + 2, "{from}");
    }
}

#[test]
fn a_budget_of_calls_or_money_stops_the_run_and_a_larger_one_goes_on() {
    let calls = calls_of_a_whole_run();
    let server = Server::start(Mood::Perfect);
    let bench = Bench::new(&server.llm, "").with(&["--max-calls", "5"]);
    assert_eq!((code(&bench.run()), server.count()), (Some("budget"), 5));
    let bench = bench.with(&["--max-cost", "1", "--price-in", "1", "--price-out", "2"]);
    let all = bench.run();
    assert_eq!((code(&all), server.count()), (None, calls));
    let expected = (calls - 5) as f64 * (100.0 + 2.0 * 10.0) / 1e6;
    assert!((all.cost - expected).abs() < 1e-9, "{}", all.cost);
    let bench = Bench::new(&server.llm, "").with(&[
        "--max-cost",
        "0.0001",
        "--price-in",
        "1",
        "--price-out",
        "2",
    ]);
    assert_eq!(
        (code(&bench.run()), server.count()),
        (Some("budget"), calls)
    );
}

#[test]
fn an_order_on_the_page_reaches_the_model_as_data_only() {
    let server = Server::start(Mood::Careful);
    let all = Bench::new(&server.llm, ORDER).run();
    assert!(all.groups.len() == 6 && all.groups.iter().all(|group| group.negatives.len() == 3));
    assert!(
        server
            .requests()
            .iter()
            .any(|request| request.body.contains(ORDER))
    );
    // A model that obeys all the same spoils its negatives, and none is kept.
    let server = Server::start(Mood::Gullible);
    let all = Bench::new(&server.llm, ORDER).run();
    assert_eq!((code(&all), all.funnel.negatives.kept), (None, 0));
    assert!(all.funnel.negatives.generated > 0);
}

#[test]
fn a_key_goes_into_the_request_and_nowhere_else() {
    for mood in [Mood::Perfect, Mood::Refuses, Mood::Echoes] {
        let server = Server::start(mood);
        let bench = Bench::new(&server.llm, "");
        let all = bench.run();
        let sent = server
            .requests()
            .iter()
            .all(|r| r.headers.contains(&format!("Bearer {KEY}")) && !r.body.contains(KEY));
        assert!(sent && server.count() > 0);
        let clients = bench.arguments().clients(|_| Some(KEY.to_owned())).unwrap();
        let shown = format!(
            "{clients:?} {all:?} {} {}",
            report::text(&all, "overlap", 9),
            bench.everything()
        );
        assert!(!shown.contains(KEY), "{mood:?}: {shown}");
        let error = all.stopped.map_or(String::new(), |error| error.to_string());
        assert_eq!(
            error.contains("wrong key: Bearer ***"),
            mood == Mood::Refuses,
            "{error}"
        );
        assert_eq!(
            server.count() == 1,
            mood == Mood::Refuses,
            "a refusal is not tried again"
        );
    }
}

#[test]
fn the_rules_need_no_server_and_formats_are_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    let page = "In 2021, Northwind Energy sold its gas business for $40 million. Revenue rose by 12% in 2021. The company employed 4,120 people in 2021.";
    fs::write(folder.path().join("a.txt"), page).unwrap();
    let out = folder.path().join("out.jsonl");
    let run = |format: &str| {
        let line = [
            "foliorank",
            "--input",
            folder.path().to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
            "--format",
            format,
        ]
        .map(str::to_owned);
        let arguments = Line::parse_from(line).arguments;
        let pages = arguments.pages().unwrap();
        let all = work::all(&arguments, &pages, None, &Overlap).unwrap();
        (all, fs::read_to_string(&out).unwrap())
    };
    let (all, text) = run("groups");
    assert!(all.groups.len() >= 2 && text.lines().count() == all.groups.len());
    let negatives: usize = all.groups.iter().map(|group| group.negatives.len()).sum();
    assert_eq!(run("triplets").1.lines().count(), negatives);
    let (_, text) = run("colhnque");
    assert!(text.lines().count() == 1 && text.contains("positive_queries"));
    let report = report::text(&all, "overlap", 2);
    assert!(
        report.contains("1 of 1 pages") && report.matches("; by rules; margin").count() == 2,
        "{report}"
    );
}

#[test]
fn a_dry_run_says_what_would_be_asked_and_asks_nothing() {
    let server = Server::start(Mood::Perfect);
    let bench =
        Bench::new(&server.llm, "").with(&["--dry-run", "--price-in", "1", "--price-out", "2"]);
    let arguments = bench.arguments();
    let pages = arguments.pages().unwrap();
    let said = dry_run(&arguments, &pages);
    assert!(
        said.starts_with("2 pages") && said.contains("cost about 0.0"),
        "{said}"
    );
    assert_eq!(server.count(), 0);
    assert!(arguments.clients(|_| None).unwrap().is_some());
}
