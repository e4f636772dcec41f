//! The servers of the harness themselves: what the other tests rely on.

use crate::harness::clock::unix_now;
use crate::harness::eventually::eventually;
use crate::harness::faulty::{Behavior, FaultyPrometheus};
use crate::harness::prometheus::{HOLE, Prometheus};
use crate::harness::{http, load};

#[tokio::test(flavor = "multi_thread")]
async fn a_query_reaches_across_the_seam_of_history_and_fresh_samples() {
    let Some(prometheus) = Prometheus::with_history().await else { return };
    let began = unix_now();
    // samples after the start of the test come from the feeder alone
    eventually("a scraped sample", async || {
        let answer = prometheus.ask("query?query=timestamp(chat_load)").await;
        let at: f64 = answer[0]["value"][1].as_str().and_then(|text| text.parse().ok()).unwrap_or(0.0);
        if at > began { Ok(()) } else { Err(format!("{answer}")) }
    })
    .await;

    let now = unix_now();
    let answer = prometheus.ask(&range("chat_load", now - 14.0 * 86_400.0 + 120.0, now, 300.0)).await;
    assert_eq!(answer.as_array().map(Vec::len), Some(1), "history and fresh samples are one series");
    let values = answer[0]["values"].as_array().expect("a matrix has values");
    let expected: f64 = (14.0 * 86_400.0 - 120.0) / 300.0;
    assert!(values.len() as f64 >= expected.floor(), "{} of {expected}", values.len());
    for sample in values {
        let value: f64 = sample[1].as_str().expect("Prometheus writes numbers as text").parse().expect("a number");
        assert!((load::LEAST..=load::MOST).contains(&value), "{sample}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_has_the_awkward_series_too() {
    let Some(mut prometheus) = Prometheus::with_history().await else { return };
    let now = unix_now();
    let day_ago = now - 86_000.0;
    assert_eq!(prometheus.ask(&range("pair", day_ago, now, 600.0)).await.as_array().map(Vec::len), Some(2));
    let not_a_number = prometheus.ask(&range("not_a_number", day_ago, day_ago + 600.0, 600.0)).await;
    assert_eq!(not_a_number[0]["values"][0][1], "NaN");
    let hole = prometheus.ask(&range("holed", now - HOLE.end + 600.0, now - HOLE.start - 600.0, 600.0)).await;
    assert_eq!(hole, serde_json::json!([]), "nothing is there in the hole");

    prometheus.process.kill();
    http::get(&prometheus.address(), "/-/ready").await.expect_err("a killed server refuses");
    prometheus.start().await;
    let again = prometheus.ask(&range("pair", day_ago, now, 600.0)).await;
    assert_eq!(again.as_array().map(Vec::len), Some(2), "the history outlives the process");
    prometheus.process.pause();
    let address = prometheus.address();
    let asked = tokio::spawn(async move { http::get(&address, "/-/ready").await });
    prometheus.process.resume();
    assert_eq!(asked.await.expect("no panic").expect("it answers in the end").0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_faulty_server_answers_as_it_is_told() {
    let mut server = FaultyPrometheus::start(Behavior::Healthy);
    let address = server.url().trim_start_matches("http://").to_owned();
    let ask = async |path: &str| http::get(&address, path).await;
    let query = "/api/v1/query?query=load*2&time=1700000000";

    let (status, body) = eventually("an answer", async || ask(query).await).await;
    let answer: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(status, 200);
    assert_eq!(answer["data"]["result"][0]["value"][1], (2.0 * load::at(1.7e9)).to_string());
    let (_, body) = ask("/api/v1/query_range?query=load&start=0&end=600&step=60").await.expect("an answer");
    let answer: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(answer["data"]["result"][0]["values"].as_array().map(Vec::len), Some(11));
    assert_eq!((server.instant_queries(), server.range_queries()), (1, 1));

    for (behavior, status) in [
        (Behavior::Unauthorized, 401),
        (Behavior::ServerError, 500),
        (Behavior::Redirect, 302),
        (Behavior::Page, 200),
        (Behavior::Empty, 200),
    ] {
        server.behave(behavior);
        assert_eq!(ask(query).await.expect("an answer").0, status, "{behavior:?}");
    }
    server.behave(Behavior::Down);
    eventually("a refusal", async || ask(query).await.err().ok_or_else(|| "it answers".to_owned())).await;
    server.behave(Behavior::Slow);
    let (answered, ()) = tokio::join!(eventually("an answer", async || ask(query).await), async {
        server.behave(Behavior::TwoSeries);
    });
    let (_, body) = answered;
    let answer: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(answer["data"]["result"].as_array().map(Vec::len), Some(2));
}

fn range(query: &str, start: f64, end: f64, step: f64) -> String {
    format!("query_range?query={query}&start={start}&end={end}&step={step}")
}
