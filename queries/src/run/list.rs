//! Lists of rows: which rows, in which order, from where.
//!
//! Rows without an order stand by place, by the key of their root row and as they lie beneath it;
//! of rows that an order leaves equal the same decides. Every segment keeps its own rows in that
//! order, so that each gives its best by the numbers of its rows alone.
//!
//! Invariant: only what a list is ordered by is read of rows that are not shown.

use serde::{Deserialize, Serialize};
use yiku::{RowSet, Snapshot};

use super::cursor::Position;
use super::first::{First, Shown};
use super::keys::Cell;
use super::morsels::Morsel;
use super::standing::{Bytes, Numbers};
use super::tell;
use crate::answer::{Answer, AnswerColumn, AnswerKind, Role, Values};
use crate::check::{GroupKind, Listed, ListedKind};
use crate::error::{Error, Result};
use crate::explain::probe::About;
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
    /// Sums up the question, if it has a limit.
    pub(crate) question: u64,
}

impl List {
    /// The columns that the list is ordered by, each with whether it falls.
    pub(super) fn ordered(&self) -> impl Iterator<Item = (&Listed, bool)> {
        let column = |(place, falls): &(usize, bool)| Some((self.columns.get(*place)?, *falls));
        self.order.iter().filter_map(column)
    }

    /// Whether two numbers tell where a row stands.
    fn is_ordered_by_numbers(&self) -> bool {
        let is_text = |(column, _): (&Listed, bool)| {
            matches!(column.kind, ListedKind::Group(GroupKind::Text { .. }))
        };
        self.order.len() <= 2 && !self.ordered().any(is_text)
    }
}

/// Rows of a page that are read together lie in one block of the engine.
const TOGETHER: u32 = yiku::limits::BLOCK_ROWS;

impl Plan {
    /// The answer to a question for rows.
    pub(super) fn rows_listed(
        &self,
        list: &List,
        snapshot: &Snapshot,
        within: Within<'_>,
    ) -> Result<Answer> {
        let limit = self.limit.unwrap_or(usize::MAX);
        // One more than an answer may have is as good as all.
        let most = within.limits.groups.saturating_add(1);
        let wanted = self.offset.saturating_add(limit.min(most));
        let numbers = match list.is_ordered_by_numbers() {
            true => self.first_rows::<Numbers>(list, snapshot, wanted, within)?,
            false => None,
        };
        let first = match numbers {
            Some(first) => first,
            // Bytes tell apart what numbers did not.
            None => self.first_rows::<Bytes>(list, snapshot, wanted, within)?.unwrap_or_default(),
        };
        let First { rows, last, matched, behind } = first;
        let left = behind.saturating_sub(self.offset as u64);
        let found = left.min(limit as u64);
        if found > within.limits.groups as u64 {
            let limit = within.limits.groups as u64;
            let what = "the number of rows of a list";
            return Err(Error::Limit { what, found, limit, place: None });
        }
        let truncated = left > rows.len() as u64;
        let values = self.values_listed(list, snapshot, &rows, within)?;
        let next = last.filter(|_| truncated).map(|last| {
            let item = |(place, _): &(usize, bool)| values.get(*place)?.last().cloned();
            let items = list.order.iter().filter_map(item).collect();
            Position::new(list.question, items, last).text()
        });
        let columns = list.columns.iter().zip(values);
        let columns =
            columns.map(|(column, values)| self.list_column(column, values, snapshot)).collect();
        Ok(Answer {
            total_rows: usize::try_from(matched).unwrap_or(usize::MAX),
            truncated,
            next,
            ..self.whole_answer(columns, rows.len(), matched)
        })
    }

    /// What the rows of a page have in the columns of the list, column by column.
    fn values_listed(
        &self,
        list: &List,
        snapshot: &Snapshot,
        rows: &[Shown],
        within: Within<'_>,
    ) -> Result<Vec<Vec<Item>>> {
        let mut values: Vec<Vec<Item>> =
            list.columns.iter().map(|_| vec![Item::Unknown; rows.len()]).collect();
        let mut own: Vec<(Shown, usize)> = rows.iter().copied().zip(0..).collect();
        own.sort_unstable();
        // Whoever looks on wants to know what becomes of every segment as a whole.
        let block = |row: u32| if within.probe.is_some() { 0 } else { row / TOGETHER };
        let segments = within.segments(snapshot);
        for together in own.chunk_by(|((s, a), _), ((t, b), _)| s == t && block(*a) == block(*b)) {
            let (Some(((at, first), _)), Some(((_, last), _))) =
                (together.first(), together.last())
            else {
                continue;
            };
            let at = *at as usize;
            let Some(segment) = segments.get(at) else { continue };
            within.run.check()?;
            within.begin(snapshot, at);
            let root = |row| self.root_of(segment, row);
            let roots = root(*first)?..root(*last)?.saturating_add(1);
            let scan = self.scan(segment, &Morsel { segment: at, roots }, within)?;
            let mut set = RowSet::none_in(scan.window(self.table));
            together.iter().for_each(|((_, row), _)| set.insert(*row));
            for (column, values) in list.columns.iter().zip(&mut values) {
                let open = within.open(About::Listed, column);
                let read = scan.listed(column, self.table, snapshot.tree(), &set)?;
                tell(open, set.count(), set.count());
                for (nth, ((_, row), place)) in together.iter().enumerate() {
                    if let Some(slot) = values.get_mut(*place) {
                        *slot = read.item((nth, *row));
                    }
                }
            }
        }
        Ok(values)
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
                let (kind, values, labels) = self.shown(kind, cells.iter(), snapshot.tree(), false);
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
                    items.iter().map(|item| of(item, &label).map(|l: Vec<_>| l.join("、").into()));
                made(AnswerKind::Codes, Values::TextLists(names), Some(labels.collect()))
            }
        }
    }
}
