//! What rows are grouped by: the key of each, how it is shown, and what it is ordered by.

use super::Printer;
use super::tables::From;
use super::text::Sql;
use super::values::Sort;
use crate::bound::Value;
use crate::check::{Bands, Bounds, GroupKind};
use crate::error::Result;

impl Printer<'_> {
    /// The key of a row.
    pub(super) fn key(&mut self, kind: &GroupKind, from: &mut From) -> Result<Sql> {
        match kind {
            GroupKind::Level(level) => Ok(self.place(*level, from)),
            GroupKind::Path => Ok(self.own_place(from)),
            GroupKind::Code { list, value } => self.value(value, Some(Sort::Code(*list)), from),
            GroupKind::Flag(condition) => self.condition(condition, from),
            GroupKind::Int { value, .. } => self.value(value, None, from),
            GroupKind::Date(value) => self.value(value, Some(Sort::Date), from),
            GroupKind::Month(value) => self.value(value, Some(Sort::Month), from),
            GroupKind::Text { table, column } => Ok(self.column(*table, *column, from)),
            GroupKind::Band { value, bands } => self.band(value, bands, from),
        }
    }

    /// The digits of a level; nothing where the place itself is of a level above.
    fn place(&self, level: usize, from: &mut From) -> Sql {
        let path = self.column(0, self.schema.path_column(), from);
        let levels = &self.schema.path.levels;
        let digits = levels.get(level).map_or(0, |l| i64::from(l.digits));
        let head = Sql::said(self.words.head, &[&path, &Sql::integer(digits)]);
        let head = if level + 1 == levels.len() { path } else { head };
        if level == 0 {
            return head;
        }
        let level = i64::try_from(level).unwrap_or(i64::MAX);
        let own = self.named(0, super::LEVEL, from);
        Sql::case(&own.compared(">=", &Sql::integer(level)), &head, None)
    }

    /// The digits of the place down to its own level.
    fn own_place(&self, from: &mut From) -> Sql {
        let path = self.column(0, self.schema.path_column(), from);
        let level = self.named(0, super::LEVEL, from);
        let digits = self.schema.path.levels.iter();
        let digits: Vec<Sql> = digits.map(|l| Sql::integer(l.digits.into())).collect();
        let place = Sql::primary(format!("{} + 1", level.text));
        let digits = Sql::said(self.words.pick, &[&self.list(&digits), &place]);
        Sql::said(self.words.head, &[&path, &digits])
    }

    fn band(&mut self, value: &Value, bands: &Bands, from: &mut From) -> Result<Sql> {
        let sort = self.sort(value);
        let value = self.value(value, sort, from)?;
        let last = bands.names.last().map_or_else(Sql::null, |name| Sql::text(name));
        let mut tests = Vec::new();
        match &bands.bounds {
            Bounds::Exact(bounds) => {
                for bound in bounds {
                    tests.push(value.compared("<", &Sql::integer(*bound)));
                }
            }
            // Who is born later is younger.
            Bounds::Falling(bounds) => {
                for bound in bounds {
                    tests.push(value.compared(">", &self.day(*bound)?));
                }
            }
            Bounds::Float(bounds) => {
                for bound in bounds {
                    tests.push(value.compared("<", &Sql::float(*bound)));
                }
            }
        }
        let mut text = format!("CASE WHEN {} THEN NULL", value.is("NULL").text);
        for (test, name) in tests.iter().zip(&bands.names) {
            text.push_str(&format!(" WHEN {} THEN {}", test.text, Sql::text(name).text));
        }
        Ok(Sql::primary(format!("{text} ELSE {} END", last.text)))
    }

    /// A key as the answer shows it.
    pub(super) fn shown(&self, kind: &GroupKind, key: &Sql) -> Sql {
        match kind {
            GroupKind::Month(_) => Sql::said(self.words.month_text, &[key]),
            _ => key.clone(),
        }
    }

    /// What keys are ordered by: codes and bands as their lists have them.
    pub(super) fn rank(&self, kind: &GroupKind, key: &Sql) -> Sql {
        let names: Vec<Sql> = match kind {
            GroupKind::Code { list, .. } => {
                let codes = self.schema.lists.get(*list).map(|list| list.codes.as_slice());
                codes.unwrap_or_default().iter().map(|code| Sql::text(&code.name)).collect()
            }
            GroupKind::Band { bands, .. } => {
                bands.names.iter().map(|name| Sql::text(name)).collect()
            }
            _ => return key.clone(),
        };
        Sql::said(self.words.position, &[&self.list(&names), key])
    }

    /// What a rank is compared with: the number that the engine keeps for a key.
    pub(super) fn rank_of(&self, kind: &GroupKind, cell: i64) -> Result<Sql> {
        match kind {
            GroupKind::Code { .. } | GroupKind::Band { .. } => {
                Ok(Sql::integer(cell.saturating_add(1)))
            }
            GroupKind::Flag(_) => Ok(Sql::truth(cell == 1)),
            GroupKind::Date(_) => self.constant(cell, Some(Sort::Date)),
            GroupKind::Month(_) => self.constant(cell, Some(Sort::Month)),
            GroupKind::Level(level) => Ok(self.digits(cell, Some(*level))),
            GroupKind::Path => Ok(self.digits(cell, None)),
            GroupKind::Int { .. } | GroupKind::Text { .. } => Ok(Sql::integer(cell)),
        }
    }

    /// The digits of a place down to a level, or all.
    fn digits(&self, code: i64, level: Option<usize>) -> Sql {
        let width = usize::from(self.schema.path.digits());
        let mut text = format!("{code:0width$}");
        let levels = &self.schema.path.levels;
        if let Some(level) = level.and_then(|level| levels.get(level)) {
            text.truncate(usize::from(level.digits));
        }
        Sql::text(&text)
    }
}

/// A term of an order: what is unknown stands last in both directions.
pub(super) fn ordered(rank: &Sql, descending: bool) -> String {
    let turn = if descending { " DESC" } else { "" };
    format!("{}{turn} NULLS LAST", rank.text)
}
