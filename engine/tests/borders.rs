//! Codes counted between borders, beside a look at every row.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
#![expect(clippy::cast_sign_loss, reason = "small numbers")]

use yiku::schema::PathNode;
use yiku::segment::{Codes, OfCode};
use yiku::{CommitInfo, Database, PathTree, Predicate, RowSet, Schema, Snapshot};

const ROWS: u64 = 140_000;
const SCHEMA: &str = r#"
name = "s"
path = { name = "place", levels = [{ name = "district", digits = 2 }] }
[[list]]
name = "colour"
codes = [["1", "a", "A"], ["2", "b", "B"], ["3", "c", "C"], ["4", "d", "D"], ["5", "e", "E"]]
[[table]]
name = "box"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" },
    { name = "seldom", kind = "codes", list = "colour", index = true },
    { name = "often", kind = "codes", list = "colour", index = true },
    { name = "same", kind = "codes", list = "colour", index = true },
    { name = "number", kind = "int" },
    { name = "one", kind = "code", list = "colour", index = true },
    { name = "pair", kind = "code", list = "colour", index = true },
    { name = "is", kind = "flag", index = true }]
"#;
const NUMBER: usize = 5;
/// Columns of single codes, and of flags.
const SINGLE: std::ops::RangeInclusive<usize> = 6..=8;

fn mixed(number: u64) -> u64 {
    let x = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 24
}

/// The codes of a row in columns 2 to 4, its code in the single ones; unknown in some.
fn codes(row: u64, column: usize) -> Option<i64> {
    let drawn = |salt: u64| mixed(row * 8 + salt);
    Some(match column {
        2 if row > 131_072 => return None,
        2 => i64::from(drawn(1).is_multiple_of(90)) + 4 * i64::from(row % 9_000 < 2_000),
        3 if drawn(2).is_multiple_of(50) => return None,
        3 => (drawn(3) & 7 | drawn(4) & 8) as i64 + 16 * i64::from(!drawn(5).is_multiple_of(99)),
        6 if row % 1_000 == 7 => return None,
        6 if row >= 131_072 => 4,
        6 => drawn(6) as i64 & 3,
        7 => 3 + (drawn(7) as i64 & 1),
        8 => i64::from(drawn(0).is_multiple_of(3)),
        _ => 3,
    })
}

fn create(folder: &std::path::Path) -> Snapshot {
    let schema = Schema::from_toml(SCHEMA).unwrap();
    let node = PathNode { code: 11, level: 0, name: "N".into() };
    let tree = PathTree::new(&schema.path, vec![node]).unwrap();
    let mut writer = Database::create(folder, schema, tree).unwrap().writer().unwrap();
    let mut snapshot = None;
    // Some rows are written again: those of the first segment do not live any more.
    for written in [(0..ROWS).collect::<Vec<u64>>(), (60_000..70_000).step_by(7).collect()] {
        let mut batch = writer.batch();
        for number in written {
            let mut row = batch.push(0).unwrap();
            row.put(0, format!("{number:08}").as_str().into()).unwrap();
            row.put(1, 11.into()).unwrap();
            for column in (2..=4).chain(SINGLE) {
                if let Some(value) = codes(number, column) {
                    row.put(column, value.into()).unwrap();
                }
            }
            row.put(NUMBER, 1.into()).unwrap();
        }
        writer.write(&batch).unwrap();
        snapshot = Some(writer.commit(CommitInfo::default()).unwrap());
    }
    snapshot.unwrap()
}

