//! [`Settings`]: flags, each with an environment variable.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;

/// A server that pretends to be a small language model.
///
/// With the defaults one request takes 0.63 s and 8 run at a time, so one pod carries about 12 requests per second.
#[derive(Debug, Clone, Parser)]
#[command(version)]
pub(crate) struct Settings {
    /// Where to listen.
    #[arg(long, env = "LISTEN", default_value = "0.0.0.0:8080")]
    pub(crate) listen: SocketAddr,
    /// How many requests run at a time.
    #[arg(long, env = "CONCURRENCY", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) concurrency: u16,
    /// How many requests may wait for their turn; beyond that the answer is 503.
    #[arg(long, env = "QUEUE", default_value_t = 32)]
    pub(crate) queue: u16,
    /// Time to the first token, in milliseconds.
    #[arg(long, env = "FIRST_TOKEN_MS", default_value_t = 150)]
    pub(crate) first_token_ms: u32,
    /// Time for each token, in milliseconds.
    #[arg(long, env = "TOKEN_MS", default_value_t = 15)]
    pub(crate) token_ms: u32,
    /// Time from the start of the process until it is ready, in seconds: what loading a model would take.
    #[arg(long, env = "START_UP_SECONDS", default_value_t = 0)]
    pub(crate) start_up_seconds: u32,
    /// How long requests are still taken after SIGTERM, in seconds, while the endpoints forget this pod.
    #[arg(long, env = "DRAIN_SECONDS", default_value_t = 5)]
    pub(crate) drain_seconds: u32,
}

impl Settings {
    /// How long the model would generate `tokens` tokens.
    pub(crate) fn service_time(&self, tokens: u16) -> Duration {
        Duration::from_millis(u64::from(self.first_token_ms) + u64::from(self.token_ms) * u64::from(tokens))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_default_one_pod_carries_about_twelve_requests_a_second() {
        let settings = Settings::try_parse_from(["chat-backend"]).unwrap();
        let per_second = f64::from(settings.concurrency) / settings.service_time(32).as_secs_f64();
        assert!((12.0..13.0).contains(&per_second), "{per_second}");
    }

    #[test]
    fn a_server_that_runs_nothing_is_refused() {
        assert!(Settings::try_parse_from(["chat-backend", "--concurrency=0"]).is_err());
    }
}
