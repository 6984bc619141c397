//! Counts of pairs of codes beside a look at every row.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where it fails")]

use yiku::schema::PathNode;
use yiku::segment::{Codes, Counted};
use yiku::{CommitInfo, Database, PathTree, Predicate, Schema, Segment, Snapshot, Writer};

const BOXES: u64 = 50_000;
const SCHEMA: &str = r#"
name = "s"
path = { name = "place", levels = [{ name = "district", digits = 2 }] }
[[list]]
name = "colour"
codes = [["1", "a", "A"], ["2", "b", "B"], ["3", "c", "C"], ["4", "d", "D"], ["5", "e", "E"]]
[[list]]
name = "size"
codes = [["1", "small", "S"], ["2", "middle", "M"], ["3", "large", "L"]]
[[table]]
name = "box"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" },
    { name = "open", kind = "flag", index = true }]
[[table]]
name = "ball"
parent = "box"
key = "id"
columns = [{ name = "id", kind = "id" },
    { name = "colours", kind = "codes", list = "colour", index = true },
    { name = "size", kind = "code", list = "size", index = true },
    { name = "other", kind = "code", list = "size" },
    { name = "seen", kind = "flag", index = true }]
[[table]]
name = "mark"
parent = "ball"
key = "id"
columns = [{ name = "id", kind = "id" },
    { name = "size", kind = "code", list = "size", index = true }]
"#;
const COLOURS: usize = 1;
const SIZE: usize = 2;
const OTHER: usize = 3;
const SEEN: usize = 4;

fn mixed(number: u64) -> u64 {
    let x = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 24
}

/// The value of a ball in a column; none where it is unknown.
fn value(ball: u64, column: usize) -> Option<i64> {
    let drawn = |salt: u64| i64::try_from(mixed(ball * 8 + salt) % 1_000).unwrap();
    match column {
        COLOURS if drawn(0) < 100 => None,
        COLOURS => {
            let of = |salt, share, bit| i64::from(drawn(salt) < share) << bit;
            Some(of(1, 300, 0) | of(2, 900, 1) | of(3, 4, 2) | of(4, 500, 3))
        }
        SIZE if drawn(5) < 40 => None,
        SIZE => Some(i64::from(drawn(6) > 300) + i64::from(drawn(6) > 900)),
        OTHER => Some(0),
        _ if drawn(7) < 10 => None,
        _ => Some(i64::from(drawn(0) < 400)),
    }
}

/// Two of the boxes of which some are written again.
fn create(folder: &std::path::Path) -> Snapshot {
    let schema = Schema::from_toml(SCHEMA).unwrap();
    let node = PathNode { code: 11, level: 0, name: "N".into() };
    let tree = PathTree::new(&schema.path, vec![node]).unwrap();
    let mut writer = Database::create(folder, schema, tree).unwrap().writer().unwrap();
    let mut snapshot = None;
    for boxes in [(0..BOXES).collect::<Vec<u64>>(), vec![7, 29_999]] {
        snapshot = Some(write(&mut writer, &boxes));
    }
    snapshot.unwrap()
}

/// Writes boxes with what is in them.
fn write(writer: &mut Writer, boxes: &[u64]) -> Snapshot {
    {
        let mut batch = writer.batch();
        let mut marks = 0;
        for number in boxes.iter().copied() {
            let mut row = batch.push(0).unwrap();
            row.put(0, format!("{number:08}").as_str().into()).unwrap();
            row.put(1, 11.into()).unwrap();
            row.put(2, i64::from(number % 3 == 0).into()).unwrap();
            for own in 0..number % 7 {
                let ball = number * 7 + own;
                let mut row = batch.push(1).unwrap();
                row.put(0, format!("{ball:08}").as_str().into()).unwrap();
                for column in COLOURS..=SEEN {
                    if let Some(value) = value(ball, column) {
                        row.put(column, value.into()).unwrap();
                    }
                }
                if ball % 3 == 0 {
                    let mut row = batch.push(2).unwrap();
                    row.put(0, format!("{ball:08}-{marks}").as_str().into()).unwrap();
                    row.put(1, i64::from(ball % 2 == 0).into()).unwrap();
                    marks += 1;
                }
            }
        }
        writer.write(&batch).unwrap();
        writer.commit(CommitInfo::default()).unwrap()
    }
}

fn large(snapshot: &Snapshot) -> &Segment {
    snapshot.segments().iter().max_by_key(|segment| segment.rows(1)).unwrap()
}

