//! The schema: which tables there are, what hangs beneath what, what a column holds.
//!
//! Invariants: `tables[0]` is the root and the only table without a parent; a parent stands
//! before its children; the root has exactly one column of kind `path`, no other table has one;
//! every table has a key column of kind `id`; names are unique where they are looked up.

mod text;

use crate::error::{Error, Result};
use crate::limits::{
    COLUMNS_MAX, LEVELS_MAX, LIST_CODES_MAX, PATH_DIGITS_MAX, SET_CODES_MAX, TABLES_MAX,
};
pub use crate::path::PathNode;

/// What a database holds, declared once when it is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// The hierarchy that orders the root table.
    pub path: PathSchema,
    /// The code lists that columns refer to.
    pub lists: Vec<CodeList>,
    /// The tables, the root first, parents before children.
    pub tables: Vec<TableSchema>,
}

/// The hierarchy of the path column: codes of decimal digits in which each level is a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathSchema {
    /// The name of the path column.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// The levels from the top; each has more digits than the one before.
    pub levels: Vec<Level>,
}

/// One level of the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// How many leading digits of the code name a place of this level.
    pub digits: u8,
}

/// A named list of codes. A value is stored as its place in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeList {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// Its codes; the order is the order of answers.
    pub codes: Vec<Code>,
}

/// One value of a code list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The code as files and standards write it.
    pub code: String,
    /// The name by which a query says it.
    pub name: String,
    /// What people call it.
    pub label: String,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSchema {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// The table whose rows own the rows of this one; none for the root.
    pub parent: Option<usize>,
    /// The column, of kind `id`, that is unique in the table.
    pub key: usize,
    /// The columns.
    pub columns: Vec<ColumnSchema>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSchema {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// What it holds.
    pub kind: Kind,
    /// The code list of a `code` or `codes` column.
    pub list: Option<usize>,
    /// Whether conditions are to be answered from bitmaps; not for texts, keys and paths.
    pub index: bool,
    /// Whether the value may be shown only to those who have the right.
    pub personal: bool,
    /// The unit in which people read it.
    pub unit: Option<String>,
}

/// What a column holds. Everything but text is one `i64`; see the field's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Yes, no or unknown: 1, 0.
    Flag,
    /// One value of a code list: its place in the list, from 0.
    Code,
    /// A set of values of a code list: bit n is the n-th value.
    Codes,
    /// An integer.
    Int,
    /// An amount of money in its smallest unit.
    Money,
    /// A day: days since 1970-01-01.
    Date,
    /// A month: twelve times the year plus the month from 0.
    Month,
    /// UTF-8 text.
    Text,
    /// UTF-8 text that is unique in its table.
    Id,
    /// A code of the path tree, padded with zeros to its full width, as a number.
    Path,
}

impl Kind {
    /// The word for the kind in a schema text.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Code => "code",
            Self::Codes => "codes",
            Self::Int => "int",
            Self::Money => "money",
            Self::Date => "date",
            Self::Month => "month",
            Self::Text => "text",
            Self::Id => "id",
            Self::Path => "path",
        }
    }

    /// Every kind, in the order of the format.
    pub const ALL: [Self; 10] = [
        Self::Flag,
        Self::Code,
        Self::Codes,
        Self::Int,
        Self::Money,
        Self::Date,
        Self::Month,
        Self::Text,
        Self::Id,
        Self::Path,
    ];

    /// Whether the values are texts rather than integers.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Id)
    }
}

impl CodeList {
    /// The place in the list of a value that is written by its name or by its code.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<u16> {
        let by_name = self.codes.iter().position(|c| c.name == text);
        let place = by_name.or_else(|| self.codes.iter().position(|c| c.code == text))?;
        u16::try_from(place).ok()
    }
}

impl TableSchema {
    /// The column of that name.
    #[must_use]
    pub fn column_index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }
}

impl PathSchema {
    /// The digits of a code at its lowest level.
    #[must_use]
    pub fn digits(&self) -> u8 {
        self.levels.last().map_or(0, |l| l.digits)
    }
}

impl Schema {
    /// The table of that name.
    #[must_use]
    pub fn table_index(&self, name: &str) -> Option<usize> {
        self.tables.iter().position(|t| t.name == name)
    }

    /// The path column of the root table.
    #[must_use]
    pub fn path_column(&self) -> usize {
        let root = self.tables.first();
        root.and_then(|t| t.columns.iter().position(|c| c.kind == Kind::Path)).unwrap_or(0)
    }

