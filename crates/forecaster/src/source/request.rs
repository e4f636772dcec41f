//! [`Question`]: what is asked of Prometheus' API, and the HTTP request it becomes.

use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Request};
use series::{PrometheusQuery, ServerAddress, Timestamp};
use url::Url;

use super::chunks::GridRange;
use super::credentials::Credentials;
use super::error::SourceError;
use super::redaction::Redaction;

/// Longest URL that is sent as such; many proxies cut at 8 KiB, some at 4.
const LONGEST_URL: usize = 4096;

/// The endpoints of the API that are asked; label values of the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Endpoint {
    Query,
    QueryRange,
}

impl Endpoint {
    pub(crate) const ALL: [Self; 2] = [Self::Query, Self::QueryRange];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::QueryRange => "query_range",
        }
    }
}

/// When to ask for.
///
/// The times of a range are said, so that the grid is ours. The present is left to the server: where clocks differ it has
/// nothing at ours, or what it knew last, or the zero of an `or vector(0)`, and neither is a load.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Question {
    /// The server's present; asked for at this time of ours.
    Now(Timestamp),
    Over(GridRange),
}

impl Question {
    pub(crate) fn endpoint(self) -> Endpoint {
        match self {
            Self::Now(_) => Endpoint::Query,
            Self::Over(_) => Endpoint::QueryRange,
        }
    }

    /// The same question so much later.
    pub(super) fn after(self, wait: Duration) -> Self {
        match self {
            Self::Now(time) => Self::Now(time.saturating_add(wait).unwrap_or(Timestamp::MAX)),
            Self::Over(_) => self,
        }
    }

    /// When it is asked, by our clock; `None` where nobody said.
    pub(super) fn asked_at(self) -> Option<Timestamp> {
        match self {
            Self::Now(time) => Some(time),
            Self::Over(_) => None,
        }
    }

    fn times(self) -> Vec<(&'static str, String)> {
        match self {
            Self::Now(_) => Vec::new(),
            Self::Over(range) => vec![
                ("start", range.first().as_second().to_string()),
                ("end", range.last().as_second().to_string()),
                ("step", range.step().seconds().to_string()),
            ],
        }
    }
}

/// The request that asks `question` of `server`.
///
/// It goes by `GET`, which read-only proxies allow, and by `POST` where the URL would be too long. The tenant's own
/// parameters stay in the URL either way, where such proxies look for them.
pub(super) async fn build(
    client: &Client,
    server: &ServerAddress,
    query: &PrometheusQuery,
    credentials: Option<&Credentials>,
    question: Question,
    redaction: &mut Redaction,
) -> Result<Request, SourceError> {
    let base = with_parameters(server.endpoint(question.endpoint().as_str()), query)?;
    let mut parameters = vec![("query", query.promql.clone())];
    parameters.extend(question.times());

    let mut whole = base.clone();
    whole.query_pairs_mut().extend_pairs(&parameters);
    let request =
        if whole.as_str().len() <= LONGEST_URL { client.get(whole) } else { client.post(base).form(&parameters) };

    let mut headers = headers_of(query, redaction)?;
    if let (Some(own), Some(name)) = (credentials, &query.credentials) {
        let unusable = |problem| SourceError::CredentialsUnusable { name: name.clone(), problem };
        own.apply(&mut headers, redaction).await.map_err(unusable)?;
    }
    request.headers(headers).build().map_err(|error| SourceError::Unreachable {
        server: Box::new(server.clone()),
        cause: redaction.clean(&error.without_url().to_string()),
    })
}

fn with_parameters(mut url: Url, query: &PrometheusQuery) -> Result<Url, SourceError> {
    const OURS: [&str; 5] = ["query", "time", "start", "end", "step"];
    if let Some((name, _)) = query.parameters.iter().find(|(name, _)| OURS.contains(&name.as_str())) {
        return Err(SourceError::ReservedParameter { name: name.clone() });
    }
    let namespace = query.namespace.iter().map(|namespace| ("namespace", namespace.as_str()));
    let further = query.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let all: Vec<_> = namespace.chain(further).collect();
    if !all.is_empty() {
        url.query_pairs_mut().extend_pairs(all);
    }
    Ok(url)
}

