//! The slow way to answer: every row of a segment taken out, looked at one by one.
//!
//! What the engine answers is compared with it. Errors of the engine are passed on, so that the
//! same checks serve on files that are damaged.

use std::collections::BTreeSet;

use yiku::schema::Kind;
use yiku::segment::Access;
use yiku::{Bundle, Predicate, Result, RowSet, Schema, Segment, Snapshot};

use crate::registry::{Cell, Row, Rows};

/// A bundle as a plain row.
#[must_use]
pub fn row(bundle: &Bundle) -> Row {
    let cell = |cell: &yiku::rows::Cell| match cell {
        yiku::rows::Cell::Unknown => Cell::Unknown,
        yiku::rows::Cell::Int(value) => Cell::Int(*value),
        yiku::rows::Cell::Text(text) => Cell::Text(text.clone()),
    };
    Row {
        table: bundle.table,
        cells: bundle.cells.iter().map(cell).collect(),
        beneath: bundle.beneath.iter().map(row).collect(),
    }
}

/// Every row of a segment, live or not.
#[derive(Debug)]
pub struct Flat {
    /// By table, column and row.
    pub cells: Vec<Vec<Vec<Cell>>>,
    /// By table and row: the row above; none for the root.
    pub parents: Vec<Vec<u32>>,
}

/// Takes every row out of a segment.
///
/// # Errors
/// The engine's.
///
/// # Panics
/// When the engine gives more or fewer values than there are rows.
pub fn flat(schema: &Schema, segment: &Segment) -> Result<Flat> {
    let mut found = Flat { cells: Vec::new(), parents: Vec::new() };
    for (table, declared) in schema.tables.iter().enumerate() {
        let mut columns = Vec::new();
        for (place, shape) in declared.columns.iter().enumerate() {
            let rows = segment.rows(table);
            let column = segment.column(table, place)?;
            let mut cells = Vec::new();
            if shape.kind.is_text() {
                let cell =
                    |text: Option<&str>| text.map_or(Cell::Unknown, |t| Cell::Text(t.into()));
                column.texts(0..rows, &mut |_, text| cells.push(cell(text)))?;
            } else {
                let (known, mut values) = (column.known()?, Vec::new());
                column.integers(0..rows, &mut values)?;
                let cell = |(row, value)| match known.contains(row) {
                    true => Cell::Int(value),
                    false => Cell::Unknown,
                };
                cells.extend((0u32..).zip(values).map(cell));
            }
            assert_eq!(cells.len(), rows as usize, "rows of column {}", shape.name);
            columns.push(cells);
        }
        found.cells.push(columns);
        let offsets = segment.offsets(table)?;
        let spans = (0u32..).zip(offsets.windows(2));
        let parents =
            spans.flat_map(|(row, span)| std::iter::repeat_n(row, (span[1] - span[0]) as usize));
        found.parents.push(parents.collect());
    }
    Ok(found)
}

/// The live bundles of a snapshot, by the key of their root row.
///
/// # Errors
/// The engine's.
///
/// # Panics
/// When a bundle stands twice, or root rows are not in their order.
pub fn rows(snapshot: &Snapshot) -> Result<Rows> {
    let schema = snapshot.schema();
    let mut found = Rows::new();
    for segment in snapshot.segments() {
        let flat = flat(schema, segment)?;
        let live = segment.live(0)?;
        let mut before: Option<(&Cell, &Cell)> = None;
        let (key, path) = (schema.tables[0].key, schema.path_column());
        let mut next = vec![0usize; schema.tables.len()];
        for row in 0..segment.rows(0) {
            let bundle = take(schema, &flat, 0, row, &mut next);
            let at = |column: usize| &flat.cells[0][column][row as usize];
            let order = |a: (&Cell, &Cell), b: (&Cell, &Cell)| match (a, b) {
                ((Cell::Int(a), Cell::Text(x)), (Cell::Int(b), Cell::Text(y))) => (a, x) < (b, y),
                _ => false,
            };
            let here = (at(path), at(key));
            assert!(before.is_none_or(|before| order(before, here)), "rows are out of order");
            before = Some(here);
            if let (true, Cell::Text(key)) = (live.contains(row), at(key)) {
                assert!(found.insert(key.clone(), bundle).is_none(), "{key} stands twice");
            }
        }
    }
    Ok(found)
}

