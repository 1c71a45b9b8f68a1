//! Page images through the whole command: what reaches the server, and what becomes of a page that
//! is only an image.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::test_images::{look, png, png_of};
use super::*;

/// A page image of 3000 x 2000 pixels, and nothing else.
fn bench(llm: &str) -> Bench {
    let bench = Bench::new(llm, "");
    let input = bench.folder.path().join("in");
    fs::remove_dir_all(&input).unwrap();
    fs::create_dir(&input).unwrap();
    fs::write(input.join("page.png"), png(3000, 2000)).unwrap();
    bench
}

/// Of each request the family, by the last words of its prompt, its text, and its images.
fn asked(server: &Server) -> Vec<(String, String, Vec<Vec<u8>>)> {
    let read = |request: &test_server::Request| {
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let schema = &body["response_format"]["json_schema"]["schema"]["properties"];
        let family = ["verdicts", "edits", "plan", "number"]
            .into_iter()
            .find(|name| schema.to_string().contains(name))
            .unwrap_or("variants");
        let content = &body["messages"][1]["content"];
        let Some(parts) = content.as_array() else {
            return (
                family.to_owned(),
                content.as_str().unwrap().to_owned(),
                vec![],
            );
        };
        let image = |part: &Value| {
            let url = part["image_url"]["url"].as_str()?;
            let data = url.strip_prefix("data:image/png;base64,").unwrap();
            Some(STANDARD.decode(data).unwrap())
        };
        let text = parts.last().unwrap()["text"].as_str().unwrap();
        let images = parts.iter().filter_map(image).collect();
        (family.to_owned(), text.to_owned(), images)
    };
    server.requests().iter().map(read).collect()
}

#[test]
fn an_image_reaches_whoever_writes_or_verifies_whole_and_scaled() {
    let server = Server::start(Mood::Perfect);
    let bench = bench(&server.llm);
    let all = bench.run();
    assert_eq!((code(&all), all.finished, all.groups.len()), (None, 1, 3));
    let asked = asked(&server);
    for (family, text, images) in &asked {
        let sees = matches!(family.as_str(), "plan" | "verdicts");
        assert_eq!(images.len(), usize::from(sees), "{family}");
        assert_eq!(text.contains("attached as an image"), sees, "{family}");
        for image in images {
            assert_eq!(look(image), ((1568, 1045), 10, 250), "{family}");
        }
    }
    let (_, positives, _) = &asked[0];
    assert!(positives.contains("tables, charts"), "{positives}");
    for group in &all.groups {
        let page = &group.page;
        let name = Some("page.png");
        let found = (page.id.as_str(), page.text.as_str(), page.image.as_deref());
        assert_eq!(found, ("page.png", "", name));
        assert_eq!(group.negatives.len(), 3);
        assert!(
            group
                .negatives
                .iter()
                .all(|n| n.votes.is_some() && n.margin.is_none())
        );
    }
    assert_eq!(bench.groups(), all.groups);
    let report = report::text(&all, "overlap", 2);
    assert!(
        !report.contains("NaN") && !report.contains("margin"),
        "{report}"
    );
}

#[test]
fn the_same_image_is_paid_for_once_and_another_of_its_name_is_not_mistaken_for_it() {
    let server = Server::start(Mood::Perfect);
    let bench = bench(&server.llm);
    bench.run();
    let asked = server.count();
    assert_eq!((bench.run().reused, server.count()), (1, asked));
    let path = bench.folder.path().join("in/page.png");
    fs::write(&path, png_of(3000, 2000, 90)).unwrap();
    let again = bench.run();
    assert_eq!(again.reused, 0);
    // Variants and rephrasings are of the queries alone, and those are the same.
    let seen = super::seen::asked(&server);
    let blind = seen
        .iter()
        .take(asked)
        .filter(|(_, _, images)| images.is_empty());
    assert_eq!(again.usage.cached as usize, blind.count());
    assert!(server.count() > asked);
    let smaller = bench.with(&["--image-side", "100"]);
    smaller.run();
    let last = super::seen::asked(&server).pop().unwrap();
    assert_eq!(look(&last.2[0]).0, (100, 67));
}

#[test]
fn a_text_with_its_image_is_one_page_with_margins_and_both_reach_the_model() {
    let server = Server::start(Mood::Perfect);
    let bench = bench(&server.llm);
    let text = "Holm0 had 10 water mills on its river in 2021.";
    fs::write(bench.folder.path().join("in/page.txt"), text).unwrap();
    let all = bench.run();
    assert_eq!((all.pages, all.groups.len()), (1, 3));
    for (_, prompt, images) in asked(&server).iter().filter(|(_, _, i)| !i.is_empty()) {
        assert!(prompt.contains(text) && images.len() == 1);
    }
    let page = &all.groups[0].page;
    assert_eq!(
        (page.text.as_str(), page.image.as_deref()),
        (text, Some("page.png"))
    );
    assert!(all.groups[0].negatives.iter().all(|n| n.margin.is_some()));
}

#[test]
fn what_an_image_cannot_give_is_said_before_anything_is_asked() {
    let refused = |bench: &Bench, clients: bool| {
        let arguments = bench.arguments();
        let pages = arguments.pages().unwrap();
        let clients = arguments.clients(|_| None).unwrap().filter(|_| clients);
        let all = work::all(&arguments, &pages, clients.as_ref(), &Overlap);
        all.map(|_| ()).unwrap_err().to_string()
    };
    let server = Server::start(Mood::Perfect);
    let error = refused(&bench(&server.llm), false);
    assert!(
        error.contains("page.png") && error.contains("--llm"),
        "{error}"
    );
    let triplets = bench(&server.llm).with(&["--format", "triplets"]);
    let error = refused(&triplets, true);
    assert!(
        error.contains("page.png") && error.contains("--format"),
        "{error}"
    );
    assert_eq!(server.count(), 0);
    let said = dry_run(
        &triplets.arguments(),
        &triplets.arguments().pages().unwrap(),
    );
    assert!(said.starts_with("1 pages, 0 bytes, 1 images"), "{said}");
}
