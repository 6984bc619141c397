//! Counts that pairs of codes tell are those of a look at every row.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use yiku::schema::PathNode;
use yiku::{CommitInfo, Database, PathTree, Schema, Snapshot};

use super::tests::{Drawn, column};
use crate::{Answer, Limits, Plan, Query};

const SCHEMA: &str = r#"
name = "s"
[path]
name = "place"
levels = [{ name = "city", digits = 2 }, { name = "street", digits = 4 }]
[[list]]
name = "colour"
codes = [["1", "red", "Red"], ["2", "blue", "Blue"], ["3", "grey", "Grey"]]
[[list]]
name = "grade"
codes = [["1", "low", "Low"], ["2", "high", "High"]]
[[table]]
name = "house"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" }]
[[table]]
name = "room"
parent = "house"
key = "id"
columns = [{ name = "id", kind = "id" },
    { name = "walls", kind = "codes", list = "colour", index = true },
    { name = "doors", kind = "codes", list = "colour", index = true },
    { name = "grade", kind = "code", list = "grade", index = true },
    { name = "bright", kind = "flag", index = true },
    { name = "floor", kind = "int", index = true }]
"#;

/// 230,000 rooms of houses in three streets, the first two of them in more than a piece; a few
/// houses are written twice.
fn written() -> (tempfile::TempDir, Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    let schema = Schema::from_toml(SCHEMA).unwrap();
    let places = [(1_100, 0), (1_101, 1), (1_102, 1), (1_200, 0), (1_201, 1)];
    let node = |(code, level): (u64, u8)| PathNode { code, level, name: format!("p{code}") };
    let tree = PathTree::new(&schema.path, places.map(node).to_vec()).unwrap();
    let mut writer =
        Database::create(&folder.path().join("d"), schema, tree).unwrap().writer().unwrap();
    let mut drawn = Drawn(11);
    let mut snapshot = None;
    for houses in [(0..46_000u64).collect::<Vec<_>>(), vec![3, 45_000]] {
        let mut batch = writer.batch();
        for number in houses {
            let place = match number {
                0..22_000 => 1_101,
                22_000..40_000 => 1_102,
                _ => 1_201,
            };
            let mut row = batch.push(0).unwrap();
            row.put(0, format!("h{number:06}").as_str().into()).unwrap();
            row.put(1, place.into()).unwrap();
            for room in 0..5 {
                let mut row = batch.push(1).unwrap();
                row.put(0, format!("h{number:06}_{room}").as_str().into()).unwrap();
                let value = |drawn: &mut Drawn, limit| i64::try_from(drawn.below(limit)).unwrap();
                for (at, limit) in [(1, 8), (2, 8), (3, 2), (4, 2), (5, 9)] {
                    let value = value(&mut drawn, limit);
                    if drawn.below(20) > 0 {
                        row.put(at, value.into()).unwrap();
                    }
                }
            }
        }
        writer.write(&batch).unwrap();
        snapshot = Some(writer.commit(CommitInfo::default()).unwrap());
    }
    (folder, snapshot.unwrap())
}

const MATRIX: &str = "from room matrix r = walls has any (red), b = walls has none (blue), \
                      d = doors has any (grey)";

fn asked(snapshot: &Snapshot, text: &str, scope: Option<&str>, limits: &Limits) -> Answer {
    let query = Query::parse(text).unwrap();
    let plan = match scope {
        Some(scope) => Plan::within(&query, snapshot, scope).unwrap(),
        None => Plan::new(&query, snapshot).unwrap(),
    };
    plan.run(snapshot, limits).unwrap()
}

#[test]
fn counts_of_pairs_are_those_of_every_row() {
    let (_folder, snapshot) = written();
    let table = snapshot.schema().tables.iter().position(|table| table.name == "room").unwrap();
    let large = snapshot.segments().iter().max_by_key(|own| own.rows(table)).unwrap();
    let pairs = large.pairs(table).unwrap().unwrap();
    let live = |piece: usize| pairs.tells(&(piece..piece + 1), 0).unwrap();
    let live: Vec<bool> = (0..pairs.ends().len()).map(live).collect();
    assert!(live.contains(&true) && live.contains(&false), "{live:?}");
    let plain = Limits { indexes: false, ..Limits::default() };
    let mut rows = 0;
    for (question, scopes) in [
        ("from room by grade, bright", 2),
        ("from room by place.city, grade, bright", 2),
        ("from room by bright, place.street, grade", 1),
        ("from room where grade is known by place.street, bright, grade", 2),
        ("from room where grade is unknown and walls has any (red) by place.city", 1),
        ("from room where walls has none (red) by grade", 1),
        ("from room where place within 1101 and bright by grade", 2),
        ("from room where place within (1101, 1201) by grade measure n = count(where bright)", 1),
        ("from room where grade = high measure n = count(where walls has all (blue))", 2),
        ("from room where floor > 3 by grade, bright", 1),
        ("from room where walls has any (red, grey) by grade", 1),
        ("from room by grade, bright totals", 1),
        (MATRIX, 2),
        ("from room where grade = low matrix r = walls has any (red), r2 = walls has all (red)", 1),
        ("from room where place within 12 matrix r = walls has any (red), bright", 1),
    ] {
        for scope in [None, Some("1102")].into_iter().take(scopes) {
            let expected = asked(&snapshot, question, scope, &plain);
            for threads in 1..=3 {
                let limits = Limits { threads, ..Limits::default() };
                let found = asked(&snapshot, question, scope, &limits);
                assert_eq!(found.columns, expected.columns, "{question}, {scope:?}, {threads}");
                assert_eq!(found.matched, expected.matched, "{question}, {scope:?}, {threads}");
            }
            rows += expected.matched;
        }
    }
    assert!(rows > 1_000_000, "{rows}");
}

#[test]
fn a_room_is_counted_once() {
    let (_folder, snapshot) = written();
    let text = "from room by place.street measure n = count()";
    let found = asked(&snapshot, text, None, &Limits::default());
    assert_eq!(column(&found, 1), ["110000", "90000", "30000"]);
    let text = "from room by grade measure n = count()";
    let found = asked(&snapshot, text, None, &Limits::default());
    let all: i64 = column(&found, 1).iter().map(|count| count.parse::<i64>().unwrap()).sum();
    assert_eq!(all, 230_000);
}
