//! What a column says about a set of rows, beside a look at every value of it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where it fails")]
#![expect(clippy::cast_sign_loss, reason = "small numbers")]

use std::collections::BTreeMap;

use yiku::cpu::{self, Level};
use yiku::schema::PathNode;
use yiku::segment::Bands;
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
    { name = "colour", kind = "code", list = "colour", index = true },
    { name = "inner", kind = "code", list = "colour" },
    { name = "price", kind = "money" }, { name = "indexed", kind = "money", index = true },
    { name = "seldom", kind = "int", index = true }, { name = "even", kind = "int" },
    { name = "marks", kind = "codes", list = "colour", index = true },
    { name = "note", kind = "text" }]
[[table]]
name = "ball"
parent = "box"
key = "ball_id"
columns = [{ name = "ball_id", kind = "id" }, { name = "weight", kind = "int" }]
"#;
const PRICES: [usize; 2] = [4, 5];
const MARKS: usize = 8;
const TEXT: usize = 9;

fn mixed(number: u64) -> u64 {
    let x = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 24
}

/// The value of a row in columns 2 to 8.
fn value(row: u64, column: usize) -> Option<i64> {
    let drawn = |salt: u64| mixed(row * 8 + salt);
    Some(match column {
        2 => (drawn(1) % 5) as i64,
        3 if drawn(2).is_multiple_of(10) => return None,
        3 => (drawn(3) % 5) as i64,
        4 | 5 if drawn(4).is_multiple_of(20) => return None,
        4 | 5 => (drawn(5) % 900_000) as i64 - 1_000,
        6 if !drawn(6).is_multiple_of(9) => return None,
        6 => (drawn(7) % 70) as i64,
        7 => (row / 5_000) as i64,
        _ => (drawn(0) & drawn(9) & 31) as i64,
    })
}

/// How many balls are in a box of the first boxes.
fn balls(number: u64) -> u64 {
    if number < 3_000 { mixed(number) % 4 } else { 0 }
}

fn create(folder: &std::path::Path) -> Snapshot {
    let schema = Schema::from_toml(SCHEMA).unwrap();
    let node = PathNode { code: 11, level: 0, name: "N".into() };
    let tree = PathTree::new(&schema.path, vec![node]).unwrap();
    let mut writer = Database::create(folder, schema, tree).unwrap().writer().unwrap();
    let mut batch = writer.batch();
    for number in 0..ROWS {
        let mut row = batch.push(0).unwrap();
        row.put(0, format!("{number:08}").as_str().into()).unwrap();
        row.put(1, 11.into()).unwrap();
        for column in 2..=8 {
            if let Some(value) = value(number, column) {
                row.put(column, value.into()).unwrap();
            }
        }
        row.put(TEXT, "x".into()).unwrap();
        for ball in 0..balls(number) {
            let mut row = batch.push(1).unwrap();
            row.put(0, format!("{number:08}-{ball}").as_str().into()).unwrap();
            row.put(1, (mixed(number * 4 + ball) as i64 % 1_000).into()).unwrap();
        }
    }
    writer.write(&batch).unwrap();
    writer.commit(CommitInfo::default()).unwrap()
}

/// Distances from an integer, of all rows of a window and of those in the middle.
fn check_above(read: &yiku::segment::Column<'_>, window: std::ops::Range<u32>, what: &str) {
    let end = window.end;
    for rows in [window.clone(), (window.start + 5).min(end)..end.saturating_sub(70).max(5)] {
        let mut values = Vec::new();
        read.integers(rows.clone(), &mut values).unwrap();
        let lowest = values.iter().min().copied().unwrap_or(0);
        for (least, bits) in [(lowest, 32), (lowest, 16), (lowest - 9, 32), (lowest + 1, 32)] {
            let far = |value: &i64| !(least..least + (1 << bits)).contains(value);
            let mut found = Vec::new();
            // Bits of a block may say less than its values do.
            if read.above(rows.clone(), least, bits, &mut found).unwrap() {
                let found = found.iter().map(|above| least + i64::from(*above));
                assert!(found.eq(values.iter().copied()), "{what}, above {least}");
            } else {
                assert!(bits < 32 || values.iter().any(far), "{what}, above {least}");
            }
        }
    }
}

