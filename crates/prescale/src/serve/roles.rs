//! The roles: both paths in one process, or each in processes of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use forecaster::{Archive, Forecaster, Hub};
use ops::{Held, Hosts, Latch, Readiness, SystemClock, Tls};
use prometheus_client::registry::Registry;
use scaler::{Board, Defaults, RemoteForecasts, Scaler};
use series::Clock;
use status::{Keep, Observatory};
use store::{OutlookFile, OutlookRedis, Store};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use wire::{Dial, Socket};

use super::journal::{Journal, Memories};
use super::reload::{Reload, Running};
use super::settings::{Forecasters, Settings};
use super::wiring::{OnBoard, OnHub, Targets};

/// How often a forecaster sees whether a sync has passed for which nobody but its scalers is asked.
const BETWEEN_SYNCS: Duration = Duration::from_secs(2);

/// Targets seen to in one go, so that what is sent to scalers comes in between.
const AT_ONCE: usize = 32;

/// What every role begins with: nothing is listened on before all of it is sound.
struct Process {
    clock: Arc<dyn Clock>,
    registry: Registry,
    grpc: TcpListener,
    http: TcpListener,
    hosts: Hosts,
    tls: Option<Arc<Tls>>,
    readiness: Readiness,
    starting: Latch,
    /// How often outlooks are written to the store: what a killed process may lose.
    pace: Duration,
    /// Where KEDA is answered.
    answers: Handle,
    stop: CancellationToken,
}

impl Process {
    async fn start(settings: &Settings, answers: Handle, stop: CancellationToken) -> anyhow::Result<Self> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Held::by(vec![Handle::current(), answers.clone()])));
        let load = |files| Tls::load(files, &mut registry);
        let tls = settings.tls.clone().map(load).transpose().context("no TLS can be spoken")?;
        let grpc = bind(settings.grpc_address, "--grpc-address").await?;
        let http = bind(settings.http_address, "--http-address").await?;
        let (readiness, starting) = Readiness::new(stop.clone());
        let clock = Arc::new(SystemClock);
        let pace = 2 * settings.forecaster.refresh_interval;
        let hosts = settings.hosts.clone();
        Ok(Self { clock, registry, grpc, http, hosts, tls, readiness, starting, pace, answers, stop })
    }

    /// The journal of `store`, with its metrics; `memories` tells what is kept beside outlooks.
    fn journal(&mut self, store: Arc<dyn Store>, memories: Memories) -> Arc<Journal> {
        Arc::new(Journal::new(store, memories, self.readiness.clone(), &mut self.registry))
    }

    /// Says where it listens, and begins to follow the certificates.
    fn announce(&self, role: &str) -> anyhow::Result<()> {
        let (grpc, http) = (self.grpc.local_addr()?, self.http.local_addr()?);
        tracing::info!(%grpc, %http, tls = self.tls.is_some(), role, "listening");
        if let Some(tls) = &self.tls {
            tokio::spawn(Arc::clone(tls).follow(self.stop.clone()));
        }
        Ok(())
    }
}

/// Both paths in one process, joined by the board.
pub(super) async fn all(
    settings: Settings,
    answers: Handle,
    reload: Reload,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let store = store(&settings)?;
    let mut process = Process::start(&settings, answers, stop.clone()).await?;
    let defaults = defaults(&settings);
    let board = Arc::new(Board::with_limits(settings.limits));
    let learned = Arc::clone(&board);
    let journal = process.journal(store, Box::new(move |key| learned.memory(key)));
    let publish = Arc::new(OnBoard { board: Arc::clone(&board), journal: Arc::clone(&journal) });
    let clock = Arc::clone(&process.clock);
    let archive = Some(Arc::clone(&journal) as Arc<dyn Archive>);
    let forecaster = Forecaster::new(settings.forecaster, Arc::clone(&clock), publish, archive, &mut process.registry)?;
    let targets = Arc::new(Targets {
        forecaster: Arc::clone(&forecaster),
        journal: Arc::clone(&journal),
        board: Arc::clone(&board),
        clock: Arc::clone(&clock),
        work: Handle::current(),
    });
    let page = page(&board, &clock, &stop);
    let running = Arc::clone(&board);
    let scaler = Arc::new(Scaler::new(board, targets, clock, defaults, &mut process.registry));

    process.announce("all")?;
    let running = Running { board: running, forecaster: Some(Arc::clone(&forecaster)) };
    tokio::spawn(reload.follow(running, stop.clone()));
    let Process { registry, grpc, http, hosts, tls, readiness, starting, pace, answers, .. } = process;
    let schedule = tokio::spawn(forecaster.run(stop.clone()));
    let keeping = tokio::spawn(journal.run(pace, stop.clone()));
    drop(starting);
    let rpcs = Box::pin(answer(grpc, tls, scaler, answers, stop.clone()));
    let http = Box::pin(ops::serve(http, hosts, page, registry, readiness, stop.clone()));
    let served = until_one_breaks(rpcs, http, &stop).await;
    schedule.await.context("the schedule of refreshes broke down")?;
    keeping.await.context("the keeper of the state broke down")?;
    served
}

