//! [`Member`]: which lags and seasonal averages, on which scale.

/// The scale a member works on, of a load in units of its mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `sign(y) · (ln(|y| + s) − ln s)`, `s` = 0.01: effects multiply.
    Log,
    /// `y`: effects add.
    Raw,
}

/// Neighboring places `from..=to`, in steps, around whole `days` before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around {
    pub(super) days: usize,
    pub(super) from: isize,
    pub(super) to: isize,
}

/// One autoregression of the combination.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) shape: Shape,
    /// The lags 1 through this one.
    pub(super) recent: usize,
    /// Lags of these days, so many steps more.
    pub(super) lags: &'static [Around],
    /// Seasonal averages of these periods, so many steps after the target.
    pub(super) averages: &'static [Around],
}

/// Loads below a hundredth of the mean are told apart linearly.
const SHIFT: f64 = 0.01;

const fn around(days: usize, from: isize, to: isize) -> Around {
    Around { days, from, to }
}

/// The members for a history that shows its weeks.
static WEEKLY: [Member; 3] = [
    Member { shape: Shape::Log, recent: 4, lags: &[around(1, -2, 3)], averages: &[around(7, -2, 1)] },
    Member { shape: Shape::Raw, recent: 3, lags: &[around(1, -1, 2)], averages: &[around(1, -1, 1), around(7, -1, 1)] },
    Member {
        shape: Shape::Log,
        recent: 3,
        lags: &[around(1, -1, 1), around(7, -1, 1), around(8, -1, 1)],
        averages: &[],
    },
];

/// The members for a shorter one.
static DAILY: [Member; 2] = [
    Member { shape: Shape::Log, recent: 4, lags: &[around(1, -2, 3)], averages: &[] },
    Member { shape: Shape::Raw, recent: 3, lags: &[around(1, -1, 2)], averages: &[around(1, -1, 1)] },
];

impl Member {
    /// The members that `samples` samples, `day` of them a day, leave at least `rows` rows for.
    pub(super) fn set_for(samples: usize, day: usize, rows: usize) -> &'static [Self] {
        let weekly = WEEKLY.iter().all(|member| member.first(day) + rows <= samples);
        if weekly { &WEEKLY } else { &DAILY }
    }

    /// The first index at which all its regressors are there.
    pub(super) fn first(&self, day: usize) -> usize {
        let lag = |around: &Around| (around.days * day).saturating_add_signed(around.to);
        let average = |around: &Around| (around.days * day).saturating_add_signed(-around.from.min(0));
        let lags = self.lags.iter().map(lag).chain(self.averages.iter().map(average));
        lags.fold(self.recent, usize::max)
    }

    /// Whether it uses the average over periods of `days` days.
    pub(super) fn averages_over(&self, days: usize) -> bool {
        self.averages.iter().any(|around| around.days == days)
    }
}

impl Shape {
    /// From a relative load to the scale.
    pub(super) fn forward(self, load: f64) -> f64 {
        match self {
            Self::Log => ((load.abs() + SHIFT) / SHIFT).ln().copysign(load),
            Self::Raw => load,
        }
    }

    /// From the scale back to a relative load.
    pub(super) fn backward(self, value: f64) -> f64 {
        match self {
            Self::Log => (SHIFT * (value.abs().exp() - 1.0)).copysign(value),
            Self::Raw => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_the_inverse() {
        for shape in [Shape::Log, Shape::Raw] {
            for load in [0.0, 1e-6, 1.0, 500.0, -3.0] {
                assert!((shape.backward(shape.forward(load)) - load).abs() <= 1e-12 * (1.0 + load.abs()), "{load}");
            }
        }
    }

    #[test]
    fn regressors_begin_after_the_longest_lag() {
        assert_eq!(WEEKLY.each_ref().map(|member| member.first(24)), [170, 169, 193]);
        assert_eq!(DAILY.each_ref().map(|member| member.first(24)), [27, 26]);
        assert_eq!(Member::set_for(193 + 72, 24, 72).len(), WEEKLY.len());
        assert_eq!(Member::set_for(193 + 71, 24, 72).len(), DAILY.len());
    }
}
