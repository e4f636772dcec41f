//! The slow path against a server: what is asked, what comes out, and what survives a fault.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use series::{
    FaultKind, ForecastRequest, Load, MissingSamples, NoForecast, NoObservation, Observation, SourceState, Timestamp,
};

use super::*;
use crate::settings::SourceSettings;
use crate::source::Allowed;
use crate::testing::{self, Asked, Does, Server, SetClock, json, load_at, matrix, success};

/// A full minute; a minute's sample settles half a minute later.
const START: i64 = 1_700_000_040;

/// Keeps what is published.
#[derive(Default)]
struct Board(Mutex<Vec<(TargetKey, Arc<Outlook>)>>);

impl Publish for Board {
    fn publish(&self, key: &TargetKey, outlook: Arc<Outlook>) {
        self.0.lock().unwrap().push((key.clone(), outlook));
    }
}

impl Board {
    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    fn latest(&self) -> Arc<Outlook> {
        Arc::clone(&self.0.lock().unwrap().last().unwrap().1)
    }
}

struct Scene {
    server: Server,
    clock: Arc<SetClock>,
    board: Arc<Board>,
    forecaster: Arc<Forecaster>,
}

impl Scene {
    async fn new() -> Self {
        Self::with(|settings| settings).await
    }

    async fn with(change: impl FnOnce(Settings) -> Settings) -> Self {
        Self::beginning_with(None, change).await
    }

    async fn beginning_with(archive: Option<Arc<dyn Archive>>, change: impl FnOnce(Settings) -> Settings) -> Self {
        let clock = SetClock::at(START + 30);
        let server = Server::start_by(Arc::clone(&clock)).await;
        let board = Arc::new(Board::default());
        let settings = change(Settings::new(SourceSettings::new(None, Allowed::Any(vec![]))));
        let publish = Arc::clone(&board) as Arc<dyn Publish>;
        let clock_of_it = Arc::clone(&clock) as Arc<dyn Clock>;
        let forecaster = Forecaster::new(settings, clock_of_it, publish, archive, &mut Registry::default()).unwrap();
        Self { server, clock, board, forecaster }
    }

    /// A scene that watches one target with `minutes` of history.
    async fn watching(minutes: u64) -> Self {
        let scene = Self::new().await;
        scene.watch(minutes, None);
        scene
    }

    fn watch(&self, minutes: u64, resume: Option<Arc<Outlook>>) {
        self.forecaster.watch(&key("a"), &testing::request(&self.server.address, minutes), resume);
    }

    /// Refreshes at `seconds` after the start.
    async fn refresh_at(&self, seconds: i64) -> Arc<Outlook> {
        self.clock.set(START + seconds);
        self.forecaster.refresh(&key("a")).await;
        self.board.latest()
    }

    /// The ranges asked for since the last look, in minutes since the start, both ends included.
    fn ranges(&self) -> Vec<(f64, f64)> {
        let minute = |asked: &Asked, name| (asked.number(name) - START as f64) / 60.0;
        let asked = self.server.asked();
        asked
            .iter()
            .filter(|asked| asked.is_range())
            .map(|asked| (minute(asked, "start"), minute(asked, "end")))
            .collect()
    }
}

fn key(name: &str) -> TargetKey {
    TargetKey { namespace: "n".into(), name: name.into(), digest: "d".into() }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).unwrap()
}

fn load(amount: f64) -> Load {
    Load::new(amount).unwrap()
}

fn fault_kind(outlook: &Outlook) -> Option<FaultKind> {
    match &outlook.source {
        SourceState::Failing { fault, .. } => Some(fault.kind),
        _ => None,
    }
}

