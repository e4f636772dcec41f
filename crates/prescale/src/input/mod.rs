//! CSV as series: three forms, every mistake with its line. What commands read that are given a file.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod rows;

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{Read as _, Write};
use std::path::Path;

use anyhow::Context as _;
use flate2::read::MultiGzDecoder;
use series::{GapReason, Sample, Series, Step, Timestamp};

/// More places than this in one series are taken for a wrong timestamp.
const MOST_SAMPLES: usize = 5_000_000;
/// More mistakes than this are counted only.
const MOST_TOLD: usize = 50;
/// Monday, midnight, of 1970: where series without times begin.
const NO_TIME: i64 = 345_600;

/// A series with its name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Named {
    /// What the input calls it; `series` where it has no name.
    pub(crate) id: String,
    pub(crate) series: Series,
    /// Whether its times are those of the input.
    pub(crate) timed: bool,
}

/// A mistake of the input, with its line, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub(crate) struct Mistake {
    line: usize,
    what: String,
}

/// The columns that a header names.
enum Form {
    Long { id: Option<usize>, timestamp: usize, value: usize, columns: usize },
    Wide,
}

/// The rows of one series, in the order of the input.
#[derive(Default)]
struct Rows {
    id: String,
    times: Vec<(Timestamp, usize)>,
    samples: Vec<Sample>,
}

/// The whole text of a file, or of standard input for `-`; unpacked where it is gzip.
///
/// # Errors
/// Where it cannot be read, or is no text.
pub(crate) fn read_text(path: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin().read_to_end(&mut bytes).context("standard input")?;
    } else {
        bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    }
    let is_gzip = bytes.starts_with(&[0x1f, 0x8b]);
    let name = || name(path);
    if is_gzip {
        let mut text = String::new();
        MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text).with_context(name)?;
        return Ok(text);
    }
    String::from_utf8(bytes).with_context(name)
}

/// What a file is called in messages.
pub(crate) fn name(path: &Path) -> String {
    if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() }
}

/// Tells the mistakes, a line each, and that `undone` for them; beyond many they are counted.
pub(crate) fn tell(mistakes: &[Mistake], undone: &str, out: &mut impl Write) -> std::io::Result<()> {
    for mistake in mistakes.iter().take(MOST_TOLD) {
        writeln!(out, "error: {mistake}")?;
    }
    match mistakes.len() {
        1 => writeln!(out, "1 mistake, {undone}"),
        count if count <= MOST_TOLD => writeln!(out, "{count} mistakes, {undone}"),
        count => writeln!(out, "{count} mistakes, the first {MOST_TOLD} told; {undone}"),
    }
}

/// The series of `text`, in the order of their first rows.
///
/// # Errors
/// Every mistake there is.
pub(crate) fn read(text: &str, step: Option<Step>) -> Result<Vec<Named>, Vec<Mistake>> {
    // the mark that some programs put before the first letter
    let text = text.trim_start_matches('\u{feff}');
    let mut lines =
        text.lines().enumerate().map(|(index, line)| (index + 1, line)).filter(|(_, line)| !line.trim().is_empty());
    let Some((line, header)) = lines.next() else {
        return Err(vec![mistake(1, "there is nothing; a header and rows are needed")]);
    };
    let form = form(&rows::fields(header)).map_err(|what| vec![Mistake { line, what }])?;
    let mut mistakes = Vec::new();
    let named = match form {
        Form::Wide => wide(lines, step, line, &mut mistakes),
        Form::Long { id, timestamp, value, columns } => {
            let rows = long(lines, id, (timestamp, value, columns), &mut mistakes);
            // times are judged once all of them could be read
            if mistakes.is_empty() {
                rows.into_iter().filter_map(|rows| timed(rows, step, &mut mistakes)).collect()
            } else {
                Vec::new()
            }
        }
    };
    if mistakes.is_empty() && named.is_empty() {
        mistakes.push(mistake(line, "there are no rows after the header"));
    }
    if mistakes.is_empty() { Ok(named) } else { Err(mistakes) }
}

fn mistake(line: usize, what: &str) -> Mistake {
    Mistake { line, what: what.to_owned() }
}

