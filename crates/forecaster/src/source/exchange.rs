//! One HTTP exchange: send, read no more than allowed, and name what came back.

use std::time::Duration;

use reqwest::header::{DATE, HeaderName, LOCATION, RETRY_AFTER};
use reqwest::{Client, Request, Response, StatusCode};
use series::{ServerAddress, Timestamp};

use super::answer::{Data, Envelope};
use super::error::SourceError;
use super::redaction::Redaction;
use super::resolver::RefusedAddress;

/// Most bytes read of the body of an error: Prometheus' own are a line.
const ERROR_BODY_BYTES: usize = 64 * 1024;

/// Bodies above this are parsed off the runtime's threads: about a millisecond's work.
const SMALL_BODY_BYTES: usize = 256 * 1024;

/// One exchange with one server.
pub(super) struct Exchange<'a> {
    pub(super) client: &'a Client,
    pub(super) server: &'a ServerAddress,
    pub(super) redaction: &'a Redaction,
    /// Most bytes read of a body, unpacked.
    pub(super) most_bytes: usize,
}

impl Exchange<'_> {
    /// Sends `request`, and gives the answer as soon as its head is there.
    pub(super) async fn send(&self, request: Request) -> Result<Response, SourceError> {
        self.client.execute(request).await.map_err(|error| self.broken(error))
    }

    /// Reads the data of a successful answer.
    pub(super) async fn data(&self, mut response: Response) -> Result<Data, SourceError> {
        let status = response.status();
        if status.is_redirection() {
            return Err(self.redirect(&response));
        }
        let retry_after = retry_after(&response);
        if !status.is_success() {
            let (body, _) = self.read(&mut response, ERROR_BODY_BYTES).await?;
            return Err(self.refusal(status, retry_after, &body));
        }
        let (body, whole) = self.read(&mut response, self.most_bytes).await?;
        if !whole {
            return Err(SourceError::TooLarge { server: Box::new(self.server.clone()), limit: self.most_bytes });
        }
        let (parsed, body) = parse(body).await;
        let envelope = parsed.map_err(|error| self.not_prometheus(status, &body, Some(&error)))?;
        self.log_notices(&envelope);
        if let Some(missing) = envelope.missing()
            && envelope.status == "success"
        {
            let (server, text) = (Box::new(self.server.clone()), self.redaction.clean(missing));
            return Err(SourceError::Partial { server, text });
        }
        match envelope {
            Envelope { data: Some(data), status: word, .. } if word == "success" => Ok(data),
            Envelope { error_type: Some(error_type), error, .. } => {
                Err(self.own_error(&error_type, error.as_deref().unwrap_or_default()))
            }
            _ => Err(self.not_prometheus(status, &body, None)),
        }
    }

    /// The body up to `most` bytes, and whether that was all of it.
    async fn read(&self, response: &mut Response, most: usize) -> Result<(Vec<u8>, bool), SourceError> {
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| self.broken(error))? {
            let room = most - body.len();
            if piece.len() > room {
                body.extend_from_slice(&piece[..room]);
                return Ok((body, false));
            }
            body.extend_from_slice(&piece);
        }
        Ok((body, true))
    }

    /// What a status other than success means.
    fn refusal(&self, status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> SourceError {
        let server = Box::new(self.server.clone());
        let envelope = serde_json::from_slice::<Envelope>(body).ok();
        let own = envelope.and_then(|envelope| Some((envelope.error_type?, envelope.error.unwrap_or_default())));
        let text = || match &own {
            Some((_, text)) => self.after_colon(text),
            None if is_markup(body) => String::new(),
            None => self.after_colon(&String::from_utf8_lossy(body)),
        };
        match (status.as_u16(), &own) {
            (code @ (401 | 403), _) => SourceError::Unauthorized { server, status: code, text: text() },
            (429, _) => SourceError::Throttled { server, retry_after },
            (503, Some((error_type, _))) if error_type == "timeout" => self.own_error(error_type, &text()),
            (code @ 500..=599, _) => SourceError::ServerError { server, status: code, text: text() },
            (_, Some((error_type, text))) => self.own_error(error_type, text),
            (_, None) => self.not_prometheus(status, body, None),
        }
    }

    fn own_error(&self, error_type: &str, text: &str) -> SourceError {
        let server = Box::new(self.server.clone());
        let text = self.redaction.clean(text.trim_start_matches(": "));
        match error_type {
            "timeout" => SourceError::GaveUp { server, text },
            _ => SourceError::BadQuery { server, error_type: self.redaction.clean(error_type), text },
        }
    }

    fn redirect(&self, response: &Response) -> SourceError {
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let target = location.and_then(|location| response.url().join(location).ok());
        let to = target.map_or("an unknown place".to_owned(), |mut url| {
            // parameters of a redirect are often tokens, and the path may repeat the query
            url.set_query(None);
            url.set_fragment(None);
            let _ = url.set_username("");
            let _ = url.set_password(None);
            self.redaction.clean(url.as_str())
        });
        SourceError::Redirect { server: Box::new(self.server.clone()), to }
    }

    fn not_prometheus(&self, status: StatusCode, body: &[u8], error: Option<&serde_json::Error>) -> SourceError {
        let found = match error {
            _ if body.is_empty() => "an empty body".to_owned(),
            _ if is_markup(body) => "an HTML page, perhaps a login".to_owned(),
            Some(error) if error.is_eof() => "JSON that ends too early".to_owned(),
            Some(error) => format!("no JSON of its API: {}", self.redaction.clean(&error.to_string())),
            None => format!("an answer that begins with `{}`", self.redaction.clean(&beginning(body))),
        };
        SourceError::NotPrometheus { server: Box::new(self.server.clone()), status: status.as_u16(), found }
    }

    /// What the network, TLS or unpacking said.
    fn broken(&self, error: reqwest::Error) -> SourceError {
        let server = Box::new(self.server.clone());
        let status = error.status().unwrap_or(StatusCode::OK).as_u16();
        // the URL holds the query and the tenant's parameters
        let error = error.without_url();
        let mut cause: &dyn std::error::Error = &error;
        let mut is_corrupt = false;
        while let Some(deeper) = cause.source() {
            cause = deeper;
            if let Some(&RefusedAddress { address, reserved }) = cause.downcast_ref() {
                return SourceError::AddressReserved { server, address, reserved };
            }
            is_corrupt |= cause.downcast_ref::<std::io::Error>().is_some_and(|io| {
                matches!(io.kind(), std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput)
            });
        }
        let cause = self.redaction.clean(&cause.to_string());
        if error.is_decode() && is_corrupt {
            return SourceError::NotPrometheus {
                server,
                status,
                found: format!("a body that does not unpack: {cause}"),
            };
        }
        SourceError::Unreachable { server, cause }
    }

    fn after_colon(&self, text: &str) -> String {
        let text = self.redaction.clean(text);
        if text.is_empty() { text } else { format!(": {text}") }
    }

    fn log_notices(&self, envelope: &Envelope) {
        for notice in envelope.warnings.iter().chain(&envelope.infos).flatten() {
            tracing::debug!(server = %self.server, notice = self.redaction.clean(notice), "source noted");
        }
    }
}

