//! A good answer: JSON with the version it came from and the tag it is known by.

use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use yiku::Snapshot;

use crate::problem::{Code, Problem};

/// The header that names the version.
const DATA_VERSION: HeaderName = HeaderName::from_static("x-data-version");
/// To be asked again each time; what has not changed costs a line.
const KEPT: &str = "private, no-cache";

/// An answer over a snapshot.
#[derive(Debug)]
pub(crate) struct Reply {
    version: u64,
    /// None: the answer must not be kept.
    tag: Option<String>,
    /// None: the asker has it already.
    body: Option<Vec<u8>>,
}

impl Reply {
    /// The asker has the answer of that tag already.
    pub(crate) fn unchanged(snapshot: &Snapshot, tag: String) -> Self {
        Self { version: snapshot.version(), tag: Some(tag), body: None }
    }

    /// A new answer.
    pub(crate) fn new(
        snapshot: &Snapshot,
        tag: Option<String>,
        body: &impl Serialize,
    ) -> Result<Self, Problem> {
        let body = serde_json::to_vec(body);
        let body = body.map_err(|error| Problem::fault(Code::Fault, &error))?;
        Ok(Self { version: snapshot.version(), tag, body: Some(body) })
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let kept = if self.tag.is_some() { KEPT } else { "no-store" };
        let about = [(DATA_VERSION, self.version.to_string())];
        let about = (about, [(header::CACHE_CONTROL, kept)]);
        let tag = self.tag.map(|tag| [(header::ETAG, tag)]);
        let mut response = match self.body {
            None => (StatusCode::NOT_MODIFIED, about).into_response(),
            Some(body) => {
                (about, [(header::CONTENT_TYPE, "application/json")], body).into_response()
            }
        };
        for (name, tag) in tag.into_iter().flatten() {
            if let Ok(tag) = tag.parse() {
                response.headers_mut().insert(name, tag);
            }
        }
        response
    }
}
