//! [`Learned`]: the sums over the samples, and the curve of the week that an elastic net makes of them.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_elasticnet::ElasticNet;
use linfa_linalg::cholesky::CholeskyInplace;
use linfa_linalg::triangular::{SolveTriangularInplace, UPLO};
use ndarray::{Array1, Array2, Axis, Slice};

use super::week::Week;
use crate::past::Past;

/// `α`
const PENALTY: f64 = 1e-3;
/// `ρ`
const L1_RATIO: f64 = 0.5;
/// Coefficients are found to this part of the largest.
const TOLERANCE: f64 = 1e-4;
const MOST_SWEEPS: u32 = 200;
/// Added to the diagonal, so that waves a short history cannot tell apart have a solution.
const LEAST_CURVATURE: f64 = 1e-7;
/// A target that varies less than this varies by rounding only.
const LEAST_VARIANCE: f64 = 1e-18;

/// Sums over the known samples of all nodes, from which the normal equations follow.
#[derive(Debug, Clone)]
pub(super) struct Learned {
    /// The next index to learn from.
    next: usize,
    samples: f64,
    features: Array1<f64>,
    target: f64,
    target_squares: f64,
    gram: Array2<f64>,
    cross: Array1<f64>,
}

impl Learned {
    /// Nothing yet; the first sample will be that at `first`.
    pub(super) fn from(first: usize, week: &Week) -> Self {
        let width = week.features.ncols();
        Self {
            next: first,
            samples: 0.0,
            features: Array1::zeros(width),
            target: 0.0,
            target_squares: 0.0,
            gram: Array2::zeros((width, width)),
            cross: Array1::zeros(width),
        }
    }

    /// Learns from the known samples up to and including `until`.
    pub(super) fn extend(&mut self, past: &Past, week: &Week, until: usize) {
        // samples of one node in a row are one row of the regression, with their number for a weight
        let mut rows: Vec<(usize, f64, f64)> = Vec::new();
        for index in self.next..=until {
            if !past.is_known(index) {
                continue;
            }
            let (node, value) = (week.node(index), past.value(index));
            self.target_squares += value * value;
            match rows.last_mut() {
                Some((last, count, sum)) if *last == node => (*count, *sum) = (*count + 1.0, *sum + value),
                _ => rows.push((node, 1.0, value)),
            }
        }
        self.next = self.next.max(until + 1);
        let places: Vec<usize> = rows.iter().map(|(node, ..)| *node).collect();
        let counts: Array1<f64> = rows.iter().map(|(_, count, _)| *count).collect();
        let sums: Array1<f64> = rows.iter().map(|(.., sum)| *sum).collect();
        let features = week.features.select(Axis(0), &places);
        let weighted = &features * &counts.view().insert_axis(Axis(1));
        self.samples += counts.sum();
        self.target += sums.sum();
        self.features += &weighted.sum_axis(Axis(0));
        self.gram += &weighted.t().dot(&features);
        self.cross += &features.t().dot(&sums);
    }

    /// The height of the curve at each node, made of the first `columns` features. `None` where nothing was learned.
    ///
    /// The net asks for `|y − Xb|²` alone, and that is `|z − Rb|²` and a constant, with `RᵀR` the Gram matrix and `Rᵀz` the cross sums: as many
    /// rows as features stand for all samples.
    pub(super) fn curve(&self, week: &Week, columns: usize) -> Option<Vec<f64>> {
        if self.samples < 1.0 {
            return None;
        }
        let mean = self.target / self.samples;
        let variance = self.target_squares / self.samples - mean * mean;
        if variance.is_nan() || variance <= LEAST_VARIANCE {
            return Some(vec![mean; week.nodes()]);
        }
        let deviation = variance.sqrt();
        let means = self.features.slice_axis(Axis(0), Slice::from(..columns)).to_owned() / self.samples;
        let mut factor = Array2::from_shape_fn((columns, columns), |(i, j)| {
            let curvature = if i == j { LEAST_CURVATURE } else { 0.0 };
            self.gram[(i, j)] / self.samples - means[i] * means[j] + curvature
        });
        let mut right =
            Array2::from_shape_fn((columns, 1), |(i, _)| (self.cross[i] / self.samples - means[i] * mean) / deviation);
        factor.cholesky_inplace().ok()?;
        factor.solve_triangular_inplace(&mut right, UPLO::Lower).ok()?;
        // the net divides by the number of its rows
        let root = (columns as f64).sqrt();
        let rows = DatasetBase::new((factor * root).reversed_axes(), right.column(0).to_owned() * root);
        let net = ElasticNet::params()
            .penalty(PENALTY)
            .l1_ratio(L1_RATIO)
            .with_intercept(false)
            .tolerance(TOLERANCE)
            .max_iterations(MOST_SWEEPS)
            .fit(&rows)
            .ok()?;
        let coefficients = net.hyperplane() * deviation;
        let level = mean - coefficients.dot(&means);
        let heights = week.features.slice_axis(Axis(1), Slice::from(..columns)).dot(&coefficients) + level;
        heights.iter().all(|height| height.is_finite()).then(|| heights.to_vec())
    }
}
