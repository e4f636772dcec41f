//! What a fuzzer feeds with metadata.

use std::collections::HashMap;

use crate::{Defaults, Mistakes, parse_target, parse_threshold, review};

/// Whatever is read as metadata, a key and its value per line with `=` between, is a target that holds its promises, or
/// mistakes on one line of bounded length.
///
/// # Panics
/// Where it is not.
#[expect(clippy::expect_used, reason = "a fuzzer finds out by panics")]
pub fn metadata(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    // `\` stands for a line feed within a value
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let metadata: HashMap<_, _> = pairs.map(|(key, value)| (key.to_owned(), value.replace('\\', "\n"))).collect();
    for has_default_server in [false, true] {
        let parse = || parse_target("shop", "checkout", &metadata, &Defaults { has_default_server });
        match parse() {
            Ok(target) => {
                assert_eq!(parse_threshold(&metadata).as_ref(), Ok(&target.threshold));
                assert_eq!(parse().expect("the same metadata").key, target.key);
                assert!(target.threshold.get() >= 0.001 && !target.request.query.promql.is_empty());
                let (request, samples) = (&target.request, target.request.step.count_in(target.request.history));
                assert!((30..=100_000).contains(&samples) && request.history >= 2 * request.lead_time);
                assert!(has_default_server || request.query.server.is_some());
            }
            Err(mistakes) => assert_are_readable(&mistakes),
        }
        if let Err(mistakes) = review("shop", "checkout", &metadata, &Defaults { has_default_server }) {
            assert_are_readable(&mistakes);
        }
    }
}

fn assert_are_readable(mistakes: &Mistakes) {
    let text = mistakes.to_string();
    assert!(mistakes.iter().count() > 0 && text.len() < 64 * 1024 && !text.contains(char::is_control), "{text:?}");
}

#[cfg(test)]
#[test]
fn what_was_fed_once_is_still_understood() {
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/metadata")).unwrap() {
        metadata(&std::fs::read(file.unwrap().path()).unwrap());
    }
}
