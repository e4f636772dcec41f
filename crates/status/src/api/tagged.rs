//! Answers that a client may keep as long as their tag holds.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// `body`, unless the client has the one of this `tag` already.
pub(crate) fn tagged(
    headers: &HeaderMap,
    tag: &str,
    content_type: &'static str,
    body: impl FnOnce() -> Bytes,
) -> Response {
    let quoted = format!("\"{tag}\"");
    let has_it = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        // a proxy that packs answers marks their tags as weak
        value.split(',').any(|known| known.trim().trim_start_matches("W/") == quoted || known.trim() == "*")
    });
    let mut response = if has_it {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, content_type)], body()).into_response()
    };
    let kept = response.headers_mut();
    // kept, and asked about each time
    kept.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&quoted) {
        kept.insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(known: Option<&'static str>) -> StatusCode {
        let mut headers = HeaderMap::new();
        if let Some(known) = known {
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static(known));
        }
        tagged(&headers, "a-1", "text/plain", Bytes::new).status()
    }

    #[test]
    fn who_has_it_is_not_sent_it_again() {
        for known in ["\"a-1\"", "W/\"a-1\"", "\"b\", \"a-1\"", "*"] {
            assert_eq!(status(Some(known)), StatusCode::NOT_MODIFIED, "{known}");
        }
        for known in [None, Some("\"a-2\""), Some("a-1")] {
            assert_eq!(status(known), StatusCode::OK, "{known:?}");
        }
    }
}
