//! Photos, papers and recordings: taken by what they are, given to who may see the case.

use axum::body::Bytes;
use axum::extract::{FromRequest, rejection::BytesRejection};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use yiku_casework::store::Reach;

use super::access::{answer, casework, journal};
use crate::http::reply::Reply;
use crate::http::signed::Signed;
use crate::limits::ATTACHMENT_BODY_MAX;
use crate::problem::{Code, Problem};
use crate::state::ServerState;

/// The header with the name of a file, percent-encoded UTF-8.
const FILE_NAME: HeaderName = HeaderName::from_static("x-file-name");

/// The body of a request, whatever it is, within the limit of attachments.
pub(crate) struct Raw(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Bytes::from_request(request, state).await {
            Ok(bytes) if bytes.is_empty() => {
                Err(Problem::told(Code::RequestBody, "the file is empty".to_owned()))
            }
            Ok(bytes) => Ok(Self(bytes)),
            Err(BytesRejection::FailedToBufferBody(_)) => {
                let detail = format!("the most that is taken are {ATTACHMENT_BODY_MAX} bytes");
                Err(Problem::told(Code::RequestLarge, detail))
            }
            Err(_) => Err(Problem::new(Code::RequestBody)),
        }
    }
}

/// `POST /api/v1/attachments`
pub(crate) async fn take(
    State(state): State<ServerState>,
    signed: Signed,
    headers: HeaderMap,
    Raw(bytes): Raw,
) -> Result<Reply, Problem> {
    let name = headers.get(FILE_NAME).and_then(|name| name.to_str().ok()).unwrap_or_default();
    let name = decoded(name);
    let work = move |state: &ServerState, _| {
        let platform = state.platform()?;
        let now = platform.now();
        let taken = platform.store().attach(&signed.actor, &bytes, &name, now, &signed.ip);
        answer(&state.snapshot()?, &casework(taken)?)
    };
    state.work(work).await
}

/// `GET /api/v1/cases/{id}/attachments/{digest}`
pub(crate) async fn show(
    State(state): State<ServerState>,
    signed: Signed,
    Path((id, digest)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let work = move |state: &ServerState, _| {
        let platform = state.platform()?;
        let store = platform.store();
        let case = casework(store.case_within(&Reach::of(&signed.actor), &id))?;
        if !case.attachments.contains(&digest) {
            return Err(Problem::new(Code::CaseMissing));
        }
        journal(platform, &signed, "attachment.read", &id, &digest)?;
        let (attachment, bytes) = casework(store.attachment_content(&digest))?;
        // Browsers draw no document that may do nothing: it is kept instead.
        let shown = if attachment.media == "application/pdf" { "attachment" } else { "inline" };
        let about = [
            (header::CONTENT_TYPE, attachment.media),
            (header::CACHE_CONTROL, "no-store".to_owned()),
            // Whatever it is, it is shown as itself and never run.
            (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
            (header::CONTENT_DISPOSITION, shown.to_owned()),
        ];
        Ok((about, bytes).into_response())
    };
    state.work(work).await
}

/// Text behind percent signs; what is no such text stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let ahead: Vec<u8> = rest.clone().take(2).collect();
            let code = std::str::from_utf8(&ahead).ok().filter(|code| code.len() == 2);
            if let Some(code) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
                bytes.push(code);
                rest.nth(1);
                continue;
            }
        }
        bytes.push(byte);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_behind_percent_signs() {
        assert_eq!(decoded("%E7%85%A7%E7%89%87.jpg"), "照片.jpg");
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("a%2"), "a%2");
    }
}
