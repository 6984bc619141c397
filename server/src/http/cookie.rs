//! Cookies: what a browser keeps for this server and brings back.
//!
//! Invariant: no script reads one, no other site's form sends one, and off this machine none goes
//! over an unsealed line.

use axum::http::{HeaderMap, HeaderValue, header};

/// The cookie of a session.
pub(crate) const SESSION: &str = "yiku_session";
/// The cookie of a sign-in through another service, until it is over.
pub(crate) const SIGNING: &str = "yiku_signing";

/// The value of a cookie that a request brings. Of one that stands twice, nothing: somebody put
/// a second one there.
pub(crate) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';'));
    let mut found = pairs.filter_map(|pair| {
        let (found, value) = pair.trim().split_once('=')?;
        (found == name && !value.is_empty()).then_some(value)
    });
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// How a cookie is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept<'a> {
    pub(crate) name: &'a str,
    /// The addresses to which it is brought back.
    pub(crate) path: &'a str,
    /// Seconds until it is forgotten; none is until the browser is closed.
    pub(crate) seconds: Option<u32>,
    /// Whether it goes over sealed lines only.
    pub(crate) sealed: bool,
}

impl Kept<'_> {
    /// The header that has a browser keep a value.
    pub(crate) fn set(self, value: &str) -> Option<HeaderValue> {
        let Self { name, path, seconds, sealed } = self;
        let mut text = format!("{name}={value}; Path={path}; HttpOnly; SameSite=Lax");
        if let Some(seconds) = seconds {
            text.push_str(&format!("; Max-Age={seconds}"));
        }
        if sealed {
            text.push_str("; Secure");
        }
        HeaderValue::from_str(&text).ok()
    }

    /// The header that has a browser forget it.
    pub(crate) fn forget(self) -> Option<HeaderValue> {
        Self { seconds: Some(0), ..self }.set("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brought(lines: &[&'static str]) -> HeaderMap {
        let lines = lines.iter().map(|line| (header::COOKIE, HeaderValue::from_static(line)));
        lines.collect()
    }

    #[test]
    fn a_cookie_is_read_among_others_and_only_alone() {
        let check = |lines: &[&'static str], expected: Option<&str>| {
            assert_eq!(read(&brought(lines), SESSION), expected, "{lines:?}");
        };
        check(&["a=1; yiku_session=abc; b=2"], Some("abc"));
        check(&["a=1", "yiku_session=abc"], Some("abc"));
        check(&["yiku_session=abc; yiku_session=def"], None);
        check(&["yiku_session="], None);
        check(&["xyiku_session=abc"], None);
        check(&[], None);
    }

    #[test]
    fn a_cookie_is_kept_from_scripts_and_other_sites() {
        let kept = Kept { name: SESSION, path: "/", seconds: None, sealed: true };
        let text = |header: Option<HeaderValue>| {
            header.and_then(|header| header.to_str().map(str::to_owned).ok()).unwrap_or_default()
        };
        let set = "yiku_session=t; Path=/; HttpOnly; SameSite=Lax; Secure";
        assert_eq!(text(kept.set("t")), set);
        let forgotten = "yiku_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0";
        assert_eq!(text(Kept { sealed: false, ..kept }.forget()), forgotten);
        assert!(kept.set("a\r\nb").is_none());
    }
}
