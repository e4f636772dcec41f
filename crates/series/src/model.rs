//! Names of the models, the user's choice among them, and the record of how the choice was made.

use jiff::Timestamp;
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
    /// Another one was chosen, and its forecasts have lately come out worse than these would have.
    Demoted {
        /// The one that was chosen.
        model: ModelName,
        /// Since when it is demoted.
        since: Timestamp,
    },
}

impl std::fmt::Display for ChoiceReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::LeastLoss => write!(f, "least quantile loss at the lead time"),
            Self::ShortHistory { samples, needed } => {
                write!(f, "history too short to compare models ({samples} of {needed} samples)")
            }
            Self::StatedByUser => write!(f, "stated in the metadata"),
            Self::Demoted { model, since } => {
                write!(f, "in place of {model}, whose forecasts came out worse: demoted at {since:.0}")
            }
        }
    }
}

/// How the forecasts of a model came out at the lead time, beside two that need no model: mean quantile losses (pinball at .5, .9 and .99), in the unit of the
/// load, over what came true in the last day or so.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ForecastSkill {
    /// The loss of the model.
    pub loss: f64,
    /// What the value of a lead time before would have lost, with quantiles of what it missed in the last day.
    pub persistence_loss: f64,
    /// What the value of a week before would have lost, likewise; `None` where too little of that week is known.
    pub last_week_loss: Option<f64>,
    /// The share of samples at or below the .9 quantile that was foretold for them.
    pub coverage_90: f64,
    /// The same of the .99 quantile.
    pub coverage_99: f64,
}

impl ForecastSkill {
    /// The better of the two that need no model, and its loss.
    pub fn best_plain(&self) -> (ModelName, f64) {
        match self.last_week_loss {
            Some(loss) if loss < self.persistence_loss => (ModelName::SeasonalNaiveWeek, loss),
            _ => (ModelName::Persistence, self.persistence_loss),
        }
    }

    /// How much less than persistence the model loses, as a share: 0 is no better, 1 is never wrong, and below 0 is worse.
    pub fn over_persistence(&self) -> f64 {
        1.0 - self.loss / self.persistence_loss
    }

    /// The same against last week.
    pub fn over_last_week(&self) -> Option<f64> {
        self.last_week_loss.map(|loss| 1.0 - self.loss / loss)
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
