//! From rows to columns: values written as programs and people read them.

use yiku::PathTree;

use super::aggregate::Number;
use super::finish::Row;
use super::keys::Cell;
use super::statistic::Figure;
use crate::answer::{AnswerColumn, AnswerKind, Role, Values};
use crate::check::{Group, GroupKind, Measured, Shape};
use crate::plan::Plan;
use yiku::calendar;

/// What stands in the place of a group that a row totals.
const TOTAL: &str = "合计";

impl Plan {
    /// The columns of the answer's rows.
    pub(super) fn answer_columns(&self, tree: &PathTree, rows: &[Row]) -> Vec<AnswerColumn> {
        let groups = self.groups.iter().enumerate();
        let groups = groups.map(|(place, group)| self.group_column(group, place, tree, rows));
        let measures = self.measures.iter().chain(&self.beside).enumerate();
        let measures = measures.map(|(place, measure)| measure_column(measure, place, rows));
        groups.chain(measures).collect()
    }

    fn group_column(
        &self,
        group: &Group,
        place: usize,
        tree: &PathTree,
        rows: &[Row],
    ) -> AnswerColumn {
        let cell = |row: &Row| row.key.get(place).cloned().unwrap_or(Cell::Unknown);
        let cells: Vec<Cell> = rows.iter().map(cell).collect();
        let (kind, values, labels) = self.shown(&group.kind, &cells, tree, self.totals);
        let (name, role) = (group.name.clone(), Role::Group);
        AnswerColumn { name, kind, unit: None, role, values, labels, hidden: Vec::new() }
    }

    /// Cells as an answer has them: their kind, values and labels, if they have any.
    pub(super) fn shown(
        &self,
        group: &GroupKind,
        cells: &[Cell],
        tree: &PathTree,
        totals: bool,
    ) -> (AnswerKind, Values, Option<Vec<Option<String>>>) {
        let kind = group_kind(group);
        let values = if matches!(kind, AnswerKind::Int | AnswerKind::Money) {
            let int = |cell: &Cell| if let Cell::Int(value) = cell { Some(*value) } else { None };
            Values::Int(cells.iter().map(int).collect())
        } else {
            Values::Text(cells.iter().map(|cell| self.text(group, cell, tree)).collect())
        };
        let labelled = matches!(kind, AnswerKind::Code | AnswerKind::Path | AnswerKind::Band);
        let labels = (labelled || totals)
            .then(|| cells.iter().map(|cell| self.label(group, cell, tree)).collect());
        (kind, values, labels)
    }

    /// The value of a cell as a program reads it.
    fn text(&self, kind: &GroupKind, cell: &Cell, tree: &PathTree) -> Option<String> {
        let value = match cell {
            Cell::Text(text) => return Some(text.clone()),
            Cell::Int(value) => *value,
            Cell::Unknown | Cell::Total => return None,
        };
        let at = usize::try_from(value).ok();
        match kind {
            GroupKind::Level(level) => Some(prefix(tree, value, Some(*level))),
            GroupKind::Path => Some(prefix(tree, value, None)),
            GroupKind::Code { list, .. } => {
                let codes = &self.schema.lists.get(*list)?.codes;
                codes.get(at?).map(|code| code.name.clone())
            }
            GroupKind::Flag(_) => Some((value == 1).to_string()),
            GroupKind::Date(_) => Some(calendar::date_text(value)),
            GroupKind::Month(_) => Some(calendar::month_text(value)),
            GroupKind::Band { bands, .. } => bands.names.get(at?).cloned(),
            GroupKind::Int { .. } | GroupKind::Text { .. } => Some(value.to_string()),
        }
    }

