//! [`Seasons`]: after how long a load repeats itself, found or stated.

use std::time::Duration;

use series::NoForecast;

use crate::models::seasonal_naive::SeasonalNaive;
use crate::past::Past;
use crate::periods;

const DAY: Duration = Duration::from_hours(24);
const WEEK: Duration = Duration::from_hours(7 * 24);
/// A shorter season has no shape.
const FEWEST_STEPS: u64 = 3;

/// After how long the load repeats itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Seasons {
    /// The day and the week, and a shorter period where the load shows one.
    #[default]
    Found,
    /// These and no others. Each is a whole number of steps, at least three; 24 hours and 7 days are those of the wall clock.
    Stated(Vec<Duration>),
}

/// The seasons of one history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// The day, the week, both or none.
    pub(crate) days: Vec<SeasonalNaive>,
    /// Others, in steps.
    pub(crate) periods: Vec<usize>,
}

impl Seasons {
    /// Whether the day and the week are among them and nothing else is stated, which is what periodic autoregression knows.
    pub fn are_day_and_week(&self) -> bool {
        match self {
            Self::Found => true,
            Self::Stated(stated) => {
                [DAY, WEEK].iter().all(|season| stated.contains(season))
                    && stated.iter().all(|season| [DAY, WEEK].contains(season))
            }
        }
    }

    /// The seasons of `past`.
    ///
    /// # Errors
    /// [`NoForecast::Failed`] with every stated season that does not suit the step.
    pub(crate) fn of(&self, past: &Past) -> Result<Found, NoForecast> {
        let Self::Stated(stated) = self else {
            let days = vec![SeasonalNaive::Day, SeasonalNaive::Week];
            return Ok(Found { days, periods: periods::find(past).into_iter().collect() });
        };
        let step = past.calendar().step();
        let seconds = u64::from(step.seconds());
        let suits = |season: &&Duration| {
            season.subsec_nanos() == 0
                && season.as_secs().is_multiple_of(seconds)
                && season.as_secs() >= FEWEST_STEPS * seconds
        };
        let unsuited: Vec<String> =
            stated.iter().filter(|season| !suits(season)).map(|season| format!("{} s", season.as_secs_f64())).collect();
        if !unsuited.is_empty() {
            let seasons = unsuited.join(", ");
            return Err(NoForecast::Failed(format!(
                "a season must be a whole number of steps of {step}, at least 3: {seasons}"
            )));
        }
        let mut found = Found { days: Vec::new(), periods: Vec::new() };
        for season in stated {
            match *season {
                DAY => found.days.push(SeasonalNaive::Day),
                WEEK => found.days.push(SeasonalNaive::Week),
                other => found.periods.push(step.count_in(other)),
            }
        }
        found.days.sort_unstable_by_key(|season| season.days());
        found.days.dedup();
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::past;

    fn hours(hours: u64) -> Duration {
        Duration::from_hours(hours)
    }

    #[test]
    fn stated_seasons_are_those_and_no_others() {
        let past = past(&vec![Some(1.0); 3000]);
        let stated = |seasons: &[Duration]| Seasons::Stated(seasons.to_vec()).of(&past).unwrap();
        let both = stated(&[hours(7 * 24), hours(8), hours(24)]);
        assert_eq!(both, Found { days: vec![SeasonalNaive::Day, SeasonalNaive::Week], periods: vec![480] });
        assert_eq!(stated(&[]), Found { days: vec![], periods: vec![] });
        let found = Seasons::Found.of(&past).unwrap();
        assert_eq!(found, Found { days: vec![SeasonalNaive::Day, SeasonalNaive::Week], periods: vec![] });
    }

    #[test]
    fn every_season_that_does_not_suit_the_step_is_named() {
        let past = past(&vec![Some(1.0); 3000]);
        let seasons =
            Seasons::Stated(vec![Duration::from_secs(90), hours(24), Duration::from_secs(120), Duration::ZERO]);
        let error = seasons.of(&past).unwrap_err().to_string();
        assert!(["90 s", "120 s", ", 0 s", "60s"].iter().all(|part| error.contains(part)), "{error}");
        assert!(!error.contains("86400"), "{error}");
    }
}
