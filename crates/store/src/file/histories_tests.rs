use std::sync::Arc;

use series::{HistoryUpdate, KeptHistory, Load, Outlook, Sample, Series, Step, TargetKey, Timestamp};

use super::PAGES;
use crate::{Kept, OutlookFile, Store as _};

fn target(name: &str) -> TargetKey {
    TargetKey { namespace: "shop".into(), name: name.into(), digest: "0a".into() }
}

fn minute(minute: i64) -> Timestamp {
    Timestamp::from_second(60 * minute).unwrap()
}

fn minutes(first: i64, count: i64) -> Series {
    let samples = (first..first + count).map(|minute| Sample::Value(Load::new(minute as f64).unwrap()));
    Series::from_samples(minute(first), Step::MINUTE, samples).unwrap()
}

fn open(folder: &tempfile::TempDir) -> OutlookFile {
    OutlookFile::open(folder.path(), minute(0)).unwrap()
}

async fn keep(file: &OutlookFile, name: &str, kept_until: Option<i64>, history: &Series, learned: &str) {
    let update = HistoryUpdate::since(kept_until.map(minute), history, Some(learned.into())).unwrap();
    file.keep_histories(vec![(target(name), update)]).await.unwrap();
}

async fn kept(file: &OutlookFile, name: &str) -> Option<(Series, Arc<str>)> {
    let kept = file.load_history(&target(name)).await.unwrap();
    kept.map(|KeptHistory { history, learned }| (history, learned.unwrap()))
}

#[tokio::test]
async fn a_history_grows_page_by_page_and_its_oldest_pages_go() {
    let folder = tempfile::tempdir().unwrap();
    let file = open(&folder);
    assert_eq!(kept(&file, "a").await, None);
    keep(&file, "a", None, &minutes(0, 3000), "one").await;
    keep(&file, "b", None, &minutes(7, 10), "other").await;
    // two minutes of the second page are wanted no more; those of the first are wanted no more at all
    let grown = minutes(1026, 3000);
    keep(&file, "a", Some(2999), &grown, "two").await;
    drop(file);
    let file = open(&folder);
    assert_eq!(kept(&file, "a").await, None, "nobody knows its outlook");
    keep(&file, "a", None, &minutes(0, 3000), "one").await;
    keep(&file, "a", Some(2999), &grown, "two").await;
    assert_eq!(kept(&file, "a").await, Some((minutes(1024, 3002), "two".into())));
    // a clock that was put back: what was kept of the time after is not left over
    keep(&file, "a", None, &minutes(500, 100), "three").await;
    assert_eq!(kept(&file, "a").await, Some((minutes(500, 100), "three".into())));
    file.forget(vec![target("a")]).await.unwrap();
    assert_eq!(kept(&file, "a").await, None);
}

#[tokio::test]
async fn histories_outlive_the_process_as_long_as_their_outlooks() {
    let folder = tempfile::tempdir().unwrap();
    let file = open(&folder);
    for name in ["a", "b", "c"] {
        keep(&file, name, None, &minutes(0, 3000), name).await;
    }
    for name in ["a", "c"] {
        let outlook = Arc::new(Outlook::first_seen(minute(0)));
        file.keep(vec![(target(name), Kept { outlook, memory: None })]).await.unwrap();
    }
    drop(file);
    let file = open(&folder);
    assert_eq!(kept(&file, "a").await, Some((minutes(0, 3000), "a".into())));
    assert_eq!(kept(&file, "b").await, None);
    assert_eq!(kept(&file, "c").await, Some((minutes(0, 3000), "c".into())));
}

#[tokio::test]
async fn a_page_that_cannot_be_read_costs_its_history_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = open(&folder);
    for name in ["a", "b"] {
        keep(&file, name, None, &minutes(0, 3000), name).await;
    }
    file.with(|database| {
        let write = database.begin_write()?;
        write.open_table(PAGES)?.insert(("shop/a/0a", 1), b"of tomorrow".as_slice())?;
        Ok(write.commit()?)
    })
    .unwrap();
    assert_eq!(kept(&file, "a").await, None);
    assert!(kept(&file, "b").await.is_some());
}
