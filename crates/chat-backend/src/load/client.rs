//! [`Client`]: one chat, and what came of it.

use std::time::Duration;

use anyhow::Context as _;
use futures::StreamExt as _;
use reqwest::Url;
use serde_json::json;
use tokio::time::Instant;

/// Asks one service.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    url: Url,
    stream: bool,
}

/// What came of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The status, or none where the service could not be reached or broke off.
    pub(super) status: Option<u16>,
    /// From the request to the first byte of the answer's body.
    pub(super) first_byte: Duration,
    /// From the request to the end of the answer.
    pub(super) whole: Duration,
}

impl Client {
    pub(super) fn new(target: &Url, stream: bool, timeout: Duration) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(timeout).build()?;
        let url = target.join("v1/chat/completions").context("--target is no base URL; write http://host:port")?;
        Ok(Self { http, url, stream })
    }

    pub(super) async fn chat(&self, number: usize) -> Outcome {
        let begin = Instant::now();
        let body = json!({
            "model": "built-in",
            "stream": self.stream,
            "messages": [{"role": "user", "content": format!("request {number}")}],
        });
        let mut first_byte = None;
        let status = async {
            let response = self.http.post(self.url.clone()).json(&body).send().await?;
            let status = response.status().as_u16();
            let mut bytes = response.bytes_stream();
            while let Some(piece) = bytes.next().await {
                piece?;
                first_byte.get_or_insert_with(|| begin.elapsed());
            }
            Ok::<_, reqwest::Error>(status)
        };
        let status = status.await.ok();
        let whole = begin.elapsed();
        Outcome { status, first_byte: first_byte.unwrap_or(whole), whole }
    }
}
