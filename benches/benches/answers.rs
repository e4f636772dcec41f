//! How fast KEDA gets its answers: one plan, and GetMetrics over loopback gRPC with 1,000 targets.
//!
//! Beside criterion's mean, the loopback bench prints p50 and p99 of the single calls.

#![expect(clippy::expect_used, reason = "a benchmark stops at the first thing that is wrong")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use hdrhistogram::Histogram;
use policy::Target;
use scaler::{Board, Defaults, Forecasts, Scaler};
use series::{Clock, TargetKey, Timestamp};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use wire::externalscaler::external_scaler_client::ExternalScalerClient;
use wire::externalscaler::{GetMetricsRequest, ScaledObjectRef};

const TARGETS: usize = 1000;

/// Seconds since the epoch: any present moment will do.
const NOW: i64 = 1_790_000_040;

/// Advances a second with every thousand questions, so that plans are made anew at the pace of HPA syncs.
#[derive(Debug, Default)]
struct QuestionClock(std::sync::atomic::AtomicI64);

impl Clock for QuestionClock {
    fn now(&self) -> Timestamp {
        let asked = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Timestamp::from_second(NOW + asked / 1000 % 3600).expect("a present moment")
    }
}

#[derive(Debug)]
struct NoForecaster;

impl Forecasts for NoForecaster {
    fn watch(&self, _: &Arc<Target>) {}
    fn forget(&self, _: &TargetKey) {}
}

fn plan(criterion: &mut Criterion) {
    let now = Timestamp::from_second(NOW).expect("a present moment");
    let (outlook, target) = (benches::outlook(now), benches::target(0));
    criterion.bench_function("policy::plan", |bencher| {
        bencher.iter(|| policy::plan(black_box(&outlook), black_box(&target), None, None, now));
    });
}

fn metadata(criterion: &mut Criterion) {
    let (metadata, defaults) = (benches::metadata(), Defaults::default());
    criterion.bench_function("scaler::parse_target", |bencher| {
        bencher.iter(|| scaler::parse_target("shop", "checkout", black_box(&metadata), &defaults));
    });
}

fn get_metrics(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let stop = CancellationToken::new();
    let mut client = runtime.block_on(serve(stop.clone()));
    let questions: Vec<_> = (0..TARGETS).map(question).collect();
    // nanoseconds, up to ten seconds
    let mut latencies = Histogram::<u64>::new_with_bounds(1, 10_000_000_000, 3).expect("a histogram");
    let mut next = 0;
    criterion.bench_function("GetMetrics over loopback, 1,000 targets", |bencher| {
        bencher.iter_custom(|rounds| {
            let mut total = Duration::ZERO;
            for _ in 0..rounds {
                let question = questions[next % TARGETS].clone();
                next += 1;
                let start = Instant::now();
                let answer = runtime.block_on(client.get_metrics(question)).expect("an answer");
                let took = start.elapsed();
                assert_eq!(answer.get_ref().metric_values.len(), 1);
                total += took;
                latencies.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
            }
            total
        });
    });
    let micros = |quantile| latencies.value_at_quantile(quantile) / 1000;
    // a single call, as in test mode, has no percentiles
    #[expect(clippy::print_stdout, reason = "the figures are what the bench is for")]
    if latencies.len() > 100 {
        println!("GetMetrics, {} calls: p50 {} µs, p99 {} µs", latencies.len(), micros(0.5), micros(0.99));
    }
    stop.cancel();
}

async fn serve(stop: CancellationToken) -> ExternalScalerClient<wire::Channel> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let board = Arc::new(Board::default());
    let mut registry = prometheus_client::registry::Registry::default();
    let clock = Arc::new(QuestionClock::default());
    let scaler = Scaler::new(Arc::clone(&board), Arc::new(NoForecaster), clock, Defaults::default(), &mut registry);
    tokio::spawn(scaler::serve(TcpListenerStream::new(listener), Arc::new(scaler), stop));
    let mut client = ExternalScalerClient::connect(format!("http://{address}")).await.expect("a connection");

    let outlook = benches::outlook(Timestamp::from_second(NOW).expect("a present moment"));
    for index in 0..TARGETS {
        // the first question puts the target on the board; there is no answer yet
        client.get_metrics(question(index)).await.expect_err("nothing is known yet");
        board.publish(&benches::target(index).key, Arc::clone(&outlook));
    }
    client
}

fn question(index: usize) -> GetMetricsRequest {
    let object = ScaledObjectRef {
        name: benches::object_name(index),
        namespace: "shop".to_owned(),
        scaler_metadata: benches::metadata(),
    };
    GetMetricsRequest { scaled_object_ref: Some(object), metric_name: scaler::metric_name().to_owned() }
}

criterion_group!(answers, plan, metadata, get_metrics);
criterion_main!(answers);
