//! The source against a server with every fault there is.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, Bytes};
use axum::http::Response;
use series::{FaultKind, SourceFault, Step};

use super::resolver::Lookup;
use super::*;
use crate::testing::{self, Asked, Does, NOW, Server, SetClock, json, matrix, query, refusal, success};

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn settings() -> SourceSettings {
    SourceSettings { max_body_bytes: 100_000, ..SourceSettings::new(None, Allowed::Any(vec![])) }
}

fn source() -> Source {
    Source::new(settings()).unwrap()
}

async fn observe(server: &Server) -> Result<f64, SourceError> {
    source().observe(&query(Some(&server.address)), now()).await.map(Load::get)
}

async fn fault(answer: impl Fn(&Asked) -> Response<Body> + Send + Sync + 'static) -> SourceFault {
    let server = Server::start().await;
    server.answers(answer);
    observe(&server).await.unwrap_err().into()
}

fn page(status: u16, body: &'static str) -> Response<Body> {
    Response::builder().status(status).header("content-type", "text/html").body(Body::from(body)).unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn packed(body: Vec<u8>) -> Response<Body> {
    Response::builder().header("content-encoding", "gzip").body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn a_healthy_server_is_asked_by_name_for_its_own_present() {
    let server = Server::start().await;
    assert_eq!(observe(&server).await.unwrap(), testing::load_at(NOW as f64));
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].endpoint.as_str(), asked[0].parameters.get("time")), ("query", None));
    assert_eq!(asked[0].parameters["query"], "sum(rate(requests_total[1m]))");
    assert_eq!(asked[0].headers["user-agent"], concat!("prescale/", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn nothing_at_the_present_of_a_clock_that_is_off_is_no_zero() {
    let clock = SetClock::at(NOW);
    let server = Server::start_by(Arc::clone(&clock)).await;
    server.answers(|_| success("vector", "[]"));
    let trusting = PrometheusQuery { missing_samples: MissingSamples::Zero, ..query(Some(&server.address)) };
    let source = source();
    assert_eq!(source.observe(&trusting, now()).await, Ok(Load::ZERO));
    for (ahead, words) in [(600, " s ahead of ours"), (-600, " s behind ours")] {
        clock.set(NOW + ahead);
        let fault = SourceFault::from(source.observe(&trusting, now()).await.unwrap_err());
        assert_eq!(fault.kind, FaultKind::Empty);
        assert!(fault.message.contains(words) && fault.message.contains("set the clocks right"), "{fault}");
        server.answers(testing::healthy);
        assert_eq!(source.observe(&trusting, now()).await.unwrap().get(), testing::load_at((NOW + ahead) as f64));
        server.answers(|_| success("vector", "[]"));
    }
    clock.set(NOW);
    assert_eq!(source.observe(&trusting, now()).await, Ok(Load::ZERO));
}

#[tokio::test]
async fn what_has_not_settled_by_the_servers_clock_is_not_read() {
    let first = Step::MINUTE.floor(now());
    let last = Step::MINUTE.shift(first, 5);
    let range = GridRange::between(first, last, Step::MINUTE).unwrap();
    let count = async |ahead: i64| {
        let server = Server::start_by(SetClock::at(first.as_second() + ahead)).await;
        server.answers(|asked| matrix(asked, |_| Some("0".to_owned())));
        source().samples(&query(Some(&server.address)), range).await.unwrap().len()
    };
    for (ahead, samples) in [(-10_000, 0), (29, 0), (30, 1), (89, 1), (90, 2), (329, 5), (330, 6), (10_000, 6)] {
        assert_eq!(count(ahead).await, samples, "{ahead}");
    }
}

#[tokio::test]
async fn packed_answers_and_long_queries_are_understood() {
    let server = Server::start().await;
    let body = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"7"]},"warnings":["PromQL warning: w"],"infos":null}"#;
    server.answers(move |_| packed(gzip(body.as_bytes())));
    assert_eq!(observe(&server).await.unwrap(), 7.0);
    server.answers(testing::healthy);
    let long =
        PrometheusQuery { promql: format!("sum(a{{b=\"{}\"}})", "c".repeat(5000)), ..query(Some(&server.address)) };
    source().observe(&long, now()).await.unwrap();
    assert_eq!(server.asked()[1].parameters["query"], long.promql);
}

