//! What the sign-in service gives for a code: tokens, and what they say of a person.

use std::collections::BTreeMap;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AuthorizationCode, ClaimsVerificationError, EmptyExtraTokenFields,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenClaims, IdTokenFields, Nonce,
    OAuth2TokenResponse, PkceCodeVerifier, RequestTokenError, SignatureVerificationError,
    StandardErrorResponse, StandardTokenResponse, TokenResponse, UserInfoClaims,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::OidcError;
use super::ask::Agent;

/// Claims beyond the standard's, by name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Extra(BTreeMap<String, Value>);

impl AdditionalClaims for Extra {}

type Fields = IdTokenFields<
    Extra,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
pub(super) type Tokens = StandardTokenResponse<Fields, CoreTokenType>;
pub(super) type Claims = IdTokenClaims<Extra, CoreGenderClaim>;
pub(super) type Client = openidconnect::Client<
    Extra,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

fn provider(error: impl std::error::Error + Send + Sync + 'static) -> OidcError {
    OidcError::Provider { source: Box::new(error) }
}

/// The tokens for a code.
pub(super) fn exchange(
    client: &Client,
    agent: &Agent,
    code: AuthorizationCode,
    verifier: PkceCodeVerifier,
) -> Result<Tokens, OidcError> {
    let asked = client.exchange_code(code).map_err(provider)?;
    asked.set_pkce_verifier(verifier).request(agent).map_err(|error| match error {
        RequestTokenError::ServerResponse(told) => {
            OidcError::Refused { word: super::plain(told.error().as_ref()) }
        }
        other => provider(other),
    })
}

/// Why claims are not believed.
#[derive(Debug)]
pub(super) enum Unverified {
    /// By a key that the service had not told of.
    UnknownKey,
    /// For another reason.
    Other(OidcError),
}

impl Unverified {
    pub(super) fn told(self) -> OidcError {
        match self {
            Self::UnknownKey => {
                let none = SignatureVerificationError::NoMatchingKey;
                OidcError::Token { source: Box::new(none) }
            }
            Self::Other(error) => error,
        }
    }
}

/// The claims of the ID token, once everything about it holds.
pub(super) fn verified(
    client: &Client,
    tokens: &Tokens,
    nonce: &Nonce,
) -> Result<Claims, Unverified> {
    let Some(token) = tokens.id_token() else {
        return Err(Unverified::Other(OidcError::Claim { claim: "id_token".to_owned() }));
    };
    let claims = token.claims(&client.id_token_verifier(), nonce);
    claims.cloned().map_err(|error| match error {
        ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey,
        ) => Unverified::UnknownKey,
        ClaimsVerificationError::InvalidIssuer(_) => Unverified::Other(OidcError::Issuer),
        // What the check says may hold what the token says; which check it was is enough.
        error => Unverified::Other(OidcError::Token { source: Box::new(Check::of(&error)) }),
    })
}

/// The check that a token failed.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
struct Check {
    what: &'static str,
}

impl Check {
    fn of(error: &ClaimsVerificationError) -> Self {
        let what = match error {
            ClaimsVerificationError::Expired(_) => "it is too old",
            ClaimsVerificationError::InvalidAudience(_) => "it is for another client",
            ClaimsVerificationError::InvalidNonce(_) => "it is of another sign-in",
            ClaimsVerificationError::InvalidSubject(_) => "it is of another subject",
            ClaimsVerificationError::SignatureVerification(_) => "its signature does not hold",
            ClaimsVerificationError::Unsupported(_) => "it is signed or sealed in an unknown way",
            _ => "it is not as it should be",
        };
        Self { what }
    }
}

/// Name and ID number.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) name: String,
    pub(super) id_number: String,
}

/// What the service tells of a person: in the ID token, or where it is asked with the access token.
pub(super) fn told(
    client: &Client,
    agent: &Agent,
    tokens: &Tokens,
    claims: &Claims,
    claim: &str,
) -> Result<Told, OidcError> {
    let own = claims.name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned());
    let mut name = own;
    let mut id_number = text(claims.additional_claims(), claim);
    if name.is_none() || id_number.is_none() {
        let (access, subject) = (tokens.access_token().clone(), claims.subject().clone());
        if let Ok(asked) = client.user_info(access, Some(subject)) {
            let more: UserInfoClaims<Extra, CoreGenderClaim> =
                asked.request(agent).map_err(provider)?;
            let told = more.name().and_then(|name| name.get(None));
            name = name.or_else(|| told.map(|name| name.as_str().to_owned()));
            id_number = id_number.or_else(|| text(more.additional_claims(), claim));
        }
    }
    let missing = |claim: &str| OidcError::Claim { claim: claim.to_owned() };
    Ok(Told {
        name: name.filter(|name| !name.is_empty()).ok_or_else(|| missing("name"))?,
        id_number: id_number.ok_or_else(|| missing(claim))?,
    })
}

fn text(extra: &Extra, claim: &str) -> Option<String> {
    let found = extra.0.get(claim).and_then(Value::as_str).map(str::trim);
    found.filter(|text| !text.is_empty()).map(str::to_owned)
}