/// The row and everything beneath it; rows of a table are taken in their order.
fn take(schema: &Schema, flat: &Flat, table: usize, row: u32, next: &mut [usize]) -> Row {
    let cells = flat.cells[table].iter().map(|column| column[row as usize].clone()).collect();
    let mut beneath = Vec::new();
    for child in schema.children(table) {
        while flat.parents[child].get(next[child]) == Some(&row) {
            let below = u32::try_from(next[child]).unwrap();
            next[child] += 1;
            beneath.push(take(schema, flat, child, below, next));
        }
    }
    Row { table, cells, beneath }
}

/// Whether a value satisfies a predicate.
#[must_use]
pub fn satisfies(cell: &Cell, predicate: &Predicate) -> bool {
    match (cell, predicate) {
        (Cell::Unknown, _) => matches!(predicate, Predicate::Unknown),
        (_, Predicate::Known) => true,
        (_, Predicate::Unknown) => false,
        (Cell::Int(value), Predicate::Range { min, max }) => min <= value && value <= max,
        (Cell::Int(value), Predicate::In(list)) => list.contains(value),
        (Cell::Int(value), Predicate::HasAny(bits)) => value.cast_unsigned() & bits != 0,
        (Cell::Int(value), Predicate::HasAll(bits)) => value.cast_unsigned() & bits == *bits,
        (Cell::Int(value), Predicate::HasNone(bits)) => value.cast_unsigned() & bits == 0,
        (Cell::Text(text), Predicate::TextIn(list)) => list.contains(text),
        (Cell::Text(text), Predicate::TextStarts(start)) => text.starts_with(start.as_str()),
        _ => false,
    }
}

/// Predicates that ask a column everything once, built from values that it has.
#[must_use]
pub fn predicates(kind: Kind, cells: &[Cell]) -> Vec<Predicate> {
    let mut asked = vec![Predicate::Known, Predicate::Unknown, Predicate::TextStarts("q".into())];
    let step = cells.len() / 3 + 1;
    let integers = cells.iter().filter_map(|cell| match cell {
        Cell::Int(value) => Some(*value),
        _ => None,
    });
    let mut some: Vec<i64> = integers.step_by(step).chain([0, 3]).collect();
    some.sort_unstable();
    some.dedup();
    if kind.is_text() {
        let texts = cells.iter().step_by(step).filter_map(|cell| match cell {
            Cell::Text(text) => Some(text.clone()),
            _ => None,
        });
        let mut list: Vec<String> = texts.chain(["absent".into()]).collect();
        asked.push(Predicate::TextIn(list.clone()));
        list.extend(list.clone());
        asked.push(Predicate::TextIn(list));
        asked.push(Predicate::TextStarts(String::new()));
    } else {
        asked.push(Predicate::Range { min: i64::MIN, max: i64::MAX });
        asked.push(Predicate::Range { min: 1, max: 0 });
        asked.push(Predicate::In(Vec::new()));
        let pairs = some.iter().zip(some.iter().rev());
        asked.extend(pairs.map(|(min, max)| Predicate::Range { min: *min, max: *max }));
        asked.push(Predicate::In(some.clone()));
        asked.push(Predicate::TextIn(vec!["1".into()]));
    }
    asked.extend(some.iter().map(|value| Predicate::In(vec![*value])));
    for bits in [0, 1, 2, 6, 1 << 4, 1 << 62, u64::MAX] {
        asked.push(Predicate::HasAny(bits));
        asked.push(Predicate::HasAll(bits));
        asked.push(Predicate::HasNone(bits));
    }
    asked
}

