//! [`Gram`]: sums of products per phase of the day, additive over rows, and the smooth coefficients they solve to.

/// Pull toward the pooled fit (`κ`).
const POOLING: f64 = 0.25;
/// Deviation of the kernel `K`, as a share of the day: two hours.
const NEARNESS: f64 = 2.0 / 24.0;
/// The kernel is cut off at this many deviations.
const CUT: f64 = 3.0;
/// Share of the mean diagonal that is added to it (`ε`).
const RIDGE: f64 = 1e-6;
/// Phases with sums of their own, at most.
const MOST_PHASES: usize = 24;
/// Coefficients change so little within hours that a solution per four phases tells all.
const PHASES_PER_NODE: usize = 4;

/// Weighted sums of the products of the columns of a row (regressors, 1, target), one triangle per phase of the day.
#[derive(Debug, Clone)]
pub(super) struct Gram {
    columns: usize,
    phases: usize,
    /// Per phase the upper triangle, row by row.
    sums: Vec<f64>,
}

/// The weights of the phases around each node, in the middle of its part of the day; those of a node sum to 1.
#[derive(Debug, Clone)]
pub(super) struct Kernels(Vec<Vec<f64>>);

impl Kernels {
    /// For days of `day` steps.
    pub(super) fn of(day: usize) -> Self {
        let phases = day.min(MOST_PHASES);
        let nodes = phases.div_ceil(PHASES_PER_NODE);
        Self((0..nodes).map(|node| kernel((node as f64 + 0.5) / nodes as f64, phases)).collect())
    }
}

/// The weights of the phases around `place`, a share of the day.
fn kernel(place: f64, phases: usize) -> Vec<f64> {
    let weight = |phase: usize| {
        let apart = (place - (phase as f64 + 0.5) / phases as f64).abs();
        let deviations = apart.min(1.0 - apart) / NEARNESS;
        if deviations <= CUT { (-0.5 * deviations * deviations).exp() } else { 0.0 }
    };
    let weights: Vec<f64> = (0..phases).map(weight).collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

impl Gram {
    /// No row yet, of `columns` columns, for days of `day` steps.
    pub(super) fn none(columns: usize, day: usize) -> Self {
        let phases = day.min(MOST_PHASES);
        Self { columns, phases, sums: vec![0.0; phases * size(columns)] }
    }

    /// Adds a row at the place `step` of a day of `day` steps.
    pub(super) fn add(&mut self, step: usize, day: usize, row: &[f64], weight: f64) {
        let (phase, size) = (step * self.phases / day, size(self.columns));
        let mut triangle = &mut self.sums[phase * size..(phase + 1) * size];
        for (first, &value) in row.iter().enumerate() {
            let (line, rest) = triangle.split_at_mut(row.len() - first);
            let weighted = weight * value;
            line.iter_mut().zip(&row[first..]).for_each(|(sum, other)| *sum += weighted * other);
            triangle = rest;
        }
    }

    /// With the rows of `other` too.
    pub(super) fn join(&mut self, other: &Self) {
        self.sums.iter_mut().zip(&other.sums).for_each(|(sum, other)| *sum += other);
    }

    /// Without the rows of `other`, which are among these.
    pub(super) fn without(&self, other: &Self) -> Self {
        let sums = self.sums.iter().zip(&other.sums).map(|(sum, other)| sum - other).collect();
        Self { sums, ..*self }
    }

    /// One row of coefficients (the intercept last) per step of a day of `day` steps.
    pub(super) fn solve(&self, Kernels(kernels): &Kernels, day: usize) -> Vec<Vec<f64>> {
        let size = size(self.columns);
        let mut pooled = vec![0.0; size];
        for triangle in self.sums.chunks_exact(size) {
            pooled.iter_mut().zip(triangle).for_each(|(sum, one)| *sum += one / self.phases as f64);
        }
        let regressors = self.columns - 2;
        let diagonal = (0..regressors).map(|column| pooled[start(self.columns, column)]).sum::<f64>();
        let ridge = RIDGE * diagonal / regressors.max(1) as f64;
        let mut triangle = vec![0.0; size];
        let at_nodes: Vec<Vec<f64>> = kernels
            .iter()
            .map(|kernel| {
                triangle.iter_mut().zip(&pooled).for_each(|(sum, pooled)| *sum = POOLING * pooled);
                for (weight, sums) in
                    kernel.iter().zip(self.sums.chunks_exact(size)).filter(|(weight, _)| **weight > 0.0)
                {
                    triangle.iter_mut().zip(sums).for_each(|(sum, one)| *sum += weight * one);
                }
                solve_one(&mut triangle, self.columns, ridge)
            })
            .collect();
        (0..day).map(|step| between(&at_nodes, (step as f64 + 0.5) / day as f64)).collect()
    }
}

/// Along straight lines around the clock between the nodes, each in the middle of its part of the day.
fn between(nodes: &[Vec<f64>], place: f64) -> Vec<f64> {
    let count = nodes.len() as f64;
    let from_first = (place * count - 0.5).rem_euclid(count);
    let mut left = 0;
    while left + 1 < nodes.len() && (left + 1) as f64 <= from_first {
        left += 1;
    }
    let share = from_first - left as f64;
    let right = &nodes[(left + 1) % nodes.len()];
    nodes[left].iter().zip(right).map(|(near, far)| near + (far - near) * share).collect()
}

/// Entries of an upper triangle.
fn size(columns: usize) -> usize {
    columns * (columns + 1) / 2
}

/// Where line `line` of an upper triangle starts.
fn start(columns: usize, line: usize) -> usize {
    size(columns) - size(columns - line)
}

/// The coefficients of the last column on the others, by elimination without pivoting: the matrix is positive
/// semidefinite. A column that says nothing beyond those before it gets 0. The last but one is the intercept.
fn solve_one(triangle: &mut [f64], columns: usize, ridge: f64) -> Vec<f64> {
    let unknowns = columns - 1;
    let mut least = vec![0.0; unknowns];
    for (line, least) in least.iter_mut().enumerate() {
        let diagonal = &mut triangle[start(columns, line)];
        *diagonal += if line + 1 < unknowns { ridge } else { 0.0 };
        // what is left of a diagonal after elimination is lost in rounding below this
        *least = (1e-13 * *diagonal).max(f64::MIN_POSITIVE);
    }
    for line in 0..unknowns {
        let (done, mut below) = triangle.split_at_mut(start(columns, line + 1));
        let pivots = &done[start(columns, line)..];
        if pivots[0] > least[line] {
            for (other, &pivot) in pivots.iter().enumerate().take(unknowns - line).skip(1) {
                let (target, rest) = below.split_at_mut(columns - line - other);
                let factor = pivot / pivots[0];
                target.iter_mut().zip(&pivots[other..]).for_each(|(sum, value)| *sum -= factor * value);
                below = rest;
            }
        }
    }
    let mut solution = vec![0.0; unknowns];
    for line in (0..unknowns).rev() {
        let values = &triangle[start(columns, line)..start(columns, line) + columns - line];
        if values[0] > least[line] {
            let known: f64 = values[1..].iter().zip(&solution[line + 1..]).map(|(value, known)| value * known).sum();
            solution[line] = (values[columns - line - 1] - known) / values[0];
        }
    }
    solution
}
