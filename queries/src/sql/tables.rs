//! The tables that a piece of SQL reads: a table of the registry, the rows above each of its rows,
//! and what was asked beneath them.
//!
//! Invariant: nothing is asked row by row. What is asked of the rows beneath is first computed for
//! all rows above at once, in a table expression of its own (`_beneath_1`), and then joined.

use std::collections::BTreeSet;

use super::Printer;
use super::text::{NOT, Sql, identifier};
use crate::bound::{Condition, Fold, Function, Test, Value};
use crate::error::Result;

/// Where the names of an expression come from.
#[derive(Debug, Clone)]
pub(super) struct From {
    pub(super) table: usize,
    /// Tables above that are named.
    above: BTreeSet<usize>,
    /// What is asked beneath, by its place.
    beneath: BTreeSet<usize>,
}

impl From {
    pub(super) fn new(table: usize) -> Self {
        Self { table, above: BTreeSet::new(), beneath: BTreeSet::new() }
    }
}

/// What is asked of the rows beneath each row of a table.
#[derive(Debug)]
pub(super) struct Beneath {
    table: usize,
    child: usize,
    condition: Option<Condition>,
    argument: Option<Value>,
    /// The number of the row above, the argument, and what is read.
    of: String,
    over: String,
    tail: String,
    /// The functions, in the order of their columns.
    columns: Vec<(String, &'static str)>,
}

/// The column with the number of the row above.
const OF: &str = "_of";

impl Printer<'_> {
    /// A table of the registry by name.
    pub(super) fn table(&self, table: usize) -> String {
        let name = self.schema.tables.get(table).map_or("", |t| t.name.as_str());
        identifier(self.words, name)
    }

    /// A column of the table or of one above it.
    pub(super) fn column(&self, table: usize, column: usize, from: &mut From) -> Sql {
        let found = self.schema.tables.get(table).and_then(|t| t.columns.get(column));
        self.named(table, found.map_or("", |c| c.name.as_str()), from)
    }

    /// A column by its name.
    pub(super) fn named(&self, table: usize, column: &str, from: &mut From) -> Sql {
        if table != from.table {
            from.above.insert(table);
        }
        Sql::primary(format!("{}.{}", self.table(table), identifier(self.words, column)))
    }

    fn parent(&self, table: usize) -> Option<usize> {
        self.schema.tables.get(table)?.parent
    }

    /// The clause that reads the tables, and the filter, a condition a line.
    pub(super) fn tables(&self, from: &From, conditions: &[Sql]) -> String {
        let mut above = from.above.clone();
        above.extend(from.beneath.iter().filter_map(|b| Some(self.beneath.get(*b)?.table)));
        let mut text = format!("FROM {}", self.table(from.table));
        let mut at = from.table;
        while above.iter().any(|table| *table < at) {
            let Some(parent) = self.parent(at) else { break };
            let (own, name) = (self.table(at), self.table(parent));
            text.push_str(&format!("\nJOIN {name} ON {name}._row = {own}._parent"));
            at = parent;
        }
        for place in &from.beneath {
            let Some(beneath) = self.beneath.get(*place) else { continue };
            let (name, table) = (beneath_name(*place), self.table(beneath.table));
            text.push_str(&format!("\nLEFT JOIN {name} ON {name}.{OF} = {table}._row"));
        }
        for (place, condition) in conditions.iter().enumerate() {
            let word = if place == 0 { "WHERE" } else { "  AND" };
            text.push_str(&format!("\n{word} {}", condition.at(NOT)));
        }
        text
    }