fn form(header: &[Cow<'_, str>]) -> Result<Form, String> {
    let place = |names: &[&str]| header.iter().position(|name| names.contains(&name.to_ascii_lowercase().as_str()));
    if let (Some(timestamp), Some(value)) = (place(&["timestamp", "ds"]), place(&["value", "y"])) {
        return Ok(Form::Long { id: place(&["unique_id"]), timestamp, value, columns: header.len() });
    }
    let numbered = |name: &Cow<'_, str>| name.strip_prefix(['V', 'v']).is_some_and(|rest| rest.parse::<u32>().is_ok());
    if header.len() > 1 && header.iter().all(numbered) {
        return Ok(Form::Wide);
    }
    Err("the header must be timestamp,value or unique_id,timestamp,value or V1,V2,… (one series per row, its id first)"
        .to_owned())
}

fn wide<'a>(
    lines: impl Iterator<Item = (usize, &'a str)>,
    step: Option<Step>,
    header: usize,
    mistakes: &mut Vec<Mistake>,
) -> Vec<Named> {
    if step.is_none() {
        mistakes.push(mistake(header, "series in rows have no times: say with --step how far apart their values are"));
    }
    let step = step.unwrap_or(Step::MINUTE);
    let start = step.floor(Timestamp::from_second(NO_TIME).unwrap_or(Timestamp::UNIX_EPOCH));
    let mut lines_of: HashMap<String, usize> = HashMap::new();
    let mut named = Vec::new();
    for (line, text) in lines {
        let mut fields = rows::fields(text).into_iter();
        let id = fields.next().unwrap_or_default().into_owned();
        if let Some(before) = lines_of.insert(id.clone(), line) {
            mistakes.push(Mistake { line, what: format!("the series {id:?} was there in line {before}") });
        }
        let mut values: Vec<Cow<'_, str>> = fields.collect();
        // shorter series than the longest are filled up at their end
        values.truncate(values.iter().rposition(|value| !value.is_empty() && value != "NA").map_or(0, |last| last + 1));
        if values.is_empty() {
            mistakes.push(Mistake { line, what: format!("the series {id:?} has no value") });
        }
        let mut samples = Vec::with_capacity(values.len());
        for (place, value) in values.iter().enumerate() {
            match rows::sample(value) {
                Ok(sample) => samples.push(sample),
                Err(what) => mistakes.push(Mistake { line, what: format!("V{}: {what}", place + 2) }),
            }
        }
        match Series::from_samples(start, step, samples) {
            Ok(series) => named.push(Named { id, series, timed: false }),
            Err(error) => mistakes.push(Mistake { line, what: error.to_string() }),
        }
    }
    named
}

fn long<'a>(
    lines: impl Iterator<Item = (usize, &'a str)>,
    id: Option<usize>,
    (timestamp, value, columns): (usize, usize, usize),
    mistakes: &mut Vec<Mistake>,
) -> Vec<Rows> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut all: Vec<Rows> = Vec::new();
    for (line, text) in lines {
        let fields = rows::fields(text);
        if fields.len() != columns {
            let what = format!("{} fields where the header has {columns}", fields.len());
            mistakes.push(Mistake { line, what });
            continue;
        }
        let id = id.map_or("series", |column| fields[column].as_ref());
        let place = *places.entry(id.to_owned()).or_insert_with(|| {
            all.push(Rows { id: id.to_owned(), ..Rows::default() });
            all.len() - 1
        });
        let (time, sample) = (rows::timestamp(&fields[timestamp]), rows::sample(&fields[value]));
        for what in [time.as_ref().err(), sample.as_ref().err()].into_iter().flatten() {
            mistakes.push(Mistake { line, what: what.clone() });
        }
        if let (Ok(time), Ok(sample)) = (time, sample) {
            all[place].times.push((time, line));
            all[place].samples.push(sample);
        }
    }
    all
}

