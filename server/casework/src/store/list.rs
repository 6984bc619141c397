//! Lists of cases: only what is within reach, in pages.

use jiff::civil::Date;
use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::cases::{COLUMNS, opened, shown};
use super::reach::Reach;
use super::words::kind_word;
use super::{Sql, Store, day, found};
use crate::case::{CaseFile, Kind};
use crate::error::{Error, Result};

/// The most cases of one page.
const PAGE_MAX: usize = 200;

/// Which cases are asked for: all conditions hold together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// What the asker may see at all.
    pub reach: Reach,
    /// The digits their regions begin with.
    pub region: Option<String>,
    /// Their kinds; any when empty.
    pub kinds: Vec<Kind>,
    /// Their states; any when empty.
    pub states: Vec<String>,
    /// Due before this day.
    pub overdue_on: Option<Date>,
    /// The level of a warning.
    pub level: Option<String>,
    /// The key of their household in the registry.
    pub household: Option<String>,
    /// The blind index of an ID number that occurs in them, as the owner's or any member's.
    pub person: Option<String>,
    /// The account that opened them.
    pub author: Option<String>,
    /// The beginning of a number, or a whole ID number, name or phone number.
    pub text: Option<String>,
    /// Where the page before ended.
    pub after: Option<String>,
    /// The most that are wanted, up to 200.
    pub limit: usize,
}

impl Filter {
    /// Everything within reach, 50 a page.
    pub fn of(reach: Reach) -> Self {
        Self {
            reach,
            region: None,
            kinds: Vec::new(),
            states: Vec::new(),
            overdue_on: None,
            level: None,
            household: None,
            person: None,
            author: None,
            text: None,
            after: None,
            limit: 50,
        }
    }
}

/// A page of cases, the last changed first.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The cases.
    pub cases: Vec<CaseFile>,
    /// What to give as `after` for the next page; nothing when this is the last.
    pub next: Option<String>,
}

/// A condition being put together.
struct Clause {
    sql: String,
    values: Vec<Value>,
}

impl Clause {
    fn and(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(" AND ");
        self.sql.push_str(sql);
        self.values.extend(values);
    }

    fn one_of(&mut self, column: &str, words: impl IntoIterator<Item = String>) {
        let words: Vec<Value> = words.into_iter().map(Value::Text).collect();
        if !words.is_empty() {
            let marks = vec!["?"; words.len()].join(", ");
            self.and(&format!("{column} IN ({marks})"), words);
        }
    }
}

impl Store {
    /// Cases of a filter, the last changed first.
    ///
    /// # Errors
    /// When `after` is not what a page gave, or a row was changed from outside.
    pub fn list(&self, filter: &Filter) -> Result<Page> {
        let clause = self.clause(filter)?;
        let limit = filter.limit.clamp(1, PAGE_MAX);
        let sql = format!(
            "SELECT {COLUMNS} FROM cases WHERE {} ORDER BY changed_at DESC, id DESC LIMIT {}",
            clause.sql,
            limit + 1
        );
        self.read(|transaction| {
            let mut statement = transaction.prepare_cached(&sql).doing("prepare the cases")?;
            let rows = statement
                .query_map(params_from_iter(clause.values), shown)
                .doing("read the cases")?;
            let mut cases = Vec::new();
            let mut last = None;
            for row in rows {
                let row = row.doing("read a case")?;
                if cases.len() == limit {
                    return Ok(Page { cases, next: last });
                }
                last = Some(format!("{} {}", row.changed_at, row.id));
                cases.push(opened(self.vault(), &row)?);
            }
            Ok(Page { cases, next: None })
        })
    }

    fn clause(&self, filter: &Filter) -> Result<Clause> {
        let (sql, values) = filter.reach.clause();
        let mut clause = Clause { sql: sql.to_owned(), values };
        clause.one_of("kind", filter.kinds.iter().map(|kind| kind_word(*kind).to_owned()));
        clause.one_of("state", filter.states.iter().cloned());
        clause.one_of("level", filter.level.clone());
        clause.one_of("author", filter.author.clone());
        if let Some(region) = &filter.region {
            let past = format!("{region}:");
            clause.and(
                "region >= ? AND region < ?",
                [Value::Text(region.clone()), Value::Text(past)],
            );
        }
        if let Some(today) = filter.overdue_on {
            clause.and("due_on < ?", [Value::Text(day(today))]);
        }
        let tagged = "EXISTS (SELECT 1 FROM found_by WHERE case_id = id AND tag = ?)";
        if let Some(key) = &filter.household {
            clause.and(tagged, [Value::Text(found::household(self.vault(), key)?)]);
        }
        if let Some(index) = &filter.person {
            clause.and(tagged, [Value::Text(found::person(index))]);
        }
        if let Some(text) = filter.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            let number = text.to_ascii_uppercase();
            let past = format!("{number}~");
            let mut values = vec![Value::Text(number), Value::Text(past)];
            values.extend(found::searched(self.vault(), text)?.map(Value::Text));
            clause.and(
                "((id >= ? AND id < ?) OR EXISTS (SELECT 1 FROM found_by WHERE case_id = id
                     AND tag IN (?, ?, ?)))",
                values,
            );
        }
        if let Some(after) = &filter.after {
            let wrong = Error::Input { name: "after", reason: "is what the page before gave" };
            let (at, id) = after.split_once(' ').ok_or(wrong)?;
            clause.and(
                "(changed_at, id) < (?, ?)",
                [Value::Text(at.to_owned()), Value::Text(id.to_owned())],
            );
        }
        Ok(clause)
    }
}