#[tokio::test]
async fn the_first_refresh_gives_an_observation_and_a_forecast() {
    let scene = Scene::watching(2 * 1440).await;
    let outlook = scene.refresh_at(30).await;
    assert_eq!(outlook.observation, Ok(Observation { at: at(30), load: load(load_at((START + 30) as f64)) }));
    assert_eq!(outlook.forecast.as_ref().unwrap().origin(), at(0));
    assert!(outlook.verdict.is_some());
    assert_eq!((outlook.source.clone(), outlook.issued), (SourceState::Answering, at(30)));
    let step = scene.server.asked().iter().find(|asked| asked.is_range()).map(|asked| asked.number("step"));
    assert_eq!(step, Some(60.0));
}

#[tokio::test]
async fn later_refreshes_ask_for_what_has_settled_since_and_nothing_else() {
    let scene = Scene::watching(100).await;
    scene.refresh_at(30).await;
    assert_eq!(scene.ranges(), [(-99.0, 0.0)]);
    scene.refresh_at(45).await;
    assert_eq!(scene.server.asked().iter().map(|asked| asked.endpoint.as_str()).collect::<Vec<_>>(), ["query"]);
    scene.refresh_at(89).await;
    assert_eq!(scene.ranges(), []);
    scene.refresh_at(90).await;
    assert_eq!(scene.ranges(), [(1.0, 1.0)]);
    scene.refresh_at(4 * 60 + 30).await;
    assert_eq!(scene.ranges(), [(2.0, 4.0)]);
}

#[tokio::test]
async fn a_long_history_is_answered_from_its_newest_piece_and_then_from_all_of_it() {
    let scene = Scene::watching(15_000).await;
    scene.refresh_at(30).await;
    assert_eq!(scene.ranges(), [(-10_999.0, 0.0), (-14_999.0, -11_000.0)]);
    assert_eq!(scene.board.count(), 2);
    assert!(scene.board.0.lock().unwrap()[0].1.forecast.is_ok());
    scene.refresh_at(90).await;
    assert_eq!(scene.ranges(), [(1.0, 1.0)]);
}

#[tokio::test]
async fn older_history_that_fails_is_left_alone_for_a_minute() {
    let scene = Scene::watching(15_000).await;
    scene.server.answers(|asked| {
        let is_older = asked.is_range() && asked.number("end") < (START - 600_000) as f64;
        if is_older { testing::refusal(422, "execution", "retention") } else { testing::healthy(asked) }
    });
    let outlook = scene.refresh_at(30).await;
    assert_eq!(fault_kind(&outlook), Some(FaultKind::BadQuery));
    assert!(outlook.forecast.is_ok() && outlook.observation.is_ok());
    scene.ranges();
    assert_eq!(fault_kind(&*scene.refresh_at(45).await), None);
    assert_eq!(scene.ranges(), []);
    scene.server.answers(testing::healthy);
    scene.refresh_at(90).await;
    assert_eq!(scene.ranges(), [(1.0, 1.0), (-14_998.0, -11_000.0)]);
}

#[tokio::test]
async fn two_refreshes_at_once_are_one() {
    let scene = Scene::watching(100).await;
    let key = key("a");
    let one = || scene.forecaster.refresh(&key);
    tokio::join!(one(), one(), one());
    assert_eq!(scene.server.asked().len(), 2, "one range and one instant query");
    assert_eq!(scene.board.count(), 1);
    one().await;
    assert_eq!(scene.server.asked().len(), 1);
}

#[tokio::test]
async fn a_refresh_that_is_given_up_leaves_the_next_one_to_work() {
    let scene = Scene::watching(100).await;
    scene.server.does(|_| Does::Hang);
    let given_up = tokio::time::timeout(Duration::from_millis(50), scene.forecaster.refresh(&key("a"))).await;
    assert!(given_up.is_err());
    scene.server.answers(testing::healthy);
    assert!(scene.refresh_at(30).await.forecast.is_ok());
}

