//! [`Settings`]: flags of the server, each with an environment variable.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use reqwest::Url;

/// Answer chat completions.
///
/// With the defaults one request takes 0.63 s and 8 run at a time, so one pod carries about 12 requests per second.
#[derive(Debug, Clone, Args)]
pub(crate) struct Settings {
    /// Where to listen
    #[arg(long, env = "CHAT_LISTEN", value_name = "IP:PORT", default_value = "0.0.0.0:8080")]
    pub(crate) listen: SocketAddr,

    /// How many requests run at a time
    #[arg(long, env = "CHAT_CONCURRENCY", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) concurrency: u16,
    /// How many requests may wait for their turn; beyond that the answer is 429
    #[arg(long, env = "CHAT_QUEUE", default_value_t = 32)]
    pub(crate) queue: u16,

    /// What the built-in model is called
    #[arg(long, env = "CHAT_MODEL", default_value = "built-in")]
    pub(crate) model: String,
    /// Tokens of one of its answers, unless the client takes fewer
    #[arg(long, env = "CHAT_ANSWER_TOKENS", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) answer_tokens: u32,
    /// Time to its first token, in milliseconds
    #[arg(long, env = "CHAT_FIRST_TOKEN_MS", default_value_t = 150)]
    pub(crate) first_token_ms: u32,
    /// Time for each token, in milliseconds
    #[arg(long, env = "CHAT_TOKEN_MS", default_value_t = 15)]
    pub(crate) token_ms: u32,

    /// Pass requests on to this OpenAI-compatible server (`http://vllm.models.svc:8000/v1`) in place of the built-in model
    #[arg(long, env = "CHAT_UPSTREAM", value_name = "URL")]
    pub(crate) upstream: Option<Url>,
    /// File with the key that the upstream wants; read for each request
    #[arg(long, env = "CHAT_UPSTREAM_KEY_FILE", value_name = "FILE", requires = "upstream")]
    pub(crate) upstream_key_file: Option<PathBuf>,
    /// How long the upstream may be silent, in seconds
    #[arg(long, env = "CHAT_UPSTREAM_TIMEOUT_SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) upstream_timeout_seconds: u32,

    /// Redis for the sessions, so that every pod knows them (`redis://redis:6379`) [default: the memory of this process]
    #[arg(long, env = "CHAT_REDIS_URL", value_name = "URL")]
    pub(crate) redis_url: Option<String>,
    /// File with the password of Redis; read at start
    #[arg(long, env = "CHAT_REDIS_PASSWORD_FILE", value_name = "FILE", requires = "redis_url")]
    pub(crate) redis_password_file: Option<PathBuf>,
    /// How long a session is kept after its last message, in seconds
    #[arg(long, env = "CHAT_SESSION_TTL_SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) session_ttl_seconds: u32,
    /// The newest messages of a session that are kept
    #[arg(long, env = "CHAT_SESSION_MESSAGES", default_value_t = 40, value_parser = clap::value_parser!(u16).range(2..))]
    pub(crate) session_messages: u16,

    /// Time from the start of the process until it is ready, in seconds: what loading a model would take
    #[arg(long, env = "CHAT_START_UP_SECONDS", default_value_t = 0)]
    pub(crate) start_up_seconds: u32,
    /// How long requests are still taken after SIGTERM, in seconds, while the endpoints forget this pod
    #[arg(long, env = "CHAT_DRAIN_SECONDS", default_value_t = 5)]
    pub(crate) drain_seconds: u32,
    /// How long open requests may then still take, in seconds
    #[arg(long, env = "CHAT_FINISH_SECONDS", default_value_t = 45)]
    pub(crate) finish_seconds: u32,
}

impl Settings {
    /// How long the built-in model generates `tokens` tokens.
    #[cfg(test)]
    pub(crate) fn service_time(&self, tokens: u32) -> Duration {
        self.first_token() + self.token() * tokens
    }

    pub(crate) fn first_token(&self) -> Duration {
        Duration::from_millis(u64::from(self.first_token_ms))
    }

    pub(crate) fn token(&self) -> Duration {
        Duration::from_millis(u64::from(self.token_ms))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        settings: Settings,
    }

    /// The settings that `flags` make.
    pub(crate) fn settings(flags: &[&str]) -> Settings {
        Line::try_parse_from(["serve"].iter().chain(flags)).unwrap().settings
    }

    #[test]
    fn by_default_one_pod_carries_about_twelve_requests_a_second() {
        let settings = settings(&[]);
        let per_second = f64::from(settings.concurrency) / settings.service_time(settings.answer_tokens).as_secs_f64();
        assert!((12.0..13.0).contains(&per_second), "{per_second}");
    }

    #[test]
    fn a_server_that_runs_nothing_is_refused() {
        assert!(Line::try_parse_from(["serve", "--concurrency=0"]).is_err());
        assert!(Line::try_parse_from(["serve", "--upstream-key-file=key"]).is_err(), "a key for no upstream");
    }
}
