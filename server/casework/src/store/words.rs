//! How kinds, roles, times and faults are written in the file.

use jiff::civil::{Date, DateTime};

use crate::case::{Actor, Kind, Role};
use crate::error::{Error, Result};

const KINDS: [(Kind, &str, char); 8] = [
    (Kind::Declaration, "declaration", 'D'),
    (Kind::Change, "change", 'C'),
    (Kind::Report, "report", 'R'),
    (Kind::Application, "application", 'A'),
    (Kind::Authorisation, "authorisation", 'S'),
    (Kind::Warning, "warning", 'W'),
    (Kind::Survey, "survey", 'V'),
    (Kind::LifeCheck, "life_check", 'L'),
];

const ROLES: [(Role, &str); 11] = [
    (Role::Citizen, "citizen"),
    (Role::Village, "village"),
    (Role::Township, "township"),
    (Role::County, "county"),
    (Role::City, "city"),
    (Role::Province, "province"),
    (Role::Department, "department"),
    (Role::SystemAdmin, "system_admin"),
    (Role::SecurityAdmin, "security_admin"),
    (Role::AuditAdmin, "audit_admin"),
    (Role::System, "system"),
];

/// The word of a kind: `life_check`.
pub fn kind_word(kind: Kind) -> &'static str {
    KINDS.iter().find(|(its, ..)| *its == kind).map_or("", |(_, word, _)| word)
}

/// The kind of a word.
pub fn kind_of(word: &str) -> Option<Kind> {
    KINDS.iter().find(|(_, its, _)| *its == word).map(|(kind, ..)| *kind)
}

/// The letter that the numbers of a kind's cases begin with.
pub(super) fn letter(kind: Kind) -> char {
    KINDS.iter().find(|(its, ..)| *its == kind).map_or('X', |(.., letter)| *letter)
}

/// The word of a role: `system_admin`.
pub fn role_word(role: Role) -> &'static str {
    ROLES.iter().find(|(its, _)| *its == role).map_or("", |(_, word)| word)
}

/// The role of a word.
pub fn role_of(word: &str) -> Option<Role> {
    ROLES.iter().find(|(_, its)| *its == word).map(|(role, _)| *role)
}

/// The platform itself as an actor.
pub fn platform() -> Actor {
    Actor {
        account: "platform".to_owned(),
        name: "平台".to_owned(),
        role: Role::System,
        scope: String::new(),
        department: None,
        person: None,
    }
}

/// A time as it is written: always of one width, so that text compares as time does.
pub(crate) fn stamp(at: DateTime) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3f").to_string()
}

/// A time that was written.
pub(crate) fn moment(table: &'static str, row: &str, text: &str) -> Result<DateTime> {
    text.parse().map_err(|_| Error::Corrupt {
        table,
        row: row.to_owned(),
        what: "a time is not written as one",
    })
}

/// A day as it is written.
pub(crate) fn day(date: Date) -> String {
    date.strftime("%Y-%m-%d").to_string()
}

/// A month as it is written, or nothing when it is not of the form `2026-01`.
pub(crate) fn month(text: &str) -> Option<String> {
    let first: Date = format!("{text}-01").parse().ok()?;
    let written = first.strftime("%Y-%m").to_string();
    (written == text).then_some(written)
}

/// A time and some seconds more.
pub(crate) fn lasting(from: DateTime, seconds: i64) -> DateTime {
    from.saturating_add(jiff::SignedDuration::from_secs(seconds))
}

/// Says what was being done when SQLite failed.
pub(crate) trait Sql<T> {
    /// Gives the failure its action.
    fn doing(self, action: &'static str) -> Result<T>;
}

impl<T> Sql<T> for rusqlite::Result<T> {
    fn doing(self, action: &'static str) -> Result<T> {
        self.map_err(|source| Error::Sql { action, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_role_has_a_word_of_its_own_that_serde_writes_too() {
        for (kind, word, letter_of) in KINDS {
            assert_eq!(serde_json::json!(kind), word);
            assert_eq!((kind_of(word), letter(kind)), (Some(kind), letter_of));
        }
        for (role, word) in ROLES {
            assert_eq!(serde_json::json!(role), word);
            assert_eq!(role_of(word), Some(role));
        }
    }

    #[test]
    fn times_of_any_fraction_are_written_in_one_width() {
        for (text, written) in [
            ("2026-01-02T03:04:05", "2026-01-02T03:04:05.000"),
            ("2026-01-02T03:04:05.1234567", "2026-01-02T03:04:05.123"),
        ] {
            let at: DateTime = text.parse().unwrap_or_default();
            assert_eq!(stamp(at), written);
        }
        assert_eq!(month("2026-01").as_deref(), Some("2026-01"));
        assert_eq!((month("2026-13"), month("2026-1"), month("x")), (None, None, None));
    }
}