#[tokio::test]
async fn a_fault_carries_on_what_was_known_and_its_end_fills_the_gap() {
    let scene = Scene::watching(1440).await;
    let before = scene.refresh_at(30).await;
    scene.server.answers(|_| json(401, "who are you"));
    let failing = scene.refresh_at(90).await;
    assert_eq!((&failing.observation, &failing.forecast), (&before.observation, &before.forecast));
    assert_eq!(failing.issued, at(90));
    let later = scene.refresh_at(300).await;
    assert!(matches!(&later.source, SourceState::Failing { since, .. } if *since == at(90)));
    assert_eq!(fault_kind(&later), Some(FaultKind::Unauthorized));
    scene.ranges();
    scene.server.answers(testing::healthy);
    let recovered = scene.refresh_at(630).await;
    assert_eq!(scene.ranges(), [(1.0, 10.0)]);
    assert_eq!(recovered.source, SourceState::Answering);
    assert_eq!(recovered.forecast.as_ref().unwrap().origin(), at(600));
}

#[tokio::test]
async fn a_failing_range_does_not_lose_the_observation() {
    let scene = Scene::watching(1440).await;
    let before = scene.refresh_at(30).await;
    scene.server.answers(|asked| if asked.is_range() { json(403, "") } else { testing::healthy(asked) });
    let outlook = scene.refresh_at(90).await;
    assert_eq!(outlook.observation.unwrap().at, at(90));
    assert_eq!(outlook.forecast, before.forecast);
    assert_eq!(fault_kind(&outlook), Some(FaultKind::Unauthorized));
}

#[tokio::test]
async fn a_failing_observation_is_stood_in_for_by_the_newest_sample() {
    let scene = Scene::watching(1440).await;
    scene.refresh_at(30).await;
    scene.server.answers(|asked| if asked.is_range() { testing::healthy(asked) } else { success("vector", "[]") });
    // the sample of the start is older than what was observed after it
    let outlook = scene.refresh_at(45).await;
    assert_eq!(outlook.observation.unwrap().at, at(30));
    let outlook = scene.refresh_at(200).await;
    assert_eq!(outlook.observation, Ok(Observation { at: at(120), load: load(load_at((START + 120) as f64)) }));
    assert_eq!(outlook.forecast.as_ref().unwrap().origin(), at(120));
    assert_eq!(fault_kind(&outlook), Some(FaultKind::Empty));
}

#[tokio::test]
async fn a_source_without_samples_gives_neither_forecast_nor_zero() {
    let scene = Scene::watching(100).await;
    scene.server.answers(|asked| success(if asked.is_range() { "matrix" } else { "vector" }, "[]"));
    let outlook = scene.refresh_at(30).await;
    assert_eq!(outlook.observation, Err(NoObservation::NotYet));
    assert_eq!(outlook.forecast, Err(NoForecast::NotYet));
    // unless the user says that missing means none
    let mut request = testing::request(&scene.server.address, 100);
    request.query.missing_samples = MissingSamples::Zero;
    scene.forecaster.watch(&key("a"), &request, None);
    let outlook = scene.refresh_at(30).await;
    assert_eq!(outlook.observation, Ok(Observation { at: at(30), load: Load::ZERO }));
    assert_eq!(outlook.source, SourceState::Answering);
}

#[tokio::test]
async fn a_series_that_is_gone_is_forecast_from_its_end_for_a_day() {
    let scene = Scene::watching(7 * 1440).await;
    let before = scene.refresh_at(30).await;
    scene.server.answers(|asked| {
        let value = |seconds| (seconds <= START as f64).then(|| load_at(seconds).to_string());
        if asked.is_range() { matrix(asked, value) } else { success("vector", "[]") }
    });
    for hours in [1, 25, 100] {
        let outlook = scene.refresh_at(hours * 3600 + 30).await;
        assert_eq!(fault_kind(&outlook), Some(FaultKind::Empty));
        let forecast = outlook.forecast.as_ref().unwrap();
        let end = before.forecast.as_ref().unwrap().end();
        assert_eq!((forecast.origin(), forecast.end()), (at(0), end), "{hours} hours later");
    }
}

