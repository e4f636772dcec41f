//! The page and the API over invented targets in every state there is: `cargo run -p status --example crowd -- 2000`.
//!
//! For tests that need many targets, or all of their states, and no forecasts that mean anything.

use std::collections::HashMap;
use std::error::Error;
use std::f64::consts::TAU;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use policy::{Comparison, FleetEstimate, Mode, Plan, Tally};
use scaler::{Defaults, Snapshot, Told};
use series::{
    ChoiceReason, FaultKind, Forecast, ForecastSkill, Horizon, Load, ModelName, ModelScore, Observation, Outlook,
    Quantile, SourceFault, SourceState, Timestamp, Verdict,
};
use status::{Keep, Observatory};
use tokio_util::sync::CancellationToken;

/// An afternoon in March, and an hour before it to look back on.
const BEGIN: i64 = 1_773_842_400;
const MINUTES: i64 = 60;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().map_or(Ok(20), |count| count.parse::<u32>())?;
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let mut targets = (0..count).map(Invented::new).collect::<Result<Vec<_>, _>>()?;
    let observatory = Arc::new(Observatory::new(Keep::default(), at(0)?));
    for minute in 0..MINUTES {
        let now = at(60 * minute)?;
        observatory.look(targets.iter_mut().map(|target| target.at(now)).collect::<Result<_, _>>()?, now);
    }
    let listener = tokio::net::TcpListener::bind(address).await?;
    writeln!(std::io::stdout(), "{count} invented targets at http://{}", listener.local_addr()?)?;
    let routes = status::routes(Arc::clone(&observatory), CancellationToken::new());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    for second in (60 * MINUTES..).step_by(5) {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let now = at(second)?;
        observatory.look(targets.iter_mut().map(|target| target.at(now)).collect::<Result<_, _>>()?, now);
    }
    Ok(())
}

fn at(seconds: i64) -> Result<Timestamp, Box<dyn Error>> {
    Ok(Timestamp::from_second(BEGIN + seconds)?)
}

/// One target, which stays what it is.
struct Invented {
    number: u32,
    target: Arc<policy::Target>,
    forecast: Arc<Forecast>,
    verdict: Arc<Verdict>,
}

