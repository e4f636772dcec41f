//! How good a model is at the lead time, and which one is best.

use series::{ModelName, ModelScore, Quantile};

use crate::mixture::Mixture;
use crate::past::Past;
use crate::quantiles::LEVELS;
use crate::rolling::Miss;
use crate::scale::Scale;
use crate::spread::Regime;

/// The levels scored: the middle, and where a fleet is sized.
const SCORED: [f64; 3] = [0.5, 0.9, 0.99];
/// A simpler model may lose this much more than the best, and be taken: so little is chance.
const NEARLY: f64 = 1.01;
/// More misses than this tell hardly more.
const MOST_SCORED: usize = 600;

/// The score of `model` from its `misses` at the knot `ahead`: the mean pinball loss of the quantiles that `mixture` puts around its centers.
/// `None` without a miss.
pub(crate) fn score(
    model: ModelName,
    misses: &[Miss],
    mixture: &Mixture,
    ahead: usize,
    past: &Past,
    scale: Scale,
) -> Option<ModelScore> {
    let (mut pinball, mut absolute, mut count) = (0.0, 0.0, 0.0);
    for miss in misses.iter().step_by(misses.len().div_ceil(MOST_SCORED).max(1)) {
        let quantiles = mixture.quantiles(past, &Regime::at(past, miss.origin), ahead, miss.predicted);
        let actual = scale.backward(miss.actual);
        for level in SCORED.iter().filter_map(|&level| Quantile::new(level).ok()) {
            let quantile = scale.backward(quantiles[LEVELS.partition_point(|&own| own < level.get())]);
            pinball += level.pinball(actual, quantile) / SCORED.len() as f64;
            if level == Quantile::MEDIAN {
                absolute += (actual - quantile).abs();
            }
        }
        count += 1.0;
    }
    (count > 0.0).then(|| ModelScore { model, pinball: pinball / count, absolute_error: absolute / count })
}

/// Sorts the scores, best first, and says which model to take: the simplest (the one listed first) of those nearly as good as the best.
pub(crate) fn best(scores: &mut [ModelScore]) -> Option<ModelName> {
    let least = scores.iter().map(|score| score.pinball).min_by(f64::total_cmp)?;
    let best = scores.iter().find(|score| score.pinball <= least * NEARLY)?.model;
    scores.sort_by(|a, b| a.pinball.total_cmp(&b.pinball));
    Some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_nearly_equals_the_simpler_is_taken_and_the_scores_rise() {
        let score = |model, pinball| ModelScore { model, pinball, absolute_error: 1.0 };
        let mut close = [score(ModelName::Persistence, 1.0099), score(ModelName::Ridge, 1.0)];
        assert_eq!(best(&mut close), Some(ModelName::Persistence));
        assert_eq!(close[0].model, ModelName::Ridge);
        let mut apart = [score(ModelName::Persistence, 1.02), score(ModelName::Ridge, 1.0)];
        assert_eq!(best(&mut apart), Some(ModelName::Ridge));
        assert_eq!(best(&mut []), None);
    }
}
