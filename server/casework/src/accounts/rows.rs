//! Accounts in rows: role and scope carry a code that only the platform's keys make.

use jiff::civil::DateTime;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use super::{Account, State};
use crate::error::{Error, Result};
use crate::secret::Vault;
use crate::store::{Sql, moment, role_of, role_word, stamp};

/// What is sealed of an account.
#[derive(Serialize, Deserialize)]
struct Kept {
    login: String,
    name: String,
    #[serde(default)]
    number: Option<String>,
}

/// A row as it stands.
struct Found {
    id: String,
    login: String,
    role: Option<String>,
    scope: String,
    department: Option<String>,
    person: Option<String>,
    state: String,
    must_change: bool,
    created_at: String,
    created_by: String,
    seen_at: Option<String>,
    code: String,
    key: u32,
    sealed: Vec<u8>,
}

const COLUMNS: &str = "id, login, role, scope, department, person, state, must_change, created_at, \
     created_by, seen_at, code, key, sealed";

fn found(row: &Row<'_>) -> rusqlite::Result<Found> {
    Ok(Found {
        id: row.get(0)?,
        login: row.get(1)?,
        role: row.get(2)?,
        scope: row.get(3)?,
        department: row.get(4)?,
        person: row.get(5)?,
        state: row.get(6)?,
        must_change: row.get(7)?,
        created_at: row.get(8)?,
        created_by: row.get(9)?,
        seen_at: row.get(10)?,
        code: row.get(11)?,
        key: row.get(12)?,
        sealed: row.get(13)?,
    })
}

impl Found {
    fn parts(&self) -> [&str; 10] {
        [
            &self.id,
            &self.login,
            self.role.as_deref().unwrap_or_default(),
            &self.scope,
            self.department.as_deref().unwrap_or_default(),
            self.person.as_deref().unwrap_or_default(),
            &self.state,
            if self.must_change { "must change" } else { "" },
            &self.created_at,
            &self.created_by,
        ]
    }

    fn account(self, vault: &Vault) -> Result<Account> {
        vault.verify("account", &self.id, &self.parts(), &self.code)?;
        let plain = vault.open("account", &self.id, self.key, &self.sealed)?;
        let corrupt = |what| Error::Corrupt { table: "account", row: self.id.clone(), what };
        let kept: Kept = serde_json::from_slice(&plain).map_err(|_| corrupt("is no account"))?;
        let role = match &self.role {
            Some(word) => Some(role_of(word).ok_or_else(|| corrupt("its role is none"))?),
            None => None,
        };
        let seen_at = self.seen_at.as_deref().map(|at| moment("account", &self.id, at));
        Ok(Account {
            created_at: moment("account", &self.id, &self.created_at)?,
            seen_at: seen_at.transpose()?,
            state: State::of(&self.state).ok_or_else(|| corrupt("its state is none"))?,
            login: kept.login,
            name: kept.name,
            number: kept.number,
            role,
            id: self.id,
            scope: self.scope,
            department: self.department,
            person: self.person,
            must_change: self.must_change,
            created_by: self.created_by,
        })
    }
}

fn one(
    transaction: &Transaction<'_>,
    vault: &Vault,
    clause: &str,
    value: &str,
) -> Result<Option<Account>> {
    let sql = format!("SELECT {COLUMNS} FROM account WHERE {clause} = ?1");
    let row = transaction
        .prepare_cached(&sql)
        .and_then(|mut statement| statement.query_row(params![value], found).optional())
        .doing("read an account")?;
    row.map(|row| row.account(vault)).transpose()
}

pub(super) fn load(transaction: &Transaction<'_>, vault: &Vault, id: &str) -> Result<Account> {
    one(transaction, vault, "id", id)?
        .ok_or_else(|| Error::Unknown { what: "account", id: id.chars().take(40).collect() })
}

pub(super) fn by_login(
    transaction: &Transaction<'_>,
    vault: &Vault,
    login: &str,
) -> Result<Option<Account>> {
    one(transaction, vault, "login", login)
}

pub(super) fn by_person(
    transaction: &Transaction<'_>,
    vault: &Vault,
    person: &str,
) -> Result<Option<Account>> {
    one(transaction, vault, "person", person)
}

pub(super) fn after(
    transaction: &Transaction<'_>,
    vault: &Vault,
    id: &str,
    limit: usize,
) -> Result<Vec<Account>> {
    let sql = format!("SELECT {COLUMNS} FROM account WHERE id > ?1 ORDER BY id LIMIT ?2");
    let mut statement = transaction.prepare_cached(&sql).doing("prepare the accounts")?;
    let rows = statement.query_map(params![id, limit as u64], found).doing("read the accounts")?;
    rows.map(|row| row.doing("read an account")?.account(vault)).collect()
}

/// Writes an account, new or changed. `login` is the blind index of its login name.
pub(super) fn save(
    transaction: &Transaction<'_>,
    vault: &Vault,
    account: &Account,
    login: &str,
) -> Result<()> {
    let (login_name, name) = (account.login.clone(), account.name.clone());
    let kept = Kept { login: login_name, name, number: account.number.clone() };
    let plain = serde_json::json!(kept).to_string();
    let sealed = vault.seal("account", &account.id, plain.as_bytes())?;
    let mut row = Found {
        id: account.id.clone(),
        login: login.to_owned(),
        role: account.role.map(|role| role_word(role).to_owned()),
        scope: account.scope.clone(),
        department: account.department.clone(),
        person: account.person.clone(),
        state: account.state.word().to_owned(),
        must_change: account.must_change,
        created_at: stamp(account.created_at),
        created_by: account.created_by.clone(),
        seen_at: account.seen_at.map(stamp),
        code: String::new(),
        key: sealed.key,
        sealed: sealed.bytes,
    };
    row.code = vault.integrity("account", &row.parts())?;
    let values = params![
        row.id,
        row.login,
        row.role,
        row.scope,
        row.department,
        row.person,
        row.state,
        row.must_change,
        row.created_at,
        row.created_by,
        row.seen_at,
        row.code,
        row.key,
        row.sealed,
    ];
    let sql = format!(
        "INSERT INTO account ({COLUMNS})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT (id) DO UPDATE SET role = excluded.role, scope = excluded.scope,
             department = excluded.department, person = excluded.person, state = excluded.state,
             must_change = excluded.must_change, seen_at = excluded.seen_at,
             code = excluded.code, key = excluded.key, sealed = excluded.sealed"
    );
    transaction
        .prepare_cached(&sql)
        .and_then(|mut statement| statement.execute(values))
        .doing("write an account")?;
    Ok(())
}

/// Remembers that an account was used. Its code does not cover that.
pub(super) fn seen(transaction: &Transaction<'_>, id: &str, now: DateTime) -> Result<()> {
    transaction
        .prepare_cached("UPDATE account SET seen_at = ?2 WHERE id = ?1")
        .and_then(|mut statement| statement.execute(params![id, stamp(now)]))
        .doing("remember a sign-in")?;
    Ok(())
}
