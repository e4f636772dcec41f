//! Names of the models, the user's choice among them, and the record of how the choice was made.

use serde::{Deserialize, Serialize};

/// A forecasting model, by the name that users write and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelName {
    /// The last value goes on.
    Persistence,
    /// The value of the same time yesterday comes back.
    SeasonalNaiveDay,
    /// The value of the same time last week comes back.
    SeasonalNaiveWeek,
    /// The middle of what the same time of the days before was, corrected by what it lately missed.
    SeasonalMedian,
    /// Exponential smoothing of level, damped trend and season.
    HoltWinters,
    /// Exponential smoothing of the seasonally adjusted load, drawn along its straight line.
    Theta,
    /// A smooth curve over day and week, corrected by what it lately missed.
    #[serde(rename = "calendar")]
    CalendarRegression,
    /// Ridge regression on lags, local levels and seasonal differences.
    Ridge,
    /// Autoregressions whose coefficients follow the time of the day, combined.
    #[serde(rename = "periodic")]
    PeriodicAutoregression,
}

impl ModelName {
    /// Every model, simplest first.
    pub const ALL: [Self; 9] = [
        Self::Persistence,
        Self::SeasonalNaiveDay,
        Self::SeasonalNaiveWeek,
        Self::SeasonalMedian,
        Self::HoltWinters,
        Self::Theta,
        Self::CalendarRegression,
        Self::Ridge,
        Self::PeriodicAutoregression,
    ];

    /// The name in metadata, metric labels and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Persistence => "persistence",
            Self::SeasonalNaiveDay => "seasonal-naive-day",
            Self::SeasonalNaiveWeek => "seasonal-naive-week",
            Self::SeasonalMedian => "seasonal-median",
            Self::HoltWinters => "holt-winters",
            Self::Theta => "theta",
            Self::CalendarRegression => "calendar",
            Self::Ridge => "ridge",
            Self::PeriodicAutoregression => "periodic",
        }
    }
}

impl std::fmt::Display for ModelName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for ModelName {
    type Err = UnknownModel;

    fn from_str(name: &str) -> Result<Self, UnknownModel> {
        Self::ALL.into_iter().find(|model| model.as_str() == name).ok_or(UnknownModel)
    }
}

/// A name that no model has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the models are persistence, seasonal-naive-day, seasonal-naive-week, seasonal-median, holt-winters, theta, calendar, \
     ridge, periodic"
)]
pub struct UnknownModel;

/// Which model forecasts a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelChoice {
    /// The one with the least quantile loss at the lead time, on the target's own past.
    #[default]
    Auto,
    /// The one the user wrote.
    Fixed(ModelName),
}

/// How a model did at the lead time, over rolling origins of the target's own past.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ModelScore {
    /// The model scored.
    pub model: ModelName,
    /// Mean pinball loss over the scored levels, in the unit of the load.
    pub pinball: f64,
    /// Mean absolute error of the median, in the unit of the load.
    pub absolute_error: f64,
}

/// Why a model was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChoiceReason {
    /// It had the least quantile loss at the lead time.
    LeastLoss,
    /// The history is too short to compare models; the simplest answers meanwhile.
    ShortHistory {
        /// Samples there are.
        samples: usize,
        /// Samples a comparison needs.
        needed: usize,
    },
    /// The user wrote its name.
    StatedByUser,
}

impl std::fmt::Display for ChoiceReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::LeastLoss => write!(f, "least quantile loss at the lead time"),
            Self::ShortHistory { samples, needed } => {
                write!(f, "history too short to compare models ({samples} of {needed} samples)")
            }
            Self::StatedByUser => write!(f, "stated in the metadata"),
        }
    }
}

/// Which model forecasts a target, why, and how all of them did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The model in force.
    pub model: ModelName,
    /// Why it is.
    pub reason: ChoiceReason,
    /// One score per model that the history allowed to compare, best first; empty where none could be.
    pub scores: Vec<ModelScore>,
}

impl Verdict {
    /// The score of the model in force, where it has one.
    pub fn score(&self) -> Option<&ModelScore> {
        self.scores.iter().find(|score| score.model == self.model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_from_their_text() {
        for model in ModelName::ALL {
            assert_eq!(model.as_str().parse(), Ok(model));
        }
        assert_eq!("Ridge".parse::<ModelName>(), Err(UnknownModel));
    }

    #[test]
    fn the_error_lists_every_name() {
        let text = UnknownModel.to_string();
        assert!(ModelName::ALL.iter().all(|model| text.contains(model.as_str())), "{text}");
    }
}
