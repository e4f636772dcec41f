//! What a fuzzer feeds with records and with pages of histories.

use crate::{page, record};

/// Whatever is read as a record is the same after it was written down.
///
/// # Panics
/// Where it is not.
#[expect(clippy::expect_used, reason = "a fuzzer finds out by panics")]
pub fn record(bytes: &[u8]) {
    let _ = record::issued(bytes);
    if let Ok(kept) = record::read(bytes) {
        let written = record::write(&kept).expect("what was read can be written");
        assert_eq!(record::read(&written).expect("what was written can be read"), kept);
        assert_eq!(record::issued(&written), Some(kept.outlook.issued));
    }
}

/// Whatever is read as a page is the same after it was written down.
///
/// # Panics
/// Where it is not.
#[expect(clippy::expect_used, reason = "a fuzzer finds out by panics")]
pub fn page(bytes: &[u8]) {
    if let Ok(read) = page::read(bytes) {
        assert_eq!(page::read(&page::write(&read)).expect("what was written can be read"), read);
    }
}

#[cfg(test)]
#[test]
fn what_was_fed_once_is_still_understood() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus");
    for (folder, feed) in [("record", record as fn(&[u8])), ("page", page)] {
        for file in std::fs::read_dir(format!("{corpus}/{folder}")).unwrap() {
            feed(&std::fs::read(file.unwrap().path()).unwrap());
        }
    }
}
