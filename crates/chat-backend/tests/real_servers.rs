//! The real process with a real Redis, asked by OpenAI's own client, and under its own load.
//!
//! Passes, after saying so, where a program is missing; with `CI=true` or `PRESCALE_REQUIRE_SERVERS=1` it fails instead.
#![cfg(test)]

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A server, killed when dropped.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(program: impl AsRef<std::ffi::OsStr>, arguments: impl Fn(&str) -> Vec<String>) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port is free").local_addr().expect("it is bound");
        let address = free.to_string();
        let child = Command::new(program.as_ref())
            .args(arguments(&address))
            .current_dir(std::env::temp_dir())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let server = Self { child, address };
        let begin = Instant::now();
        while TcpStream::connect(&server.address).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(60), "{:?} does not listen", program.as_ref());
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    fn chat(flags: &[&str]) -> Self {
        Self::start(env!("CARGO_BIN_EXE_chat-backend"), |address| {
            let own = ["serve", "--listen", address, "--first-token-ms=0", "--drain-seconds=0"];
            own.iter().chain(flags).map(ToString::to_string).collect()
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // an error means that it has ended already
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn openais_client_talks_to_it_and_a_session_goes_on_at_another_pod() {
    let Some(python) = python() else { return };
    let Some(redis) = redis() else { return };
    let sessions = format!("--redis-url=redis://{}/1", redis.address);
    let first = Server::chat(&["--token-ms=0", &sessions]);
    let second = Server::chat(&[&format!("--upstream=http://{}/v1", first.address), &sessions]);
    let crowded = Server::chat(&["--token-ms=60000", "--concurrency=1", "--queue=0"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openai_client.py");
    let addresses = [&first, &second, &crowded].map(|server| format!("http://{}", server.address));
    let output = Command::new(python).arg(script).args(addresses).output().expect("Python starts");
    assert!(output.status.success(), "{}", told(&output));
}

#[test]
fn sessions_outlive_a_redis_that_was_away() {
    let Some(mut redis) = redis() else { return };
    let url = format!("--redis-url=redis://{}", redis.address);
    let chat = Server::chat(&["--token-ms=0", &url]);
    assert_eq!(ask(&chat), 200);
    drop(redis.child.kill());
    drop(redis.child.wait());
    assert_eq!(ask(&chat), 503);
    let port = redis.address.rsplit(':').next().expect("an address has a port").to_owned();
    redis.child = Command::new("redis-server")
        .args(["--port", &port, "--bind", "127.0.0.1", "--save", ""])
        .current_dir(std::env::temp_dir())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    let begin = Instant::now();
    while ask(&chat) != 200 {
        assert!(begin.elapsed() < Duration::from_secs(60), "no session although Redis is back");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn its_own_load_arrives_as_the_trace_says() {
    let chat = Server::chat(&["--token-ms=1"]);
    let folder = tempfile::tempdir().expect("there is room");
    let trace = folder.path().join("trace.csv");
    std::fs::write(&trace, "minute,rate\n0,40\n1,0\n2,20\n").expect("there is room");
    let load = Command::new(env!("CARGO_BIN_EXE_chat-backend"))
        .args(["load", "--step-seconds=1", "--stream", "--seed=3"])
        .arg(format!("--target=http://{}", chat.address))
        .arg(format!("--trace={}", trace.display()))
        .output()
        .expect("the program starts");
    assert!(load.status.success(), "{}", told(&load));
    let summary: serde_json::Value = serde_json::from_slice(&load.stdout).expect("one line of JSON");
    let answered = summary["outcomes"]["200"].as_u64().expect("some were answered");
    // 60 are expected, and four standard deviations are 31
    assert!((29..=91).contains(&answered), "{summary}");
    assert_eq!(summary["outcomes"].as_object().map(serde_json::Map::len), Some(1), "{summary}");
    assert!(summary["first_byte"]["p50"].as_f64() <= summary["whole"]["p50"].as_f64(), "{summary}");
}

/// The status of a chat that names a session, asked in plain HTTP.
fn ask(chat: &Server) -> u16 {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;
    let mut stream = TcpStream::connect(&chat.address).expect("it listens");
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: chat\r\nX-Session-Id: ann\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("it reads");
    let answer = std::io::read_to_string(stream).expect("it answers");
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no status: {answer}"))
}

fn redis() -> Option<Server> {
    found("redis-server", "apt-get install redis-server")?;
    Some(Server::start("redis-server", |address| {
        let port = address.rsplit(':').next().unwrap_or_default();
        ["--port", port, "--bind", "127.0.0.1", "--save", ""].map(str::to_owned).to_vec()
    }))
}

/// A Python that has OpenAI's client: `PRESCALE_TEST_PYTHON`, or the one on the path.
fn python() -> Option<PathBuf> {
    let python = std::env::var_os("PRESCALE_TEST_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let has = Command::new(&python).args(["-c", "import openai"]).stderr(Stdio::null()).status();
    has.is_ok_and(|status| status.success())
        .then_some(python)
        .or_else(|| skipped("OpenAI's client", "pip install openai"))
}

fn found(name: &str, install: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let file = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    file.or_else(|| skipped(name, install))
}

fn skipped<T>(what: &str, install: &str) -> Option<T> {
    let set = |name: &str, value: &str| std::env::var_os(name).is_some_and(|found| found == value);
    let required = set("CI", "true") || set("PRESCALE_REQUIRE_SERVERS", "1");
    assert!(!required, "without {what}; {install}");
    writeln!(std::io::stderr(), "skipped: without {what}; {install}").expect("stderr takes a line");
    None
}

fn told(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
