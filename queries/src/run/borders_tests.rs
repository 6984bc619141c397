//! Codes counted by places from border to border, and pairs of codes: what is told from bits alone
//! is what a look at every row tells.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeMap;

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
[[table]]
name = "house"
key = "id"
columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" },
    { name = "paint", kind = "codes", list = "colour", index = true }]
[[table]]
name = "room"
parent = "house"
key = "id"
columns = [{ name = "id", kind = "id" },
    { name = "walls", kind = "codes", list = "colour", index = true },
    { name = "doors", kind = "codes", list = "colour", index = true },
    { name = "floor", kind = "code", list = "colour", index = true },
    { name = "warm", kind = "flag", index = true }]
"#;

/// Places of houses; 1100 is of the upper level itself.
const PLACES: [&str; 5] = ["1101", "1102", "1103", "1201", "1100"];

/// The red rooms that are not blue, by street.
pub(super) type Red = BTreeMap<&'static str, i64>;

/// Houses with up to five rooms, some written twice and more than once moved.
pub(super) fn written() -> (tempfile::TempDir, Snapshot, Red) {
    let folder = tempfile::tempdir().unwrap();
    let schema = Schema::from_toml(SCHEMA).unwrap();
    let places = [(1_100, 0), (1_101, 1), (1_102, 1), (1_103, 1), (1_200, 0), (1_201, 1)];
    let node = |(code, level): (u64, u8)| PathNode { code, level, name: format!("p{code}") };
    let tree = PathTree::new(&schema.path, places.map(node).to_vec()).unwrap();
    let mut writer =
        Database::create(&folder.path().join("d"), schema, tree).unwrap().writer().unwrap();
    let mut drawn = Drawn(5);
    let (mut houses, mut snapshot) = (BTreeMap::new(), None);
    for round in 0..3u64 {
        let mut batch = writer.batch();
        for number in (0..600 * (3 - round)).step_by(usize::try_from(round * 6 + 1).unwrap()) {
            let place = *drawn.one_of(&PLACES);
            let id = format!("h{number}");
            let mut row = batch.row("house").unwrap().set("id", id.as_str()).unwrap();
            row = row.set("place", place).unwrap();
            row.set("paint", *drawn.one_of(&["1", "1;2", "3"])).unwrap();
            let mut red = 0;
            for room in 0..drawn.below(6) {
                let id = format!("h{number}_{room}");
                let mut row = batch.row("room").unwrap().set("id", id.as_str()).unwrap();
                let walls = *drawn.one_of(&["3", "1", "1;3", "1;2", "2", "?"]);
                if walls != "?" {
                    row = row.set("walls", walls).unwrap();
                }
                row = row.set("doors", *drawn.one_of(&["3", "1", "1", "2;3"])).unwrap();
                row = row.set("floor", *drawn.one_of(&["1", "2", "2", "3"])).unwrap();
                row.set("warm", *drawn.one_of(&["1", "0"])).unwrap();
                red += i64::from(walls == "1" || walls == "1;3");
            }
            houses.insert(number, (place, red));
        }
        writer.write(&batch).unwrap();
        snapshot = Some(writer.commit(CommitInfo::default()).unwrap());
    }
    let mut streets = Red::new();
    houses.into_values().for_each(|(place, red)| *streets.entry(place).or_default() += red);
    (folder, snapshot.unwrap(), streets)
}

pub(super) fn asked(
    snapshot: &Snapshot,
    text: &str,
    scope: Option<&str>,
    limits: &Limits,
) -> Answer {
    let query = Query::parse(text).unwrap();
    let plan = match scope {
        Some(scope) => Plan::within(&query, snapshot, scope).unwrap(),
        None => Plan::new(&query, snapshot).unwrap(),
    };
    plan.run(snapshot, limits).unwrap()
}

const MEASURES: &str = "measure n = count(), red = count(where walls has any (red)), \
     plain = count(where walls has none (red, blue)), \
     both = count(where walls has any (red) and doors has all (grey) and doors has none (blue)), \
     flat = count(where floor = blue and doors has any (red)), cold = count(where not warm), \
     warm = count(where warm and floor in (grey))";

