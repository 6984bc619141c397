//! Sign-in of citizens through another service: OpenID Connect, the authorization code with PKCE.
//!
//! Invariants: a sign-in is finished in the browser that began it, once, and within ten minutes;
//! nothing the service tells is believed before signature, issuer, audience, nonce and times hold;
//! a person is known by the service's subject, never by a name.

mod ask;
mod pending;
mod tokens;

use std::path::PathBuf;
use std::sync::Arc;

use openidconnect::core::{CoreAuthenticationFlow, CoreProviderMetadata};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, DiscoveryError, IssuerUrl, Nonce,
    PkceCodeChallenge, RedirectUrl, Scope,
};
use parking_lot::Mutex;

use self::ask::Agent;
use self::pending::{Pending, PendingList};
use self::tokens::Client;
use crate::clock;

/// The scopes that are asked for besides `openid`.
const SCOPES: [&str; 1] = ["profile"];
/// The name of the claim that holds the ID number, where nobody says another.
pub const ID_NUMBER_CLAIM: &str = "id_number";

/// Through which service citizens sign in.
#[derive(Debug, Clone)]
pub struct OidcSettings {
    /// The service, by the address under which it describes itself.
    pub issuer: String,
    /// The name that this platform has there.
    pub client: String,
    /// The file with the secret of that name, alone on its first line.
    pub secret_file: Option<PathBuf>,
    /// The claim that holds a citizen's ID number.
    pub id_number_claim: String,
    /// A scope to ask for besides `openid` and `profile`, where the service gives the ID number
    /// only for one of its own.
    pub scope: Option<String>,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OidcError {
    /// The settings cannot be used.
    #[error("sign-in service: {name} {reason}")]
    Settings {
        /// Which of them.
        name: &'static str,
        /// What would be right.
        reason: &'static str,
    },
    /// The service cannot be reached, or does not answer as it should.
    #[error("the sign-in service does not answer as it should")]
    Provider {
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The sign-in was not begun here, is over, or took too long.
    #[error("this sign-in was not begun in this browser, is over, or took too long; begin again")]
    State,
    /// The answer is another service's.
    #[error("the answer is of another service than the one that was asked")]
    Issuer,
    /// The service says no.
    #[error("the sign-in service says `{word}`")]
    Refused {
        /// Its word for why.
        word: String,
    },
    /// The token does not hold.
    #[error("the token of the sign-in service does not hold")]
    Token {
        /// Which check failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The service does not tell what is needed to know a person.
    #[error("the sign-in service does not tell `{claim}`")]
    Claim {
        /// The claim that is missing.
        claim: String,
    },
    /// Too many sign-ins are under way.
    #[error("too many sign-ins are under way")]
    Busy,
}

/// Who signed in, as the service tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The service.
    pub issuer: String,
    /// Its name for the person, which never changes.
    pub subject: String,
    /// The person's name.
    pub name: String,
    /// The person's ID number.
    pub id_number: String,
}

/// A sign-in that was begun.
#[derive(Debug)]
pub(crate) struct Begun {
    /// Where the browser goes now.
    pub(crate) address: String,
    /// What the browser keeps until it comes back.
    pub(crate) binding: String,
}

/// What the browser brings back.
#[derive(Debug)]
pub(crate) struct Returned<'a> {
    pub(crate) state: &'a str,
    pub(crate) binding: &'a str,
    pub(crate) issuer: Option<&'a str>,
    /// The code, or the service's word for why there is none.
    pub(crate) code: Result<&'a str, &'a str>,
}

/// The door to one sign-in service.
#[derive(Debug)]
pub struct Oidc {
    issuer: IssuerUrl,
    client: ClientId,
    secret: Option<ClientSecret>,
    claim: String,
    scope: Option<String>,
    agent: Agent,
    /// What the service said of itself, once it was asked.
    known: Mutex<Option<Arc<CoreProviderMetadata>>>,
    pending: PendingList,
}

impl Oidc {
    /// A door to a service, which is not asked anything yet.
    ///
    /// # Errors
    /// [`OidcError::Settings`] when the address is none, is neither HTTPS nor of this machine, or
    /// the file of the secret cannot be read or is empty.
    pub fn new(settings: OidcSettings) -> Result<Self, OidcError> {
        let OidcSettings { issuer, client, secret_file, id_number_claim, scope } = settings;
        let wrong = |name, reason| OidcError::Settings { name, reason };
        let issuer = IssuerUrl::new(issuer).map_err(|_| {
            wrong("issuer", "is no address; give https://HOST or https://HOST/PATH")
        })?;
        let local = ask::is_local(issuer.url());
        if issuer.url().scheme() != "https" && !local {
            return Err(wrong(
                "issuer",
                "is not https; only a service on this machine may be http",
            ));
        }
        if client.is_empty() {
            return Err(wrong("client", "is empty; give the name that this platform has there"));
        }
        Ok(Self {
            issuer,
            client: ClientId::new(client),
            secret: secret_file.map(secret).transpose()?,
            claim: id_number_claim,
            scope,
            agent: Agent::new(local),
            known: Mutex::new(None),
            pending: PendingList::default(),
        })
    }