    /// The tables directly beneath `table`.
    #[must_use]
    pub fn children(&self, table: usize) -> Vec<usize> {
        let found = self.tables.iter().enumerate().filter(|(_, t)| t.parent == Some(table));
        found.map(|(index, _)| index).collect()
    }

    /// Checks what the type cannot say.
    ///
    /// # Errors
    /// [`Error::Schema`] or [`Error::Limit`], naming the first thing that is wrong.
    pub fn check(&self) -> Result<()> {
        self.check_path()?;
        let lists = self.lists.iter().map(|l| l.name.as_str());
        unique("list", lists)?;
        for list in &self.lists {
            limit("codes of a list", list.codes.len(), LIST_CODES_MAX)?;
            unique("code of a list", list.codes.iter().map(|c| c.code.as_str()))?;
            unique("code name of a list", list.codes.iter().map(|c| c.name.as_str()))?;
        }
        limit("tables", self.tables.len(), TABLES_MAX)?;
        unique("table", self.tables.iter().map(|t| t.name.as_str()))?;
        if self.tables.is_empty() {
            return Err(wrong("schema", &self.name, "it needs at least one table"));
        }
        self.tables.iter().enumerate().try_for_each(|(place, table)| self.check_table(place, table))
    }

    fn check_path(&self) -> Result<()> {
        let path = &self.path;
        limit("levels of the path", path.levels.len(), LEVELS_MAX)?;
        unique("level", path.levels.iter().map(|l| l.name.as_str()))?;
        if path.levels.is_empty() {
            return Err(wrong("path", &path.name, "it needs at least one level"));
        }
        let mut digits = 0;
        for level in &path.levels {
            if level.digits <= digits {
                return Err(wrong("level", &level.name, "each level has more digits"));
            }
            digits = level.digits;
        }
        limit("digits of a path code", usize::from(digits), usize::from(PATH_DIGITS_MAX))
    }

    fn check_table(&self, place: usize, table: &TableSchema) -> Result<()> {
        let say = |reason| Err(wrong("table", &table.name, reason));
        name_rule("table", &table.name)?;
        limit("columns of a table", table.columns.len(), COLUMNS_MAX)?;
        unique("column", table.columns.iter().map(|c| c.name.as_str()))?;
        match table.parent {
            None if place != 0 => return say("only the first table has no parent"),
            Some(_) if place == 0 => return say("the first table is the root: it has no parent"),
            Some(parent) if parent >= place => return say("a parent stands before its children"),
            _ => {}
        }
        if table.columns.get(table.key).is_none_or(|c| c.kind != Kind::Id) {
            return say("its key must be a column of kind `id`");
        }
        let paths = table.columns.iter().filter(|c| c.kind == Kind::Path).count();
        if paths != usize::from(place == 0) {
            return say("the first table has one path column, the others have none");
        }
        let named = |c: &ColumnSchema| c.kind != Kind::Path || c.name == self.path.name;
        if !table.columns.iter().all(named) {
            return say("its path column is named as the path");
        }
        table.columns.iter().try_for_each(|column| self.check_column(column))
    }

    fn check_column(&self, column: &ColumnSchema) -> Result<()> {
        let say = |reason| Err(wrong("column", &column.name, reason));
        name_rule("column", &column.name)?;
        let coded = matches!(column.kind, Kind::Code | Kind::Codes);
        let list = column.list.and_then(|l| self.lists.get(l));
        match list {
            None if coded => return say("a code column names its list"),
            Some(_) if !coded => return say("only code columns have a list"),
            Some(list) if column.kind == Kind::Codes && list.codes.len() > SET_CODES_MAX => {
                return say("a set takes a list of at most 63 codes");
            }
            _ => {}
        }
        if column.index && (column.kind.is_text() || column.kind == Kind::Path) {
            return say("keys and paths have an index of their own, texts have none");
        }
        Ok(())
    }
}

fn wrong(what: &'static str, name: &str, reason: &'static str) -> Error {
    Error::Schema { what, name: name.to_owned(), reason }
}

fn limit(what: &'static str, found: usize, limit: usize) -> Result<()> {
    if found > limit {
        return Err(Error::Limit { what, found: found as u64, limit: limit as u64 });
    }
    Ok(())
}

/// A query must be able to say the name: a letter, then letters, digits and `_`.
fn name_rule(what: &'static str, name: &str) -> Result<()> {
    let mut letters = name.chars();
    let first = letters.next().is_some_and(|c| c.is_ascii_lowercase());
    if !first || !letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        return Err(wrong(what, name, "a name is a-z, then a-z, 0-9 and _"));
    }
    Ok(())
}

fn unique<'a>(what: &'static str, names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(wrong(what, name, "it stands twice"));
        }
    }
    Ok(())
}