/// Conditions that two codes may tell, each with its column.
fn conditions() -> Vec<(usize, Predicate)> {
    use Predicate::{HasAll, HasAny, HasNone, In, Known, Range, Unknown};
    let of = |column: usize, all: &[Predicate]| {
        all.iter().map(|own| (column, own.clone())).collect::<Vec<_>>()
    };
    let sets = [HasAny(1), HasAny(4), HasAny(16), HasAll(8), HasAll(2), HasAll(0), HasAny(0)];
    let none = [HasNone(1), HasNone(2), HasNone(16), HasNone(0), Known, Unknown];
    let sizes = [
        In(vec![0]),
        In(vec![0, 2]),
        In(vec![]),
        Range { min: 1, max: 2 },
        Range { min: 0, max: 9 },
        Known,
        Unknown,
    ];
    let seen = [In(vec![1]), Range { min: 0, max: 0 }, Known, Unknown];
    [of(COLOURS, &sets), of(COLOURS, &none), of(SIZE, &sizes), of(SEEN, &seen)].concat()
}

#[test]
fn pairs_are_counted_as_row_by_row() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = create(&folder.path().join("db"));
    let (segment, schema) = (large(&snapshot), snapshot.schema());
    let pairs = segment.pairs(1).unwrap().unwrap();
    let ends = pairs.ends();
    assert!(ends.len() > 2, "{ends:?}");
    assert_eq!(ends.last(), Some(&segment.rows(1)));
    let counted = Counted::new(schema, 1);
    let live = segment.live(1).unwrap();
    let all = conditions();
    let (mut found, mut told) = (0u64, 0);
    for one in &all {
        for other in &all {
            let asked = [(one.0, &one.1), (other.0, &other.1)];
            let sum = counted.sum(&asked).unwrap();
            let mut rows = live.clone();
            for (column, predicate) in asked {
                let own = segment.column(1, column).unwrap().filter(predicate).unwrap();
                rows.and(&own);
            }
            let mut start = 0;
            for (piece, end) in ends.iter().enumerate() {
                let count = pairs.count(&sum, &(piece..piece + 1)).unwrap();
                assert_eq!(count, rows.count_range(start..*end), "{asked:?}, {piece}");
                start = *end;
            }
            assert_eq!(pairs.count(&sum, &(0..ends.len())), Some(rows.count()), "{asked:?}");
            (found, told) = (found + rows.count(), told + 1);
        }
    }
    assert!(found > 1_000_000 && told > 500, "{found} rows by {told} conditions");
    assert_eq!(counted.sum(&[]).and_then(|sum| pairs.count(&sum, &(0..1))), Some(ends[0].into()));
}

#[test]
fn what_two_codes_do_not_tell_is_not_told() {
    let schema = Schema::from_toml(SCHEMA).unwrap();
    let counted = Counted::new(&schema, 1);
    let (two, three) = (Predicate::HasAny(3), Predicate::HasAll(7));
    let (apart, other) = (Predicate::HasNone(3), Predicate::In(vec![0]));
    for asked in [
        vec![(COLOURS, &two)],
        vec![(COLOURS, &three)],
        vec![(COLOURS, &apart), (SIZE, &other)],
        vec![(OTHER, &other)],
        vec![(0, &Predicate::Known)],
        vec![(COLOURS, &other)],
        vec![(SIZE, &apart)],
    ] {
        assert_eq!(counted.sum(&asked), None, "{asked:?}");
    }
    // Three conditions of which two are on one code are told.
    let small = Predicate::Range { min: 0, max: 1 };
    assert!(
        counted.sum(&[(SIZE, &other), (SIZE, &small), (COLOURS, &Predicate::HasAll(1))]).is_some()
    );
}

#[test]
fn pieces_are_root_rows_with_all_beneath_them() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = create(&folder.path().join("db"));
    let segment = large(&snapshot);
    for table in 0..3 {
        let pairs = segment.pairs(table).unwrap().unwrap();
        let of = if table == 1 { 1 } else { 0 };
        let roots = segment.block_ends(of).unwrap();
        let last = *roots.last().unwrap();
        assert_eq!(pairs.pieces(&(0..last)), Some(0..roots.len()));
        assert_eq!(pairs.pieces(&(0..last - 1)), None);
        let offsets = segment.offsets_between(0, table).unwrap();
        let ends = roots.iter().map(|root| match table {
            0 => *root,
            _ => offsets[*root as usize],
        });
        assert!(ends.eq(pairs.ends().iter().copied()), "{table}");
    }
    // Two boxes were written again: their pieces have rows that are gone, the others have none.
    let pairs = segment.pairs(1).unwrap().unwrap();
    let live: Vec<bool> =
        (0..pairs.ends().len()).map(|piece| pairs.tells(&(piece..piece + 1), 0).unwrap()).collect();
    let gone = live.iter().filter(|live| !**live).count();
    assert!((1..=2).contains(&gone) && live.len() > 2, "{live:?}");
    assert!(!pairs.tells(&(0..live.len()), 0).unwrap());
    assert!(pairs.tells(&(0..live.len()), 12).unwrap());
}

