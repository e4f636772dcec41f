//! [`Load`]: an amount of work, in the unit of the user's query.

use serde::{Deserialize, Serialize};

/// An amount of load in the unit of the user's query (requests per second, say): finite and at most [`Load::MAX`] in size.
///
/// May be negative where a query is (a difference of two rates); what is published never is.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Load(f64);

impl Load {
    /// No load.
    pub const ZERO: Self = Self(0.0);

    /// The largest load that reaches an HPA unharmed: KEDA up to 2.19 carries thousandths of it in an `int64`.
    pub const MAX: f64 = 9.2e15;

    /// The load `amount`, where that is finite and at most [`Load::MAX`] in size.
    ///
    /// # Errors
    /// [`LoadError`] for NaN, infinities and anything beyond [`Load::MAX`].
    pub fn new(amount: f64) -> Result<Self, LoadError> {
        if amount.abs() <= Self::MAX { Ok(Self(amount)) } else { Err(LoadError(amount)) }
    }

    /// The amount, in the unit of the user's query.
    pub fn get(self) -> f64 {
        self.0
    }

    /// In single precision: to a relative 6·10⁻⁸.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding is what it is for; a load is far inside the range of single precision"
    )]
    pub(crate) fn rounded(self) -> f32 {
        self.0 as f32
    }

    /// The same, but never below the load itself: of what is to be ready for.
    pub(crate) fn rounded_up(self) -> f32 {
        let near = self.rounded();
        if f64::from(near) < self.0 { near.next_up() } else { near }
    }

    /// What was [`rounded`](Self::rounded), or lies between such loads; `None` for NaN alone.
    pub(crate) fn unrounded(amount: f64) -> Option<Self> {
        // rounding may carry the largest load out
        Self::new(amount.clamp(-Self::MAX, Self::MAX)).ok()
    }

    /// The larger of two loads.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }
}

impl std::fmt::Display for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Load> for f64 {
    fn from(load: Load) -> Self {
        load.0
    }
}

impl TryFrom<f64> for Load {
    type Error = LoadError;

    fn try_from(amount: f64) -> Result<Self, LoadError> {
        Self::new(amount)
    }
}

/// A number that is no load.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} is no load: it must be finite and at most 9.2e15 in size, the most that KEDA can carry")]
pub struct LoadError(f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rounded_up_is_never_below_and_hardly_above() {
        for amount in [0.0, 0.1, -0.1, 58_381_518.0, 58_381_519.0, 1e-60, Load::MAX, -Load::MAX, 2.5] {
            let up = f64::from(Load::new(amount).unwrap().rounded_up());
            assert!(up >= amount && up - amount <= 1.3e-7 * amount.abs() + 2e-45, "{amount} {up}");
        }
    }

    #[test]
    fn only_what_keda_can_carry_is_a_load() {
        for amount in [0.0, -3.5, 1e-9, 1e12, Load::MAX, -Load::MAX] {
            assert_eq!(Load::new(amount).unwrap().get().to_bits(), amount.to_bits());
        }
        for amount in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 9.3e15, -9.3e15] {
            assert!(Load::new(amount).is_err(), "{amount}");
        }
    }
}