fn headers_of(query: &PrometheusQuery, redaction: &mut Redaction) -> Result<HeaderMap, SourceError> {
    /// Headers of the connection: with `host`, one allowed address would reach every site behind it.
    const NOT_THEIRS: [&str; 10] = [
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    for (name, text) in &query.headers {
        let bad = || SourceError::BadHeader { name: redaction_free(name) };
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
        if NOT_THEIRS.contains(&header.as_str()) {
            return Err(bad());
        }
        let mut value = HeaderValue::from_str(text).map_err(|_| bad())?;
        value.set_sensitive(true);
        redaction.hide(text);
        // the scheme of an Authorization header is no secret, but what follows it is, alone too
        if let Some((_, rest)) = text.split_once(' ') {
            redaction.hide(rest);
        }
        headers.insert(header, value);
    }
    Ok(headers)
}

/// A name that came from a tenant, on one short line.
fn redaction_free(name: &str) -> String {
    Redaction::default().clean(name)
}

#[cfg(test)]
mod tests {
    use series::Step;

    use super::*;

    fn query() -> PrometheusQuery {
        PrometheusQuery {
            namespace: Some("team-a".to_owned()),
            parameters: vec![("dedup".to_owned(), "true".to_owned())],
            headers: vec![("X-Scope-OrgID".to_owned(), "tenant-1".to_owned())],
            ..PrometheusQuery::new("sum(rate(a{b=\"c d\"}[1m])) + 1")
        }
    }

    async fn request(query: &PrometheusQuery, question: Question) -> Result<Request, SourceError> {
        let server = "http://p/prefix".parse().unwrap();
        build(&Client::new(), &server, query, None, question, &mut Redaction::default()).await
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn over() -> Question {
        Question::Over(GridRange::between(at(60), at(180), Step::MINUTE).unwrap())
    }

    #[tokio::test]
    async fn the_times_of_a_range_are_said_and_everything_is_escaped() {
        let instant = request(&query(), Question::Now(at(1_700_000_000))).await.unwrap();
        assert_eq!(
            instant.url().as_str(),
            "http://p/prefix/api/v1/query?namespace=team-a&dedup=true\
             &query=sum%28rate%28a%7Bb%3D%22c+d%22%7D%5B1m%5D%29%29+%2B+1"
        );
        let range = request(&query(), over()).await.unwrap();
        assert!(range.url().as_str().starts_with("http://p/prefix/api/v1/query_range?namespace=team-a"));
        assert!(range.url().as_str().ends_with("&start=60&end=180&step=60"), "{}", range.url());
        assert_eq!(range.headers()["x-scope-orgid"], "tenant-1");
    }

    #[tokio::test]
    async fn a_long_query_goes_by_post_with_the_tenants_parameters_in_the_url() {
        let long = PrometheusQuery { promql: "a+".repeat(2000), ..query() };
        let request = request(&long, over()).await.unwrap();
        assert_eq!(request.method(), "POST");
        assert_eq!(request.url().query(), Some("namespace=team-a&dedup=true"));
        let body = String::from_utf8(request.body().unwrap().as_bytes().unwrap().to_vec()).unwrap();
        assert!(body.starts_with("query=a%2Ba%2B") && body.ends_with("&start=60&end=180&step=60"));
        assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
    }

    #[tokio::test]
    async fn tenants_set_no_header_of_the_connection_and_no_parameter_of_ours() {
        for (name, value) in [("Host", "evil"), ("transfer-encoding", "chunked"), ("a b", "c"), ("x", "a\nb")] {
            let bad = PrometheusQuery { headers: vec![(name.to_owned(), value.to_owned())], ..query() };
            let error = request(&bad, over()).await.unwrap_err();
            assert_eq!(error, SourceError::BadHeader { name: name.to_owned() });
        }
        let bad = PrometheusQuery { parameters: vec![("query".to_owned(), "x".to_owned())], ..query() };
        let error = request(&bad, over()).await.unwrap_err();
        assert_eq!(error, SourceError::ReservedParameter { name: "query".to_owned() });
    }
}
