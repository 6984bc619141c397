//! The payment list: who is paid what from which month to which.
//!
//! Invariant: a line carries a code that only the platform's keys make; an amount that was changed
//! from outside is an error, not a payment.

use rusqlite::{Row, Transaction, params};

use super::{Sql, Store, month};
use crate::case::CaseFile;
use crate::error::{Error, Result};
use crate::rights::within;
use crate::secret::Vault;

/// A line of the payment list.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Payment {
    /// Its number.
    pub seq: u64,
    /// The application that it came from.
    pub case: String,
    /// The region of that case.
    pub region: String,
    /// The blind index of the person whose case it is.
    pub owner: Option<String>,
    /// Kind of aid, a code of the registry.
    pub aid: String,
    /// Fen a month, or once.
    pub amount: i64,
    /// Whether it is paid once.
    pub once: bool,
    /// The first month, `YYYY-MM`; the only one when it is paid once.
    pub first_month: String,
    /// The last month, once it has ended.
    pub last_month: Option<String>,
}

/// What a line is made of.
pub(super) struct Line<'a> {
    pub(super) from: &'a str,
    pub(super) aid: &'a str,
    pub(super) amount: i64,
    pub(super) once: bool,
}

impl Payment {
    fn code(&self, vault: &Vault) -> Result<String> {
        vault.integrity(
            "payment",
            &[
                &self.seq.to_string(),
                &self.case,
                &self.region,
                self.owner.as_deref().unwrap_or_default(),
                &self.aid,
                &self.amount.to_string(),
                if self.once { "once" } else { "monthly" },
                &self.first_month,
                self.last_month.as_deref().unwrap_or_default(),
            ],
        )
    }
}

fn row_of(row: &Row<'_>) -> rusqlite::Result<(Payment, String)> {
    let payment = Payment {
        seq: row.get(0)?,
        case: row.get(1)?,
        region: row.get(2)?,
        owner: row.get(3)?,
        aid: row.get(4)?,
        amount: row.get(5)?,
        once: row.get(6)?,
        first_month: row.get(7)?,
        last_month: row.get(8)?,
    };
    Ok((payment, row.get(9)?))
}

const COLUMNS: &str =
    "seq, case_id, region, owner, aid, amount, once, first_month, last_month, code";

fn select(
    transaction: &Transaction<'_>,
    vault: &Vault,
    clause: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Result<Vec<Payment>> {
    let sql = format!("SELECT {COLUMNS} FROM payment WHERE {clause} ORDER BY seq");
    let mut statement = transaction.prepare_cached(&sql).doing("prepare the payment list")?;
    let rows = statement.query_map(values, row_of).doing("read the payment list")?;
    let mut found = Vec::new();
    for row in rows {
        let (payment, code) = row.doing("read a payment")?;
        if payment.code(vault)? != code {
            let row = payment.seq.to_string();
            let what = "its integrity code is another";
            return Err(Error::Tampered { table: "payment", row, what });
        }
        found.push(payment);
    }
    Ok(found)
}

pub(super) fn add(
    transaction: &Transaction<'_>,
    vault: &Vault,
    case: &CaseFile,
    line: &Line<'_>,
) -> Result<()> {
    let wrong = Error::Input { name: "from", reason: "is a month such as 2026-01" };
    let first_month = month(line.from).ok_or(wrong)?;
    if line.amount < 0 {
        return Err(Error::Input { name: "amount", reason: "is not negative" });
    }
    let values =
        params![case.id, case.region, case.owner, line.aid, line.amount, line.once, first_month];
    transaction
        .prepare_cached(
            "INSERT INTO payment (case_id, region, owner, aid, amount, once, first_month, code)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, '')",
        )
        .and_then(|mut statement| statement.execute(values))
        .doing("add to the payment list")?;
    let seq = u64::try_from(transaction.last_insert_rowid()).unwrap_or_default();
    let payment = Payment {
        seq,
        case: case.id.clone(),
        region: case.region.clone(),
        owner: case.owner.clone(),
        aid: line.aid.to_owned(),
        amount: line.amount,
        once: line.once,
        first_month,
        last_month: None,
    };
    sign(transaction, vault, &payment)
}

fn sign(transaction: &Transaction<'_>, vault: &Vault, payment: &Payment) -> Result<()> {
    let code = payment.code(vault)?;
    transaction
        .prepare_cached("UPDATE payment SET last_month = ?2, code = ?3 WHERE seq = ?1")
        .and_then(|mut statement| statement.execute(params![payment.seq, payment.last_month, code]))
        .doing("write a payment")?;
    Ok(())
}

/// Ends the lines of a case that have not ended, with the last month that is paid.
pub(super) fn stop(
    transaction: &Transaction<'_>,
    vault: &Vault,
    case: &CaseFile,
    last: &str,
) -> Result<()> {
    let wrong = Error::Input { name: "last", reason: "is a month such as 2026-01" };
    let last = month(last).ok_or(wrong)?;
    let clause = "case_id = ?1 AND last_month IS NULL AND once = 0";
    for mut payment in select(transaction, vault, clause, params![case.id])? {
        payment.last_month = Some(last.clone());
        sign(transaction, vault, &payment)?;
    }
    Ok(())
}

impl Store {
    /// What is paid in a month, `YYYY-MM`, within a scope.
    ///
    /// # Errors
    /// When the month is not one, or a line was changed from outside.
    pub fn payments(&self, in_month: &str, scope: &str) -> Result<Vec<Payment>> {
        let wrong = Error::Input { name: "month", reason: "is a month such as 2026-01" };
        let in_month = month(in_month).ok_or(wrong)?;
        if !within(scope, scope) {
            return Ok(Vec::new());
        }
        let past = format!("{scope}:");
        let clause = "region >= ?1 AND region < ?2 AND first_month <= ?3
             AND (once = 0 OR first_month = ?3) AND (last_month IS NULL OR last_month >= ?3)";
        self.read(|transaction| {
            select(transaction, self.vault(), clause, params![scope, past, in_month])
        })
    }

    /// All lines of a case.
    ///
    /// # Errors
    /// When a line was changed from outside.
    pub fn payments_of(&self, case: &str) -> Result<Vec<Payment>> {
        self.read(|transaction| select(transaction, self.vault(), "case_id = ?1", params![case]))
    }
}
