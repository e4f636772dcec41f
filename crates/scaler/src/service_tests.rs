//! KEDA's rules, in process: the rpcs as functions, the board filled by hand, time set by hand.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use proptest::prelude::*;
use prost::Message as _;
use series::{
    FaultKind, Forecast, Horizon, Load, ModelName, Observation, Outlook, Quantile, SourceFault, SourceState, Timestamp,
};
use tokio_stream::StreamExt as _;
use tonic::Code;

use super::*;

const NOW: i64 = 1_790_000_040;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW + seconds).unwrap()
}

#[derive(Debug)]
struct SetClock(Mutex<Timestamp>);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Writes down what it was asked to watch.
#[derive(Debug, Default)]
struct Watched(Mutex<Vec<TargetKey>>);

impl Forecasts for Watched {
    fn watch(&self, target: &Arc<Target>) {
        self.0.lock().unwrap().push(target.key.clone());
    }

    fn forget(&self, _: &TargetKey) {}
}

struct Stage {
    service: Service,
    board: Arc<Board>,
    watched: Arc<Watched>,
    clock: Arc<SetClock>,
}

impl Stage {
    fn new() -> Self {
        let (board, watched) = (Arc::new(Board::default()), Arc::new(Watched::default()));
        let clock = Arc::new(SetClock(Mutex::new(at(0))));
        let forecasts: Arc<dyn Forecasts> = Arc::clone(&watched) as Arc<dyn Forecasts>;
        let mut registry = prometheus_client::registry::Registry::default();
        let scaler =
            Scaler::new(Arc::clone(&board), forecasts, Arc::clone(&clock) as _, Defaults::default(), &mut registry);
        let service = Service { scaler: Arc::new(scaler), stop: CancellationToken::new() };
        Self { service, board, watched, clock }
    }

    /// What KEDA asks and gets, by `name`.
    fn metrics(&self, object: &ScaledObjectRef, name: &str) -> Result<GetMetricsResponse, Status> {
        let request = GetMetricsRequest { scaled_object_ref: Some(object.clone()), metric_name: name.to_owned() };
        self.service.scaler.get_metrics(&request)
    }

    fn value(&self, object: &ScaledObjectRef) -> Result<MetricValue, Status> {
        let mut answer = self.metrics(object, metadata::metric_name())?;
        assert_eq!(
            answer.metric_values.len(),
            1,
            "several values would be summed, none would be a fault without a name"
        );
        Ok(answer.metric_values.remove(0))
    }

    fn is_active(&self, object: &ScaledObjectRef) -> Result<bool, Status> {
        self.service.scaler.is_active(object).map(|answer| answer.result)
    }

    fn publish(&self, object: &ScaledObjectRef, outlook: Outlook) {
        let target =
            metadata::parse_target(&object.namespace, &object.name, &object.scaler_metadata, &Defaults::default());
        self.board.publish(&target.unwrap().key, Arc::new(outlook));
    }
}

