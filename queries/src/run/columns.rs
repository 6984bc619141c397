//! From rows to columns: values written as programs and people read them.

use yiku::PathTree;
use yiku::schema::PathNode;

use super::aggregate::Number;
use super::keys::Cell;
use super::rows::{Rows, in_pieces};
use super::statistic::Figure;
use crate::answer::{AnswerColumn, AnswerKind, Role, Values};
use crate::check::{Group, GroupKind, Measured, Shape};
use crate::error::Result;
use crate::plan::{Plan, Within};
use crate::short::Text;
use yiku::calendar;

/// What stands in the place of a group that a row totals.
const TOTAL: &str = "合计";

impl Plan {
    /// The columns of the answer, of rows in this order.
    pub(super) fn answer_columns(
        &self,
        tree: &PathTree,
        rows: &Rows,
        order: &[u32],
        within: Within<'_>,
    ) -> Result<Vec<AnswerColumn>> {
        let of = |order: &[u32]| -> Vec<AnswerColumn> {
            let groups = self.groups.iter().enumerate();
            let groups =
                groups.map(|(at, group)| self.group_column((at, group), tree, rows, order));
            let measures = self.measures.iter().chain(&self.beside).enumerate();
            let measures = measures.map(|(at, measure)| measure_column(measure, at, rows, order));
            groups.chain(measures).collect()
        };
        let mut pieces = in_pieces(within, order, |order| Ok(of(order)))?.into_iter();
        let mut columns = pieces.next().unwrap_or_default();
        for piece in pieces {
            for (column, other) in columns.iter_mut().zip(piece) {
                append(&mut column.values, other.values, order.len());
                column.hidden.extend(other.hidden);
                if let (Some(labels), Some(others)) = (&mut column.labels, other.labels) {
                    add(labels, others, order.len());
                }
            }
        }
        Ok(columns)
    }

    fn group_column(
        &self,
        (place, group): (usize, &Group),
        tree: &PathTree,
        rows: &Rows,
        order: &[u32],
    ) -> AnswerColumn {
        let cell = |row: &u32| rows.keys.get(*row as usize).get(place).unwrap_or(&Cell::Unknown);
        let cells = order.iter().map(cell);
        let (kind, values, labels) = self.shown(&group.kind, cells, tree, self.totals);
        let (name, role) = (group.name.clone(), Role::Group);
        AnswerColumn { name, kind, unit: None, role, values, labels, hidden: Vec::new() }
    }

