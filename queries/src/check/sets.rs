//! Sets: `person in set needy` is true of the rows that the set has and false of all others.

use yiku::Predicate;

use super::{Checker, What};
use crate::ast::{Expr, ExprKind, Set, Word};
use crate::bound::{Condition, Test};
use crate::context::Named;
use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::source::Span;

impl Checker<'_> {
    /// `of in set name`; without `of` the rows are those of the set's own table.
    pub(super) fn in_set(&self, of: Option<&Expr>, name: &Word, span: Span) -> Result<Condition> {
        let own = self.named.sets.iter().position(|set| set.name.text == name.text);
        let (table, condition) = match own {
            Some(place) => self.own_set(place)?,
            None => self.saved_set(name)?,
        };
        let (set, has) = (&name.text, self.table_name(table));
        if let Some(of) = of {
            let asked = self.rows_of(of)?;
            if asked != table {
                let what = format!(
                    "`{set}` is a set of rows of {has}, not of {}; write `{has} in set {set}`",
                    self.table_name(asked)
                );
                return Err(self.wrong(span, what));
            }
        }
        if !self.is_above(table, self.table) {
            let here = self.table_name(self.table);
            let what = if self.is_above(self.table, table) {
                format!(
                    "`{set}` is a set of rows of {has}, and many lie beneath one of {here}: \
                     write `any({has} where in set {set})`"
                )
            } else {
                format!("`{set}` is a set of rows of {has}, which is not above {here}")
            };
            return Err(self.wrong(span, what));
        }
        Ok(condition)
    }

    /// The table whose rows an expression means: its name, or its key.
    fn rows_of(&self, of: &Expr) -> Result<usize> {
        if let ExprKind::Name(words) = &of.kind
            && let [only] = words.as_slice()
            && let Some(table) = self.schema.table_index(&only.text)
        {
            return Ok(table);
        }
        let is_key = |table: usize, column: usize| {
            self.schema.tables.get(table).is_some_and(|t| t.key == column)
        };
        match self.check(of)?.what {
            What::Column { table, column } if is_key(table, column) => Ok(table),
            _ => {
                let what = "a set has rows: write the name of their table, or its key, before \
                            `in set`";
                Err(self.wrong(of.span, what))
            }
        }
    }

    /// A set of the question, by its place; it may name those before it.
    fn own_set(&self, place: usize) -> Result<(usize, Condition)> {
        let Some(set) = self.named.sets.get(place) else {
            return Ok((0, Condition::constant(false)));
        };
        let before = self.named.sets.get(..place).unwrap_or_default();
        let named = Named { sets: before, ..self.named };
        let table = self.set_table(set)?;
        let checker = Checker { source: &set.clause.source, table, named, ..*self };
        Ok((table, checker.condition(&set.clause.expr)?.at(table).truth()))
    }

    fn set_table(&self, set: &Set) -> Result<usize> {
        match &set.table {
            None => Ok(self.named.table),
            Some(named) => {
                let found = self.schema.table_index(&named.word.text);
                found.ok_or_else(|| self.of(&named.source).unknown_table(&named.word))
            }
        }
    }

    /// Every set of the question can be read, also one that nothing names.
    pub(crate) fn sets_known(&self) -> Result<()> {
        for (place, set) in self.named.sets.iter().enumerate() {
            let before = self.named.sets.get(..place).unwrap_or_default();
            if before.iter().any(|other| other.name.text == set.name.text) {
                let what = format!("two sets are called `{}`", set.name.text);
                let place = set.clause.source.place(set.clause.expr.span);
                return Err(Error::Type { what, place });
            }
            self.own_set(place)?;
        }
        Ok(())
    }

    /// A set that is kept: its rows are known by their keys.
    fn saved_set(&self, name: &Word) -> Result<(usize, Condition)> {
        let found = match self.named.saved {
            Some(saved) => saved.set(&name.text)?,
            None => None,
        };
        let Some(set) = found else { return Err(self.unknown_set(name)) };
        let table = self.schema.table_index(set.table()).ok_or_else(|| {
            let what = format!("`{}` is a set of rows of {}", name.text, set.table());
            self.wrong(name.span, format!("{what}, which is no table of this schema"))
        })?;
        let column = self.schema.tables.get(table).map_or(0, |t| t.key);
        let predicate = Predicate::TextIn(set.members().to_vec());
        let kind = Test::Column { column, predicate };
        Ok((table, Condition { table, kind }.truth()))
    }

    fn unknown_set(&self, name: &Word) -> Error {
        let saved = self.named.saved.and_then(|saved| saved.names().ok()).unwrap_or_default();
        let own = self.named.sets.iter().map(|set| set.name.text.as_str());
        let names = own.chain(saved.iter().map(String::as_str));
        Error::UnknownSet {
            name: name.text.clone(),
            suggestion: nearest(&name.text, names),
            place: self.source.place(name.span),
        }
    }
}
