//! [`OutlookFile`]: outlooks in one local file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{Database, DatabaseError, ReadableDatabase as _, TableDefinition, TableError};
use series::{Outlook, TargetKey};

use crate::record;

const OUTLOOKS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("outlooks");

/// Outlooks by target, in one local file that one process holds open.
#[derive(Debug)]
pub struct OutlookFile {
    database: Database,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds the file.
    #[error("{path} is held open by another process; give each process a state directory of its own")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file or its folder cannot be read or written.
    #[error("{path} cannot be opened")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The store refused the file although it was made anew.
    #[error("{path} cannot be opened")]
    Refused {
        /// The file.
        path: PathBuf,
        /// What the store said.
        #[source]
        source: Box<DatabaseError>,
    },
}

/// Why a call on an open file failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store failed: a full disk, or a broken file.
    #[error("the state file failed")]
    File(#[source] Box<redb::Error>),
    /// An outlook could not be written down; this is a defect.
    #[error("the outlook of {target} cannot be written down")]
    Record {
        /// Whose outlook.
        target: TargetKey,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl OutlookFile {
    /// Opens `outlooks.redb` in `folder`, making both where they are missing.
    ///
    /// A file that is broken is set aside as `outlooks.redb.broken-1` (or the first free number), with a warning, and a
    /// new one is begun.
    ///
    /// # Errors
    /// [`OpenError`] where the file cannot be used.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let path = folder.join("outlooks.redb");
        std::fs::create_dir_all(folder).map_err(|source| OpenError::Io { path: folder.to_owned(), source })?;
        let database = match Database::create(&path) {
            Err(error) if is_broken(&error) => {
                let aside = free_name(folder);
                tracing::warn!(
                    path = %path.display(), aside = %aside.display(), %error,
                    "state file is broken, set it aside and begin a new one",
                );
                std::fs::rename(&path, &aside).map_err(|source| OpenError::Io { path: path.clone(), source })?;
                Database::create(&path)
            }
            opened => opened,
        };
        match database {
            Ok(database) => Ok(Self { database }),
            Err(DatabaseError::DatabaseAlreadyOpen) => Err(OpenError::InUse { path }),
            Err(source) => Err(OpenError::Refused { path, source: Box::new(source) }),
        }
    }

    /// The outlook last kept for `target`. One that this version cannot read is passed over with a warning.
    ///
    /// # Errors
    /// [`StoreError::File`] where the file fails.
    pub fn load(&self, target: &TargetKey) -> Result<Option<Arc<Outlook>>, StoreError> {
        let read = self.database.begin_read().map_err(failed)?;
        let table = match read.open_table(OUTLOOKS) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let Some(bytes) = table.get(record::key(target).as_str()).map_err(failed)? else { return Ok(None) };
        match record::read(bytes.value()) {
            Ok(outlook) => Ok(Some(outlook)),
            Err(error) => {
                tracing::warn!(%target, %error, "stored outlook is passed over");
                Ok(None)
            }
        }
    }

    /// Keeps `outlooks` in one transaction, each in the place of the one kept before.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of the call was kept.
    pub fn keep<'a>(&self, outlooks: impl IntoIterator<Item = (&'a TargetKey, &'a Outlook)>) -> Result<(), StoreError> {
        let write = self.database.begin_write().map_err(failed)?;
        {
            let mut table = write.open_table(OUTLOOKS).map_err(failed)?;
            for (target, outlook) in outlooks {
                let bytes = record::write(outlook)
                    .map_err(|source| StoreError::Record { target: target.clone(), source: source.into() })?;
                table.insert(record::key(target).as_str(), bytes.as_slice()).map_err(failed)?;
            }
        }
        write.commit().map_err(failed)
    }

    /// Forgets what was kept for `targets`, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::File`] where the file fails; then nothing of the call was forgotten.
    pub fn forget<'a>(&self, targets: impl IntoIterator<Item = &'a TargetKey>) -> Result<(), StoreError> {
        let write = self.database.begin_write().map_err(failed)?;
        {
            let mut table = write.open_table(OUTLOOKS).map_err(failed)?;
            for target in targets {
                table.remove(record::key(target).as_str()).map_err(failed)?;
            }
        }
        write.commit().map_err(failed)
    }
}

/// The first name for a broken file that is not taken: one set aside before is not overwritten.
fn free_name(folder: &Path) -> PathBuf {
    let mut number = 1_u32;
    loop {
        let name = folder.join(format!("outlooks.redb.broken-{number}"));
        if !name.exists() {
            return name;
        }
        number += 1;
    }
}

fn is_broken(error: &DatabaseError) -> bool {
    use redb::StorageError;
    match error {
        DatabaseError::Storage(StorageError::Corrupted(_)) | DatabaseError::UpgradeRequired(_) => true,
        // a file that was never one of redb's
        DatabaseError::Storage(StorageError::Io(error)) => error.kind() == std::io::ErrorKind::InvalidData,
        _ => false,
    }
}

fn failed(error: impl Into<redb::Error>) -> StoreError {
    StoreError::File(Box::new(error.into()))
}

#[cfg(test)]
mod tests {
    use series::{Load, Observation, Timestamp};

    use super::*;

    fn target(name: &str) -> TargetKey {
        TargetKey { namespace: "shop".into(), name: name.into(), digest: "0a".into() }
    }

    fn outlook(amount: f64) -> Outlook {
        let at = Timestamp::from_second(1_000_000).unwrap();
        Outlook { observation: Ok(Observation { at, load: Load::new(amount).unwrap() }), ..Outlook::first_seen(at) }
    }

    #[test]
    fn what_was_kept_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let file = OutlookFile::open(folder.path()).unwrap();
        assert_eq!(file.load(&target("a")).unwrap(), None);
        file.keep([(&target("a"), &outlook(1.0)), (&target("b"), &outlook(2.0))]).unwrap();
        file.keep([(&target("a"), &outlook(3.0))]).unwrap();
        file.forget([&target("b")]).unwrap();
        drop(file);

        let file = OutlookFile::open(folder.path()).unwrap();
        assert_eq!(file.load(&target("a")).unwrap().as_deref(), Some(&outlook(3.0)));
        assert_eq!(file.load(&target("b")).unwrap(), None);
    }

    #[test]
    fn a_second_process_is_told_that_the_file_is_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let _held = OutlookFile::open(folder.path()).unwrap();
        assert!(matches!(OutlookFile::open(folder.path()), Err(OpenError::InUse { .. })));
    }

    #[test]
    fn a_broken_file_is_set_aside_and_nothing_of_it_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outlooks.redb");
        std::fs::write(&path, b"not a store at all, but somebody's bytes").unwrap();
        let file = OutlookFile::open(folder.path()).unwrap();
        file.keep([(&target("a"), &outlook(1.0))]).unwrap();
        let aside = std::fs::read(folder.path().join("outlooks.redb.broken-1")).unwrap();
        assert_eq!(aside, b"not a store at all, but somebody's bytes");
    }

    #[test]
    fn a_record_of_another_version_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = OutlookFile::open(folder.path()).unwrap();
        let write = file.database.begin_write().unwrap();
        let newer: &[u8] = br#"{"format":99,"outlook":"of tomorrow"}"#;
        write.open_table(OUTLOOKS).unwrap().insert("shop/a/0a", newer).unwrap();
        write.commit().unwrap();
        assert_eq!(file.load(&target("a")).unwrap(), None);
    }
}
