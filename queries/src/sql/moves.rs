//! Moves between two days, and matrices of conditions.

use super::groups::ordered;
use super::question::pages;
use super::tables::From;
use super::text::{Sql, identifier, literal};
use super::{Printer, selected};
use crate::check::Group;
use crate::error::Result;
use crate::plan::Plan;
use crate::run::flow::Flowing;

/// What became of some rows, in the order of the answer, and which rows those are.
const FATES: [(&str, &str); 3] = [
    ("entered", "NOT _before AND _after"),
    ("left", "_before AND NOT _after"),
    ("stayed", "_before AND _after"),
];

impl Printer<'_> {
    /// A question for moves.
    pub(super) fn moves(&mut self, plan: &Plan, flow: &Flowing) -> Result<String> {
        let mut from = From::new(plan.table);
        let mut filter = Vec::new();
        if let Some(scope) = &plan.scope {
            filter.extend(self.clauses(scope.condition(), &mut from)?);
        }
        let mut head = Vec::new();
        for (condition, name) in [(&flow.before, "_before"), (&flow.after, "_after")] {
            head.push(format!("{} AS {name}", self.condition(condition, &mut from)?.text));
        }
        let sides = [(&flow.groups_before, "_b"), (&flow.groups_after, "_a")];
        for (groups, name) in sides {
            for (place, group) in groups.iter().enumerate() {
                let key = self.key(&group.kind, &mut from)?;
                head.push(format!("{} AS {name}{}", key.text, place + 1));
            }
        }
        let rows = format!("{}\n{}", selected(&head), self.tables(&from, &filter));
        self.parts.push(("_rows".to_owned(), rows));
        if flow.groups_after.is_empty() {
            return Ok(self.fates(plan));
        }
        Ok(self.moved(plan, flow))
    }

    /// Without groups: each fate, of nobody too.
    fn fates(&mut self, plan: &Plan) -> String {
        let part = |(place, (fate, which)): (usize, &(&str, &str))| {
            let fate = literal(fate);
            format!(
                "SELECT {place} AS _fate, {fate} AS _move, count(*) FILTER (WHERE {which}) AS _n\n\
                 FROM _rows"
            )
        };
        let parts: Vec<String> = FATES.iter().enumerate().map(part).collect();
        self.parts.push(("_moves".to_owned(), parts.join("\nUNION ALL\n")));
        let select = ["_move AS move".to_owned(), "_n AS n".to_owned()];
        format!("{}\nFROM _moves\nORDER BY _fate{}", selected(&select), pages(plan))
    }

    /// With groups: from which to which.
    fn moved(&mut self, plan: &Plan, flow: &Flowing) -> String {
        let groups = flow.groups_before.iter().zip(&flow.groups_after);
        let places = 1..=groups.len();
        let same: Vec<String> =
            places.map(|at| format!("_b{at} IS NOT DISTINCT FROM _a{at}")).collect();
        let mut fate = "CASE".to_owned();
        for (place, which) in ["NOT _before", "NOT _after", &same.join(" AND ")].iter().enumerate()
        {
            fate.push_str(&format!(" WHEN {which} THEN {place}"));
        }
        let mut head = vec![format!("{fate} ELSE 3 END AS _fate")];
        let sides = [(&flow.groups_before, "b", "before"), (&flow.groups_after, "a", "after")];
        let mut select = vec![format!(
            "{} AS move",
            Sql::said(
                self.words.pick,
                &[
                    &self.list(&["entered", "left", "stayed", "moved"].map(Sql::text)),
                    &Sql::primary("_fate + 1"),
                ],
            )
            .text
        )];
        let mut order = vec!["_fate".to_owned()];
        for (groups, letter, word) in sides {
            for (place, Group { name, kind }) in groups.iter().enumerate() {
                let key = format!("_{letter}{}", place + 1);
                head.push(format!("CASE WHEN _{word} THEN {key} END AS {key}"));
                let (key, name) = (Sql::primary(key), format!("{name}.{word}"));
                select.push(self.shown(kind, &key).named(self.words, &name));
                order.push(ordered(&self.rank(kind, &key), false));
            }
        }
        let moves = format!("{}\nFROM _rows\nWHERE _before OR _after", selected(&head));
        self.parts.push(("_moves".to_owned(), moves));
        select.push("count(*) AS n".to_owned());
        let by: Vec<&str> = head.iter().filter_map(|column| column.rsplit(" AS ").next()).collect();
        format!(
            "{}\nFROM _moves\nGROUP BY {}\nORDER BY {}{}",
            selected(&select),
            by.join(", "),
            order.join(", "),
            pages(plan)
        )
    }

    /// How often each two of some conditions hold together.
    pub(super) fn matrix(&mut self, plan: &Plan) -> Result<String> {
        let mut from = From::new(plan.table);
        let filter = self.filter(plan, &mut from)?;
        let mut head = Vec::new();
        for (place, (_, condition)) in plan.matrix.iter().enumerate() {
            let condition = self.condition(condition, &mut from)?;
            head.push(format!("{} AS _c{}", condition.text, place + 1));
        }
        let rows = format!("{}\n{}", selected(&head), self.tables(&from, &filter));
        self.parts.push(("_rows".to_owned(), rows));
        let size = plan.matrix.len();
        let part = |(place, (name, _)): (usize, &(String, _))| {
            let counts = (1..=size)
                .map(|at| format!("count(*) FILTER (WHERE _c{} AND _c{at}) AS _n{at}", place + 1));
            let named = [format!("{place} AS _place"), format!("{} AS _name", literal(name))];
            let columns: Vec<String> = named.into_iter().chain(counts).collect();
            format!("{}\nFROM _rows", selected(&columns))
        };
        let parts: Vec<String> = plan.matrix.iter().enumerate().map(part).collect();
        self.parts.push(("_matrix".to_owned(), parts.join("\nUNION ALL\n")));
        let mut select = vec!["_name AS condition".to_owned()];
        for (place, (name, _)) in plan.matrix.iter().enumerate() {
            select.push(format!("_n{} AS {}", place + 1, identifier(self.words, name)));
        }
        Ok(format!("{}\nFROM _matrix\nORDER BY _place", selected(&select)))
    }
}