/// The slow path alone: forecasts for scalers in other processes.
pub(super) async fn forecaster(
    settings: Settings,
    answers: Handle,
    reload: Reload,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let store = store(&settings)?;
    let mut process = Process::start(&settings, answers, stop.clone()).await?;
    let board = Arc::new(Board::with_limits(settings.limits));
    let learned = Arc::clone(&board);
    let journal = process.journal(store, Box::new(move |key| learned.memory(key)));
    let hub = Arc::new(Hub::default());
    let clock = Arc::clone(&process.clock);
    let (to, planned) = (Arc::clone(&hub), Arc::clone(&board));
    let wired = Arc::new(OnHub { hub: to, board: planned, journal: Arc::clone(&journal), clock: Arc::clone(&clock) });
    let publish = Arc::clone(&wired);
    let archive = Some(Arc::clone(&journal) as Arc<dyn Archive>);
    let forecaster = Forecaster::new(settings.forecaster, Arc::clone(&clock), publish, archive, &mut process.registry)?;
    let role = Arc::new(forecaster::Role { forecaster: Arc::clone(&forecaster), hub, keeper: wired });

    process.announce("forecaster")?;
    let running = Running { board: Arc::clone(&board), forecaster: Some(Arc::clone(&forecaster)) };
    tokio::spawn(reload.follow(running, stop.clone()));
    let Process { registry, grpc, http, hosts, tls, readiness, starting, pace, .. } = process;
    // refreshes go on until the scalers watch their targets elsewhere
    let end = CancellationToken::new();
    let schedule = tokio::spawn(forecaster.run(end.clone()));
    let keeping = tokio::spawn(journal.run(pace, end.clone()));
    tokio::spawn(end.clone().run_until_cancelled_owned(at_syncs(board, clock)));
    drop(starting);
    let rpcs = forecaster::serve(ops::incoming(grpc, tls), role, stop.clone());
    let rpcs = Box::pin(async { Ok(rpcs.await?) });
    let http = Box::pin(ops::serve(http, hosts, Router::new(), registry, readiness, stop.clone()));
    let served = until_one_breaks(rpcs, http, &stop).await;
    end.cancel();
    schedule.await.context("the schedule of refreshes broke down")?;
    keeping.await.context("the keeper of the state broke down")?;
    served
}

