//! What a request that fails is answered: problem details (RFC 9457) with stable codes.
//!
//! Invariants: every code stands in the list below, from which the page on HTTP is printed. An
//! answer of status 5xx says its code and nothing of its cause; a fault also says a number to
//! quote, under which the cause goes to the server's log.

mod causes;

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::clock;

macro_rules! codes {
    ($($name:ident $code:literal $status:literal $title:literal)*) => {
        /// What can be wrong, by its stable code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            fn parts(self) -> (&'static str, u16, &'static str) {
                match self {
                    $(Self::$name => ($code, $status, $title),)*
                }
            }
        }
    };
}

codes! {
    AccountExists "account.exists" 409 "an account with that login was made before"
    AccountForm "account.form" 422 "the account cannot be made like this"
    AccountMissing "account.missing" 404 "no such account"
    AreaUnknown "area.unknown" 404 "no such place"
    CaseForm "case.form" 422 "answers of the form are wrong or missing"
    CaseMissing "case.missing" 404 "no such case, or not one of yours"
    CaseRefused "case.refused" 409 "a rule says no"
    CaseReused "case.reused" 409 "the number of the command was used for another command"
    CaseStale "case.stale" 409 "the case has changed since it was read"
    MapMeasure "map.unknown_measure" 400 "no such measure of the map"
    MapLayer "map.unknown_layer" 404 "no such layer of the map"
    OidcOff "oidc.off" 404 "nobody signs in here through another service"
    OidcProvider "oidc.provider" 502 "the sign-in service cannot be reached"
    OidcRefused "oidc.refused" 403 "the sign-in service did not sign you in"
    OidcState "oidc.state" 400 "this sign-in was not begun here, is over, or took too long"
    OidcToken "oidc.token" 403 "what the sign-in service told is not to be trusted"
    PageMissing "page.missing" 404 "the page has no such file"
    PasswordWeak "password.weak" 422 "the new password is not good enough"
    PlatformOff "platform.off" 403 "this server answers statistics only"
    QuerySyntax "query.syntax" 400 "the question cannot be read"
    QueryColumn "query.unknown_column" 400 "no such column"
    QueryTable "query.unknown_table" 400 "no such table"
    QueryCode "query.unknown_code" 400 "no such code in the code list"
    QueryRegion "query.unknown_region" 400 "no such place in the question"
    QueryLevel "query.unknown_level" 400 "no such level of the path"
    QueryFunction "query.unknown_function" 400 "no such function"
    QueryMeasure "query.unknown_measure" 400 "the answer has no such column"
    QueryParameter "query.unknown_parameter" 400 "no such parameter"
    QuerySet "query.unknown_set" 400 "no such set"
    QueryVersion "query.unknown_version" 400 "no version is kept under the name"
    QueryType "query.type" 400 "kinds do not go together"
    QueryUnsupported "query.unsupported" 400 "not supported yet"
    QueryLimit "query.limit" 400 "the question is too large"
    QueryJson "query.json" 400 "the question is not JSON of the right shape"
    QueryAsOf "query.as_of" 400 "the question needs a day"
    QueryOverflow "query.overflow" 400 "a number is beyond 64 bits"
    QueryPersonal "query.personal" 403 "a personal column is not answered over HTTP"
    RequestContent "request.content" 415 "the content is of no kind that is taken"
    RequestField "request.field" 422 "a field of the body is not as it should be"
    RequestForged "request.forged" 403 "the request does not come from a page of this server"
    RequestRoute "request.route" 404 "no such address"
    RequestMethod "request.method" 405 "this address does not take the method"
    RequestParameter "request.parameter" 400 "a parameter is missing, unknown or senseless"
    RequestJson "request.json" 400 "the body is not JSON of the right shape"
    RequestMedia "request.media_type" 415 "the body must be sent as application/json"
    RequestLarge "request.too_large" 413 "the body is too large"
    RequestBody "request.body" 400 "the body did not arrive"
    RequestBatch "request.batch" 400 "the batch has too many, too few or equally named questions"
    RequestHost "request.host" 421 "the server does not go by this name"
    RightMissing "right.missing" 403 "your role may not do this"
    Busy "server.busy" 503 "too many requests are waiting; try again"
    Late "server.deadline" 504 "the answer took too long"
    Unready "server.database" 503 "the database cannot be read"
    Fault "server.fault" 500 "a fault of the program"
    SessionLocked "session.locked" 403 "too many failed sign-ins; wait"
    SessionMissing "session.missing" 401 "sign in first"
    SessionPassword "session.password" 403 "change the password first"
    SessionWrong "session.wrong" 401 "the login or the password is wrong"
}

impl Code {
    /// The word by which programs know it.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.parts().0
    }

    /// The status it is answered with.
    #[must_use]
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.parts().1).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What it means, for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.parts().2
    }
}

/// The codes as a table of the page on HTTP.
#[must_use]
pub fn codes() -> String {
    let mut text = String::from("| code | status | meaning |\n| --- | --- | --- |\n");
    for code in Code::ALL {
        let (word, status, title) = code.parts();
        // Writing to a text does not fail.
        let _ = writeln!(text, "| `{word}` | {status} | {title} |");
    }
    text
}

