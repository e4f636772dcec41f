//! A disk of a few megabytes that a test fills and empties while a server writes to it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::eventually::eventually;
use super::process::Process;
use super::programs;

/// Room for some outlooks, and not for many.
const SIZE: &str = "size=4m";

/// A file system in memory, mounted where only a process of the test's own sees it, and whoever is started beside that one. No
/// privileges are needed where the system has user namespaces.
#[derive(Debug)]
pub(crate) struct SmallDisk {
    place: TempDir,
    /// Has it mounted; with this process it goes.
    holder: Process,
}

impl SmallDisk {
    /// An empty one; `None` where the system does not allow that and the test is to be skipped.
    pub(crate) async fn mounted() -> Option<Self> {
        if !programs::are_installed(&["unshare", "nsenter"], "to install: apt-get install util-linux") {
            return None;
        }
        let allowed = Command::new("unshare").args(["--user", "--map-root-user", "--mount", "true"]).output();
        let is_allowed = allowed.is_ok_and(|output| output.status.success());
        if !programs::is_there(
            is_allowed,
            "without user namespaces; to allow: sysctl kernel.unprivileged_userns_clone=1",
        ) {
            return None;
        }
        let place = tempfile::tempdir().expect("there is room for a temporary directory");
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
        command.arg(r#"mount -t tmpfs -o "$1" small "$2" && echo mounted && exec sleep infinity"#);
        command.args(["sh", SIZE]).arg(place.path());
        let mut holder = Process::start("the holder of a small disk", &mut command);
        eventually("a small disk", async || {
            assert_eq!(holder.ended(), None, "it cannot be mounted");
            if holder.lines().iter().any(|line| line == "mounted") { Ok(()) } else { Err("not yet".to_owned()) }
        })
        .await;
        Some(Self { place, holder })
    }

    /// Where it is, for those who see it.
    pub(crate) fn path(&self) -> &Path {
        self.place.path()
    }

    /// A command that starts what follows where the disk is seen.
    pub(crate) fn beside(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--user", "--mount", "--preserve-credentials", "--target", &self.holder.id().to_string(), "--"]);
        command
    }

    /// Fills it to the last byte.
    pub(crate) fn fill(&self) {
        let mut file = std::fs::File::create(self.filler()).expect("it can be written to");
        for size in [65_536, 1] {
            while file.write_all(&vec![b'.'; size]).is_ok() {}
        }
    }

    /// Frees what filled it.
    pub(crate) fn free(&self) {
        std::fs::remove_file(self.filler()).expect("it was filled");
    }

    /// As seen from outside.
    fn filler(&self) -> PathBuf {
        let inside = self.path().join("filler");
        let inside = inside.strip_prefix("/").expect("it is absolute");
        Path::new("/proc").join(self.holder.id().to_string()).join("root").join(inside)
    }
}