    /// What people call the value of a cell.
    fn label(&self, kind: &GroupKind, cell: &Cell, tree: &PathTree) -> Option<String> {
        let value = match cell {
            Cell::Total => return Some(TOTAL.to_owned()),
            Cell::Int(value) => *value,
            Cell::Text(_) | Cell::Unknown => return None,
        };
        let at = usize::try_from(value).ok();
        match kind {
            GroupKind::Level(_) | GroupKind::Path => {
                tree.get(u64::try_from(value).ok()?).map(|node| node.name.clone())
            }
            GroupKind::Code { list, .. } => {
                let codes = &self.schema.lists.get(*list)?.codes;
                codes.get(at?).map(|code| code.label.clone())
            }
            GroupKind::Band { bands, .. } => bands.labels.get(at?).cloned(),
            _ => None,
        }
    }
}

fn group_kind(kind: &GroupKind) -> AnswerKind {
    match kind {
        GroupKind::Level(_) | GroupKind::Path => AnswerKind::Path,
        GroupKind::Code { .. } => AnswerKind::Code,
        GroupKind::Flag(_) => AnswerKind::Flag,
        GroupKind::Int { money: true, .. } => AnswerKind::Money,
        GroupKind::Int { money: false, .. } => AnswerKind::Int,
        GroupKind::Date(_) => AnswerKind::Date,
        GroupKind::Month(_) => AnswerKind::Month,
        GroupKind::Text { .. } => AnswerKind::Text,
        GroupKind::Band { .. } => AnswerKind::Band,
    }
}

/// The digits of a place down to its level.
fn prefix(tree: &PathTree, value: i64, level: Option<usize>) -> String {
    let width = tree.levels().last().map_or(0, |l| usize::from(l.digits));
    let mut text = format!("{value:0width$}");
    let own = u64::try_from(value).ok().and_then(|code| tree.get(code));
    let level = level.or(own.map(|node| usize::from(node.level)));
    if let Some(level) = level.and_then(|l| tree.levels().get(l)) {
        text.truncate(usize::from(level.digits));
    }
    text
}

fn measure_column(measure: &Measured, place: usize, rows: &[Row]) -> AnswerColumn {
    let figures = || rows.iter().map(|row| row.measures.get(place)?.as_ref());
    let numbers = || figures().map(|figure| figure?.one());
    let exact = |number: Option<Number>| match number {
        Some(Number::Exact(value)) => i64::try_from(value).ok(),
        _ => None,
    };
    let text = |text: fn(i64) -> String| {
        Values::Text(numbers().map(|number| exact(number).map(text)).collect())
    };
    let (kind, values) = match measure.shape {
        Shape::Date => (AnswerKind::Date, text(calendar::date_text)),
        Shape::Month => (AnswerKind::Month, text(calendar::month_text)),
        Shape::Ints => {
            let list = |figure: Option<&Figure>| match figure {
                Some(Figure::Counts(list)) => {
                    list.iter().map(|count| i64::try_from(*count).ok()).collect()
                }
                _ => None,
            };
            (AnswerKind::Int, Values::IntLists(figures().map(list).collect()))
        }
        Shape::Floats => {
            let list = |figure: Option<&Figure>| match figure {
                Some(Figure::Shares(list)) => Some(list.clone()),
                _ => None,
            };
            (AnswerKind::Float, Values::FloatLists(figures().map(list).collect()))
        }
        Shape::Number(number) if number.float || number.scale > 0 => {
            let float = |number: Option<Number>| number.map(Number::float);
            let kind = if number.money { AnswerKind::Money } else { AnswerKind::Float };
            (kind, Values::Float(numbers().map(float).collect()))
        }
        Shape::Number(number) => {
            let kind = if number.money { AnswerKind::Money } else { AnswerKind::Int };
            (kind, Values::Int(numbers().map(exact).collect()))
        }
    };
    AnswerColumn {
        name: measure.name.clone(),
        kind,
        unit: measure.unit.clone(),
        role: Role::Measure,
        values,
        labels: None,
        hidden: rows.iter().filter_map(|row| row.hidden.get(place).copied()).collect(),
    }
}
