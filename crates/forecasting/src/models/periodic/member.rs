//! [`Member`]: which lags and seasonal averages, on which scale.

use super::clock::Season;

/// The scale a member works on, of a load in units of its mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `sign(y) · (ln(|y| + s) − ln s)`, `s` = 0.01: effects multiply.
    Log,
    /// `y`: effects add.
    Raw,
}

/// What neighboring places are counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Around {
    /// The target itself.
    Target,
    /// The same time the day before.
    Yesterday,
}

/// The values of one row at the places `from..=to`, in steps after what they are counted from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Regressors {
    /// The average over these seasons; `None`: the load itself.
    pub(super) average: Option<Season>,
    pub(super) around: Around,
    pub(super) from: isize,
    pub(super) to: isize,
}

/// One autoregression of the combination.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) shape: Shape,
    pub(super) regressors: &'static [Regressors],
}

/// Loads below a hundredth of the mean are told apart linearly.
const SHIFT: f64 = 0.01;

const RECENT: Regressors = Regressors { average: None, around: Around::Target, from: -5, to: -1 };
const YESTERDAY: Regressors = Regressors { average: None, around: Around::Yesterday, from: -5, to: 2 };
const USUAL_WEEK: Regressors = Regressors { average: Some(Season::Week), around: Around::Target, from: -2, to: 2 };
const USUAL_WEEK_YESTERDAY: Regressors =
    Regressors { average: Some(Season::Week), around: Around::Yesterday, from: -1, to: 1 };
const USUAL_DAY: Regressors = Regressors { average: Some(Season::Day), around: Around::Target, from: -2, to: 2 };

/// The members for a history that shows its weeks.
static WEEKLY: [Member; 2] = [
    Member { shape: Shape::Log, regressors: &[RECENT, YESTERDAY, USUAL_WEEK, USUAL_WEEK_YESTERDAY] },
    Member { shape: Shape::Raw, regressors: &[RECENT, YESTERDAY, USUAL_DAY] },
];

/// The members for a shorter one.
static DAILY: [Member; 2] = [
    Member { shape: Shape::Log, regressors: &[RECENT, YESTERDAY] },
    Member { shape: Shape::Raw, regressors: &[RECENT, YESTERDAY, USUAL_DAY] },
];

impl Member {
    /// The members that `samples` samples, `day` of them a day, leave at least `rows` rows for.
    pub(super) fn set_for(samples: usize, day: usize, rows: usize) -> &'static [Self] {
        let weekly = WEEKLY.iter().all(|member| member.first(day) + rows <= samples);
        if weekly { &WEEKLY } else { &DAILY }
    }

    /// The first index at which all its regressors are there.
    pub(super) fn first(&self, day: usize) -> usize {
        let seen = |one: &Regressors| {
            let back = if one.around == Around::Yesterday { day } else { 0 };
            let season = one.average.map_or(0, |season| season.days() * day);
            (season + back).saturating_add_signed(-one.from)
        };
        self.regressors.iter().map(seen).max().unwrap_or(0)
    }

    /// Whether it uses the average over these seasons.
    pub(super) fn averages_over(&self, season: Season) -> bool {
        self.regressors.iter().any(|one| one.average == Some(season))
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
        assert_eq!(WEEKLY.each_ref().map(|member| member.first(24)), [193, 29]);
        assert_eq!(DAILY.each_ref().map(|member| member.first(24)), [29, 29]);
        assert_eq!(Member::set_for(193 + 72, 24, 72)[0].first(24), 193);
        assert_eq!(Member::set_for(193 + 71, 24, 72)[0].first(24), 29);
    }
}
