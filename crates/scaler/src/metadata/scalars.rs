//! Single values: numbers as KEDA reads them, shares, and booleans as Go reads them.
//!
//! No fault repeats the value: it may have come from a secret.

use super::mistake::Fault;

/// A number as KEDA reads it, which is a JSON number; finite.
pub(super) fn number(text: &str) -> Result<f64, Fault> {
    let fault = |problem: &str, instead: &str| Err(Fault::new(problem, instead));
    let digits = text.strip_prefix('-').unwrap_or(text);
    let lower = digits.to_ascii_lowercase();
    if is_json_number(text) {
        return match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => fault("a number too large to hold", "write a number up to 9.2e15"),
        };
    }
    if matches!(lower.trim_start_matches('+'), "nan" | "inf" | "infinity" | "+inf") {
        return fault("not a finite number", "write a number such as 12 or 0.5");
    }
    if !digits.bytes().any(|byte| byte.is_ascii_digit()) {
        return fault("not a number", "write a number such as 12 or 0.5");
    }
    if is_json_number(&digits.replace(['_', ',', ' '], "")) && !digits.starts_with([',', '_']) {
        return fault("a number with separators", "write the digits alone, 1000 instead of 1_000");
    }
    if let Some(unsigned) = text.strip_prefix('+') {
        return if is_json_number(unsigned) {
            fault("a number with a plus sign", "write 5 instead of +5")
        } else {
            fault("not a number", "write a number such as 12 or 0.5")
        };
    }
    if is_json_number(&format!("0{digits}")) && digits.starts_with('.') {
        return fault("a number without a digit before its point", "write 0.5 instead of .5");
    }
    if is_json_number(&format!("{digits}0")) && digits.ends_with('.') {
        return fault("a number without a digit after its point", "write 5 instead of 5.");
    }
    if digits.starts_with('0') && is_json_number(digits.trim_start_matches('0')) {
        return fault("a number with zeros in front", "write 12 instead of 012");
    }
    if is_json_number(lower.trim_end_matches(|character: char| character.is_ascii_lowercase() || character == '%')) {
        return fault("a number with a unit", "write the number alone, 0.1 instead of 100m");
    }
    fault("not a number", "write a number such as 12 or 0.5")
}

/// A share of the whole: `99.5%` or `0.995`. The percent sign moves the decimal point and rounds nothing.
pub(super) fn share(text: &str) -> Result<f64, Fault> {
    let instead = "write a percentage such as 99.5% or a share such as 0.995";
    match text.strip_suffix('%').map(str::trim_end) {
        None => number(text),
        Some(percent) if is_json_number(percent) && !percent.contains(['e', 'E']) => number(&format!("{percent}e-2")),
        Some(_) => Err(Fault::new("not a percentage", instead)),
    }
}

/// A boolean as Go reads it.
pub(super) fn boolean(text: &str) -> Result<bool, Fault> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(Fault::new("neither true nor false", "write \"true\" or \"false\"")),
    }
}

/// Whether `text` is a number of JSON (RFC 8259, section 6).
fn is_json_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    all_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(all_digits)
        && exponent.is_none_or(|exponent| all_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_json() {
        for (text, value) in [("12", 12.0), ("-3", -3.0), ("0.5", 0.5), ("1e3", 1000.0), ("1.5E-3", 0.0015), ("0", 0.0)]
        {
            assert_eq!(number(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_says_why() {
        for (text, problem) in [
            (".5", "a number without a digit before its point"),
            ("-.5", "a number without a digit before its point"),
            ("5.", "a number without a digit after its point"),
            ("+5", "a number with a plus sign"),
            ("++5", "not a number"),
            ("1_000", "a number with separators"),
            ("1,000", "a number with separators"),
            ("1 000", "a number with separators"),
            ("012", "a number with zeros in front"),
            ("100m", "a number with a unit"),
            ("1k", "a number with a unit"),
            ("10%", "a number with a unit"),
            ("10Mi", "a number with a unit"),
            ("NaN", "not a finite number"),
            ("inf", "not a finite number"),
            ("-Infinity", "not a finite number"),
            ("+Inf", "not a finite number"),
            ("1e999", "a number too large to hold"),
            ("0x10", "not a number"),
            ("abc", "not a number"),
            ("1.2.3", "not a number"),
            ("", "not a number"),
            ("١٢", "not a number"),
        ] {
            assert_eq!(number(text).unwrap_err().problem, problem, "{text}");
        }
    }

    #[test]
    fn a_percentage_is_the_same_number_as_its_share() {
        for (percent, text) in [("99.9%", "0.999"), ("99.5%", "0.995"), ("50%", "0.5"), ("99.95 %", "0.9995")] {
            assert_eq!(share(percent), share(text), "{percent}");
        }
        assert_eq!(share("99.9%"), Ok(0.999));
        for text in ["%", "1e1%", ".5%", "99,5%", "99.5%%"] {
            assert!(share(text).is_err(), "{text}");
        }
    }

    #[test]
    fn booleans_are_those_of_go() {
        assert!(["1", "t", "T", "TRUE", "true", "True"].into_iter().all(|text| boolean(text) == Ok(true)));
        assert!(["0", "f", "F", "FALSE", "false", "False"].into_iter().all(|text| boolean(text) == Ok(false)));
        assert!(["yes", "on", "tRUE", "2", ""].into_iter().all(|text| boolean(text).is_err()));
    }
}
