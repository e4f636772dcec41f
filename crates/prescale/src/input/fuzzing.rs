//! What a fuzzer feeds with CSV.

use series::Step;

use super::read;

/// Whatever is read makes series, or mistakes in lines that there are.
///
/// # Panics
/// Where it does not.
pub(crate) fn csv(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for step in [None, Step::from_seconds(60).ok()] {
        match read(&text, step) {
            Ok(named) => assert!(!named.is_empty() && named.iter().all(|named| !named.series.is_empty())),
            Err(mistakes) => {
                let lines = 1..=text.lines().count().max(1);
                assert!(!mistakes.is_empty() && mistakes.iter().all(|mistake| lines.contains(&mistake.line)));
            }
        }
    }
}

#[cfg(test)]
#[test]
fn what_was_fed_once_is_still_understood() {
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/csv")).unwrap() {
        csv(&std::fs::read(file.unwrap().path()).unwrap());
    }
}
