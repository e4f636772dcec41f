//! The M4 Hourly set: its files, and the scores of the competition for forecasts of it.
//!
//! ```text
//! sMAPE  mean of 200 |y − f| / (|y| + |f|)                      f the median
//! MASE   mean of |y − f| / s,   s the mean of |y_t − y_(t−24)| over the training part
//! OWA    (sMAPE / 18.383 + MASE / 2.395) / 2                    over the competition's Naive2 on this set
//! WQL    2 Σ pinball over deciles and values / 9 / Σ |y|        SQL  2 · mean pinball over the deciles / s
//! MSIS   mean of (u − l) + 40 (l − y)⁺ + 40 (y − u)⁺, over s    l and u the ends of 95 %
//! ```
//!
//! Sources: Makridakis, Spiliotis and Assimakopoulos, *The M4 Competition*, IJF 36, 2020; WQL as in Park et al., *Learning quantile functions
//! without quantile crossing*, AISTATS 2022.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, ensure};

use crate::trace::read_text;

/// The levels of every forecast.
pub const LEVELS: [f64; 11] = [0.025, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.975];
/// How many steps ahead the competition asks.
pub const HORIZON: usize = 48;
/// The period of the seasonal naive forecast that errors are scaled by.
const DAY: usize = 24;
const MEDIAN: usize = 5;
const DECILES: std::ops::Range<usize> = 1..10;
/// Naive2's sMAPE and MASE, as published.
const NAIVE2: (f64, f64) = (18.383, 2.395);

/// Quantiles at [`LEVELS`] for every step ahead of one series.
pub type Quantiles = Vec<[f64; LEVELS.len()]>;

/// One series of the set.
#[derive(Debug)]
pub struct Hourly {
    /// Its id.
    pub id: String,
    /// What is known.
    pub train: Vec<f64>,
    /// What came after.
    pub test: Vec<f64>,
}

/// Means over all series and steps; coverage in shares.
#[derive(Debug, Clone, Copy, Default)]
#[expect(missing_docs, reason = "the head of the file has the formulas")]
pub struct Scores {
    pub smape: f64,
    pub mase: f64,
    pub owa: f64,
    pub wql: f64,
    pub sql: f64,
    pub cover80: f64,
    pub cover95: f64,
    pub msis: f64,
}

/// The series of a directory with `hourly_train.csv` and `hourly_test.csv`, packed as `.gz` or not.
///
/// # Errors
/// Where a file cannot be read or the two do not fit together.
pub fn read(directory: &Path) -> anyhow::Result<Vec<Hourly>> {
    let mut tests: HashMap<String, Vec<f64>> = rows(&text(directory, "hourly_test.csv")?)?.into_iter().collect();
    let trains = rows(&text(directory, "hourly_train.csv")?)?;
    let series = trains.into_iter().map(|(id, train)| {
        let test = tests.remove(&id).with_context(|| format!("{id} has no test part"))?;
        ensure!(test.len() == HORIZON && train.len() > DAY, "{id} has {} and {} values", train.len(), test.len());
        Ok(Hourly { id, train, test })
    });
    series.collect()
}

/// The text of a file of the set.
///
/// # Errors
/// Where it is there in neither form.
pub fn text(directory: &Path, name: &str) -> anyhow::Result<String> {
    let packed = directory.join(format!("{name}.gz"));
    read_text(&if packed.exists() { packed } else { directory.join(name) })
}

/// Reads what `prescale forecast` writes: `unique_id,h,timestamp,` and a column per level.
///
/// # Errors
/// Where it is of another form.
pub fn parse_forecasts(text: &str) -> anyhow::Result<HashMap<String, Quantiles>> {
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default();
    let expected = LEVELS.map(|level| format!("q{level}")).join(",");
    ensure!(header.ends_with(&expected), "the columns are {header}");
    let mut forecasts: HashMap<String, Quantiles> = HashMap::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let first = cells.len().checked_sub(LEVELS.len()).context("a row is too short")?;
        let mut quantiles = [0.0; LEVELS.len()];
        for (quantile, cell) in quantiles.iter_mut().zip(&cells[first..]) {
            *quantile = cell.parse()?;
        }
        let steps = forecasts.entry(cells[0].to_owned()).or_default();
        steps.push(quantiles);
        ensure!(cells[1].parse() == Ok(steps.len()), "the rows of {} are out of order", cells[0]);
    }
    Ok(forecasts)
}

impl Hourly {
    /// Mean absolute error of the median over the test part.
    pub fn loss(&self, forecast: &Quantiles) -> f64 {
        let errors = self.test.iter().zip(forecast).map(|(actual, quantiles)| (actual - quantiles[MEDIAN]).abs());
        errors.sum::<f64>() / self.test.len() as f64
    }

    /// The same of the seasonal naive forecast: the last day comes back.
    pub fn naive_loss(&self) -> f64 {
        let day = &self.train[self.train.len() - DAY..];
        let errors = self.test.iter().zip(day.iter().cycle()).map(|(actual, then)| (actual - then).abs());
        errors.sum::<f64>() / self.test.len() as f64
    }

    /// What the errors are scaled by: the in-sample error of the seasonal naive forecast.
    fn scale(&self) -> f64 {
        let pairs = self.train[DAY..].iter().zip(&self.train);
        pairs.map(|(now, then)| (now - then).abs()).sum::<f64>() / (self.train.len() - DAY) as f64
    }
}

