//! [`fit`]: one engine over all models. It rehearses them on the past, chooses, and makes quantiles of the errors.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use series::{ChoiceReason, Load, ModelChoice, ModelName, ModelScore, NoForecast, Sample, Seasons, Series, Verdict};

use crate::belief::Beliefs;
use crate::blend::Blend;
use crate::choice;
use crate::fitted::{Center, Fitted};
use crate::horizons;
use crate::mixture::Mixture;
use crate::model::Fit;
use crate::models::calendar::CalendarRegression;
use crate::models::holt_winters::HoltWinters;
use crate::models::periodic::Periodic;
use crate::models::persistence::Persistence;
use crate::models::ridge::Ridge;
use crate::models::seasonal_median::SeasonalMedian;
use crate::models::seasonal_naive::SeasonalNaive;
use crate::models::theta::Theta;
use crate::past::Past;
use crate::rolling::{Misses, Rolling};
use crate::scale::Scale;
use crate::seasons::Found;

/// Known samples that any forecast needs: two errors of persistence.
pub const FEWEST_SAMPLES: usize = 3;
/// Known samples that a comparison of models needs, besides two horizons.
const FEWEST_COMPARED: usize = 72;
/// Errors at the compared horizon that a stated model needs.
const FEWEST_ERRORS: usize = 30;
/// Of a shorter history, the largest load says little of what is to come.
const A_DAY: Duration = Duration::from_hours(24);
/// Periodic autoregression is rehearsed at this step and coarser ones: at finer ones it never did better, and takes its time.
const PERIODIC_FROM_SECONDS: u32 = 1800;

/// What to forecast for.
#[derive(Debug, Clone)]
pub struct Settings {
    /// From the decision to a Ready pod: models are compared one step beyond it, and the forecast is finest up to 15 minutes beyond.
    pub lead_time: Duration,
    /// Which model forecasts, or that the best one does.
    pub model: ModelChoice,
    /// The zone whose midnight begins a day.
    pub timezone: TimeZone,
    /// After how long the load repeats itself.
    pub seasons: Seasons,
    /// `None`: the lead time and 15 minutes more at every step, then a day ahead at every quarter of an hour, as plans are made of. Otherwise every
    /// step from now through this long, at least one.
    pub horizon: Option<Duration>,
}

/// A model after its rehearsal.
struct Rehearsed {
    name: ModelName,
    center: Center,
    misses: Misses,
    /// The blend that was rehearsed with it.
    blend: Option<Blend>,
}

/// What a fit came to.
struct Chosen {
    center: Center,
    beliefs: Beliefs,
    blend: Option<Blend>,
    mixture: Option<Mixture>,
    verdict: Verdict,
}

/// What all rehearsals of one fit share.
struct Stage<'a> {
    past: &'a Past,
    rolling: Rolling,
    seasons: Found,
    compared: usize,
    scale: Scale,
}

/// Chooses a model for `history`, fits it and calibrates its quantiles. Some milliseconds of CPU for a history of weeks.
///
/// Looks at nothing but `history`; the latest known sample is the newest that counts.
///
/// # Errors
/// [`NoForecast::TooLittleHistory`] with fewer than [`FEWEST_SAMPLES`] known samples, or fewer than a model stated in the settings
/// needs; [`NoForecast::Failed`] where a stated season does not suit the step, or a model broke, which is a defect.
pub fn fit(history: &Series, settings: &Settings) -> Result<Fitted, NoForecast> {
    let scale = Scale::of(history);
    let past = known_past(history, scale, &settings.timezone)?;
    let step = history.step();
    let compared = horizons::compared(step, settings.lead_time);
    let knots = horizons::knots(step, settings.lead_time, settings.horizon);
    let seasons = Found::of(&settings.seasons, &past)?;
    if settings.model == ModelChoice::Fixed(ModelName::PeriodicAutoregression) && !settings.seasons.are_day_and_week() {
        return Err(NoForecast::Failed(
            "periodic autoregression knows the seasons of 24h and 7d, both and no other".to_owned(),
        ));
    }
    let stage = Stage { past: &past, rolling: Rolling::over(&past, knots), seasons, compared, scale };
    let Chosen { center, beliefs, blend, mixture, verdict } = match settings.model {
        ModelChoice::Auto => stage.choose()?,
        // its fit says how far each horizon of the user's own is off: nothing is left to rehearse
        ModelChoice::Fixed(ModelName::PeriodicAutoregression) if settings.horizon.is_some() => stage.unrehearsed()?,
        ModelChoice::Fixed(name) => stage.stated(name)?,
    };
    let steps = u32::try_from(past.last() + past.stale()).unwrap_or(u32::MAX);
    let end = history.end().unwrap_or(history.start());
    Ok(Fitted {
        settings: settings.clone(),
        step,
        scale,
        center,
        beliefs,
        blend,
        mixture,
        verdict: Arc::new(verdict),
        never_negative: past.never_negative(),
        largest: largest(history),
        made_until: end,
        made_of: step.duration().saturating_mul(steps),
        learned_until: end,
        drift: 1.0,
    })
}

