//! [`Answerer`]: who makes the answers, the built-in model or an upstream.

mod built_in;
mod events;
mod upstream;

use futures::stream::BoxStream;
use serde_json::Value;

pub(crate) use built_in::BuiltIn;
pub(crate) use upstream::Upstream;

use crate::openai::{ChatRequest, Refusal};

/// The chunks of an answer, as OpenAI's clients read them; the end of the stream is the end of the answer.
pub(crate) type Chunks = BoxStream<'static, Result<Value, Refusal>>;

/// Who makes the answers.
#[derive(Debug)]
pub(crate) enum Answerer {
    BuiltIn(BuiltIn),
    Upstream(Upstream),
}

impl Answerer {
    /// The whole answer at once.
    pub(crate) async fn whole(&self, request: &ChatRequest) -> Result<Value, Refusal> {
        match self {
            Self::BuiltIn(model) => Ok(model.whole(request).await),
            Self::Upstream(upstream) => upstream.whole(request).await,
        }
    }

    /// The answer as it is made.
    pub(crate) async fn streamed(&self, request: &ChatRequest) -> Result<Chunks, Refusal> {
        match self {
            Self::BuiltIn(model) => Ok(model.streamed(request)),
            Self::Upstream(upstream) => upstream.streamed(request).await,
        }
    }

    /// What models there are, in OpenAI's form.
    pub(crate) fn models(&self) -> Value {
        let name = match self {
            Self::BuiltIn(model) => model.name(),
            Self::Upstream(_) => "upstream",
        };
        serde_json::json!({
            "object": "list",
            "data": [{"id": name, "object": "model", "created": 0, "owned_by": "chat-backend"}],
        })
    }
}

/// The text that a chunk adds to the answer.
pub(crate) fn text_of(chunk: &Value) -> &str {
    chunk["choices"][0]["delta"]["content"].as_str().unwrap_or_default()
}
