//! Tests of what is done to whole segments: rows taken out, merged, walked over, looked for.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::path::PathBuf;
use std::sync::Arc;

use super::{RootWalk, Segment, SegmentFile, Wanted, build, merge};
use crate::batch::Batch;
use crate::path::{PathNode, PathTree};
use crate::predicate::Predicate;
use crate::row_set::RowSet;
use crate::schema::Schema;
use crate::storage::Bytes;

const SCHEMA: &str = r#"
name = "s"
[path]
name = "place"
levels = [{ name = "district", digits = 2 }]
[[list]]
name = "colour"
codes = [["1", "red", "Red"], ["2", "blue", "Blue"], ["3", "green", "Green"]]
[[table]]
name = "box"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" },
    { name = "side", kind = "code", list = "colour", index = INDEX },
    { name = "tags", kind = "codes", list = "colour", index = INDEX },
    { name = "weight", kind = "int", index = INDEX }, { name = "note", kind = "text" },
    { name = "grade", kind = "code", list = "colour", index = INDEX },
    { name = "rare", kind = "int", index = INDEX },
    { name = "paid", kind = "money", index = INDEX },
    { name = "since", kind = "date" }]
[[table]]
name = "ball"
parent = "box"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "round", kind = "flag", index = INDEX },
    { name = "price", kind = "money", index = INDEX }, { name = "made", kind = "date" }]
[[table]]
name = "dot"
parent = "ball"
key = "id"
columns = [{ name = "id", kind = "id" }]
"#;

fn schema(index: bool) -> Arc<Schema> {
    Arc::new(Schema::from_toml(&SCHEMA.replace("INDEX", &index.to_string())).unwrap())
}

