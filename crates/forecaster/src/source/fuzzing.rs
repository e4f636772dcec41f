//! What a fuzzer feeds with answers of Prometheus.

use series::{MissingSamples, Step, Timestamp};

use super::answer::Envelope;
use super::redaction::Redaction;
use super::{GridRange, SourceError, reading};

/// Whatever is read as an answer is a load, a sample for each time asked for, or an error on one line of bounded length.
///
/// # Panics
/// Where it is not.
#[expect(clippy::expect_used, reason = "a fuzzer finds out by panics")]
pub fn answer(bytes: &[u8]) {
    let (redaction, server) = (Redaction::default(), "http://p".parse().expect("a server"));
    let data = || serde_json::from_slice::<Envelope>(bytes).ok()?.data;
    for missing in [MissingSamples::Unknown, MissingSamples::Zero] {
        let Some(data) = data() else { return };
        match reading::load(data, missing, &redaction) {
            Ok(load) => assert!(load.get().is_finite() && load.get() >= 0.0),
            Err(error) => assert_is_readable(&error),
        }
    }
    let ends = [1_700_000_040, 1_700_003_640].map(|second| Timestamp::from_second(second).expect("a time"));
    let range = GridRange::between(ends[0], ends[1], Step::MINUTE).expect("a range");
    let Some(data) = data() else { return };
    match reading::samples(data, &range, &server, &redaction) {
        Ok(samples) => assert_eq!(samples.len(), range.count()),
        Err(error) => assert_is_readable(&error),
    }
}

fn assert_is_readable(error: &SourceError) {
    let text = error.to_string();
    assert!(text.len() < 4096 && !text.contains(char::is_control), "{text:?}");
}

#[cfg(test)]
#[test]
fn what_was_fed_once_is_still_understood() {
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/answer")).unwrap() {
        answer(&std::fs::read(file.unwrap().path()).unwrap());
    }
}
