//! How an outlook is written down: JSON in an envelope that carries the version of the format.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use series::{Outlook, TargetKey, Timestamp};

/// Raised whenever a record of before would be read wrongly.
pub(crate) const FORMAT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    format: u32,
    outlook: Outlook,
}

#[derive(Debug, Deserialize)]
struct Envelope {
    format: u32,
}

/// What tells the age of a record.
#[derive(Debug, Deserialize)]
struct Dated {
    outlook: Issue,
}

#[derive(Debug, Deserialize)]
struct Issue {
    issued: Timestamp,
}

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("it has format {found}, this version reads format {FORMAT}")]
    Format { found: u32 },
    #[error("it is not readable")]
    Json(#[from] serde_json::Error),
}

pub(crate) fn key(target: &TargetKey) -> String {
    format!("{}/{}/{}", target.namespace, target.name, target.digest)
}

pub(crate) fn write(outlook: &Outlook) -> Result<Vec<u8>, RecordError> {
    Ok(serde_json::to_vec(&Record { format: FORMAT, outlook: outlook.clone() })?)
}

pub(crate) fn read(bytes: &[u8]) -> Result<Arc<Outlook>, RecordError> {
    let Envelope { format } = serde_json::from_slice(bytes)?;
    if format != FORMAT {
        return Err(RecordError::Format { found: format });
    }
    let record: Record = serde_json::from_slice(bytes)?;
    Ok(Arc::new(record.outlook))
}

/// When the outlook in a record was issued; `None` where it does not say so.
pub(crate) fn issued(bytes: &[u8]) -> Option<Timestamp> {
    serde_json::from_slice::<Dated>(bytes).ok().map(|dated| dated.outlook.issued)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_broken_record_is_an_error_or_another_outlook_but_never_a_panic(place in 0..400_usize, byte: u8) {
            let mut bytes = write(&Outlook::first_seen(Timestamp::UNIX_EPOCH)).unwrap();
            let length = bytes.len();
            bytes[place % length] = byte;
            if let Ok(outlook) = read(&bytes) {
                prop_assert_eq!(read(&write(&outlook).unwrap()).unwrap(), outlook);
            }
        }

        #[test]
        fn no_bytes_are_a_record(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(read(&bytes).is_err());
        }
    }
}
