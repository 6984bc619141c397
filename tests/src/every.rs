//! A small database in which every encoding occurs that a writer chooses, and every kind of file:
//! what the frozen databases are made of.
//!
//! Nothing is drawn: the same number gives the same row for ever.

use std::collections::BTreeMap;
use std::sync::Arc;

use yiku::schema::{ColumnSchema, Kind, PathNode};
use yiku::{CommitInfo, Compaction, Database, PathTree, Schema, Writer};

use crate::memory::{Files, Memory};
use crate::registry::{Cell, Row, Rows, push};

const SCHEMA: &str = r#"
name = "every"
[path]
name = "place"
levels = [{ name = "hall", digits = 2 }, { name = "shelf", digits = 4 }]
[[list]]
name = "colour"
codes = [["1", "red", "Red"], ["2", "blue", "Blue"], ["3", "green", "Green"],
    ["4", "grey", "Grey"], ["9", "other", "Other"]]
[[table]]
name = "box"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" },
    { name = "same", kind = "int" }, { name = "size", kind = "int" },
    { name = "load", kind = "int", index = true }, { name = "price", kind = "money" },
    { name = "cost", kind = "money", index = true }, { name = "made", kind = "date" },
    { name = "sold", kind = "month" }, { name = "open", kind = "flag" },
    { name = "full", kind = "flag", index = true },
    { name = "lid", kind = "code", list = "colour" },
    { name = "side", kind = "code", list = "colour", index = true },
    { name = "marks", kind = "codes", list = "colour" },
    { name = "tags", kind = "codes", list = "colour", index = true },
    { name = "label", kind = "text" }, { name = "note", kind = "text" },
    { name = "serial", kind = "text" }, { name = "blank", kind = "text" },
    { name = "rare", kind = "int" }, { name = "rare_load", kind = "int", index = true },
    { name = "rare_price", kind = "money" },
    { name = "rare_cost", kind = "money", index = true }]
[[table]]
name = "ball"
parent = "box"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "weight", kind = "int" },
    { name = "colour", kind = "code", list = "colour", index = true },
    { name = "bought", kind = "date" }, { name = "name", kind = "text" }]
"#;

/// Boxes of the first load.
const BOXES: u32 = 136;
/// Values that lie far apart.
const FAR: [i64; 3] = [5, 1_000_000_007, -9_000_000_000];
/// Texts that are met often.
const LABELS: [&str; 4] = ["toys", "old letters", "中文", ""];

/// The schema.
///
/// # Panics
/// When it contradicts itself.
#[must_use]
pub fn schema() -> Schema {
    Schema::from_toml(SCHEMA).unwrap()
}

/// A tree of so many halls with four shelves each.
fn tree(halls: u64) -> PathTree {
    let mut nodes = Vec::new();
    for hall in (11..).take(usize::try_from(halls).unwrap()) {
        nodes.push(PathNode { code: hall * 100, level: 0, name: format!("Hall {hall}") });
        let shelf = |shelf| PathNode { code: hall * 100 + shelf, level: 1, name: "架".to_owned() };
        nodes.extend((1..=4).map(shelf));
    }
    PathTree::new(&schema().path, nodes).unwrap()
}

