//! [`Stage`]: the invented Prometheus, the real forecaster and the real scaler, joined as `prescale serve` joins them.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::DATE;
use axum::middleware::map_response_with_state;
use axum::response::Response;
use forecaster::{Allowed, Forecaster, Publish, Settings, SourceSettings};
use jiff::fmt::rfc2822::DateTimePrinter;
use ops::Readiness;
use policy::Target;
use prometheus_client::registry::Registry;
use scaler::{Board, Defaults, Forecasts, Scaler, Snapshot};
use series::{Clock, Outlook, ServerAddress, TargetKey, Timestamp};
use status::{Keep, Observatory};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::clock::DemoClock;
use super::demand::Demand;
use super::keda::{Answer, Keda};
use super::prometheus::{self, Outage, Recorded};
use super::setup::Setup;

/// The page keeps the whole of the day.
const DAY: Keep = Keep { minutes: 24 * 60 };

/// All that runs behind the demo; ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Stage {
    clock: Arc<DemoClock>,
    board: Arc<Board>,
    observatory: Arc<Observatory>,
    forecaster: Arc<Forecaster>,
    keda: Keda,
    key: TargetKey,
    /// The servers.
    _running: JoinSet<()>,
}

impl Stage {
    /// Starts everything at the beginning of the day that is shown, and has the history learned. During `outage` Prometheus
    /// answers nothing that can be used. The status page is served on `page`.
    pub(super) async fn set(
        setup: &Setup,
        demand: Arc<Demand>,
        outage: Option<Outage>,
        page: TcpListener,
    ) -> anyhow::Result<Self> {
        let clock = Arc::new(DemoClock::at(Demand::day_begins()));
        let routes = prometheus::router(Recorded { demand, clock: Arc::clone(&clock), outage });
        Self::over(routes, clock, setup.metadata(), Some(page)).await
    }

    /// Starts everything for one trigger, over a Prometheus that is these `routes`, and has its history learned. The status page
    /// is served on `page`, if on any.
    pub(crate) async fn over(
        routes: axum::Router,
        clock: Arc<DemoClock>,
        metadata: HashMap<String, String>,
        page: Option<TcpListener>,
    ) -> anyhow::Result<Self> {
        let mut running = JoinSet::new();
        let (listener, address) = local_port().await?;
        let routes = routes.layer(map_response_with_state(Arc::clone(&clock), dated));
        running.spawn(async move {
            // ends with the demo
            let _ = axum::serve(listener, routes).await;
        });

        let source = SourceSettings::new(Some(address.parse::<ServerAddress>()?), Allowed::Only(Vec::new()));
        let mut registry = Registry::default();
        let board = Arc::new(Board::default());
        let observatory = Arc::new(Observatory::new(DAY, clock.now()));
        let time: Arc<dyn Clock> = Arc::<DemoClock>::clone(&clock);
        let publish = Arc::new(OnBoard(Arc::clone(&board)));
        let forecaster = Forecaster::new(Settings::new(source), Arc::clone(&time), publish, None, &mut registry)?;
        let watched = Arc::new(Watched(Arc::clone(&forecaster)));
        let defaults = Defaults { has_default_server: true };
        let scaler = Arc::new(Scaler::new(Arc::clone(&board), watched, time, defaults, &mut registry));
        let (listener, address) = local_port().await?;
        running.spawn(async move {
            // ends with the demo
            let _ = scaler::serve(ops::incoming(listener, None), scaler, CancellationToken::new()).await;
        });

        let mut keda = Keda::connect(address, metadata).await?;
        // the first question makes the target known
        keda.ask().await?;
        let first =
            board.snapshots(clock.now()).into_iter().next().context("the scaler did not take the trigger on")?;
        let key = first.target.key.clone();
        if let Some(page) = page {
            let never = CancellationToken::new();
            let (readiness, _) = Readiness::new(never.clone());
            let routes = status::routes(Arc::clone(&observatory), never.clone());
            running.spawn(async move {
                // ends with the demo
                let _ = ops::serve(page, ops::Hosts::default(), routes, registry, readiness, never).await;
            });
        }
        let stage = Self { clock, board, observatory, forecaster, keda, key, _running: running };
        stage.look();
        stage.forecaster.refresh(&stage.key).await;
        Ok(stage)
    }

    /// Moves the time on, has Prometheus asked, and asks the scaler as KEDA would.
    pub(crate) async fn at(&mut self, now: Timestamp) -> anyhow::Result<Answer> {
        self.clock.set(now);
        self.forecaster.refresh(&self.key).await;
        let answer = self.keda.ask().await;
        self.look();
        answer
    }

    /// Takes what is on the board into the page's records.
    fn look(&self) {
        let now = self.clock.now();
        self.observatory.look(self.board.snapshots(now), now);
    }

    /// What the scaler knows of its one target.
    pub(super) fn snapshot(&self) -> anyhow::Result<Snapshot> {
        self.board.snapshots(self.clock.now()).into_iter().next().context("the scaler forgot its target")
    }
}

/// Answers tell the time by the clock that all go by, and not by that of the machine.
async fn dated(State(clock): State<Arc<DemoClock>>, mut response: Response) -> Response {
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&clock.now()).ok();
    if let Some(date) = date.and_then(|date| HeaderValue::try_from(date).ok()) {
        response.headers_mut().insert(DATE, date);
    }
    response
}

/// A listener on a free port of this machine, and its URL.
pub(super) async fn local_port() -> anyhow::Result<(TcpListener, String)> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("no local port can be listened on")?;
    let address = format!("http://{}", listener.local_addr()?);
    Ok((listener, address))
}

/// Outlooks go to the board.
#[derive(Debug)]
struct OnBoard(Arc<Board>);

impl Publish for OnBoard {
    fn publish(&self, key: &TargetKey, outlook: Arc<Outlook>) {
        self.0.publish(key, outlook);
    }
}

/// New targets go to the forecaster.
#[derive(Debug)]
struct Watched(Arc<Forecaster>);

impl Forecasts for Watched {
    fn watch(&self, target: &Arc<Target>) {
        self.0.watch(&target.key, &target.request, None);
    }

    fn forget(&self, key: &TargetKey) {
        self.0.forget(key);
    }
}
