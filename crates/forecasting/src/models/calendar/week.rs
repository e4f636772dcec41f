//! [`Week`]: where a time lies in the week of the wall clock, and the waves of the day and the week there.

use std::f64::consts::TAU;

use ndarray::Array2;

use crate::past::Past;

const DAY_SECONDS: i64 = 86_400;
const NODE_SECONDS: i64 = 900;
/// A coarser day has no shape.
const FEWEST_NODES: usize = 4;
/// Waves a day at most.
const DAY_WAVES: usize = 12;
/// Waves a week: its own, and those by which the first waves of the day change over the week.
const WEEK_WAVES: [usize; 11] = [1, 2, 3, 5, 6, 8, 9, 12, 13, 15, 16];

/// The week cut into nodes, each with the features that stand for it. The week begins with the first day of the history, whichever it is.
#[derive(Debug, Clone)]
pub(super) struct Week {
    /// Nodes of a day.
    day: usize,
    /// Where in its node the mean of the samples of a node lies.
    middle: f64,
    /// One row per node: cosine and sine of each wave, those of the day first.
    pub(super) features: Array2<f64>,
    /// How many of the columns are those of the day.
    pub(super) day_columns: usize,
    /// The node of each index of the history and a little beyond, with a fraction.
    positions: Vec<f64>,
}

impl Week {
    /// The weeks of `past`, through `beyond` steps after its end; `None` where the step is too coarse.
    pub(super) fn of(past: &Past, beyond: usize) -> Option<Self> {
        let calendar = past.calendar();
        let step = i64::from(calendar.step().seconds());
        let day = usize::try_from(DAY_SECONDS / NODE_SECONDS.max(step)).unwrap_or(0);
        if day < FEWEST_NODES {
            return None;
        }
        let day_waves = DAY_WAVES.min(day / 2 - 1);
        let mut waves: Vec<usize> = (1..=day_waves).map(|wave| 7 * wave).collect();
        waves.extend(WEEK_WAVES.iter().filter(|&&wave| wave < 7 * day_waves));
        let nodes = 7 * day;
        let wave: Vec<(f64, f64)> = (0..nodes).map(|node| (TAU * node as f64 / nodes as f64).sin_cos()).collect();
        let features = Array2::from_shape_fn((nodes, 2 * waves.len()), |(node, column)| {
            let (sine, cosine) = wave[node * waves[column / 2] % nodes];
            if column % 2 == 0 { cosine } else { sine }
        });
        let per_second = day as f64 / DAY_SECONDS as f64;
        let first = calendar.second_of_day(0);
        let position = |index: usize| {
            let second = calendar.second_of_day(index);
            // whole days since the first local midnight; a change of the clocks leaves a rest, which rounding drops
            let elapsed = first + i64::try_from(index).unwrap_or(0) * step - second;
            let days = ((elapsed + DAY_SECONDS / 2) / DAY_SECONDS) % 7;
            days as f64 * day as f64 + second as f64 * per_second
        };
        Some(Self {
            day,
            middle: (1.0 - step as f64 * per_second) / 2.0,
            features,
            day_columns: 2 * day_waves,
            positions: (0..=past.last() + beyond).map(position).collect(),
        })
    }

    /// How many nodes there are.
    pub(super) fn nodes(&self) -> usize {
        7 * self.day
    }

    /// The node of index `index`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a position is from 0 through the nodes of a week"
    )]
    pub(super) fn node(&self, index: usize) -> usize {
        (self.positions[index] as usize).min(self.nodes() - 1)
    }

    /// What a curve through `table`, one height per node, is at `index`: along straight lines between the middles of the nodes.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a position is from 0 through the nodes of a week"
    )]
    pub(super) fn read(&self, table: &[f64], index: usize) -> f64 {
        let position = self.positions[index] - self.middle;
        let position = if position < 0.0 { position + self.nodes() as f64 } else { position };
        let left = (position as usize).min(self.nodes() - 1);
        let right = if left + 1 == self.nodes() { 0 } else { left + 1 };
        table[left] + (table[right] - table[left]) * (position - left as f64)
    }
}
