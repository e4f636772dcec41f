//! The page: files of this crate's `page` folder, compiled in. No build step, and nothing is read from elsewhere.

use std::sync::OnceLock;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::api::tagged;

/// One file: its name, what it is, and what is in it.
type File = (&'static str, &'static str, &'static str);

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const PAGE: File = ("index.html", HTML, include_str!("../../page/index.html"));

const ASSETS: [File; 12] = [
    ("style.css", CSS, include_str!("../../page/style.css")),
    ("icon.svg", SVG, include_str!("../../page/icon.svg")),
    ("main.js", SCRIPT, include_str!("../../page/main.js")),
    ("api.js", SCRIPT, include_str!("../../page/api.js")),
    ("store.js", SCRIPT, include_str!("../../page/store.js")),
    ("dom.js", SCRIPT, include_str!("../../page/dom.js")),
    ("format.js", SCRIPT, include_str!("../../page/format.js")),
    ("list.js", SCRIPT, include_str!("../../page/list.js")),
    ("sparkline.js", SCRIPT, include_str!("../../page/sparkline.js")),
    ("target.js", SCRIPT, include_str!("../../page/target.js")),
    ("chart.js", SCRIPT, include_str!("../../page/chart.js")),
    ("loadchart.js", SCRIPT, include_str!("../../page/loadchart.js")),
];

pub(crate) fn routes() -> Router {
    Router::new().route("/", get(index)).route("/assets/{name}", get(asset))
}

async fn index(headers: HeaderMap) -> Response {
    file(&headers, PAGE)
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match ASSETS.into_iter().find(|(known, ..)| *known == name) {
        Some(found) => file(&headers, found),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn file(headers: &HeaderMap, (_, content_type, text): File) -> Response {
    tagged(headers, tag(), content_type, || Bytes::from_static(text.as_bytes()))
}

/// One tag for all files: they change together, with the program.
fn tag() -> &'static str {
    static TAG: OnceLock<String> = OnceLock::new();
    TAG.get_or_init(|| {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        PAGE.hash(&mut hasher);
        ASSETS.hash(&mut hasher);
        format!("{:x}", hasher.finish())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_served_and_none_asks_for_one_that_is_not() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/page");
        let names = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        let in_folder: BTreeSet<_> = std::fs::read_dir(folder).unwrap().map(names).collect();
        let all = || ASSETS.into_iter().chain([PAGE]);
        assert_eq!(in_folder, all().map(|(name, ..)| name.to_owned()).collect());
        for (name, _, text) in all() {
            for import in text.split("from \"./").skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(in_folder.contains(import), "{name} imports {import}");
            }
        }
    }

    #[test]
    fn nothing_comes_from_another_host_and_nothing_needs_an_unsafe_policy() {
        for (name, _, text) in ASSETS.into_iter().chain([PAGE]) {
            let of_svg = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!of_svg.contains("http://") && !of_svg.contains("https://"), "{name}");
            for unsafe_one in ["style=\"", "onclick=\"", "javascript:", "innerHTML", "eval("] {
                assert!(!text.contains(unsafe_one), "{name} has {unsafe_one}");
            }
        }
    }
}
