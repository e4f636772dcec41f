//! The options of `prescale backtest`, and what they mean together.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;
use policy::{ServiceLevel, Threshold, Tolerance};
use series::{ModelChoice, ModelName, ServerAddress, Step};
use simulator::{ReplicaRange, StartUp};

use super::load::Asked;
use crate::address::Address;

/// Beyond this a bucket hides what an HPA does within it.
pub(super) const COARSEST_STEP: Duration = Duration::from_mins(30);

/// Show what Prescale would have done on a past load.
///
/// Reads the load from a CSV of `timestamp,value` or from a Prometheus, walks through it as the service would have, has a simulated HPA
/// act on the values, and sets the result beside what people run today: the same HPA without forecast, tuned in hindsight, and on the load of a
/// day or a week ago. The first three days are for learning and are not scored.
///
/// In a CSV a row says what the load was from its time on, until the next row. Timestamps are seconds since 1970, RFC 3339, or without a zone
/// in UTC; an empty value is unknown, as are times without a row. Gzip is unpacked.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("source").required(true).args(["trace", "prometheus"]))]
pub(crate) struct BacktestArgs {
    /// CSV with the load; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub(super) trace: Option<PathBuf>,

    /// Prometheus (or what speaks its API) to read the load from
    #[arg(long, value_name = "URL", requires = "query", value_parser = Address)]
    pub(super) prometheus: Option<ServerAddress>,

    /// The query that gives the total load, as in the trigger
    #[arg(long, value_name = "PROMQL")]
    pub(super) query: Option<String>,

    /// How far back the load is read from Prometheus
    #[arg(long, value_name = "DURATION", default_value = "14d", value_parser = parse_duration, conflicts_with = "trace")]
    pub(super) since: Duration,

    /// Load that one pod can carry, in the unit of the load
    #[arg(long, value_name = "LOAD", value_parser = parse_threshold)]
    pub(super) threshold: Option<Threshold>,

    /// From the decision to a Ready pod: how long pods take to start
    #[arg(long, value_name = "DURATION", default_value = "3m", value_parser = parse_duration)]
    pub(super) lead_time: Duration,

    /// Share of time with enough pods; repeat to see several, which hardly takes longer
    #[arg(long, value_name = "SHARE", default_value = "99%")]
    pub(super) slo: Vec<String>,

    /// Relative distance from its target within which the HPA does nothing; 0 where the behavior sets it so
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, value_parser = parse_tolerance)]
    pub(super) hpa_tolerance: f64,

    /// Fewest pods that the HPA may keep
    #[arg(long, value_name = "PODS", default_value_t = 1)]
    pub(super) min_replicas: u32,

    /// Most pods that the HPA may order; without a limit unless stated
    #[arg(long, value_name = "PODS")]
    pub(super) max_replicas: Option<u32>,

    /// Time zone whose midnight begins a day, by its IANA name
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = parse_timezone)]
    pub(super) timezone: String,

    /// Which model forecasts; `auto` takes the one with the least quantile loss at the lead time
    #[arg(long, default_value = "auto", value_parser = parse_model)]
    pub(super) model: ModelChoice,

    /// After how long the load repeats itself, as in 24h,7d: these and no others; found unless stated
    #[arg(long, value_name = "DURATIONS", value_delimiter = ',', value_parser = parse_duration)]
    pub(super) season: Vec<Duration>,

    /// How much history the models learn from
    #[arg(long, value_name = "DURATION", default_value = "14d", value_parser = parse_duration)]
    pub(super) history: Duration,

    /// Time from one value to the next; the least there is between two rows of a CSV, and 1m from Prometheus, unless stated
    #[arg(long, value_name = "DURATION", value_parser = parse_step)]
    pub(super) step: Option<Step>,

    /// How far the start-ups of single pods lie apart: the standard deviation of their logarithm, as in 0.3; 0 has them all alike
    #[arg(long, value_name = "NUMBER", default_value_t = 0.0, value_parser = parse_spread)]
    pub(super) start_up_spread: f64,

    /// Decides the chance in drawn start-ups
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(super) seed: u64,

    /// Write charts and tables as one HTML file, which loads nothing from anywhere
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,

    /// Print JSON for programs in place of the scorecard
    #[arg(long)]
    pub(super) json: bool,

    /// Write the value that KEDA would have got at every HPA sync, as `timestamp,value`; with several --slo, put {slo} into the name
    #[arg(long, value_name = "FILE")]
    pub(super) decisions: Option<PathBuf>,
}

