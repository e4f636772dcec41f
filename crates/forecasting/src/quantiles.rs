//! Quantiles of a few or many weighted errors, honest about how few they are.

use series::Quantile;

/// The levels of every forecast, rising.
pub(crate) const LEVELS: [f64; COUNT] = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999];
/// How many levels there are.
pub(crate) const COUNT: usize = 12;
/// The place of the median among the levels.
pub(crate) const MEDIAN: usize = 4;
/// The place of .9.
pub(crate) const NINETY: usize = 6;

/// So few independent errors tell nothing about direction: their sign is taken for chance.
const FEW: f64 = 20.0;
/// The tail is measured above this share of the errors.
const TAIL_FROM: f64 = 0.9;

/// One offset per level, never falling.
pub(crate) type Offsets = [f64; COUNT];

/// The levels as [`Quantile`]s.
pub(crate) fn levels() -> Vec<Quantile> {
    LEVELS.iter().filter_map(|&level| Quantile::new(level).ok()).collect()
}

/// Errors in rising order with a running sum of their weights.
struct Weighed<'a> {
    errors: &'a [f64],
    /// `below[i]` is the weight of the first `i` errors.
    below: Vec<f64>,
    /// Mean excess over the [`TAIL_FROM`] quantile, upward and downward.
    excess: (f64, f64),
    /// How many independent errors they are worth.
    worth: f64,
}

/// The quantiles of `errors` (in rising order, at least one) with one weight each, positive.
///
/// ```text
/// n = d · (Σw)² / Σw²        rank of level q: q · (n+1)/n of the weight, counted from the median's side
/// beyond rank n:  e_max + β · ln( 1/(n+1) / (1−q) )      β the mean excess over the .9 quantile
/// ```
///
/// `n` is the number of independent errors they are worth: Kish's effective sample size, times the share `independence` (`d`, in
/// `(0, 1]`) that their correlation leaves. The rank is that of split conformal prediction, which covers `q` whatever the
/// distribution (Vovk, Gammerman and Shafer, *Algorithmic Learning in a Random World*, 2005; Lei et al., JASA 113,
/// 2018); beyond the largest error an exponential tail goes on. Below 20 independent errors the signs are dropped.
pub(crate) fn of_errors(errors: &[f64], weights: &[f64], independence: f64) -> Offsets {
    let total: f64 = weights.iter().sum();
    let squares: f64 = weights.iter().map(|weight| weight * weight).sum();
    let worth = (independence * total * total / squares).max(1.0);
    if worth < FEW { symmetric(errors, weights, worth) } else { signed(errors, weights, worth) }
}

fn signed(errors: &[f64], weights: &[f64], worth: f64) -> Offsets {
    let weighed = Weighed::new(errors, weights, worth);
    let mut offsets = LEVELS.map(|level| if level > 0.5 { weighed.upper(level) } else { weighed.lower(1.0 - level) });
    offsets[MEDIAN] = weighed.median();
    settle(offsets)
}

/// The places of `errors` in the order in which these rise.
///
/// Each place stands in the lowest bits of its error, so that plain numbers are sorted, which takes half the time: errors that differ by less than some
/// 10⁻¹² of their size may change places.
pub(crate) fn rising(errors: &[f64]) -> impl Iterator<Item = usize> + use<> {
    let places = (errors.len() as u64).next_power_of_two() - 1;
    let ordered = |error: f64| match error.to_bits() {
        bits if error.is_sign_negative() => !bits,
        bits => bits | (1 << 63),
    };
    let mut keys: Vec<u64> = (0..).zip(errors).map(|(place, error)| ordered(*error) & !places | place).collect();
    keys.sort_unstable();
    keys.into_iter().filter_map(move |key| usize::try_from(key & places).ok())
}

