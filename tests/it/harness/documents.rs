//! The documents of the repository, and what stands in them.

use std::path::{Path, PathBuf};

/// A block of code in a document.
#[derive(Debug)]
pub(crate) struct Block {
    /// Where it is, for messages.
    pub(crate) place: String,
    /// The file it stands in.
    pub(crate) file: PathBuf,
    pub(crate) text: String,
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the tests lie in the repository")
}

/// Every document.
pub(crate) fn all() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("it is a folder") {
            let path = entry.expect("it can be listed").path();
            let name = path.file_name().and_then(std::ffi::OsStr::to_str).unwrap_or_default();
            let is_other = name.starts_with('.') || ["target", "node_modules"].contains(&name);
            if path.is_dir() && !is_other {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(found.len() > 15, "{found:?}");
    found
}

/// The text of a document.
pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a document is text")
}

/// The text without its blocks of code.
pub(crate) fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// Every block of that language in every document.
pub(crate) fn blocks(language: &str) -> Vec<Block> {
    let mut found = Vec::new();
    for file in all() {
        let text = read(&file);
        let mut parts = text.split("```");
        let mut line = 1 + parts.next().unwrap_or_default().matches('\n').count();
        for (number, part) in parts.enumerate() {
            let place = format!("{}:{line}", file.strip_prefix(root()).unwrap_or(&file).display());
            line += part.matches('\n').count();
            // code and prose take turns
            if let Some(text) = part.strip_prefix(language).and_then(|rest| rest.strip_prefix('\n'))
                && number % 2 == 0
            {
                found.push(Block { place, file: file.clone(), text: text.to_owned() });
            }
        }
    }
    found
}

/// The commands of a block: without comments, and each in one line.
pub(crate) fn commands(block: &Block) -> Vec<String> {
    let joined = block.text.replace("\\\n", " ");
    let lines = joined.lines().map(|line| line.split(" #").next().unwrap_or_default().trim());
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(words).collect()
}
