//! Ridge regression in closed form, in the shape of linfa: parameters are checked before they can fit, and a fit can be
//! extended by further rows, as the moments it is made of are sums.

use linfa::ParamGuard;
use linfa::dataset::DatasetBase;
use linfa::traits::{Fit, FitWith, PredictInplace};
use linfa_linalg::LinalgError;
use linfa_linalg::cholesky::SolveCInplace;
use ndarray::{Array1, Array2, ArrayBase, Axis, Data, Ix1, Ix2};

/// The parameters before they are checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RidgeParams(RidgeValidParams);

/// Parameters that can fit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RidgeValidParams {
    penalty: f64,
}

/// A fitted regression, with the moments it was solved from.
#[derive(Debug, Clone)]
pub(crate) struct Regression {
    moments: Moments,
    intercept: f64,
    coefficients: Array1<f64>,
}

/// Sums over rows, of which everything else follows.
#[derive(Debug, Clone)]
struct Moments {
    rows: usize,
    /// Σ x
    features: Array1<f64>,
    /// Σ y
    target: f64,
    /// Σ x xᵀ
    gram: Array2<f64>,
    /// Σ x y
    cross: Array1<f64>,
}

/// Why there is no fit.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegressionError {
    /// The penalty is not positive and finite.
    #[error("the penalty {0} must be positive and finite")]
    Penalty(f64),
    /// There is no row to fit on.
    #[error("a regression needs at least one row")]
    NoRows,
    /// Other rows came before, of another width.
    #[error("rows of {got} features cannot extend a fit on {expected}")]
    Width {
        /// Features of the rows that came.
        got: usize,
        /// Features of the rows before.
        expected: usize,
    },
    /// The normal equations have no solution.
    #[error("the normal equations cannot be solved")]
    Unsolvable(#[from] LinalgError),
    /// An error of linfa's own.
    #[error("linfa refused the data")]
    Linfa(#[from] linfa::Error),
}

impl RidgeParams {
    /// A penalty λ on standardized coefficients, per row; `0 < λ`, finite.
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
        self.fit_with(None, rows)
    }
}

impl<'a, X: Data<Elem = f64>, Y: Data<Elem = f64>> FitWith<'a, ArrayBase<X, Ix2>, ArrayBase<Y, Ix1>, RegressionError>
    for RidgeValidParams
{
    type ObjectIn = Option<Regression>;
    type ObjectOut = Regression;

    fn fit_with(
        &self,
        former: Option<Regression>,
        rows: &'a DatasetBase<ArrayBase<X, Ix2>, ArrayBase<Y, Ix1>>,
    ) -> Result<Regression, RegressionError> {
        let mut moments = former.map_or_else(|| Moments::none(rows.records.ncols()), |former| former.moments);
        moments.add(&rows.records, &rows.targets)?;
        moments.solve(self.penalty)
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
    /// How many rows it was fitted on.
    pub(crate) fn rows(&self) -> usize {
        self.moments.rows
    }

    /// What it predicts for one row of features.
    pub(crate) fn change(&self, row: &[f64]) -> f64 {
        row.iter().zip(&self.coefficients).fold(self.intercept, |sum, (feature, weight)| sum + feature * weight)
    }
}

impl Moments {
    /// Features that vary less than this (on the root scale, where loads are near 1) vary by rounding only.
    const LEAST_VARIANCE: f64 = 1e-18;

    fn none(width: usize) -> Self {
        Self {
            rows: 0,
            features: Array1::zeros(width),
            target: 0.0,
            gram: Array2::zeros((width, width)),
            cross: Array1::zeros(width),
        }
    }

    fn add<X: Data<Elem = f64>, Y: Data<Elem = f64>>(
        &mut self,
        features: &ArrayBase<X, Ix2>,
        targets: &ArrayBase<Y, Ix1>,
    ) -> Result<(), RegressionError> {
        if features.ncols() != self.features.len() {
            return Err(RegressionError::Width { got: features.ncols(), expected: self.features.len() });
        }
        if features.nrows() != targets.len() {
            return Err(linfa::Error::MismatchedShapes(features.nrows(), targets.len()).into());
        }
        self.rows += features.nrows();
        self.features += &features.sum_axis(Axis(0));
        self.target += targets.sum();
        self.gram += &features.t().dot(features);
        self.cross += &features.t().dot(targets);
        Ok(())
    }

    /// The coefficients that minimize `Σ (y − a − b·x)² / n + λ Σ (σ_j b_j)²`:
    ///
    /// ```text
    /// (R + λI) β = r      R_ij = cov(x_i, x_j) / σ_i σ_j      r_j = cov(x_j, y) / σ_j      b_j = β_j / σ_j      a = ȳ − b·x̄
    /// ```
    ///
    /// A feature that does not vary gets the coefficient 0.
    fn solve(self, penalty: f64) -> Result<Regression, RegressionError> {
        if self.rows == 0 {
            return Err(RegressionError::NoRows);
        }
        let n = self.rows as f64;
        let means = &self.features / n;
        let target_mean = self.target / n;
        let variances = self.gram.diag().to_owned() / n - &means * &means;
        let scales =
            variances.mapv(|variance| if variance > Self::LEAST_VARIANCE { variance.sqrt().recip() } else { 0.0 });
        let width = means.len();
        let mut normal = Array2::from_shape_fn((width, width), |(i, j)| {
            (self.gram[(i, j)] / n - means[i] * means[j]) * scales[i] * scales[j]
        });
        normal.diag_mut().mapv_inplace(|variance| variance + penalty);
        let right = (&self.cross / n - &means * target_mean) * &scales;
        let solution = normal.solvec_into(right.insert_axis(Axis(1)))?;
        let coefficients = solution.column(0).to_owned() * &scales;
        let intercept = target_mean - coefficients.dot(&means);
        Ok(Regression { moments: self, intercept, coefficients })
    }
}
