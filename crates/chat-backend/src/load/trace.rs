//! [`Trace`]: rates, one per step.

use std::time::Duration;

/// Requests per second, step by step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trace {
    /// Never empty; each finite and at least 0.
    pub(super) rates: Vec<f64>,
    pub(super) step: Duration,
}

/// Why a text is no trace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum TraceError {
    #[error("line {line}: {text:?} is no rate; write requests per second, 0 or more")]
    NoRate { line: usize, text: String },
    #[error("there are no rates")]
    Empty,
    #[error("a step lasts from a millisecond to a day")]
    Step,
}

impl Trace {
    /// The last column of `text`, each times `scale`, `step_seconds` apart. A first line without a number is the header.
    pub(super) fn parse(text: &str, step_seconds: f64, scale: f64) -> Result<Self, TraceError> {
        if !(0.001..=86_400.0).contains(&step_seconds) {
            return Err(TraceError::Step);
        }
        let mut rates = Vec::new();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let last = line.rsplit(',').next().unwrap_or_default().trim();
            match last.parse::<f64>().map(|rate| rate * scale) {
                Ok(rate) if rate >= 0.0 && rate.is_finite() => rates.push(rate),
                Err(_) if index == 0 => {}
                _ => return Err(TraceError::NoRate { line: index + 1, text: last.to_owned() }),
            }
        }
        if rates.is_empty() {
            return Err(TraceError::Empty);
        }
        Ok(Self { rates, step: Duration::from_secs_f64(step_seconds) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_column_is_the_rate_with_or_without_a_header() {
        let step = Duration::from_secs(30);
        let bare = Trace::parse("1\n2.5\n", 30.0, 2.0).unwrap();
        assert_eq!(bare, Trace { rates: vec![2.0, 5.0], step });
        assert_eq!(Trace::parse("timestamp,value\n2026-01-01T00:00:00Z,1\n\nx, 2.5\n", 30.0, 2.0), Ok(bare));
    }

    #[test]
    fn what_is_no_rate_is_told_with_its_line() {
        for text in ["v\n1\nNaN\n", "v\n1\n-1\n", "v\n1\nmany\n", "v\n1\ninf\n"] {
            let error = Trace::parse(text, 60.0, 1.0).unwrap_err();
            assert!(matches!(error, TraceError::NoRate { line: 3, .. }), "{error}");
        }
        assert_eq!(Trace::parse("value\n", 60.0, 1.0), Err(TraceError::Empty));
        assert_eq!(Trace::parse("1\n", f64::NAN, 1.0), Err(TraceError::Step));
    }
}
