//! [`ServiceLevel`]: how sure the fleet must be to be large enough.

use serde::{Deserialize, Serialize};
use series::Quantile;

/// How sure the fleet must be to be large enough, in one of the three ways a user can say it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum ServiceLevel {
    /// Share of time with enough pods (`slo`).
    Slo(Quantile),
    /// The quantile of the demand to be ready for (`quantile`).
    Quantile(Quantile),
    /// What a missing pod costs, in units of what a surplus pod costs (`costRatio`).
    CostRatio(f64),
}

impl ServiceLevel {
    /// The lowest level: a fleet that is as often too small as too large.
    pub const LOWEST: f64 = 0.5;

    /// The highest level: beyond it a history of weeks holds too few samples to tell.
    pub const HIGHEST: f64 = 0.999;

    /// Enough pods for `share` of the time, from [`ServiceLevel::LOWEST`] to [`ServiceLevel::HIGHEST`].
    ///
    /// # Errors
    /// [`ServiceLevelError::Share`] outside that range.
    pub fn slo(share: f64) -> Result<Self, ServiceLevelError> {
        checked(share).map(Self::Slo).ok_or(ServiceLevelError::Share)
    }

    /// Ready for the `level` quantile of demand, from [`ServiceLevel::LOWEST`] to [`ServiceLevel::HIGHEST`].
    ///
    /// # Errors
    /// [`ServiceLevelError::Share`] outside that range.
    pub fn of_quantile(level: f64) -> Result<Self, ServiceLevelError> {
        checked(level).map(Self::Quantile).ok_or(ServiceLevelError::Share)
    }

    /// A missing pod costs `ratio` times what a surplus pod costs, `1 ≤ ratio ≤ 999`.
    ///
    /// # Errors
    /// [`ServiceLevelError::CostRatio`] outside that range.
    pub fn cost_ratio(ratio: f64) -> Result<Self, ServiceLevelError> {
        if (1.0..=999.0).contains(&ratio) { Ok(Self::CostRatio(ratio)) } else { Err(ServiceLevelError::CostRatio) }
    }

    /// The quantile of demand to be ready for.
    ///
    /// A cost ratio `r = c_u / c_o` gives the newsvendor's critical fractile `c_u / (c_u + c_o) = r / (1 + r)`
    /// (Bassamboo, Randhawa and Zeevi, Management Science 56(10), 2010, for capacity under an uncertain rate).
    pub fn quantile(self) -> Quantile {
        match self {
            Self::Slo(level) | Self::Quantile(level) => level,
            Self::CostRatio(ratio) => Quantile::new(ratio / (1.0 + ratio)).unwrap_or(Quantile::MEDIAN),
        }
    }
}

impl std::fmt::Display for ServiceLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Slo(share) => write!(f, "slo {}%", (share.get() * 1e6).round() / 1e4),
            Self::Quantile(level) => write!(f, "quantile {level}"),
            Self::CostRatio(ratio) => write!(f, "cost ratio {ratio}"),
        }
    }
}

/// A service level as it is written down; not yet held to its range.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    Slo(f64),
    Quantile(f64),
    CostRatio(f64),
}

impl From<ServiceLevel> for Written {
    fn from(level: ServiceLevel) -> Self {
        match level {
            ServiceLevel::Slo(share) => Self::Slo(share.get()),
            ServiceLevel::Quantile(level) => Self::Quantile(level.get()),
            ServiceLevel::CostRatio(ratio) => Self::CostRatio(ratio),
        }
    }
}

impl TryFrom<Written> for ServiceLevel {
    type Error = ServiceLevelError;

    fn try_from(written: Written) -> Result<Self, ServiceLevelError> {
        match written {
            Written::Slo(share) => Self::slo(share),
            Written::Quantile(level) => Self::of_quantile(level),
            Written::CostRatio(ratio) => Self::cost_ratio(ratio),
        }
    }
}

fn checked(level: f64) -> Option<Quantile> {
    let allowed = (ServiceLevel::LOWEST..=ServiceLevel::HIGHEST).contains(&level);
    allowed.then(|| Quantile::new(level).ok()).flatten()
}

/// A service level that cannot be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ServiceLevelError {
    /// A share or quantile outside 0.5 to 0.999.
    #[error("must lie from 0.5 (50%) to 0.999 (99.9%)")]
    Share,
    /// A cost ratio outside 1 to 999.
    #[error("must lie from 1 to 999")]
    CostRatio,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_ratio_is_the_newsvendors_fractile() {
        assert_eq!(ServiceLevel::cost_ratio(1.0).unwrap().quantile().get(), 0.5);
        assert_eq!(ServiceLevel::cost_ratio(9.0).unwrap().quantile().get(), 0.9);
        assert_eq!(ServiceLevel::cost_ratio(999.0).unwrap().quantile().get(), 0.999);
    }

    #[test]
    fn levels_outside_the_range_are_refused() {
        for level in [0.0, 0.499, 0.9991, 1.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(ServiceLevel::slo(level), Err(ServiceLevelError::Share), "{level}");
            assert_eq!(ServiceLevel::of_quantile(level), Err(ServiceLevelError::Share), "{level}");
        }
        for ratio in [0.0, 0.99, 999.1, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(ServiceLevel::cost_ratio(ratio), Err(ServiceLevelError::CostRatio), "{ratio}");
        }
    }

    #[test]
    fn what_was_written_down_comes_back_and_what_is_out_of_range_does_not() {
        let levels = [ServiceLevel::slo(0.995), ServiceLevel::of_quantile(0.9), ServiceLevel::cost_ratio(19.0)];
        for level in levels.map(Result::unwrap) {
            let text = serde_json::to_string(&level).unwrap();
            assert_eq!(serde_json::from_str::<ServiceLevel>(&text).unwrap(), level, "{text}");
        }
        for text in [r#"{"slo":1.0}"#, r#"{"quantile":0.4}"#, r#"{"cost_ratio":0.5}"#, r#"{"cost_ratio":null}"#] {
            assert!(serde_json::from_str::<ServiceLevel>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shares_read_as_people_write_them() {
        assert_eq!(ServiceLevel::slo(0.995).unwrap().to_string(), "slo 99.5%");
    }
}
