//! Lists of rows: which rows, in which order, from where.
//!
//! Rows without an order stand by place, by the key of their root row and as they lie beneath it;
//! of rows that an order leaves equal the same decides. Every segment keeps its own rows in that
//! order, so that each gives its best by the numbers of its rows alone.

use std::cmp::Ordering;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use yiku::{PathTree, RowSet, Segment, Snapshot};

use super::cursor::Position;
use super::keys::Cell;
use super::scan::Scan;
use super::subjects::keys;
use super::tell;
use crate::answer::{Answer, AnswerColumn, AnswerKind, Role, Values};
use crate::bound::Value;
use crate::check::{Listed, ListedKind};
use crate::error::{Error, Result};
use crate::explain::probe::About;
use crate::numbers::ten_to;
use crate::plan::{Plan, Within};

/// A value of a row of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Item {
    Int(i64),
    #[serde(with = "bits")]
    Float(f64),
    Text(String),
    Unknown,
}

/// A float as its bits, which no text rounds.
mod bits {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
    pub(super) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        value.to_bits().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        u64::deserialize(from).map(f64::from_bits)
    }
}

/// What is asked for instead of groups.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct List {
    pub(crate) columns: Vec<Listed>,
    /// Places of columns, and whether they fall.
    pub(crate) order: Vec<(usize, bool)>,
    pub(crate) after: Option<Position>,
    /// Sums up the question.
    pub(crate) question: u64,
}

/// A row that the list may have.
struct Candidate {
    items: Vec<Item>,
    path: i64,
    root: String,
    ordinal: u32,
    segment: usize,
    row: u32,
}

/// Unknown stands last in both directions.
fn ordered(a: &Item, b: &Item, descending: bool) -> Ordering {
    let turned = |order: Ordering| if descending { order.reverse() } else { order };
    match (a, b) {
        (Item::Unknown, Item::Unknown) => Ordering::Equal,
        (Item::Unknown, _) => Ordering::Greater,
        (_, Item::Unknown) => Ordering::Less,
        (Item::Int(a), Item::Int(b)) => turned(a.cmp(b)),
        (Item::Text(a), Item::Text(b)) => turned(a.cmp(b)),
        (Item::Float(a), Item::Float(b)) => turned((a + 0.0).total_cmp(&(b + 0.0))),
        _ => Ordering::Equal,
    }
}

