//! [`Lines`]: the theta lines of an adjusted history, for every setting at once.

/// How many settings there are.
pub(super) const SETTINGS: usize = LEVELS.len() * DRIFTS.len();
/// `α`
pub(super) const LEVELS: [f64; 4] = [0.03, 0.1, 0.3, 0.8];
/// `θ`, and over how many windows the line is drawn: 1 is a day, 12 its twelfth part.
const DRIFTS: [Drift; 4] = [
    Drift { theta: 1.0, part: 1 },
    Drift { theta: 2.0, part: 1 },
    Drift { theta: 10.0, part: 1 },
    Drift { theta: 2.0, part: 12 },
];

#[derive(Debug, Clone, Copy)]
struct Drift {
    theta: f64,
    part: usize,
}

/// A straight line through `n` values by least squares: `a + b · i`, `i` from 1 through `n`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    pub(super) a: f64,
    pub(super) b: f64,
    pub(super) n: usize,
}

/// An adjusted history with the levels and sums that follow from it.
#[derive(Debug)]
pub(super) struct Lines {
    /// The index of the first value.
    first: usize,
    window: usize,
    /// One row per value: the levels after it.
    levels: Vec<[f64; LEVELS.len()]>,
    /// `Σ y` and `Σ i y` of the first values.
    sums: Vec<(f64, f64)>,
    /// `(1−α)^n` of whole windows, per drift and level.
    faded: [[f64; LEVELS.len()]; DRIFTS.len()],
}

/// What is expected from one origin: per setting, what comes next and how much more each step on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen([(f64, f64); SETTINGS]);

impl Lines {
    /// Of `values`, the first of which is that at index `first`; lines are drawn through the last `window` of them.
    pub(super) fn of(first: usize, window: usize, values: impl Iterator<Item = f64>) -> Self {
        let (mut levels, mut sums) = (Vec::new(), vec![(0.0, 0.0)]);
        let mut level: Option<[f64; LEVELS.len()]> = None;
        let (mut sum, mut moment) = (0.0, 0.0);
        for (place, value) in values.enumerate() {
            let before = level.unwrap_or([value; LEVELS.len()]);
            let now = std::array::from_fn(|one| before[one] + LEVELS[one] * (value - before[one]));
            level = Some(now);
            levels.push(now);
            sum += value;
            moment += (place + 1) as f64 * value;
            sums.push((sum, moment));
        }
        let faded = DRIFTS.map(|drift| LEVELS.map(|alpha| faded(alpha, (window / drift.part).max(2))));
        Self { first, window, levels, sums, faded }
    }

    /// What is expected from index `origin`.
    pub(super) fn seen(&self, origin: usize) -> Seen {
        let end = origin + 1 - self.first;
        let mut seen = [(0.0, 0.0); SETTINGS];
        for (drift, of_drift) in DRIFTS.iter().enumerate() {
            let line = self.line(end, end.min(self.length(of_drift)));
            let whole = line.n == self.length(of_drift);
            for (level, &alpha) in LEVELS.iter().enumerate() {
                let faded = if whole { self.faded[drift][level] } else { faded(alpha, line.n) };
                seen[level * DRIFTS.len() + drift] =
                    from_line(self.levels[end - 1][level], line, alpha, of_drift.theta, faded);
            }
        }
        Seen(seen)
    }

    fn length(&self, drift: &Drift) -> usize {
        (self.window / drift.part).max(2)
    }

    /// The line through the `n` values before place `end`.
    fn line(&self, end: usize, n: usize) -> Line {
        let start = end - n;
        let count = n as f64;
        let sum = self.sums[end].0 - self.sums[start].0;
        // places counted from the start of the window
        let moment = self.sums[end].1 - self.sums[start].1 - start as f64 * sum;
        let middle = f64::midpoint(count, 1.0);
        let spread = count * (count * count - 1.0) / 12.0;
        let b = if n > 1 { (moment - middle * sum) / spread } else { 0.0 };
        Line { a: sum / count - b * middle, b, n }
    }
}

impl Seen {
    /// What setting `setting` expects of the adjusted load `ahead` steps on.
    pub(super) fn ahead(&self, setting: usize, ahead: usize) -> f64 {
        let (next, slope) = self.0[setting];
        next + slope * (ahead - 1) as f64
    }

    /// What every setting expects.
    pub(super) fn all_ahead(&self, ahead: usize) -> impl Iterator<Item = f64> + '_ {
        let more = (ahead - 1) as f64;
        self.0.iter().map(move |(next, slope)| next + slope * more)
    }
}

/// `ŷ(n+1)` and the slope after it, from
///
/// ```text
/// ŷ(n+h) = ℓ_n + (1 − 1/θ) · ( (1−α)^n a + b · (h − 1 + (1 − (1−α)^(n+1)) / α) )
/// ```
pub(super) fn from_line(level: f64, line: Line, alpha: f64, theta: f64, faded: f64) -> (f64, f64) {
    let share = 1.0 - 1.0 / theta;
    let first = (1.0 - faded * (1.0 - alpha)) / alpha;
    (level + share * (faded * line.a + line.b * first), share * line.b)
}

/// `(1−α)^n`
pub(super) fn faded(alpha: f64, n: usize) -> f64 {
    (1.0 - alpha).powi(i32::try_from(n).unwrap_or(i32::MAX))
}