/// As if every error had come with either sign; the median is 0.
fn symmetric(errors: &[f64], weights: &[f64], worth: f64) -> Offsets {
    let mut sizes: Vec<(f64, f64)> = errors.iter().map(|error| error.abs()).zip(weights.iter().copied()).collect();
    sizes.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (errors, weights): (Vec<f64>, Vec<f64>) = sizes.into_iter().unzip();
    let mut weighed = Weighed::new(&errors, &weights, worth);
    // so few sizes have no tail apart from themselves: their mean is their excess over 0
    let total: f64 = weights.iter().sum();
    weighed.excess.0 = errors.iter().zip(&weights).map(|(size, weight)| size * weight).sum::<f64>() / total;
    settle(LEVELS.map(|level| {
        let side = if level > 0.5 { 1.0 } else { -1.0 };
        let inside = (level - 0.5).abs() * 2.0;
        if inside == 0.0 { 0.0 } else { side * weighed.upper(inside) }
    }))
}

/// Holds levels to a rising order from the median outward; ranks that fall on the other side of it are drawn to it.
pub(crate) fn settle(mut offsets: Offsets) -> Offsets {
    for level in MEDIAN + 1..COUNT {
        offsets[level] = offsets[level].max(offsets[level - 1]);
    }
    for level in (0..MEDIAN).rev() {
        offsets[level] = offsets[level].min(offsets[level + 1]);
    }
    offsets
}

impl<'a> Weighed<'a> {
    fn new(errors: &'a [f64], weights: &[f64], worth: f64) -> Self {
        let mut below = Vec::with_capacity(errors.len() + 1);
        below.push(0.0);
        let mut sum = 0.0;
        for weight in weights {
            sum += weight;
            below.push(sum);
        }
        let mut weighed = Self { errors, below, excess: (0.0, 0.0), worth };
        // in rising order, only what stands beyond a rank can exceed its error
        let (high, low) = (weighed.rank_above(TAIL_FROM), weighed.rank_below(TAIL_FROM));
        weighed.excess = (
            mean_where(&errors[high..], &weights[high..], |error| error - errors[high]),
            mean_where(&errors[..=low], &weights[..=low], |error| errors[low] - error),
        );
        weighed
    }

    /// The first error with at least the share `share` of the weight at or below it.
    fn rank_above(&self, share: f64) -> usize {
        let wanted = share * self.total();
        self.below[1..].partition_point(|&below| below < wanted).min(self.errors.len() - 1)
    }

    /// The last error with at least the share `share` of the weight at or above it.
    fn rank_below(&self, share: f64) -> usize {
        let most_below = (1.0 - share) * self.total();
        self.below[..self.errors.len()].partition_point(|&below| below <= most_below).saturating_sub(1)
    }

    fn total(&self) -> f64 {
        self.below.last().copied().unwrap_or(0.0)
    }

    fn median(&self) -> f64 {
        f64::midpoint(self.errors[self.rank_above(0.5)], self.errors[self.rank_below(0.5)])
    }

    fn upper(&self, level: f64) -> f64 {
        let share = level * (self.worth + 1.0) / self.worth;
        let largest = self.errors[self.errors.len() - 1];
        if share <= 1.0 { self.errors[self.rank_above(share)] } else { largest + self.excess.0 * self.beyond(level) }
    }

    fn lower(&self, level: f64) -> f64 {
        let share = level * (self.worth + 1.0) / self.worth;
        if share <= 1.0 {
            self.errors[self.rank_below(share)]
        } else {
            self.errors[0] - self.excess.1 * self.beyond(level)
        }
    }

    /// How many mean excesses `level` lies beyond the largest error.
    fn beyond(&self, level: f64) -> f64 {
        ((1.0 - level) * (self.worth + 1.0)).recip().ln().max(0.0)
    }
}