#[test]
fn codes_are_counted_between_borders_as_row_by_row() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = create(&folder.path().join("db"));
    let segments = snapshot.segments();
    let segment = segments.iter().find(|segment| u64::from(segment.rows(0)) == ROWS).unwrap();
    let live = segment.live(0).unwrap();
    assert!(!live.is_full());
    let one = |column, all, none| vec![Codes { column, all, none }];
    let questions = [
        vec![],
        one(2, 1, 0),
        one(2, 4, 1),
        one(2, 32, 0),
        one(2, 0, 32),
        one(3, 1, 0),
        one(3, 16, 9),
        one(3, 7, 0),
        one(4, 3, 4),
        one(4, 4, 0),
        [one(2, 1, 0), one(3, 16, 4), one(4, 1, 0)].concat(),
        [one(2, 0, 4), one(3, 3, 8)].concat(),
        one(6, 1, 0),
        one(6, 4, 0),
        one(6, 16, 0),
        one(7, 1, 0),
        one(7, 8, 0),
        one(7, 16, 0),
        one(7, 1 << 40, 0),
        one(8, 1, 0),
        [one(3, 1, 0), one(6, 2, 0), one(7, 16, 0), one(8, 2, 0)].concat(),
    ];
    let many: Vec<u32> = (0..=140_000).step_by(350).collect();
    let few = vec![100, 65_536, 65_536, 65_600, 69_999, 131_072, 139_999];
    for borders in [many, few, vec![0, 140_000], vec![65_600, 65_700], vec![5], vec![]] {
        let mut counts = vec![vec![0; borders.len()]; questions.len()];
        assert!(segment.count_between(0, &questions, &borders, &mut counts).unwrap());
        for (question, counts) in questions.iter().zip(counts) {
            let holds = |row: u32| {
                live.contains(row)
                    && question.iter().all(|asked| {
                        codes(row.into(), asked.column).is_some_and(|codes| {
                            let is_one = SINGLE.contains(&asked.column);
                            let codes = if is_one { 1 << codes } else { codes as u64 };
                            codes & asked.all == asked.all && codes & asked.none == 0
                        })
                    })
            };
            let pairs = borders.windows(2);
            let own = pairs.map(|pair| (pair[0]..pair[1]).filter(|row| holds(*row)).count() as u64);
            let expected: Vec<u64> = borders.first().map(|_| 0).into_iter().chain(own).collect();
            assert_eq!(counts, expected, "{question:?}, {borders:?}");
        }
    }
    for other in [one(NUMBER, 1, 0), one(6, 3, 0), one(6, 1, 2), one(8, 0, 1)] {
        assert!(!segment.count_between(0, &[other], &[0, 9], &mut [vec![0; 2]]).unwrap());
    }
}

#[test]
fn the_rows_of_codes_are_those_of_each_code() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = create(&folder.path().join("db"));
    let segments = snapshot.segments();
    let segment = segments.iter().find(|segment| u64::from(segment.rows(0)) == ROWS).unwrap();
    for window in [0..140_000, 100..1_000, 65_500..65_600, 131_000..132_000, 70..70] {
        for share in [1, 30] {
            let mut rows = RowSet::none_in(window.clone());
            let drawn = |row: &u32| mixed(u64::from(*row)).is_multiple_of(share);
            window.clone().filter(drawn).for_each(|row| rows.insert(row));
            for column in [2, 3] {
                let read = segment.column(0, column).unwrap();
                let Some(found) = read.of_codes(&[0, 2, 4, 7], &rows).unwrap() else {
                    // The last block of this column is written as one number.
                    assert!(column == 2 && window.end > 131_072, "column {column}, {window:?}");
                    continue;
                };
                for (code, OfCode { rows: own, listed }) in [0, 2, 4, 7].into_iter().zip(found) {
                    let mut kept = rows.clone();
                    read.keep_in(&Predicate::HasAny(1 << code), &mut kept).unwrap();
                    assert_eq!(own, kept, "column {column}, code {code}, {window:?}");
                    assert!(listed.is_none_or(|listed| kept.iter().eq(listed)), "{code}");
                }
            }
        }
    }
    let number = segment.column(0, NUMBER).unwrap();
    assert!(number.of_codes(&[0], &RowSet::all(9)).unwrap().is_none());
}