/// The scores of one forecast per series.
pub fn score<'a>(pairs: impl Iterator<Item = (&'a Hourly, &'a Quantiles)>) -> Scores {
    let mut sums = Scores::default();
    let (mut count, mut size) = (0.0, 0.0);
    for (series, forecast) in pairs {
        let scale = series.scale();
        for (&actual, quantiles) in series.test.iter().zip(forecast) {
            let error = (actual - quantiles[MEDIAN]).abs();
            let (low, high) = (quantiles[0], quantiles[LEVELS.len() - 1]);
            let decile = |place: usize| {
                let miss = actual - quantiles[place];
                (LEVELS[place] * miss).max((LEVELS[place] - 1.0) * miss)
            };
            let pinball = 2.0 * DECILES.map(decile).sum::<f64>() / DECILES.len() as f64;
            let outside = (low - actual).max(0.0) + (actual - high).max(0.0);
            let covered = |low: f64, high: f64| f64::from(u8::from(low <= actual && actual <= high));
            count += 1.0;
            size += actual.abs();
            sums.smape += 200.0 * error / (actual.abs() + quantiles[MEDIAN].abs()).max(f64::MIN_POSITIVE);
            sums.mase += error / scale;
            sums.wql += pinball;
            sums.sql += pinball / scale;
            sums.cover80 += covered(quantiles[DECILES.start], quantiles[DECILES.end - 1]);
            sums.cover95 += covered(low, high);
            sums.msis += (high - low + 40.0 * outside) / scale;
        }
    }
    let (smape, mase) = (sums.smape / count, sums.mase / count);
    Scores {
        smape,
        mase,
        owa: f64::midpoint(smape / NAIVE2.0, mase / NAIVE2.1),
        wql: sums.wql / size,
        sql: sums.sql / count,
        cover80: sums.cover80 / count,
        cover95: sums.cover95 / count,
        msis: sums.msis / count,
    }
}

fn rows(text: &str) -> anyhow::Result<Vec<(String, Vec<f64>)>> {
    let row = |line: &str| {
        let mut cells = line.split(',').map(|cell| cell.trim_matches('"'));
        let id = cells.next().unwrap_or_default().to_owned();
        let values = cells.take_while(|cell| !matches!(*cell, "" | "NA")).map(str::parse);
        let values = values.collect::<Result<Vec<f64>, _>>().with_context(|| id.clone())?;
        Ok((id, values))
    };
    text.lines().skip(1).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A training part whose day repeats but for a rise of 2, so that errors are scaled by 2.
    fn series() -> Hourly {
        let train = (0..48_u32).map(|hour| f64::from(hour % 24 + 2 * (hour / 24))).collect();
        Hourly { id: "H1".to_owned(), train, test: vec![100.0; HORIZON] }
    }

    #[test]
    fn scores_follow_the_formulas() {
        let series = series();
        let forecast = vec![[60.0, 80.0, 80.0, 80.0, 80.0, 80.0, 80.0, 80.0, 80.0, 80.0, 95.0]; HORIZON];
        let scores = score([(&series, &forecast)].into_iter());
        let near = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-9, "{got}, not {expected}");
        near(scores.smape, 200.0 * 20.0 / 180.0);
        near(scores.mase, 10.0);
        near(scores.owa, 0.5 * scores.smape / 18.383 + 0.5 * 10.0 / 2.395);
        // 20 above every decile, whose levels are .5 in the mean
        near(scores.wql, 2.0 * 0.5 * 20.0 / 100.0);
        near(scores.sql, 2.0 * 0.5 * 20.0 / 2.0);
        near(scores.msis, 35.0 / 2.0 + 40.0 * 5.0 / 2.0);
        assert_eq!((scores.cover80, scores.cover95), (0.0, 0.0));
        assert_eq!(series.loss(&forecast), 20.0);
        // the last day runs from 2 to 25
        near(series.naive_loss(), 100.0 - 13.5);
    }

    #[test]
    fn forecasts_are_read_by_series_and_in_order() {
        let header = format!("unique_id,h,timestamp,{}", LEVELS.map(|level| format!("q{level}")).join(","));
        let row = |h: u32| format!("H1,{h},1970-01-01T00:00:00Z,1,2,3,4,5,6,7,8,9,10,11");
        let read = parse_forecasts(&[header.clone(), row(1), row(2)].join("\n")).unwrap();
        assert_eq!((read["H1"].len(), read["H1"][1][10]), (2, 11.0));
        assert!(parse_forecasts(&[header, row(2)].join("\n")).is_err());
        assert!(parse_forecasts("unique_id,h,timestamp,q0.5\n").is_err());
    }

    #[test]
    fn rows_end_where_their_values_do() {
        let rows = rows("\"V1\",\"V2\",\"V3\"\n\"H1\",1,2.5\n\"H2\",3,NA\n\"H3\",4,,\n").unwrap();
        let expected = [("H1", vec![1.0, 2.5]), ("H2", vec![3.0]), ("H3", vec![4.0])];
        assert_eq!(rows, expected.map(|(id, values)| (id.to_owned(), values)));
    }
}