#[test]
fn codes_are_counted_by_places_as_row_by_row() {
    let (_folder, snapshot, _) = written();
    assert!(snapshot.segments().len() > 1);
    let plain = Limits { indexes: false, ..Limits::default() };
    for from in [
        "from room",
        "from room where place within 11",
        "from room where place within (1101, 1103, 1201)",
        "from room where walls has any (red)",
        "from room where walls has all (red, blue) and place within (1102, 1201)",
        "from room where doors has none (grey) and place within 1201",
        "from room where floor = red and place within 11",
    ] {
        for by in ["", "by place.city", "by place.street", "by place"] {
            for scope in [None, Some("11"), Some("1103")] {
                let text = format!("{from} {by} {MEASURES}");
                let expected = asked(&snapshot, &text, scope, &plain);
                for threads in 1..=3 {
                    let limits = Limits { threads, ..Limits::default() };
                    let found = asked(&snapshot, &text, scope, &limits);
                    assert_eq!(found.columns, expected.columns, "{text}, {scope:?}, {threads}");
                    assert_eq!(found.matched, expected.matched, "{text}, {scope:?}, {threads}");
                }
            }
        }
    }
    let text = "from house by place.street measure n = count(where paint has any (blue))";
    let expected = asked(&snapshot, text, None, &plain);
    assert_eq!(asked(&snapshot, text, None, &Limits::default()).columns, expected.columns);
}

/// Rooms of three streets, each written by itself.
fn apart() -> (tempfile::TempDir, Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    let schema = Schema::from_toml(SCHEMA).unwrap();
    let node = |(code, level): (u64, u8)| PathNode { code, level, name: format!("p{code}") };
    let places = [(1_100, 0), (1_101, 1), (1_102, 1), (1_103, 1)];
    let tree = PathTree::new(&schema.path, places.map(node).to_vec()).unwrap();
    let mut writer =
        Database::create(&folder.path().join("d"), schema, tree).unwrap().writer().unwrap();
    let (mut drawn, mut snapshot) = (Drawn(9), None);
    for place in ["1101", "1102", "1103"] {
        let mut batch = writer.batch();
        for number in 0..40 {
            let id = format!("h{place}_{number}");
            let row = batch.row("house").unwrap().set("id", id.as_str()).unwrap();
            row.set("place", place).unwrap();
            for room in 0..drawn.below(4) {
                let id = format!("{id}_{room}");
                let row = batch.row("room").unwrap().set("id", id.as_str()).unwrap();
                let row = row.set("walls", *drawn.one_of(&["1", "1;3", "2"])).unwrap();
                row.set("floor", *drawn.one_of(&["1", "2"])).unwrap();
            }
        }
        writer.write(&batch).unwrap();
        snapshot = Some(writer.commit(CommitInfo::default()).unwrap());
    }
    (folder, snapshot.unwrap())
}

#[test]
fn a_page_is_found_by_counts_of_codes_as_row_by_row() {
    let (_folder, snapshot) = apart();
    assert_eq!(snapshot.segments().len(), 3);
    let plain = Limits { indexes: false, ..Limits::default() };
    for from in [
        "from room where walls has any (red) and floor = blue",
        "from room where walls has none (red)",
        "from room where floor = red and place within (1101, 1103)",
        "from room where floor = grey",
        "from room",
    ] {
        for scope in [None, Some("1102")] {
            for page in ["", "limit 7", "limit 3 offset 20", "limit 60 offset 9", "offset 500"] {
                let text = format!("{from} select id, walls {page}");
                let expected = asked(&snapshot, &text, scope, &plain);
                for threads in 1..=2 {
                    let limits = Limits { threads, ..Limits::default() };
                    let found = asked(&snapshot, &text, scope, &limits);
                    assert_eq!(found, expected, "{text}, {scope:?}, {threads}");
                }
            }
        }
    }
}

#[test]
fn codes_are_counted_by_places_as_they_were_written() {
    let (_folder, snapshot, streets) = written();
    let text = "from room by place measure n = count(where walls has any (red) and \
                walls has none (blue))";
    let found = asked(&snapshot, text, None, &Limits::default());
    let lines: Vec<(String, String)> =
        column(&found, 0).into_iter().zip(column(&found, 1)).collect();
    for (street, red) in streets {
        let short = street.strip_suffix("00").unwrap_or(street);
        let own = lines.iter().find(|(place, _)| place == street || place == short);
        assert_eq!(own.map(|(_, count)| count.clone()), Some(red.to_string()), "{street}");
    }
}

#[test]
fn pairs_of_codes_are_those_of_every_row() {
    let (_folder, snapshot, _) = written();
    let plain = Limits { indexes: false, ..Limits::default() };
    let matrix = "matrix r = walls has any (red), b = walls has all (blue), \
                  g = walls has any (grey), d = doors has any (grey), e = doors has any (blue)";
    for from in
        ["from room", "from room where doors has any (grey)", "from room where place within 12"]
    {
        let text = format!("{from} {matrix}");
        let expected = asked(&snapshot, &text, None, &plain);
        for threads in 1..=2 {
            let limits = Limits { threads, ..Limits::default() };
            let found = asked(&snapshot, &text, None, &limits);
            assert_eq!(
                (found.columns, found.matched),
                (expected.columns.clone(), expected.matched)
            );
        }
    }
}
