//! How numbers and times are written for people.

use jiff::tz::TimeZone;
use series::Timestamp;

/// An amount with as many digits as people read: `0.0123`, `4.57`, `221.7`, `15,300`.
pub(crate) fn amount(amount: f64) -> String {
    let size = amount.abs();
    let digits = if size >= 1000.0 || size == 0.0 {
        0
    } else if size >= 100.0 {
        1
    } else if size >= 1.0 {
        2
    } else {
        4
    };
    let text = format!("{amount:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text.as_str() };
    with_commas(text)
}

fn with_commas(text: &str) -> String {
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, rest) = text.split_once('.').map_or((text, String::new()), |(whole, rest)| (whole, format!(".{rest}")));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}{rest}")
}

/// A share as people write it: `99.5%`.
pub(crate) fn percent(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A number as the API gives it: six significant digits, which is what the sources and models are good for.
pub(crate) fn tidy(number: f64) -> f64 {
    if number == 0.0 || !number.is_finite() {
        return number;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the decimal exponent of a float is small")]
    let exponent = number.abs().log10().floor() as i32;
    let digits = 5 - exponent;
    // beyond these powers of ten are not exact any more
    if !(-15..=15).contains(&digits) {
        return number;
    }
    let scale = 10_f64.powi(digits.abs());
    if digits >= 0 { (number * scale).round() / scale } else { (number / scale).round() * scale }
}

/// The time of the day in `zone`.
pub(crate) fn time_of_day(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// The hour and minute in `zone`.
pub(crate) fn hour(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime("%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_as_many_digits_as_people_read() {
        let shown = [0.0, 0.01234, 4.5678, 12.0, 221.74, 15_300.4, 1_234_567.0, -1234.0].map(amount);
        assert_eq!(shown, ["0", "0.0123", "4.57", "12", "221.7", "15,300", "1,234,567", "-1,234"]);
    }

    #[test]
    fn tidy_numbers_keep_six_digits() {
        let kept = [0.0, 123.456_789, 0.000_123_456_789, 9.2e15, 1e-20, -15.0].map(tidy);
        assert_eq!(kept, [0.0, 123.457, 0.000_123_457, 9.2e15, 1e-20, -15.0]);
    }

    #[test]
    fn shares_are_written_with_their_sign() {
        assert_eq!([0.995, 0.9, 1.0, 0.1234].map(percent), ["99.5%", "90%", "100%", "12.34%"]);
    }
}
