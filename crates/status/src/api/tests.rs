//! The API over HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures::StreamExt as _;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::Keep;
use crate::testing::{at, named, outlook};

struct Stage {
    observatory: Arc<Observatory>,
    address: String,
    stop: CancellationToken,
}

impl Stage {
    async fn with(names: &[&str]) -> Self {
        let observatory = Arc::new(Observatory::new(Keep::default(), at(0)));
        observatory.look(names.iter().map(|name| named(name, outlook(70.0, at(0)))).collect(), at(0));
        let stop = CancellationToken::new();
        let routes: Router = routes(Arc::clone(&observatory), stop.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { observatory, address, stop }
    }

    async fn open(&self, path: &str, headers: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// Status line and headers, and the body.
    async fn get(&self, path: &str, headers: &str) -> (String, String) {
        let mut answer = String::new();
        self.open(path, headers).await.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    async fn json(&self, path: &str) -> Value {
        let (head, body) = self.get(path, "").await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        serde_json::from_str(&body).unwrap()
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)))
        .map(|(_, value)| value)
}

#[tokio::test]
async fn targets_are_listed_in_order_and_each_leads_to_its_detail_and_its_past() {
    let stage = Stage::with(&["search", "checkout"]).await;
    let list = stage.json("/api/v1/targets").await;
    let names: Vec<_> =
        list["targets"].as_array().unwrap().iter().map(|target| target["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["checkout", "search"]);
    assert_eq!(stage.json("/api/v1/targets/shop/search").await["targets"][0], list["targets"][1]);
    let path = format!("/api/v1/targets/shop/search/{}", list["targets"][1]["digest"].as_str().unwrap());
    let detail = stage.json(&path).await;
    assert_eq!(detail["target"], list["targets"][1]);
    assert_eq!(detail["metadata"]["query"], "sum(load)");
    let moment = stage.json(&format!("{path}/moment?at={}", at(0))).await;
    assert_eq!(moment["observed"], 70.0);
    assert_eq!(moment, stage.json(&format!("{path}/moment?at={}", at(59).as_second())).await);
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_that_says_what_to_ask_for() {
    let stage = Stage::with(&["checkout"]).await;
    let list = stage.json("/api/v1/targets").await;
    let path = format!("/api/v1/targets/shop/checkout/{}", list["targets"][0]["digest"].as_str().unwrap());
    for (asked, status) in [
        ("/api/v1/targets/shop/nothing".to_owned(), 404),
        ("/api/v1/targets/shop/checkout/00".to_owned(), 404),
        (format!("{path}/moment"), 400),
        (format!("{path}/moment?at=noon"), 400),
        (format!("{path}/moment?at=12"), 404),
    ] {
        let (head, body) = stage.get(&asked, "").await;
        assert_eq!(header(&head, "content-type"), Some("application/problem+json"), "{asked}");
        let problem: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(problem["status"], status, "{asked}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 20), "{body}");
    }
}

#[tokio::test]
async fn an_answer_that_did_not_change_is_not_sent_twice() {
    let stage = Stage::with(&["checkout"]).await;
    let (head, body) = stage.get("/api/v1/targets", "").await;
    let known = format!("If-None-Match: {}\r\n", header(&head, "etag").unwrap());
    let (head, again) = stage.get("/api/v1/targets", &known).await;
    assert!(head.starts_with("HTTP/1.1 304") && again.is_empty() && !body.is_empty(), "{head}");
    stage.observatory.look(vec![named("checkout", outlook(80.0, at(15)))], at(15));
    let (head, changed) = stage.get("/api/v1/targets", &known).await;
    assert!(head.starts_with("HTTP/1.1 200") && changed.contains("80.0"), "{head}");
}

#[tokio::test]
async fn who_listens_is_told_what_changed_and_what_is_gone_until_the_stop() {
    let stage = Stage::with(&["checkout", "search"]).await;
    let mut stream = stage.open("/api/v1/events", "").await;
    let mut heard = String::new();
    let mut until = async |wanted: &str| {
        while !heard.contains(wanted) {
            let mut part = [0; 4096];
            let count = stream.read(&mut part).await.unwrap();
            assert!(count > 0, "the stream ended before {wanted:?}: {heard}");
            heard.push_str(&String::from_utf8_lossy(&part[..count]));
        }
        std::mem::take(&mut heard)
    };
    until("event: hello").await;
    stage
        .observatory
        .look(vec![named("checkout", outlook(75.0, at(15))), named("search", outlook(70.0, at(0)))], at(15));
    let change = until("\"gone\"").await;
    assert!(change.contains("75.0") && change.contains("event: change"), "{change}");
    stage.observatory.look(vec![named("checkout", outlook(75.0, at(15)))], at(16));
    let change = until("\"gone\":[{").await;
    assert!(change.contains("\"name\":\"search\""), "{change}");
    stage.stop.cancel();
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut rest)).await;
    ended.expect("the stream goes on after the stop").unwrap();
}

#[tokio::test]
async fn there_are_so_many_streams_and_no_more() {
    let stage = Stage::with(&["checkout"]).await;
    let open = futures::stream::iter(0..MOST_STREAMS).then(|_| async {
        let mut stream = stage.open("/api/v1/events", "").await;
        let mut part = [0; 64];
        let _ = stream.read(&mut part).await.unwrap();
        stream
    });
    let open: Vec<_> = open.collect().await;
    let (head, _) = stage.get("/api/v1/events", "").await;
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    drop(open);
}

#[tokio::test]
async fn every_answer_has_the_headers_that_keep_other_scripts_out() {
    let stage = Stage::with(&["checkout"]).await;
    for path in ["/", "/api/v1/targets", "/api/v1/openapi.json", "/api/v1/targets/a/b"] {
        let (head, _) = stage.get(path, "").await;
        let policy = header(&head, "content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(header(&head, "x-content-type-options"), Some("nosniff"), "{path}");
    }
}

#[tokio::test]
async fn every_field_of_every_answer_is_described_and_none_is_described_that_is_not_there() {
    let stage = Stage::with(&["checkout"]).await;
    let document = stage.json("/api/v1/openapi.json").await;
    let list = stage.json("/api/v1/targets").await;
    let path = format!("/api/v1/targets/shop/checkout/{}", list["targets"][0]["digest"].as_str().unwrap());
    let described = |name: &str| -> Vec<String> {
        let properties = document["components"]["schemas"][name]["properties"].as_object();
        let mut names: Vec<_> =
            properties.unwrap_or_else(|| panic!("{name} is not described")).keys().cloned().collect();
        names.sort();
        names
    };
    let fields = |answer: &Value| -> Vec<String> {
        let mut names: Vec<_> = answer.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    let detail = stage.json(&path).await;
    for (name, answer) in [
        ("TargetList", &list),
        ("Summary", &list["targets"][0]),
        ("Detail", &detail),
        ("Metadata", &detail["metadata"]),
        ("History", &detail["history"]),
        ("Accuracy", &detail["accuracy"]),
        ("Source", &detail["source"]),
        ("Event", &detail["events"][0]),
        ("Moment", &stage.json(&format!("{path}/moment?at={}", at(0))).await),
    ] {
        assert_eq!(described(name), fields(answer), "{name}");
    }
}