/// Why a request, or one question of a batch, was not answered.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Problem {
    details: Box<Details>,
}

#[derive(Debug, Clone, Serialize)]
struct Details {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Characters before the word that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<usize>,
    /// The field of the body that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// The number of a fault, to be quoted.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// What a code says beyond this, by name.
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl Problem {
    /// A problem of which there is nothing more to say.
    pub(crate) fn new(code: Code) -> Self {
        let details = Details {
            kind: format!("urn:yiku:problem:{}", code.word()),
            title: code.title(),
            status: code.status().as_u16(),
            code: code.word(),
            detail: None,
            position: None,
            pointer: None,
            hint: None,
            instance: None,
            more: Map::new(),
        };
        Self { details: Box::new(details) }
    }

    /// A problem, with what is wrong and what would be right.
    pub(crate) fn told(code: Code, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(code);
        problem.details.detail = Some(shortened(detail.into()));
        problem
    }

    /// A fault: its cause is logged under a number, and only the number is answered.
    pub(crate) fn fault(code: Code, cause: &dyn Error) -> Self {
        let number = fault_number();
        // Nowhere to log to is no reason to stop answering.
        let _ = writeln!(io::stderr(), "fault {number}: {}: {}", code.word(), with_causes(cause));
        let mut problem = Self::new(code);
        problem.details.instance = Some(format!("urn:yiku:fault:{number}"));
        problem
    }

    /// The same problem with one more field, particular to its code.
    pub(crate) fn and(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.more.insert(name.to_owned(), value.into());
        self
    }

    /// Its code and what is particular to it, for who reads no JSON.
    pub(crate) fn in_words(&self) -> String {
        let detail = self.details.detail.as_deref().unwrap_or_default();
        format!("{} {detail}", self.details.code)
    }

    /// The word of its code.
    pub(crate) fn word(&self) -> &'static str {
        self.details.code
    }

    /// The same problem of a question that stands at `pointer` of the body. A fault is of none.
    pub(crate) fn beneath(mut self, pointer: &str) -> Self {
        if self.is_servers() {
            return self;
        }
        let inner = self.details.pointer.take().unwrap_or_default();
        self.details.pointer = Some(format!("{pointer}{inner}"));
        self
    }

    /// Whether the server, not the asker, is at fault; such an answer must not be kept.
    pub(crate) fn is_servers(&self) -> bool {
        self.details.status >= 500
    }
}

/// The most letters of a detail. What a request brought may be repeated in it, and may be long.
const DETAIL_CHARS_MAX: usize = 1_000;

fn shortened(mut detail: String) -> String {
    if let Some((end, _)) = detail.char_indices().nth(DETAIL_CHARS_MAX) {
        detail.truncate(end);
        detail.push('…');
    }
    detail
}

/// A number that no other fault of this server has.
fn fault_number() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    format!("{:x}-{}", clock::unix_seconds(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// An error and what it comes from, on one line.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text.replace('\n', " ")
}

/// Seconds after which to ask a busy server again.
const RETRY_AFTER: &str = "1";
const PROBLEM_JSON: &str = "application/problem+json";

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.details.status).unwrap_or(StatusCode::BAD_REQUEST);
        let busy = self.details.code == Code::Busy.word();
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let headers: [(HeaderName, &str); 2] =
            [(header::CONTENT_TYPE, PROBLEM_JSON), (header::CACHE_CONTROL, "no-store")];
        let mut response = (status, headers, body).into_response();
        if busy {
            let after = axum::http::HeaderValue::from_static(RETRY_AFTER);
            response.headers_mut().insert(header::RETRY_AFTER, after);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_have_a_status() {
        let words: BTreeSet<&str> = Code::ALL.iter().map(|code| code.word()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(code.status().as_u16(), code.parts().1);
            assert!(code.word().contains('.'), "{code:?}");
            assert!(codes().contains(&format!(
                "| `{}` | {} |",
                code.word(),
                code.status().as_u16()
            )));
        }
    }

    #[test]
    fn the_page_on_http_lists_the_codes() {
        assert!(include_str!("../../../docs/api.md").contains(codes().trim()));
    }

    #[test]
    fn a_fault_says_a_number_and_no_cause() {
        let cause = io::Error::other("the secret");
        let first = Problem::fault(Code::Fault, &cause);
        let second = Problem::fault(Code::Fault, &cause);
        assert!(first.is_servers() && first.details.instance != second.details.instance);
        let body = serde_json::to_string(&first).unwrap_or_default();
        assert!(!body.contains("secret") && body.contains("urn:yiku:fault:"), "{body}");
    }

    #[test]
    fn a_question_of_a_batch_points_into_the_batch() {
        let problem = Problem::new(Code::QuerySyntax).beneath("/where").beneath("/queries/1/query");
        assert_eq!(problem.details.pointer.as_deref(), Some("/queries/1/query/where"));
    }
}
