//! How good a model is at the lead time, and which one is best.

use series::{ModelName, ModelScore, Quantile};

use crate::bands::Bands;
use crate::past::Past;
use crate::quantiles::LEVELS;
use crate::rolling::Miss;
use crate::scale::Scale;

/// The levels scored: the middle, and where a fleet is sized.
const SCORED: [f64; 3] = [0.5, 0.9, 0.99];
/// Into how many parts the misses are cut; every part is scored with the bands of those before it, the first one not at all.
const PARTS: usize = 6;

/// The score of `model` from its `misses` at the knot `ahead`: the mean pinball loss of the quantiles it would have given, their bands
/// made only of misses that had come true by then. `None` where there are too few for that.
pub(crate) fn score(model: ModelName, misses: &[Miss], ahead: usize, past: &Past, scale: Scale) -> Option<ModelScore> {
    let (mut pinball, mut absolute, mut count) = (0.0, 0.0, 0.0);
    let part_len = misses.len().div_ceil(PARTS).max(1);
    for part in misses.chunks(part_len).skip(1) {
        let came_true = misses.partition_point(|miss| miss.origin + ahead <= part[0].origin);
        let Some(bands) = Bands::at_knot(&misses[..came_true], ahead, past) else { continue };
        for miss in part {
            let offsets = bands.at(ahead, past.calendar().second_of_day(miss.origin + ahead));
            let actual = scale.backward(miss.actual);
            for level in SCORED.iter().filter_map(|&level| Quantile::new(level).ok()) {
                let place = LEVELS.partition_point(|&own| own < level.get());
                let quantile = scale.backward(miss.predicted + offsets[place]);
                pinball += level.pinball(actual, quantile) / SCORED.len() as f64;
                if level == Quantile::MEDIAN {
                    absolute += (actual - quantile).abs();
                }
            }
            count += 1.0;
        }
    }
    (count > 0.0).then(|| ModelScore { model, pinball: pinball / count, absolute_error: absolute / count })
}

/// Sorts the scores, best first; of equals the simpler model (the one listed first) comes first.
pub(crate) fn rank(scores: &mut [ModelScore]) {
    scores.sort_by(|a, b| a.pinball.total_cmp(&b.pinball));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{past, series};

    #[test]
    fn bands_are_made_of_what_had_come_true() {
        let loads: Vec<Option<f64>> = (0..120).map(|i| Some(10.0 + f64::from(i % 2))).collect();
        let (past, scale) = (past(&loads), Scale::of(&series(&loads)));
        let miss = |origin: usize, error: f64| Miss { origin, predicted: 0.5, actual: 0.5 + error };
        let calm: Vec<Miss> = (0..60).map(|origin| miss(origin, 0.01)).collect();
        let mut wild_at_last = calm.clone();
        wild_at_last.truncate(55);
        wild_at_last.extend((55..60).map(|origin| miss(origin, 3.0)));
        let (calm, wild) = (
            score(ModelName::Ridge, &calm, 5, &past, scale).unwrap(),
            score(ModelName::Ridge, &wild_at_last, 5, &past, scale).unwrap(),
        );
        // the bands did not know of the five last misses: each costs its size, weighted by the levels
        let size = scale.backward(3.5) - scale.backward(0.5);
        let cost = (wild.pinball - calm.pinball) * 10.0 / (size * (0.5 + 0.9 + 0.99) / 3.0);
        assert!((cost - 1.0).abs() < 0.05, "{cost}");
    }

    #[test]
    fn of_equals_the_simpler_comes_first() {
        let score = |model| ModelScore { model, pinball: 1.0, absolute_error: 1.0 };
        let mut scores = [score(ModelName::Persistence), score(ModelName::Ridge)];
        rank(&mut scores);
        assert_eq!(scores[0].model, ModelName::Persistence);
    }
}
