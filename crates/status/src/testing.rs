//! Targets and looks at them, for the tests.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use policy::{FleetEstimate, Target};
use scaler::{Defaults, Snapshot, Told};
use series::{
    ChoiceReason, Forecast, Horizon, Load, ModelName, ModelScore, Observation, Outlook, Quantile, SourceState,
    Timestamp, Verdict,
};

/// Some full minute, and `seconds` later.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_040 + seconds).unwrap()
}

fn load(amount: f64) -> Load {
    Load::new(amount).unwrap()
}

/// A trigger with 10 a pod, 3 minutes of lead time and 99 %.
pub(crate) fn target(more: &[(&str, &str)]) -> Target {
    named_target("checkout", more)
}

fn named_target(name: &str, more: &[(&str, &str)]) -> Target {
    let all = [("query", "sum(load)"), ("threshold", "10"), ("leadTime", "3m"), ("serverAddress", "http://p:9090")];
    let metadata: HashMap<_, _> =
        all.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    scaler::parse_target("shop", name, &metadata, &Defaults::default()).unwrap()
}

/// A day of forecast from `origin`: a median of `amount`, a tenth more or less at 1 % and 99 %.
pub(crate) fn forecast(origin: Timestamp, amount: f64) -> Forecast {
    let levels: Vec<_> = [0.01, 0.5, 0.99].into_iter().map(|level| Quantile::new(level).unwrap()).collect();
    let horizon = |minutes: u64| Horizon {
        ahead: Duration::from_secs(60 * minutes),
        quantiles: [0.9, 1.0, 1.1].into_iter().map(|factor| load(amount * factor)).collect(),
    };
    let horizons = (1..20).chain((30..=24 * 60).step_by(15)).map(horizon).collect();
    Forecast::new(origin, ModelName::Ridge, levels, horizons).unwrap()
}

/// A load of `amount` at `now`, from a source that answers.
pub(crate) fn outlook(amount: f64, now: Timestamp) -> Outlook {
    let observation = Ok(Observation { at: now, load: load(amount) });
    Outlook { observation, source: SourceState::Answering, ..Outlook::first_seen(now) }
}

/// `outlook`, after `model` was chosen with a loss of `pinball`.
pub(crate) fn with_verdict(outlook: Outlook, model: &str, pinball: f64) -> Outlook {
    let model = model.parse().unwrap();
    let scores = vec![ModelScore { model, pinball, absolute_error: pinball }];
    Outlook { verdict: Some(Arc::new(Verdict { model, reason: ChoiceReason::LeastLoss, scores })), ..outlook }
}

/// What the board shows of a target with `outlook` at `now`.
pub(crate) fn snapshot(outlook: Outlook, now: Timestamp) -> Snapshot {
    look(target(&[]), outlook, now)
}

/// The same of another target, at the time the outlook was issued.
pub(crate) fn named(name: &str, outlook: Outlook) -> Snapshot {
    let now = outlook.issued;
    look(named_target(name, &[]), outlook, now)
}

fn look(target: Target, outlook: Outlook, now: Timestamp) -> Snapshot {
    let fleet = FleetEstimate::sized_for(load(100.0), target.threshold, target.hpa_tolerance, now);
    let plan = policy::plan(&outlook, &target, Some(&fleet), None, now).map(Arc::new);
    Snapshot {
        target: Arc::new(target),
        outlook: Arc::new(outlook),
        plan,
        told: None,
        replicas: Some(10),
        price: None,
        comparison: None,
    }
}

/// `snapshot`, after KEDA asked at `now`.
pub(crate) fn told(snapshot: Snapshot, now: Timestamp) -> Snapshot {
    Snapshot { told: Some(Told { at: now, answer: snapshot.plan.clone() }), ..snapshot }
}