impl BacktestArgs {
    pub(super) fn trace(&self) -> &Path {
        self.trace.as_deref().unwrap_or(Path::new("-"))
    }

    /// What to ask Prometheus; `None` where there is a trace.
    pub(super) fn asked(&self) -> Option<Asked> {
        let (server, query) = (self.prometheus.clone()?, self.query.clone()?);
        Some(Asked { server, query, since: self.since, step: self.step.unwrap_or(Step::MINUTE) })
    }

    /// What the load is called.
    pub(super) fn name(&self) -> String {
        match (&self.prometheus, &self.query) {
            (Some(_), Some(query)) => query.clone(),
            _ => crate::input::name(self.trace()),
        }
    }

    /// A trace is final as it is; what a server answers takes a moment, and the service waits for it.
    pub(super) fn settle(&self) -> Duration {
        if self.prometheus.is_some() { Duration::from_secs(30) } else { Duration::ZERO }
    }

    pub(super) fn start_up(&self) -> StartUp {
        if self.start_up_spread > 0.0 {
            StartUp::LogNormal { median: self.lead_time, spread: self.start_up_spread, seed: self.seed }
        } else {
            StartUp::Fixed(self.lead_time)
        }
    }

    pub(super) fn replicas(&self) -> anyhow::Result<ReplicaRange> {
        Ok(ReplicaRange::new(self.min_replicas, self.max_replicas.unwrap_or(u32::MAX))?)
    }
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration = scaler::parse_duration(text).map_err(|error| error.to_string())?;
    if duration.is_zero() { Err("it must be longer than 0".to_owned()) } else { Ok(duration) }
}

fn parse_step(text: &str) -> Result<Step, String> {
    let duration = parse_duration(text)?;
    let seconds = u32::try_from(duration.as_secs()).ok().filter(|_| duration.subsec_nanos() == 0);
    seconds.and_then(|seconds| Step::from_seconds(seconds).ok()).ok_or_else(|| series::StepError.to_string())
}

fn parse_threshold(text: &str) -> Result<Threshold, String> {
    let load: f64 = text.parse().map_err(|_| "it must be a number".to_owned())?;
    Threshold::new(load).map_err(|error| format!("it {error}"))
}

fn parse_tolerance(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "it must be a number such as 0.1".to_owned())?;
    Tolerance::new(share).map(Tolerance::get).map_err(|error| format!("it {error}"))
}

fn parse_spread(text: &str) -> Result<f64, String> {
    let spread: f64 = text.parse().map_err(|_| "it must be a number such as 0.3".to_owned())?;
    if (0.0..=2.0).contains(&spread) { Ok(spread) } else { Err("it must lie from 0 to 2".to_owned()) }
}

fn parse_timezone(text: &str) -> Result<String, String> {
    TimeZone::get(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

fn parse_model(text: &str) -> Result<ModelChoice, String> {
    if text == "auto" {
        return Ok(ModelChoice::Auto);
    }
    text.parse::<ModelName>().map(ModelChoice::Fixed).map_err(|error| format!("{error}, or auto"))
}

/// A service level as the metadata write it.
pub(super) fn slo_text(level: ServiceLevel) -> String {
    format!("{}%", (level.quantile().get() * 1e6).round() / 1e4)
}
