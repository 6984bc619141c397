//! Draws expressions at random: which columns are in reach, and what may be asked of them.

use yiku::schema::{ColumnSchema, Kind};
use yiku::{PathTree, Schema, calendar};
use yiku_tests::Random;

use crate::both::{Both, COMPARE, SUM};

/// Where a drawn expression gets its names and numbers.
pub(crate) struct Draw<'a> {
    pub(crate) random: &'a mut Random,
    pub(crate) schema: &'a Schema,
    pub(crate) tree: &'a PathTree,
    /// The day of the question.
    pub(crate) as_of: i64,
}

/// A column in reach, with both names.
pub(crate) struct Reached {
    pub(crate) both: Both,
    pub(crate) kind: Kind,
    pub(crate) list: usize,
}

pub(crate) const SIGNS: [&str; 6] = ["=", "!=", "<", "<=", ">", ">="];

/// A day in SQL.
pub(crate) fn sql_day(day: i64) -> String {
    format!("DATE '{}'", calendar::date_text(day))
}

pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Draw<'_> {
    /// The table and those above it.
    pub(crate) fn line(&self, table: usize) -> Vec<usize> {
        let parent = |table: &usize| self.schema.tables[*table].parent;
        std::iter::successors(Some(table), parent).collect()
    }

    /// The tables beneath, of any depth.
    pub(crate) fn beneath(&self, table: usize) -> Vec<usize> {
        let tables = 0..self.schema.tables.len();
        tables.filter(|t| *t != table && self.line(*t).contains(&table)).collect()
    }

    /// The path by its full name.
    pub(crate) fn path(&self) -> String {
        format!("{}.{}", self.table_name(0), self.schema.path.name)
    }

    pub(crate) fn table_name(&self, table: usize) -> &str {
        &self.schema.tables[table].name
    }

    fn reached(&self, home: usize, column: &ColumnSchema, bare: bool) -> Reached {
        let table = self.table_name(home);
        let sql = format!("{table}.\"{}\"", column.name);
        let text = if bare { column.name.clone() } else { format!("{table}.{}", column.name) };
        let list = column.list.unwrap_or(0);
        let both = Both::primary(text, sql);
        Reached { both, kind: column.kind, list }
    }

    /// A column of the table, or now and then of one above, of one of these kinds.
    pub(crate) fn column(&mut self, table: usize, kinds: &[Kind]) -> Option<Reached> {
        let mut line = self.line(table);
        if self.random.chance(65) {
            line.truncate(1);
        }
        let home = *self.random.pick(&line);
        let columns = self.schema.tables[home].columns.iter();
        let fit: Vec<&ColumnSchema> = columns.filter(|c| kinds.contains(&c.kind)).collect();
        if fit.is_empty() {
            return None;
        }
        let column = *self.random.pick(&fit);
        let path = column.kind == Kind::Path;
        let bare = (home == table || path) && self.random.chance(85);
        Some(self.reached(home, column, bare))
    }

    /// A column of exactly this table.
    pub(crate) fn own(&self, table: usize, name: &str) -> Option<Reached> {
        let column = self.schema.tables[table].columns.iter().find(|c| c.name == name)?;
        Some(self.reached(table, column, true))
    }

    /// A code of a list: how the language may write it, and its name.
    pub(crate) fn code(&mut self, list: usize) -> Both {
        let codes = &self.schema.lists[list].codes;
        // Of two the first, as the rows have them.
        let place = self.random.below(codes.len()).min(self.random.below(codes.len()));
        let code = &codes[place];
        let sql = quoted(&code.name);
        let digits = code.code.bytes().all(|b| b.is_ascii_digit());
        let plain =
            code.name.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'0'..=b'9'));
        match self.random.below(10) {
            _ if !plain => Both::primary(quoted(&code.name), sql),
            0 => Both::primary(quoted(&code.code), sql),
            1 if digits => Both::primary(code.code.clone(), sql),
            2 => Both::primary(quoted(&code.name), sql),
            _ => Both::primary(code.name.clone(), sql),
        }
    }

    /// Some codes of a list, without brackets.
    pub(crate) fn codes(&mut self, list: usize) -> (String, Vec<String>) {
        let count = 1 + self.random.below(3);
        let codes: Vec<Both> = (0..count).map(|_| self.code(list)).collect();
        let texts: Vec<String> = codes.iter().map(|code| code.text.clone()).collect();
        (texts.join(", "), codes.into_iter().map(|code| code.sql).collect())
    }

    /// A day near the question's: a literal, `as_of`, or some time from it.
    pub(crate) fn day(&mut self) -> Both {
        let count = self.random.between(1, 40);
        let minus = self.random.chance(75);
        let sign = if minus { '-' } else { '+' };
        let as_of = sql_day(self.as_of);
        let later = |unit: &str, word: &str| {
            let s = if count == 1 { "" } else { "s" };
            let text = format!("as_of {sign} {count} {word}{s}");
            Both::new(SUM, text, format!("({as_of} {sign} INTERVAL {count} {unit})::DATE"))
        };
        match self.random.below(8) {
            0 => Both::primary("as_of", as_of),
            1 => later("MONTH", "month"),
            2 => later("YEAR", "year"),
            3 => later("DAY", "day"),
            _ => {
                let width = if self.random.chance(50) { 900 } else { 30_000 };
                let day = self.as_of - self.random.between(-50, width);
                Both::primary(calendar::date_text(day), sql_day(day))
            }
        }
    }

    /// A month near the question's.
    pub(crate) fn month(&mut self) -> Both {
        let month = calendar::month_of(self.as_of) - self.random.between(-2, 32);
        let text = calendar::month_text(month);
        Both::primary(text.clone(), quoted(&text))
    }

    pub(crate) fn sign(&mut self) -> &'static str {
        SIGNS[self.random.below(SIGNS.len())]
    }

    /// The rows of `child` beneath the current row of `table`, as the FROM and WHERE of SQL.
    pub(crate) fn sql_beneath(&self, table: usize, child: usize) -> String {
        let mut sql = format!("FROM {}", self.table_name(child));
        let mut at = child;
        loop {
            let parent = self.schema.tables[at].parent.unwrap();
            let (own, above) = (self.table_name(at), self.table_name(parent));
            if parent == table {
                return format!("{sql} WHERE {own}._parent = {above}._row");
            }
            sql = format!("{sql} JOIN {above} ON {own}._parent = {above}._row");
            at = parent;
        }
    }

    /// The rows of a table with the rows above each, as the FROM of SQL.
    pub(crate) fn sql_from(&self, table: usize) -> String {
        let mut sql = format!("FROM {}", self.table_name(table));
        for pair in self.line(table).windows(2) {
            let (own, above) = (self.table_name(pair[0]), self.table_name(pair[1]));
            sql = format!("{sql} JOIN {above} ON {own}._parent = {above}._row");
        }
        sql
    }

    /// `x between a and b` of anything that has an order.
    pub(crate) fn between(value: &Both, low: &Both, high: &Both) -> Both {
        let text = format!("{} between {} and {}", value.at(SUM), low.at(SUM), high.at(SUM));
        Both::new(COMPARE, text, format!("{} BETWEEN {} AND {}", value.sql, low.sql, high.sql))
    }
}