    /// The place of what is asked beneath, new or old.
    fn beneath(
        &mut self,
        (table, child): (usize, usize),
        condition: Option<&Condition>,
        argument: Option<&Value>,
    ) -> Result<usize> {
        let same = |b: &Beneath| {
            (b.table, b.child) == (table, child)
                && b.condition.as_ref() == condition
                && b.argument.as_ref() == argument
        };
        if let Some(place) = self.beneath.iter().position(same) {
            return Ok(place);
        }
        let mut from = From::new(child);
        let kept = match condition {
            Some(condition) => self.clauses(condition, &mut from)?,
            None => Vec::new(),
        };
        let over = match argument {
            Some(value) => self.value(value, None, &mut from)?.text,
            None => String::new(),
        };
        let mut nearest = child;
        while let Some(parent) = self.parent(nearest).filter(|parent| *parent != table) {
            from.above.insert(parent);
            nearest = parent;
        }
        let of = format!("{}._parent", self.table(nearest));
        let tail = self.tables(&from, &kept);
        self.beneath.push(Beneath {
            table,
            child,
            condition: condition.cloned(),
            argument: argument.cloned(),
            of,
            over,
            tail,
            columns: Vec::new(),
        });
        Ok(self.beneath.len() - 1)
    }

    /// Known where some row of `child` beneath satisfies a condition.
    pub(super) fn some_beneath(
        &mut self,
        tables: (usize, usize),
        condition: &Condition,
        from: &mut From,
    ) -> Result<Sql> {
        let always = matches!(condition.kind, Test::Constant(true));
        let place = self.beneath(tables, Some(condition).filter(|_| !always), None)?;
        from.beneath.insert(place);
        Ok(Sql::primary(format!("{}.{OF}", beneath_name(place))))
    }

    /// What is computed over the rows beneath.
    pub(super) fn fold(&mut self, fold: &Fold, table: usize, from: &mut From) -> Result<Sql> {
        let argument = fold.argument.as_ref();
        let always = |c: &&Condition| matches!(c.kind, Test::Constant(true));
        let condition = fold.condition.as_ref().filter(|c| !always(c));
        let place = self.beneath((table, fold.child), condition, argument)?;
        from.beneath.insert(place);
        let float = argument.is_some_and(|value| self.is_float(value));
        let name = match fold.function {
            Function::Count => "_count",
            Function::Sum => "_sum",
            Function::Average => "_average",
            Function::Least => "_least",
            Function::Greatest => "_greatest",
        };
        let words = self.words;
        if let Some(beneath) = self.beneath.get_mut(place)
            && beneath.columns.iter().all(|(_, known)| *known != name)
        {
            let argument = &beneath.over;
            let sql = match fold.function {
                Function::Count => "count(*)".to_owned(),
                Function::Sum if float => format!("sum({argument})"),
                Function::Sum => {
                    Sql::said(words.whole, &[&Sql::primary(format!("sum({argument})"))]).text
                }
                Function::Average => format!("avg({argument})"),
                Function::Least => format!("min({argument})"),
                Function::Greatest => format!("max({argument})"),
            };
            beneath.columns.push((sql, name));
        }
        let column = Sql::primary(format!("{}.{name}", beneath_name(place)));
        Ok(match fold.function {
            Function::Count | Function::Sum => Sql::call("coalesce", &[column, Sql::integer(0)]),
            _ => column,
        })
    }

    /// Where the rows of a table beneath each root row begin.
    pub(super) fn first_beneath(&mut self, child: usize, from: &mut From) -> Result<Sql> {
        let place = self.beneath((0, child), None, None)?;
        from.beneath.insert(place);
        let first = format!("min({}._row)", self.table(child));
        if let Some(beneath) = self.beneath.get_mut(place)
            && beneath.columns.iter().all(|(_, known)| *known != "_first")
        {
            beneath.columns.push((first, "_first"));
        }
        Ok(Sql::primary(format!("{}._first", beneath_name(place))))
    }

    /// The table expressions of all that is asked beneath.
    pub(super) fn beneaths(&self) -> Vec<(String, String)> {
        let text = |beneath: &Beneath| {
            let columns = beneath.columns.iter().map(|(sql, name)| format!("{sql} AS {name}"));
            let of = format!("{} AS {OF}", beneath.of);
            let columns: Vec<String> = std::iter::once(of).chain(columns).collect();
            format!("SELECT {}\n{}\nGROUP BY {}", columns.join(", "), beneath.tail, beneath.of)
        };
        let named = self.beneath.iter().enumerate();
        named.map(|(place, beneath)| (beneath_name(place), text(beneath))).collect()
    }
}

fn beneath_name(place: usize) -> String {
    format!("_beneath_{}", place + 1)
}