/// Rows counted by the band of their value, in all of a window and in parts of it.
fn check_bands(read: &yiku::segment::Column<'_>, rows: &RowSet, own: &[(u32, i64)], what: &str) {
    let wide = |low: i64, width: i64, count: i64| -> Vec<i64> {
        (0..=count).map(|band| low + (band * width + count - 1) / count).collect()
    };
    let window = rows.window();
    let middle = window.start + (window.end - window.start) / 3;
    for borders in [
        wide(0, 1_000_001, 30),
        wide(-700, 90_000, 7),
        wide(2, 3, 3),
        wide(100, 400_000_000, 1_000),
        wide(i64::MIN / 2, i64::MAX / 4, 1),
        vec![i64::MIN, 0, 3, 3, 700, i64::MAX],
        vec![7, 3, 900_000],
        vec![5],
    ] {
        let bands = Bands::new(borders.clone());
        let other = middle + 77.min(window.end - middle);
        for range in [window.clone(), middle..other, middle..window.end, other..middle, 0..u32::MAX]
        {
            let mut expected = vec![0; bands.count()];
            for (_, value) in own.iter().filter(|(row, _)| range.contains(row)) {
                if let Some(band) = bands.of(*value) {
                    expected[band] += 1;
                }
            }
            let mut found = vec![0; bands.count()];
            read.count_bands(rows, range.clone(), &bands, &mut found).unwrap();
            assert_eq!(found, expected, "{what}, {borders:?} of {range:?}");
        }
    }
}

/// Bounds that are reached, and codes that are counted.
fn check_bounds(
    read: &yiku::segment::Column<'_>,
    rows: &RowSet,
    own: &[(u32, i64)],
    column: usize,
    what: &str,
) {
    let bounds = [i64::MIN, -900, 1, 3, 29, 400_000, i64::MAX];
    let reached = read.reached(&bounds, rows).unwrap();
    for (bound, reached) in bounds.into_iter().zip(reached) {
        let expected = own.iter().filter(|(_, value)| *value >= bound).map(|(row, _)| *row);
        assert!(reached.iter().eq(expected), "{what}, {bound}");
    }
    for bit in 0..6 {
        let predicate = Predicate::HasAny(1 << bit);
        let has = |value: i64| value as u64 >> bit & 1 == 1;
        let expected = own.iter().filter(|(_, value)| has(*value)).count() as u64;
        let found = read.count_of(&predicate, rows).unwrap();
        assert!(found.is_none_or(|found| found == expected), "{what}, bit {bit}: {found:?}");
        assert!(column != MARKS || found.is_some(), "{what}, bit {bit}");
    }
    assert_eq!(read.count_of(&Predicate::HasAny(3), rows).unwrap(), None);
}