    /// Cells as an answer has them: their kind, values and labels, if they have any.
    pub(super) fn shown<'c>(
        &self,
        group: &GroupKind,
        cells: impl Iterator<Item = &'c Cell> + Clone,
        tree: &PathTree,
        totals: bool,
    ) -> (AnswerKind, Values, Option<Vec<Option<Text>>>) {
        let kind = group_kind(group);
        let values = if matches!(kind, AnswerKind::Int | AnswerKind::Money) {
            let int = |cell: &Cell| if let Cell::Int(value) = cell { Some(*value) } else { None };
            Values::Int(cells.clone().map(int).collect())
        } else {
            Values::Text(cells.clone().map(|cell| self.text(group, cell, tree)).collect())
        };
        let labelled = matches!(kind, AnswerKind::Code | AnswerKind::Path | AnswerKind::Band);
        let mut nodes = Nodes::new(tree, group);
        let labels = (labelled || totals)
            .then(|| cells.map(|cell| self.label(group, cell, &mut nodes)).collect());
        (kind, values, labels)
    }

    /// The digits of places; nothing of what is of no place of the level.
    pub(super) fn digits(
        group: &Group,
        places: impl ExactSizeIterator<Item = Option<i64>>,
        tree: &PathTree,
    ) -> Vec<Option<Text>> {
        let level = if let GroupKind::Level(level) = group.kind { Some(level) } else { None };
        let digits = Digits::of(tree, level);
        written(places, |place, text| match level {
            Some(_) => digits.write(place, text),
            None => *text = prefix(tree, place, None),
        })
    }

    /// The names of places.
    pub(super) fn names(
        group: &Group,
        places: impl ExactSizeIterator<Item = Option<i64>>,
        tree: &PathTree,
    ) -> Vec<Option<Text>> {
        let mut nodes = Nodes::new(tree, &group.kind);
        let mut node = |place: i64| nodes.get(u64::try_from(place).ok()?);
        let mut names = Vec::with_capacity(places.len());
        for place in places {
            let Some(node) = place.and_then(&mut node) else {
                names.push(None);
                continue;
            };
            names.push(Some(Text::default()));
            if let Some(Some(name)) = names.last_mut() {
                name.set(&node.name);
            }
        }
        names
    }

    /// The value of a cell as a program reads it.
    fn text(&self, kind: &GroupKind, cell: &Cell, tree: &PathTree) -> Option<Text> {
        let value = match cell {
            Cell::Text(text) => return Some(text.as_str().into()),
            Cell::Int(value) => *value,
            Cell::Unknown | Cell::Total => return None,
        };
        let at = usize::try_from(value).ok();
        match kind {
            GroupKind::Level(level) => Some(prefix(tree, value, Some(*level))),
            GroupKind::Path => Some(prefix(tree, value, None)),
            GroupKind::Code { list, .. } => {
                let codes = &self.schema.lists.get(*list)?.codes;
                codes.get(at?).map(|code| code.name.as_str().into())
            }
            GroupKind::Flag(_) => Some(if value == 1 { "true" } else { "false" }.into()),
            GroupKind::Date(_) => Some(calendar::date_text(value).into()),
            GroupKind::Month(_) => Some(calendar::month_text(value).into()),
            GroupKind::Band { bands, .. } => bands.names.get(at?).map(|name| name.as_str().into()),
            GroupKind::Int { .. } | GroupKind::Text { .. } => Some(value.to_string().into()),
        }
    }

    /// What people call the value of a cell.
    fn label(&self, kind: &GroupKind, cell: &Cell, nodes: &mut Nodes<'_>) -> Option<Text> {
        let value = match cell {
            Cell::Total => return Some(TOTAL.into()),
            Cell::Int(value) => *value,
            Cell::Text(_) | Cell::Unknown => return None,
        };
        let at = usize::try_from(value).ok();
        match kind {
            GroupKind::Level(_) | GroupKind::Path => {
                nodes.get(u64::try_from(value).ok()?).map(|node| node.name.as_str().into())
            }
            GroupKind::Code { list, .. } => {
                let codes = &self.schema.lists.get(*list)?.codes;
                codes.get(at?).map(|code| code.label.as_str().into())
            }
            GroupKind::Band { bands, .. } => {
                bands.labels.get(at?).map(|label| label.as_str().into())
            }
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

/// The nodes of a tree, asked for in their order more often than not.
struct Nodes<'a> {
    tree: &'a PathTree,
    /// Those of the level that is asked for more often than not, and where the last one stands.
    level: &'a [(u64, usize)],
    last: usize,
}

impl<'a> Nodes<'a> {
    fn new(tree: &'a PathTree, group: &GroupKind) -> Self {
        let lowest = tree.levels().len().saturating_sub(1);
        let level = if let GroupKind::Level(level) = group { *level } else { lowest };
        Self { tree, level: tree.of_level(level), last: 0 }
    }

    fn get(&mut self, code: u64) -> Option<&'a PathNode> {
        if let Some((_, place)) = self.level.get(self.last + 1).filter(|(own, _)| *own == code) {
            self.last += 1;
            return self.tree.nodes().get(*place);
        }
        let below = |node: Option<&(u64, usize)>| node.is_some_and(|(own, _)| *own <= code);
        let from = if below(self.level.get(self.last)) { self.last } else { 0 };
        let rest = self.level.get(from..).unwrap_or_default();
        let mut size = 1;
        while below(rest.get(size)) {
            size *= 2;
        }
        let near = rest.get(..size.min(rest.len())).unwrap_or_default();
        self.last = from + near.partition_point(|(own, _)| *own <= code).saturating_sub(1);
        match self.level.get(self.last).filter(|(own, _)| *own == code) {
            Some((_, place)) => self.tree.nodes().get(*place),
            // It is of another level.
            None => self.tree.get(code),
        }
    }
}

/// The digits of a place down to its level.
fn prefix(tree: &PathTree, value: i64, level: Option<usize>) -> Text {
    let own = || u64::try_from(value).ok().and_then(|code| tree.get(code));
    let level = level.or_else(|| own().map(|node| usize::from(node.level)));
    let mut text = Text::default();
    Digits::of(tree, level).write(value, &mut text);
    text
}

/// How the digits of the places of a level are written.
struct Digits {
    /// Digits of a path, and of the level.
    width: usize,
    own: usize,
    /// How many paths there are, and how many a place of the level has: none where that cannot be.
    ends: Option<(i64, i64)>,
}

impl Digits {
    fn of(tree: &PathTree, level: Option<usize>) -> Self {
        let width = tree.levels().last().map_or(0, |l| usize::from(l.digits));
        let digits = level.and_then(|level| tree.levels().get(level));
        let own = digits.map_or(width, |level| usize::from(level.digits));
        let power = |digits: usize| 10i64.checked_pow(u32::try_from(digits).ok()?);
        let below = width.checked_sub(own).and_then(power);
        Self { width, own, ends: power(width).zip(below) }
    }

    fn write(&self, value: i64, text: &mut Text) {
        let ends = self.ends.filter(|(most, _)| (0..*most).contains(&value));
        let first = |(_, below)| if below == 1 { value } else { value / below };
        let own = ends.and_then(|ends| u64::try_from(first(ends)).ok());
        if !own.is_some_and(|own| text.set_digits(own, self.own)) {
            *text = padded(value, self.width, self.own);
        }
    }
}

