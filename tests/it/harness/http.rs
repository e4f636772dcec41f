//! One HTTP GET, without a client library.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::eventually::bounded;

/// Status and body of `GET path` from `address` (`127.0.0.1:9090`), or why there is none.
pub(crate) async fn get(address: &str, path: &str) -> Result<(u16, String), String> {
    get_as(address, address, path).await
}

/// The same for `host`, whoever that is.
pub(crate) async fn get_as(address: &str, host: &str, path: &str) -> Result<(u16, String), String> {
    let what = format!("GET {path} from {address}");
    bounded(&what, exchange(address, host, path)).await.map_err(|error| error.to_string())
}

/// HTTP/1.0, so that the body is what comes until the connection closes.
async fn exchange(address: &str, host: &str, path: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    Ok((status, body.to_owned()))
}
