//! [`Amount`]: a load that is kept for long, in four bytes.

use series::Load;

/// A load in single precision, or none.
///
/// What is kept of every minute must be small; NaN stands for "not known" inside, and only [`Amount::known`] reads it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Amount(f32);

impl Amount {
    /// The amount, where it is known.
    pub(crate) fn known(self) -> Option<f32> {
        (!self.0.is_nan()).then_some(self.0)
    }
}

impl Default for Amount {
    fn default() -> Self {
        Self(f32::NAN)
    }
}

impl PartialEq for Amount {
    fn eq(&self, other: &Self) -> bool {
        self.known() == other.known()
    }
}

impl From<f32> for Amount {
    fn from(amount: f32) -> Self {
        Self(amount)
    }
}

impl From<Load> for Amount {
    #[expect(clippy::cast_possible_truncation, reason = "a load is far inside the range of single precision")]
    fn from(load: Load) -> Self {
        Self(load.get() as f32)
    }
}

impl<T: Into<Self>> From<Option<T>> for Amount {
    fn from(amount: Option<T>) -> Self {
        amount.map_or_else(Self::default, Into::into)
    }
}
