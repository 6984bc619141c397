//! Asking the sign-in service over HTTP, within limits.
//!
//! Invariant: no redirect is followed, and nothing is asked in the clear but of this machine.

use std::time::Duration;

use openidconnect::url::{Host, Url};
use openidconnect::{HttpRequest, HttpResponse, SyncHttpClient};

/// How long the service may take for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);
/// Bytes of one answer, at most.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// What asks.
#[derive(Debug)]
pub(super) struct Agent(ureq::Agent);

impl Agent {
    /// An agent for a service on this machine, or one elsewhere.
    pub(super) fn new(local: bool) -> Self {
        let settings = ureq::Agent::config_builder()
            .timeout_global(Some(ANSWER_WITHIN))
            .max_redirects(0)
            // A line kept open may be closed at the other end when it is used again, and a code
            // cannot be sent twice.
            .max_idle_connections(0)
            .http_status_as_error(false)
            .https_only(!local);
        let settings = if local { settings.proxy(None) } else { settings };
        Self(settings.build().into())
    }
}

impl SyncHttpClient for Agent {
    type Error = ureq::Error;

    fn call(&self, request: HttpRequest) -> Result<HttpResponse, ureq::Error> {
        let (parts, mut body) = self.0.run(request)?.into_parts();
        let bytes = body.with_config().limit(ANSWER_BYTES_MAX).read_to_vec()?;
        Ok(HttpResponse::from_parts(parts, bytes))
    }
}

/// Whether an address is of this machine.
pub(super) fn is_local(address: &Url) -> bool {
    match address.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
