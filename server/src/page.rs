//! The pages, embedded in the program: the leader's, the staff's, the public's, the sign-in.
//!
//! Invariants: an address beneath a page that is no file is that page, which reads the rest; what
//! has a hash in its name never changes and may be kept for ever; everything else is asked for
//! again each time.

use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use crate::http::tag;
use crate::problem::{Code, Problem};

/// The page as it was built. A program that was built before it has none, and says so.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Page;

/// The page of every address that is none of the others'.
const INDEX: &str = "index.html";
/// The first part of an address, and the page that it is of.
const PAGES: [(&str, &str); 3] =
    [("work", "work.html"), ("public", "public.html"), ("sign", "sign.html")];
/// The folder whose files have their hash in their name.
const HASHED: &str = "assets/";

/// A file of the page; for an address of the page's own, which has no file, the page itself.
pub(crate) fn respond(uri: &Uri, headers: &HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_file = name.contains('.');
    let wanted = if is_file { path } else { page_of(path) };
    let Some(file) = Page::get(wanted) else {
        let detail = match is_file {
            true => format!("`/{path}` is no file of the page"),
            false => "the program was built without the page; build it with `make`".to_owned(),
        };
        return Problem::told(Code::PageMissing, detail).into_response();
    };
    let kept =
        if wanted.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let tag = tag::of_bytes(&file.data);
    let about = [(header::CACHE_CONTROL, kept), (header::ETAG, tag.as_str())];
    if tag::names(headers, &tag) {
        return (StatusCode::NOT_MODIFIED, about).into_response();
    }
    (about, [(header::CONTENT_TYPE, media_type(wanted))], file.data).into_response()
}

/// The page that answers an address without a file.
fn page_of(path: &str) -> &'static str {
    let first = path.split('/').next().unwrap_or_default();
    let found = PAGES.iter().find(|(name, _)| *name == first);
    found.map_or(INDEX, |(_, page)| page)
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("json") => "application/json",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_beneath_a_page_is_that_page() {
        let check = |path, page| assert_eq!(page_of(path), page, "{path}");
        check("", "index.html");
        check("map/1401", "index.html");
        check("workers", "index.html");
        check("work", "work.html");
        check("work/cases/C1", "work.html");
        check("public/apply", "public.html");
        check("sign", "sign.html");
        check("sign/", "sign.html");
    }
}
