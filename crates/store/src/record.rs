//! How an outlook is written down: JSON in an envelope that carries the version of the format.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use series::{Outlook, TargetKey, Timestamp};

use crate::Kept;

/// Raised whenever a record of before would be read wrongly.
pub(crate) const FORMAT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    format: u32,
    outlook: Arc<Outlook>,
    /// Records of before there were memories have none.
    #[serde(default)]
    memory: Option<Arc<str>>,
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

pub(crate) fn write(kept: &Kept) -> Result<Vec<u8>, RecordError> {
    let Kept { outlook, memory } = kept.clone();
    Ok(serde_json::to_vec(&Record { format: FORMAT, outlook, memory })?)
}

pub(crate) fn read(bytes: &[u8]) -> Result<Kept, RecordError> {
    // nearly all are of this format, and are read once
    match serde_json::from_slice(bytes) {
        Ok(Record { format: FORMAT, outlook, memory }) => Ok(Kept { outlook, memory }),
        Ok(Record { format: found, .. }) => Err(RecordError::Format { found }),
        Err(error) => match serde_json::from_slice(bytes) {
            Ok(Envelope { format: found }) if found != FORMAT => Err(RecordError::Format { found }),
            _ => Err(error.into()),
        },
    }
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
            let outlook = Arc::new(Outlook::first_seen(Timestamp::UNIX_EPOCH));
            let mut bytes = write(&Kept { outlook, memory: Some("{}".into()) }).unwrap();
            let length = bytes.len();
            bytes[place % length] = byte;
            if let Ok(kept) = read(&bytes) {
                prop_assert_eq!(read(&write(&kept).unwrap()).unwrap(), kept);
            }
        }

        #[test]
        fn no_bytes_are_a_record(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(read(&bytes).is_err());
        }
    }
}
