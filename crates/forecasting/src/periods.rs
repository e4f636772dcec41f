//! Periods shorter than a day, found in the load itself: work every half hour, batches every two hours.

use crate::past::Past;

/// Over how much of the past a period must show.
const SEARCHED_SECONDS: i64 = 7 * 86_400;
/// Half the width of the local mean that is taken off: slower movements are the day's.
const TREND_SECONDS: i64 = 3600;
/// Shorter than this there is no shape.
const FEWEST_STEPS: usize = 3;
/// The longest period, as a part of the day: longer ones are the shape of the day.
const LONGEST_PART: usize = 6;
/// So many cycles must have gone by.
const FEWEST_CYCLES: usize = 16;
/// The share of the variance that a period must foretell. Of noise, a profile foretells less than nothing.
const LEAST_FORETOLD: f64 = 0.02;
/// So many times what a single hour of the day leaves is no period yet.
const ONCE: f64 = 2.0;
/// So many days tell what happens once a day.
const FEWEST_DAYS: usize = 4;
/// Of periods that foretell nearly as much as the best, the shortest is it: its multiples do no worse.
const NEARLY: f64 = 0.9;
/// Single crowds are cut off at this many times the middle size, so that they are not taken for a habit.
const USUAL: f64 = 6.0;
/// A load that mostly rests has a middle size of nothing: it is cut off at this quantile of the sizes.
const RARE: f64 = 0.99;

/// The period in steps, a whole part of a day, with which the newest week of `past` repeats itself; none where none shows.
///
/// ```text
/// R²(p) = Σ_φ ( 2 m_φ s'_φ − n'_φ m_φ² + 2 m'_φ s_φ − n_φ m'_φ² ) / Σ d²
/// ```
///
/// `d` the load on the models' scale less its mean over two hours around; `s_φ`, `n_φ`, `m_φ` its sum, count and mean at phase `φ` over the even
/// cycles, primed over the odd ones: what the profile of each half foretells of the other. An epoch folding search (Leahy et al.,
/// *Astrophysical Journal* 266, 1983) with its significance from cross-validation: of noise `R²` is below 0. What happens once a day leaves
/// `R²(p) = R²(day) · p/day`, so a period must foretell twice that and `0.02` more.
pub(crate) fn find(past: &Past) -> Option<usize> {
    let calendar = past.calendar();
    if !calendar.divides_day() {
        return None;
    }
    let day = calendar.steps_in(86_400);
    let deviations = deviations(past, calendar.steps_in(SEARCHED_SECONDS), calendar.steps_in(TREND_SECONDS).max(1));
    let total: f64 = deviations.iter().map(|deviation| deviation * deviation).sum();
    let candidates = (FEWEST_STEPS..=day / LONGEST_PART).filter(|period| day.is_multiple_of(*period));
    let share = |period: usize| foretold(&deviations, period) / total;
    let candidates = candidates.take_while(|period| period * FEWEST_CYCLES <= deviations.len());
    let of_day = if deviations.len() >= FEWEST_DAYS * day { share(day).max(0.0) } else { 0.0 };
    let least = |period: usize| LEAST_FORETOLD + ONCE * of_day * period as f64 / day as f64;
    let shown: Vec<(usize, f64)> =
        candidates.map(|period| (period, share(period))).filter(|(period, share)| *share >= least(*period)).collect();
    let best = shown.iter().map(|(_, share)| *share).fold(0.0, f64::max);
    shown.iter().find(|(_, share)| *share >= NEARLY * best).map(|(period, _)| *period)
}

