//! [`Scale`]: the scale the models work on, where the noise of a quiet hour and of a busy one are of one size.

use series::{Load, Sample, Series};

/// A signed, shifted root of the load in units of its mean.
///
/// ```text
/// z(y) = sign(y) · (√(|y|/u + s) − √s)        y(z) = sign(z) · u · ((|z| + √s)² − s)
/// ```
///
/// `u` the mean size of the load, `s` = 0.1 the shift. Counts have a variance that grows with their level; the root takes that
/// growth away (Bartlett, JRSS Supplement 3, 1936; with a shift, Anscombe, Biometrika 35, 1948). The shift keeps
/// zeros and near-zeros from being torn apart, and makes the scale linear near 0; the sign carries negative loads along.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    unit: f64,
    /// The reciprocal of the unit.
    per_unit: f64,
}

impl Scale {
    /// A tenth of the mean: loads well below it are "quiet", and told apart linearly.
    const SHIFT: f64 = 0.1;

    /// The scale for a history; any scale is right for one without known samples.
    pub(crate) fn of(history: &Series) -> Self {
        let known = history.samples().filter_map(|sample| match sample {
            Sample::Value(load) => Some(load.get().abs()),
            Sample::Gap(_) => None,
        });
        let (count, mean) = known.fold((0.0, 0.0), |(count, mean): (f64, f64), size| {
            // a running mean: a sum of loads near the largest might leave the range of what is finite
            let count = count + 1.0;
            (count, mean + (size - mean) / count)
        });
        // so small a unit is as good as none, and keeps quotients finite
        let smallest = f64::MIN_POSITIVE.sqrt();
        let unit = if count > 0.0 && mean > smallest { mean } else { 1.0 };
        Self { unit, per_unit: unit.recip() }
    }

    /// From the scale to a load in units of the mean.
    pub(crate) fn relative(z: f64) -> f64 {
        let shift_root = Self::SHIFT.sqrt();
        (z.abs() * (z.abs() + 2.0 * shift_root)).copysign(z)
    }

    /// From a load in units of the mean to the scale.
    pub(crate) fn of_relative(load: f64) -> f64 {
        ((load.abs() + Self::SHIFT).sqrt() - Self::SHIFT.sqrt()).copysign(load)
    }

    /// How many times as large a load of `z` is as one of `of`, in roots.
    pub(crate) fn proportion(z: f64, of: f64) -> f64 {
        let shift_root = Self::SHIFT.sqrt();
        (z.abs() + shift_root) / (of.abs() + shift_root)
    }

    /// From a load to the scale.
    pub(crate) fn forward(self, load: f64) -> f64 {
        let root = (load.abs() * self.per_unit + Self::SHIFT).sqrt() - Self::SHIFT.sqrt();
        root.copysign(load)
    }

    /// From the scale back to a load, held inside what a [`Load`] can be; NaN stays NaN.
    pub(crate) fn backward(self, z: f64) -> f64 {
        let shift_root = Self::SHIFT.sqrt();
        // (|z| + √s)² − s, written so that nothing cancels near 0
        let size = z.abs() * (z.abs() + 2.0 * shift_root) * self.unit;
        size.copysign(z).clamp(-Load::MAX, Load::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::series;

    #[test]
    fn the_way_back_is_the_inverse() {
        for unit in [1e-9, 1.0, 1e12] {
            let scale = Scale::of(&series(&[Some(unit)]));
            for load in [0.0, 1e-6 * unit, -0.3 * unit, unit, -unit, 1000.0 * unit] {
                let relative = Scale::relative(scale.forward(load));
                // a series keeps its loads in single precision, and so the unit
                assert!((relative - load / unit).abs() <= 1e-7 * (load / unit).abs(), "{load} is {relative} means");
                assert!((Scale::of_relative(relative) - scale.forward(load)).abs() < 1e-12);
                let back = scale.backward(scale.forward(load));
                assert!((back - load).abs() <= 1e-9 * load.abs(), "{load} came back as {back}");
            }
        }
    }

    #[test]
    fn the_root_of_the_mean_is_solved_by_hand() {
        let scale = Scale::of(&series(&[Some(2.0), None, Some(6.0)]));
        assert!((scale.forward(4.0) - (1.1_f64.sqrt() - 0.1_f64.sqrt())).abs() < 1e-12);
        assert_eq!(scale.forward(0.0), 0.0);
        assert!((scale.forward(-4.0) + scale.forward(4.0)).abs() < 1e-12);
    }

    #[test]
    fn nothing_leaves_the_range_of_loads() {
        for amount in [0.0, 1e-300, Load::MAX] {
            let scale = Scale::of(&series(&[Some(amount)]));
            assert!(scale.forward(Load::MAX).is_finite());
            assert!(scale.backward(1e200).abs() <= Load::MAX);
            assert!(scale.backward(-1e200).abs() <= Load::MAX);
        }
    }
}