#[tokio::test]
async fn an_answer_that_lacks_data_is_no_answer() {
    let data = r#""data":{"resultType":"scalar","result":[1,"7"]}"#;
    for (partial, words) in [
        (r#""warnings":["No StoreAPIs matched for this query"]"#, "No StoreAPIs matched"),
        (
            r#""warnings":["PromQL info: i","fetch series for 10.0.0.7:10901: connection refused"]"#,
            "connection refused",
        ),
        (r#""isPartial":true"#, "isPartial"),
    ] {
        let fault = fault(move |_| json(200, format!(r#"{{"status":"success",{data},{partial}}}"#))).await;
        assert_eq!(fault.kind, FaultKind::ServerError);
        assert!(fault.message.contains(words) && fault.message.contains("a part of the data"), "{fault}");
    }
    let server = Server::start().await;
    let whole = format!(r#"{{"status":"success",{data},"isPartial":false,"warnings":[]}}"#);
    server.answers(move |_| json(200, whole.clone()));
    assert_eq!(observe(&server).await.unwrap(), 7.0);
}

#[tokio::test]
async fn what_a_server_says_is_told_by_kind_and_in_its_words() {
    let cases: Vec<(Response<Body>, FaultKind, &str)> = vec![
        (success("vector", "[]"), FaultKind::Empty, "or vector(0)"),
        (success("vector", r#"[{"value":[1,"NaN"]}]"#), FaultKind::NotALoad, "gives NaN"),
        (success("vector", r#"[{"value":[1,"1"]},{"value":[1,"2"]}]"#), FaultKind::SeveralSeries, "sum(...)"),
        (success("string", r#"[1,"a"]"#), FaultKind::WrongType, "a string"),
        (page(401, "<html>"), FaultKind::Unauthorized, "answered 401: name working `credentials`"),
        (json(403, "no such org"), FaultKind::Unauthorized, "no such org"),
        (page(404, "<html>no</html>"), FaultKind::NotPrometheus, "(404, an HTML page"),
        (json(404, "404 page not found"), FaultKind::NotPrometheus, "`404 page not found`"),
        (page(200, " <!doctype html>login"), FaultKind::NotPrometheus, "login"),
        (refusal(400, "bad_data", "parse error: 1:5"), FaultKind::BadQuery, "(bad_data): parse error: 1:5"),
        (refusal(422, "execution", "many-to-many"), FaultKind::BadQuery, "(execution): many-to-many"),
        (refusal(200, "execution", "late"), FaultKind::BadQuery, "late"),
        (refusal(503, "timeout", "query timed out"), FaultKind::Timeout, "gave up on the query: query timed out;"),
        (json(200, r#"{"status":"success","data":{"resul"#), FaultKind::NotPrometheus, "ends too early"),
        (json(200, r#"{"status":"success"}"#), FaultKind::NotPrometheus, "begins with `{\"status\""),
        (json(200, r#"{"hello":1}"#), FaultKind::NotPrometheus, "no JSON of its API"),
        (json(200, ""), FaultKind::NotPrometheus, "an empty body"),
        (packed(b"this is no gzip".to_vec()), FaultKind::NotPrometheus, "does not unpack"),
    ];
    for (response, kind, words) in cases {
        let server = Server::start().await;
        let answer = std::sync::Mutex::new(Some(response));
        server.does(move |_| answer.lock().unwrap().take().map_or(Does::Hang, Does::Answer));
        let fault = SourceFault::from(observe(&server).await.unwrap_err());
        assert_eq!(fault.kind, kind, "{fault}");
        assert!(fault.message.contains(words), "{words} in {fault}");
        assert!(!fault.message.contains('\n') && fault.message.len() < 700, "{fault}");
        assert_eq!(server.asked().len(), 1, "{kind:?} must not be asked again");
    }
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_twice_more() {
    for (status, kind) in [(500, FaultKind::ServerError), (503, FaultKind::ServerError), (429, FaultKind::Throttled)] {
        let server = Server::start().await;
        server.answers(move |_| json(status, "upstream\r\nconnect error"));
        let fault = SourceFault::from(observe(&server).await.unwrap_err());
        assert_eq!(fault.kind, kind, "{fault}");
        assert!(fault.message.contains(&status.to_string()));
        assert_eq!(server.asked().len(), 3);
    }
    let server = Server::start().await;
    let tries = AtomicUsize::new(0);
    server.answers(move |asked| match tries.fetch_add(1, Ordering::Relaxed) {
        0 => json(502, ""),
        1 => Response::builder().status(429).header("retry-after", "0").body(Body::empty()).unwrap(),
        _ => testing::healthy(asked),
    });
    observe(&server).await.unwrap();
}

#[tokio::test]
async fn a_date_to_come_back_at_is_read_by_the_servers_clock() {
    for (until, wait) in [
        ("Sat, 01 Jan 2000 13:00:00 GMT", Some(Duration::from_secs(3600))),
        ("Sat, 01 Jan 2000 11:00:00 GMT", Some(Duration::ZERO)),
        ("soon", None),
    ] {
        let server = Server::start().await;
        server.answers(move |_| {
            let throttled = Response::builder().status(429).header("date", "Sat, 01 Jan 2000 12:00:00 GMT");
            throttled.header("retry-after", until).body(Body::empty()).unwrap()
        });
        let error = observe(&server).await.unwrap_err();
        assert!(matches!(error, SourceError::Throttled { retry_after, .. } if retry_after == wait), "{until}: {error}");
    }
}

#[tokio::test]
async fn a_wait_longer_than_the_timeout_is_not_waited() {
    let server = Server::start().await;
    server.answers(|_| Response::builder().status(429).header("retry-after", "3600").body(Body::empty()).unwrap());
    let error = observe(&server).await.unwrap_err();
    let wait = Some(Duration::from_secs(3600));
    assert!(matches!(error, SourceError::Throttled { retry_after, .. } if retry_after == wait), "{error}");
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn the_wait_a_server_asks_for_is_kept() {
    let throttled = |seconds| SourceError::Throttled {
        server: Box::new("http://p".parse().unwrap()),
        retry_after: Some(Duration::from_secs(seconds)),
    };
    let planned = Some(Duration::from_secs(2));
    let longest = Duration::from_secs(10);
    assert_eq!(wait_for(&throttled(5), planned, longest), Some(Duration::from_secs(5)));
    assert_eq!(wait_for(&throttled(1), planned, longest), planned);
    assert_eq!(wait_for(&throttled(11), planned, longest), None);
    assert_eq!(wait_for(&throttled(5), None, longest), None);
}

#[tokio::test]
async fn a_server_that_hangs_is_asked_once() {
    let server = Server::start().await;
    server.does(|_| Does::Hang);
    let impatient = PrometheusQuery { timeout: Some(Duration::from_millis(100)), ..query(Some(&server.address)) };
    let error = source().observe(&impatient, now()).await.unwrap_err();
    assert_eq!(error.kind(), FaultKind::Timeout, "{error}");
    assert!(error.to_string().contains("within 100ms"), "{error}");
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_fault_met_before_the_time_was_up_is_told_as_it_was() {
    let server = Server::start().await;
    server.answers(|_| json(500, ""));
    // two waits for a retry do not fit into this
    let impatient = PrometheusQuery { timeout: Some(Duration::from_millis(300)), ..query(Some(&server.address)) };
    let error = source().observe(&impatient, now()).await.unwrap_err();
    assert_eq!(error.kind(), FaultKind::ServerError, "{error}");
}

#[tokio::test]
async fn a_body_that_never_ends_in_time_is_a_timeout() {
    let server = Server::start().await;
    server.answers(|_| {
        let first = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{"))]);
        let body = futures::StreamExt::chain(first, futures::stream::pending());
        json(200, Body::from_stream(body))
    });
    let impatient = PrometheusQuery { timeout: Some(Duration::from_millis(100)), ..query(Some(&server.address)) };
    assert_eq!(source().observe(&impatient, now()).await.unwrap_err().kind(), FaultKind::Timeout);
}

#[tokio::test]
async fn a_server_that_is_down_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address: ServerAddress = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let secret = PrometheusQuery { parameters: vec![("token".to_owned(), "hush".to_owned())], ..query(Some(&address)) };
    let error = source().observe(&secret, now()).await.unwrap_err();
    assert_eq!(error.kind(), FaultKind::Unreachable);
    assert!(error.to_string().contains("refused") && !error.to_string().contains("hush"), "{error}");
}

#[tokio::test]
async fn a_connection_that_breaks_is_unreachable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: ServerAddress = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"status\"").await;
        }
    });
    let error = source().observe(&query(Some(&address)), now()).await.unwrap_err();
    assert_eq!(error.kind(), FaultKind::Unreachable, "{error}");
}

#[tokio::test]
async fn bodies_are_read_up_to_the_cap_and_no_further() {
    let endless = fault(|_| {
        let piece = || Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 4096]));
        json(200, Body::from_stream(futures::stream::repeat_with(piece)))
    });
    let bomb = fault(|_| packed(gzip(&vec![b' '; 50_000_000])));
    let (endless, bomb) = tokio::join!(endless, bomb);
    for fault in [endless, bomb] {
        assert_eq!(fault.kind, FaultKind::TooLarge, "{fault}");
        assert!(fault.message.contains("100000 bytes"), "{fault}");
    }
    // an error is told even where its page never ends
    let error = fault(|_| {
        let piece = || Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 4096]));
        json(403, Body::from_stream(futures::stream::repeat_with(piece)))
    });
    assert_eq!(error.await.kind, FaultKind::Unauthorized);
}

#[tokio::test]
async fn a_large_answer_is_parsed_like_a_small_one() {
    let server = Server::start().await;
    server.answers(|asked| testing::matrix(asked, |seconds| Some(format!("{seconds:.60}"))));
    let settings = SourceSettings { max_body_bytes: 2_000_000, ..settings() };
    let last = Step::MINUTE.floor(Timestamp::from_second(NOW - 60).unwrap());
    let range = GridRange::between(Step::MINUTE.shift(last, -9_999), last, Step::MINUTE).unwrap();
    let samples = Source::new(settings).unwrap().samples(&query(Some(&server.address)), range).await.unwrap();
    assert_eq!(samples.len(), 10_000);
    assert_eq!(samples[9_999], Sample::Value(Load::new(range.last().as_second() as f64).unwrap()));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_shows_no_parameters() {
    let elsewhere = Server::start().await;
    let location = format!("{}/login?token=hush", elsewhere.address);
    let fault =
        fault(move |_| Response::builder().status(302).header("location", &location).body(Body::empty()).unwrap());
    let fault = fault.await;
    assert_eq!(fault.kind, FaultKind::Redirect);
    assert!(fault.message.contains("/login") && !fault.message.contains("hush"), "{fault}");
    assert!(elsewhere.asked().is_empty());
}

fn credentials(servers: &[&str]) -> Credentials {
    let mut credentials = Credentials::for_servers(servers.iter().map(|server| server.parse().unwrap()).collect());
    credentials.authorization =
        Some(Authorization::Basic { user: "reader".to_owned(), password: Secret::new("hush-pw") });
    credentials.headers = vec![("X-Scope-OrgID".to_owned(), Secret::new("hush-org"))];
    credentials
}

fn source_with(credentials: Credentials) -> Source {
    let mut settings = settings();
    settings.credentials.insert("thanos".parse().unwrap(), credentials);
    Source::new(settings).unwrap()
}

fn with_credentials(server: &Server, name: &str) -> PrometheusQuery {
    PrometheusQuery {
        credentials: Some(name.parse().unwrap()),
        headers: vec![("X-Scope-OrgID".to_owned(), "theirs".to_owned())],
        ..query(Some(&server.address))
    }
}

#[tokio::test]
async fn credentials_are_sent_where_they_belong_and_win_over_the_metadata() {
    let server = Server::start().await;
    let source = source_with(credentials(&[server.address.as_str()]));
    source.observe(&with_credentials(&server, "thanos"), now()).await.unwrap();
    let asked = server.asked().remove(0);
    assert_eq!(asked.headers["authorization"], "Basic cmVhZGVyOmh1c2gtcHc=");
    assert_eq!(asked.headers.get_all("x-scope-orgid").iter().collect::<Vec<_>>(), ["hush-org"]);
    // nothing of it goes along where the target names none
    source.observe(&query(Some(&server.address)), now()).await.unwrap();
    let asked = server.asked().remove(0);
    assert!(!asked.headers.contains_key("authorization") && !asked.headers.contains_key("x-scope-orgid"));
}

#[tokio::test]
async fn credentials_go_nowhere_else_and_unverified_only_where_allowed() {
    let server = Server::start().await;
    let elsewhere = source_with(credentials(&["http://127.0.0.1:1", "*.monitoring.svc"]));
    let error = elsewhere.observe(&with_credentials(&server, "thanos"), now()).await.unwrap_err();
    assert!(matches!(error, SourceError::CredentialsNotForServer { .. }), "{error}");

    let mut own = credentials(&[server.address.as_str()]);
    let unknown = with_credentials(&server, "mimir");
    let error = source_with(own.clone()).observe(&unknown, now()).await.unwrap_err();
    assert!(matches!(error, SourceError::UnknownCredentials { .. }), "{error}");

    let unverified = PrometheusQuery { accept_any_certificate: true, ..with_credentials(&server, "thanos") };
    let error = source_with(own.clone()).observe(&unverified, now()).await.unwrap_err();
    assert!(matches!(error, SourceError::CredentialsUnverified { .. }), "{error}");
    assert_eq!(error.kind(), FaultKind::Forbidden);
    assert!(server.asked().is_empty());

    own.may_skip_verification = true;
    source_with(own).observe(&unverified, now()).await.unwrap();
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn no_fault_and_no_dump_shows_what_was_sent_in_secret() {
    let server = Server::start().await;
    server.answers(|asked| {
        let headers = format!("{:?}", asked.headers).replace('"', "'");
        if asked.parameters.contains_key("own") { refusal(400, "bad_data", &headers) } else { json(403, headers) }
    });
    let source = source_with(credentials(&[server.address.as_str()]));
    let mut query = with_credentials(&server, "thanos");
    query.headers.push(("X-Token".to_owned(), "Bearer hush-theirs".to_owned()));
    for parameters in [vec![], vec![("own".to_owned(), "1".to_owned())]] {
        query.parameters = parameters;
        let error = source.observe(&query, now()).await.unwrap_err();
        let shown = format!("{error} {error:?} {:?} {source:?}", SourceFault::from(&error));
        assert!(shown.contains("***") && shown.contains("x-token"), "{shown}");
        for secret in ["hush", "cmVhZGVyOmh1c2gtcHc="] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[tokio::test]
async fn only_allowed_servers_are_asked_and_the_default_always_is() {
    let (default, other) = (Server::start().await, Server::start().await);
    let settings = SourceSettings::new(Some(default.address.clone()), Allowed::Only(vec![]));
    let source = Source::new(settings).unwrap();
    source.observe(&query(None), now()).await.unwrap();
    source.observe(&query(Some(&default.address)), now()).await.unwrap();
    assert_eq!(default.asked().len(), 2);
    let error = source.observe(&query(Some(&other.address)), now()).await.unwrap_err();
    assert!(matches!(error, SourceError::ServerNotAllowed { .. }), "{error}");
    assert_eq!(error.kind(), FaultKind::Forbidden);
    assert!(other.asked().is_empty());
    let none = Source::new(SourceSettings::new(None, Allowed::Any(vec![]))).unwrap();
    assert_eq!(none.observe(&query(None), now()).await.unwrap_err(), SourceError::NoServer);
}

/// A source that looks `prom.test` up in `addresses`, one list for each connection, and counts.
fn source_in_dns(
    allowed: &[&str],
    default: Option<ServerAddress>,
    addresses: &[&[&str]],
) -> (Source, Arc<AtomicUsize>) {
    let allowed = Allowed::Only(allowed.iter().map(|pattern| pattern.parse().unwrap()).collect());
    let parse = |list: &&[&str]| list.iter().map(|address| address.parse::<IpAddr>().unwrap()).collect::<Vec<_>>();
    let addresses: Vec<_> = addresses.iter().map(parse).collect();
    let lookups = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&lookups);
    let lookup: Lookup = Arc::new(move |host| {
        assert_eq!(host, "prom.test");
        let found = addresses[counted.fetch_add(1, Ordering::Relaxed)].clone();
        Box::pin(std::future::ready(Ok(found)))
    });
    let resolver = Resolver::with_lookup(allowed.clone(), default.as_ref(), lookup);
    let settings = SourceSettings::new(default, allowed);
    (Source::with_resolver(settings, Arc::default(), resolver).unwrap(), lookups)
}

/// `server` by the name `prom.test`.
fn by_name(server: &Server) -> ServerAddress {
    server.address.as_str().replace("127.0.0.1", "prom.test").parse().unwrap()
}

#[tokio::test]
async fn a_name_that_leads_to_a_reserved_address_is_refused_before_a_connection() {
    let server = Server::start().await;
    let named = query(Some(&by_name(&server)));
    for address in ["127.0.0.1", "169.254.169.254", "fe80::1", "::ffff:127.0.0.1"] {
        let (source, lookups) = source_in_dns(&["*.test"], None, &[&[address]]);
        let error = source.observe(&named, now()).await.unwrap_err();
        assert!(
            matches!(error, SourceError::AddressReserved { address: at, .. } if at.to_string() == address),
            "{error}"
        );
        assert_eq!(error.kind(), FaultKind::Forbidden);
        assert!(
            error.to_string().contains("prom.test") && error.to_string().contains("reserved for the own"),
            "{error}"
        );
        assert_eq!(lookups.load(Ordering::Relaxed), 1, "it is not asked again");
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_name_leads_where_the_list_says_and_the_default_anywhere() {
    let server = Server::start().await;
    let named = query(Some(&by_name(&server)));
    // of several addresses those that are refused are left out
    for addresses in [["127.0.0.1"].as_slice(), &["169.254.169.254", "127.0.0.1"]] {
        let (source, _) = source_in_dns(&["*.test", "127.0.0.0/8"], None, &[addresses]);
        source.observe(&named, now()).await.unwrap();
    }
    let (source, _) = source_in_dns(&[], Some(by_name(&server)), &[&["127.0.0.1"]]);
    source.observe(&named, now()).await.unwrap();
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn a_name_that_changes_between_two_look_ups_leads_nowhere_else() {
    let server = Server::start().await;
    // a connection is kept for the next question, so that every answer closes its own
    server.answers(|asked| {
        let mut answer = testing::healthy(asked);
        answer.headers_mut().insert("connection", "close".parse().unwrap());
        answer
    });
    let rebound: [&[&str]; 2] = [&["127.0.0.1"], &["169.254.169.254"]];
    let (source, lookups) = source_in_dns(&["*.test", "127.0.0.0/8"], None, &rebound);
    let named = query(Some(&by_name(&server)));
    source.observe(&named, now()).await.unwrap();
    assert_eq!(lookups.load(Ordering::Relaxed), 1, "what was checked is what is connected to");
    let error = source.observe(&named, now()).await.unwrap_err();
    assert!(matches!(error, SourceError::AddressReserved { .. }), "{error}");
}

#[tokio::test]
async fn addresses_written_as_numbers_are_held_to_the_networks() {
    let server = Server::start().await;
    let numbered = query(Some(&server.address));
    let source = |pattern: &str| {
        let allowed = Allowed::Only(vec![pattern.parse().unwrap()]);
        Source::new(SourceSettings::new(None, allowed)).unwrap()
    };
    source("127.0.0.0/8").observe(&numbered, now()).await.unwrap();
    assert_eq!(server.asked().len(), 1);
    let error = source("10.0.0.0/8").observe(&numbered, now()).await.unwrap_err();
    assert!(matches!(error, SourceError::ServerNotAllowed { .. }), "{error}");
    // a network that holds much else does not mean the own host
    let error = source("0.0.0.0/0").observe(&numbered, now()).await.unwrap_err();
    assert!(matches!(error, SourceError::AddressReserved { .. }), "{error}");
    let every = Source::new(SourceSettings::new(None, Allowed::Any(vec![]))).unwrap();
    let error = every.observe(&query(Some(&"http://169.254.169.254".parse().unwrap())), now()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "http://169.254.169.254 is at 169.254.169.254, which is reserved for the own link and the metadata services of \
         clouds: ask another server, or add 169.254.169.254/32 to the allowed servers if it is meant"
    );
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_whole_history_is_read_piece_by_piece() {
    let server = Server::start().await;
    let request = testing::request(&server.address, 25_000);
    let source = Source::new(SourceSettings::new(None, Allowed::Any(vec![]))).unwrap();
    let history = source.history(&request, now()).await.unwrap();
    assert_eq!((history.len(), history.known()), (25_000, 25_000));
    assert_eq!(server.asked().len(), 3);
    server.answers(|_| success("matrix", "[]"));
    assert_eq!(source.history(&request, now()).await.unwrap_err(), SourceError::Empty);
}

#[test]
fn every_mistake_in_the_settings_is_told_at_once() {
    let mut broken = Credentials::for_servers(vec![]);
    broken.authority_pem = Some(Secret::new("no PEM"));
    let mut settings = SourceSettings { timeout: Duration::ZERO, max_body_bytes: 0, ..settings() };
    settings.credentials.insert("broken".parse().unwrap(), broken);
    let error = Source::new(settings).unwrap_err();
    assert_eq!(error.mistakes().len(), 4, "{error}");
}