/// The rows on their grid, with gaps where there is no row.
fn timed(rows: Rows, stated: Option<Step>, mistakes: &mut Vec<Mistake>) -> Option<Named> {
    let Rows { id, times, samples } = rows;
    let before = mistakes.len();
    let apart = |pair: &[(Timestamp, usize)]| pair[1].0.as_second() - pair[0].0.as_second();
    for pair in times.windows(2).filter(|pair| apart(pair) <= 0) {
        let what = format!("{} of series {id:?} is not after the row before it", pair[1].0);
        mistakes.push(Mistake { line: pair[1].1, what });
    }
    let (first, first_line) = *times.first()?;
    let least = times.windows(2).map(apart).filter(|&seconds| seconds > 0).min();
    let found = least.and_then(|seconds| Step::from_seconds(u32::try_from(seconds).ok()?).ok());
    let Some(step) = stated.or(found) else {
        let what = format!("the rows of series {id:?} do not say how far apart they are (1s to 1d): state --step");
        mistakes.push(Mistake { line: first_line, what });
        return None;
    };
    // a grid of quarter hours at minute 7 begins a little before its first row
    let mut series = Series::starting_at(step.floor(first), step).ok()?;
    for (&(time, line), sample) in times.iter().zip(samples) {
        let seconds = time.as_second() - first.as_second();
        let place = usize::try_from(seconds / i64::from(step.seconds())).unwrap_or(0);
        if seconds % i64::from(step.seconds()) != 0 {
            let what =
                format!("{time} of series {id:?} is no whole number of steps ({step}) after its first row, {first}");
            mistakes.push(Mistake { line, what });
        } else if place >= MOST_SAMPLES {
            let what = format!(
                "{time} of series {id:?} is more than {MOST_SAMPLES} steps ({step}) after its first row, {first}"
            );
            mistakes.push(Mistake { line, what });
        } else if mistakes.len() == before {
            while series.len() < place {
                series.push(Sample::Gap(GapReason::NoSample));
            }
            series.push(sample);
        }
    }
    (mistakes.len() == before).then_some(Named { id, series, timed: true })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;
    use series::Load;

    use super::*;

    /// Lines as they are, nearly as they should be, and not at all.
    fn line() -> impl Strategy<Value = String> {
        let number = prop_oneof![
            "-?[0-9]{1,12}",
            "[0-9]{1,3}\\.[0-9]{1,3}",
            "",
            "NaN",
            "inf",
            "1e300",
            "2024-01-0[1-9]T00:00:00Z"
        ];
        prop_oneof![
            4 => (number.clone(), number).prop_map(|(time, value)| format!("{time},{value}")),
            1 => "\\PC{0,40}",
            1 => "[,\"\r\t 0-9a-z]{0,20}",
        ]
    }

    proptest! {
        #[test]
        fn whatever_is_read_makes_a_series_or_mistakes_in_lines_that_there_are(
            header in prop_oneof![4 => Just("timestamp,value".to_owned()), 1 => line()],
            lines in prop::collection::vec(line(), 0..30),
        ) {
            let text = format!("{header}\n{}", lines.join("\n"));
            match read(&text, None) {
                Ok(named) => prop_assert!(!named.is_empty()),
                Err(mistakes) => {
                    prop_assert!(!mistakes.is_empty());
                    let count = text.lines().count().max(1);
                    prop_assert!(mistakes.iter().all(|mistake| (1..=count).contains(&mistake.line)), "{mistakes:?}");
                }
            }
        }

        #[test]
        fn what_was_written_is_read(
            loads in prop::collection::vec(prop::option::weighted(0.8, 0.0_f64..1e6), 2..200),
            step in 1_u32..4000,
            is_quoted: bool,
        ) {
            let step = Step::from_seconds(step).unwrap();
            let start = step.floor(Timestamp::from_second(1_700_000_000).unwrap());
            let sample = |load: &Option<f64>| {
                load.map_or(Sample::Gap(GapReason::NoSample), |load| Sample::Value(Load::new(load).unwrap()))
            };
            let written = Series::from_samples(start, step, loads.iter().map(sample)).unwrap();
            let quote = if is_quoted { "\"" } else { "" };
            let mut text = "timestamp,value\r\n".to_owned();
            for (index, load) in loads.iter().enumerate() {
                let value = load.map(|load| load.to_string()).unwrap_or_default();
                writeln!(text, "{quote}{}{quote},{quote}{value}{quote}\r", written.time(index).as_second()).unwrap();
            }
            let named = read(&text, None).unwrap();
            prop_assert_eq!(&named[0].series, &written);
        }
    }

    #[test]
    fn a_row_without_a_value_is_no_series() {
        let mistakes = read("V1,V2,V3\nH1,1,2\nH2,NA,\nH3", Some(Step::MINUTE)).unwrap_err();
        let told: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["line 3: the series \"H2\" has no value", "line 4: the series \"H3\" has no value"]);
    }

    #[test]
    fn every_bad_row_of_a_year_of_minutes_is_named_by_its_line() {
        let mut text = "timestamp,value\n".to_owned();
        for minute in 0..525_600_u32 {
            let value = if minute % 100_000 == 77 { "many".to_owned() } else { minute.to_string() };
            writeln!(text, "{},{value}", 60 * minute).unwrap();
        }
        let mistakes = read(&text, None).unwrap_err();
        let lines: Vec<usize> = mistakes.iter().map(|mistake| mistake.line).collect();
        assert_eq!(lines, [79, 100_079, 200_079, 300_079, 400_079, 500_079]);
        let named = read(&text.replace("many", ""), None).unwrap();
        assert_eq!((named[0].series.len(), named[0].series.known()), (525_600, 525_594));
    }
}
