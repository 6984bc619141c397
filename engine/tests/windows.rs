//! What is asked of a window of a table is what is asked of the table, cut to the window.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeSet;
use std::ops::Range;

use yiku::schema::PathNode;
use yiku::segment::Wanted;
use yiku::{CommitInfo, Database, PathTree, Predicate, RowSet, Schema, Snapshot};

const ROOTS: u32 = 70_000;
const SCHEMA: &str = r#"
name = "s"
path = { name = "place", levels = [{ name = "district", digits = 2 }] }
[[table]]
name = "box"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" },
    { name = "size", kind = "int" }, { name = "note", kind = "text" }]
[[table]]
name = "ball"
parent = "box"
key = "ball_id"
columns = [{ name = "ball_id", kind = "id" }, { name = "weight", kind = "int" }]
[[table]]
name = "dot"
parent = "ball"
key = "dot_id"
columns = [{ name = "dot_id", kind = "id" }]
"#;

/// Windows that begin and end at words, at blocks, and beside them.
fn windows(len: u32) -> Vec<Range<u32>> {
    let ends = [(0, len), (0, 0), (5, 5), (64, 128), (63, 129), (65_530, 65_540), (65_536, len)];
    let own = ends.into_iter().chain([(1, 3), (100, 66_000), (len - 1, len)]);
    own.map(|(start, end)| start.min(len)..end.min(len)).collect()
}

/// Roots lie in four places, one behind the other; every third has no size and no note.
fn place(root: u32) -> i64 {
    11 + i64::from(root / 20_000)
}

fn size(root: u32) -> Option<i64> {
    (!root.is_multiple_of(3)).then(|| i64::from(root % 1_000) - 7)
}

/// Balls beneath a root, and dots beneath a ball by their numbers in the table.
fn balls(root: u32) -> u32 {
    if root < 3_000 { root % 4 } else { 0 }
}

fn dots(ball: u32) -> u32 {
    ball % 3
}

fn create(folder: &std::path::Path) -> Snapshot {
    let schema = Schema::from_toml(SCHEMA).unwrap();
    let node = |code: u64| PathNode { code, level: 0, name: code.to_string() };
    let tree = PathTree::new(&schema.path, (11..15).map(node).collect()).unwrap();
    let mut writer = Database::create(folder, schema, tree).unwrap().writer().unwrap();
    let mut batch = writer.batch();
    let mut ball = 0;
    for root in 0..ROOTS {
        let mut row = batch.push(0).unwrap();
        row.put(0, format!("{root:08}").as_str().into()).unwrap();
        row.put(1, place(root).into()).unwrap();
        if let Some(size) = size(root) {
            row.put(2, size.into()).unwrap();
            row.put(3, format!("note {root}").as_str().into()).unwrap();
        }
        for _ in 0..balls(root) {
            let mut row = batch.push(1).unwrap();
            row.put(0, format!("B{ball:08}").as_str().into()).unwrap();
            row.put(1, i64::from(ball).into()).unwrap();
            for dot in 0..dots(ball) {
                let mut row = batch.push(2).unwrap();
                row.put(0, format!("D{ball:08}-{dot}").as_str().into()).unwrap();
            }
            ball += 1;
        }
    }
    writer.write(&batch).unwrap();
    writer.commit(CommitInfo::default()).unwrap()
}

#[test]
fn a_set_of_a_window_is_the_set_cut_to_it() {
    let len = 70_000;
    let keep = |row: u32| row % 7 < 3 || (row / 300).is_multiple_of(2);
    let mut whole = RowSet::none(len);
    (0..len).filter(|row| keep(*row)).for_each(|row| whole.insert(row));
    for window in windows(len) {
        let expected: BTreeSet<u32> = window.clone().filter(|row| keep(*row)).collect();
        let cut = whole.within(window.clone());
        assert!(cut.iter().eq(expected.iter().copied()), "{window:?}");
        assert_eq!((cut.window(), cut.count()), (window.clone(), expected.len() as u64));
        let mut added = RowSet::none_in(window.clone());
        added.insert_words(0, whole.words());
        assert_eq!(added, cut, "{window:?}");
        let mut every = RowSet::all_in(window.clone());
        assert!(every.is_full() && every.count() == window.len() as u64, "{window:?}");
        assert_eq!(every.count_and(&cut), cut.count());
        every.and_not(&cut);
        assert_eq!(every.is_full(), cut.is_empty(), "{window:?}");
        every.add(&cut);
        assert!(every.is_full(), "{window:?}");
        for part in [0..len, 64..65, 10..65_537] {
            let inside = expected.range(part.clone()).copied();
            assert!(cut.runs_in(part.clone()).flatten().eq(inside.clone()), "{window:?} {part:?}");
            assert_eq!(cut.count_range(part.clone()), inside.count() as u64);
        }
        for row in [window.start.saturating_sub(1), window.start, window.end] {
            assert_eq!(cut.contains(row), expected.contains(&row), "{row} of {window:?}");
        }
    }
}

