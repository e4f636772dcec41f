//! [`fit`] and [`Fitted`]: one engine over all models. It rehearses them on the past, chooses, and makes bands of the errors.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use series::{
    ChoiceReason, Forecast, Horizon, Load, ModelChoice, ModelName, ModelScore, NoForecast, Series, Step, Verdict,
};

use crate::bands::Bands;
use crate::choice;
use crate::horizons;
use crate::model::{Fit, Predict};
use crate::models::calendar::CalendarRegression;
use crate::models::holt_winters::HoltWinters;
use crate::models::periodic::Periodic;
use crate::models::persistence::Persistence;
use crate::models::ridge::Ridge;
use crate::models::seasonal_median::SeasonalMedian;
use crate::models::seasonal_naive::SeasonalNaive;
use crate::models::theta::Theta;
use crate::past::Past;
use crate::quantiles;
use crate::rolling::{Misses, Rolling};
use crate::scale::Scale;

/// Known samples that any forecast needs: two errors of persistence.
pub const FEWEST_SAMPLES: usize = 3;
/// Known samples that a comparison of models needs, besides two horizons.
const FEWEST_COMPARED: usize = 72;
/// Errors at the compared horizon that a stated model needs.
const FEWEST_ERRORS: usize = 30;
/// Habits change within a day; a fit is worth this long.
const REFIT_AFTER: Duration = Duration::from_hours(12);

/// What to forecast for.
#[derive(Debug, Clone)]
pub struct Settings {
    /// From the decision to a Ready pod: models are compared one step beyond it, and the forecast is finest up to 15 minutes beyond.
    pub lead_time: Duration,
    /// Which model forecasts, or that the best one does.
    pub model: ModelChoice,
    /// The zone whose midnight begins a day.
    pub timezone: TimeZone,
    /// `None`: the lead time and 15 minutes more at every step, then a day ahead at every quarter of an hour, as plans are made of. Otherwise every
    /// step from now through this long, at least one.
    pub horizon: Option<Duration>,
}

/// A chosen model with its calibration, good for forecasts until it is due for a new fit.
#[derive(Debug, Clone)]
pub struct Fitted {
    settings: Settings,
    step: Step,
    scale: Scale,
    model: Arc<dyn Predict>,
    /// `None` where the model measured its errors itself.
    bands: Option<Bands>,
    verdict: Arc<Verdict>,
    /// The end of the history it was fitted on.
    learned_until: Timestamp,
    /// From the first known sample to that end.
    learned_over: Duration,
}

/// A model after its rehearsal.
struct Rehearsed {
    name: ModelName,
    model: Arc<dyn Predict>,
    misses: Misses,
}

/// What all rehearsals of one fit share.
struct Stage<'a> {
    past: &'a Past,
    knots: Vec<usize>,
    compared: usize,
    scale: Scale,
}

/// Chooses a model for `history`, fits it and calibrates its bands. Tens of milliseconds of CPU for a history of weeks.
///
/// Looks at nothing but `history`; the latest known sample is the newest that counts.
///
/// # Errors
/// [`NoForecast::TooLittleHistory`] with fewer than [`FEWEST_SAMPLES`] known samples, or fewer than a model stated in the settings
/// needs; [`NoForecast::Failed`] where a model broke, which is a defect.
pub fn fit(history: &Series, settings: &Settings) -> Result<Fitted, NoForecast> {
    let scale = Scale::of(history);
    let past = known_past(history, scale, &settings.timezone)?;
    let step = history.step();
    let compared = horizons::compared(step, settings.lead_time);
    let knots = horizons::knots(step, settings.lead_time, settings.horizon);
    let stage = Stage { past: &past, knots, compared, scale };
    let (chosen, verdict) = match settings.model {
        ModelChoice::Auto => stage.choose()?,
        // its fit says how far each horizon of the user's own is off: nothing is left to rehearse
        ModelChoice::Fixed(ModelName::PeriodicAutoregression) if settings.horizon.is_some() => stage.unrehearsed()?,
        ModelChoice::Fixed(name) => stage.stated(name)?,
    };
    let bands = match settings.horizon {
        Some(_) if chosen.model.offsets(1, 0).is_some() => None,
        _ => Some(Bands::of(&chosen.misses, &past).ok_or_else(|| too_little(&past, FEWEST_SAMPLES))?),
    };
    let steps = u32::try_from(past.last() + past.stale()).unwrap_or(u32::MAX);
    Ok(Fitted {
        settings: settings.clone(),
        step,
        scale,
        model: chosen.model,
        bands,
        verdict: Arc::new(verdict),
        learned_until: history.end().unwrap_or(history.start()),
        learned_over: step.duration().saturating_mul(steps),
    })
}

