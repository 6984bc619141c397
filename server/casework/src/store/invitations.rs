//! Invitations of family members who sign from afar: one use, seven days, for one person.
//!
//! Invariant: only the keyed digest of a code is kept; a wrong code, another person's code and one
//! that never was get the same answer.

use jiff::civil::DateTime;
use rusqlite::{OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};

use super::journal::{Entry, append};
use super::{Sql, Store, lasting, moment, stamp};
use crate::case::{Actor, Refusal};
use crate::error::{Error, Result};
use crate::secret::{code, is_id_number};

/// How long an invitation may be opened.
const DAYS: i64 = 7;

/// Letters that nobody takes for another when they are read aloud or written down.
const LETTERS: &str = "23456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Length of a code.
const LENGTH: usize = 8;

/// After so many wrong codes for a person, their invitations are over.
const FAILURES_MAX: u32 = 10;

/// An invitation as it is handed to who gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Invitation {
    /// The code, shown once.
    pub code: String,
    /// Until when it may be opened.
    pub until: DateTime,
}

/// What an opened invitation allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invited {
    /// The blind index of the invited person's ID number.
    pub person: String,
    /// Their name, as who invited them wrote it.
    pub name: String,
    /// Their ID number.
    pub id_number: String,
    /// The account that invited them.
    pub account: String,
    /// The case they are invited for.
    pub case: Option<String>,
}

/// What is sealed of an invitation.
#[derive(Serialize, Deserialize)]
struct Kept {
    name: String,
    id_number: String,
    case: Option<String>,
}

struct Found {
    account: String,
    until: String,
    failures: u32,
    used: bool,
    key: u32,
    sealed: Vec<u8>,
}

impl Store {
    /// Invites a person to sign.
    ///
    /// # Errors
    /// When the ID number is not one, or the name is blank.
    pub fn invite(
        &self,
        actor: &Actor,
        (name, id_number): (&str, &str),
        case: Option<&str>,
        now: DateTime,
        ip: &str,
    ) -> Result<Invitation> {
        if !is_id_number(id_number) {
            let reason = "must be an ID number of 18 places with its right check character";
            return Err(Error::Input { name: "id_number", reason });
        }
        if name.trim().is_empty() {
            return Err(Error::Input { name: "name", reason: "must be the person's name" });
        }
        let code = code(LETTERS, LENGTH)?;
        let until = lasting(now, DAYS * 86_400);
        let hashed = self.vault().index_of("invitation", &code)?;
        let kept = Kept {
            name: name.trim().to_owned(),
            id_number: crate::secret::normalise(id_number),
            case: case.map(str::to_owned),
        };
        let plain = serde_json::json!(kept).to_string();
        let sealed = self.vault().seal("invitation", &hashed, plain.as_bytes())?;
        let person = self.index(id_number)?;
        self.write(|transaction| {
            let values =
                params![hashed, person, actor.account, stamp(until), sealed.key, sealed.bytes];
            transaction
                .execute(
                    "INSERT INTO invitation (code, person, account, until, key, sealed)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    values,
                )
                .doing("write an invitation")?;
            let entry =
                Entry { action: "invitation.give", object: &person, ..Entry::by(actor, ip, now) };
            append(transaction, self.vault(), &entry)
        })?;
        Ok(Invitation { code, until })
    }

    /// Opens an invitation, which is used up by it.
    ///
    /// # Errors
    /// Refusals `invitation.wrong`, `invitation.used`, `invitation.expired`.
    pub fn open_invitation(
        &self,
        code: &str,
        id_number: &str,
        now: DateTime,
        ip: &str,
    ) -> Result<Invited> {
        let plain: String = code.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
        let hashed = self.vault().index_of("invitation", &plain.to_ascii_uppercase())?;
        let person = self.index(id_number)?;
        // A refusal is an answer of the transaction: the failure it counts must be kept.
        let answer = self.write(|transaction| {
            let answer = self.try_invitation(transaction, &hashed, &person, now)?;
            let result = answer.as_ref().map_or_else(|refusal| refusal.ground, |_| "done");
            let entry = Entry {
                role: "citizen",
                action: "invitation.open",
                object: &person,
                result,
                ..Entry::of_nobody(ip, now)
            };
            append(transaction, self.vault(), &entry)?;
            Ok(answer)
        })?;
        Ok(answer?)
    }

    fn try_invitation(
        &self,
        transaction: &Transaction<'_>,
        hashed: &str,
        person: &str,
        now: DateTime,
    ) -> Result<std::result::Result<Invited, Refusal>> {
        let found = transaction
            .query_row(
                "SELECT account, until, failures, used_at IS NOT NULL, key, sealed
                 FROM invitation WHERE code = ?1 AND person = ?2",
                params![hashed, person],
                |row| {
                    Ok(Found {
                        account: row.get(0)?,
                        until: row.get(1)?,
                        failures: row.get(2)?,
                        used: row.get(3)?,
                        key: row.get(4)?,
                        sealed: row.get(5)?,
                    })
                },
            )
            .optional()
            .doing("look for an invitation")?;
        let Some(found) = found else {
            transaction
                .execute(
                    "UPDATE invitation SET failures = failures + 1 WHERE person = ?1",
                    params![person],
                )
                .doing("count a wrong code")?;
            return Ok(Err(wrong()));
        };
        if found.used {
            return Ok(Err(used()));
        }
        if found.failures >= FAILURES_MAX || moment("invitation", "", &found.until)? < now {
            return Ok(Err(expired()));
        }
        let plain = self.vault().open("invitation", hashed, found.key, &found.sealed)?;
        let kept: Kept = serde_json::from_slice(&plain).map_err(|_| Error::Corrupt {
            table: "invitation",
            row: hashed.to_owned(),
            what: "is no invitation",
        })?;
        transaction
            .execute(
                "UPDATE invitation SET used_at = ?2 WHERE code = ?1",
                params![hashed, stamp(now)],
            )
            .doing("use an invitation")?;
        Ok(Ok(Invited {
            person: person.to_owned(),
            name: kept.name,
            id_number: kept.id_number,
            account: found.account,
            case: kept.case,
        }))
    }
}

fn wrong() -> Refusal {
    Refusal {
        ground: "invitation.wrong",
        zh: "邀请码与身份证号不相符。".to_owned(),
        en: "the invitation code and the ID number do not belong together".to_owned(),
        field: Some("code".to_owned()),
    }
}

fn used() -> Refusal {
    Refusal {
        ground: "invitation.used",
        zh: "该邀请码已经使用过，请让家人重新邀请。".to_owned(),
        en: "this invitation was used before; ask your family for a new one".to_owned(),
        field: Some("code".to_owned()),
    }
}

fn expired() -> Refusal {
    Refusal {
        ground: "invitation.expired",
        zh: "该邀请码已过期，请让家人重新邀请。".to_owned(),
        en: "this invitation has expired; ask your family for a new one".to_owned(),
        field: Some("code".to_owned()),
    }
}