#[tokio::test]
async fn a_few_minutes_of_history_already_make_a_forecast() {
    let scene = Scene::watching(1440).await;
    let born = (START - 600) as f64;
    scene.server.answers(move |asked| {
        let value = |seconds| (seconds >= born).then(|| "5".to_owned());
        if asked.is_range() { matrix(asked, value) } else { testing::healthy(asked) }
    });
    let outlook = scene.refresh_at(30).await;
    assert_eq!(outlook.forecast.as_ref().unwrap().origin(), at(0));
}

#[tokio::test]
async fn where_no_forecast_is_wanted_only_the_present_is_asked_for() {
    let scene = Scene::new().await;
    let mut request = testing::request(&scene.server.address, 100);
    request.forecast_wanted = false;
    scene.forecaster.watch(&key("a"), &request, None);
    let outlook = scene.refresh_at(30).await;
    assert_eq!(outlook.forecast, Err(NoForecast::NotAsked));
    assert!(outlook.observation.is_ok());
    assert_eq!(scene.server.asked().iter().filter(|asked| asked.is_range()).count(), 0);
}

#[tokio::test]
async fn a_stored_outlook_is_carried_on_until_the_source_answers() {
    let before = Scene::watching(1440).await.refresh_at(30).await;
    let scene = Scene::new().await;
    scene.server.answers(|_| json(401, ""));
    scene.watch(1440, Some(Arc::clone(&before)));
    let outlook = scene.refresh_at(90).await;
    assert_eq!((&outlook.forecast, &outlook.observation), (&before.forecast, &before.observation));
    assert_eq!(fault_kind(&outlook), Some(FaultKind::Unauthorized));
    scene.server.answers(testing::healthy);
    assert_eq!(scene.refresh_at(90).await.forecast.as_ref().unwrap().origin(), at(60));
}

#[tokio::test]
async fn a_stored_outlook_is_published_before_any_source_is_asked() {
    let before = Scene::watching(1440).await.refresh_at(30).await;
    let scene = Scene::new().await;
    scene.server.does(|_| Does::Hang);
    scene.watch(1440, Some(Arc::clone(&before)));
    let outlook = scene.board.latest();
    assert_eq!((&outlook.forecast, &outlook.observation), (&before.forecast, &before.observation));
    assert_eq!(outlook.source, SourceState::NotAsked);
    scene.watch(1440, Some(before));
    assert_eq!(scene.board.count(), 1, "what is watched already has newer outlooks");
}

#[tokio::test]
async fn forecasts_are_compared_with_what_came_a_lead_time_later() {
    let scene = Scene::watching(1440).await;
    for minute in 0..4 {
        assert_eq!(scene.refresh_at(minute * 60 + 30).await.lead_time_error, None, "minute {minute}");
    }
    // made in minute 0.5 for 3.5, compared at the grid time after that
    let error = scene.refresh_at(4 * 60 + 30).await.lead_time_error;
    assert!(error.is_some_and(|error| error < 5.0), "{error:?}");
}

#[tokio::test]
async fn a_clock_that_goes_back_asks_for_no_history() {
    let scene = Scene::watching(100).await;
    scene.refresh_at(30).await;
    scene.ranges();
    let outlook = scene.refresh_at(-3600).await;
    assert_eq!(scene.ranges(), []);
    assert!(outlook.forecast.is_ok());
}

#[tokio::test]
async fn an_unknown_time_zone_is_told() {
    let scene = Scene::new().await;
    let mut request = testing::request(&scene.server.address, 100);
    request.timezone = "Mars/Olympus".to_owned();
    scene.forecaster.watch(&key("a"), &request, None);
    let outlook = scene.refresh_at(30).await;
    assert!(matches!(&outlook.forecast, Err(NoForecast::Failed(text)) if text.contains("Mars/Olympus")), "{outlook:?}");
}

