//! Many rows of a table at once: the way into a batch for a caller who has columns.
//!
//! Invariant: what enters this way is what [`Batch::push`] and [`crate::rows::RowBuilder::put`]
//! would have made of the same rows, or nothing enters.

use crate::batch::{Batch, BatchColumn, LENGTH_BITS, Value, stored, wrong_type};
use crate::error::{Error, Result};
use crate::limits::{BATCH_ROWS_MAX, TEXT_BYTES_MAX};
use crate::path::PathTree;
use crate::schema::{ColumnSchema, Kind, Schema};

/// The values of one column for [`Batch::extend`]: integers or texts, as the column stores them.
#[derive(Debug, Default, Clone)]
pub struct Values {
    column: BatchColumn,
    texts: bool,
    longest: usize,
}

impl Values {
    /// No values yet, with room for so many.
    #[must_use]
    pub fn with_capacity(rows: usize) -> Self {
        let (values, known) = (Vec::with_capacity(rows), Vec::with_capacity(rows.div_ceil(64)));
        let column = BatchColumn { values, known, texts: String::new() };
        Self { column, texts: false, longest: 0 }
    }

    /// How many values there are, the unknown ones among them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.column.values.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.column.values.is_empty()
    }

    /// Adds the value of the next row: what the column stores (see [`Kind`]), or unknown.
    #[inline]
    pub fn push(&mut self, value: Option<i64>) {
        let row = self.column.values.len();
        self.column.values.push(value.unwrap_or(0));
        if row.is_multiple_of(64) {
            self.column.known.push(0);
        }
        if let Some(word) = self.column.known.last_mut() {
            *word |= u64::from(value.is_some()) << (row % 64);
        }
    }

    /// Adds the text of the next row, or unknown.
    #[inline]
    pub fn push_text(&mut self, text: Option<&str>) {
        let span = text.map(|text| {
            let start = i64::try_from(self.column.texts.len()).unwrap_or(i64::MAX >> LENGTH_BITS);
            self.column.texts.push_str(text);
            self.texts = true;
            // A length that does not fit is longer than any that is taken.
            self.longest = self.longest.max(text.len());
            start << LENGTH_BITS | i64::try_from(text.len()).unwrap_or(0)
        });
        self.push(span);
    }
}

impl Batch {
    /// Adds rows at once, column by column: those beneath the last rows of the parent's table,
    /// `counts` of each, or, in the root table, as many as the only number of `counts` says.
    /// `columns` has the values of every column of the table, in its order; a column that is
    /// shorter than the rows is unknown from there on.
    ///
    /// # Errors
    /// [`Error::UnknownTable`], [`Error::UnknownColumn`] on another number of columns,
    /// [`Error::Orphan`] when there are fewer rows above than `counts`, or some have rows in this
    /// table already; [`Error::WrongType`], [`Error::UnknownPath`], [`Error::Limit`] on a value
    /// that its column does not take. Nothing was added then.
    pub fn extend(&mut self, table: usize, counts: &[u32], columns: Vec<Values>) -> Result<()> {
        let Some(declared) = self.schema().tables.get(table) else {
            return Err(Error::UnknownTable { table: table.to_string() });
        };
        if declared.columns.len() != columns.len() {
            let (table, column) = (declared.name.clone(), columns.len().to_string());
            return Err(Error::UnknownColumn { table, column });
        }
        let above = declared.parent.map_or(1, |parent| self.rows(parent));
        let first = above.checked_sub(counts.len());
        let before = self.rows(table);
        let starts = self.table(table).map(|own| own.starts.as_slice()).unwrap_or_default();
        let is_free = |first: usize| match declared.parent {
            None => counts.len() == 1,
            Some(_) => starts.get(first).is_none_or(|start| *start as usize == before),
        };
        let Some(first) = first.filter(|first| is_free(*first)) else {
            let parent = declared.parent.and_then(|parent| self.schema().tables.get(parent));
            let parent = parent.map(|t| t.name.clone()).unwrap_or_default();
            return Err(Error::Orphan { table: declared.name.clone(), parent });
        };
        let added: u64 = counts.iter().map(|count| u64::from(*count)).sum();
        let (found, limit) = (added + before as u64, BATCH_ROWS_MAX as u64);
        if found > limit {
            return Err(Error::Limit { what: "rows of one batch in one table", found, limit });
        }
        for (column, values) in declared.columns.iter().zip(&columns) {
            check((self.schema(), self.tree()), column, values, added)?;
        }
        let is_root = declared.parent.is_none();
        self.grow(table, u32::try_from(added).unwrap_or(u32::MAX));
        let Some(own) = self.tables.get_mut(table) else { return Ok(()) };
        if !is_root {
            let mut start = u32::try_from(before).unwrap_or(u32::MAX);
            for (slot, count) in own.starts.iter_mut().skip(first).zip(counts) {
                *slot = start;
                start = start.saturating_add(*count);
            }
        }
        for (column, values) in own.columns.iter_mut().zip(columns) {
            column.append(before, values.column, values.texts);
        }
        Ok(())
    }