/// The envelope in `body`, which is handed back for messages.
async fn parse(body: Vec<u8>) -> (serde_json::Result<Envelope>, Vec<u8>) {
    if body.len() <= SMALL_BODY_BYTES {
        return (serde_json::from_slice(&body), body);
    }
    let parsing = tokio::task::spawn_blocking(move || (serde_json::from_slice(&body), body));
    let stopped = |_| (Err(serde::de::Error::custom("the parser stopped")), Vec::new());
    parsing.await.unwrap_or_else(stopped)
}

/// When the answer was begun, by the server's clock, to the second.
pub(super) fn date(response: &Response) -> Option<Timestamp> {
    parse_date(header(response, DATE)?)
}

/// `Retry-After`, in seconds or as a date. A date is set against the server's own: its clock need not be ours.
fn retry_after(response: &Response) -> Option<Duration> {
    let asked = header(response, RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let wait = parse_date(asked)?.duration_since(date(response)?);
    // one that has passed asks for no wait
    Some(Duration::try_from(wait).unwrap_or_default())
}

fn header(response: &Response, name: HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok().map(str::trim)
}

fn parse_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|date| date.timestamp())
}

fn is_markup(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

fn beginning(body: &[u8]) -> String {
    /// Enough to recognize an answer by.
    const SHOWN: usize = 60;
    String::from_utf8_lossy(&body[..body.len().min(SHOWN)]).into_owned()
}