impl Stage<'_> {
    /// The model with the least loss at the compared horizon, of those the history is long enough for.
    fn choose(&self) -> Result<Chosen, NoForecast> {
        // where naive models are only compared, one horizon of theirs is enough
        let alone = self.rolling.asked(self.compared);
        let simplest = rehearse(&Persistence, self.past, &alone).ok_or_else(|| self.too_little(FEWEST_SAMPLES))?;
        let (samples, needed) = (self.past.known_count(), FEWEST_COMPARED + 2 * self.compared);
        let origins = simplest.misses.at(self.compared).len();
        if samples < needed || origins == 0 {
            let reason = ChoiceReason::ShortHistory { samples, needed: needed.max(samples + 1) };
            return self.calibrated(self.rehearse(&Persistence), None, reason, Vec::new());
        }
        let seasons = self.seasons.days.iter().filter_map(|season| rehearse(season, self.past, &alone));
        let naive: Vec<Rehearsed> = std::iter::once(simplest).chain(seasons).collect();
        let mut learned = Vec::new();
        learned.extend(self.rehearse_blended_ridge());
        if self.past.calendar().step().seconds() >= PERIODIC_FROM_SECONDS {
            learned.extend(self.rehearse(&Periodic));
        }
        // only models that were asked at the same origins can be compared
        let comparable = |one: &Rehearsed| one.misses.at(self.compared).len() == origins;
        let mut candidates: Vec<(Rehearsed, Mixture)> = Vec::new();
        let mut scores: Vec<ModelScore> = Vec::new();
        for one in naive.iter().filter(|one| comparable(one)) {
            let usual = Mixture::usual_at(one.misses.at(self.compared), self.compared, self.past);
            scores.extend(usual.and_then(|usual| self.score(one, &usual)));
        }
        for one in learned.into_iter().filter(comparable) {
            let mixture = self.mixture(&one.misses)?;
            scores.extend(self.score(&one, &mixture));
            candidates.push((one, mixture));
        }
        let best = choice::best(&mut scores).unwrap_or(ModelName::Persistence);
        let (chosen, mixture) = match candidates.into_iter().find(|(one, _)| one.name == best) {
            Some((one, mixture)) => (Some(one), Some(mixture)),
            None => match self.seasons.days.iter().find(|season| season.name() == best) {
                Some(season) => (self.rehearse(season), None),
                None => (self.rehearse(&Persistence), None),
            },
        };
        self.calibrated(chosen, mixture, ChoiceReason::LeastLoss, scores)
    }

    /// What was `chosen`, with its `mixture`, which is made where there is none yet.
    fn calibrated(
        &self,
        chosen: Option<Rehearsed>,
        mixture: Option<Mixture>,
        reason: ChoiceReason,
        scores: Vec<ModelScore>,
    ) -> Result<Chosen, NoForecast> {
        let chosen = chosen.ok_or_else(|| self.too_little(FEWEST_SAMPLES))?;
        let mixture = mixture.map_or_else(|| self.mixture(&chosen.misses), Ok)?;
        let verdict = Verdict { model: chosen.name, reason, scores };
        let beliefs = match &chosen.center {
            Center::Ridge(ridge) => {
                Beliefs::of(&chosen.misses, self.past, |origin, ahead| ridge.shape(self.past, origin, ahead))
            }
            Center::Other(_) => Beliefs::of(&chosen.misses, self.past, |_, _| 0.0),
        };
        Ok(Chosen { center: chosen.center, beliefs, blend: chosen.blend, mixture: Some(mixture), verdict })
    }

    /// The model of that name, whatever its loss.
    fn stated(&self, name: ModelName) -> Result<Chosen, NoForecast> {
        let day = self.past.calendar().steps_in(86_400);
        let (rehearsed, fewest_errors) = match name {
            ModelName::Persistence => (self.rehearse(&Persistence), 0),
            ModelName::SeasonalNaiveDay => (self.since_second_period(SeasonalNaive::Day), FEWEST_ERRORS),
            ModelName::SeasonalNaiveWeek => (self.since_second_period(SeasonalNaive::Week), FEWEST_ERRORS),
            ModelName::SeasonalMedian => (self.rehearse(&SeasonalMedian), FEWEST_ERRORS),
            ModelName::HoltWinters => (self.rehearse(&HoltWinters), FEWEST_ERRORS),
            ModelName::Theta => (self.rehearse(&Theta), FEWEST_ERRORS),
            ModelName::CalendarRegression => (self.rehearse(&CalendarRegression), FEWEST_ERRORS),
            ModelName::Ridge => (self.rehearse_ridge(), FEWEST_ERRORS),
            ModelName::PeriodicAutoregression => (self.rehearse(&Periodic), FEWEST_ERRORS),
        };
        let usable = rehearsed.filter(|one| fewest_errors == 0 || one.misses.at(self.compared).len() >= fewest_errors);
        let chosen = usable.ok_or_else(|| {
            let needed = match name {
                ModelName::Persistence => FEWEST_SAMPLES,
                ModelName::SeasonalNaiveDay => day + self.compared + FEWEST_ERRORS,
                ModelName::SeasonalNaiveWeek => 7 * day + self.compared + FEWEST_ERRORS,
                ModelName::SeasonalMedian | ModelName::CalendarRegression => 4 * day + self.compared,
                ModelName::HoltWinters | ModelName::Theta => 2 * (self.compared + FEWEST_ERRORS),
                ModelName::Ridge => {
                    Ridge::new(self.past, &self.rolling, &self.seasons).samples_needed(self.past, self.compared)
                }
                ModelName::PeriodicAutoregression => return self.no_periodic(self.compared + FEWEST_ERRORS),
            };
            self.too_little(needed)
        })?;
        let mixture = self.mixture(&chosen.misses)?;
        let scores = self.score(&chosen, &mixture).into_iter().collect();
        self.calibrated(Some(chosen), Some(mixture), ChoiceReason::StatedByUser, scores)
    }

    /// Periodic autoregression without a rehearsal: its fit measures its errors by itself.
    fn unrehearsed(&self) -> Result<Chosen, NoForecast> {
        let model = Periodic.fit(self.past, self.past.last(), self.rolling.knots());
        let model = model.ok_or_else(|| self.no_periodic(0))?;
        let name = ModelName::PeriodicAutoregression;
        let verdict = Verdict { model: name, reason: ChoiceReason::StatedByUser, scores: Vec::new() };
        let nothing_rehearsed = Beliefs::of(&Misses::none(&[]), self.past, |_, _| 0.0);
        Ok(Chosen {
            center: Center::Other(Arc::new(model)),
            beliefs: nothing_rehearsed,
            blend: None,
            mixture: None,
            verdict,
        })
    }

    /// Why there is no periodic autoregression, where `rehearsed` samples are needed beside those of a fit.
    fn no_periodic(&self, rehearsed: usize) -> NoForecast {
        match Periodic::samples_needed(self.past) {
            Some(needed) => self.too_little(needed + rehearsed),
            None => {
                NoForecast::UnsuitedStep { model: ModelName::PeriodicAutoregression, step: self.past.calendar().step() }
            }
        }
    }

    /// A stated seasonal model is rehearsed from its second period on, where the plan for all models begins later.
    fn since_second_period(&self, season: SeasonalNaive) -> Option<Rehearsed> {
        let has_season = |&index: &usize| self.past.season_before(index, season.days(), index).is_some();
        let second = (self.rolling.first()..=self.past.last()).find(has_season)?;
        let rolling = Rolling::from(self.past, self.rolling.knots().to_vec(), second);
        rehearse(&season, self.past, &rolling)
    }

    fn rehearse<M: Fit>(&self, model: &M) -> Option<Rehearsed> {
        rehearse(model, self.past, &self.rolling)
    }

    fn rehearse_ridge(&self) -> Option<Rehearsed> {
        let ridge = Ridge::new(self.past, &self.rolling, &self.seasons);
        let (misses, fitted) = ridge.roll(self.past, &self.rolling)?;
        Some(Rehearsed { name: ModelName::Ridge, center: Center::Ridge(fitted), misses, blend: None })
    }

    fn rehearse_blended_ridge(&self) -> Option<Rehearsed> {
        let mut ridge = self.rehearse_ridge()?;
        ridge.blend = Some(Blend::rehearse(&mut ridge.misses, self.past));
        Some(ridge)
    }

    fn mixture(&self, misses: &Misses) -> Result<Mixture, NoForecast> {
        Mixture::of(misses, self.past).ok_or_else(|| self.too_little(FEWEST_SAMPLES))
    }

    fn score(&self, one: &Rehearsed, mixture: &Mixture) -> Option<ModelScore> {
        choice::score(one.name, one.misses.at(self.compared), mixture, self.compared, self.past, self.scale)
    }

    fn too_little(&self, needed: usize) -> NoForecast {
        too_little(self.past.known_count(), needed)
    }
}

/// The largest load of a history of a day or more.
fn largest(history: &Series) -> Option<Load> {
    let loads = history.samples().filter_map(|sample| match sample {
        Sample::Value(load) => Some(load),
        Sample::Gap(_) => None,
    });
    loads.reduce(Load::max).filter(|_| history.len() >= history.step().count_covering(A_DAY))
}

fn rehearse<M: Fit>(model: &M, past: &Past, rolling: &Rolling) -> Option<Rehearsed> {
    let (misses, fitted) = model.roll(past, rolling)?;
    Some(Rehearsed { name: model.name(), center: Center::Other(Arc::new(fitted)), misses, blend: None })
}

pub(crate) fn known_past(history: &Series, scale: Scale, timezone: &TimeZone) -> Result<Past, NoForecast> {
    let known = history.known();
    let needed = FEWEST_SAMPLES;
    let past = Past::new(history, scale, timezone).filter(|_| known >= needed);
    past.ok_or(NoForecast::TooLittleHistory { known, needed })
}

/// Where `known` samples are too few; gaps may ask for more than the `needed` ones of the model by itself.
pub(crate) fn too_little(known: usize, needed: usize) -> NoForecast {
    NoForecast::TooLittleHistory { known, needed: needed.max(known + 1) }
}
