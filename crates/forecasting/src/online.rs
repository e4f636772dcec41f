//! [`OnlineForecaster`]: one target's forecasts, sample after sample.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use series::{ChoiceReason, Forecast, ForecastSkill, ModelChoice, ModelName, NoForecast, Series, Timestamp, Verdict};

use crate::engine::{Settings, fit};
use crate::fitted::Fitted;
use crate::lessons::Lessons;
use crate::standing::Standing;

/// A model in force that has lately lost so many times what the better of the plain ones did is demoted …
const DEMOTED: f64 = 1.1;
/// … until it loses no more than that one.
const REINSTATED: f64 = 1.0;

/// Forecasts one target whenever its history has grown, and does no harm: a model that has lately done worse in earnest than persistence or than
/// last week is demoted, and comes back when it has earned it.
///
/// Unlike [`fit`], which looks at how models would have done on the past, this looks at how the forecasts that were made came out.
#[derive(Debug, Clone)]
pub struct OnlineForecaster {
    settings: Settings,
    /// The model that the fit chose; `None` while there was no fit.
    fitted: Option<Fitted>,
    /// What an earlier process learned, until the first fit goes on from it.
    taught: Option<Lessons>,
    standing: Standing,
    demotion: Option<Demotion>,
    /// Since when an earlier process had its model demoted, until it is judged anew.
    demoted_before: Option<Timestamp>,
}

/// What an [`OnlineForecaster`] has learned from how its forecasts came out, and would lose if its process ended. What it knows besides,
/// a fit learns anew from the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    lessons: Option<Lessons>,
    standing: Standing,
    demoted_since: Option<Timestamp>,
}

/// What is forecast with in place of a model that was demoted.
#[derive(Debug, Clone)]
struct Demotion {
    since: Timestamp,
    stand_in: Fitted,
    /// That of the stand-in, with the reason.
    verdict: Arc<Verdict>,
}

/// What a grown history led to.
#[derive(Debug)]
pub struct Renewal {
    /// The forecast from the end of the history.
    pub forecast: Result<Forecast, NoForecast>,
    /// Why a fit that was due failed; the model before it stays in force.
    pub failed_refit: Option<NoForecast>,
}