#[test]
fn counts_between_borders_are_those_of_rows() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = create(&folder.path().join("db"));
    between(large(&snapshot));
}

/// Compares counts between borders with a look at every row.
fn between(segment: &Segment) {
    let live = segment.live(1).unwrap();
    let ends = segment.pairs(1).unwrap().unwrap().ends().to_vec();
    let column = segment.column(1, COLOURS).unwrap();
    let questions = [
        vec![],
        vec![Codes { column: COLOURS, all: 1, none: 0 }],
        vec![Codes { column: COLOURS, all: 2, none: 8 }],
        vec![Codes { column: COLOURS, all: 2, none: 9 }],
        vec![Codes { column: COLOURS, all: 0, none: 0 }],
    ];
    let rows = segment.rows(1);
    for borders in [
        vec![0, rows],
        vec![5, 6],
        vec![ends[0], ends[1]],
        vec![ends[0] - 1, ends[0] + 1, ends[1] - 70, ends[1]],
        (0..rows).step_by(997).chain([rows]).collect(),
        (100..rows - 50).step_by(40_011).collect(),
    ] {
        let mut counts = vec![vec![1; borders.len()]; questions.len()];
        assert!(segment.count_between(1, &questions, &borders, &mut counts).unwrap());
        for (question, counts) in questions.iter().zip(&counts) {
            let mut own = live.clone();
            for Codes { all, none, .. } in question {
                own.and(&column.filter(&Predicate::HasAll(*all)).unwrap());
                own.and(&column.filter(&Predicate::HasNone(*none)).unwrap());
            }
            let pairs = borders.windows(2).map(|pair| 1 + own.count_range(pair[0]..pair[1]));
            let expected: Vec<u64> = std::iter::once(1).chain(pairs).collect();
            assert_eq!(counts, &expected, "{question:?}, {borders:?}");
        }
    }
}

#[test]
fn a_database_with_pairs_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    create(&path);
    let mut errors = Vec::new();
    Database::open(&path).unwrap().verify(&mut |error| errors.push(error.to_string())).unwrap();
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn rows_that_are_gone_are_taken_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    create(&path);
    let database = Database::open(&path).unwrap();
    let mut writer = database.writer().unwrap();
    // From the first versions on what is gone is told commit by commit; then of a database that
    // is opened anew, and again commit by commit.
    let steps =
        [vec![6, 13], vec![13, 20, 33_333], vec![49_999], (0..40).map(|n| n * 1_201).collect()];
    for (step, boxes) in steps.iter().enumerate() {
        let snapshot = write(&mut writer, boxes);
        for snapshot in [snapshot, Database::open(&path).unwrap().snapshot().unwrap()] {
            let segment = large(&snapshot);
            let (live, pairs) = (segment.live(1).unwrap(), segment.pairs(1).unwrap().unwrap());
            let gone = u64::from(live.len_rows()) - live.count();
            let all = 0..pairs.ends().len();
            assert!(gone > 4 && pairs.tells(&all, usize::try_from(gone).unwrap()).unwrap());
            let counted = Counted::new(snapshot.schema(), 1);
            for one in conditions().iter().step_by(2) {
                for other in conditions().iter().step_by(3) {
                    let sum = counted.sum(&[(one.0, &one.1), (other.0, &other.1)]).unwrap();
                    let mut rows = live.clone();
                    for (column, predicate) in [one, other] {
                        rows.and(&segment.column(1, *column).unwrap().filter(predicate).unwrap());
                    }
                    let found = pairs.count(&sum, &all);
                    assert_eq!(found, Some(rows.count()), "{step}, {one:?}, {other:?}");
                }
            }
            between(segment);
        }
    }
    // Of rows that are too many nothing is told, and they are counted all the same.
    let many: Vec<u64> = (0..BOXES).step_by(3).collect();
    let snapshot = write(&mut writer, &many);
    let segment = large(&snapshot);
    let pairs = segment.pairs(1).unwrap().unwrap();
    assert!(!pairs.tells(&(0..1), usize::MAX).unwrap());
    between(segment);
}
