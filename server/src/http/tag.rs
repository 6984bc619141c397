//! Tags of answers (`ETag`): the same tag, the same answer.
//!
//! A tag is weak: whether an answer was compressed on its way makes it no other answer.

use std::fmt::Write as _;

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};

/// Bytes of a digest that a tag keeps.
const KEPT: usize = 12;

fn digest(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hasher.update(part);
    }
    let mut text = String::new();
    for byte in hasher.finalize().iter().take(KEPT) {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The tag of the answer to `question` from a version of the data, by this build of the program.
pub(crate) fn of_question(route: &str, version: u64, question: &str) -> String {
    let build = env!("CARGO_PKG_VERSION");
    let digest = digest(&[route.as_bytes(), build.as_bytes(), question.as_bytes()]);
    format!("W/\"v{version}-{digest}\"")
}

/// The tag of bytes that do not depend on the data.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    format!("W/\"{}\"", digest(&[bytes]))
}

/// Whether the asker already has the answer of that tag.
pub(crate) fn names(headers: &HeaderMap, tag: &str) -> bool {
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut lists = known.filter_map(|value| value.to_str().ok());
    lists.any(|list| list.split(',').any(|one| one.trim() == "*" || plain(one) == plain(tag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_of_version_route_and_question() {
        let tags = [
            of_question("query", 1, "a"),
            of_question("query", 2, "a"),
            of_question("query", 1, "b"),
            of_question("batch", 1, "a"),
            of_question("quer", 1, "ya"),
        ];
        for (place, tag) in tags.iter().enumerate() {
            assert!(tags.iter().skip(place + 1).all(|other| other != tag), "{tag}");
        }
        assert_eq!(of_question("query", 1, "a"), tags.first().cloned().unwrap_or_default());
    }

    #[test]
    fn known_tags_are_found_in_lists() {
        let check = |sent: &'static str, expected| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, axum::http::HeaderValue::from_static(sent));
            assert_eq!(names(&headers, "W/\"v1-x\""), expected, "{sent}");
        };
        check("W/\"v1-x\"", true);
        check("\"v1-x\"", true);
        check("\"a\", W/\"v1-x\"", true);
        check("*", true);
        check("\"v1\"", false);
        assert!(!names(&HeaderMap::new(), "W/\"v1-x\""));
    }
}