impl Fitted {
    /// The forecast from the end of `history`: the series of the fit, perhaps some steps longer. Under a millisecond for a history of weeks.
    ///
    /// Where the newest samples are missing, horizons count from the last known one: the bands are as wide as its age asks for.
    ///
    /// # Errors
    /// [`NoForecast::TooLittleHistory`] where `history` does not reach back as far as the model needs; [`NoForecast::Failed`] where its step is
    /// another than at the fit, or a model broke: both are defects.
    pub fn forecast(&self, history: &Series) -> Result<Forecast, NoForecast> {
        if history.step() != self.step {
            let (got, fitted) = (history.step(), self.step);
            return Err(NoForecast::Failed(format!("the history has a step of {got}, the fit one of {fitted}")));
        }
        let past = known_past(history, self.scale, &self.settings.timezone)?;
        let origin = history.end().unwrap_or(history.start());
        let horizons = horizons::of_forecast(self.step, self.settings.lead_time, self.settings.horizon);
        let ahead: Vec<usize> = horizons.iter().map(|horizon| horizon + past.stale()).collect();
        let centers =
            self.model.predict(&past, past.last(), &ahead).ok_or_else(|| too_little(&past, past.known_count() + 1))?;
        let horizons = horizons
            .into_iter()
            .zip(ahead.into_iter().zip(centers))
            .map(|(horizon, (ahead, center))| {
                let steps = u32::try_from(horizon).unwrap_or(u32::MAX);
                Ok(Horizon {
                    ahead: self.step.duration().saturating_mul(steps),
                    quantiles: self.quantiles(&past, ahead, center)?,
                })
            })
            .collect::<Result<Vec<_>, NoForecast>>()?;
        Forecast::new(origin, self.verdict.model, quantiles::levels(), horizons).map_err(failed)
    }

    /// Which model is in force, why, and how all of them did.
    pub fn verdict(&self) -> &Arc<Verdict> {
        &self.verdict
    }

    /// Whether a new fit on `history` is worth its while: 12 hours after this one, or once the history has grown by a
    /// quarter; at once where its step is another.
    pub fn is_due(&self, history: &Series) -> bool {
        let Some(end) = history.end() else { return false };
        let age = Duration::try_from(self.learned_until.duration_until(end)).unwrap_or(Duration::ZERO);
        history.step() != self.step || age >= REFIT_AFTER.min(self.learned_over / 4)
    }

    fn quantiles(&self, past: &Past, ahead: usize, center: f64) -> Result<Vec<Load>, NoForecast> {
        let second_of_day = past.calendar().second_of_day(past.last() + ahead);
        let offsets = match &self.bands {
            Some(bands) => Some(bands.at(ahead, second_of_day)),
            None => self.model.offsets(ahead, second_of_day),
        };
        let offsets = offsets.ok_or_else(|| NoForecast::Failed("no errors to make quantiles of".to_owned()))?;
        let floor = if past.never_negative() { 0.0 } else { -Load::MAX };
        offsets
            .iter()
            .map(|offset| Load::new(self.scale.backward(center + offset).max(floor)).map_err(failed))
            .collect()
    }
}

