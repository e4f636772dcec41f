//! Two versions side by side, in the midst of an update: who does not understand the other leaves the targets to who does.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http;
use futures::StreamExt as _;
use serde_json::{Value, json};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Server};
use tonic::{Code, Request, Response, Status};
use tower::ServiceExt as _;
use wire::prescale::forecasts_client::ForecastsClient;
use wire::prescale::forecasts_server::{Forecasts, ForecastsServer, SERVICE_NAME};
use wire::prescale::{FORMAT, WatchRequest, WatchResponse};

use crate::harness::eventually::{bounded, eventually};
use crate::harness::faulty::{Behavior, FaultyPrometheus};
use crate::harness::keda::{Keda, Trigger};
use crate::harness::prescale::Prescale;
use crate::harness::prometheus::free_port;
use crate::harness::roles::{forecaster, scaler};

/// How many targets are spread.
const TARGETS: usize = 40;

/// A forecaster whose every answer is this one.
#[derive(Clone)]
struct OfTomorrow {
    answer: WatchResponse,
    asked: Arc<Mutex<Vec<WatchRequest>>>,
}

#[tonic::async_trait]
impl Forecasts for OfTomorrow {
    type WatchStream = Pin<Box<dyn futures::Stream<Item = Result<WatchResponse, Status>> + Send>>;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        self.asked.lock().expect("no handler panics").push(request.into_inner());
        let answers = futures::stream::iter([Ok(self.answer.clone())]).chain(futures::stream::pending());
        Ok(Response::new(Box::pin(answers)))
    }
}

