//! Servers that take a JSON Schema, only JSON, or neither, and servers that say more than JSON.

use serde_json::Value;

use super::test_server::{Mood, Server};
use super::*;

/// How often a request came in each form: schema, object, words.
fn forms(server: &Server) -> [usize; 3] {
    let mut counts = [0; 3];
    for request in server.requests().iter() {
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let system = body["messages"][0]["content"].as_str().unwrap();
        let form = match body["response_format"]["type"].as_str() {
            Some("json_schema") => 0,
            Some("json_object") => 1,
            _ => 2,
        };
        assert_eq!(system.contains(form::IN_WORDS), form > 0, "{body}");
        counts[form] += 1;
    }
    counts
}

#[test]
fn a_server_that_refuses_the_schema_is_asked_for_an_object_and_never_for_the_schema_again() {
    let calls = calls_of_a_whole_run();
    for (status, words) in [
        ("400 Bad Request", "bad request"),
        ("422 Unprocessable Entity", "extra fields not permitted"),
        ("501 Not Implemented", "not implemented"),
        ("500 Internal Server Error", "cannot compile json_schema"),
    ] {
        let server = Server::start(Mood::NoSchema(status, words));
        // The refusal is no call: a budget of what a perfect server is asked is enough.
        let most = calls.to_string();
        let all = Bench::new(&server.llm, "")
            .with(&["--max-calls", &most])
            .run();
        assert_eq!((code(&all), all.groups.len()), (None, 6), "{status}");
        assert_eq!(forms(&server), [1, calls, 0], "{status}");
        let usage = &all.usage;
        assert_eq!(
            (
                usage.calls as usize,
                usage.input_tokens as usize,
                usage.repairs
            ),
            (calls, 100 * calls, 0),
            "{status}"
        );
    }
}

#[test]
fn a_server_that_refuses_every_format_is_asked_in_words() {
    let calls = calls_of_a_whole_run();
    let server = Server::start(Mood::NoFormat);
    let bench = Bench::new(&server.llm, "");
    let all = bench.run();
    assert_eq!((code(&all), all.groups.len()), (None, 6));
    assert_eq!(forms(&server), [1, 1, calls]);
    // What was paid is found again, whatever form it came in.
    std::fs::remove_dir_all(bench.folder.path().join("data.jsonl.cache/pages")).unwrap();
    let again = bench.run();
    assert_eq!((again.usage.calls, server.count()), (0, calls + 2));
}

#[test]
fn several_pages_at_once_learn_from_one_another() {
    let calls = calls_of_a_whole_run();
    let server = Server::start(Mood::NoFormat);
    let all = Bench::new(&server.llm, "").with(&["--parallel", "2"]).run();
    assert_eq!((code(&all), all.groups.len()), (None, 6));
    // Both may have asked before the first answer came.
    let [schema, object, words] = forms(&server);
    assert!(
        schema <= 2 && object <= 2 && words == calls,
        "{schema} {object} {words}"
    );
}

#[test]
fn a_server_that_refuses_in_every_form_ends_the_run_with_its_words() {
    let server = Server::start(Mood::NoneAtAll);
    let all = Bench::new(&server.llm, "").run();
    assert_eq!((code(&all), forms(&server)), (Some("llm"), [1, 1, 1]));
    let error = all.stopped.unwrap().to_string();
    assert!(error.contains("HTTP 400: no such model"), "{error}");
}

#[test]
fn a_form_that_has_worked_is_not_blamed_for_a_later_refusal() {
    let server = Server::start(Mood::TooLong(2));
    let all = Bench::new(&server.llm, "").run();
    assert_eq!((code(&all), forms(&server)), (Some("llm"), [3, 0, 0]));
}

#[test]
fn a_server_that_ignores_the_schema_is_told_it_in_words_from_then_on() {
    let server = Server::start(Mood::Ignores);
    let all = Bench::new(&server.llm, "").run();
    // The first page's answer is lost to it, and the repair has no questions to repair.
    assert_eq!(
        (code(&all), all.groups.len(), all.usage.repairs),
        (None, 3, 1)
    );
    let [schema, object, words] = forms(&server);
    assert_eq!((schema, object, words + 1), (1, 0, server.count()));
    assert_eq!(all.usage.calls as usize, server.count());
}

#[test]
fn json_is_found_in_a_fence_among_words_without_a_repair() {
    let calls = calls_of_a_whole_run();
    let server = Server::start(Mood::Fenced);
    let all = Bench::new(&server.llm, "").run();
    assert_eq!(
        (code(&all), all.groups.len(), all.usage.repairs),
        (None, 6, 0)
    );
    assert_eq!(server.count(), calls);
}
