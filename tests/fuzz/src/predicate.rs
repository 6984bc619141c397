//! Rows and a question drawn from an input: the answer is that of looking at every row.

use yiku::schema::Kind;
use yiku::{CommitInfo, Database, Predicate};
use yiku_tests::memory::{Files, Memory};
use yiku_tests::naive;
use yiku_tests::registry::{Cell, Row, push};
use yiku_tests::sample::{schema, tree};

use crate::Input;

/// A value; few bytes give the values that are near to borders.
fn integer(input: &mut Input<'_>, past: &[i64]) -> i64 {
    match input.byte() {
        0xFF => input.long(),
        0xFE => i64::MIN,
        0xFD => i64::MAX,
        0xFC => i64::from(input.short().to_le_bytes()[0]) << 40,
        short @ 0x80.. if !past.is_empty() => {
            let before = past[usize::from(short & 0x3F) % past.len()];
            before.wrapping_add(i64::from(short & 0x40 != 0))
        }
        short => i64::from(short),
    }
}

fn text(input: &mut Input<'_>) -> String {
    let count = usize::from(input.byte() % 12);
    String::from_utf8_lossy(input.take(count)).into_owned()
}

fn value(kind: Kind, input: &mut Input<'_>, past: &mut Vec<i64>) -> Cell {
    if input.byte() % 5 == 0 {
        return Cell::Unknown;
    }
    let value = match kind {
        Kind::Text | Kind::Id => return Cell::Text(text(input)),
        Kind::Flag => i64::from(input.byte() & 1),
        Kind::Code => i64::from(input.byte() % 5),
        Kind::Codes => i64::from(input.byte() & 31),
        Kind::Date | Kind::Month => integer(input, past).clamp(-500_000, 500_000),
        _ => integer(input, past),
    };
    past.push(value);
    Cell::Int(value)
}

fn question(input: &mut Input<'_>, past: &[i64], texts: &[String]) -> Predicate {
    match input.byte() % 9 {
        0 => Predicate::Known,
        1 => Predicate::Unknown,
        2 => {
            let mut list: Vec<i64> = (0..input.byte() % 9).map(|_| integer(input, past)).collect();
            list.sort_unstable();
            list.dedup();
            Predicate::In(list)
        }
        3 => Predicate::HasAny(integer(input, past).cast_unsigned()),
        4 => Predicate::HasAll(integer(input, past).cast_unsigned()),
        5 => Predicate::HasNone(integer(input, past).cast_unsigned()),
        6 => {
            let mut list: Vec<String> = (0..input.byte() % 4).map(|_| text(input)).collect();
            list.extend(texts.iter().take(usize::from(input.byte() % 4)).cloned());
            Predicate::TextIn(list)
        }
        7 => Predicate::TextStarts(text(input)),
        _ => Predicate::Range { min: integer(input, past), max: integer(input, past) },
    }
}

/// Writes the rows of an input and asks its questions of one column.
///
/// # Panics
/// When an answer is wrong.
pub fn run(bytes: &[u8]) {
    let input = &mut Input::new(bytes);
    let (schema, tree) = (schema(), tree(1));
    let place = usize::from(input.byte()) % schema.tables[0].columns.len();
    let kind = schema.tables[0].columns[place].kind;
    if place == schema.tables[0].key || kind == Kind::Path {
        return;
    }
    let (count, times) = (usize::from(input.byte()), 1 + usize::from(input.byte() % 16));
    let street = tree.nodes().last().map_or(0, |node| node.code);
    let mut rows: Vec<Row> = Vec::new();
    let (mut past, mut texts) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let cell = value(kind, input, &mut past);
        if let Cell::Text(text) = &cell {
            texts.push(text.clone());
        }
        // Runs of one value come about only when they are asked for.
        for _ in 0..times {
            let mut cells = vec![Cell::Unknown; schema.tables[0].columns.len()];
            cells[schema.tables[0].key] = Cell::Text(format!("K{:05}", rows.len()));
            cells[schema.path_column()] = Cell::Int(street.cast_signed());
            cells[place] = cell.clone();
            rows.push(Row { table: 0, cells, beneath: Vec::new() });
        }
    }
    let database = Database::create_in(Memory::new(Files::new()), schema, tree).unwrap();
    let mut writer = database.writer().unwrap();
    let mut batch = writer.batch();
    rows.iter().for_each(|row| push(&mut batch, row));
    writer.write(&batch).unwrap();
    let snapshot = writer.commit(CommitInfo::default()).unwrap();
    let flats = snapshot.segments().iter().map(|s| naive::flat(snapshot.schema(), s).unwrap());
    let flats: Vec<_> = flats.collect();
    for _ in 0..4 {
        let asked = question(input, &past, &texts);
        for (segment, flat) in snapshot.segments().iter().zip(&flats) {
            naive::check_filter(segment, flat, (0, place), &asked).unwrap();
        }
    }
}
