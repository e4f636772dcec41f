//! The walk forward through the load, once for all service levels, and what it leaves behind.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use policy::{NoPlan, Plan, Target};
use series::{Forecast, Load, ModelName, Quantile, Series};
use simulator::{Grid, Replay};

/// The quantiles kept of every forecast, at the lead time.
pub(super) const LEVELS: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995];

/// What the walk leaves behind.
#[derive(Debug)]
pub(super) struct Walk {
    /// One per target.
    pub(super) published: Vec<Published>,
    /// One per bucket of the load: what had been forecast for it a lead time before, at [`LEVELS`]; NaN where nothing was.
    pub(super) bands: Vec<[f32; LEVELS.len()]>,
    /// How many forecasts each model made.
    pub(super) models: Vec<(ModelName, usize)>,
    pub(super) took: Duration,
}

/// What one target was told, tick by tick.
#[derive(Debug)]
pub(super) struct Published {
    /// `None` where that was an error.
    pub(super) values: Vec<Option<Load>>,
    /// Which of the reasons.
    because: Vec<u32>,
    reasons: Reasons,
}

impl Published {
    fn nothing(ticks: usize) -> Self {
        Self { values: Vec::with_capacity(ticks), because: Vec::with_capacity(ticks), reasons: Reasons::default() }
    }

    fn push(&mut self, value: Option<Load>, reason: String) {
        self.values.push(value);
        self.because.push(self.reasons.number(reason));
    }

    #[cfg(test)]
    pub(super) fn made_of(values: impl Iterator<Item = (Option<Load>, String)>) -> Self {
        let mut published = Self::nothing(0);
        values.for_each(|(value, reason)| published.push(value, reason));
        published
    }

    /// Why the value of a tick is what it is.
    pub(super) fn reason(&self, tick: usize) -> &str {
        let number = self.because.get(tick).and_then(|&number| usize::try_from(number).ok());
        number.and_then(|number| self.reasons.texts.get(number)).map_or("", |text| text)
    }
}

/// Each reason once.
#[derive(Debug, Default)]
struct Reasons {
    texts: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
}

impl Reasons {
    fn number(&mut self, text: String) -> u32 {
        let text: Arc<str> = text.into();
        let next = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        *self.numbers.entry(Arc::clone(&text)).or_insert_with(|| {
            self.texts.push(text);
            next
        })
    }
}

/// Walks; `progress` hears of the ticks done.
pub(super) fn walk(
    load: &Series,
    targets: Vec<Target>,
    settle: Duration,
    mut progress: impl FnMut(usize, usize),
) -> anyhow::Result<Walk> {
    let began = Instant::now();
    let lead_time = targets.first().map_or(Duration::ZERO, |target| target.request.lead_time);
    // what pods that are ordered now will meet: as far ahead as models are compared
    let ahead = load.step().count_covering(lead_time) + 1;
    let count = targets.len();
    let mut replay = Replay::new(load, targets, settle)?;
    let grid: Grid = *replay.grid();
    let mut published: Vec<Published> = (0..count).map(|_| Published::nothing(grid.ticks())).collect();
    let mut bands = vec![[f32::NAN; LEVELS.len()]; load.len()];
    let mut models: HashMap<ModelName, usize> = HashMap::new();
    let mut tick = 0;
    while let Some(moment) = replay.advance() {
        for (published, plan) in published.iter_mut().zip(moment.plans) {
            published.push(plan.as_ref().ok().map(|plan| plan.value), reason(plan));
        }
        if let Ok(forecast) = &moment.outlook.forecast
            && moment.is_forecast_new
        {
            *models.entry(forecast.model()).or_default() += 1;
            if let Some(band) = bands.get_mut(moment.bucket + ahead - 1) {
                *band = at_levels(forecast, load, moment.bucket + ahead - 1);
            }
        }
        tick += 1;
        if tick % 2000 == 0 {
            progress(tick, grid.ticks());
        }
    }
    progress(tick, grid.ticks());
    let mut models: Vec<(ModelName, usize)> = models.into_iter().collect();
    models.sort_by_key(|&(name, count)| (std::cmp::Reverse(count), name));
    Ok(Walk { published, bands, models, took: began.elapsed() })
}

fn reason(plan: &Result<Arc<Plan>, NoPlan>) -> String {
    match plan {
        Ok(plan) => plan.reason.to_string(),
        Err(none) => format!("nothing published: {none}"),
    }
}

/// What `forecast` says of the load in `bucket`.
#[expect(clippy::cast_possible_truncation, reason = "seven digits of a forecast are more than it knows")]
fn at_levels(forecast: &Forecast, load: &Series, bucket: usize) -> [f32; LEVELS.len()] {
    let time = load.time(bucket);
    LEVELS.map(|level| {
        let quantile = Quantile::new(level).ok().and_then(|level| forecast.quantile(time, level));
        quantile.map_or(f32::NAN, |load| load.get() as f32)
    })
}