#[tokio::test]
async fn a_target_forgotten_during_its_refresh_is_not_published_and_not_asked_again() {
    let scene = Scene::watching(100).await;
    let forecaster = Arc::clone(&scene.forecaster);
    scene.server.answers(move |asked| {
        forecaster.forget(&key("a"));
        testing::healthy(asked)
    });
    scene.forecaster.refresh(&key("a")).await;
    assert_eq!(scene.server.asked().len(), 2);
    assert_eq!(scene.board.count(), 0);
    scene.forecaster.refresh(&key("a")).await;
    assert_eq!(scene.server.asked().len(), 0);
}

async fn until(done: impl Fn() -> bool) {
    while !done() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn the_schedule_refreshes_every_target_again_and_again_until_it_is_forgotten() {
    let scene = Scene::with(|settings| Settings { refresh_interval: Duration::from_millis(20), ..settings }).await;
    let stop = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&scene.forecaster).run(stop.clone()));
    let request = testing::request(&scene.server.address, 100);
    for name in ["a", "b", "c"] {
        scene.forecaster.watch(&key(name), &request, None);
    }
    let refreshes =
        |name| scene.board.0.lock().unwrap().iter().filter(|(published, _)| *published == key(name)).count();
    until(|| ["a", "b", "c"].iter().all(|name| refreshes(name) >= 3)).await;
    scene.forecaster.forget(&key("a"));
    let (before_a, before_b) = (refreshes("a"), refreshes("b"));
    until(|| refreshes("b") >= before_b + 3).await;
    // one refresh may have been between its check and its publication
    assert!(refreshes("a") <= before_a + 1);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn no_more_than_so_many_refreshes_run_at_once() {
    let scene = Scene::with(|settings| Settings { concurrency: 2, ..settings }).await;
    let waiting = Arc::new(AtomicUsize::new(0));
    scene.server.does({
        let waiting = Arc::clone(&waiting);
        move |_| {
            waiting.fetch_add(1, Ordering::Relaxed);
            Does::Hang
        }
    });
    let mut request = testing::request(&scene.server.address, 100);
    request.forecast_wanted = false;
    for index in 0..6 {
        scene.forecaster.watch(&key(&index.to_string()), &request, None);
    }
    let stop = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&scene.forecaster).run(stop.clone()));
    until(|| waiting.load(Ordering::Relaxed) >= 2).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(waiting.load(Ordering::Relaxed), 2);
    // a stop does not wait for a server that hangs
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_server_that_hangs_leaves_places_to_the_others() {
    let scene = Scene::with(|settings| Settings { concurrency: 4, ..settings }).await;
    scene.server.does(|_| Does::Hang);
    let healthy = Server::start().await;
    let watch = |name: &str, server: &Server| {
        let mut request = testing::request(&server.address, 100);
        request.forecast_wanted = false;
        scene.forecaster.watch(&key(name), &request, None);
    };
    for index in 0..6 {
        watch(&index.to_string(), &scene.server);
    }
    let stop = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&scene.forecaster).run(stop.clone()));
    watch("late", &healthy);
    until(|| scene.board.count() > 0).await;
    assert_eq!(scene.board.0.lock().unwrap()[0].0, key("late"));
    stop.cancel();
    running.await.unwrap();
    assert!(scene.server.asked().len() <= 3);
}

#[tokio::test]
async fn all_newcomers_are_looked_at_before_the_first_history_is_read_and_none_is_filled_in_before() {
    let scene = Scene::with(|settings| Settings { concurrency: 1, ..settings }).await;
    let request = testing::request(&scene.server.address, 15_000);
    for index in 0..5 {
        scene.forecaster.watch(&key(&index.to_string()), &request, None);
    }
    let stop = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&scene.forecaster).run(stop.clone()));
    // a glance, a refresh and a fill of each
    until(|| scene.board.count() == 15).await;
    stop.cancel();
    running.await.unwrap();
    let asked: Vec<_> = scene.server.asked().iter().map(testing::Asked::is_range).collect();
    assert_eq!(asked[..5], [false; 5], "the present of each first");
    assert_eq!(asked.iter().filter(|is_range| **is_range).count(), 10);
}