fn check(snapshot: &Snapshot, rows: &RowSet) {
    let segment = &snapshot.segments()[0];
    for column in 2..=8 {
        let read = segment.column(0, column).unwrap();
        let own: Vec<(u32, i64)> =
            rows.iter().filter_map(|row| Some((row, value(row.into(), column)?))).collect();
        let what = format!("column {column}, rows {:?}", rows.window());
        let sum = own.iter().map(|(_, value)| i128::from(*value)).sum();
        assert_eq!(read.sum_of(rows).unwrap(), (own.len() as u64, sum), "{what}");
        let mut values = Vec::new();
        let known = read.known_values(rows, &mut values).unwrap();
        assert!(known.iter().zip(values).eq(own.iter().copied()), "{what}");
        let low = own.iter().map(|(_, value)| *value).min();
        let ends = low.zip(own.iter().map(|(_, value)| *value).max());
        assert_eq!(read.ends_of(rows).unwrap(), ends, "{what}");
        let mut expected: BTreeMap<i64, RowSet> = BTreeMap::new();
        for (row, value) in &own {
            let none = || RowSet::none_in(rows.window());
            expected.entry(*value).or_insert_with(none).insert(*row);
        }
        let apart = read.apart(rows).unwrap();
        let tally = read.tally(rows).unwrap();
        assert!(PRICES.contains(&column) || own.is_empty() || apart.is_some(), "{what}");
        if let Some(tally) = tally {
            let counts = expected.iter().map(|(value, rows)| (*value, rows.count()));
            assert_eq!(tally, counts.collect(), "{what}");
        }
        if let Some(apart) = apart {
            assert_eq!(apart, expected, "{what}");
        }
        check_bounds(&read, rows, &own, column, &what);
        check_above(&read, rows.window(), &what);
        check_bands(&read, rows, &own, &what);
        for predicate in [
            Predicate::Range { min: 2, max: 3 },
            Predicate::Range { min: 40, max: 600_000 },
            Predicate::In(vec![0, 3, 4, 66]),
            Predicate::Known,
            Predicate::Unknown,
            Predicate::HasNone(5),
        ] {
            let mut kept = rows.clone();
            read.keep_in(&predicate, &mut kept).unwrap();
            let mut found = read.filter_in(&predicate, rows.window()).unwrap();
            found.and(rows);
            assert_eq!(kept, found, "{what}, {predicate:?}");
            let holds = |row: u32| match (value(row.into(), column), &predicate) {
                (None, Predicate::Unknown) | (Some(_), Predicate::Known) => true,
                (Some(value), Predicate::Range { min, max }) => (*min..=*max).contains(&value),
                (Some(value), Predicate::In(list)) => list.contains(&value),
                (Some(value), Predicate::HasNone(bits)) => value as u64 & bits == 0,
                _ => false,
            };
            assert!(kept.iter().eq(rows.iter().filter(|row| holds(*row))), "{what}, {predicate:?}");
        }
    }
    let text = segment.column(0, TEXT).unwrap();
    assert_eq!(text.sum_of(rows).unwrap(), (0, 0));
    assert_eq!(text.ends_of(rows).unwrap(), None);
    assert!(text.tally(rows).unwrap().is_none() && text.apart(rows).unwrap().is_none());
}

#[test]
fn what_is_beneath_is_counted_and_added_up() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = create(&folder.path().join("db"));
    let segment = &snapshot.segments()[0];
    let offsets = segment.offsets(1).unwrap();
    let windows = [0..3_100u32, 64..130, 2_944..2_944];
    for (above, share) in windows.into_iter().flat_map(|own| [(own.clone(), 3), (own, 9)]) {
        let beneath = offsets[above.start as usize]..offsets[above.end as usize];
        let mut rows = RowSet::none_in(beneath.clone());
        let few = share > 3;
        let drawn = |row: &u32| mixed(u64::from(*row)).is_multiple_of(share) == few;
        beneath.clone().filter(drawn).for_each(|r| rows.insert(r));
        let mut values = Vec::new();
        segment.column(1, 1).unwrap().integers(beneath.clone(), &mut values).unwrap();
        let own = |row: u32| {
            let own = offsets[row as usize]..offsets[row as usize + 1];
            own.filter(|row| rows.contains(*row)).map(|row| values[(row - beneath.start) as usize])
        };
        let counts: Vec<i64> = above.clone().map(|row| own(row).count() as i64).collect();
        assert_eq!(segment.counts_beneath(1, &rows, above.clone()).unwrap(), counts);
        let sums: Vec<i64> = above.clone().map(|row| own(row).sum()).collect();
        let given = (beneath.start, values.as_slice());
        assert_eq!(segment.sums_beneath(1, &rows, above.clone(), given).unwrap(), sums);
        let listed: Vec<i64> =
            rows.iter().map(|row| values[(row - beneath.start) as usize]).collect();
        assert_eq!(segment.sums_listed(1, &rows, above, &listed).unwrap(), sums);
    }
}

#[test]
fn a_column_says_of_any_rows_what_their_values_say() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = create(&folder.path().join("db"));
    let all = snapshot.segments()[0].rows(0);
    assert_eq!(u64::from(all), ROWS);
    let windows = [0..all, 0..64, 64..128, 100..1_000, 65_500..66_000, 131_072..all, 70..70];
    for level in Level::ALL.into_iter().filter(|level| *level <= cpu::found()) {
        assert_eq!(cpu::limit(level), level);
        for window in &windows {
            for one_of in [1, 3, 4_000] {
                let mut rows = RowSet::none_in(window.clone());
                let drawn = |row: &u32| mixed(u64::from(*row)).is_multiple_of(one_of);
                window.clone().filter(drawn).for_each(|row| rows.insert(row));
                check(&snapshot, &rows);
            }
        }
    }
    assert_eq!(cpu::limit(Level::Avx512), cpu::level());
}
