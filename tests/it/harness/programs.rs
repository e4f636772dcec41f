//! Programs that a machine may lack.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::PathBuf;

/// Whether all of `names` are there. Where one is missing the test is to pass as skipped, after the one line that this
/// prints; where servers are required it fails instead.
pub(crate) fn are_installed(names: &[&str], install: &str) -> bool {
    let missing: Vec<_> = names.iter().filter(|name| find(name).is_none()).copied().collect();
    if missing.is_empty() {
        return true;
    }
    is_there(false, &format!("without {}; {install}", missing.join(" and ")))
}

/// The same for what is no program: whether it `is`, or `lack` is what is missing.
pub(crate) fn is_there(is: bool, lack: &str) -> bool {
    if is {
        return true;
    }
    assert!(!are_required(), "{lack}");
    // not eprintln: the harness of the tests would swallow the line of a passing test
    writeln!(std::io::stderr(), "skipped: {lack}").expect("stderr takes a line");
    false
}

fn are_required() -> bool {
    let set = |name: &str, value: &str| std::env::var_os(name).as_deref() == Some(OsStr::new(value));
    set("CI", "true") || set("PRESCALE_REQUIRE_SERVERS", "1")
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}
