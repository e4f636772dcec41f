//! [`Calls`]: KEDA's calls over one connection, as many as go through or so many a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tonic::{Code, Status, Streaming};
use wire::Channel;
use wire::externalscaler::external_scaler_client::ExternalScalerClient;
use wire::externalscaler::{GetMetricSpecResponse, GetMetricsRequest, IsActiveResponse, ScaledObjectRef};

/// Calls on their way at once where as many as possible are made.
const AT_ONCE: usize = 32;

/// The unary calls of KEDA that need an outlook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "KEDA's own names")]
pub enum Rpc {
    GetMetrics,
    IsActive,
}

/// Questions about every target, over one connection.
#[derive(Debug, Clone)]
pub struct Calls {
    client: ExternalScalerClient<Channel>,
    triggers: Arc<Vec<ScaledObjectRef>>,
    next: Arc<AtomicUsize>,
}

/// How many calls were answered in how long.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Answers without an error.
    pub answered: usize,
    /// Answers with one.
    pub failed: usize,
    /// From the first question to the last answer.
    pub took: Duration,
}

/// What calls took, in nanoseconds, up to ten seconds.
pub type Latencies = Histogram<u64>;

impl Calls {
    /// Connects to `address`; asks about `triggers` in turn.
    ///
    /// # Errors
    /// Where there is no connection.
    pub async fn connect(address: &str, triggers: Arc<Vec<ScaledObjectRef>>) -> anyhow::Result<Self> {
        let client = ExternalScalerClient::connect(format!("http://{address}")).await?;
        Ok(Self { client, triggers, next: Arc::default() })
    }

    /// Asks about one target; an error that says that nothing is known yet is no failure of the connection.
    ///
    /// # Errors
    /// What the server says.
    pub async fn ask(&mut self, rpc: Rpc, index: usize) -> Result<(), Status> {
        let object = self.triggers[index % self.triggers.len()].clone();
        match rpc {
            Rpc::GetMetrics => {
                let metric_name = scaler::metric_name().to_owned();
                let question = GetMetricsRequest { scaled_object_ref: Some(object), metric_name };
                self.client.get_metrics(question).await.map(drop)
            }
            Rpc::IsActive => self.client.is_active(object).await.map(drop),
        }
    }

    /// Asks about the targets of `indexes` at once, and gives those that have no answer yet.
    ///
    /// # Errors
    /// What the server says, other than that nothing is known yet.
    pub async fn unknown(&self, indexes: Vec<usize>) -> Result<Vec<usize>, Status> {
        let mut askers = JoinSet::new();
        let share = indexes.len().div_ceil(AT_ONCE).max(1);
        for own in indexes.chunks(share) {
            let (mut calls, own) = (self.clone(), own.to_vec());
            askers.spawn(async move {
                let mut unknown = Vec::new();
                for index in own {
                    match calls.ask(Rpc::GetMetrics, index).await {
                        Ok(()) => {}
                        Err(status) if status.code() == Code::FailedPrecondition => unknown.push(index),
                        Err(status) => return Err(status),
                    }
                }
                Ok(unknown)
            });
        }
        let mut all = Vec::new();
        while let Some(asked) = askers.join_next().await {
            all.extend(asked.map_err(|error| Status::internal(error.to_string()))??);
        }
        Ok(all)
    }

    /// As many calls as go through in `time`.
    pub async fn as_many_as_possible(&self, rpc: Rpc, time: Duration) -> Rate {
        let (answered, failed) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let began = Instant::now();
        let mut callers = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (mut calls, answered, failed) = (self.clone(), Arc::clone(&answered), Arc::clone(&failed));
            callers.spawn(async move {
                while began.elapsed() < time {
                    let index = calls.next.fetch_add(1, Ordering::Relaxed);
                    let answer = calls.ask(rpc, index).await;
                    if answer.is_ok() { &answered } else { &failed }.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        callers.join_all().await;
        Rate {
            answered: answered.load(Ordering::Relaxed),
            failed: failed.load(Ordering::Relaxed),
            took: began.elapsed(),
        }
    }

    /// `per_second` calls a second for `time`, GetMetrics and IsActive by turns, whether or not those before were answered; how
    /// long each answer took, and how many were errors.
    ///
    /// # Panics
    /// Never, unless the bounds of the histogram are none.
    #[expect(clippy::expect_used, reason = "a benchmark stops at the first thing that is wrong")]
    pub async fn at_a_rate(&self, per_second: u32, time: Duration) -> (Latencies, usize) {
        let mut latencies = Latencies::new_with_bounds(1, 10_000_000_000, 3).expect("bounds");
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / per_second);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
        let mut calls = JoinSet::new();
        let began = Instant::now();
        let mut failed = 0;
        let mut count = |ended: Result<(Duration, bool), _>| {
            let (took, is_answer) = ended.expect("no call panics");
            latencies.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
            failed += usize::from(!is_answer);
        };
        while began.elapsed() < time {
            ticks.tick().await;
            let mut own = self.clone();
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let rpc = if index.is_multiple_of(2) { Rpc::GetMetrics } else { Rpc::IsActive };
            calls.spawn(async move {
                let asked = Instant::now();
                let answer = own.ask(rpc, index / 2).await;
                (asked.elapsed(), answer.is_ok())
            });
            while let Some(ended) = calls.try_join_next() {
                count(ended);
            }
        }
        while let Some(ended) = calls.join_next().await {
            count(ended);
        }
        (latencies, failed)
    }

    /// Opens `count` of each of the two streams, which stay open as long as they are held.
    ///
    /// # Errors
    /// What the server says.
    pub async fn open_streams(
        &self,
        count: usize,
    ) -> Result<Vec<(Streaming<IsActiveResponse>, Streaming<GetMetricSpecResponse>)>, Status> {
        let mut client = self.client.clone();
        let mut streams = Vec::new();
        for trigger in self.triggers.iter().take(count) {
            let activations = client.stream_is_active(trigger.clone()).await?.into_inner();
            let specs = client.stream_metric_spec(trigger.clone()).await?.into_inner();
            streams.push((activations, specs));
        }
        Ok(streams)
    }
}