/// The newest `count` values less their local means, cut off at what is usual; nothing where a gap was filled, since copies of a day repeat whatever was in it.
fn deviations(past: &Past, count: usize, half: usize) -> Vec<f64> {
    let last = past.last();
    let first = (last + 1).saturating_sub(count);
    let mut deviations: Vec<f64> = (first..=last)
        .map(|index| past.value(index) - past.mean(index.saturating_sub(half), (index + half).min(last)))
        .collect();
    let known: Vec<bool> = (first..=last).map(|index| past.is_known(index)).collect();
    let of_known = |deviations: &[f64]| -> Vec<f64> {
        deviations.iter().zip(&known).filter(|(_, known)| **known).map(|(deviation, _)| *deviation).collect()
    };
    let mut sizes: Vec<f64> = of_known(&deviations).into_iter().map(f64::abs).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    let middle = sizes[sizes.len() / 2];
    let most = if middle > 0.0 { USUAL * middle } else { sizes[rare_place(sizes.len())] };
    for deviation in &mut deviations {
        *deviation = deviation.clamp(-most, most);
    }
    let mean = of_known(&deviations).iter().sum::<f64>() / sizes.len() as f64;
    deviations.iter().zip(&known).map(|(deviation, known)| if *known { deviation - mean } else { 0.0 }).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
fn rare_place(count: usize) -> usize {
    (RARE * (count - 1) as f64) as usize
}

/// How much of the squares of `deviations` the profiles of the even and of the odd cycles of `period` foretell of each other.
fn foretold(deviations: &[f64], period: usize) -> f64 {
    let mut sums = [vec![0.0; period], vec![0.0; period]];
    let mut counts = [vec![0.0; period], vec![0.0; period]];
    for (cycle, values) in deviations.chunks(period).enumerate() {
        sums[cycle % 2].iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        counts[cycle % 2].iter_mut().zip(values).for_each(|(count, _)| *count += 1.0);
    }
    let one_of_other = |one: usize, other: usize| -> f64 {
        (0..period)
            .filter(|&phase| counts[one][phase] > 0.0)
            .map(|phase| {
                let mean = sums[one][phase] / counts[one][phase];
                2.0 * mean * sums[other][phase] - counts[other][phase] * mean * mean
            })
            .sum()
    };
    one_of_other(0, 1) + one_of_other(1, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{normals, past, series_every};

    fn day_with(seed: u64, days: usize, extra: impl Fn(usize) -> f64) -> Vec<Option<f64>> {
        let load = |(i, noise): (usize, f64)| {
            let season = 100.0 + 60.0 * (std::f64::consts::TAU * i as f64 / 1440.0).sin();
            Some((season + 5.0 * noise + extra(i)).max(0.0))
        };
        normals(seed, days * 1440).into_iter().enumerate().map(load).collect()
    }

    #[test]
    fn spikes_of_one_minute_every_half_hour_are_found() {
        let spikes = |i: usize| if i.is_multiple_of(30) { 40.0 } else { 0.0 };
        assert_eq!(find(&past(&day_with(1, 7, spikes))), Some(30));
    }

    #[test]
    fn an_hour_that_is_busy_every_day_is_no_period_and_hides_none() {
        let busy = |i: usize| if (540..600).contains(&(i % 1440)) { 200.0 } else { 0.0 };
        assert_eq!(find(&past(&day_with(5, 7, busy))), None);
        let jobs = |i: usize| busy(i) + if i % 30 == 10 { 60.0 } else { 0.0 };
        assert_eq!(find(&past(&day_with(5, 7, jobs))), Some(30));
    }

    #[test]
    fn days_copied_into_gaps_are_no_period() {
        let mut loads = day_with(4, 10, |_| 0.0);
        loads[5 * 1440..7 * 1440].fill(None);
        loads[8 * 1440..9 * 1440 + 300].fill(None);
        assert_eq!(find(&past(&loads)), None);
    }

    #[test]
    fn batches_every_two_hours_are_found_and_not_their_multiples() {
        let batches = |i: usize| if i % 120 < 7 { 60.0 } else { 0.0 };
        assert_eq!(find(&past(&day_with(2, 7, batches))), Some(120));
    }

    #[test]
    fn noise_a_smooth_day_and_a_crowd_that_came_once_have_no_period() {
        for seed in 3..8 {
            assert_eq!(find(&past(&day_with(seed, 7, |_| 0.0))), None);
            let crowd = |i: usize| if (5000..5060).contains(&i) { 900.0 } else { 0.0 };
            assert_eq!(find(&past(&day_with(seed, 7, crowd))), None);
        }
        assert_eq!(find(&past(&vec![Some(1.0); 5000])), None);
    }

    #[test]
    fn too_few_cycles_and_steps_that_do_not_divide_the_day_have_none() {
        let spikes = |i: usize| if i.is_multiple_of(30) { 40.0 } else { 0.0 };
        let mut short = day_with(1, 1, spikes);
        short.truncate(15 * 30);
        assert_ne!(find(&past(&short)), Some(30));
        let history = series_every(7, &day_with(1, 7, spikes));
        let odd = Past::new(&history, crate::scale::Scale::of(&history), &jiff::tz::TimeZone::UTC).unwrap();
        assert_eq!(find(&odd), None);
    }
}
