//! Names: columns of the table and of the tables above it, code values, levels of the path.

use yiku::Predicate;
use yiku::schema::{ColumnSchema, Kind};

use super::{Checker, Type, Typed, What};
use crate::ast::{Expr, ExprKind, Word};
use crate::bound::{Condition, Test, Value};
use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::numbers::Number;
use crate::source::Span;

/// Codes of a list that are told where none is near to what was written.
const CODES_TOLD: usize = 8;

/// The columns that make a row a spell: from a day, perhaps to a day.
const SPELL: (&str, &str) = ("start", "end");

impl Checker<'_> {
    pub(super) fn name(&self, words: &[Word], span: Span) -> Result<Typed> {
        match words {
            [only] => self.plain_name(only),
            [table, column] => self.qualified(table, column, span),
            [table, path, level] if path.text == self.schema.path.name => {
                match self.schema.table_index(&table.text) {
                    Some(0) => self.level(level, span),
                    Some(_) => {
                        let (path, level) = (&path.text, &level.text);
                        let what = format!("the path is of the root: write `{path}.{level}`");
                        Err(self.wrong(span, what))
                    }
                    None => Err(self.unknown_table(table)),
                }
            }
            _ => Err(self.wrong(span, "a name has at most a table, a column and a level")),
        }
    }

    fn plain_name(&self, word: &Word) -> Result<Typed> {
        let name = word.text.as_str();
        let table = self.schema.tables.get(self.table);
        if let Some(column) = table.and_then(|t| t.column_index(name)) {
            return Ok(self.column(self.table, column, word.span));
        }
        if name == self.schema.path.name {
            return Ok(self.column(0, self.schema.path_column(), word.span));
        }
        if name == "running" && self.spell().is_some() {
            let condition = self.running()?;
            return Ok(Typed {
                kind: Type::Flag,
                what: What::Condition(condition),
                span: word.span,
            });
        }
        Err(self.unknown_column(word, self.table))
    }

    /// `table.column` of this table or one above it, or `path.level`.
    fn qualified(&self, table: &Word, column: &Word, span: Span) -> Result<Typed> {
        if table.text == self.schema.path.name {
            return self.level(column, span);
        }
        let Some(found) = self.schema.table_index(&table.text) else {
            return Err(self.unknown_table(table));
        };
        if !self.is_above(found, self.table) {
            let here = self.table_name(self.table);
            let what = if self.is_above(self.table, found) {
                format!(
                    "`{0}` has many rows beneath one of {here}: use sum, avg, min, max, count, \
                     any, none or all",
                    table.text
                )
            } else {
                format!("`{}` is not above {here}", table.text)
            };
            return Err(self.wrong(span, what));
        }
        let index = self.schema.tables.get(found).and_then(|t| t.column_index(&column.text));
        match index {
            Some(index) => Ok(self.column(found, index, span)),
            None => Err(self.unknown_column(column, found)),
        }
    }

    fn level(&self, level: &Word, span: Span) -> Result<Typed> {
        if level.text == "next" {
            let what = format!("`{}.next` stands only in `by`", self.schema.path.name);
            return Err(self.wrong(span, what));
        }
        let levels = &self.schema.path.levels;
        match levels.iter().position(|l| l.name == level.text) {
            Some(place) => Ok(Typed { kind: Type::Level, what: What::Level(place), span }),
            None => {
                let names = levels.iter().map(|l| l.name.as_str()).chain(["next"]);
                Err(Error::UnknownLevel {
                    level: level.text.clone(),
                    path: self.schema.path.name.clone(),
                    suggestion: nearest(&level.text, names),
                    place: self.source.place(level.span),
                })
            }
        }
    }

    fn column_schema(&self, table: usize, column: usize) -> Option<&ColumnSchema> {
        self.schema.tables.get(table).and_then(|t| t.columns.get(column))
    }

    pub(super) fn column(&self, table: usize, column: usize, span: Span) -> Typed {
        let schema = self.column_schema(table, column);
        let list = schema.and_then(|c| c.list).unwrap_or(0);
        let value = || What::Value(Value::column(table, column));
        let raw = What::Column { table, column };
        let (kind, what) = match schema.map_or(Kind::Text, |c| c.kind) {
            Kind::Flag => {
                let predicate = Predicate::Range { min: 1, max: 1 };
                let kind = Test::Column { column, predicate };
                (Type::Flag, What::Condition(Condition { table, kind }))
            }
            Kind::Code => (Type::Code(list), value()),
            Kind::Int => (Type::Number(Number::INT), value()),
            Kind::Money => (Type::Number(Number::MONEY), value()),
            Kind::Date => (Type::Date, value()),
            Kind::Month => (Type::Month, value()),
            Kind::Codes => (Type::Codes(list), raw),
            Kind::Text | Kind::Id => (Type::Text, raw),
            Kind::Path => (Type::Path, raw),
        };
        Typed { kind, what, span }
    }

    fn spell(&self) -> Option<(usize, usize)> {
        let table = self.schema.tables.get(self.table)?;
        let (start, end) = (table.column_index(SPELL.0)?, table.column_index(SPELL.1)?);
        let is_date = |c: usize| table.columns.get(c).is_some_and(|c| c.kind == Kind::Date);
        (is_date(start) && is_date(end)).then_some((start, end))
    }

    /// `start <= as_of and (end is unknown or end >= as_of)`.
    fn running(&self) -> Result<Condition> {
        let day = self.need_as_of()?;
        let (start, end) = self.spell().unwrap_or_default();
        let table = self.table;
        let range = |column, min, max| {
            let predicate = Predicate::Range { min, max };
            Condition { table, kind: Test::Column { column, predicate } }
        };
        let open = Condition { table, kind: Test::ColumnKnown { column: end } }.not();
        Ok(Condition::all(vec![
            range(start, i64::MIN, day),
            Condition::any(vec![open, range(end, day, i64::MAX)]),
        ]))
    }

    fn unknown_column(&self, word: &Word, table: usize) -> Error {
        let columns = |t: usize| self.schema.tables.get(t).map_or(&[][..], |t| &t.columns);
        let has = |t: usize| columns(t).iter().any(|c| c.name == word.text);
        let others = (0..self.schema.tables.len()).filter(|t| *t != table && has(*t));
        let elsewhere: Vec<usize> = others.collect();
        let above = elsewhere.iter().find(|t| self.is_above(**t, self.table));
        let beneath = elsewhere.iter().find(|t| self.is_above(self.table, **t));
        let suggestion = if let Some(above) = above {
            Some(format!("{}.{}", self.table_name(*above), word.text))
        } else if let Some(beneath) = beneath {
            Some(format!("any({} where {} …)", self.table_name(*beneath), word.text))
        } else {
            self.meant(word, table)
        };
        Error::UnknownColumn {
            name: word.text.clone(),
            table: self.table_name(table).to_owned(),
            suggestion,
            place: self.source.place(word.span),
        }
    }

    /// What a name that is no column may have meant.
    fn meant(&self, word: &Word, table: usize) -> Option<String> {
        let name = word.text.as_str();
        let columns = self.schema.tables.get(table).map_or(&[][..], |t| &t.columns);
        if table == self.table
            && let Some(found) = self.schema.table_index(name).filter(|t| *t != table)
        {
            let above = self.is_above(found, table);
            let beneath = self.is_above(table, found);
            if above || beneath {
                let of =
                    if above { format!("{name}.COLUMN") } else { format!("any({name} where …)") };
                return Some(of);
            }
        }
        let code = |column: &&ColumnSchema| {
            let list = column.list.and_then(|list| self.schema.lists.get(list));
            list.is_some_and(|list| list.codes.iter().any(|code| code.name == name))
        };
        if let Some(column) = columns.iter().find(code) {
            let is = if column.kind == Kind::Codes { "has any" } else { "=" };
            return Some(format!("{} {is} {name}", column.name));
        }
        if super::FUNCTIONS.contains(&name) {
            return Some(format!("{name}(…)"));
        }
        if ["today", "now"].contains(&name) {
            return Some("as_of".to_owned());
        }
        // What people call a column may be written as well.
        if !name.is_ascii() {
            let called = columns.iter().find(|column| column.label.contains(name));
            return called.map(|column| column.name.clone());
        }
        let own = columns.iter().map(|c| c.name.as_str());
        let running = if self.spell().is_some() { Some("running") } else { None };
        let path = self.schema.path.name.as_str();
        let near = nearest(name, own.chain([path]).chain(running));
        let tables = self.schema.tables.iter().map(|t| t.name.as_str());
        near.or_else(|| nearest(name, tables))
    }

    /// No table of that name can be reached from here.
    pub(super) fn unknown_table(&self, word: &Word) -> Error {
        let names = self.schema.tables.iter().map(|t| t.name.as_str());
        Error::UnknownTable {
            name: word.text.clone(),
            reach: "in the schema".to_owned(),
            suggestion: nearest(&word.text, names.chain([self.schema.path.name.as_str()])),
            place: self.source.place(word.span),
        }
    }

    /// The text of an expression that may name a code: a bare name, a number, a quoted text.
    pub(super) fn code_text(expr: &Expr) -> Option<&str> {
        match &expr.kind {
            ExprKind::Name(words) => match words.as_slice() {
                [only] => Some(&only.text),
                _ => None,
            },
            ExprKind::Number(text) | ExprKind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The place in a code list that an expression names, if it names one.
    pub(super) fn find_code(&self, expr: &Expr, list: usize) -> Option<u16> {
        let list = self.schema.lists.get(list)?;
        let text = Self::code_text(expr)?;
        let bare = matches!(expr.kind, ExprKind::Name(_));
        let named = list.codes.iter().position(|c| c.name == text);
        let place = named.or_else(|| {
            let coded = list.codes.iter().position(|c| c.code == text);
            coded.filter(|_| !bare)
        })?;
        u16::try_from(place).ok()
    }

    /// A code value that must be one of the list.
    pub(super) fn code(&self, expr: &Expr, list: usize) -> Result<u16> {
        self.find_code(expr, list).ok_or_else(|| self.unknown_code(expr, list))
    }

    pub(super) fn unknown_code(&self, expr: &Expr, list: usize) -> Error {
        let found = self.schema.lists.get(list);
        let codes = found.map_or(&[][..], |l| &l.codes);
        let text = Self::code_text(expr).unwrap_or("");
        let bare = codes.iter().find(|c| c.code == text).map(|c| c.name.clone());
        let names = codes.iter().flat_map(|c| [c.name.as_str(), c.code.as_str()]);
        // What people call a code may be written as well.
        let called = || {
            let called = codes.iter().find(|c| !text.is_ascii() && c.label.contains(text));
            called.map(|code| code.name.clone())
        };
        if text.is_empty() {
            let list = found.map_or("", |l| l.name.as_str());
            return self.wrong(expr.span, format!("expected a code of the list {list}"));
        }
        let digits = |code: &str| code.trim_start_matches('0').to_owned();
        let padded = || {
            let same = codes.iter().find(|c| !text.is_empty() && digits(&c.code) == digits(text));
            same.map(|code| code.name.clone())
        };
        let suggestion = bare.or_else(padded).or_else(called).or_else(|| nearest(text, names));
        let mut list = found.map_or_else(String::new, |l| l.name.clone());
        if suggestion.is_none() && codes.len() <= CODES_TOLD {
            let all: Vec<&str> = codes.iter().map(|code| code.name.as_str()).collect();
            list += &format!(", which has {}", all.join(", "));
        }
        let place = self.source.place(expr.span);
        Error::UnknownCode { value: text.to_owned(), list, suggestion, place }
    }

    /// A value of a code list: one of its codes, or an expression of that list.
    pub(super) fn code_value(&self, expr: &Expr, list: usize) -> Result<Value> {
        if let Some(place) = self.find_code(expr, list) {
            return Ok(Value::constant(i64::from(place)));
        }
        let typed = match self.check(expr) {
            Err(Error::UnknownColumn { .. }) if Self::code_text(expr).is_some() => {
                return Err(self.unknown_code(expr, list));
            }
            other => other?,
        };
        match (typed.kind, typed.what) {
            (Type::Code(of), What::Value(value)) if of == list => Ok(value),
            _ => Err(self.unknown_code(expr, list)),
        }
    }
}