/// A value of the box or ball of a number, as a load of a number has it.
fn cell(column: &ColumnSchema, number: u32, load: u32) -> Cell {
    let (name, number, load) = (column.name.as_str(), i64::from(number), i64::from(load));
    let letters: i64 = name.bytes().map(i64::from).sum();
    let mixed = (number * 7_919 + load * 104_729 + letters * 31).rem_euclid(1_009);
    let one_of = |count: usize| usize::try_from(mixed).unwrap() % count;
    let always = matches!(name, "place" | "same" | "made" | "serial");
    let rare = name.starts_with("rare");
    if name == "blank" || rare && number % 3 != 1 || !always && !rare && mixed % 6 == 0 {
        return Cell::Unknown;
    }
    Cell::Int(match (name, column.kind) {
        // As rows stand by their place, neighbours have the same.
        ("place", _) => 1_101 + number * 4 / i64::from(BOXES) % 4,
        ("made", _) => 20_000 + number / 24,
        ("same", _) => 7,
        ("size", _) => mixed * 1_009,
        ("load" | "rare_load", _) => mixed % 16,
        // Evenly rising in groups of 64 rows, but not from one to the next.
        ("serial", _) => {
            let shift = if (64..128).contains(&number) { 5_000_000 } else { 0 };
            return Cell::Text(format!("S-{:07}", 3_000 + number * 17 + shift));
        }
        ("label", _) => return Cell::Text(LABELS[one_of(LABELS.len())].to_owned()),
        (_, Kind::Text) => return Cell::Text(format!("{} {mixed}", LABELS[one_of(3)].repeat(3))),
        ("rare_cost", _) => mixed % 8 * FAR[1],
        (_, Kind::Money) => FAR[one_of(FAR.len())],
        (_, Kind::Flag) => mixed % 2,
        (_, Kind::Code) => mixed % 5,
        (_, Kind::Codes) => mixed % 32,
        (_, Kind::Month) => 24_300 + mixed % 30,
        _ => mixed,
    })
}

/// The row of a number with the rows beneath it.
fn row(schema: &Schema, table: usize, key: &str, (number, load): (u32, u32)) -> Row {
    let declared = &schema.tables[table];
    let columns = declared.columns.iter().enumerate();
    let cells = columns.map(|(place, column)| match place == declared.key {
        true => Cell::Text(key.to_owned()),
        false => cell(column, number, load),
    });
    let beneath = schema.children(table).into_iter().flat_map(|child| {
        let balls = (number + load) % 4;
        (0..balls).map(move |ball| (child, number * 4 + ball))
    });
    let beneath =
        beneath.map(|(child, ball)| row(schema, child, &format!("ball {ball}"), (ball, load)));
    Row { table, cells: cells.collect(), beneath: beneath.collect() }
}

/// Writes boxes in one batch.
fn write(writer: &mut Writer, rows: &mut Rows, boxes: std::ops::Range<u32>, load: u32) {
    let mut batch = writer.batch();
    for number in boxes {
        let key = format!("B{number:03}");
        let bundle = row(&schema(), 0, &key, (number, load));
        push(&mut batch, &bundle);
        rows.insert(key, bundle);
    }
    writer.write(&batch).unwrap();
}

/// A database by a fixed sequence of loads: segments of several commits in order and out of it,
/// live sets, two trees, versions under names, month ends, a log. Its files, and its rows.
///
/// # Panics
/// When the engine refuses.
#[must_use]
pub fn load() -> (Files, Rows) {
    let (storage, mut rows) = (Memory::new(Files::new()), Rows::new());
    let place = Arc::<Memory>::clone(&storage);
    let database = Database::create_in(place, schema(), tree(1)).unwrap();
    database.keep_month_ends(Some(2)).unwrap();
    let mut writer = database.writer().unwrap();
    write(&mut writer, &mut rows, 0..BOXES, 1);
    let info = CommitInfo { as_of: Some(20_757), ..CommitInfo::default() };
    writer.commit(info).unwrap();
    database.keep("first").unwrap();
    write(&mut writer, &mut rows, 20..40, 2);
    let notes = BTreeMap::from([("load".to_owned(), "the second".to_owned())]);
    writer.commit(CommitInfo { notes, as_of: Some(20_787) }).unwrap();
    // Rows of two commits in one segment.
    database.compact(Compaction::Whole, &|| false).unwrap();
    writer.set_tree(tree(2)).unwrap();
    write(&mut writer, &mut rows, 30..34, 3);
    assert!(writer.remove("B007").unwrap() && rows.remove("B007").is_some());
    writer.commit(CommitInfo::default()).unwrap();
    // The first of these makes a log, the others go into it.
    for number in 0..3 {
        write(&mut writer, &mut rows, number * 9..number * 9 + 2, 4);
        let key = format!("B{:03}", 50 + number);
        assert!(writer.remove(&key).unwrap() && rows.remove(&key).is_some());
        writer.commit(CommitInfo::default()).unwrap();
    }
    (storage.files(), rows)
}
