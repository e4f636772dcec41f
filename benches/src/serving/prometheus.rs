//! [`serve_prometheus`]: Prometheus' two query endpoints over a made load, as cheap as can be: what is measured is who asks.
//!
//! Values have as many digits as rates have, so that answers are as long as real ones and cost as much to read.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use series::Sample;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Days of the load, after which it comes again.
const DAYS: u32 = 7;

/// By how many minutes the load of one workload is behind that of the one before.
const APART: usize = 37;

/// What was asked of it so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// Queries for one time.
    pub instant: usize,
    /// Queries for a range.
    pub range: usize,
    /// Most queries at once.
    pub most_at_once: usize,
}

struct Shared {
    /// One value per minute, as JSON text.
    values: Vec<String>,
    delay: Duration,
    instant: AtomicUsize,
    range: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

/// Serves until the process ends; every answer comes after `delay`, which stands for the evaluation.
///
/// # Errors
/// Where the listener fails.
pub async fn serve_prometheus(listener: TcpListener, delay: Duration) -> anyhow::Result<()> {
    let load = crate::made_load(DAYS);
    let value = |sample| match sample {
        Sample::Value(load) => format!("\"{}\"", load.get() / 60.0 + 1.0 / 3.0),
        Sample::Gap(_) => "\"NaN\"".to_owned(),
    };
    let zero = AtomicUsize::default;
    let values = load.samples().map(value).collect();
    let shared = Shared { values, delay, instant: zero(), range: zero(), at_once: zero(), most_at_once: zero() };
    let shared = Arc::new(shared);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(converse(stream, Arc::clone(&shared)));
    }
}

/// What the server at `address` was asked.
///
/// # Errors
/// Where it does not tell.
pub async fn statistics(address: &str) -> anyhow::Result<Statistics> {
    let body = get(address, "/statistics").await?;
    let counts: Vec<usize> = body.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [instant, range, most_at_once] = counts[..] else { anyhow::bail!("{body} are no statistics") };
    Ok(Statistics { instant, range, most_at_once })
}

/// The body of what the server at `address` answers to a GET of `path`.
///
/// # Errors
/// Where it answers anything but 200.
pub async fn get(address: &str, path: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let question = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(question.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
    anyhow::ensure!(head.starts_with("HTTP/1.1 200"), "{head}");
    Ok(body.to_owned())
}

/// Answers one question after the other until the client leaves.
async fn converse(mut stream: TcpStream, shared: Arc<Shared>) -> std::io::Result<()> {
    let mut read = Vec::new();
    let mut answer = String::new();
    loop {
        let end = loop {
            if let Some(at) = read.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut read).await? == 0 {
                return Ok(());
            }
        };
        let head = String::from_utf8_lossy(&read[..end]).into_owned();
        read.drain(..end);
        let closes = head.contains("Connection: close");
        let body = shared.body(&head).await;
        answer.clear();
        let _ =
            write!(answer, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        answer.push_str(if closes { "Connection: close\r\n\r\n" } else { "\r\n" });
        answer.push_str(&body);
        stream.write_all(answer.as_bytes()).await?;
        shared.at_once.fetch_sub(1, Ordering::Relaxed);
        if closes {
            return stream.shutdown().await;
        }
    }
}

impl Shared {
    async fn body(&self, head: &str) -> String {
        let at_once = self.at_once.fetch_add(1, Ordering::Relaxed) + 1;
        let load = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        if head.starts_with("GET /statistics") {
            return format!("{} {} {}", load(&self.instant), load(&self.range), load(&self.most_at_once));
        }
        self.most_at_once.fetch_max(at_once, Ordering::Relaxed);
        tokio::time::sleep(self.delay).await;
        // the query is escaped, its digits are not
        let workload = number(head, "workload-").unwrap_or(0);
        let value = |second: usize| &self.values[(second / 60 + APART * workload) % self.values.len()];
        let over = (number(head, "start="), number(head, "end="), number(head, "step="));
        let (kind, result) = if let (Some(start), Some(end), Some(step)) = over {
            self.range.fetch_add(1, Ordering::Relaxed);
            let mut values = String::with_capacity(40 * (end.saturating_sub(start) / step.max(1) + 1));
            for second in (start..=end).step_by(step.max(1)) {
                let _ = write!(values, "[{second},{}],", value(second));
            }
            values.pop();
            ("matrix", format!(r#"{{"metric":{{}},"values":[{values}]}}"#))
        } else {
            self.instant.fetch_add(1, Ordering::Relaxed);
            let second = number(head, "&time=").unwrap_or_else(present);
            ("vector", format!(r#"{{"metric":{{}},"value":[{second},{}]}}"#, value(second)))
        };
        format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":[{result}]}}}}"#)
    }
}

/// The present in whole seconds, as a server knows it.
#[expect(clippy::disallowed_methods, reason = "it stands for another machine, which has a clock of its own")]
fn present() -> usize {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    usize::try_from(since.as_secs()).unwrap_or(usize::MAX)
}

/// The whole number after `name`.
fn number(text: &str, name: &str) -> Option<usize> {
    let rest = &text[text.find(name)? + name.len()..];
    rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())].parse().ok()
}
