//! Who asks: what the guard of rights found out, for the routes behind it.
//!
//! Invariant: nothing here decides; without the guard nobody is signed in.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts, OptionalFromRequestParts};
use axum::http::Extensions;
use axum::http::request::Parts;
use yiku_casework::accounts::Session;
use yiku_casework::{Actor, Role};

use crate::problem::{Code, Problem};
use crate::state::ServerState;

/// Whoever is signed in. As an argument of a route it refuses everybody else; as `Option<Signed>`
/// it is nothing for them.
#[derive(Clone)]
pub(crate) struct Signed {
    /// Who acts.
    pub(crate) actor: Actor,
    /// Their session, with its secret, which is never to be written anywhere.
    pub(crate) session: Session,
    /// Where the request came from.
    pub(crate) ip: String,
}

impl Signed {
    /// Whoever has a session, from an address.
    pub(crate) fn new(session: Session, ip: &str) -> Self {
        Self { actor: session.actor.clone(), session, ip: ip.to_owned() }
    }
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").field("account", &self.actor.account).finish_non_exhaustive()
    }
}

impl FromRequestParts<ServerState> for Signed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ServerState) -> Result<Self, Problem> {
        state.platform()?;
        let signed = parts.extensions.get::<Self>().cloned();
        signed.ok_or_else(|| Problem::new(Code::SessionMissing))
    }
}

impl OptionalFromRequestParts<ServerState> for Signed {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &ServerState,
    ) -> Result<Option<Self>, Problem> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}

/// The address that a request comes from, as the machine sees it; a dash where there is no line.
/// What a header says of it is not believed.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub(crate) String);

impl Caller {
    /// Of a request.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        let from = extensions.get::<ConnectInfo<SocketAddr>>();
        Self(from.map_or_else(|| "-".to_owned(), |ConnectInfo(from)| from.ip().to_string()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}

/// The place whose rows whoever asks may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope(Option<String>);

impl Scope {
    /// Everything: for who sits at the database itself.
    pub(crate) fn everything() -> Self {
        Self(None)
    }

    /// The digits that every row's place begins with; none where everybody may see everything.
    pub(crate) fn prefix(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// A question as it is for these rows: the same words of another scope are another question.
    pub(crate) fn marked(&self, question: &str) -> String {
        match &self.0 {
            Some(prefix) => format!("within {prefix}: {question}"),
            None => question.to_owned(),
        }
    }

    /// Whether a place, by its digits, lies in it.
    pub(crate) fn holds(&self, code: &str) -> bool {
        self.0.as_deref().is_none_or(|prefix| code.starts_with(prefix))
    }
}

impl FromRequestParts<ServerState> for Scope {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ServerState) -> Result<Self, Problem> {
        if state.platform().is_err() {
            return Ok(Self(None));
        }
        let signed = parts.extensions.get::<Signed>();
        let signed = signed.ok_or_else(|| Problem::new(Code::SessionMissing))?;
        // The rights say it too; figures do not depend on one file alone.
        let sees_figures = match signed.actor.role {
            Role::Village
            | Role::Township
            | Role::County
            | Role::City
            | Role::Province
            | Role::Department => true,
            Role::Citizen
            | Role::SystemAdmin
            | Role::SecurityAdmin
            | Role::AuditAdmin
            | Role::System => false,
        };
        if !sees_figures || signed.actor.scope.is_empty() {
            return Err(Problem::new(Code::RightMissing));
        }
        Ok(Self(Some(signed.actor.scope.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_part_of_the_question() {
        let county = Scope(Some("140105".to_owned()));
        let all = Scope(None);
        assert_eq!(county.marked("from person"), "within 140105: from person");
        assert_eq!(all.marked("from person"), "from person");
        assert!(county.holds("140105001") && !county.holds("140106") && !county.holds("14"));
        assert!(all.holds("14"));
    }
}
