//! What a request brings: its body and its parameters, within limits, with problems of our own.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{Uri, header};
use serde::de::DeserializeOwned;

use crate::limits::BODY_BYTES_MAX;
use crate::problem::{Code, Problem};
use crate::wire::not_an_object;

const JSON: &str = "application/json";

/// The body of a request that says it is JSON.
pub(crate) struct JsonBody(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(JSON)) {
            return Err(Problem::told(Code::RequestMedia, format!("send it as `{JSON}`")));
        }
        match Bytes::from_request(request, state).await {
            Ok(body) => Ok(Self(body)),
            Err(BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_))) => {
                let detail = format!("the most that is taken are {BODY_BYTES_MAX} bytes");
                Err(Problem::told(Code::RequestLarge, detail))
            }
            Err(_) => Err(Problem::new(Code::RequestBody)),
        }
    }
}

/// The fields of a body that is one object. What is wrong is told without repeating what was sent:
/// it may be a password or a person's number.
pub(crate) fn fields<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if let Some(detail) = not_an_object(body) {
        return Err(Problem::told(Code::RequestJson, detail));
    }
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        let named = ["missing field", "unknown field", "duplicate field"];
        let detail = if error.is_data() && !named.iter().any(|start| text.starts_with(start)) {
            let (line, column) = (error.line(), error.column());
            format!("a field before line {line}, column {column} is of another kind")
        } else {
            text
        };
        Problem::told(Code::RequestJson, detail)
    })
}

/// A part of the address, for instance the code of a place.
pub(crate) struct Part(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Part {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(text)) => Ok(Self(text)),
            Err(_) => {
                let detail =
                    format!("`{}` is not UTF-8 behind its percent signs", parts.uri.path());
                Err(Problem::told(Code::RequestRoute, detail))
            }
        }
    }
}

/// The parameters behind the `?` of an address.
pub(crate) fn parameters<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    let found = Query::<T>::try_from_uri(uri);
    found.map(|Query(found)| found).map_err(|wrong| {
        let text = wrong.body_text();
        let detail = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
        Problem::told(Code::RequestParameter, detail)
    })
}