impl OnlineForecaster {
    /// One that knows nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, fitted: None, taught: None, standing: Standing::new(), demotion: None, demoted_before: None }
    }

    /// One that goes on from what one of an earlier process has `learned` of the same target: its first fit is as good as a new fit of
    /// that one.
    pub fn resume(settings: Settings, learned: Learned) -> Self {
        let Learned { lessons, standing, demoted_since } = learned;
        Self { taught: lessons, standing, demoted_before: demoted_since, ..Self::new(settings) }
    }

    /// What is to outlive this process; `None` before the first fit.
    pub fn learned(&self) -> Option<Learned> {
        let lessons = self.fitted.as_ref()?.lessons();
        let demoted_since = self.demotion.as_ref().map(|demotion| demotion.since);
        Some(Learned { lessons, standing: self.standing.clone(), demoted_since })
    }

    /// Learns from what `history` has gained, fits where that is due, and forecasts from its end. Each fit is made while what `fit_begins`
    /// gave is held.
    pub fn renew<T>(&mut self, history: &Series, fit_begins: impl Fn() -> T) -> Renewal {
        let mut failed_refit = None;
        let in_force = match self.fitted.take() {
            None => match while_held(&fit_begins, || fit(history, &self.settings)) {
                Ok(mut new) => {
                    if let Some(lessons) = self.taught.take() {
                        new.take_over(&lessons);
                    }
                    new
                }
                Err(reason) => return Renewal { forecast: Err(reason), failed_refit },
            },
            Some(mut in_force) => {
                in_force.learn(history);
                if in_force.is_due(history) {
                    while_held(&fit_begins, || in_force.refit(history)).unwrap_or_else(|reason| {
                        failed_refit = Some(reason);
                        in_force
                    })
                } else {
                    in_force
                }
            }
        };
        let forecast = in_force.forecast(history);
        self.standing.compare(history);
        if let Ok(forecast) = &forecast {
            self.standing.foretell(forecast, history, self.settings.lead_time);
        }
        self.judge(in_force.verdict(), history, &fit_begins);
        self.fitted = Some(in_force);
        Renewal { forecast: self.stand_in_forecast(history).unwrap_or(forecast), failed_refit }
    }

    /// Has the next renewal fit anew, whatever the age of the fit: the history has grown at its other end.
    pub fn forget_fit(&mut self) {
        if let Some(fitted) = self.fitted.take() {
            self.taught = fitted.lessons();
        }
    }

    /// Which model is in force, why, and how all of them did; `None` while there was no fit.
    pub fn verdict(&self) -> Option<&Arc<Verdict>> {
        let chosen = self.fitted.as_ref().map(Fitted::verdict);
        self.demotion.as_ref().map(|demotion| &demotion.verdict).or(chosen)
    }

    /// How the forecasts of the model that the fit chose have come out; `None` until enough have.
    pub fn skill(&self) -> Option<ForecastSkill> {
        self.standing.skill()
    }

    /// Demotes and reinstates the model that was `chosen`.
    fn judge<T>(&mut self, chosen: &Verdict, history: &Series, fit_begins: &impl Fn() -> T) {
        let (Some(skill), Some(now)) = (self.standing.skill(), history.end()) else { return };
        // what the user wrote stays, and a plain model is as good as itself
        if self.settings.model != ModelChoice::Auto || is_plain(chosen.model) {
            self.demotion = None;
            return;
        }
        let (better, least) = skill.best_plain();
        let lost = skill.loss / least;
        let before = self.demoted_before.take().filter(|_| lost > REINSTATED);
        self.demotion = match self.demotion.take().filter(|_| lost > REINSTATED) {
            None if lost > DEMOTED || before.is_some() => {
                self.stand_in(better, chosen, history, before.unwrap_or(now), fit_begins)
            }
            None => None,
            Some(demotion) if demotion.verdict.model == better || lost <= DEMOTED => {
                Some(demotion.renewed(history, fit_begins))
            }
            Some(demotion) => self.stand_in(better, chosen, history, demotion.since, fit_begins).or(Some(demotion)),
        };
    }

    /// Puts `model` in the place of the one that was `chosen`; `None` where it cannot forecast.
    fn stand_in<T>(
        &self,
        model: ModelName,
        chosen: &Verdict,
        history: &Series,
        since: Timestamp,
        fit_begins: &impl Fn() -> T,
    ) -> Option<Demotion> {
        let settings = Settings { model: ModelChoice::Fixed(model), ..self.settings.clone() };
        let stand_in = while_held(fit_begins, || fit(history, &settings)).ok()?;
        let reason = ChoiceReason::Demoted { model: chosen.model, since };
        let verdict = Arc::new(Verdict { model, reason, scores: chosen.scores.clone() });
        Some(Demotion { since, stand_in, verdict })
    }

    /// The forecast of the stand-in, where there is one that can.
    fn stand_in_forecast(&self, history: &Series) -> Option<Result<Forecast, NoForecast>> {
        let forecast = self.demotion.as_ref()?.stand_in.forecast(history);
        forecast.is_ok().then_some(forecast)
    }
}

impl Demotion {
    /// The same after `history` has grown.
    fn renewed<T>(mut self, history: &Series, fit_begins: &impl Fn() -> T) -> Self {
        self.stand_in.learn(history);
        if self.stand_in.is_due(history)
            && let Ok(new) = while_held(fit_begins, || self.stand_in.refit(history))
        {
            self.stand_in = new;
        }
        self
    }
}

fn while_held<T, R>(begins: &impl Fn() -> T, fit: impl FnOnce() -> R) -> R {
    let _held = begins();
    fit()
}

