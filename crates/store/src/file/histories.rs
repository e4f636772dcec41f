//! Histories in the file: a table of pages by target and number, and one of what forecasts have taught.

use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition, TableError, WriteTransaction};
use series::{HistoryUpdate, KeptHistory, Series};

use crate::page::{self, PageError};

const PAGES: TableDefinition<'_, (&str, i64), &[u8]> = TableDefinition::new("pages");
const LEARNED: TableDefinition<'_, &str, &str> = TableDefinition::new("learned");

/// What was kept of `key`, or why a page of it cannot be read.
pub(super) fn load(database: &Database, key: &str) -> Result<Result<Option<KeptHistory>, PageError>, redb::Error> {
    let read = database.begin_read()?;
    let (pages, learned) = match (read.open_table(PAGES), read.open_table(LEARNED)) {
        (Err(TableError::TableDoesNotExist(_)), _) | (_, Err(TableError::TableDoesNotExist(_))) => return Ok(Ok(None)),
        (pages, learned) => (pages?, learned?),
    };
    let mut read: Vec<Series> = Vec::new();
    for entry in pages.range((key, i64::MIN)..=(key, i64::MAX))? {
        match page::read(entry?.1.value()) {
            Ok(page) => read.push(page),
            Err(error) => return Ok(Err(error)),
        }
    }
    let learned = learned.get(key)?.map(|learned| learned.value().into());
    Ok(Ok(KeptHistory::of(read.into_iter(), learned)))
}

pub(super) fn keep(write: &WriteTransaction, key: &str, update: &HistoryUpdate) -> Result<(), redb::Error> {
    let mut pages = write.open_table(PAGES)?;
    let before = if update.is_whole { i64::MAX } else { update.oldest };
    pages.retain_in((key, i64::MIN)..(key, before), |_, _| false)?;
    for page in update.pages() {
        pages.insert((key, page.number), page::write(&page.samples).as_slice())?;
    }
    let mut learned = write.open_table(LEARNED)?;
    match &update.learned {
        Some(text) => learned.insert(key, &**text)?,
        None => learned.remove(key)?,
    };
    Ok(())
}

pub(super) fn forget(write: &WriteTransaction, key: &str) -> Result<(), redb::Error> {
    write.open_table(PAGES)?.retain_in((key, i64::MIN)..=(key, i64::MAX), |_, _| false)?;
    write.open_table(LEARNED)?.remove(key)?;
    Ok(())
}

/// Forgets what is of no target that `is_known`.
pub(super) fn prune(
    write: &WriteTransaction,
    is_known: impl Fn(&str) -> Result<bool, redb::Error>,
) -> Result<(), redb::Error> {
    let mut gone = Vec::new();
    {
        let pages = write.open_table(PAGES)?;
        let mut next = pages.first()?.map(|(key, _)| key.value().0.to_owned());
        while let Some(key) = next {
            // one entry a target, however many pages it has
            let mut later = pages.range((&*key, i64::MAX)..)?;
            next = later.next().transpose()?.map(|(key, _)| key.value().0.to_owned());
            if !is_known(&key)? {
                gone.push(key);
            }
        }
    }
    gone.iter().try_for_each(|key| forget(write, key))
}

#[cfg(test)]
#[path = "histories_tests.rs"]
mod tests;
