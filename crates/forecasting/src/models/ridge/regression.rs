//! Ridge regression in closed form, in the shape of linfa: parameters are checked before they can fit. The moments that a fit is made of are
//! sums over rows, so that a part of the rows can be taken out of them again.

use linfa::ParamGuard;
use linfa::dataset::DatasetBase;
use linfa::traits::{Fit, PredictInplace};
use linfa_linalg::LinalgError;
use linfa_linalg::cholesky::SolveCInplace;
use ndarray::{Array1, Array2, ArrayBase, ArrayView1, ArrayView2, Axis, Data, Ix1, Ix2, Slice, concatenate};

/// The parameters before they are checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RidgeParams(RidgeValidParams);

/// Parameters that can fit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RidgeValidParams {
    penalty: f64,
}

/// A fitted regression.
#[derive(Debug, Clone)]
pub(crate) struct Regression {
    intercept: f64,
    coefficients: Array1<f64>,
}

/// Weighted sums over rows, of which everything else follows.
///
/// A row is `x₁ … xₙ, 1, y`: features, a one and the target. So the sums of products of its entries are all the sums there are:
///
/// ```text
/// Σ w x xᵀ   Σ w x   Σ w x y
///            Σ w     Σ w y
/// ```
#[derive(Debug, Clone)]
pub(crate) struct Moments(Array2<f64>);

