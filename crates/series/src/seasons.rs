//! [`Seasons`]: after how long a load repeats itself, found or stated.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Step;

/// After how long the load repeats itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seasons {
    /// The day and the week, and a shorter period where the load shows one.
    #[default]
    Found,
    /// These and no others. Each is a whole number of steps, at least three; 24 hours and 7 days are those of the wall clock.
    Stated(Vec<Duration>),
}

impl Seasons {
    /// The season that is the day of the wall clock.
    pub const DAY: Duration = Duration::from_hours(24);
    /// The season that is the week of the wall clock.
    pub const WEEK: Duration = Duration::from_hours(7 * 24);
    /// A season of fewer steps has no shape.
    pub const FEWEST_STEPS: u32 = 3;

    /// Whether a `season` can be told in samples `step` apart: whether it is a whole number of them, at least [`Self::FEWEST_STEPS`].
    pub fn suits(season: Duration, step: Step) -> bool {
        let seconds = u64::from(step.seconds());
        season.subsec_nanos() == 0
            && season.as_secs().is_multiple_of(seconds)
            && season.as_secs() >= u64::from(Self::FEWEST_STEPS) * seconds
    }

    /// Whether the day and the week are among them and nothing else is stated, which is what periodic autoregression knows.
    pub fn are_day_and_week(&self) -> bool {
        match self {
            Self::Found => true,
            Self::Stated(stated) => {
                [Self::DAY, Self::WEEK].iter().all(|season| stated.contains(season))
                    && stated.iter().all(|season| [Self::DAY, Self::WEEK].contains(season))
            }
        }
    }
}