/// Texts of places, each written where it stands.
fn written(
    places: impl ExactSizeIterator<Item = Option<i64>>,
    mut write: impl FnMut(i64, &mut Text),
) -> Vec<Option<Text>> {
    let mut texts = Vec::with_capacity(places.len());
    for place in places {
        texts.push(place.map(|_| Text::default()));
        if let (Some(place), Some(Some(text))) = (place, texts.last_mut()) {
            write(place, text);
        }
    }
    texts
}

/// The first digits of a number that is written with so many at the least.
fn padded(value: i64, width: usize, digits: usize) -> Text {
    let mut text = format!("{value:0width$}");
    text.truncate(digits);
    text.into()
}

/// Adds the values of another column of the same kind to what will be so many.
fn append(values: &mut Values, other: Values, all: usize) {
    match (values, other) {
        (Values::Int(a), Values::Int(b)) => add(a, b, all),
        (Values::Float(a), Values::Float(b)) => add(a, b, all),
        (Values::Text(a), Values::Text(b)) => add(a, b, all),
        (Values::IntLists(a), Values::IntLists(b)) => add(a, b, all),
        (Values::FloatLists(a), Values::FloatLists(b)) => add(a, b, all),
        (Values::TextLists(a), Values::TextLists(b)) => add(a, b, all),
        _ => {}
    }
}

/// Adds values to a list that will have so many.
fn add<T>(list: &mut Vec<T>, mut others: Vec<T>, all: usize) {
    list.reserve(all.saturating_sub(list.len()));
    list.append(&mut others);
}

fn measure_column(measure: &Measured, place: usize, rows: &Rows, order: &[u32]) -> AnswerColumn {
    let own = rows.measures.get(place).map_or(&[][..], Vec::as_slice);
    let figures = || order.iter().map(|row| own.get(*row as usize)?.as_ref());
    let numbers = || figures().map(|figure| figure?.one());
    let exact = |number: Option<Number>| match number {
        Some(Number::Exact(value)) => i64::try_from(value).ok(),
        _ => None,
    };
    let text = |text: fn(i64) -> String| {
        Values::Text(numbers().map(|number| Some(text(exact(number)?).into())).collect())
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
    let hidden = rows.hidden.get(place).map_or(&[][..], Vec::as_slice);
    let hidden = order.iter().filter_map(|row| hidden.get(*row as usize).copied()).collect();
    AnswerColumn {
        name: measure.name.clone(),
        kind,
        unit: measure.unit.clone(),
        role: Role::Measure,
        values,
        labels: None,
        hidden,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;
    use yiku::schema::{Level, PathSchema};

    fn tree() -> PathTree {
        let level = |name: &str, digits| Level { name: name.into(), label: name.into(), digits };
        let levels = vec![level("city", 2), level("ward", 4), level("street", 7)];
        let path = PathSchema { name: "place".into(), label: "place".into(), levels };
        let node = |code: u64, level| PathNode { code, level, name: code.to_string() };
        let mut nodes = vec![node(100_000, 0), node(1_100_000, 0), node(1_102_000, 1)];
        nodes.extend((1..40).map(|street| node(1_102_000 + street * 7, 2)));
        PathTree::new(&path, nodes).unwrap()
    }

    #[test]
    fn digits_of_a_place_are_those_of_its_number() {
        let tree = tree();
        for (value, level, expected) in [
            (1_102_007, Some(0), "11"),
            (1_102_007, Some(1), "1102"),
            (1_102_007, Some(2), "1102007"),
            (1_102_007, None, "1102007"),
            (1_102_000, None, "1102"),
            (100_000, Some(0), "01"),
            (100_000, None, "01"),
            (0, Some(1), "0000"),
            // No place of the tree has these.
            (5, None, "0000005"),
            (12_345_678, Some(1), "1234"),
            (-3, Some(1), "-000"),
        ] {
            assert_eq!(prefix(&tree, value, level), expected, "{value} at {level:?}");
        }
    }

    #[test]
    fn nodes_are_found_in_any_order() {
        let tree = tree();
        let own: Vec<u64> = tree.nodes().iter().map(|node| node.code).collect();
        let rising: Vec<u64> = (1_101_990..1_102_300).chain([0, 1_100_000, 9_999_999]).collect();
        let falling: Vec<u64> = rising.iter().rev().copied().collect();
        let twice: Vec<u64> = own.iter().flat_map(|code| [*code, *code]).collect();
        let groups = [GroupKind::Path, GroupKind::Level(0), GroupKind::Level(1)];
        for codes in [rising, falling, twice] {
            for group in &groups {
                let mut nodes = Nodes::new(&tree, group);
                for code in &codes {
                    assert_eq!(nodes.get(*code), tree.get(*code), "{code}");
                }
            }
        }
    }
}