    /// The integer that a column stores for a value; none for an unknown one, and for a text that
    /// a column of texts takes as it is. The batch stays as it was.
    ///
    /// # Errors
    /// As [`crate::rows::RowBuilder::put`].
    pub fn stored(&self, table: usize, column: usize, value: Value<'_>) -> Result<Option<i64>> {
        let declared = self.schema().tables.get(table);
        let Some(declared) = declared.and_then(|table| table.columns.get(column)) else {
            let (table, column) = (table.to_string(), column.to_string());
            return Err(Error::UnknownColumn { table, column });
        };
        match value {
            _ if !declared.kind.is_text() => stored(self.schema(), self.tree(), declared, value),
            Value::Unknown => Ok(None),
            Value::Text(text) => text_fits(text.len()).map(|()| None),
            other => Err(wrong_type(declared, other)),
        }
    }
}

fn text_fits(bytes: usize) -> Result<()> {
    let (found, limit) = (bytes as u64, TEXT_BYTES_MAX as u64);
    if found > limit {
        return Err(Error::Limit { what: "bytes of a text value", found, limit });
    }
    Ok(())
}

/// Whether a column takes all these values.
fn check(
    (schema, tree): (&Schema, &PathTree),
    declared: &ColumnSchema,
    values: &Values,
    rows: u64,
) -> Result<()> {
    if values.len() as u64 > rows {
        let (found, limit) = (values.len() as u64, rows);
        return Err(Error::Limit { what: "values of one column for the rows added", found, limit });
    }
    text_fits(values.longest)?;
    let column = &values.column;
    let known = || column.known.iter().any(|word| *word != 0);
    if declared.kind.is_text() != values.texts && known() {
        let found = if values.texts { Value::Text("") } else { Value::Int(0) };
        return Err(wrong_type(declared, found));
    }
    let codes = || declared.list.and_then(|l| schema.lists.get(l)).map_or(0, |l| l.codes.len());
    // All values in one pass without a branch; one by one only where that finds something.
    let top = match declared.kind {
        Kind::Flag => Some(1),
        Kind::Code => i64::try_from(codes()).ok().map(|codes| codes - 1),
        Kind::Codes => u32::try_from(codes()).ok().map(|c| 1i64.checked_shl(c).unwrap_or(0) - 1),
        Kind::Path => None,
        _ => return Ok(()),
    };
    if top.is_some_and(|top| column.values.iter().all(|v| *v >= 0 && *v <= top)) {
        return Ok(());
    }
    let mut before = None;
    for row in 0..u32::try_from(values.len()).unwrap_or(u32::MAX) {
        let value = column.integer(row);
        if value != before && value.is_some() {
            stored(schema, tree, declared, value.into())?;
            before = value;
        }
    }
    Ok(())
}

