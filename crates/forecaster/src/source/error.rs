//! [`SourceError`]: everything that can be wrong between a query and a load, each with what to do about it.

use std::net::IpAddr;
use std::time::Duration;

use jiff::SignedDuration;
use series::{CredentialName, FaultKind, Load, ServerAddress, SourceFault, Timestamp};

use super::reserved::Reserved;

/// Why a source told no load. Texts of the server inside are cut short, on one line and free of what was sent to it in
/// secret.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The target names no server and there is no default. Another try will not help.
    #[error("no server to ask: write `serverAddress`, or configure a default server")]
    NoServer,
    /// The server is not on the list of allowed servers. Nothing was sent.
    #[error(
        "{server} is not an allowed server: add its origin, its domain or its network to the allowed servers, or ask another one"
    )]
    ServerNotAllowed {
        /// The server named.
        server: Box<ServerAddress>,
    },
    /// The server is at an address that is no server's, and that nobody meant to allow. Nothing was sent.
    #[error(
        "{server} is at {address}, which is reserved for {reserved}: ask another server, or add {address}/{bits} to the \
         allowed servers if it is meant",
        bits = if address.is_ipv4() { 32 } else { 128 }
    )]
    AddressReserved {
        /// The server named.
        server: Box<ServerAddress>,
        /// Where it is.
        address: IpAddr,
        /// What the address is for.
        reserved: Reserved,
    },
    /// No credentials of that name are configured. Nothing was sent.
    #[error("no credentials `{name}` are configured: add them to the server's configuration, or correct `credentials`")]
    UnknownCredentials {
        /// The name in the metadata.
        name: CredentialName,
    },
    /// The credentials are not configured for this server. Nothing was sent.
    #[error("the credentials `{name}` may not be sent to {server}: add it to their `servers`, or ask another server")]
    CredentialsNotForServer {
        /// The name in the metadata.
        name: CredentialName,
        /// The server named.
        server: Box<ServerAddress>,
    },
    /// The metadata ask for no check of the certificate, and the credentials do not allow that. Nothing was sent.
    #[error(
        "the credentials `{name}` are not sent over a connection whose certificate is not checked: \
         remove `unsafeSsl`, or give the credentials a certificate authority"
    )]
    CredentialsUnverified {
        /// The name in the metadata.
        name: CredentialName,
    },
    /// A secret could not be read from its file, or is no text that fits in a header.
    #[error("the credentials `{name}` cannot be used: {problem}")]
    CredentialsUnusable {
        /// The name in the metadata.
        name: CredentialName,
        /// What is wrong, without the secret.
        problem: String,
    },
    /// A header of the metadata is malformed or belongs to the connection.
    #[error("the header `{name}` cannot be sent: use a plain name and value, and none that belongs to the connection")]
    BadHeader {
        /// Name of the header; its value may be secret.
        name: String,
    },
    /// A parameter of the metadata would replace one of ours.
    #[error("`{name}` is not free: remove it from `queryParameters`, it says what and when to ask")]
    ReservedParameter {
        /// Name of the parameter.
        name: String,
    },
    /// No connection, or one that broke. Worth another try.
    #[error("cannot reach {server}: {cause}; check the address, the network policies and TLS")]
    Unreachable {
        /// The server asked.
        server: Box<ServerAddress>,
        /// What the network said.
        cause: String,
    },
    /// No answer in time. Another try would load a slow server further.
    #[error("no answer from {server} within {after:?}: make the query cheaper (a recording rule), or raise `timeout`")]
    Timeout {
        /// The server asked.
        server: Box<ServerAddress>,
        /// How long was waited.
        after: Duration,
    },
    /// The server itself gave up on the query.
    #[error("{server} gave up on the query: {text}; make it cheaper (a recording rule)")]
    GaveUp {
        /// The server asked.
        server: Box<ServerAddress>,
        /// Its words.
        text: String,
    },
    /// 401 or 403.
    #[error("{server} answered {status}: name working `credentials` for it, or correct them{text}")]
    Unauthorized {
        /// The server asked.
        server: Box<ServerAddress>,
        /// 401 or 403.
        status: u16,
        /// Its words after a colon, or nothing.
        text: String,
    },
    /// 429. Worth another try after the wait named, where one is.
    #[error("{server} answered 429, too many requests: ask less often, or raise its limits")]
    Throttled {
        /// The server asked.
        server: Box<ServerAddress>,
        /// `Retry-After`, where it was a number of seconds.
        retry_after: Option<Duration>,
    },
    /// Prometheus' own error for a query it cannot answer.
    #[error("{server} refuses the query ({error_type}): {text}")]
    BadQuery {
        /// The server asked.
        server: Box<ServerAddress>,
        /// `bad_data`, `execution` and so on.
        error_type: String,
        /// Its words.
        text: String,
    },
    /// 5xx. Worth another try.
    #[error("{server} answered {status}{text}; look into its own log")]
    ServerError {
        /// The server asked.
        server: Box<ServerAddress>,
        /// From 500 to 599.
        status: u16,
        /// Its words after a colon, or nothing.
        text: String,
    },
    /// An answer that leaves out what some of the stores behind the server hold: a sum of it would be too low.
    #[error("{server} answered with a part of the data alone: {text}; look after its stores")]
    Partial {
        /// The server asked.
        server: Box<ServerAddress>,
        /// Its words.
        text: String,
    },
    /// 3xx, which is not followed: the place it leads to is not on any list.
    #[error("{server} redirects to {to}, which is not followed: write the final address, or name `credentials`")]
    Redirect {
        /// The server asked.
        server: Box<ServerAddress>,
        /// Where it leads to, without parameters.
        to: String,
    },
    /// The answer is not one of Prometheus' API.
    #[error(
        "{server} did not answer as Prometheus does ({status}, {found}): is the address right, path prefix included?"
    )]
    NotPrometheus {
        /// The server asked.
        server: Box<ServerAddress>,
        /// The HTTP status.
        status: u16,
        /// What was found instead.
        found: String,
    },
    /// The answer has times between those that were asked for.
    #[error("{server} answered for {at}, between the times asked for: a proxy in between must not move them")]
    OffGrid {
        /// The server asked.
        server: Box<ServerAddress>,
        /// Such a time.
        at: Timestamp,
    },
    /// The body is larger than allowed; reading stopped there.
    #[error("the answer of {server} is larger than {limit} bytes: aggregate to one series with sum(...)")]
    TooLarge {
        /// The server asked.
        server: Box<ServerAddress>,
        /// Most bytes read of a body, unpacked.
        limit: usize,
    },
    /// More than one series.
    #[error("the query gives {count} series ({examples}): aggregate them to one with sum(...)")]
    SeveralSeries {
        /// How many.
        count: usize,
        /// The label sets of the first few.
        examples: String,
    },
    /// A type of result that holds no load.
    #[error("the query gives {found}, which is no load: {advice}")]
    WrongType {
        /// What it gives.
        found: &'static str,
        /// What to write instead.
        advice: &'static str,
    },
    /// No series at all.
    #[error(
        "the query gives no series: check its names and labels, add `or vector(0)`, or write `ignoreNullValues: \"true\"` \
         where that means no load"
    )]
    Empty,
    /// No series at the present of a server whose clock is far from ours.
    #[error(
        "the query gives no series at the present of {server}, whose clock is {} s {} ours: set the clocks right, or check the \
         query's names and labels",
        skew.unsigned_abs().as_secs(),
        if skew.is_negative() { "behind" } else { "ahead of" }
    )]
    EmptyPresent {
        /// The server asked.
        server: Box<ServerAddress>,
        /// How far its clock is ahead of ours.
        skew: SignedDuration,
    },
    /// NaN, an infinity, or beyond [`Load::MAX`].
    #[error(
        "the query gives {amount}, which is no load (finite, at most {most:e}): guard its divisions",
        most = Load::MAX
    )]
    NotALoad {
        /// What it gives.
        amount: f64,
    },
}

