//! The file store under `kill -9`, at random moments and most of them within a commit: what the last commit wrote is there.
#![cfg(test)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use series::{Load, Observation, Outlook, TargetKey, Timestamp};
use store::{Kept, OutlookFile, Store as _};

/// Where the child writes; without it the child has nothing to do.
const FOLDER: &str = "STORE_UNDER_KILL";

/// Targets that one commit writes together: enough for a commit to take a while.
const TARGETS: u32 = 200;

const ROUNDS: usize = 40;

/// Longest life of a child after its first commit.
const LONGEST_LIFE: Duration = Duration::from_millis(60);

fn target(number: u32) -> TargetKey {
    TargetKey { namespace: "shop".into(), name: format!("object-{number}").into(), digest: "0a".into() }
}

/// What the commit with this number keeps.
fn kept(commit: u32) -> Kept {
    let observation = Ok(Observation { at: Timestamp::UNIX_EPOCH, load: Load::new(f64::from(commit)).unwrap() });
    let outlook = Arc::new(Outlook { observation, ..Outlook::first_seen(Timestamp::UNIX_EPOCH) });
    Kept { outlook, memory: Some("learned ".repeat(50).into()) }
}

fn open(folder: &Path) -> OutlookFile {
    OutlookFile::open(folder, Timestamp::UNIX_EPOCH).unwrap()
}

/// The number of the commit that `target` was written by last.
async fn commit_of(file: &OutlookFile, target: &TargetKey) -> u32 {
    let kept = file.load(target).await.unwrap().expect("it was kept");
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was a u32")]
    let number = kept.outlook.observation.as_ref().unwrap().load.get() as u32;
    number
}

/// The process that is killed: it writes, and tells the number of each commit after it.
#[tokio::test]
#[ignore = "the process that the test below starts"]
async fn writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let file = open(Path::new(&folder));
    let first = match file.load(&target(0)).await.unwrap() {
        Some(_) => commit_of(&file, &target(0)).await + 1,
        None => 1,
    };
    for commit in first.. {
        file.keep((0..TARGETS).map(|number| (target(number), kept(commit))).collect()).await.unwrap();
        let mut told = std::io::stdout().lock();
        writeln!(told, "commit {commit}").unwrap();
        told.flush().unwrap();
    }
}

#[tokio::test]
async fn a_process_that_is_killed_leaves_its_last_commit_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut last = 0;
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writes_until_it_is_killed", "--ignored", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut told = lines.by_ref().filter_map(|line| line.rsplit_once("commit ")?.1.parse::<u32>().ok());
        last = told.next().expect("it commits").max(last);
        std::thread::sleep(LONGEST_LIFE.mul_f64(fastrand::f64()));
        child.kill().unwrap();
        child.wait().unwrap();
        last = told.last().unwrap_or(last);

        let file = open(folder.path());
        let found = commit_of(&file, &target(0)).await;
        // a commit that was whole may not have been told any more
        assert!(found == last || found == last + 1, "round {round}: {found} is there, {last} was told");
        for number in 1..TARGETS {
            assert_eq!(commit_of(&file, &target(number)).await, found, "round {round}: a commit is one piece");
        }
        last = found;
    }
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["outlooks.redb"], "nothing was set aside as broken");
}