/// The fast path alone: answers KEDA with what forecasters in other processes tell.
pub(super) async fn scaler(
    settings: Settings,
    answers: Handle,
    reload: Reload,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    // forecasters keep outlooks; a scaler only reads those that they share
    let store = settings.redis.clone().map(OutlookRedis::new).transpose()?;
    let mut process = Process::start(&settings, answers, stop.clone()).await?;
    let journal = store.map(|store| process.journal(Arc::new(store), Box::new(|_| None)));
    let resume = move |key| -> scaler::Resumed {
        let journal = journal.clone();
        Box::pin(async move {
            let kept = journal?.load(&key).await?;
            Some((kept.outlook, kept.memory))
        })
    };
    let board = Arc::new(Board::with_limits(settings.limits));
    let Forecasters { addresses, have_tls } = settings.forecasters.clone();
    let dial = dial(process.tls.clone().filter(|_| have_tls));
    let registry = &mut process.registry;
    let clock = Arc::clone(&process.clock);
    let remote =
        RemoteForecasts::new(addresses, dial, Arc::clone(&board), Arc::clone(&clock), resume, registry, stop.clone());
    let page = page(&board, &clock, &stop);
    let running = Running { board: Arc::clone(&board), forecaster: None };
    let scaler = Arc::new(Scaler::new(board, Arc::new(remote), clock, defaults(&settings), &mut process.registry));

    process.announce("scaler")?;
    tokio::spawn(reload.follow(running, stop.clone()));
    let Process { registry, grpc, http, hosts, tls, readiness, starting, answers, .. } = process;
    drop(starting);
    let rpcs = Box::pin(answer(grpc, tls, scaler, answers, stop.clone()));
    let http = Box::pin(ops::serve(http, hosts, page, registry, readiness, stop.clone()));
    until_one_breaks(rpcs, http, &stop).await
}

/// Answers KEDA's rpcs where nothing but answers is polled.
async fn answer(
    grpc: TcpListener,
    tls: Option<Arc<Tls>>,
    scaler: Arc<Scaler>,
    answers: Handle,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let listener = grpc.into_std()?;
    let serving = answers.spawn(async move {
        // connections belong to the runtime that their listener was made in
        let listener = TcpListener::from_std(listener)?;
        anyhow::Ok(scaler::serve(ops::incoming(listener, tls), scaler, stop).await?)
    });
    serving.await.context("what serves it broke down")?
}

/// Serves gRPC and HTTP until both have ended, or one of them breaks down: then the rest still ends as after a signal.
async fn until_one_breaks(
    rpcs: impl Future<Output = anyhow::Result<()>>,
    http: impl Future<Output = std::io::Result<()>>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let served = tokio::try_join!(async { rpcs.await.context("gRPC cannot be served") }, async {
        http.await.context("HTTP cannot be served")
    },);
    stop.cancel();
    served.map(drop)
}

/// The status page over what is on `board`, and what takes the looks.
fn page(board: &Arc<Board>, clock: &Arc<dyn Clock>, stop: &CancellationToken) -> Router {
    let observatory = Arc::new(Observatory::new(Keep::default(), clock.now()));
    let looks = Arc::clone(&observatory).follow(Arc::clone(board), Arc::clone(clock));
    tokio::spawn(stop.clone().run_until_cancelled_owned(looks));
    status::routes(observatory, stop.clone())
}

fn defaults(settings: &Settings) -> Defaults {
    Defaults { has_default_server: settings.forecaster.source.default_server.is_some() }
}

/// Where outlooks are kept: in Redis where one is stated, and in a file otherwise.
fn store(settings: &Settings) -> anyhow::Result<Arc<dyn Store>> {
    if let Some(redis) = settings.redis.clone() {
        return Ok(Arc::new(OutlookRedis::new(redis)?));
    }
    let file = OutlookFile::open(&settings.state, SystemClock.now()).context("no state can be kept (--state DIR)")?;
    Ok(Arc::new(file))
}

/// Plans at every sync, as a scaler does that is looked at.
async fn at_syncs(board: Arc<Board>, clock: Arc<dyn Clock>) {
    loop {
        for some in board.keys().chunks(AT_ONCE) {
            // a look makes the plans that are due
            drop(board.snapshots_of(some, clock.now()));
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(BETWEEN_SYNCS).await;
    }
}

/// How forecasters are connected to: over TLS with the certificates of this process, or without.
fn dial(tls: Option<Arc<Tls>>) -> Dial {
    Arc::new(move |address, host| {
        let tls = tls.clone();
        Box::pin(async move {
            if let Some(tls) = tls {
                return Ok(Box::new(tls.connect(address, &host).await?) as Box<dyn Socket>);
            }
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Socket>)
        })
    })
}

async fn bind(address: SocketAddr, option: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("{address} ({option}) cannot be listened on"))
}
