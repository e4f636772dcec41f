//! The fields of a row and what they mean: CSV without line breaks inside fields.

use std::borrow::Cow;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use series::{GapReason, Load, Sample, Timestamp};

/// The fields of a line, without their quotes.
pub(super) fn fields(line: &str) -> Vec<Cow<'_, str>> {
    if !line.contains('"') {
        return line.split(',').map(|field| Cow::Borrowed(field.trim())).collect();
    }
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                push(&mut fields, '"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => push(&mut fields, other),
        }
    }
    fields.into_iter().map(|field| Cow::Owned(field.trim().to_owned())).collect()
}

fn push(fields: &mut [String], character: char) {
    if let Some(field) = fields.last_mut() {
        field.push(character);
    }
}

/// A load, or a gap where it is unknown.
pub(super) fn sample(text: &str) -> Result<Sample, String> {
    if text.is_empty() || text.eq_ignore_ascii_case("na") {
        return Ok(Sample::Gap(GapReason::NoSample));
    }
    let amount: f64 =
        text.parse().map_err(|_| format!("the value {text:?} is no number; leave it empty where it is unknown"))?;
    if amount.is_nan() {
        return Ok(Sample::Gap(GapReason::NotANumber));
    }
    Load::new(amount).map(Sample::Value).map_err(|error| error.to_string())
}

/// A time: seconds since 1970, RFC 3339, or a date and time in UTC.
pub(super) fn timestamp(text: &str) -> Result<Timestamp, String> {
    let seconds = text.parse::<i64>().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    seconds.or_else(|| text.parse().ok()).or_else(civil).ok_or_else(|| {
        format!(
            "the timestamp {text:?} is no time; write seconds since 1970, 2024-01-31T09:00:00Z or 2024-01-31 09:00:00"
        )
    })
}