impl BatchColumn {
    /// Puts the values of another column behind the first `rows`.
    fn append(&mut self, rows: usize, mut other: Self, texts: bool) {
        if rows == 0 {
            *self = other;
            return;
        }
        if other.values.is_empty() {
            return;
        }
        if texts {
            let shift = i64::try_from(self.texts.len()).unwrap_or(i64::MAX >> LENGTH_BITS);
            other.values.iter_mut().for_each(|span| *span += shift << LENGTH_BITS);
            self.texts.push_str(&other.texts);
        }
        let all = rows + other.values.len();
        self.values.resize(rows, 0);
        self.values.append(&mut other.values);
        self.known.resize(all.div_ceil(64), 0);
        for (nth, word) in other.known.into_iter().enumerate() {
            let at = rows + nth * 64;
            let (low, high) = (word << (at % 64), word.checked_shr(64 - as_shift(at)).unwrap_or(0));
            if let Some(slot) = self.known.get_mut(at / 64) {
                *slot |= low;
            }
            if let Some(slot) = self.known.get_mut(at / 64 + 1) {
                *slot |= high;
            }
        }
    }
}

fn as_shift(at: usize) -> u32 {
    u32::try_from(at % 64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::sync::Arc;

    use super::*;
    use crate::path::PathNode;

    const SCHEMA: &str = r#"name = "s"
        [path]
        name = "place"
        levels = [{ name = "district", digits = 2 }]
        [[list]]
        name = "colour"
        codes = [["1", "red", "Red"], ["2", "blue", "Blue"]]
        [[table]]
        name = "box"
        key = "id"
        columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" },
            { name = "wall", kind = "code", list = "colour" },
            { name = "open", kind = "flag" }, { name = "size", kind = "int" }]
        [[table]]
        name = "ball"
        parent = "box"
        key = "id"
        columns = [{ name = "id", kind = "id" },
            { name = "spots", kind = "codes", list = "colour" }]"#;

    fn batch() -> Batch {
        let schema = Schema::from_toml(SCHEMA).unwrap();
        let nodes = [11, 12].map(|code| PathNode { code, level: 0, name: code.to_string() });
        let tree = PathTree::new(&schema.path, nodes.to_vec()).unwrap();
        Batch::new(Arc::new(schema), Arc::new(tree))
    }

    fn ints(values: &[Option<i64>]) -> Values {
        let mut found = Values::default();
        values.iter().for_each(|value| found.push(*value));
        found
    }

    fn texts(values: &[Option<&str>]) -> Values {
        let mut found = Values::with_capacity(values.len());
        values.iter().for_each(|value| found.push_text(*value));
        found
    }

    /// The same rows, added value by value and, in pieces of drawn sizes, at once.
    #[test]
    fn columns_and_rows_give_the_same_batch() {
        let mut state = 7u64;
        let mut draw = move |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        for _ in 0..50 {
            let (mut by_rows, mut at_once) = (batch(), batch());
            for _ in 0..1 + draw(4) {
                let boxes = draw(100);
                let mut counts = Vec::new();
                let mut columns = [(); 5].map(|()| Values::default());
                let mut balls = [(); 2].map(|()| Values::default());
                for _ in 0..boxes {
                    let id = format!("b{}", draw(1_000_000));
                    let row = [11 + draw(2), draw(2), draw(2), draw(900)];
                    let row = row.map(|v| (draw(4) > 0).then_some(v.cast_signed()));
                    let mut builder = by_rows.push(0).unwrap();
                    builder.put(0, Value::Text(&id)).unwrap();
                    columns[0].push_text(Some(&id));
                    for (at, value) in (1..).zip(row) {
                        builder.put(at, value.into()).unwrap();
                        columns[at].push(value);
                    }
                    counts.push(u32::try_from(draw(4)).unwrap());
                    for _ in 0..counts[counts.len() - 1] {
                        let id = (draw(3) > 0).then(|| format!("球{}", draw(99)));
                        let spots = (draw(3) > 0).then(|| draw(4).cast_signed());
                        let mut builder = by_rows.push(1).unwrap();
                        builder.put(0, id.as_deref().into()).unwrap();
                        builder.put(1, spots.into()).unwrap();
                        balls[0].push_text(id.as_deref());
                        balls[1].push(spots);
                    }
                }
                let boxes = u32::try_from(boxes).unwrap();
                at_once.extend(0, &[boxes], columns.to_vec()).unwrap();
                at_once.extend(1, &counts, balls.to_vec()).unwrap();
            }
            for (table, columns) in [(0, 5), (1, 2)] {
                assert_eq!(by_rows.rows(table), at_once.rows(table));
                let rows = u32::try_from(by_rows.rows(table)).unwrap();
                for (column, row) in (0..columns).flat_map(|c| (0..rows).map(move |r| (c, r))) {
                    let of = |b: &Batch| {
                        let cells = b.column(table, column).unwrap();
                        (cells.text(row).map(str::to_owned), cells.integer(row).is_some())
                    };
                    let number = |b: &Batch| b.column(table, column).unwrap().integer(row);
                    assert_eq!(of(&by_rows), of(&at_once), "{table} {column} {row}");
                    if column > 0 {
                        assert_eq!(number(&by_rows), number(&at_once), "{table} {column} {row}");
                    }
                }
            }
            let boxes = u32::try_from(by_rows.rows(0)).unwrap();
            let beneath = |b: &Batch, row| b.table(1).unwrap().beneath(row);
            assert!((0..boxes).all(|row| beneath(&by_rows, row) == beneath(&at_once, row)));
        }
    }

    #[test]
    fn what_does_not_fit_adds_nothing() {
        let mut batch = batch();
        let none = Values::default;
        let rows = |id, place, wall, open, size| {
            let numbers = [place, wall, open, size].map(|value| ints(&[Some(value)]));
            [vec![texts(&[Some(id)])], numbers.to_vec()].concat()
        };
        let long = "b".repeat(TEXT_BYTES_MAX + 1);
        for (table, counts, columns) in [
            (2, vec![1], vec![none()]),
            (0, vec![1], vec![none()]),
            (1, vec![1], vec![none(), none()]),
            (0, vec![1, 1], vec![none(), none(), none(), none(), none()]),
            (0, vec![1], rows("b", 13, 0, 0, 0)),
            (0, vec![1], rows("b", 11, 2, 0, 0)),
            (0, vec![1], rows("b", 11, 0, 2, 0)),
            (0, vec![1], rows(&long, 11, 0, 0, 0)),
            (0, vec![0], rows("b", 11, 0, 0, 0)),
            (0, vec![1], vec![ints(&[Some(1)]), none(), none(), none(), none()]),
            (0, vec![1], vec![none(), texts(&[Some("11")]), none(), none(), none()]),
            (0, vec![u32::MAX], vec![none(), none(), none(), none(), none()]),
        ] {
            assert!(batch.extend(table, &counts, columns).is_err(), "{table} {counts:?}");
            assert_eq!((batch.rows(0), batch.rows(1)), (0, 0));
        }
        batch.extend(0, &[1], rows("b", 11, 1, 1, -7)).unwrap();
        batch.extend(1, &[2], vec![texts(&[Some("x")]), ints(&[None, Some(3)])]).unwrap();
        assert!(batch.extend(1, &[1], vec![none(), none()]).is_err(), "it has rows already");
        assert!(batch.extend(1, &[], vec![none(), ints(&[Some(1)])]).is_err());
        assert_eq!((batch.rows(0), batch.rows(1)), (1, 2));
        assert_eq!(batch.stored(1, 1, Value::Text("red;blue")).unwrap(), Some(3));
        assert!(batch.stored(1, 1, Value::Text("green")).is_err());
    }
}
