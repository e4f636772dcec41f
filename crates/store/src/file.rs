//! [`OutlookFile`]: outlooks in one local file, an embedded store (redb) that a killed process leaves as it was last committed.

mod histories;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use redb::{Database, DatabaseError, ReadableDatabase as _, ReadableTable as _, TableDefinition, TableError};
use series::{HistoryUpdate, KeptHistory, TargetKey, Timestamp};

use crate::{Answer, KEPT, Kept, Store, StoreError, record};

const OUTLOOKS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("outlooks");

/// One entry: the format of the tables, raised whenever a version of before would read them wrongly.
const FORMAT: TableDefinition<'_, (), u32> = TableDefinition::new("format");
const OWN_FORMAT: u32 = 1;

/// Bytes of the file that are held in memory: every record is written as often as it is read at all, so few are of use.
const CACHE: usize = 16 * 1024 * 1024;

/// Outlooks written at once: some megabytes.
const BATCH: usize = 256;

/// Outlooks by target, in one local file that one process holds open.
#[derive(Debug, Clone)]
pub struct OutlookFile {
    path: Arc<Path>,
    /// `None` after a failure: redb wants to be opened anew then.
    database: Arc<Mutex<Option<Database>>>,
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
        source: Box<redb::Error>,
    },
}

impl OutlookFile {
    /// Opens `outlooks.redb` in `folder`, making both where they are missing, and drops the records that are too old at
    /// `now` to be of use ([`KEPT`]): their targets are gone.
    ///
    /// A file that is broken, or of a newer version, is set aside as `outlooks.redb.broken-1` or `outlooks.redb.newer-1` (or
    /// the first free number) with a warning, and a new one is begun.
    ///
    /// # Errors
    /// [`OpenError`] where the file cannot be used.
    pub fn open(folder: &Path, now: Timestamp) -> Result<Self, OpenError> {
        std::fs::create_dir_all(folder).map_err(|source| OpenError::Io { path: folder.to_owned(), source })?;
        let path = folder.join("outlooks.redb");
        let mut database = open(&path)?;
        let dropped = prune(&database, now).map_err(|error| refused(&path, error))?;
        if dropped > 0 {
            tracing::info!(dropped, "outlooks of targets that are gone were dropped");
            // a file keeps its largest size otherwise
            if let Err(error) = database.compact() {
                tracing::warn!(%error, "the state file keeps its size");
            }
        }
        Ok(Self { path: path.into(), database: Arc::new(Mutex::new(Some(database))) })
    }

    fn load_now(&self, target: &TargetKey) -> Result<Option<Kept>, StoreError> {
        let bytes = self.with(|database| {
            let read = database.begin_read()?;
            let table = match read.open_table(OUTLOOKS) {
                Err(TableError::TableDoesNotExist(_)) => return Ok(None),
                opened => opened?,
            };
            Ok(table.get(record::key(target).as_str())?.map(|bytes| bytes.value().to_vec()))
        })?;
        let Some(bytes) = bytes else { return Ok(None) };
        match record::read(&bytes) {
            Ok(kept) => Ok(Some(kept)),
            Err(error) => {
                tracing::warn!(%target, %error, "stored outlook is passed over");
                Ok(None)
            }
        }
    }

    fn keep_now(&self, outlooks: &[(TargetKey, Kept)]) -> Result<(), StoreError> {
        outlooks.chunks(BATCH).try_for_each(|batch| self.keep_batch(batch))
    }

    fn keep_batch(&self, outlooks: &[(TargetKey, Kept)]) -> Result<(), StoreError> {
        let mut records = Vec::with_capacity(outlooks.len());
        for (target, kept) in outlooks {
            let bytes = record::write(kept).map_err(|error| StoreError::Defect(error.to_string()))?;
            records.push((record::key(target), bytes));
        }
        self.with(|database| {
            let write = database.begin_write()?;
            {
                let mut table = write.open_table(OUTLOOKS)?;
                for (key, bytes) in &records {
                    table.insert(key.as_str(), bytes.as_slice())?;
                }
            }
            Ok(write.commit()?)
        })
    }

    fn forget_now(&self, targets: &[TargetKey]) -> Result<(), StoreError> {
        self.with(|database| {
            let write = database.begin_write()?;
            {
                let mut table = write.open_table(OUTLOOKS)?;
                for target in targets {
                    let key = record::key(target);
                    table.remove(key.as_str())?;
                    histories::forget(&write, &key)?;
                }
            }
            Ok(write.commit()?)
        })
    }

    /// Does `work` on the open file, which is opened anew where the work before it failed.
    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, StoreError> {
        let mut held = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        let database = match held.take() {
            Some(database) => database,
            None => open(&self.path).map_err(|error| StoreError::Reopen(Box::new(error)))?,
        };
        let done = work(&database).map_err(|error| StoreError::File(Box::new(error)))?;
        *held = Some(database);
        Ok(done)
    }
}

