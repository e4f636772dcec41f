//! [`Trace`]: a load of the past, read from a directory with a `MANIFEST.csv`.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use flate2::read::GzDecoder;
use series::{GapReason, Load, Sample, Series, Step, Timestamp};

/// How far ahead is asked.
const HORIZON_MINUTES: [u64; 3] = [5, 15, 60];
/// The column of the manifest that says how fit a trace is for those horizons, and the mark for a fit one.
const FITNESS: (&str, &str) = ("forecast_5_60min", "2");
/// Before the first origin a method may learn for so long.
const BEFORE_FIRST_ORIGIN: Duration = Duration::from_hours(3 * 24);

/// A load of the past.
#[derive(Debug)]
pub struct Trace {
    /// The name of its file, without the endings.
    pub name: String,
    /// Its samples.
    pub series: Series,
    /// The same as plain numbers: NaN where unknown.
    pub values: Vec<f64>,
}

/// A horizon on the grid of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    /// What was asked, in minutes.
    pub minutes: u64,
    /// The steps that reach or pass it.
    pub steps: usize,
}

/// Every trace that the manifest in `directory` marks as fit for forecasts of 5 to 60 minutes.
///
/// # Errors
/// Where a file cannot be read or is not of the form.
pub fn read_all(directory: &Path) -> anyhow::Result<Vec<Trace>> {
    let path = directory.join("MANIFEST.csv");
    let manifest = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let mut lines = manifest.lines().map(cells);
    let header = lines.next().unwrap_or_default();
    let column = |name: &str| header.iter().position(|cell| cell == name).with_context(|| format!("no column {name}"));
    let (file, fitness) = (column("file")?, column(FITNESS.0)?);
    let fit = lines.filter(|row| row.get(fitness).is_some_and(|mark| mark == FITNESS.1));
    fit.map(|row| Trace::read(&directory.join(&row[file]))).collect()
}

/// The whole text of a file, unpacked where its name ends in `.gz`.
///
/// # Errors
/// Where it cannot be read.
pub fn read_text(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let mut reader: Box<dyn Read> = if path.extension().is_some_and(|ending| ending == "gz") {
        Box::new(GzDecoder::new(file))
    } else {
        Box::new(file)
    };
    reader.read_to_string(&mut text).with_context(|| path.display().to_string())?;
    Ok(text)
}

impl Trace {
    fn read(path: &Path) -> anyhow::Result<Self> {
        let series = parse(&read_text(path)?).with_context(|| path.display().to_string())?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self::new(name.trim_end_matches(".csv.gz"), series))
    }

    /// A trace of that name.
    pub fn new(name: &str, series: Series) -> Self {
        let values = series.samples().map(|sample| match sample {
            Sample::Value(load) => load.get(),
            Sample::Gap(_) => f64::NAN,
        });
        Self { name: name.to_owned(), values: values.collect(), series }
    }

    /// The horizons on this grid; where two come to the same step, the nearer one alone.
    pub fn horizons(&self) -> Vec<Ahead> {
        let step = self.series.step();
        let mut horizons: Vec<Ahead> = Vec::new();
        for minutes in HORIZON_MINUTES {
            let steps = step.count_covering(Duration::from_mins(minutes));
            if horizons.last().is_none_or(|last| last.steps < steps) {
                horizons.push(Ahead { minutes, steps });
            }
        }
        horizons
    }

    /// How many samples of this step reach or pass `span`.
    pub fn steps(&self, span: Duration) -> usize {
        self.series.step().count_covering(span)
    }

    /// The first origin.
    pub fn first_origin(&self) -> usize {
        self.steps(BEFORE_FIRST_ORIGIN)
    }

    /// The newest `most` samples up to `origin`, unknown ones on a straight line between their neighbors.
    pub fn filled(&self, origin: usize, most: usize) -> Vec<f64> {
        let mut values = self.values[(origin + 1).saturating_sub(most)..=origin].to_vec();
        let mut last: Option<usize> = None;
        for index in 0..values.len() {
            if values[index].is_nan() {
                continue;
            }
            let (left, from) = last.map_or((values[index], 0), |last| (values[last], last + 1));
            let right = values[index];
            let span = (index + 1 - from) as f64;
            for (place, value) in values[from..index].iter_mut().enumerate() {
                *value = left + (right - left) * (place + 1) as f64 / span;
            }
            last = Some(index);
        }
        let (from, level) = last.map_or((0, 0.0), |last| (last + 1, values[last]));
        values[from..].fill(level);
        values
    }
}

