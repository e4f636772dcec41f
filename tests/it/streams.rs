//! The push streams of `external-push`: many on one connection, silent while nothing changes, and ended OK.

use futures::FutureExt as _;
use futures::future::join_all;
use tonic::{Code, Streaming};

use crate::harness::eventually::{bounded, eventually};
use crate::harness::faulty::{Behavior, FaultyPrometheus};
use crate::harness::keda::{Keda, Trigger};
use crate::harness::prescale::Prescale;

/// Objects with two streams each: five times as many streams as hyper would allow by default on one connection.
const OBJECTS: usize = 500;

/// Names of that many objects.
fn names() -> Vec<&'static str> {
    (0..OBJECTS).map(|number| &*Box::leak(format!("object-{number}").into_boxed_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_streams_on_one_connection_leave_room_for_calls_and_end_well() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let mut prescale = Prescale::serve(&["--prometheus", &server.url()]).await;
    let keda = Keda::connect(prescale.grpc()).await;
    let url = server.url();
    let triggers: Vec<_> =
        names().into_iter().map(|name| Trigger::light(name, &url).with("mode", "reactive")).collect();
    let activations = join_all(triggers.iter().map(|trigger| keda.stream_is_active(trigger))).await;
    let mut specs = join_all(triggers.iter().map(|trigger| keda.stream_metric_spec(trigger))).await;

    for stream in &mut specs {
        let first = bounded("the specs", stream.message()).await.expect("OK").expect("they come at once");
        assert_eq!(first.metric_specs.len(), 1);
    }
    let values = join_all(triggers.iter().map(|trigger| keda.value_at_last(trigger))).await;
    assert!(values.iter().all(|value| *value > 0.0), "{values:?}");

    prescale.terminate();
    for messages in join_all(activations.into_iter().map(drained)).await {
        let results: Vec<_> = messages.into_iter().map(|message| message.result).collect();
        assert_eq!(results, [true], "the activation, once");
    }
    for rest in join_all(specs.into_iter().map(drained)).await {
        assert_eq!(rest, [], "a spec that does not change is sent once");
    }
    assert!(prescale.end().await.success(), "SIGTERM is no failure");
}

/// The messages until the stream ends, which must be with OK: nothing else resets KEDA's backoff.
async fn drained<T>(mut stream: Streaming<T>) -> Vec<T> {
    let mut messages = Vec::new();
    while let Some(message) = bounded("the end of a stream", stream.message()).await.expect("a stream ends with OK") {
        messages.push(message);
    }
    messages
}

#[tokio::test(flavor = "multi_thread")]
async fn activity_is_pushed_when_it_is_known_and_not_before() {
    let mut server = FaultyPrometheus::start(Behavior::ServerError);
    let prescale = Prescale::serve(&["--prometheus", &server.url()]).await;
    let keda = Keda::connect(prescale.grpc()).await;
    let trigger = Trigger::light("pushed", &server.url());
    let mut activations = keda.stream_is_active(&trigger).await;
    eventually("the fault", async || {
        let status = keda.is_active(&trigger).await.expect_err("nothing is known");
        if status.code() == Code::Unavailable { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
    assert!(activations.message().now_or_never().is_none(), "a fault pushes nothing");

    server.behave(Behavior::Healthy);
    let push = bounded("the activation", activations.message()).await.expect("OK").expect("the stream stays open");
    assert!(push.result);
    let mut late = keda.stream_is_active(&trigger).await;
    let push = bounded("the activation", late.message()).await.expect("OK").expect("the stream stays open");
    assert!(push.result, "who opens a stream later is told the state at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_metadata_end_a_stream_with_the_mistakes() {
    let server = FaultyPrometheus::start(Behavior::Healthy);
    let prescale = Prescale::serve(&["--prometheus", &server.url()]).await;
    let keda = Keda::connect(prescale.grpc()).await;
    let mistaken = Trigger::light("mistaken", &server.url()).with("leadTime", "soon");
    let mut specs = keda.stream_metric_spec(&mistaken).await;
    let first = bounded("the specs", specs.message()).await.expect("OK").expect("the threshold is fine");
    assert_eq!(first.metric_specs.len(), 1);
    let status = keda.try_stream_is_active(&mistaken).await.expect_err("no such lead time");
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("leadTime"), "{status}");
}