impl List {
    fn compare(&self, a: &[Item], b: &[Item]) -> Ordering {
        for ((a, b), (_, descending)) in a.iter().zip(b).zip(&self.order) {
            let order = ordered(a, b, *descending);
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    }
}

impl Plan {
    /// The answer to a question for rows.
    pub(super) fn rows_listed(
        &self,
        list: &List,
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<Answer> {
        let limit = self.limit.unwrap_or(usize::MAX);
        let wanted = self.offset.saturating_add(limit);
        let parts = super::segments(snapshot, within, |at, segment| {
            self.candidates(list, (at, segment, snapshot), wanted, within)
        })?;
        let matched = parts.iter().map(|(matched, _, _)| matched).sum();
        let behind: u64 = parts.iter().map(|(_, behind, _)| behind).sum();
        let mut rows: Vec<Candidate> = parts.into_iter().flat_map(|(_, _, rows)| rows).collect();
        let open = within.open(About::Cut, self);
        rows.sort_by(|a, b| {
            list.compare(&a.items, &b.items)
                .then_with(|| (a.path, &a.root, a.ordinal).cmp(&(b.path, &b.root, b.ordinal)))
        });
        let rows: Vec<Candidate> = rows.into_iter().skip(self.offset).take(limit).collect();
        if rows.len() > within.limits.groups {
            let (found, limit) = (rows.len() as u64, within.limits.groups as u64);
            let what = "the number of rows of a list";
            return Err(Error::Limit { what, found, limit, place: None });
        }
        tell(open, matched, rows.len() as u64);
        let left = behind.saturating_sub(self.offset as u64);
        let truncated = left > rows.len() as u64;
        let last = rows.last().filter(|_| truncated).map(|row| {
            let place = (row.path, row.root.clone(), row.ordinal);
            Position::new(list.question, row.items.clone(), place).text()
        });
        let columns = self.list_columns(list, snapshot, &rows, within)?;
        Ok(Answer {
            total_rows: usize::try_from(matched).unwrap_or(usize::MAX),
            truncated,
            next: last,
            ..self.whole_answer(columns, rows.len(), matched)
        })
    }

    /// The rows of a segment that may be in the list, at most as many as wanted; how many match,
    /// and how many of them stand behind the cursor.
    fn candidates(
        &self,
        list: &List,
        (at, segment, snapshot): (usize, &Segment, &Snapshot),
        wanted: usize,
        within: Within<'_>,
    ) -> Result<(u64, u64, Vec<Candidate>)> {
        within.run.check()?;
        let scan = Scan::new(segment, &self.schema, within);
        let mut rows = self.matching(&scan)?;
        let matched = rows.count();
        if matched == 0 {
            return Ok((0, 0, Vec::new()));
        }
        let ordered: Vec<&Listed> =
            list.order.iter().filter_map(|(place, _)| list.columns.get(*place)).collect();
        let mut items = Vec::with_capacity(ordered.len());
        for column in &ordered {
            let open = within.open(About::Ordered, *column);
            items.push(self.items((&scan, snapshot.tree()), column, &rows)?);
            tell(open, matched, matched);
        }
        let of_row = |nth: usize| -> Vec<Item> {
            items.iter().map(|own| own.get(nth).cloned().unwrap_or(Item::Unknown)).collect()
        };
        let mut found: Vec<(Vec<Item>, u32)> =
            rows.iter().enumerate().map(|(nth, row)| (of_row(nth), row)).collect();
        if let Some(after) = &list.after {
            let first = self.first_behind(&scan, segment, after)?;
            found.retain(|(items, row)| match list.compare(items, &after.items) {
                Ordering::Less => false,
                Ordering::Equal => *row >= first,
                Ordering::Greater => true,
            });
        }
        let behind = found.len() as u64;
        let by = |a: &(Vec<Item>, u32), b: &(Vec<Item>, u32)| {
            list.compare(&a.0, &b.0).then_with(|| a.1.cmp(&b.1))
        };
        if wanted < found.len() {
            if wanted > 0 {
                found.select_nth_unstable_by(wanted - 1, by);
            }
            found.truncate(wanted);
        }
        rows = RowSet::none_in(rows.window());
        found.iter().for_each(|(_, row)| rows.insert(*row));
        let open = within.open(About::Places, self);
        let places = self.places(&scan, segment, &rows)?;
        tell(open, rows.count(), rows.count());
        let candidate = |(items, row): (Vec<Item>, u32)| {
            let (path, root, ordinal) = places.get(&row).cloned().unwrap_or_default();
            Candidate { items, path, root, ordinal, segment: at, row }
        };
        Ok((matched, behind, found.into_iter().map(candidate).collect()))
    }

    /// Place, key of the root row and number beneath it of some rows.
    fn places(
        &self,
        scan: &Scan<'_>,
        segment: &Segment,
        rows: &RowSet,
    ) -> Result<HashMap<u32, (i64, String, u32)>> {
        let offsets = if self.table == 0 { None } else { Some(scan.offsets(0, self.table)?) };
        let root_of = |row: u32| match &offsets {
            None => (row, 0),
            Some(offsets) => {
                let place = offsets.partition_point(|start| *start <= row).saturating_sub(1);
                let first = offsets.get(place).copied().unwrap_or(0);
                (u32::try_from(place).unwrap_or(u32::MAX), row.saturating_sub(first))
            }
        };
        let mut roots = RowSet::none(segment.rows(0));
        rows.iter().for_each(|row| roots.insert(root_of(row).0));
        let root_keys = keys(segment, &self.schema, 0, &roots)?;
        let paths = scan.value(&Value::column(0, self.schema.path_column()), &roots)?;
        let place = |row: u32| {
            let (root, ordinal) = root_of(row);
            let key = root_keys.get(&root).cloned().unwrap_or_default();
            (row, (paths.exact(root), key, ordinal))
        };
        Ok(rows.iter().map(place).collect())
    }

    /// The first row of a segment that stands behind a position, by place, key and number.
    fn first_behind(&self, scan: &Scan<'_>, segment: &Segment, after: &Position) -> Result<u32> {
        let path = u64::try_from(after.path).unwrap_or(0);
        let span = segment.path_rows(path, path)?;
        let mut roots = RowSet::none(segment.rows(0));
        roots.insert_range(span.clone());
        let root_keys = keys(segment, &self.schema, 0, &roots)?;
        let before =
            |row: &u32| root_keys.get(row).is_some_and(|key| key.as_str() < after.root.as_str());
        let root = span.start + u32::try_from(span.clone().filter(before).count()).unwrap_or(0);
        let same = root < span.end && root_keys.get(&root).is_some_and(|key| *key == after.root);
        if self.table == 0 {
            return Ok(root + u32::from(same));
        }
        let offsets = scan.offsets(0, self.table)?;
        let start = |root: u32| offsets.get(root as usize).copied().unwrap_or(u32::MAX);
        if !same {
            return Ok(start(root));
        }
        let own = start(root).saturating_add(after.ordinal).saturating_add(1);
        Ok(own.min(start(root.saturating_add(1))))
    }

    /// The values of a column for some rows, in their order.
    fn items(
        &self,
        (scan, tree): (&Scan<'_>, &PathTree),
        column: &Listed,
        rows: &RowSet,
    ) -> Result<Vec<Item>> {
        match &column.kind {
            ListedKind::Group(kind) => {
                let cells = scan.cells(kind, self.table, tree, rows)?;
                let item = |cell: Cell| match cell {
                    Cell::Int(value) => Item::Int(value),
                    Cell::Text(text) => Item::Text(text),
                    Cell::Unknown | Cell::Total => Item::Unknown,
                };
                Ok(cells.into_iter().map(item).collect())
            }
            ListedKind::Number(number, value) => {
                let over = ten_to(number.scale) as f64;
                let vector = scan.value(value, rows)?;
                let item = |row: u32| match vector.known.contains(row) {
                    true if vector.is_float() => Item::Float(vector.float(row)),
                    true => Item::Float(vector.exact(row) as f64 / over),
                    false => Item::Unknown,
                };
                Ok(rows.iter().map(item).collect())
            }
            ListedKind::Codes { table, column, .. } => {
                let value = Value::column(*table, *column).at(self.table);
                let vector = scan.value(&value, rows)?;
                let item = |row: u32| match vector.known.contains(row) {
                    true => Item::Int(vector.exact(row)),
                    false => Item::Unknown,
                };
                Ok(rows.iter().map(item).collect())
            }
        }
    }

    /// The columns of the rows that the list shows.
    fn list_columns(
        &self,
        list: &List,
        snapshot: &Snapshot,
        rows: &[Candidate],
        within: Within<'_>,
    ) -> Result<Vec<AnswerColumn>> {
        let mut values: Vec<Vec<Item>> =
            list.columns.iter().map(|_| vec![Item::Unknown; rows.len()]).collect();
        for (at, segment) in within.segments(snapshot).iter().enumerate() {
            let mut own: Vec<(u32, usize)> = rows
                .iter()
                .enumerate()
                .filter(|(_, row)| row.segment == at)
                .map(|(place, row)| (row.row, place))
                .collect();
            if own.is_empty() {
                continue;
            }
            own.sort_unstable();
            within.run.check()?;
            within.begin(snapshot, at);
            let scan = Scan::new(segment, &self.schema, within);
            let mut set = RowSet::none(segment.rows(self.table));
            own.iter().for_each(|(row, _)| set.insert(*row));
            for (column, values) in list.columns.iter().zip(&mut values) {
                let open = within.open(About::Listed, column);
                let items = self.items((&scan, snapshot.tree()), column, &set)?;
                tell(open, set.count(), set.count());
                for ((_, place), item) in own.iter().zip(items) {
                    if let Some(slot) = values.get_mut(*place) {
                        *slot = item;
                    }
                }
            }
        }
        let columns = list.columns.iter().zip(values);
        Ok(columns.map(|(column, values)| self.list_column(column, values, snapshot)).collect())
    }

    fn list_column(&self, column: &Listed, items: Vec<Item>, snapshot: &Snapshot) -> AnswerColumn {
        let made = |kind, values, labels| AnswerColumn {
            name: column.name.clone(),
            kind,
            unit: None,
            role: Role::Value,
            values,
            labels,
            hidden: Vec::new(),
        };
        match &column.kind {
            ListedKind::Group(kind) => {
                let cell = |item: Item| match item {
                    Item::Int(value) => Cell::Int(value),
                    Item::Text(text) => Cell::Text(text),
                    Item::Float(_) | Item::Unknown => Cell::Unknown,
                };
                let cells: Vec<Cell> = items.into_iter().map(cell).collect();
                let (kind, values, labels) = self.shown(kind, &cells, snapshot.tree(), false);
                made(kind, values, labels)
            }
            ListedKind::Number(number, _) => {
                let kind = if number.money { AnswerKind::Money } else { AnswerKind::Float };
                let float =
                    |item: Item| if let Item::Float(value) = item { Some(value) } else { None };
                made(kind, Values::Float(items.into_iter().map(float).collect()), None)
            }
            ListedKind::Codes { list, .. } => {
                let codes = self.schema.lists.get(*list).map(|list| list.codes.as_slice());
                let codes = codes.unwrap_or_default();
                let of = |item: &Item, text: &dyn Fn(usize) -> Option<String>| match item {
                    Item::Int(set) => Some(
                        (0..codes.len().min(64))
                            .filter(|at| set >> at & 1 == 1)
                            .filter_map(text)
                            .collect(),
                    ),
                    _ => None,
                };
                let name = |at: usize| codes.get(at).map(|code| code.name.clone());
                let label = |at: usize| codes.get(at).map(|code| code.label.clone());
                let names = items.iter().map(|item| of(item, &name)).collect();
                let labels =
                    items.iter().map(|item| of(item, &label).map(|l: Vec<_>| l.join("、")));
                made(AnswerKind::Codes, Values::TextLists(names), Some(labels.collect()))
            }
        }
    }
}