/// The origins of a sample per trace, in its order: a CSV with the columns `trace,origin`, origins in seconds since the epoch.
///
/// # Errors
/// Where the file cannot be read, a row is not of the form, or an origin is no sample of its trace.
pub fn read_sample(path: &Path, traces: &[Trace], first: usize) -> anyhow::Result<Vec<HashSet<usize>>> {
    let text = read_text(path)?;
    let mut origins = vec![HashSet::new(); traces.len()];
    for line in text.lines().skip(1) {
        let (name, origin) = line.split_once(',').with_context(|| format!("{line:?} is no trace,origin"))?;
        let Some(place) = traces.iter().position(|trace| trace.name == name) else { continue };
        let series = &traces[place].series;
        let seconds = origin.parse::<i64>()? - series.start().as_second();
        let index = usize::try_from(seconds / i64::from(series.step().seconds()))?;
        if index >= series.len() || series.time(index).as_second() != origin.parse::<i64>()? {
            bail!("{origin} is no time of {name}");
        }
        if origins[place].len() < first {
            origins[place].insert(index);
        }
    }
    Ok(origins)
}

fn parse(text: &str) -> anyhow::Result<Series> {
    let mut rows = Vec::new();
    for line in text.lines().skip(1).filter(|line| !line.is_empty()) {
        let (time, value) = line.split_once(',').with_context(|| format!("{line:?} is no timestamp,value"))?;
        let sample = match value {
            "" => Sample::Gap(GapReason::NoSample),
            value => Sample::Value(Load::new(value.parse()?)?),
        };
        rows.push((time.parse::<i64>()?, sample));
    }
    let [(first, _), (second, _), ..] = rows[..] else { bail!("a trace needs two rows") };
    if rows.windows(2).any(|pair| pair[1].0 - pair[0].0 != second - first) {
        bail!("the rows are not {} s apart", second - first);
    }
    let step = Step::from_seconds(u32::try_from(second - first)?)?;
    Ok(Series::from_samples(Timestamp::from_second(first)?, step, rows.into_iter().map(|(_, sample)| sample))?)
}

/// The cells of a line of CSV; quoted ones may hold commas.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            character => {
                if let Some(cell) = cells.last_mut() {
                    cell.push(character);
                }
            }
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_a_series_with_its_gaps() {
        let series = parse("timestamp,value\n600,1\n1200,\n1800,3.5\n").unwrap();
        assert_eq!((series.len(), series.known(), series.step().seconds()), (3, 2, 600));
        assert!(parse("timestamp,value\n600,1\n1200,2\n2400,3\n").is_err());
    }

    #[test]
    fn gaps_are_filled_between_their_neighbors_and_from_the_nearest_at_the_ends() {
        let series = parse("t,v\n0,\n60,2\n120,\n180,\n240,8\n300,\n360,99\n").unwrap();
        let trace = Trace::new("made", series);
        assert_eq!(trace.filled(5, 100), [2.0, 2.0, 4.0, 6.0, 8.0, 8.0]);
        assert_eq!(trace.filled(4, 2), [8.0, 8.0]);
    }

    #[test]
    fn horizons_that_come_to_one_step_are_asked_once() {
        let steps = |seconds: u32| {
            let trace = Trace::new("made", parse(&format!("t,v\n0,1\n{seconds},2\n")).unwrap());
            trace.horizons().iter().map(|ahead| (ahead.minutes, ahead.steps)).collect::<Vec<_>>()
        };
        assert_eq!(steps(60), [(5, 5), (15, 15), (60, 60)]);
        assert_eq!(steps(600), [(5, 1), (15, 2), (60, 6)]);
        assert_eq!(steps(1800), [(5, 1), (60, 2)]);
    }

    #[test]
    fn quoted_cells_keep_their_commas() {
        assert_eq!(cells(r#"a,"b, c",,d"#), ["a", "b, c", "", "d"]);
    }
}