impl Invented {
    fn new(number: u32) -> Result<Self, Box<dyn Error>> {
        let mode = match number % 10 {
            6 => "shadow",
            7 => "reactive",
            _ => "predict",
        };
        let query = format!("sum(rate(http_requests_total{{app=\"target-{number:04}\"}}[1m]))");
        let metadata: HashMap<_, _> = [
            ("query", query.as_str()),
            ("threshold", "12"),
            ("slo", "99.5%"),
            ("serverAddress", "http://prometheus.monitoring.svc:9090"),
            ("mode", mode),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        let namespace = ["shop", "search", "ml-autoscaler", "payments"][number as usize % 4];
        let name = format!("target-{number:04}");
        let target = scaler::parse_target(namespace, &name, &metadata, &Defaults::default())?;
        let is_demoted = number % 10 == 4;
        let model =
            if is_demoted { ModelName::Persistence } else { ModelName::ALL[number as usize % ModelName::ALL.len()] };
        let scores = [model, ModelName::Persistence].into_iter().zip([1.25, 2.5]);
        let scores = scores.map(|(model, pinball)| ModelScore { model, pinball, absolute_error: 3.0 * pinball });
        let reason = if is_demoted {
            ChoiceReason::Demoted { model: ModelName::Ridge, since: at(900)? }
        } else {
            ChoiceReason::LeastLoss
        };
        let verdict = Verdict { model, reason, scores: scores.collect() };
        Ok(Self {
            number,
            target: Arc::new(target),
            forecast: Arc::new(forecast(number, model, at(0)?)?),
            verdict: Arc::new(verdict),
        })
    }

    /// Whether it has been there for more than a day, and is forecast.
    fn compares(&self) -> bool {
        self.number % 10 < 7 && self.number % 3 != 1
    }

    fn comparison(&self, now: Timestamp) -> Result<Comparison, Box<dyn Error>> {
        let seconds = 86_400.0 + (now.as_second() - BEGIN) as f64;
        let pods = f64::from(2 + self.number % 60);
        let tally = |pods: f64, short: f64| Tally { pod_seconds: pods * seconds, short_seconds: short * seconds };
        let (predictive, reactive) = (tally(1.08 * pods, 0.004), tally(pods, 0.021));
        Ok(Comparison { since: at(-86_400)?, seconds, predictive, reactive })
    }

    /// What the board would show of it at `now`.
    fn at(&mut self, now: Timestamp) -> Result<Snapshot, Box<dyn Error>> {
        if now.as_second() - self.forecast.origin().as_second() > 120 {
            self.forecast = Arc::new(forecast(self.number, self.verdict.model, now)?);
        }
        let fault = SourceFault {
            kind: FaultKind::Unreachable,
            message: "http://prometheus.monitoring.svc:9090 cannot be reached: connection refused".to_owned(),
        };
        let failing = SourceState::Failing { since: at(600)?, fault };
        let mut outlook = Outlook {
            observation: Ok(Observation { at: now, load: load(self.number, now)? }),
            forecast: Ok(Arc::clone(&self.forecast)),
            verdict: Some(Arc::clone(&self.verdict)),
            last_week: Some(load(self.number + 1, now)?),
            source: SourceState::Answering,
            ..Outlook::first_seen(now)
        };
        if !matches!(self.number % 10, 7 | 9) {
            let last_week_loss = (self.number % 4 != 1).then_some(2.0);
            let coverage_90 = 0.85 + 0.01 * f64::from(self.number % 9);
            let coverage_99 = 0.97 + 0.003 * f64::from(self.number % 9);
            let loss = 0.8 + 0.1 * f64::from(self.number % 13);
            outlook.skill =
                Some(ForecastSkill { loss, persistence_loss: 1.6, last_week_loss, coverage_90, coverage_99 });
        }
        match self.number % 10 {
            3 if now >= at(600)? => outlook.source = failing,
            8 if now >= at(600)? => {
                outlook = Outlook {
                    observation: Ok(Observation { at: at(540)?, load: load(self.number, at(540)?)? }),
                    source: failing,
                    ..Outlook::first_seen(now)
                };
            }
            9 => {
                outlook.forecast = Err(series::NoForecast::TooLittleHistory { known: 2, needed: 3 });
                outlook.verdict = None;
            }
            _ => {}
        }
        let fleet =
            FleetEstimate::sized_for(load(self.number, now)?, self.target.threshold, self.target.hpa_tolerance, now);
        let plan = policy::plan(&outlook, &self.target, Some(&fleet), None, now).map(|plan| {
            let shadow = plan.predicted.filter(|_| self.target.mode == Mode::Shadow);
            Arc::new(Plan { shadow, ..plan })
        });
        let told = Some(Told { at: now, answer: plan.clone() });
        let replicas = Some(fleet.replicas());
        Ok(Snapshot {
            target: Arc::clone(&self.target),
            outlook: Arc::new(outlook),
            plan,
            told,
            replicas,
            price: self.compares().then_some(3.5 * f64::from(self.number + 1)),
            comparison: self.compares().then(|| self.comparison(now)).transpose()?,
        })
    }
}

/// A wave of an hour and some noise, larger for each number.
fn load(number: u32, now: Timestamp) -> Result<Load, Box<dyn Error>> {
    let (size, seconds) = (f64::from(20 + number % 700), now.as_second() as f64);
    let wave = (TAU * (seconds / 3600.0 + f64::from(number % 24) / 24.0)).sin();
    let noise = (seconds / 60.0 * 12.9898 + f64::from(number)).sin();
    Ok(Load::new(size * (1.0 + 0.3 * wave + 0.03 * noise))?)
}

fn forecast(number: u32, model: ModelName, origin: Timestamp) -> Result<Forecast, Box<dyn Error>> {
    let levels = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.995];
    let factors = [0.85, 0.9, 0.97, 1.0, 1.03, 1.1, 1.18, 1.25];
    let horizon = |minutes: u64| -> Result<Horizon, Box<dyn Error>> {
        let ahead = Duration::from_secs(60 * minutes);
        let amount = load(number, origin.checked_add(ahead)?)?.get();
        let quantiles = factors.into_iter().map(|factor| Load::new(amount * factor)).collect::<Result<_, _>>()?;
        Ok(Horizon { ahead, quantiles })
    };
    let horizons = (1..=20).chain((30..=24 * 60).step_by(30)).map(horizon).collect::<Result<_, _>>()?;
    let levels = levels.into_iter().map(Quantile::new).collect::<Result<_, _>>()?;
    Ok(Forecast::new(origin, model, levels, horizons)?)
}
