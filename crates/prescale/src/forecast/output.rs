//! The forecasts as CSV: one row per series and step ahead.

use std::io::Write;

use series::{Forecast, Quantile};

use super::ahead::Asked;
use crate::input::Named;

/// The names of the columns.
pub(super) fn header(out: &mut impl Write, levels: &[Quantile]) -> std::io::Result<()> {
    write!(out, "unique_id,h,timestamp")?;
    for level in levels {
        write!(out, ",q{level}")?;
    }
    writeln!(out)
}

/// The steps that are asked of the forecast of one series. Series without times have none here.
pub(super) fn rows(
    out: &mut impl Write,
    named: &Named,
    forecast: &Forecast,
    asked: &Asked,
    levels: &[Quantile],
) -> std::io::Result<()> {
    let step = named.series.step();
    for (place, horizon) in forecast.horizons().enumerate() {
        let ahead = place + 1;
        if !asked.writes(ahead) {
            continue;
        }
        write!(out, "{},{ahead},", quoted(&named.id))?;
        let time = step.shift(forecast.origin(), i64::try_from(ahead).unwrap_or(i64::MAX));
        if named.timed {
            write!(out, "{time}")?;
        }
        debug_assert_eq!(horizon.ahead, step.duration() * u32::try_from(ahead).unwrap_or(u32::MAX));
        for &level in levels {
            match forecast.quantile(time, level) {
                Some(load) => write!(out, ",{}", rounded(load.get()))?,
                None => write!(out, ",")?,
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Seven digits: more than any forecast knows.
fn rounded(amount: f64) -> f64 {
    if amount == 0.0 {
        return 0.0;
    }
    // powers of ten up to 22 are exact, and so is the one quotient or product with them but for its last place
    let power = 10.0_f64.powf((6.0 - amount.abs().log10().floor()).abs().min(22.0).round());
    if amount.abs() < 1e7 { (amount * power).round() / power } else { (amount / power).round() * power }
}

fn quoted(id: &str) -> String {
    if id.contains([',', '"']) { format!("\"{}\"", id.replace('"', "\"\"")) } else { id.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_digits_are_kept_of_every_size() {
        for (amount, kept) in [
            (0.0, "0"),
            (12.345_678_912, "12.34568"),
            (-9_999_999.6, "-10000000"),
            (123_456_789.0, "123456800"),
            (0.001_234_567_89, "0.001234568"),
            (9.2e15, "9200000000000000"),
        ] {
            assert_eq!(rounded(amount).to_string(), kept);
        }
        assert!(rounded(1e-300).is_finite());
    }
}