impl OfTomorrow {
    /// Serves until the test ends; gives the port too.
    async fn serve(format: u32, outlook: &[u8], memory: &[u8]) -> (Self, u16) {
        let answer = WatchResponse { format, outlook: outlook.to_vec(), memory: memory.to_vec() };
        let own = Self { answer, asked: Arc::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_service_status(SERVICE_NAME, tonic_health::ServingStatus::Serving).await;
        let service = ForecastsServer::new(own.clone());
        let server = Server::builder().add_service(service).add_service(health_service);
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        (own, port)
    }

    fn asked(&self) -> Vec<WatchRequest> {
        self.asked.lock().expect("no handler panics").clone()
    }
}

/// Waits until `metric` is `expected`.
async fn is(prescale: &Prescale, metric: &str, expected: f64) {
    eventually(metric, async || match prescale.metric(metric, &[]).await {
        Some(value) if value == expected => Ok(()),
        other => Err(format!("{other:?}, not {expected}")),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forecasters_of_tomorrow_leave_every_target_to_the_one_that_is_understood() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let url = server.url();
    let flags = ["--prometheus", &url];
    let outlook = br#"{"issued":"2050-01-01T00:00:00Z","demand":{"of":"tomorrow"}}"#;
    let (newer, newer_port) = OfTomorrow::serve(FORMAT + 1, outlook, b"").await;
    let (renamed, renamed_port) = OfTomorrow::serve(FORMAT, outlook, b"").await;
    let (packed, packed_port) = OfTomorrow::serve(FORMAT, b"\x28\xb5\x2f\xfd", b"\xff").await;
    let port = free_port();
    let today = forecaster(port, &flags).await;
    let scaler = scaler("http", &[newer_port, renamed_port, packed_port, port], &flags).await;
    is(&scaler, "prescale_forecasters_serving", 4.0).await;

    let keda = Keda::connect(scaler.grpc()).await;
    let name = |number| &*Box::leak(format!("object-{number}").into_boxed_str());
    for number in 0..TARGETS {
        let trigger = Trigger::light(name(number), &url).with("mode", "reactive");
        assert!(keda.value_at_last(&trigger).await > 0.0);
    }
    for of_tomorrow in [newer, renamed, packed] {
        assert!(!of_tomorrow.asked().is_empty(), "it owned some of them");
    }
    is(&today, "prescale_forecaster_targets", TARGETS as f64).await;
    is(&scaler, "prescale_forecast_streams", TARGETS as f64).await;
    assert!(scaler.logged(&["forecaster cannot serve this target", "cannot be read"]) > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scaler_of_tomorrow_gets_what_it_can_be_given_and_breaks_nothing() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let url = server.url();
    let (port, flags) = (free_port(), ["--prometheus", &url]);
    let forecaster = forecaster(port, &flags).await;
    let (listener, listener_port) = OfTomorrow::serve(FORMAT + 1, b"", b"").await;
    // what a scaler of today asks
    let eavesdropped = scaler("http", &[listener_port], &flags).await;
    let trigger = Trigger::light("shared", &url);
    let keda = Keda::connect(eavesdropped.grpc()).await;
    let sound = eventually("a question", async || {
        keda.value(&trigger).await.expect_err("nobody tells a load");
        listener.asked().pop().ok_or_else(|| "none yet".to_owned())
    })
    .await;
    drop(eavesdropped);
    let today = scaler("http", &[port], &flags).await;
    let keda = Keda::connect(today.grpc()).await;
    keda.value_at_last(&trigger).await;

    let endpoint = Channel::from_shared(format!("http://127.0.0.1:{port}")).expect("a URL");
    let channel = bounded("the connection", endpoint.connect()).await.expect("it listens");
    let newer = WatchRequest { format: FORMAT + 1, ..sound.clone() };
    assert_eq!(refusal(&channel, newer).await.code(), Code::FailedPrecondition);
    for request in [b"\x28\xb5\x2f\xfd".as_slice(), br#"{"forecast":"of tomorrow"}"#, b""] {
        let unreadable = WatchRequest { request: request.to_vec(), ..sound.clone() };
        let status = refusal(&channel, unreadable).await;
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        assert!(status.message().contains("the request cannot be read"), "{status}");
    }
    is(&forecaster, "prescale_forecaster_targets", 1.0).await;

    // what it says beside what is understood is passed over: a field of the message, one of the request, and what to scale by
    let mut request: Value = serde_json::from_slice(&sound.request).expect("format 1 is JSON");
    request["ofTomorrow"] = json!({ "by": "heart" });
    let digest = "0badcafe".to_owned();
    let target = br#"{"scale":"by heart"}"#.to_vec();
    let known = WatchRequest { digest, request: request.to_string().into_bytes(), target, ..sound };
    let outlook = told(&channel, &known, b"of tomorrow").await;
    assert!(outlook.len() > 100, "{} bytes", outlook.len());
    is(&forecaster, "prescale_forecaster_targets", 2.0).await;
    assert_eq!(forecaster.logged(&["what to scale by cannot be read", "0badcafe"]), 1);
    assert!(keda.value_at_last(&trigger).await > 0.0);
    is(&today, "prescale_forecast_streams", 1.0).await;
}

/// Why a forecaster does not serve this.
async fn refusal(channel: &Channel, request: WatchRequest) -> Status {
    let mut client = ForecastsClient::new(channel.clone());
    bounded("Watch", client.watch(request)).await.expect_err("nobody can forecast that")
}

/// The first message that a forecaster sends to a request with one more field, which no version of today has.
async fn told(channel: &Channel, request: &WatchRequest, further: &[u8]) -> Vec<u8> {
    let texts = [&request.namespace, &request.name, &request.digest].map(String::as_bytes);
    let mut message = Vec::new();
    for (number, bytes) in [(1, texts[0]), (2, texts[1]), (3, texts[2]), (5, &request.request), (6, &request.target)] {
        field(&mut message, number, bytes);
    }
    message.extend([4 << 3, u8::try_from(FORMAT).expect("it is small")]);
    field(&mut message, 15, further);
    // gRPC: not compressed, so many bytes
    let mut framed = vec![0];
    framed.extend(u32::try_from(message.len()).expect("it is short").to_be_bytes());
    framed.extend(message);
    let asked = http::Request::post(format!("http://forecaster/{SERVICE_NAME}/Watch"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(tonic::body::Body::new(Body::from(framed)))
        .expect("a request");
    let answer = bounded("Watch", channel.clone().oneshot(asked)).await.expect("it answers");
    assert_eq!(answer.headers().get("grpc-status"), None, "it is served");
    let mut bytes = Body::new(answer.into_body()).into_data_stream();
    bounded("an outlook", bytes.next()).await.expect("it tells something").expect("bytes").to_vec()
}

/// A field of bytes, as protobuf writes it.
fn field(message: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    message.push(number << 3 | 2);
    let mut length = bytes.len();
    while length > 127 {
        message.push(u8::try_from(length & 127).expect("seven bits") | 128);
        length >>= 7;
    }
    message.push(u8::try_from(length).expect("seven bits"));
    message.extend(bytes);
}
