//! From the errors of the crates beneath to problems: one arm a variant.
//!
//! Invariant: every variant is named here, so that somebody decided its code. The enums may grow;
//! the test below reads their sources and finds a variant that is not named.

use serde_json::json;
use yiku_casework::{Error as CaseworkError, Refusal};
use yiku_queries::Error as QueryError;

use super::{Code, Problem, with_causes};
use crate::blocking::Refused;
use crate::platform::oidc::OidcError;

impl Problem {
    /// Why a question was not answered.
    pub(crate) fn of_query(error: &QueryError) -> Self {
        let code = match error {
            QueryError::Syntax { .. } => Code::QuerySyntax,
            QueryError::UnknownColumn { .. } => Code::QueryColumn,
            QueryError::UnknownTable { .. } => Code::QueryTable,
            QueryError::UnknownCode { .. } => Code::QueryCode,
            QueryError::UnknownRegion { .. } => Code::QueryRegion,
            QueryError::UnknownLevel { .. } => Code::QueryLevel,
            QueryError::UnknownFunction { .. } => Code::QueryFunction,
            QueryError::UnknownMeasure { .. } => Code::QueryMeasure,
            QueryError::UnknownParameter { .. } => Code::QueryParameter,
            QueryError::UnknownSet { .. } => Code::QuerySet,
            QueryError::UnknownVersion { .. } => Code::QueryVersion,
            QueryError::Type { .. } => Code::QueryType,
            QueryError::Unsupported { .. } => Code::QueryUnsupported,
            QueryError::Limit { .. } => Code::QueryLimit,
            QueryError::Json { .. } => Code::QueryJson,
            QueryError::MissingAsOf => Code::QueryAsOf,
            QueryError::Overflow { .. } => Code::QueryOverflow,
            // Scopes are of accounts: one that is no place was not given by whoever asks.
            QueryError::Scope { .. } => return Self::fault(Code::Fault, error),
            QueryError::Stopped => return Self::new(Code::Late),
            QueryError::Busy { .. } => return Self::new(Code::Busy),
            QueryError::Broken => return Self::fault(Code::Fault, error),
            // What is kept beside the database is not as it was written.
            QueryError::Set { .. } | QueryError::Index { .. } => {
                return Self::fault(Code::Unready, error);
            }
            // Only the command line asks for SQL.
            QueryError::NotInSql { .. }
            | QueryError::SqlRefused { .. }
            | QueryError::Sql { .. } => return Self::fault(Code::Fault, error),
            QueryError::Engine { source } => return Self::of_engine(source),
            // A plan is made and run on one snapshot: it cannot be of another.
            QueryError::Stale => return Self::fault(Code::Fault, error),
            _ => return Self::fault(Code::Fault, error),
        };
        let mut problem = Self::told(code, error.to_string());
        problem.details.position = error.position();
        problem.details.pointer = error.pointer().map(str::to_owned);
        problem.details.hint = error.hint().map(str::to_owned);
        problem
    }

    /// Why the database could not be read.
    pub(crate) fn of_engine(error: &yiku::Error) -> Self {
        let code = match error {
            yiku::Error::NotFound { .. }
            | yiku::Error::Corrupt { .. }
            | yiku::Error::Format { .. }
            | yiku::Error::Io { .. } => Code::Unready,
            // What only a writer, or a schema on its way to one, can meet.
            yiku::Error::Locked { .. }
            | yiku::Error::Exists { .. }
            | yiku::Error::Schema { .. }
            | yiku::Error::SchemaText { .. }
            | yiku::Error::Tree { .. }
            | yiku::Error::Orphan { .. }
            | yiku::Error::MissingKey { .. }
            | yiku::Error::DuplicateKey { .. }
            | yiku::Error::Conflict { .. }
            | yiku::Error::NameTaken { .. }
            | yiku::Error::Poisoned => Code::Fault,
            // Names are asked for by commands only.
            yiku::Error::NoSuchName { .. } => Code::Fault,
            // What a question may take.
            yiku::Error::Stopped(_) => return Self::new(Code::Late),
            yiku::Error::Memory { .. } => {
                return Self::told(Code::QueryLimit, error.to_string());
            }
            yiku::Error::Overflow { .. } => {
                return Self::told(Code::QueryOverflow, error.to_string());
            }
            // What a checked plan does not ask for.
            yiku::Error::UnknownTable { .. }
            | yiku::Error::UnknownColumn { .. }
            | yiku::Error::WrongType { .. }
            | yiku::Error::UnknownCode { .. }
            | yiku::Error::UnknownPath { .. }
            | yiku::Error::Limit { .. } => Code::Fault,
            _ => Code::Fault,
        };
        Self::fault(code, error)
    }

