//! The server over real HTTP: in memory here; with Redis and OpenAI's client in the integration tests.

use std::net::SocketAddr;

use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::settings::tests::settings;
use super::*;

struct Server {
    address: SocketAddr,
    backend: Arc<Backend>,
    stop: CancellationToken,
    ended: JoinHandle<std::io::Result<()>>,
}

impl Server {
    async fn start(flags: &[&str]) -> Self {
        let settings = settings(flags);
        let end = End { drain: seconds(settings.drain_seconds), finish: seconds(settings.finish_seconds) };
        let backend = Arc::new(Backend::new(settings).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let ended = tokio::spawn(serve(listener, Arc::clone(&backend), stop.clone(), end));
        Self { address, backend, stop, ended }
    }

    async fn get(&self, path: &str) -> Response {
        reqwest::get(format!("http://{}{path}", self.address)).await.unwrap()
    }

    fn chat(&self, session: Option<&str>, extra: &Value) -> impl Future<Output = Response> + use<> {
        let mut body = json!({"model": "built-in", "messages": [{"role": "user", "content": "hello"}]});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let mut post = Client::new().post(format!("http://{}/v1/chat/completions", self.address)).json(&body);
        if let Some(session) = session {
            post = post.header("X-Session-Id", session);
        }
        async { post.send().await.unwrap() }
    }

    async fn metric(&self, line: &str) {
        while !self.backend.metrics.text().contains(&format!("{line}\n")) {
            tokio::task::yield_now().await;
        }
    }
}

async fn said(response: Response) -> String {
    let answer: Value = response.json().await.unwrap();
    answer["choices"][0]["message"]["content"].as_str().unwrap_or_else(|| panic!("no answer: {answer}")).to_owned()
}

const FAST: [&str; 2] = ["--first-token-ms=0", "--token-ms=0"];

#[tokio::test]
async fn a_session_goes_on_where_it_was_and_no_other_sees_it() {
    let server = Server::start(&FAST).await;
    assert!(said(server.chat(Some("ann"), &json!({})).await).await.starts_with("This conversation has 1 messages."));
    // the first question, its answer, and the second question, which streams
    let stream = server.chat(Some("ann"), &json!({"stream": true})).await.text().await.unwrap();
    assert!(stream.contains("\" 3\""), "{stream}");
    assert!(stream.ends_with("data: [DONE]\n\n"), "{stream}");
    assert!(said(server.chat(Some("ann"), &json!({})).await).await.starts_with("This conversation has 5 messages."));
    assert!(said(server.chat(Some("bob"), &json!({})).await).await.starts_with("This conversation has 1 messages."));
    assert!(said(server.chat(None, &json!({})).await).await.starts_with("This conversation has 1 messages."));
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_with_a_status_and_a_reason_that_clients_know() {
    let server = Server::start(&["--concurrency=1", "--queue=0", "--first-token-ms=600000"]).await;
    let running = tokio::spawn(server.chat(None, &json!({})));
    server.metric("http_requests_in_flight{app=\"chat-backend\"} 1").await;
    let full = server.chat(None, &json!({})).await;
    assert_eq!((full.status().as_u16(), full.headers()["retry-after"].to_str().unwrap()), (429, "1"));
    assert_eq!(full.json::<Value>().await.unwrap()["error"]["code"], "queue_full");
    for (session, extra) in [(None, json!({"messages": []})), (None, json!({"messages": 1})), (Some("a:b"), json!({}))]
    {
        let invalid = server.chat(session, &extra).await;
        assert_eq!(invalid.status(), 400);
        assert_eq!(invalid.json::<Value>().await.unwrap()["error"]["type"], "invalid_request_error");
    }
    running.abort();
    server.metric("http_requests_total{app=\"chat-backend\",code=\"499\"} 1").await;
    server.metric("http_requests_total{app=\"chat-backend\",code=\"400\"} 3").await;
}

#[tokio::test]
async fn a_client_that_leaves_its_stream_frees_the_slot() {
    let server = Server::start(&["--concurrency=1", "--queue=0", "--first-token-ms=0", "--token-ms=600000"]).await;
    let stream = server.chat(None, &json!({"stream": true})).await;
    assert_eq!(stream.status(), 200);
    assert_eq!(server.chat(None, &json!({})).await.status(), 429);
    drop(stream);
    server.metric("chat_streams{app=\"chat-backend\"} 0").await;
    server.metric("http_requests_in_flight{app=\"chat-backend\"} 0").await;
}

#[tokio::test]
async fn the_last_stream_is_whole_before_the_server_ends() {
    let server = Server::start(&["--first-token-ms=0", "--token-ms=20", "--drain-seconds=0"]).await;
    assert_eq!(server.get("/health").await.status(), 200);
    assert_eq!(server.get("/ready").await.status(), 200);
    let stream = server.chat(None, &json!({"stream": true})).await;
    server.stop.cancel();
    assert!(stream.text().await.unwrap().ends_with("data: [DONE]\n\n"));
    server.ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn requests_still_come_while_it_drains_and_those_that_never_end_do_not_hold_it() {
    let server =
        Server::start(&["--first-token-ms=0", "--token-ms=600000", "--drain-seconds=2", "--finish-seconds=0"]).await;
    server.stop.cancel();
    while server.get("/ready").await.status() == 200 {}
    assert_eq!(server.get("/health").await.status(), 200);
    let endless = server.chat(None, &json!({"stream": true})).await;
    assert_eq!(endless.status(), 200);
    server.ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_upstream_is_asked_with_the_session_and_its_stream_is_passed_on_and_remembered() {
    let upstream = Server::start(&FAST).await;
    let base = format!("--upstream=http://{}/v1", upstream.address);
    let server = Server::start(&[&base]).await;
    let stream = server.chat(Some("ann"), &json!({"stream": true, "stream_options": {"include_usage": true}})).await;
    let stream = stream.text().await.unwrap();
    assert!(stream.contains("\"completion_tokens\":32") && stream.ends_with("data: [DONE]\n\n"), "{stream}");
    assert!(said(server.chat(Some("ann"), &json!({})).await).await.starts_with("This conversation has 3 messages."));
    server.metric("chat_tokens_total{app=\"chat-backend\",kind=\"completion\"} 64").await;
}

#[tokio::test]
async fn an_upstream_that_fails_is_a_bad_gateway_that_names_no_address() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let base = format!("--upstream=http://{closed}/v1");
    let server = Server::start(&[&base]).await;
    let answer = server.chat(None, &json!({})).await;
    assert_eq!(answer.status(), 502);
    let text = answer.text().await.unwrap();
    assert!(text.contains("upstream_failed") && !text.contains(&closed.port().to_string()), "{text}");
    server.metric("chat_upstream_errors_total{app=\"chat-backend\"} 1").await;
}

#[tokio::test]
async fn a_session_that_cannot_be_read_refuses_the_request_and_no_other() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let redis = format!("--redis-url=redis://{closed}");
    let server = Server::start(&[FAST[0], FAST[1], &redis]).await;
    assert_eq!(server.chat(Some("ann"), &json!({})).await.status(), 503);
    assert_eq!(server.chat(None, &json!({})).await.status(), 200);
    assert_eq!(server.get("/ready").await.status(), 200, "Redis is not a reason to take all pods away");
    server.metric("chat_session_errors_total{app=\"chat-backend\"} 1").await;
}