fn mixed(number: u64) -> i64 {
    let x = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    i64::try_from((x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 24).unwrap()
}

/// Boxes of these numbers, each with balls and dots that follow from its number.
fn batch(schema: &Arc<Schema>, numbers: impl Iterator<Item = u64>) -> Batch {
    let nodes = (11..15).map(|code| PathNode { code, level: 0, name: "N".into() }).collect();
    let tree = Arc::new(PathTree::new(&schema.path, nodes).unwrap());
    let mut batch = Batch::new(Arc::clone(schema), tree);
    for number in numbers {
        let drawn = |salt: u64, below: i64| mixed(number * 32 + salt) % below;
        let some = |salt: u64, value: i64| (drawn(salt, 5) > 0).then_some(value);
        let (key, note) = (format!("B{number:06}"), format!("note {}", drawn(1, 1_000)));
        let mut row = batch.row("box").unwrap();
        row = row.set("id", key.as_str()).unwrap().set("place", 11 + drawn(2, 4)).unwrap();
        row = row.set("side", some(3, i64::from(drawn(4, 40) == 0) * 2)).unwrap();
        row = row.set("tags", some(5, drawn(6, 8) & drawn(7, 8))).unwrap();
        row = row.set("weight", some(8, drawn(9, 90_000) - 300)).unwrap();
        let seldom = |salt: u64, value: i64| (drawn(salt, 8) == 0).then_some(value);
        row = row.set("grade", seldom(16, drawn(17, 3))).unwrap();
        row = row.set("rare", seldom(18, drawn(19, 9_000) - 300)).unwrap();
        row = row.set("paid", seldom(20, drawn(21, 6) * 1_000_000)).unwrap();
        row = row.set("since", seldom(16, 10_000 + drawn(22, 99))).unwrap();
        row.set("note", Some(note.as_str()).filter(|_| drawn(10, 3) > 0)).unwrap();
        for ball in 0..drawn(11, 4) {
            let key = format!("{key}-{ball}");
            let mut row = batch.row("ball").unwrap();
            row = row.set("id", Some(key.as_str()).filter(|_| drawn(12, 9) > 0)).unwrap();
            row = row.set("round", drawn(13, 20) == 0).unwrap();
            row.set("price", drawn(14, 7) * 1_000_000).unwrap().set("made", drawn(15, 99)).unwrap();
            for dot in 0..ball {
                let key = format!("{key}-{dot}");
                batch.row("dot").unwrap().set("id", key.as_str()).unwrap();
            }
        }
    }
    batch
}

/// The root rows of a batch by path, then key.
fn sorted(batch: &Batch) -> Vec<(i64, String, u32)> {
    let rows = 0..u32::try_from(batch.rows(0)).unwrap();
    let (keys, paths) = (batch.column(0, 0).unwrap(), batch.column(0, 1).unwrap());
    let mut rows: Vec<(i64, String, u32)> = rows
        .map(|row| (paths.integer(row).unwrap(), keys.text(row).unwrap().to_owned(), row))
        .collect();
    rows.sort_unstable();
    rows
}

fn bytes(schema: &Arc<Schema>, numbers: impl Iterator<Item = u64>) -> Vec<u8> {
    let batch = batch(schema, numbers);
    let roots: Vec<u32> = sorted(&batch).into_iter().map(|(_, _, row)| row).collect();
    build(&batch, &roots).unwrap()
}

fn open(schema: &Arc<Schema>, bytes: Vec<u8>, version: u64) -> Segment {
    let whole = 0..bytes.len();
    let bytes = Bytes::Shared(Arc::new(bytes), whole);
    let file = SegmentFile::from_bytes(PathBuf::from("memory"), bytes, schema).unwrap();
    Segment::whole(Arc::new(file), version)
}

/// Path, key, source and row of the live roots of segments, merged.
fn merged(segments: &[Segment], low: u64, high: u64) -> Vec<(i64, String, u32, u32)> {
    let mut all = Vec::new();
    for (source, segment) in (0u32..).zip(segments) {
        let mut walk = RootWalk::new(segment, low, high).unwrap();
        let before = all.len();
        while let Some((path, key, row)) = walk.at() {
            all.push((path, key.to_owned(), source, row));
            walk.step().unwrap();
        }
        assert!(all[before..].is_sorted(), "a walk goes by path and key");
    }
    all.sort_unstable();
    all
}

#[test]
fn a_merge_is_what_is_built_of_the_same_rows() {
    let schema = schema(true);
    for (count, parts) in [(300u64, 3u64), (90_000, 4)] {
        let part = |at: u64| (0..count).filter(move |number| number % parts == at);
        let segments: Vec<Segment> = (0..parts)
            .map(|at| open(&schema, bytes(&schema, part(at)), 10 + at))
            .map(|segment| segment.without(&[0, 5, 5, 70]).unwrap())
            .collect();
        let rows = merged(&segments, 11, 13);
        let pick: Vec<(u32, u32)> = rows.iter().map(|(.., source, row)| (*source, *row)).collect();
        let found = open(&schema, merge(&schema, &segments, &pick).unwrap(), 99);
        // The same rows built anew, with the versions taken from the merge.
        let numbers = rows.iter().map(|(_, key, ..)| key[1..].parse::<u64>().unwrap());
        let built = open(&schema, bytes(&schema, numbers), 99);
        let every = RowSet::all(built.rows(0)).iter().collect::<Vec<_>>();
        let versions = found.versions(&every).unwrap();
        assert!(versions.iter().zip(&pick).all(|(v, (source, _))| *v == 10 + u64::from(*source)));
        assert_eq!(built.versions(&every).unwrap(), vec![99; every.len()]);
        let again = merge(&schema, &[built], &every.iter().map(|r| (0, *r)).collect::<Vec<_>>());
        let same = Segment { version: 0, ..open(&schema, again.unwrap(), 0) };
        for table in 0..3 {
            assert_eq!(found.rows(table), same.rows(table));
            for column in 0..schema.tables[table].columns.len() {
                let read = |segment: &Segment| {
                    let column = segment.column(table, column).unwrap();
                    column.cells(std::slice::from_ref(&(0..segment.rows(table)))).unwrap()
                };
                assert!(read(&found) == read(&same), "table {table}, column {column}");
            }
        }
        assert_eq!(findings(&found), Vec::<String>::new());
        assert!(found.file.frames_equal(&same.file) > 20, "the same bytes but for versions");
    }
}

fn findings(segment: &Segment) -> Vec<String> {
    let mut found = Vec::new();
    segment.verify(&mut |error| found.push(error.to_string())).unwrap();
    found
}

#[test]
fn a_walk_says_that_rows_are_out_of_order() {
    let schema = schema(false);
    let batch = batch(&schema, 0..9_000);
    let right: Vec<u32> = sorted(&batch).into_iter().map(|(_, _, row)| row).collect();
    let walked = |roots: &[u32]| {
        let segment = open(&schema, build(&batch, roots).unwrap(), 1);
        let mut walk = RootWalk::new(&segment, 11, 14)?;
        let mut count = 0;
        while walk.at().is_some() {
            count += 1;
            walk.step()?;
        }
        crate::Result::Ok(count)
    };
    assert_eq!(walked(&right).unwrap(), 9_000);
    // The last two are the end of one reading and the beginning of the next.
    for (a, b) in [(0, 1), (17, 18), (4_094, 4_095), (4_095, 4_096)] {
        let mut roots = right.clone();
        roots.swap(a, b);
        let found = walked(&roots).unwrap_err();
        assert!(found.to_string().contains("by path and key"), "{found}");
    }
}

#[test]
fn rows_are_taken_out_as_if_they_were_never_live() {
    let schema = schema(true);
    let segment = open(&schema, bytes(&schema, 0..70_000), 3);
    let (mut taken, mut naive) = (segment.clone(), RowSet::all(segment.rows(0)));
    for step in 0..40u64 {
        let mut rows: Vec<u32> = (0..step % 9)
            .map(|salt| u32::try_from(mixed(step * 16 + salt) % 70_000).unwrap())
            .collect();
        rows.sort_unstable();
        rows.iter().for_each(|row| naive.remove(*row));
        let before = taken.clone();
        let counts = before.live_counts().unwrap();
        taken = taken.without(&rows).unwrap();
        assert_eq!(before.live_counts().unwrap(), counts, "the segment before stays as it was");
        assert_eq!(taken.live(0).unwrap(), naive);
        let balls = segment.spread(1, &naive).unwrap();
        let dots = segment.spread(2, &balls).unwrap();
        assert_eq!(taken.live(1).unwrap(), balls);
        assert_eq!(taken.live(2).unwrap(), dots);
        assert!(step % 13 > 0 || findings(&taken).is_empty(), "{:?}", findings(&taken));
        let counts = [naive.count(), balls.count(), dots.count()];
        assert_eq!(taken.live_counts().unwrap().map_into(u64::from), counts);
        assert!(rows.iter().all(|row| !taken.root_lives(*row)));
    }
}

trait MapInto {
    fn map_into(self, map: impl Fn(u32) -> u64) -> Vec<u64>;
}

impl MapInto for Vec<u32> {
    fn map_into(self, map: impl Fn(u32) -> u64) -> Vec<u64> {
        self.into_iter().map(map).collect()
    }
}

#[test]
fn every_key_is_found_and_nothing_else() {
    let schema = schema(true);
    for count in [0u64, 1, 9, 70_000] {
        let segment = open(&schema, bytes(&schema, 0..count), 0);
        for table in 0..3 {
            let (mut keys, mut expected) = (Vec::new(), Vec::new());
            let column = segment.column(table, 0).unwrap();
            let visit = &mut |row, text: Option<&str>| {
                if let Some(text) = text.filter(|_| row % 7 == 0) {
                    expected.push((keys.len(), row));
                    keys.push(text.to_owned());
                }
            };
            column.texts(0..u32::MAX, visit).unwrap();
            let absent: Vec<String> = (0..5_000).map(|n| format!("{:06}", n * 7_919)).collect();
            let all: Vec<&str> = keys.iter().chain(&absent).map(String::as_str).collect();
            assert_eq!(segment.rows_of_keys(table, &Wanted::new(&all)).unwrap(), expected);
        }
    }
}

#[test]
fn no_answer_depends_on_an_index() {
    let segments = [true, false].map(|index| {
        let schema = schema(index);
        open(&schema, bytes(&schema, 0..70_000), 0)
    });
    let mut asked = vec![Predicate::Known, Predicate::In(vec![-1, 0, 1, 2, 900, 1_000_000])];
    asked.push(Predicate::In((0..4_000).map(|n| n * 11).collect()));
    for bits in [0, 1, 2, 5, 7, 1 << 63, u64::MAX] {
        asked.extend([Predicate::HasAny(bits), Predicate::HasAll(bits), Predicate::HasNone(bits)]);
    }
    let bounds = [i64::MIN, -300, 0, 1, 2, 50, 5_000, 1_000_000, i64::MAX];
    for (min, max) in bounds.iter().flat_map(|min| bounds.map(|max| (*min, max))) {
        asked.push(Predicate::Range { min, max });
    }
    let [with, without] = &segments;
    for (table, columns) in [(0, 10), (1, 4)] {
        for (column, predicate) in (1..columns).flat_map(|c| asked.iter().map(move |p| (c, p))) {
            let find = |segment: &Segment| segment.column(table, column).unwrap().filter(predicate);
            let found = find(with).unwrap();
            assert_eq!(found, find(without).unwrap(), "{table}.{column}: {predicate:?}");
            let (mut values, column) = (Vec::new(), with.column(table, column).unwrap());
            let known = column.known().unwrap();
            column.integers(0..u32::MAX, &mut values).unwrap();
            let expected = |row: u32| {
                known.contains(row)
                    && match predicate {
                        Predicate::Known => true,
                        Predicate::HasNone(bits) => {
                            values[row as usize].cast_unsigned() & bits == 0
                        }
                        _ => crate::block::holds(predicate, values[row as usize]),
                    }
            };
            if !values.is_empty() {
                let naive = (0..with.rows(table)).filter(|row| expected(*row));
                assert!(naive.eq(found.iter()), "{predicate:?} row by row");
            }
        }
    }
}