impl SourceError {
    /// The class, for metric labels and decisions.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::NoServer
            | Self::ServerNotAllowed { .. }
            | Self::AddressReserved { .. }
            | Self::UnknownCredentials { .. }
            | Self::CredentialsNotForServer { .. }
            | Self::CredentialsUnverified { .. }
            | Self::CredentialsUnusable { .. }
            | Self::BadHeader { .. }
            | Self::ReservedParameter { .. } => FaultKind::Forbidden,
            Self::Unreachable { .. } => FaultKind::Unreachable,
            Self::Timeout { .. } | Self::GaveUp { .. } => FaultKind::Timeout,
            Self::Unauthorized { .. } => FaultKind::Unauthorized,
            Self::Throttled { .. } => FaultKind::Throttled,
            Self::BadQuery { .. } => FaultKind::BadQuery,
            Self::ServerError { .. } | Self::Partial { .. } => FaultKind::ServerError,
            Self::Redirect { .. } => FaultKind::Redirect,
            Self::NotPrometheus { .. } | Self::OffGrid { .. } => FaultKind::NotPrometheus,
            Self::TooLarge { .. } => FaultKind::TooLarge,
            Self::SeveralSeries { .. } => FaultKind::SeveralSeries,
            Self::WrongType { .. } => FaultKind::WrongType,
            Self::Empty | Self::EmptyPresent { .. } => FaultKind::Empty,
            Self::NotALoad { .. } => FaultKind::NotALoad,
        }
    }

    /// Whether the same request may well succeed a moment later.
    pub(crate) fn is_worth_another_try(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Throttled { .. } | Self::ServerError { .. })
    }
}

impl From<&SourceError> for SourceFault {
    fn from(error: &SourceError) -> Self {
        Self { kind: error.kind(), message: error.to_string() }
    }
}

impl From<SourceError> for SourceFault {
    fn from(error: SourceError) -> Self {
        (&error).into()
    }
}
