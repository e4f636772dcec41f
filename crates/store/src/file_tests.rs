use series::{Load, Observation, Outlook};

use super::*;

fn target(name: &str) -> TargetKey {
    TargetKey { namespace: "shop".into(), name: name.into(), digest: "0a".into() }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + seconds).unwrap()
}

fn kept(amount: f64) -> Kept {
    let observation = Ok(Observation { at: at(0), load: Load::new(amount).unwrap() });
    let outlook = Arc::new(Outlook { observation, ..Outlook::first_seen(at(0)) });
    Kept { outlook, memory: Some(format!("learned {amount}").into()) }
}

fn open(folder: &tempfile::TempDir) -> OutlookFile {
    OutlookFile::open(folder.path(), at(60)).unwrap()
}

#[tokio::test]
async fn what_was_kept_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = open(&folder);
    assert_eq!(file.load(&target("a")).await.unwrap(), None);
    file.keep(vec![(target("a"), kept(1.0)), (target("b"), kept(2.0))]).await.unwrap();
    file.keep(vec![(target("a"), kept(3.0))]).await.unwrap();
    file.forget(vec![target("b")]).await.unwrap();
    drop(file);

    let file = open(&folder);
    assert_eq!(file.load(&target("a")).await.unwrap(), Some(kept(3.0)));
    assert_eq!(file.load(&target("b")).await.unwrap(), None);
}

#[tokio::test]
async fn nothing_is_begun_that_nobody_waits_for_yet() {
    let folder = tempfile::tempdir().unwrap();
    let file = open(&folder);
    let names: Vec<_> = (0..20).map(|number| number.to_string()).collect();
    let waiting: Vec<_> = names.iter().map(|name| file.keep(vec![(target(name), kept(1.0))])).collect();
    for name in &names {
        assert_eq!(file.load(&target(name)).await.unwrap(), None);
    }
    drop(waiting);
    for name in &names {
        assert_eq!(file.load(&target(name)).await.unwrap(), None);
    }
}

#[test]
fn a_second_process_is_told_that_the_file_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let _held = open(&folder);
    assert!(matches!(OutlookFile::open(folder.path(), at(0)), Err(OpenError::InUse { .. })));
}

#[test]
fn a_broken_file_is_set_aside_and_nothing_of_it_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outlooks.redb");
    for number in 1..=2 {
        std::fs::write(&path, b"not a store at all, but somebody's bytes").unwrap();
        open(&folder).keep_now(&[(target("a"), kept(1.0))]).unwrap();
        let aside = std::fs::read(folder.path().join(format!("outlooks.redb.broken-{number}"))).unwrap();
        assert_eq!(aside, b"not a store at all, but somebody's bytes");
    }
}

#[test]
fn a_file_of_a_newer_version_is_set_aside_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = open(&folder);
    file.keep_now(&[(target("a"), kept(1.0))]).unwrap();
    file.with(|database| {
        let write = database.begin_write()?;
        write.open_table(FORMAT)?.insert((), OWN_FORMAT + 1)?;
        Ok(write.commit()?)
    })
    .unwrap();
    drop(file);

    assert_eq!(open(&folder).load_now(&target("a")).unwrap(), None);
    let aside = Database::create(folder.path().join("outlooks.redb.newer-1")).unwrap();
    assert_eq!(format(&aside).unwrap(), OWN_FORMAT + 1);
    assert!(aside.begin_read().unwrap().open_table(OUTLOOKS).unwrap().get("shop/a/0a").unwrap().is_some());
}

#[test]
fn a_record_of_another_version_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = open(&folder);
    file.with(|database| {
        let newer: &[u8] = br#"{"format":99,"outlook":"of tomorrow"}"#;
        let write = database.begin_write()?;
        write.open_table(OUTLOOKS)?.insert("shop/a/0a", newer)?;
        Ok(write.commit()?)
    })
    .unwrap();
    assert_eq!(file.load_now(&target("a")).unwrap(), None);
}

#[test]
fn a_record_of_before_there_were_memories_is_read() {
    let bytes = record::write(&Kept { memory: None, ..kept(1.0) }).unwrap();
    let before = String::from_utf8(bytes).unwrap().replace(",\"memory\":null", "");
    assert!(!before.contains("memory"));
    assert_eq!(record::read(before.as_bytes()).unwrap(), Kept { memory: None, ..kept(1.0) });
}

#[test]
fn records_of_targets_that_are_gone_are_dropped_with_their_day() {
    let folder = tempfile::tempdir().unwrap();
    let day = i64::try_from(KEPT.as_secs()).unwrap();
    open(&folder).keep_now(&[(target("a"), kept(1.0))]).unwrap();
    let within = OutlookFile::open(folder.path(), at(day)).unwrap();
    assert!(within.load_now(&target("a")).unwrap().is_some());
    drop(within);
    let after = OutlookFile::open(folder.path(), at(day + 1)).unwrap();
    assert_eq!(after.load_now(&target("a")).unwrap(), None);
}

#[test]
fn a_failure_of_the_file_is_over_when_its_cause_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = open(&folder);
    file.keep_now(&[(target("a"), kept(1.0))]).unwrap();
    file.with::<()>(|_| Err(redb::Error::PreviousIo)).unwrap_err();
    assert_eq!(file.load_now(&target("a")).unwrap(), Some(kept(1.0)), "it was opened anew");
}