/// Compares one answer of a column with that of looking at every row; how it was served.
///
/// # Errors
/// The engine's.
///
/// # Panics
/// When the answers differ.
pub fn check_filter(
    segment: &Segment,
    flat: &Flat,
    (table, place): (usize, usize),
    predicate: &Predicate,
) -> Result<Access> {
    let column = segment.column(table, place)?;
    let cells = (0u32..).zip(&flat.cells[table][place]);
    let rows = cells.filter(|(_, cell)| satisfies(cell, predicate)).map(|(row, _)| row);
    let found = column.filter(predicate)?;
    let served = column.served_by(predicate);
    assert!(
        found.iter().eq(rows) && found.len_rows() == segment.rows(table),
        "table {table}, column {place}: {predicate:?}, served by {served:?}"
    );
    Ok(served)
}

/// Compares lifting and spreading a set of a child table with looking at every row.
///
/// # Errors
/// The engine's.
///
/// # Panics
/// When the answers differ.
pub fn check_lift(segment: &Segment, flat: &Flat, child: usize, rows: &RowSet) -> Result<()> {
    let parents = &flat.parents[child];
    let above: BTreeSet<u32> = rows.iter().map(|row| parents[row as usize]).collect();
    let lifted = segment.lift_any(child, rows)?;
    assert!(lifted.iter().eq(above.iter().copied()), "lift of table {child}");
    let below = (0u32..).zip(parents).filter(|(_, parent)| above.contains(parent));
    let spread = segment.spread(child, &lifted)?;
    assert!(spread.iter().eq(below.map(|(row, _)| row)), "spread to table {child}");
    Ok(())
}

/// Asks every column of a snapshot everything once, and compares; how the answers were served.
///
/// # Errors
/// The engine's.
///
/// # Panics
/// When an answer differs.
pub fn check_all(snapshot: &Snapshot) -> Result<Vec<Access>> {
    let schema = snapshot.schema();
    let mut served = Vec::new();
    for segment in snapshot.segments() {
        let flat = flat(schema, segment)?;
        for (table, declared) in schema.tables.iter().enumerate() {
            for (place, column) in declared.columns.iter().enumerate() {
                for predicate in predicates(column.kind, &flat.cells[table][place]) {
                    served.push(check_filter(segment, &flat, (table, place), &predicate)?);
                    if declared.parent.is_some() {
                        let rows = segment.column(table, place)?.filter(&predicate)?;
                        check_lift(segment, &flat, table, &rows)?;
                    }
                }
            }
            let live = segment.live(table)?;
            let beneath = match declared.parent {
                Some(parent) => {
                    let above = segment.live(parent)?;
                    let parents = (0u32..).zip(&flat.parents[table]);
                    parents.filter(|(_, p)| above.contains(**p)).map(|(row, _)| row).collect()
                }
                None => live.iter().collect::<Vec<u32>>(),
            };
            assert!(live.iter().eq(beneath), "live rows of table {table}");
        }
        check_places(snapshot, segment, &flat)?;
    }
    Ok(served)
}

/// Compares the rows of every place of the tree with looking at every row.
fn check_places(snapshot: &Snapshot, segment: &Segment, flat: &Flat) -> Result<()> {
    let tree = snapshot.tree();
    let paths = &flat.cells[0][snapshot.schema().path_column()];
    for node in tree.nodes() {
        let (low, high) = tree.range(node);
        let inside = |cell: &Cell| match cell {
            Cell::Int(code) => (low..=high).contains(&code.cast_unsigned()),
            _ => false,
        };
        let rows = (0u32..).zip(paths).filter(|(_, cell)| inside(cell)).map(|(row, _)| row);
        assert!(segment.path_rows(low, high)?.eq(rows), "rows of place {}", node.code);
    }
    assert_eq!(segment.path_rows(0, u64::MAX)?, 0..segment.rows(0), "rows of every place");
    Ok(())
}