/// Why there is no fit.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegressionError {
    /// The penalty is not positive and finite.
    #[error("the penalty {0} must be positive and finite")]
    Penalty(f64),
    /// There is no row to fit on.
    #[error("a regression needs at least one row")]
    NoRows,
    /// The normal equations have no solution.
    #[error("the normal equations cannot be solved")]
    Unsolvable(#[from] LinalgError),
    /// An error of linfa's own.
    #[error("linfa refused the data")]
    Linfa(#[from] linfa::Error),
}

impl RidgeParams {
    /// A penalty λ on standardized coefficients, per weight of a row; `0 < λ`, finite.
    pub(crate) fn new(penalty: f64) -> Self {
        Self(RidgeValidParams { penalty })
    }
}

impl ParamGuard for RidgeParams {
    type Checked = RidgeValidParams;
    type Error = RegressionError;

    fn check_ref(&self) -> Result<&RidgeValidParams, RegressionError> {
        let penalty = self.0.penalty;
        if penalty > 0.0 && penalty.is_finite() { Ok(&self.0) } else { Err(RegressionError::Penalty(penalty)) }
    }

    fn check(self) -> Result<RidgeValidParams, RegressionError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

impl<X: Data<Elem = f64>, Y: Data<Elem = f64>> Fit<ArrayBase<X, Ix2>, ArrayBase<Y, Ix1>, RegressionError>
    for RidgeValidParams
{
    type Object = Regression;

    fn fit(&self, rows: &DatasetBase<ArrayBase<X, Ix2>, ArrayBase<Y, Ix1>>) -> Result<Regression, RegressionError> {
        if rows.records.nrows() != rows.targets.len() {
            return Err(linfa::Error::MismatchedShapes(rows.records.nrows(), rows.targets.len()).into());
        }
        let weights: Vec<f64> = (0..rows.records.nrows()).map(|row| f64::from(rows.weight_for(row))).collect();
        let ones = Array2::ones((rows.records.nrows(), 1));
        let targets = rows.targets.view().insert_axis(Axis(1));
        let whole = concatenate(Axis(1), &[rows.records.view(), ones.view(), targets]).map_err(linfa::Error::from)?;
        self.solve(&Moments::weighted(whole.view(), &weights))
    }
}

impl<X: Data<Elem = f64>> PredictInplace<ArrayBase<X, Ix2>, Array1<f64>> for Regression {
    fn predict_inplace(&self, rows: &ArrayBase<X, Ix2>, targets: &mut Array1<f64>) {
        *targets = rows.dot(&self.coefficients) + self.intercept;
    }

    fn default_target(&self, rows: &ArrayBase<X, Ix2>) -> Array1<f64> {
        Array1::zeros(rows.nrows())
    }
}

impl Regression {
    /// What it predicts for one row of features.
    pub(crate) fn change(&self, row: &[f64]) -> f64 {
        self.intercept + ArrayView1::from(row).dot(&self.coefficients)
    }
}

impl Moments {
    /// How many entries of a row are no features.
    pub(crate) const BESIDE: usize = 2;

    /// What stands beside the features of a row with that target.
    pub(crate) fn beside(target: f64) -> [f64; Self::BESIDE] {
        [1.0, target]
    }

    /// The features of a row.
    pub(crate) fn features(row: &[f64]) -> &[f64] {
        &row[..row.len() - Self::BESIDE]
    }

    /// The target of a row.
    pub(crate) fn target(row: &[f64]) -> f64 {
        row[row.len() - 1]
    }

    /// The sums over `rows`, each of weight one.
    pub(crate) fn of(rows: ArrayView2<'_, f64>) -> Self {
        Self(rows.t().dot(&rows))
    }

    /// The sums over `rows` with one positive weight each.
    pub(crate) fn weighted(rows: ArrayView2<'_, f64>, weights: &[f64]) -> Self {
        let weighted = &rows * &ArrayView1::from(weights).insert_axis(Axis(1));
        Self(weighted.t().dot(&rows))
    }

    /// Adds the rows of `other`, which has as many features.
    pub(crate) fn add(&mut self, other: &Self) {
        self.0 += &other.0;
    }

    /// The sums without the rows of `part`.
    pub(crate) fn without(&self, part: &Self) -> Self {
        Self(&self.0 - &part.0)
    }
}

impl RidgeValidParams {
    /// Features that vary less than this (on the root scale, where loads are near 1) vary by rounding only.
    const LEAST_VARIANCE: f64 = 1e-18;

    /// The coefficients that minimize `Σ w (y − a − b·x)² / Σ w + λ Σ (σ_j b_j)²`:
    ///
    /// ```text
    /// (R + λI) β = r      R_ij = cov(x_i, x_j) / σ_i σ_j      r_j = cov(x_j, y) / σ_j      b_j = β_j / σ_j      a = ȳ − b·x̄
    /// ```
    ///
    /// A feature that does not vary gets the coefficient 0.
    ///
    /// # Errors
    /// [`RegressionError::NoRows`] without rows, [`RegressionError::Unsolvable`] where they hold what is not finite.
    pub(crate) fn solve(&self, moments: &Moments) -> Result<Regression, RegressionError> {
        let sums = &moments.0;
        let width = sums.nrows().saturating_sub(Moments::BESIDE);
        let (one, target) = (width, width + 1);
        let n = sums.get((one, one)).copied().unwrap_or(0.0);
        if n.partial_cmp(&0.0) != Some(std::cmp::Ordering::Greater) {
            return Err(RegressionError::NoRows);
        }
        let features = Slice::from(..width);
        let means = &sums.row(one).slice_axis_move(Axis(0), features) / n;
        let target_mean = sums[(one, target)] / n;
        let variances: Array1<f64> = (0..width).map(|j| sums[(j, j)] / n - means[j] * means[j]).collect();
        let scales =
            variances.mapv(|variance| if variance > Self::LEAST_VARIANCE { variance.sqrt().recip() } else { 0.0 });
        let mut normal = Array2::from_shape_fn((width, width), |(i, j)| {
            (sums[(i, j)] / n - means[i] * means[j]) * scales[i] * scales[j]
        });
        normal.diag_mut().mapv_inplace(|variance| variance + self.penalty);
        let cross = sums.row(target).slice_axis_move(Axis(0), features);
        let right = (&cross / n - &means * target_mean) * &scales;
        let solution = normal.solvec_into(right.insert_axis(Axis(1)))?;
        let coefficients = solution.column(0).to_owned() * &scales;
        let intercept = target_mean - coefficients.dot(&means);
        Ok(Regression { intercept, coefficients })
    }
}
