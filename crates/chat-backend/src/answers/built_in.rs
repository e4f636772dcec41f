//! [`BuiltIn`]: a model that says what it heard, at the pace of a small language model.

use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::Chunks;
use crate::openai::{ChatRequest, Usage};

/// What it goes on with where its answer must be longer than it has to say.
const FILLER: [&str; 8] = ["and", "so", "on,", "word", "by", "word,", "token", "by"];

/// The built-in model.
#[derive(Debug, Clone)]
pub(crate) struct BuiltIn {
    name: String,
    tokens: u32,
    first_token: Duration,
    token: Duration,
}

/// An answer before it is said.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    words: Vec<String>,
    /// `stop`, or `length` where the client takes no more.
    finish: &'static str,
    usage: Usage,
}

impl BuiltIn {
    /// A model that says `tokens` words, the first after `first_token` and each `token` apart.
    pub(crate) fn new(name: String, tokens: u32, first_token: Duration, token: Duration) -> Self {
        Self { name, tokens, first_token, token }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) async fn whole(&self, request: &ChatRequest) -> Value {
        let answer = self.answer(request);
        let words = u32::try_from(answer.words.len()).unwrap_or(u32::MAX);
        sleep(self.first_token + self.token * words).await;
        json!({
            "id": id(),
            "object": "chat.completion",
            "created": 0,
            "model": self.name,
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": answer.words.concat()},
                "finish_reason": answer.finish,
                "logprobs": null,
            }],
            "usage": answer.usage,
        })
    }

    pub(crate) fn streamed(&self, request: &ChatRequest) -> Chunks {
        let Answer { words, finish, usage } = self.answer(request);
        let with_usage = request.stream_options.as_ref().is_some_and(|options| options.include_usage);
        let (id, model) = (id(), self.name.clone());
        let chunk = move |choices: Value, usage: Option<Usage>| {
            let mut chunk =
                json!({"id": id, "object": "chat.completion.chunk", "created": 0, "model": model, "choices": choices});
            if with_usage {
                chunk["usage"] = json!(usage);
            }
            chunk
        };
        let choice =
            |delta: Value, finish: Option<&str>| json!([{"index": 0, "delta": delta, "finish_reason": finish}]);

        let (first_token, token) = (self.first_token, self.token);
        let mut said = vec![(first_token, choice(json!({"role": "assistant", "content": ""}), None), None)];
        said.extend(words.into_iter().map(|word| (token, choice(json!({"content": word}), None), None)));
        said.push((Duration::ZERO, choice(json!({}), Some(finish)), None));
        if with_usage {
            said.push((Duration::ZERO, json!([]), Some(usage)));
        }
        stream::iter(said)
            .then(move |(pause, choices, usage)| {
                let chunk = chunk(choices, usage);
                async move {
                    if !pause.is_zero() {
                        sleep(pause).await;
                    }
                    Ok(chunk)
                }
            })
            .boxed()
    }

    fn answer(&self, request: &ChatRequest) -> Answer {
        let heard = request.messages.last().map(crate::openai::Message::text).unwrap_or_default();
        let opening = format!("This conversation has {} messages. You said: {heard} …", request.messages.len());
        let taken = request.most_tokens().unwrap_or(self.tokens);
        let length = usize::try_from(self.tokens.min(taken)).unwrap_or(usize::MAX);
        let words: Vec<_> = opening
            .split_whitespace()
            .chain(FILLER.into_iter().cycle())
            .take(length)
            .enumerate()
            .map(|(place, word)| if place == 0 { word.to_owned() } else { format!(" {word}") })
            .collect();
        let prompt: usize = request.messages.iter().map(|message| message.text().split_whitespace().count()).sum();
        let usage = Usage::new(prompt.try_into().unwrap_or(u64::MAX), words.len().try_into().unwrap_or(u64::MAX));
        Answer { words, finish: if taken < self.tokens { "length" } else { "stop" }, usage }
    }
}

fn id() -> String {
    format!("chatcmpl-{:016x}", fastrand::u64(..))
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::super::text_of;
    use super::*;

    fn model() -> BuiltIn {
        BuiltIn::new("built-in".to_owned(), 10, Duration::from_millis(100), Duration::from_millis(20))
    }

    fn request(value: &Value) -> ChatRequest {
        let mut whole = json!({"model": "built-in", "messages": [{"role": "user", "content": "hello there"}]});
        whole.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
        serde_json::from_value(whole).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_takes_as_long_as_its_tokens_whole_or_streamed() {
        let begin = Instant::now();
        let whole = model().whole(&request(&json!({}))).await;
        assert_eq!(begin.elapsed().as_millis(), 100 + 10 * 20);
        assert_eq!(whole["usage"], json!({"prompt_tokens": 2, "completion_tokens": 10, "total_tokens": 12}));
        assert_eq!(whole["choices"][0]["finish_reason"], "stop");

        let begin = Instant::now();
        let chunks: Vec<_> = model().streamed(&request(&json!({}))).map(Result::unwrap).collect().await;
        assert_eq!(begin.elapsed().as_millis(), 100 + 10 * 20);
        let text: String = chunks.iter().map(text_of).collect();
        assert_eq!(whole["choices"][0]["message"]["content"], text);
        assert!(text.starts_with("This conversation has 1 messages. You said: hello"), "{text}");
        assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "stop");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_fewer_tokens_gets_fewer_and_is_told_so() {
        let whole = model().whole(&request(&json!({"max_completion_tokens": 3}))).await;
        assert_eq!(whole["choices"][0]["message"]["content"], "This conversation has");
        assert_eq!(whole["choices"][0]["finish_reason"], "length");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_with_the_usage_where_it_was_asked_for() {
        let asked = request(&json!({"stream_options": {"include_usage": true}}));
        let chunks: Vec<_> = model().streamed(&asked).map(Result::unwrap).collect().await;
        let last = chunks.last().unwrap();
        assert_eq!(last["choices"], json!([]));
        assert_eq!(last["usage"]["completion_tokens"], 10);
        assert!(chunks[0]["usage"].is_null() && chunks[0].get("usage").is_some());
    }
}