impl Store for OutlookFile {
    fn load<'a>(&'a self, target: &'a TargetKey) -> Answer<'a, Option<Kept>> {
        let (file, target) = (self.clone(), target.clone());
        apart(move || file.load_now(&target))
    }

    fn keep(&self, outlooks: Vec<(TargetKey, Kept)>) -> Answer<'_, ()> {
        let file = self.clone();
        apart(move || file.keep_now(&outlooks))
    }

    fn load_history<'a>(&'a self, target: &'a TargetKey) -> Answer<'a, Option<KeptHistory>> {
        let (file, target) = (self.clone(), target.clone());
        apart(move || {
            let loaded = file.with(|database| histories::load(database, &record::key(&target)))?;
            Ok(loaded.unwrap_or_else(|error| {
                tracing::warn!(%target, %error, "stored history is passed over");
                None
            }))
        })
    }

    fn keep_histories(&self, updates: Vec<(TargetKey, HistoryUpdate)>) -> Answer<'_, ()> {
        let file = self.clone();
        apart(move || {
            file.with(|database| {
                let write = database.begin_write()?;
                for (target, update) in &updates {
                    histories::keep(&write, &record::key(target), update)?;
                }
                Ok(write.commit()?)
            })
        })
    }

    fn forget(&self, targets: Vec<TargetKey>) -> Answer<'_, ()> {
        let file = self.clone();
        apart(move || file.forget_now(&targets))
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }
}

/// Does what waits for a disk off the threads of the runtime, once it is waited for: whoever bounds how much of it goes on at once bounds the threads too.
fn apart<'a, T: Send + 'static>(work: impl FnOnce() -> Result<T, StoreError> + Send + 'static) -> Answer<'a, T> {
    Box::pin(async {
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|error| Err(StoreError::Defect(error.to_string())))
    })
}

/// Opens the file at `path`, or begins a new one where what is there cannot be used.
fn open(path: &Path) -> Result<Database, OpenError> {
    let found = match create(path) {
        Err(error) if is_broken(&error) => {
            tracing::warn!(path = %path.display(), %error, "the state file is broken");
            Err("broken")
        }
        Err(DatabaseError::DatabaseAlreadyOpen) => return Err(OpenError::InUse { path: path.to_owned() }),
        Err(error) => return Err(refused(path, error)),
        Ok(database) => match format(&database).map_err(|error| refused(path, error))? {
            OWN_FORMAT => Ok(database),
            newer => {
                tracing::warn!(
                    path = %path.display(),
                    "the state file has format {newer}, this version reads format {OWN_FORMAT}",
                );
                Err("newer")
            }
        },
    };
    match found {
        Ok(database) => Ok(database),
        Err(why) => {
            let aside = free_name(path, why);
            tracing::warn!(aside = %aside.display(), "it is set aside, and a new one is begun");
            std::fs::rename(path, &aside).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
            let database = create(path).map_err(|error| refused(path, error))?;
            format(&database).map_err(|error| refused(path, error))?;
            Ok(database)
        }
    }
}

fn create(path: &Path) -> Result<Database, DatabaseError> {
    Database::builder().set_cache_size(CACHE).create(path)
}

/// The format of the tables; where it is not written down they are new or of the first version.
fn format(database: &Database) -> Result<u32, redb::Error> {
    let write = database.begin_write()?;
    let format = {
        let mut table = write.open_table(FORMAT)?;
        let written = table.get(())?.map(|format| format.value());
        if written.is_none() {
            table.insert((), OWN_FORMAT)?;
        }
        written.unwrap_or(OWN_FORMAT)
    };
    write.commit()?;
    Ok(format)
}

/// Drops the records that are too old at `now`, and those that say nothing; tells how many.
fn prune(database: &Database, now: Timestamp) -> Result<usize, redb::Error> {
    let oldest = now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
    let write = database.begin_write()?;
    let mut dropped = 0;
    {
        let mut table = write.open_table(OUTLOOKS)?;
        let mut gone = Vec::new();
        for entry in table.iter()? {
            let (key, bytes) = entry?;
            if record::issued(bytes.value()).is_none_or(|issued| issued < oldest) {
                gone.push(key.value().to_owned());
            }
        }
        for key in gone {
            table.remove(key.as_str())?;
            dropped += 1;
        }
        histories::prune(&write, |key| Ok(table.get(key)?.is_some()))?;
    }
    write.commit()?;
    Ok(dropped)
}

/// The first name for a file set aside that is not taken: one set aside before is not overwritten.
fn free_name(path: &Path, why: &str) -> PathBuf {
    let mut number = 1_u32;
    loop {
        let name = path.with_extension(format!("redb.{why}-{number}"));
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

fn refused(path: &Path, error: impl Into<redb::Error>) -> OpenError {
    OpenError::Refused { path: path.to_owned(), source: Box::new(error.into()) }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