impl Stage<'_> {
    /// The model with the least loss at the compared horizon, of those the history is long enough for.
    fn choose(&self) -> Result<(Rehearsed, Verdict), NoForecast> {
        let rolling = Rolling::over(self.past, self.knots.clone());
        let simplest = rehearse(&Persistence, self.past, &rolling);
        let simplest = simplest.ok_or_else(|| too_little(self.past, FEWEST_SAMPLES))?;
        let (samples, needed) = (self.past.known_count(), FEWEST_COMPARED + 2 * self.compared);
        let origins = simplest.misses.at(self.compared).len();
        if samples < needed || origins == 0 {
            let reason = ChoiceReason::ShortHistory { samples, needed: needed.max(samples + 1) };
            return Ok((simplest, Verdict { model: ModelName::Persistence, reason, scores: Vec::new() }));
        }
        let mut rehearsed = vec![simplest];
        rehearsed.extend(rehearse(&SeasonalNaive::Day, self.past, &rolling));
        rehearsed.extend(rehearse(&SeasonalNaive::Week, self.past, &rolling));
        rehearsed.extend(rehearse(&Ridge::new(self.past, &rolling), self.past, &rolling));
        rehearsed.extend(rehearse(&Periodic, self.past, &rolling));
        // only models that were asked at the same origins can be compared
        rehearsed.retain(|one| one.misses.at(self.compared).len() == origins);
        let mut scores: Vec<ModelScore> = rehearsed.iter().filter_map(|one| self.score(one)).collect();
        choice::rank(&mut scores);
        let best = scores.first().map_or(ModelName::Persistence, |score| score.model);
        let chosen = rehearsed.into_iter().find(|one| one.name == best);
        let chosen = chosen.ok_or_else(|| NoForecast::Failed(format!("{best} was chosen but not fitted")))?;
        Ok((chosen, Verdict { model: best, reason: ChoiceReason::LeastLoss, scores }))
    }

    /// The model of that name, whatever its loss.
    fn stated(&self, name: ModelName) -> Result<(Rehearsed, Verdict), NoForecast> {
        let rolling = Rolling::over(self.past, self.knots.clone());
        let day = self.past.calendar().steps_in(86_400);
        let (rehearsed, fewest_errors) = match name {
            ModelName::Persistence => (rehearse(&Persistence, self.past, &rolling), 0),
            ModelName::SeasonalNaiveDay => (self.since_second_period(SeasonalNaive::Day, &rolling), FEWEST_ERRORS),
            ModelName::SeasonalNaiveWeek => (self.since_second_period(SeasonalNaive::Week, &rolling), FEWEST_ERRORS),
            ModelName::SeasonalMedian => (rehearse(&SeasonalMedian, self.past, &rolling), FEWEST_ERRORS),
            ModelName::HoltWinters => (rehearse(&HoltWinters, self.past, &rolling), FEWEST_ERRORS),
            ModelName::Theta => (rehearse(&Theta, self.past, &rolling), FEWEST_ERRORS),
            ModelName::CalendarRegression => (rehearse(&CalendarRegression, self.past, &rolling), FEWEST_ERRORS),
            ModelName::Ridge => (rehearse(&Ridge::new(self.past, &rolling), self.past, &rolling), FEWEST_ERRORS),
            ModelName::PeriodicAutoregression => (rehearse(&Periodic, self.past, &rolling), FEWEST_ERRORS),
        };
        let usable = rehearsed.filter(|one| fewest_errors == 0 || one.misses.at(self.compared).len() >= fewest_errors);
        let chosen = usable.ok_or_else(|| {
            let needed = match name {
                ModelName::Persistence => FEWEST_SAMPLES,
                ModelName::SeasonalNaiveDay => day + self.compared + FEWEST_ERRORS,
                ModelName::SeasonalNaiveWeek => 7 * day + self.compared + FEWEST_ERRORS,
                ModelName::SeasonalMedian | ModelName::CalendarRegression => 4 * day + self.compared,
                ModelName::HoltWinters | ModelName::Theta => 2 * (self.compared + FEWEST_ERRORS),
                ModelName::Ridge => Ridge::new(self.past, &rolling).samples_needed(self.compared),
                ModelName::PeriodicAutoregression => return self.no_periodic(self.compared + FEWEST_ERRORS),
            };
            too_little(self.past, needed)
        })?;
        let scores = self.score(&chosen).into_iter().collect();
        Ok((chosen, Verdict { model: name, reason: ChoiceReason::StatedByUser, scores }))
    }

    /// Periodic autoregression without a rehearsal: its fit measures its errors by itself.
    fn unrehearsed(&self) -> Result<(Rehearsed, Verdict), NoForecast> {
        let model = Periodic.fit(self.past, self.past.last(), &self.knots).ok_or_else(|| self.no_periodic(0))?;
        let name = ModelName::PeriodicAutoregression;
        let verdict = Verdict { model: name, reason: ChoiceReason::StatedByUser, scores: Vec::new() };
        Ok((Rehearsed { name, model: Arc::new(model), misses: Misses::none(&self.knots) }, verdict))
    }

    /// Why there is no periodic autoregression, where `rehearsed` samples are needed beside those of a fit.
    fn no_periodic(&self, rehearsed: usize) -> NoForecast {
        match Periodic::samples_needed(self.past) {
            Some(needed) => too_little(self.past, needed + rehearsed),
            None => {
                NoForecast::UnsuitedStep { model: ModelName::PeriodicAutoregression, step: self.past.calendar().step() }
            }
        }
    }

    /// A stated seasonal model is rehearsed from its second period on, where half of the history holds no second one.
    fn since_second_period(&self, season: SeasonalNaive, rolling: &Rolling) -> Option<Rehearsed> {
        let has_season = |&index: &usize| self.past.season_before(index, season.days(), index).is_some();
        let second = (rolling.first()..=self.past.last()).find(has_season)?;
        rehearse(&season, self.past, &Rolling::from(self.past, self.knots.clone(), second))
    }

    fn score(&self, one: &Rehearsed) -> Option<ModelScore> {
        choice::score(one.name, one.misses.at(self.compared), self.compared, self.past, self.scale)
    }
}

fn rehearse<M: Fit>(model: &M, past: &Past, rolling: &Rolling) -> Option<Rehearsed> {
    let (misses, fitted) = model.roll(past, rolling)?;
    Some(Rehearsed { name: model.name(), model: Arc::new(fitted), misses })
}

fn known_past(history: &Series, scale: Scale, timezone: &TimeZone) -> Result<Past, NoForecast> {
    let known = history.known();
    let needed = FEWEST_SAMPLES;
    let past = Past::new(history, scale, timezone).filter(|_| known >= needed);
    past.ok_or(NoForecast::TooLittleHistory { known, needed })
}

fn too_little(past: &Past, needed: usize) -> NoForecast {
    let known = past.known_count();
    // gaps may ask for more than the model by itself does
    NoForecast::TooLittleHistory { known, needed: needed.max(known + 1) }
}

fn failed(error: impl std::error::Error) -> NoForecast {
    NoForecast::Failed(error.to_string())
}
