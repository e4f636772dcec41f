//! Traces from files.

use std::error::Error;

use series::{GapReason, Load, Sample, Series, Step, Timestamp};

/// A trace from a CSV of `timestamp,value` in seconds, a missing value empty.
pub(crate) fn read(path: &str) -> Result<Series, Box<dyn Error>> {
    let text = std::fs::read_to_string(path)?;
    let mut rows = Vec::new();
    for line in text.lines().skip(1).filter(|line| !line.is_empty()) {
        let (timestamp, value) = line.split_once(',').ok_or("a row needs a timestamp and a value")?;
        let load = if value.is_empty() { None } else { Some(Load::new(value.parse()?)?) };
        rows.push((timestamp.parse::<i64>()?, load));
    }
    let [(first, _), (second, _), ..] = rows[..] else { return Err("a trace needs two rows".into()) };
    let step = Step::from_seconds(u32::try_from(second - first)?)?;
    let start = step.floor(Timestamp::from_second(first)?);
    let sample = |load: Option<Load>| load.map_or(Sample::Gap(GapReason::NoSample), Sample::Value);
    Ok(Series::from_samples(start, step, rows.into_iter().map(|(_, load)| sample(load)))?)
}