#[tokio::test]
async fn a_namespace_with_many_targets_that_hang_leaves_places_to_the_others() {
    let scene = Scene::with(|settings| Settings { concurrency: 4, ..settings }).await;
    let servers = [Server::start().await, Server::start().await, Server::start().await, Server::start().await];
    let mut many = Vec::new();
    for (number, server) in servers.iter().enumerate() {
        server.does(|_| Does::Hang);
        for index in 0..4 {
            many.push((TargetKey { namespace: "big".into(), ..key(&format!("{number}-{index}")) }, &server.address));
        }
    }
    for (key, address) in many {
        scene.forecaster.watch(&key, &testing::request(address, 100), None);
    }
    scene.forecaster.watch(&key("late"), &testing::request(&scene.server.address, 100), None);
    let stop = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&scene.forecaster).run(stop.clone()));
    until(|| scene.board.count() > 1).await;
    assert_eq!(scene.board.0.lock().unwrap()[0].0, key("late"));
    stop.cancel();
    running.await.unwrap();
    let asked: usize = servers.iter().map(|server| server.asked().len()).sum();
    assert!(asked <= 3, "{asked}");
}

#[tokio::test]
async fn targets_held_back_get_their_turn() {
    let scene = Scene::with(|settings| Settings { concurrency: 4, ..settings }).await;
    let stop = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&scene.forecaster).run(stop.clone()));
    let request = testing::request(&scene.server.address, 100);
    for index in 0..20 {
        scene.forecaster.watch(&key(&index.to_string()), &request, None);
    }
    // a glance and a refresh of each
    until(|| scene.board.count() == 40).await;
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn watching_twice_changes_nothing_and_mistakes_are_told_at_once() {
    let scene = Scene::watching(100).await;
    scene.refresh_at(30).await;
    scene.ranges();
    scene.watch(100, None);
    scene.refresh_at(45).await;
    assert_eq!(scene.ranges(), []);

    let mut source = SourceSettings::new(None, Allowed::Any(vec![]));
    source.timeout = Duration::ZERO;
    let settings = Settings { source, refresh_interval: Duration::ZERO, concurrency: 0 };
    let error = Forecaster::new(settings, SetClock::at(0), Arc::new(Board::default()), None, &mut Registry::default());
    assert_eq!(error.unwrap_err().mistakes().len(), 3);
}

#[tokio::test]
async fn the_replicas_are_told_where_they_are_asked_for_and_never_in_the_way_of_the_load() {
    const REPLICAS: &str = "kube_deployment_spec_replicas";
    let scene = Scene::new().await;
    let answer = Arc::new(Mutex::new("7"));
    let answered = Arc::clone(&answer);
    scene.server.answers(move |asked| match (asked.parameters["query"].as_str(), *answered.lock().unwrap()) {
        (REPLICAS, "none") => json(503, "gone"),
        (REPLICAS, count) => success("vector", &format!(r#"[{{"metric":{{}},"value":[1,"{count}"]}}]"#)),
        _ => testing::healthy(asked),
    });
    let request =
        ForecastRequest { replicas_query: Some(REPLICAS.to_owned()), ..testing::request(&scene.server.address, 60) };
    scene.forecaster.watch(&key("a"), &request, None);
    let seen = scene.refresh_at(60).await.replicas.unwrap();
    assert_eq!((seen.count, seen.at), (7, Timestamp::from_second(START + 60).unwrap()));
    for (turn, no_count) in ["7.5", "-1", "NaN", "1e10", "none"].into_iter().enumerate() {
        *answer.lock().unwrap() = no_count;
        let outlook = scene.refresh_at(120 + 60 * i64::try_from(turn).unwrap()).await;
        assert_eq!(outlook.replicas, None, "{no_count}");
        assert_eq!((outlook.observation.is_ok(), &outlook.source), (true, &SourceState::Answering), "{no_count}");
    }
    *answer.lock().unwrap() = "0";
    assert_eq!(scene.refresh_at(600).await.replicas.unwrap().count, 0);
}

mod archive;