    /// Why case-work said no.
    pub(crate) fn of_casework(error: &CaseworkError) -> Self {
        let code = match error {
            CaseworkError::Refused { refusal } => return Self::of_rule(refusal),
            CaseworkError::Stale { found, .. } => {
                return Self::told(Code::CaseStale, error.to_string()).and("found", *found);
            }
            CaseworkError::CommandReused { .. } => Code::CaseReused,
            CaseworkError::Unknown { what: "account", .. } => Code::AccountMissing,
            CaseworkError::Unknown { .. } => return Self::new(Code::CaseMissing),
            CaseworkError::Input { .. } => Code::RequestField,
            CaseworkError::Limit { .. } => Code::RequestLarge,
            CaseworkError::Media { .. } => Code::RequestContent,
            CaseworkError::Forbidden { .. } => Code::RightMissing,
            CaseworkError::LoginTaken => Code::AccountExists,
            CaseworkError::RoleHeld => Code::AccountForm,
            CaseworkError::OtherPerson => Code::OidcToken,
            CaseworkError::Password { code, .. } => {
                return Self::told(Code::PasswordWeak, error.to_string()).and("reason", *code);
            }
            CaseworkError::Locked { until } => {
                return Self::new(Code::SessionLocked).and("until", until.to_string());
            }
            // What only a damaged store or a machine in trouble can meet.
            CaseworkError::Tampered { .. }
            | CaseworkError::Corrupt { .. }
            | CaseworkError::Format { .. }
            | CaseworkError::Keys { .. }
            | CaseworkError::KeyMissing { .. }
            | CaseworkError::OtherKeys
            | CaseworkError::Entropy { .. }
            | CaseworkError::Rights { .. }
            | CaseworkError::RightsText { .. }
            | CaseworkError::Sql { .. }
            | CaseworkError::Io { .. } => return Self::fault(Code::Fault, error),
            _ => return Self::fault(Code::Fault, error),
        };
        Self::told(code, error.to_string())
    }

    /// Why the registry could not be asked or told.
    pub(crate) fn of_indexer(error: &yiku_indexer::Error) -> Self {
        match error {
            yiku_indexer::Error::Engine(source) => Self::of_engine(source),
            _ => Self::fault(Code::Fault, error),
        }
    }

    /// Why what was decided has not reached the registry yet.
    pub(crate) fn of_delivery(error: &crate::Error) -> Self {
        Self::fault(Code::Fault, error)
    }

    /// A rule says no: the ground for programs, a text in both languages for people.
    pub(crate) fn of_rule(refusal: &Refusal) -> Self {
        let Refusal { ground, zh, en, field } = refusal;
        let problem = Self::told(Code::CaseRefused, en.as_str()).and("ground", *ground);
        problem.and("field", field.clone()).and("message", json!({ "zh": zh, "en": en }))
    }

    /// Why nobody was signed in through another service.
    pub(crate) fn of_oidc(error: &OidcError) -> Self {
        let code = match error {
            OidcError::Provider { .. } | OidcError::Settings { .. } => {
                return Self::fault(Code::OidcProvider, error);
            }
            OidcError::State => Code::OidcState,
            OidcError::Refused { .. } => Code::OidcRefused,
            OidcError::Issuer | OidcError::Token { .. } | OidcError::Claim { .. } => {
                Code::OidcToken
            }
            OidcError::Busy => return Self::new(Code::Busy),
        };
        Self::told(code, with_causes(error))
    }

    /// Why work was not done.
    pub(crate) fn of_refusal(refused: Refused) -> Self {
        match refused {
            Refused::Busy => Self::new(Code::Busy),
            Refused::Late => Self::new(Code::Late),
            Refused::Broken => Self::fault(Code::Fault, &Broken),
        }
    }
}

/// A thread that ended without an answer. What it had to say is in the log before this.
#[derive(Debug, thiserror::Error)]
#[error("the work ended without an answer")]
struct Broken;

#[cfg(test)]
mod tests {
    /// The variants of the enum `Error` of a source file.
    fn variants(source: &str) -> Vec<&str> {
        let body = source.split_once("pub enum Error {").map_or("", |(_, rest)| rest);
        let body = body.split_once("\n}\n").map_or("", |(body, _)| body);
        let lines = body.lines().filter_map(|line| line.strip_prefix("    "));
        let starts = lines.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
        starts.filter_map(|line| line.split([' ', ',', '{', '(']).next()).collect()
    }

    #[test]
    fn every_variant_has_an_arm() {
        let here = include_str!("causes.rs");
        let arms = here.split("#[cfg(test)]").next().unwrap_or_default();
        let sources = [
            ("QueryError", include_str!("../../../queries/src/error.rs")),
            ("yiku::Error", include_str!("../../../engine/src/error.rs")),
            ("CaseworkError", include_str!("../../casework/src/error.rs")),
        ];
        for (name, source) in sources {
            let variants = variants(source);
            assert!(variants.len() > 10, "{name}: {variants:?}");
            for variant in variants {
                let arm = format!("{name}::{variant}");
                let named = arms.match_indices(&arm).any(|(at, _)| {
                    arms.get(at + arm.len()..)
                        .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
                });
                assert!(named, "`{arm}` has no arm: decide its code");
            }
        }
    }

    #[test]
    fn a_variant_is_found() {
        let source = "pub enum Error {\n    /// A.\n    #[error(\"a\")]\n    One {\n        \
                      /// B.\n        field: u8,\n    },\n    Two,\n}\n";
        assert_eq!(variants(source), ["One", "Two"]);
    }
}
