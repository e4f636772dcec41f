//! Durations as Kubernetes users write them: `3m`, `1h30m`, `500ms`, and days and weeks as well (`7d`, `2w`).
//!
//! The notation is Go's (`time.ParseDuration`) with `d` and `w` added and signs refused. A number without a unit is never
//! guessed at.

use std::time::Duration;

/// The units, with their lengths in nanoseconds. The micro sign has two code points.
const UNITS: [(&str, u128); 10] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
];

/// Digits of a fraction that are read; those beyond say less than a nanosecond of a week.
const FRACTION_DIGITS: usize = 15;

/// Reads a duration such as `90s`, `3m`, `1h30m`, `1.5h`, `7d` or `2w`. Parts below a nanosecond are cut off.
///
/// # Errors
/// [`DurationError`] for anything else: no unit, an unknown unit, a sign, or more than 500 years.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(DurationError::Unreadable);
    }
    if rest.starts_with(['-', '+']) {
        return Err(DurationError::Signed);
    }
    let mut nanoseconds: u128 = 0;
    while !rest.is_empty() {
        let (amount, after_amount) = split_where(rest, |character| !is_of_number(character));
        let (unit, after_unit) = split_where(after_amount, is_of_number);
        if amount.is_empty() {
            return Err(DurationError::Unreadable);
        }
        if unit.is_empty() {
            return Err(DurationError::NoUnit);
        }
        let (_, length) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(DurationError::UnknownUnit)?;
        nanoseconds = nanoseconds.saturating_add(scaled(amount, *length)?);
        rest = after_unit;
    }
    u64::try_from(nanoseconds).map(Duration::from_nanos).map_err(|_| DurationError::TooLong)
}

/// A duration in the notation that [`parse_duration`] reads, without loss: `14d`, `1h30m`, `1s500ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readable(pub Duration);

impl std::fmt::Display for Readable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut left = self.0.as_nanos();
        if left == 0 {
            return f.write_str("0s");
        }
        for unit in ["d", "h", "m", "s", "ms", "ns"] {
            let Some((_, length)) = UNITS.iter().find(|(name, _)| *name == unit) else { continue };
            if left >= *length {
                write!(f, "{}{unit}", left / length)?;
                left %= length;
            }
        }
        Ok(())
    }
}

/// Why a text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// A number stands alone.
    #[error("a number without a unit")]
    NoUnit,
    /// A unit that is not known; units are lower-case.
    #[error("a duration with an unknown unit")]
    UnknownUnit,
    /// A `-` or `+` in front.
    #[error("a duration with a sign")]
    Signed,
    /// More than 500 years.
    #[error("a duration of centuries")]
    TooLong,
    /// Nothing like a duration.
    #[error("not a duration")]
    Unreadable,
}

impl DurationError {
    /// What to write instead.
    pub const INSTEAD: &'static str =
        "write numbers with units, such as 90s, 3m, 1h30m or 7d (units: ms, s, m, h, d, w)";
}

fn is_of_number(character: char) -> bool {
    character.is_ascii_digit() || character == '.'
}

/// `text` before and from the first character that `ends` the part.
fn split_where(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

/// A decimal `amount` of a unit of `length` nanoseconds, exact down to the nanosecond.
fn scaled(amount: &str, length: u128) -> Result<u128, DurationError> {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    if fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) {
        return Err(DurationError::Unreadable);
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| DurationError::TooLong)? };
    let mut part = 0;
    let mut digit_worth = length * 10_u128.pow(15);
    for digit in fraction.bytes().take(FRACTION_DIGITS) {
        digit_worth /= 10;
        part += u128::from(digit - b'0') * digit_worth;
    }
    Ok(u128::from(whole) * length + part / 10_u128.pow(15))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them_and_in_days_and_weeks() {
        for (text, nanoseconds) in [
            ("3m", 180_000_000_000),
            ("180s", 180_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1.5h", 5_400_000_000_000),
            (".5s", 500_000_000),
            ("2.s", 2_000_000_000),
            ("500ms", 500_000_000),
            ("3us", 3_000),
            ("3µs", 3_000),
            ("3μs", 3_000),
            ("7d", 604_800_000_000_000),
            ("2w", 1_209_600_000_000_000),
            ("1w1d1h1m1s1ms1us1ns", 694_861_001_001_001),
            ("30m1h", 5_400_000_000_000),
            ("0s", 0),
            (" 3m\n", 180_000_000_000),
            ("0.0000000019s", 1),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_nanos(nanoseconds)), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_duration_says_why() {
        for (text, error) in [
            ("", DurationError::Unreadable),
            ("abc", DurationError::Unreadable),
            ("PT3M", DurationError::Unreadable),
            (".s", DurationError::Unreadable),
            ("1.2.3s", DurationError::Unreadable),
            ("180", DurationError::NoUnit),
            ("1h30", DurationError::NoUnit),
            ("1.5", DurationError::NoUnit),
            ("3M", DurationError::UnknownUnit),
            ("3min", DurationError::UnknownUnit),
            ("1h 30m", DurationError::UnknownUnit),
            ("1_000s", DurationError::UnknownUnit),
            ("-3m", DurationError::Signed),
            ("+3m", DurationError::Signed),
            ("600y", DurationError::UnknownUnit),
            ("99999999999999999999s", DurationError::TooLong),
            ("18446744073709551615w", DurationError::TooLong),
        ] {
            assert_eq!(parse_duration(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn readable_text_is_what_people_write() {
        for (seconds, text) in [(0, "0s"), (60, "1m"), (90, "1m30s"), (5_400, "1h30m"), (1_209_600, "14d")] {
            assert_eq!(Readable(Duration::from_secs(seconds)).to_string(), text);
        }
        assert_eq!(Readable(Duration::from_millis(1_500)).to_string(), "1s500ms");
    }

    proptest! {
        #[test]
        fn readable_text_is_read_back_without_loss(nanoseconds in any::<u64>()) {
            let duration = Duration::from_nanos(nanoseconds);
            prop_assert_eq!(parse_duration(&Readable(duration).to_string()), Ok(duration));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*|[0-9.]{0,40}[a-zµ]{0,3}") {
            let _ = parse_duration(&text);
        }
    }
}
