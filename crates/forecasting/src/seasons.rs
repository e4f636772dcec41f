//! [`Found`]: after how long one history repeats itself, as models read it.

use series::{NoForecast, Seasons};

use crate::models::seasonal_naive::SeasonalNaive;
use crate::past::Past;
use crate::periods;

/// The seasons of one history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// The day, the week, both or none.
    pub(crate) days: Vec<SeasonalNaive>,
    /// Others, in steps.
    pub(crate) periods: Vec<usize>,
}

impl Found {
    /// The `seasons` of `past`.
    ///
    /// # Errors
    /// [`NoForecast::Failed`] with every stated season that does not suit the step.
    pub(crate) fn of(seasons: &Seasons, past: &Past) -> Result<Self, NoForecast> {
        let Seasons::Stated(stated) = seasons else {
            let days = vec![SeasonalNaive::Day, SeasonalNaive::Week];
            return Ok(Self { days, periods: periods::find(past).into_iter().collect() });
        };
        let step = past.calendar().step();
        let unsuited: Vec<String> = stated
            .iter()
            .filter(|season| !Seasons::suits(**season, step))
            .map(|season| format!("{} s", season.as_secs_f64()))
            .collect();
        if !unsuited.is_empty() {
            let seasons = unsuited.join(", ");
            return Err(NoForecast::Failed(format!(
                "a season must be a whole number of steps of {step}, at least {}: {seasons}",
                Seasons::FEWEST_STEPS
            )));
        }
        let mut found = Self { days: Vec::new(), periods: Vec::new() };
        for season in stated {
            match *season {
                Seasons::DAY => found.days.push(SeasonalNaive::Day),
                Seasons::WEEK => found.days.push(SeasonalNaive::Week),
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
    use std::time::Duration;

    use super::*;
    use crate::testing::past;

    fn hours(hours: u64) -> Duration {
        Duration::from_hours(hours)
    }

    #[test]
    fn stated_seasons_are_those_and_no_others() {
        let past = past(&vec![Some(1.0); 3000]);
        let stated = |seasons: &[Duration]| Found::of(&Seasons::Stated(seasons.to_vec()), &past).unwrap();
        let both = stated(&[hours(7 * 24), hours(8), hours(24)]);
        assert_eq!(both, Found { days: vec![SeasonalNaive::Day, SeasonalNaive::Week], periods: vec![480] });
        assert_eq!(stated(&[]), Found { days: vec![], periods: vec![] });
        let found = Found::of(&Seasons::Found, &past).unwrap();
        assert_eq!(found, Found { days: vec![SeasonalNaive::Day, SeasonalNaive::Week], periods: vec![] });
    }

    #[test]
    fn every_season_that_does_not_suit_the_step_is_named() {
        let past = past(&vec![Some(1.0); 3000]);
        let seasons =
            Seasons::Stated(vec![Duration::from_secs(90), hours(24), Duration::from_secs(120), Duration::ZERO]);
        let error = Found::of(&seasons, &past).unwrap_err().to_string();
        assert!(["90 s", "120 s", ", 0 s", "60s"].iter().all(|part| error.contains(part)), "{error}");
        assert!(!error.contains("86400"), "{error}");
    }
}