fn object(further: &[(&str, &str)]) -> ScaledObjectRef {
    let mut metadata: HashMap<String, String> =
        [("serverAddress", "http://p:9090"), ("query", "sum(load)"), ("threshold", "10")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
    metadata.extend(further.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    ScaledObjectRef { name: "checkout".to_owned(), namespace: "shop".to_owned(), scaler_metadata: metadata }
}

fn observed(amount: f64) -> Outlook {
    let observation = Observation { at: at(0), load: Load::new(amount).unwrap() };
    Outlook { observation: Ok(observation), source: SourceState::Answering, ..Outlook::first_seen(at(0)) }
}

fn with_forecast(mut outlook: Outlook, amount: f64) -> Outlook {
    let horizon = |ahead| Horizon { ahead: Duration::from_secs(ahead), quantiles: vec![Load::new(amount).unwrap()] };
    let horizons = vec![horizon(60), horizon(86_400)];
    let forecast = Forecast::new(at(0), ModelName::Ridge, vec![Quantile::MEDIAN], horizons).unwrap();
    outlook.forecast = Ok(Arc::new(forecast));
    outlook
}

/// What KEDA up to 2.16 knows of a metric value.
#[derive(Clone, PartialEq, prost::Message)]
struct OldMetricValue {
    #[prost(string, tag = "1")]
    metric_name: String,
    #[prost(int64, tag = "2")]
    metric_value: i64,
}

/// The value that KEDA makes of an answer since 2.17.
fn as_keda_reads(value: &MetricValue) -> f64 {
    if value.metric_value_float > 0.0 { value.metric_value_float } else { value.metric_value as f64 }
}

#[test]
fn old_clients_read_whole_numbers_that_are_enough_and_new_ones_the_value() {
    for (load, whole, read) in [(0.0, 0, 0.0), (0.0004, 1, 0.001), (70.2, 71, 70.2), (1e12, 1_000_000_000_000, 1e12)] {
        let (stage, object) = (Stage::new(), object(&[]));
        stage.value(&object).unwrap_err();
        stage.publish(&object, observed(load));
        let value = stage.value(&object).unwrap();
        let old = OldMetricValue::decode(value.encode_to_vec().as_slice()).unwrap();
        assert_eq!((old.metric_name.as_str(), old.metric_value), (metadata::metric_name(), whole), "load {load}");
        assert_eq!(as_keda_reads(&value), read, "load {load}");
    }
}

#[test]
fn the_first_call_watches_the_target_once_and_says_to_ask_again() {
    let (stage, object) = (Stage::new(), object(&[]));
    for _ in 0..3 {
        let status = stage.value(&object).unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert!(status.message().contains("ask again"), "{status}");
        stage.is_active(&object).unwrap_err();
    }
    assert_eq!(stage.watched.0.lock().unwrap().len(), 1);
}

#[test]
fn triggers_of_one_object_are_told_apart_by_what_they_mean() {
    let stage = Stage::new();
    let (cheap, dear) = (object(&[]), object(&[("threshold", "20")]));
    // KEDA's own keys and another spelling of the same are the first trigger again
    let same = object(&[("scalerAddress", "s:6000"), ("enableTLS", "true"), ("leadTime", "180s")]);
    stage.value(&cheap).unwrap_err();
    stage.value(&dear).unwrap_err();
    stage.publish(&cheap, observed(70.0));
    assert_eq!(stage.value(&same).unwrap().metric_value_float, 70.0);
    assert_eq!(stage.value(&dear).unwrap_err().code(), Code::FailedPrecondition);
    assert_eq!(stage.watched.0.lock().unwrap().len(), 2);
}

#[test]
fn the_one_metric_is_found_in_any_case_and_under_no_other_name() {
    let (stage, object) = (Stage::new(), object(&[]));
    stage.value(&object).unwrap_err();
    stage.publish(&object, observed(70.0));
    let name = metadata::metric_name();
    for asked in [name.to_owned(), name.to_uppercase(), String::new()] {
        assert_eq!(stage.metrics(&object, &asked).unwrap().metric_values[0].metric_name, name);
    }
    let status = stage.metrics(&object, "s0-http\n-requests").unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert!(status.message().contains(name) && !status.message().contains('\n'), "{status}");
}

#[test]
fn the_spec_needs_nothing_but_the_threshold() {
    let broken = [("query", ""), ("slo", "lots"), ("leadTime", "soon"), ("serverAddress", "nowhere"), ("unknown", "x")];
    let mut object = object(&broken);
    object.scaler_metadata.insert("threshold".to_owned(), "0.5".to_owned());
    let spec = metric_spec(&object).unwrap().metric_specs;
    assert_eq!(spec.len(), 1);
    assert_eq!((spec[0].target_size, spec[0].target_size_float), (1, 0.5));
    for threshold in ["0", "-1", "NaN", "many", ""] {
        object.scaler_metadata.insert("threshold".to_owned(), threshold.to_owned());
        let status = metric_spec(&object).unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains("threshold"), "{status}");
    }
}

#[test]
fn every_mistake_is_in_one_status_and_in_its_violations() {
    let status = Stage::new().value(&object(&[("slo", "lots"), ("leadTime", "soon"), ("unknown", "x")])).unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let violations = tonic_types::StatusExt::get_details_bad_request(&status).unwrap().field_violations;
    for field in ["slo", "leadTime", "unknown"] {
        assert!(status.message().contains(field), "{field} is missing in {status}");
        assert!(violations.iter().any(|violation| violation.field == field), "{field} is no violation");
    }
}

#[test]
fn a_source_that_fails_is_an_error_with_its_own_words_and_never_a_zero() {
    for kind in FaultKind::ALL {
        let (stage, object) = (Stage::new(), object(&[]));
        stage.value(&object).unwrap_err();
        let fault = SourceFault { kind, message: "what the source said".to_owned() };
        let failing = Outlook { source: SourceState::Failing { since: at(0), fault }, ..Outlook::first_seen(at(0)) };
        stage.publish(&object, failing.clone());
        for status in [stage.value(&object).unwrap_err(), stage.is_active(&object).unwrap_err()] {
            assert_ne!(status.code(), Code::Unknown);
            assert!(status.message().contains("what the source said"), "{kind:?}: {status}");
        }
        // once a forecast was known it stays in force
        stage.publish(&object, with_forecast(failing, 70.0));
        assert_eq!(stage.value(&object).unwrap().metric_value_float, 70.0, "{kind:?}");
        assert!(stage.is_active(&object).unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn activity_is_pushed_on_open_and_on_each_change_to_active() {
    let (stage, object) = (Stage::new(), object(&[("activationThreshold", "50")]));
    let pushed = stage.service.stream_is_active(Request::new(object.clone())).await.unwrap();
    let mut pushed = pushed.into_inner();
    let quiet = Duration::from_secs(60);
    assert!(tokio::time::timeout(quiet, pushed.next()).await.is_err(), "nothing is known yet");
    for (load, is_pushed) in [(40.0, false), (60.0, true), (70.0, false), (30.0, false), (51.0, true)] {
        stage.publish(&object, observed(load));
        let next = tokio::time::timeout(quiet, pushed.next()).await;
        assert_eq!(next.is_ok(), is_pushed, "at a load of {load}");
        if let Ok(next) = next {
            assert!(next.unwrap().unwrap().result);
        }
    }
    let opened_while_active = stage.service.stream_is_active(Request::new(object)).await.unwrap();
    assert!(opened_while_active.into_inner().next().await.unwrap().unwrap().result);

    stage.service.stop.cancel();
    assert!(pushed.next().await.is_none(), "the end of the stream is OK, not a status");
}

#[tokio::test(start_paused = true)]
async fn specs_are_pushed_on_open_and_the_stream_stays_open_until_the_stop() {
    let (stage, object) = (Stage::new(), object(&[]));
    let pushed = stage.service.stream_metric_spec(Request::new(object.clone())).await.unwrap();
    let mut pushed = pushed.into_inner();
    assert_eq!(pushed.next().await.unwrap().unwrap(), metric_spec(&object).unwrap());
    assert!(tokio::time::timeout(Duration::from_secs(3600), pushed.next()).await.is_err());
    stage.service.stop.cancel();
    assert!(pushed.next().await.is_none());
}

proptest! {
    #[test]
    fn what_is_above_the_activation_threshold_is_active(
        loads in prop::collection::vec((-10.0..1000.0_f64, prop::option::of(0.0..1000.0_f64)), 1..20),
        activation in prop_oneof![Just(0.0), 0.0..500.0_f64],
    ) {
        let stage = Stage::new();
        let object = object(&[("activationThreshold", activation.to_string().as_str())]);
        stage.value(&object).unwrap_err();
        for (tick, (load, forecast)) in (0_i64..).zip(loads) {
            *stage.clock.0.lock().unwrap() = at(7 * tick);
            let outlook = Outlook {
                observation: Ok(Observation { at: at(7 * tick), load: Load::new(load).unwrap() }),
                ..observed(0.0)
            };
            stage.publish(&object, match forecast {
                Some(peak) => with_forecast(outlook, peak),
                None => outlook,
            });
            let value = stage.value(&object).unwrap();
            let read = as_keda_reads(&value);
            prop_assert!(read.is_finite() && read >= 0.0);
            prop_assert!(read >= load.max(forecast.unwrap_or(0.0)));
            prop_assert!(value.metric_value as f64 >= read);
            prop_assert_eq!(stage.is_active(&object).unwrap(), read > activation);
        }
    }
}