    /// Begins a sign-in that will come back to `redirect` and then goes on to `next`. Asks the
    /// service what it is where that is not known: only on a thread that may block.
    pub(crate) fn begin(&self, redirect: &str, next: &str) -> Result<Begun, OidcError> {
        let client = self.client(redirect)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (state, nonce) = (CsrfToken::new_random, Nonce::new_random);
        let mut asked =
            client.authorize_url(CoreAuthenticationFlow::AuthorizationCode, state, nonce);
        for scope in SCOPES.iter().copied().chain(self.scope.as_deref()) {
            asked = asked.add_scope(Scope::new(scope.to_owned()));
        }
        let (address, state, nonce) = asked.set_pkce_challenge(challenge).url();
        let binding = CsrfToken::new_random().into_secret();
        let pending = Pending {
            nonce,
            verifier,
            binding: binding.clone(),
            redirect: redirect.to_owned(),
            next: next.to_owned(),
            begun: clock::now(),
        };
        self.pending.add(state.into_secret(), pending)?;
        Ok(Begun { address: address.into(), binding })
    }

    /// Finishes a sign-in: who it is, and where to go on to. Only on a thread that may block.
    pub(crate) fn finish(&self, returned: &Returned<'_>) -> Result<(Person, String), OidcError> {
        let pending = self.pending.take(returned.state, returned.binding)?;
        if returned.issuer.is_some_and(|issuer| issuer != self.issuer.as_str()) {
            return Err(OidcError::Issuer);
        }
        let code = match returned.code {
            Ok(code) => AuthorizationCode::new(code.to_owned()),
            Err(word) => return Err(OidcError::Refused { word: plain(word) }),
        };
        let client = self.client(&pending.redirect)?;
        let tokens = tokens::exchange(&client, &self.agent, code, pending.verifier)?;
        let claims = match tokens::verified(&client, &tokens, &pending.nonce) {
            Err(tokens::Unverified::UnknownKey) => {
                // The service may have taken new keys since it was asked for them.
                *self.known.lock() = None;
                let client = self.client(&pending.redirect)?;
                tokens::verified(&client, &tokens, &pending.nonce)
            }
            other => other,
        };
        let claims = claims.map_err(tokens::Unverified::told)?;
        let told = tokens::told(&client, &self.agent, &tokens, &claims, &self.claim)?;
        let person = Person {
            issuer: self.issuer.as_str().to_owned(),
            subject: claims.subject().as_str().to_owned(),
            name: told.name,
            id_number: told.id_number,
        };
        Ok((person, pending.next))
    }

    fn client(&self, redirect: &str) -> Result<Client, OidcError> {
        let redirect = RedirectUrl::new(redirect.to_owned()).map_err(|_| OidcError::Settings {
            name: "redirect",
            reason: "is no address; ask with a plain host name",
        })?;
        let (client, secret) = (self.client.clone(), self.secret.clone());
        let client = Client::from_provider_metadata((*self.known()?).clone(), client, secret);
        Ok(client.set_redirect_uri(redirect))
    }

    /// What the service says of itself.
    fn known(&self) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        if let Some(known) = self.known.lock().as_ref() {
            return Ok(Arc::clone(known));
        }
        // Asked without the lock: a service that does not answer must not hold up the others.
        let found = CoreProviderMetadata::discover(&self.issuer, &self.agent);
        let found = found.map_err(|error| match error {
            DiscoveryError::Validation(_) => OidcError::Issuer,
            error => OidcError::Provider { source: Box::new(error) },
        })?;
        Ok(Arc::clone(self.known.lock().insert(Arc::new(found))))
    }
}

/// A word of the service as it may be shown: what is no plain word is left out.
fn plain(word: &str) -> String {
    let kept = word.chars().filter(|c| c.is_ascii_lowercase() || *c == '_');
    kept.take(40).collect()
}

#[expect(clippy::disallowed_methods, reason = "reads a file that the settings name")]
fn secret(file: PathBuf) -> Result<ClientSecret, OidcError> {
    let wrong = |reason| OidcError::Settings { name: "secret file", reason };
    let text = std::fs::read_to_string(file).map_err(|_| wrong("cannot be read"))?;
    let first = text.lines().next().unwrap_or_default().trim();
    if first.is_empty() {
        return Err(wrong("has nothing on its first line"));
    }
    Ok(ClientSecret::new(first.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(issuer: &str) -> OidcSettings {
        OidcSettings {
            issuer: issuer.to_owned(),
            client: "yiku".to_owned(),
            secret_file: None,
            id_number_claim: ID_NUMBER_CLAIM.to_owned(),
            scope: None,
        }
    }

    #[test]
    fn a_service_elsewhere_is_reached_by_https_only() {
        let check = |issuer, good: bool| {
            assert_eq!(Oidc::new(settings(issuer)).is_ok(), good, "{issuer}");
        };
        check("https://id.example", true);
        check("https://id.example/realm", true);
        check("http://127.0.0.1:4000", true);
        check("http://localhost:4000", true);
        check("http://id.example", false);
        check("http://localhost.id.example", false);
        check("id.example", false);
        check("", false);
    }

    #[test]
    fn a_secret_that_is_not_there_is_told() {
        let file = Some(PathBuf::from("/nowhere/secret"));
        let settings = OidcSettings { secret_file: file, ..settings("https://id.example") };
        let told = Oidc::new(settings).map_err(|error| error.to_string()).err();
        assert_eq!(told.as_deref(), Some("sign-in service: secret file cannot be read"));
    }

    #[test]
    fn a_word_of_the_service_is_plain() {
        assert_eq!(plain("access_denied"), "access_denied");
        assert_eq!(plain("<script>1401"), "script");
    }
}
