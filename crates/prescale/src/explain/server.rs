//! [`Server`]: the API of a running scaler.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::Client;
use serde::Deserialize;
use series::Timestamp;
use url::Url;

/// Answers come from memory: one that takes longer does not come.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A running scaler.
pub(super) struct Server {
    base: Url,
    /// The same in messages: without user name and password.
    shown: Url,
    client: Client,
}

/// Why it gave no answer.
#[derive(Deserialize)]
struct Problem {
    title: String,
    detail: String,
}

impl Server {
    pub(super) fn at(base: &Url) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(TIMEOUT).build().context("no HTTP client can be made")?;
        let mut shown = base.clone();
        // a URL that can hold none has none
        let _ = (shown.set_username(""), shown.set_password(None));
        Ok(Self { base: base.clone(), shown, client })
    }

    /// What is at `path` of the API, about `at` where that matters.
    pub(super) async fn get(&self, path: &[&str], at: Option<Timestamp>) -> anyhow::Result<String> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        url.set_query(None);
        if let Some(at) = at {
            url.query_pairs_mut().append_pair("at", &at.to_string());
        }
        let asked = self.client.get(url).send().await;
        let answer = asked.with_context(|| format!("{} does not answer; --server names another", self.shown))?;
        let (status, text) = (answer.status(), answer.text().await.context("the answer broke off")?);
        if status.is_success() {
            return Ok(text);
        }
        match serde_json::from_str::<Problem>(&text) {
            Ok(Problem { title, detail }) => bail!("{title}: {detail}"),
            Err(_) => bail!("{} answers {status}: is a scaler there?", self.shown),
        }
    }
}
