//! [`Upstream`]: any server that speaks OpenAI's chat completions.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use futures::{StreamExt, stream};
use reqwest::{Client, Response, Url};
use serde_json::Value;

use super::Chunks;
use super::events::Events;
use crate::openai::{ChatRequest, Refusal};

/// What ends a stream of chunks.
const DONE: &str = "[DONE]";

/// The server that requests are passed on to.
#[derive(Debug)]
pub(crate) struct Upstream {
    client: Client,
    url: Url,
    key_file: Option<PathBuf>,
}

impl Upstream {
    /// Requests go to `chat/completions` below `base`, with the key in `key_file`; `timeout` bounds every silence.
    pub(crate) fn new(mut base: Url, key_file: Option<PathBuf>, timeout: Duration) -> anyhow::Result<Self> {
        let path = format!("{}/chat/completions", base.path().trim_end_matches('/'));
        base.set_path(&path);
        let client = Client::builder().connect_timeout(timeout).read_timeout(timeout).build()?;
        Ok(Self { client, url: base, key_file })
    }

    pub(crate) async fn whole(&self, request: &ChatRequest) -> Result<Value, Refusal> {
        self.send(request).await?.json().await.map_err(|error| failed("the upstream's answer cannot be read", &error))
    }

    pub(crate) async fn streamed(&self, request: &ChatRequest) -> Result<Chunks, Refusal> {
        let bytes = self.send(request).await?.bytes_stream().boxed();
        let reading = (bytes, Events::default(), VecDeque::<String>::new());
        let chunks = stream::try_unfold(reading, |(mut bytes, mut events, mut ready)| async move {
            loop {
                if let Some(data) = ready.pop_front() {
                    if data == DONE {
                        return Ok(None);
                    }
                    let chunk = serde_json::from_str(&data).map_err(|error| failed("a chunk is no JSON", &error))?;
                    return Ok(Some((chunk, (bytes, events, ready))));
                }
                match bytes.next().await {
                    // some servers close the connection in place of the last event
                    None => return Ok(None),
                    Some(Err(error)) => return Err(failed("the upstream broke off", &error)),
                    Some(Ok(piece)) => {
                        ready.extend(
                            events.read(&piece).map_err(|error| failed("the upstream sends no events", &error))?,
                        );
                    }
                }
            }
        });
        Ok(chunks.boxed())
    }

    async fn send(&self, request: &ChatRequest) -> Result<Response, Refusal> {
        let mut post = self.client.post(self.url.clone()).json(request);
        if let Some(file) = &self.key_file {
            let key = tokio::fs::read_to_string(file)
                .await
                .map_err(|error| failed("the upstream's key cannot be read", &error))?;
            post = post.bearer_auth(key.trim());
        }
        let response = post.send().await.map_err(|error| failed("the upstream cannot be reached", &error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        tracing::warn!(%status, "upstream refused");
        Err(match status.as_u16() {
            // the client can mend its request, or come again; with the rest it can do nothing
            400 | 404 | 413 | 422 => Refusal::Invalid(format!("the upstream refused the request with {status}")),
            429 => Refusal::QueueFull,
            _ => Refusal::Upstream(format!("the upstream answered {status}")),
        })
    }
}

/// Clients learn what failed, the log also why: addresses inside the cluster are nobody's business outside.
fn failed(what: &str, error: &(dyn std::error::Error + 'static)) -> Refusal {
    tracing::warn!(error, "{what}");
    Refusal::Upstream(what.to_owned())
}