fn mean_where(errors: &[f64], weights: &[f64], excess: impl Fn(f64) -> f64) -> f64 {
    let above =
        errors.iter().zip(weights).map(|(&error, &weight)| (excess(error), weight)).filter(|(excess, _)| *excess > 0.0);
    let (sum, weight) =
        above.fold((0.0, 0.0), |(sum, total), (excess, weight)| (sum + excess * weight, total + weight));
    if weight > 0.0 { sum / weight } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offsets: &Offsets, level: f64) -> f64 {
        offsets[LEVELS.iter().position(|&own| own == level).unwrap()]
    }

    #[test]
    fn many_errors_have_their_conformal_ranks() {
        let errors: Vec<f64> = (1..=999).map(f64::from).collect();
        let offsets = of_errors(&errors, &vec![1.0; 999], 1.0);
        // rank (n+1)·q from either side
        for (level, expected) in [(0.01, 10.0), (0.1, 100.0), (0.5, 500.0), (0.9, 900.0), (0.99, 990.0), (0.999, 999.0)]
        {
            assert!((at(&offsets, level) - expected).abs() <= 1.0, "{level}: {}", at(&offsets, level));
        }
    }

    #[test]
    fn beyond_the_largest_error_an_exponential_tail_goes_on() {
        let errors: Vec<f64> = (1..=99).map(f64::from).collect();
        let offsets = of_errors(&errors, &[1.0; 99], 1.0);
        assert_eq!(at(&offsets, 0.99), 99.0);
        // excesses over the .9 quantile, 90: 1 to 9, 5 in the mean; 1/(n+1) = .01
        let expected = 99.0 + 5.0 * 10.0_f64.ln();
        assert!((at(&offsets, 0.999) - expected).abs() < 1e-9, "{offsets:?}");
    }

    #[test]
    fn two_errors_make_a_symmetric_band() {
        let offsets = of_errors(&[1.0, 1.0], &[1.0, 1.0], 1.0);
        assert_eq!(at(&offsets, 0.5), 0.0);
        assert_eq!((at(&offsets, 0.75), at(&offsets, 0.25)), (1.0, -1.0));
        // inside 80 %: beyond rank 2 of 2, an excess of 1 and the tail from 1/3 to .2
        let expected = 1.0 + (1.0_f64 / 3.0 / 0.2).ln();
        assert!((at(&offsets, 0.9) - expected).abs() < 1e-9);
        assert!((at(&offsets, 0.1) + expected).abs() < 1e-9);
    }

    #[test]
    fn correlated_errors_are_worth_fewer_and_spread_wider() {
        let errors: Vec<f64> = (-200..=200).map(f64::from).collect();
        let weights = vec![1.0; errors.len()];
        let (free, bound) = (of_errors(&errors, &weights, 1.0), of_errors(&errors, &weights, 0.1));
        for level in [0.9, 0.99, 0.999] {
            assert!(at(&bound, level) > at(&free, level), "{level}");
        }
    }

    #[test]
    fn weights_move_the_quantiles() {
        let errors = [-1.0; 50].into_iter().chain([1.0; 50]).collect::<Vec<_>>();
        let light_on_top: Vec<f64> = (0..100).map(|i| if i < 50 { 1.0 } else { 0.01 }).collect();
        assert_eq!(at(&of_errors(&errors, &light_on_top, 1.0), 0.9), -1.0);
        assert_eq!(at(&of_errors(&errors, &[1.0; 100], 1.0), 0.9), 1.0);
    }

    #[test]
    fn errors_rise_and_none_is_lost() {
        let errors = [3.0, -1e-300, 0.0, -7.0, 1e9, -1e9, 3.0, 1e-300, f64::MIN_POSITIVE];
        let order: Vec<usize> = rising(&errors).collect();
        assert_eq!(order.len(), errors.len());
        assert!(order.windows(2).all(|pair| errors[pair[0]] <= errors[pair[1]]), "{order:?}");
        assert_eq!((order[0], order[8]), (5, 4));
    }

    #[test]
    fn no_error_at_all_is_no_band() {
        assert_eq!(of_errors(&[0.0; 5], &[1.0; 5], 1.0), [0.0; COUNT]);
        assert_eq!(of_errors(&[0.0; 500], &[1.0; 500], 1.0), [0.0; COUNT]);
    }
}