fn is_plain(model: ModelName) -> bool {
    matches!(model, ModelName::Persistence | ModelName::SeasonalNaiveWeek)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::tz::TimeZone;
    use series::{Quantile, Seasons, Step};

    use super::*;
    use crate::testing::{MONDAY, normals, series};

    const STEP: Step = Step::MINUTE;
    const DAY: usize = 1440;

    /// Days that come back, and a little that does not.
    fn loads() -> Vec<f64> {
        let phase = |index: usize| (index % DAY) as f64 / DAY as f64 * std::f64::consts::TAU;
        let noise = normals(1, 5 * DAY);
        noise.iter().enumerate().map(|(index, noise)| 200.0 + 100.0 * phase(index).sin() + 5.0 * noise).collect()
    }

    fn history(until: usize) -> Series {
        series(&loads()[..until].iter().copied().map(Some).collect::<Vec<_>>())
    }

    fn online(model: ModelChoice) -> OnlineForecaster {
        let (lead_time, timezone) = (Duration::from_mins(30), TimeZone::UTC);
        OnlineForecaster::new(Settings { lead_time, model, timezone, seasons: Seasons::Found, horizon: None })
    }

    /// A day and a half of forecasts that came out well.
    fn trusted(model: ModelChoice) -> OnlineForecaster {
        let mut online = online(model);
        for until in (3 * DAY..9 * DAY / 2).step_by(5) {
            online.renew(&history(until), || ());
        }
        online
    }

    /// As if so many forecasts had been `off` from a load that goes up and down.
    fn happens(online: &mut OnlineForecaster, times: u32, off: f64) {
        for turn in 0..times {
            let load = 200.0 + 10.0 * f64::from(turn % 7);
            online.standing.make_up(load + off, 190.0, load);
        }
    }

    #[test]
    fn a_model_whose_forecasts_came_out_worse_is_demoted_until_it_has_earned_its_place_again() {
        let mut online = trusted(ModelChoice::Auto);
        let chosen = online.verdict().unwrap().clone();
        assert!(!is_plain(chosen.model) && chosen.reason == ChoiceReason::LeastLoss, "{chosen:?}");
        let skill = online.skill().unwrap();
        assert!(skill.over_persistence() > 0.5, "{skill:?}");

        // as if every forecast of the last day had been off by half
        let until = 9 * DAY / 2 + 5;
        happens(&mut online, 288, -100.0);
        let grown = history(until);
        assert_eq!(online.renew(&grown, || ()).forecast.unwrap().model(), ModelName::Persistence);
        let verdict = online.verdict().unwrap();
        let since = grown.end().unwrap();
        assert_eq!(verdict.reason, ChoiceReason::Demoted { model: chosen.model, since });
        assert_eq!(verdict.model, ModelName::Persistence);

        // and then well again: still demoted while it only does as badly as before, and back once it does better
        assert!(online.skill().unwrap().over_persistence() < -0.1);
        happens(&mut online, 2000, -1.0);
        let forecast = online.renew(&history(until + 5), || ()).forecast.unwrap();
        assert_eq!((forecast.model(), online.verdict().unwrap().model), (chosen.model, chosen.model));
    }

    #[test]
    fn what_the_user_wrote_is_not_demoted() {
        let mut online = trusted(ModelChoice::Fixed(ModelName::Ridge));
        happens(&mut online, 288, -100.0);
        let forecast = online.renew(&history(9 * DAY / 2 + 5), || ()).forecast.unwrap();
        assert_eq!(forecast.model(), ModelName::Ridge);
        assert!(online.skill().unwrap().over_persistence() < -0.1, "but it is told");
    }

    #[test]
    fn what_persistence_says_has_hardly_a_skill_and_what_knows_the_future_has_all() {
        let mut online = trusted(ModelChoice::Fixed(ModelName::Persistence));
        let skill = online.skill().unwrap();
        // its quantiles know the hour
        assert!((0.0..0.3).contains(&skill.over_persistence()), "{skill:?}");
        assert!((skill.coverage_90 - 0.9).abs() < 0.08 && skill.coverage_99 > 0.95, "{skill:?}");
        happens(&mut online, 5000, 0.0);
        assert!(online.skill().unwrap().over_persistence() > 0.999);
    }

    #[test]
    fn losses_are_of_what_was_foretold_a_lead_time_before() {
        let (mut online, loads) = (online(ModelChoice::Auto), loads());
        let (mut foretold, mut losses) = (Vec::new(), Vec::new());
        for until in (3 * DAY..7 * DAY / 2).step_by(5) {
            let known = history(until);
            let forecast = online.renew(&known, || ()).forecast.unwrap();
            let due = STEP.shift(forecast.origin(), 31);
            let quantiles =
                [0.5, 0.9, 0.99].map(|level| forecast.quantile(due, Quantile::new(level).unwrap()).unwrap());
            foretold.push((due, quantiles));
            while let Some(&(due, quantiles)) = foretold.first().filter(|(due, _)| *due <= known.end().unwrap()) {
                let actual = loads[usize::try_from((due.as_second() - MONDAY) / 60).unwrap()];
                let each = [0.5, 0.9, 0.99].into_iter().zip(quantiles);
                losses.push(
                    each.map(|(level, quantile)| Quantile::new(level).unwrap().pinball(actual, quantile.get()))
                        .sum::<f64>()
                        / 3.0,
                );
                foretold.remove(0);
            }
        }
        // half-lives of half a day, at five minutes
        let fade = 0.5_f64.powf(1.0 / 144.0);
        let faded = |value: fn(f64) -> f64| losses.iter().fold(0.0, |sum, &loss| sum * fade + value(loss));
        let expected = faded(|loss| loss) / faded(|_| 1.0);
        let skill = online.skill().unwrap();
        assert!((skill.loss / expected - 1.0).abs() < 1e-6, "{} is not {expected}", skill.loss);
    }

    /// As what is kept of `online` is read by the next process.
    fn restarted(online: &OnlineForecaster) -> OnlineForecaster {
        let text = serde_json::to_string(&online.learned().unwrap()).unwrap();
        OnlineForecaster::resume(online.settings.clone(), serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn a_restart_is_a_new_fit_that_has_forgotten_nothing() {
        let mut online = trusted(ModelChoice::Auto);
        let known = history(9 * DAY / 2);
        online.renew(&known, || ());
        let refit = online.fitted.as_ref().unwrap().refit(&known).unwrap().forecast(&known).unwrap();
        let mut after = restarted(&online);
        assert_eq!(after.renew(&known, || ()).forecast.unwrap(), refit);
        assert_eq!(after.skill(), online.skill());
        let fresh = fit(&known, &online.settings).unwrap().forecast(&known).unwrap();
        assert_ne!(fresh, refit, "there was something to learn");
        // and what was foretold before it is still held against what comes
        let grown = history(9 * DAY / 2 + 30);
        online.renew(&grown, || ());
        after.renew(&grown, || ());
        assert_eq!(after.skill(), online.skill());
    }

    #[test]
    fn a_model_that_was_demoted_stays_so_over_a_restart_as_long_as_without_one() {
        let mut online = trusted(ModelChoice::Auto);
        happens(&mut online, 288, -100.0);
        let since = history(9 * DAY / 2 + 5).end().unwrap();
        online.renew(&history(9 * DAY / 2 + 5), || ());
        // until it loses more than the plain one, but not so much more that it would be demoted for it
        while online.skill().unwrap().over_persistence() < -0.05 {
            happens(&mut online, 7, -1.0);
        }
        assert!(online.skill().unwrap().over_persistence() < 0.0);
        let mut after = restarted(&online);
        after.renew(&history(9 * DAY / 2 + 10), || ());
        let reason = &after.verdict().unwrap().reason;
        assert!(matches!(reason, ChoiceReason::Demoted { since: then, .. } if *then == since), "{reason:?}");
        happens(&mut after, 2000, -1.0);
        after.renew(&history(9 * DAY / 2 + 15), || ());
        assert!(!matches!(after.verdict().unwrap().reason, ChoiceReason::Demoted { .. }));
    }
}
