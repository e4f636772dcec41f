//! Lists of pairs, `name=value,name=value`: HTTP headers and URL parameters.
//!
//! As in KEDA, a value holds neither `=` nor `,`. Faults name a pair by its place alone, since any part of a list with a
//! misplaced comma may be a piece of a secret.

use super::mistake::Fault;

/// Headers that belong to the connection or the body, which the HTTP client writes itself.
const HEADERS_OF_THE_CLIENT: [&str; 10] = [
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Parameters that every request carries already, with what to write instead.
const PARAMETERS_OF_THE_CLIENT: [(&str, &str); 6] = [
    ("query", "write the key `query`"),
    ("step", "write the key `queryStep`"),
    ("namespace", "write the key `namespace`"),
    ("time", "remove it"),
    ("start", "write the key `historyTimeWindow`"),
    ("end", "remove it"),
];

/// HTTP headers, names in lower case, sorted by name.
pub(super) fn headers(text: &str) -> Result<Vec<(String, String)>, Fault> {
    let mut headers = pairs(text)?;
    for (place, (name, value)) in (1..).zip(&mut headers) {
        if !is_token(name) {
            return Err(Fault::new(
                format!("the name of pair {place} is no HTTP header name"),
                "write names of letters, digits and `-`, such as X-Scope-OrgID=tenant",
            ));
        }
        if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(Fault::new(
                format!("the value of pair {place} cannot stand in an HTTP header"),
                "write ASCII letters, digits and punctuation, on one line",
            ));
        }
        name.make_ascii_lowercase();
        if HEADERS_OF_THE_CLIENT.contains(&name.as_str()) {
            return Err(Fault::new(
                format!("the header of pair {place} is written by the HTTP client itself"),
                "remove the pair",
            ));
        }
    }
    sorted(headers)
}

/// URL parameters, sorted by name.
pub(super) fn parameters(text: &str) -> Result<Vec<(String, String)>, Fault> {
    let parameters = pairs(text)?;
    for (place, (name, _)) in (1..).zip(&parameters) {
        if let Some((_, instead)) = PARAMETERS_OF_THE_CLIENT.iter().find(|(taken, _)| taken == name) {
            return Err(Fault::new(format!("the parameter of pair {place} is set by the scaler itself"), *instead));
        }
    }
    sorted(parameters)
}

fn pairs(text: &str) -> Result<Vec<(String, String)>, Fault> {
    let instead = "write name=value,name=value; a value holds neither `=` nor `,`";
    let mut pairs = Vec::new();
    for (place, pair) in (1..).zip(text.split(',')) {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(Fault::new(format!("pair {place} has no `=`"), instead));
        };
        let (name, value) = (name.trim(), value.trim());
        if value.contains('=') {
            return Err(Fault::new(
                format!("pair {place} has more than one `=`"),
                format!("{instead}, so base64 with padding does not fit: use server-side `credentials`"),
            ));
        }
        if name.is_empty() {
            return Err(Fault::new(format!("pair {place} has no name"), instead));
        }
        pairs.push((name.to_owned(), value.to_owned()));
    }
    Ok(pairs)
}

fn sorted(mut pairs: Vec<(String, String)>) -> Result<Vec<(String, String)>, Fault> {
    pairs.sort();
    if pairs.windows(2).any(|two| two[0].0 == two[1].0) {
        return Err(Fault::new("two pairs have the same name", "keep one of them"));
    }
    Ok(pairs)
}

/// Whether `name` is a token of HTTP (RFC 9110, section 5.6.2).
fn is_token(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn pairs_are_trimmed_and_sorted() {
        let wanted = owned(&[("dedup", "true"), ("max_source_resolution", "")]);
        assert_eq!(parameters("max_source_resolution= , dedup = true"), Ok(wanted));
    }

    #[test]
    fn header_names_are_one_whatever_their_case() {
        assert_eq!(headers("X-Scope-OrgID=Tenant-A"), Ok(owned(&[("x-scope-orgid", "Tenant-A")])));
        assert_eq!(headers("X-A=1,x-a=2").unwrap_err().problem, "two pairs have the same name");
    }

    #[test]
    fn lists_that_cannot_be_read_name_the_place() {
        for (text, problem) in [
            ("a", "pair 1 has no `=`"),
            ("a=1,b", "pair 2 has no `=`"),
            ("a=1,", "pair 2 has no `=`"),
            ("=1", "pair 1 has no name"),
            ("Authorization=Basic dXNlcg==", "pair 1 has more than one `=`"),
            ("X A=1", "the name of pair 1 is no HTTP header name"),
            ("X-A: 1=2", "the name of pair 1 is no HTTP header name"),
            ("a=1\r\nb: 2", "the value of pair 1 cannot stand in an HTTP header"),
            ("a=1,Host=evil", "the header of pair 2 is written by the HTTP client itself"),
            ("a=ä", "the value of pair 1 cannot stand in an HTTP header"),
        ] {
            assert_eq!(headers(text).unwrap_err().problem, problem, "{text:?}");
        }
        assert!(headers("Authorization=Basic dXNlcg==").unwrap_err().instead.contains("credentials"));
        assert_eq!(
            parameters("a=1,query=up").unwrap_err().problem,
            "the parameter of pair 2 is set by the scaler itself"
        );
        assert_eq!(parameters("a=1,a=1").unwrap_err().problem, "two pairs have the same name");
    }
}
