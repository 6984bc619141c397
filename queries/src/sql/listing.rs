//! Lists of rows.

use super::groups::ordered;
use super::question::pages;
use super::tables::From;
use super::text::{AND, COMPARE, OR, SUM, Sql};
use super::{Printer, ROW, selected};
use crate::bound::{Term, Test, Value};
use crate::check::{GroupKind, Listed, ListedKind};
use crate::error::Result;
use crate::numbers::ten_to;
use crate::plan::Plan;
use crate::run::cursor::Position;
use crate::run::list::{Item, List};

impl Printer<'_> {
    /// A question for rows.
    pub(super) fn list_of_rows(&mut self, plan: &Plan, list: &List) -> Result<String> {
        let mut from = From::new(plan.table);
        let mut filter = self.filter(plan, &mut from)?;
        let mut select = Vec::with_capacity(list.columns.len());
        for column in &list.columns {
            let sql = self.listed(column, &mut from)?;
            let sql = match &column.kind {
                ListedKind::Group(kind) => self.shown(kind, &sql),
                _ => sql,
            };
            select.push(sql.named(self.words, &column.name));
        }
        let mut ranks = Vec::with_capacity(list.order.len());
        for (place, descending) in &list.order {
            let Some(column) = list.columns.get(*place).filter(|c| !is_constant(&c.kind)) else {
                continue;
            };
            ranks.push((column, self.rank_of_row(column, &mut from)?, *descending));
        }
        if let Some(after) = &list.after {
            let places = list.order.iter().filter_map(|(place, _)| list.columns.get(*place));
            let items = places.zip(&after.items).filter(|(column, _)| !is_constant(&column.kind));
            let items: Vec<&Item> = items.map(|(_, item)| item).collect();
            filter.push(self.behind(plan, &ranks, (&items, after), &mut from)?);
        }
        // What is the same for every row orders nothing, and SQL may read it as a place.
        let mut terms: Vec<String> =
            ranks.iter().map(|(_, rank, descending)| ordered(rank, *descending)).collect();
        let path = self.column(0, self.schema.path_column(), &mut from);
        let key = self.schema.tables.first().map_or(0, |table| table.key);
        let key = self.column(0, key, &mut from);
        let row = self.named(plan.table, ROW, &mut from);
        terms.extend([path.text, key.text, row.text]);
        let tables = self.tables(&from, &filter);
        let order = terms.join(", ");
        Ok(format!("{}\n{tables}\nORDER BY {order}{}", selected(&select), pages(plan)))
    }

    fn listed(&mut self, column: &Listed, from: &mut From) -> Result<Sql> {
        match &column.kind {
            ListedKind::Group(kind) => self.key(kind, from),
            ListedKind::Number(number, value) => {
                let float = self.is_float(value);
                let value = self.value(value, None, from)?;
                if float {
                    return Ok(value);
                }
                let value = Sql::said(self.words.double, &[&value]);
                Ok(self.divided(&value, ten_to(number.scale) as f64))
            }
            ListedKind::Codes { table, column, .. } => Ok(self.column(*table, *column, from)),
        }
    }

    /// What a row is ordered by.
    fn rank_of_row(&mut self, column: &Listed, from: &mut From) -> Result<Sql> {
        match &column.kind {
            ListedKind::Group(GroupKind::Path) => {
                Ok(self.column(0, self.schema.path_column(), from))
            }
            ListedKind::Group(kind) => {
                let key = self.key(kind, from)?;
                Ok(self.rank(kind, &key))
            }
            _ => self.listed(column, from),
        }
    }

    /// A row stands behind the one that a page ended with.
    fn behind(
        &mut self,
        plan: &Plan,
        ranks: &[(&Listed, Sql, bool)],
        (items, after): (&[&Item], &Position),
        from: &mut From,
    ) -> Result<Sql> {
        let mut any = Vec::new();
        let mut same: Vec<Sql> = Vec::new();
        for ((column, rank, descending), item) in ranks.iter().zip(items) {
            let own = match item {
                Item::Int(value) => match &column.kind {
                    ListedKind::Group(kind) => Some(self.rank_of(kind, *value)?),
                    _ => Some(Sql::integer(*value)),
                },
                Item::Float(value) => Some(Sql::float(*value)),
                Item::Text(text) => Some(Sql::text(text)),
                Item::Unknown => None,
            };
            if let Some(own) = &own {
                let sign = if *descending { "<" } else { ">" };
                let behind = rank.compared(sign, own);
                let behind = Sql::joined(vec![behind, rank.is("NULL")], "OR", OR);
                let all = same.iter().cloned().chain([behind]).collect();
                any.push(Sql::joined(all, "AND", AND));
            }
            same.push(match &own {
                Some(own) => rank.compared("=", own),
                None => rank.is("NULL"),
            });
        }
        same.push(self.behind_place(plan, after, from)?);
        any.push(Sql::joined(same, "AND", AND));
        Ok(Sql::joined(any, "OR", OR))
    }

    /// By place, key of the root row, and number beneath it.
    fn behind_place(&mut self, plan: &Plan, after: &Position, from: &mut From) -> Result<Sql> {
        let path = self.column(0, self.schema.path_column(), from);
        let key = self.schema.tables.first().map_or(0, |table| table.key);
        let key = self.column(0, key, from);
        let digits = usize::from(self.schema.path.digits());
        let mut own = vec![path, key];
        let mut last = vec![Sql::text(&format!("{:0digits$}", after.path)), Sql::text(&after.root)];
        if plan.table != 0 {
            let row = self.named(plan.table, ROW, from);
            let first = self.first_beneath(plan.table, from)?;
            own.push(Sql::two(SUM, &row, "-", &first));
            last.push(Sql::integer(after.ordinal.into()));
        }
        let tuple = |parts: &[Sql]| {
            let parts: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
            format!("({})", parts.join(", "))
        };
        Ok(Sql::new(COMPARE, format!("{} > {}", tuple(&own), tuple(&last))))
    }
}

/// Whether a column is the same for every row.
fn is_constant(kind: &ListedKind) -> bool {
    let plain = |value: &Value| matches!(value.kind, Term::Constant(_) | Term::ConstantFloat(_));
    match kind {
        ListedKind::Group(GroupKind::Flag(condition)) => {
            matches!(condition.kind, Test::Constant(_))
        }
        ListedKind::Group(
            GroupKind::Int { value, .. }
            | GroupKind::Date(value)
            | GroupKind::Month(value)
            | GroupKind::Code { value, .. },
        )
        | ListedKind::Number(_, value) => plain(value),
        _ => false,
    }
}