#[test]
fn a_column_says_of_a_window_what_it_says_of_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = create(&folder.path().join("d"));
    let segment = snapshot.segments().first().unwrap();
    let (sizes, notes) = (segment.column(0, 2).unwrap(), segment.column(0, 3).unwrap());
    let some = Predicate::Range { min: 100, max: 300 };
    for window in windows(ROOTS) {
        let known = sizes.known_in(window.clone()).unwrap();
        assert!(known.iter().eq(window.clone().filter(|row| size(*row).is_some())), "{window:?}");
        let found = sizes.filter_in(&some, window.clone()).unwrap();
        assert_eq!(found, sizes.filter(&some).unwrap().within(window.clone()), "{window:?}");
        assert_eq!(segment.live_in(0, window.clone()).unwrap(), RowSet::all_in(window.clone()));
        // Many rows and few.
        let mut few = RowSet::none_in(window.clone());
        window.clone().step_by(977).for_each(|row| few.insert(row));
        for rows in [found, few] {
            let mut values = Vec::new();
            sizes.values_of(&rows, &mut values).unwrap();
            assert_eq!(values.len() as u64, rows.count());
            for (row, value) in rows.iter().zip(values) {
                assert!(size(row).is_none_or(|size| size == value), "{row} of {window:?}");
            }
            let mut texts = Vec::new();
            notes.texts_of(&rows, &mut |row, text| texts.push((row, text.to_owned()))).unwrap();
            let known = rows.iter().filter(|row| size(*row).is_some());
            assert!(texts.into_iter().eq(known.map(|row| (row, format!("note {row}")))));
        }
    }
}

#[test]
fn paths_and_the_ways_down_are_those_of_every_row() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = create(&folder.path().join("d"));
    let segment = snapshot.segments().first().unwrap();
    let runs = [(20_000, 11), (40_000, 12), (60_000, 13), (ROOTS, 14)];
    assert_eq!(segment.path_runs().unwrap(), runs);
    assert_eq!(segment.path_rows(12, 13).unwrap(), 20_000..60_000);
    assert_eq!(segment.path_rows(0, 10).unwrap(), 0..0);
    assert_eq!(segment.path_rows(15, 99).unwrap(), ROOTS..ROOTS);
    for (low, high, meets) in [(0, 10, false), (0, 11, true), (14, 99, true), (15, 99, false)] {
        assert_eq!(segment.meets(low, high), meets, "{low} to {high}");
    }
    assert_eq!(**snapshot.shared_schema(), *snapshot.schema());
    let (mut ball, mut dot) = (0, 0);
    let (over_one, over_two) =
        (segment.offsets_between(0, 1).unwrap(), segment.offsets_between(0, 2).unwrap());
    for (root, (one, two)) in (0..ROOTS).zip(over_one.iter().zip(over_two)) {
        assert_eq!((*one, *two), (ball, dot), "root {root}");
        dot += (ball..ball + balls(root)).map(dots).sum::<u32>();
        ball += balls(root);
    }
    assert_eq!((over_one.last(), over_two.last()), (Some(&ball), Some(&dot)));
    assert!(segment.offsets_between(1, 0).unwrap().is_empty());
    // All balls lie at the first place.
    let own = segment.path_runs_over(1).unwrap();
    let of_place = |place: i64| own.iter().find(|(_, path)| *path == place).map(|(end, _)| *end);
    assert_eq!(of_place(11), Some(ball));
    assert!(own.iter().all(|(end, path)| *end == ball && (11..15).contains(path)));
    assert_eq!(segment.path_runs_over(0).unwrap(), runs);
    // A block of roots is complete before root 65,536; balls and dots are fewer than a block has.
    assert_eq!(segment.block_ends(0).unwrap(), [65_536, ROOTS]);
    assert_eq!(segment.block_ends(1).unwrap(), [ROOTS]);
    assert!(segment.block_ends(9).unwrap().is_empty());
    for table in 0..3 {
        // From end to end of blocks, and from and to any other root.
        for roots in [0..65_536, 65_536..ROOTS, 0..ROOTS, 7..65_536, 100..20_003, 5..5] {
            let first = |root: u32| match table {
                0 => root,
                table => segment.offsets_between(0, table).unwrap()[root as usize],
            };
            let expected = first(roots.start)..first(roots.end);
            assert_eq!(segment.rows_beneath(0, table, &roots).unwrap(), expected, "{table}");
            assert_eq!(segment.rows_beneath(1, table, &roots).unwrap(), expected, "{table}");
        }
    }
    // The third and the fourth ball lie beneath the third root with balls.
    let keys = ["B00000001", "B00000002", "B00000004", "B99999999"];
    let roots = segment.roots_of_keys(1, &Wanted::new(&keys)).unwrap();
    let root_of = |ball: u32| u32::try_from(over_one.partition_point(|at| *at <= ball) - 1);
    let expected: BTreeSet<u32> = [1, 2, 4].map(|ball| root_of(ball).unwrap()).into();
    assert!(roots.into_iter().eq(expected));
}
