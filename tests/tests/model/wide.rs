//! Sizes that cross the borders of blocks and segments.

use std::sync::Arc;

use yiku::limits::{BLOCK_ROWS, SEGMENT_ROWS_MAX};
use yiku::schema::PathNode;
use yiku::{CommitInfo, Database, PathTree, Predicate, RowSet, Schema, Value};
use yiku_tests::expected::Expected;
use yiku_tests::memory::{Files, Memory};
use yiku_tests::sample::{Mood, schema, tree};
use yiku_tests::{Random, naive};

/// The first and last rows of blocks, and a few about them.
fn borders(rows: u32) -> RowSet {
    let mut set = RowSet::none(rows);
    for border in (0..rows).step_by(BLOCK_ROWS as usize).chain([rows]) {
        (border.saturating_sub(2)..border + 2).for_each(|row| set.insert(row));
    }
    set
}

#[test]
fn blocks_are_crossed_in_every_table() {
    let storage = Memory::new(Files::new());
    let database = Database::create_in(storage, schema(), tree(4)).unwrap();
    let (mut random, mut expected) = (Random::new(77), Expected::new(4));
    let mut writer = database.writer().unwrap();
    let key = |number: u32| format!("H{number:06}");
    let houses: Vec<String> = (0..BLOCK_ROWS + 1_500).map(key).collect();
    expected.write(&mut writer, &mut random, Mood::Mixed, &houses).unwrap();
    // The second segment replaces across the border of the first one's blocks.
    let again: Vec<String> = (BLOCK_ROWS - 700..BLOCK_ROWS + 900).map(key).collect();
    expected.write(&mut writer, &mut random, Mood::Wide, &again).unwrap();
    for number in [0, 1, BLOCK_ROWS - 1_000, BLOCK_ROWS, BLOCK_ROWS + 1_499, BLOCK_ROWS + 9_000] {
        expected.remove(&mut writer, &key(number)).unwrap();
    }
    expected.commit(&CommitInfo::default());
    let snapshot = writer.commit(CommitInfo::default()).unwrap();
    assert_eq!(snapshot.segments().len(), 2);
    expected.check(&snapshot).unwrap();
    for segment in snapshot.segments() {
        let flat = naive::flat(snapshot.schema(), segment).unwrap();
        for (table, declared) in snapshot.schema().tables.iter().enumerate() {
            for (place, column) in declared.columns.iter().enumerate() {
                let cells = &flat.cells[table][place];
                let asked = naive::predicates(column.kind, cells).into_iter();
                for predicate in asked.step_by(if cells.len() > 100_000 { 3 } else { 1 }) {
                    naive::check_filter(segment, &flat, (table, place), &predicate).unwrap();
                }
            }
            if declared.parent.is_some() {
                let rows = borders(segment.rows(table));
                naive::check_lift(segment, &flat, table, &rows).unwrap();
                let mut most = RowSet::all(segment.rows(table));
                most.and_not(&rows);
                naive::check_lift(segment, &flat, table, &most).unwrap();
            }
        }
    }
    let largest = snapshot.segments()[0].rows(1);
    assert!(largest > BLOCK_ROWS, "rooms cross a block too: {largest}");
}

const NARROW: &str = r#"
name = "narrow"
[path]
name = "place"
levels = [{ name = "district", digits = 2 }]
[[table]]
name = "house"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" }]
[[table]]
name = "lamp"
parent = "house"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "watts", kind = "int" }]
"#;

#[test]
fn a_batch_larger_than_a_segment_becomes_several() {
    let schema = Schema::from_toml(NARROW).unwrap();
    let node = |code| PathNode { code, level: 0, name: "N".into() };
    let tree = PathTree::new(&schema.path, (11..16).map(node).collect()).unwrap();
    let storage = Memory::new(Files::new());
    let database = Database::create_in(Arc::<Memory>::clone(&storage), schema, tree).unwrap();
    let mut writer = database.writer().unwrap();
    let mut batch = writer.batch();
    // Every house has 97 lamps, so that neither blocks nor segments end with a house.
    let (beneath, houses) = (97i64, 2 * i64::from(SEGMENT_ROWS_MAX) / 97 + 40);
    for house in 0..houses {
        let place = Value::Int(11 + house % 5);
        let key = format!("H{house}");
        batch.row("house").unwrap().set("id", key.as_str()).unwrap().set("place", place).unwrap();
        for lamp in 0..beneath {
            let mut row = batch.push(1).unwrap();
            row.put(1, Value::Int(house * 1_000 + lamp)).unwrap();
        }
    }
    writer.write(&batch).unwrap();
    let snapshot = writer.commit(CommitInfo::default()).unwrap();
    assert!(snapshot.segments().len() >= 3, "{} segments", snapshot.segments().len());
    assert_eq!(snapshot.rows(1), u64::try_from(houses * beneath).unwrap());
    let mut met = vec![false; usize::try_from(houses).unwrap()];
    for segment in snapshot.segments() {
        assert!(segment.rows(1) <= SEGMENT_ROWS_MAX && segment.rows(1) > BLOCK_ROWS);
        let mut keys: Vec<i64> = Vec::new();
        let column = segment.column(0, 0).unwrap();
        let mut visit = |_, key: Option<&str>| keys.push(key.unwrap()[1..].parse().unwrap());
        column.texts(0..segment.rows(0), &mut visit).unwrap();
        let mut watts = Vec::new();
        segment.column(1, 1).unwrap().integers(0..segment.rows(1), &mut watts).unwrap();
        let offsets = segment.offsets(1).unwrap();
        for (house, span) in keys.iter().zip(offsets.windows(2)) {
            let own: &[i64] = &watts[span[0] as usize..span[1] as usize];
            assert!(own.iter().copied().eq((0..beneath).map(|lamp| house * 1_000 + lamp)));
            met[usize::try_from(*house).unwrap()] = true;
        }
        // One lamp of every house: lifting gives all houses, spreading back all lamps.
        let first = (0..houses).map(|house| house * 1_000).collect();
        let rows = segment.column(1, 1).unwrap().filter(&Predicate::In(first)).unwrap();
        let lifted = segment.lift_any(1, &rows).unwrap();
        assert_eq!(lifted, RowSet::all(segment.rows(0)));
        assert_eq!(segment.spread(1, &lifted).unwrap(), RowSet::all(segment.rows(1)));
    }
    assert!(met.into_iter().all(|met| met), "a house is missing");
}
