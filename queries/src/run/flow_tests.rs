//! Moves between two days, and that they balance with the stocks of both.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use super::tests::{answer, column, database, lines, lines_in, refused, snapshot_of};
use crate::Context;
use yiku::Snapshot;

fn leases() -> (tempfile::TempDir, Snapshot) {
    let houses: [(&str, &[(&str, &str)]); 5] = [
        ("1101", &[("built", "1966-05-31"), ("a", "true")]),
        ("1101", &[("built", "1986-07-15"), ("a", "false")]),
        ("1102", &[("built", "1966-05-31")]),
        ("1201", &[("built", "1950-01-01")]),
        ("1201", &[]),
    ];
    snapshot_of(
        &houses,
        &[
            &[("2025-12-01", "2026-06-30")],
            &[("2026-02-10", "")],
            &[("2026-01-01", "2026-04-30")],
            &[("2026-06-01", "")],
            &[("2020-01-01", "2020-12-31")],
        ],
    )
}

#[test]
fn rows_enter_leave_stay_and_move() {
    let (_folder, snapshot) = leases();
    let rented = "from house where any(lease where running)";
    let flow = "flow 2026-04-30 to 2026-06-30";
    assert_eq!(lines(&snapshot, &format!("{rented} {flow}")), ["entered 1", "left 1", "stayed 2"]);
    assert_eq!(
        lines(&snapshot, &format!("{rented} by place.city {flow}")),
        ["entered ? 12 1", "left 11 ? 1", "stayed 11 11 2"]
    );
    assert_eq!(
        lines(&snapshot, &format!("{rented} by band(age(built), 60), a {flow}")),
        [
            "entered ? ? [60,+) ? 1",
            "left (-,60) ? ? ? 1",
            "stayed (-,60) false (-,60) false 1",
            "moved (-,60) true [60,+) true 1",
        ]
        .map(|line| line.replace("(-,60)", &below(&snapshot)).replace("[60,+)", &above(&snapshot)))
    );
    assert_eq!(
        lines(&snapshot, "from house where floors > 9 flow 2026-04-30 to 2026-06-30"),
        ["entered 0", "left 0", "stayed 0"]
    );
    let found = answer(&snapshot, &format!("{rented} by place.city {flow} limit 1 offset 1"));
    assert_eq!(column(&found, 0), ["left"]);
    assert_eq!((found.total_rows, found.truncated), (3, true));
    let found = answer(&snapshot, &format!("{rented} by place.city {flow}"));
    let names: Vec<&str> = found.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["move", "place.city.before", "place.city.after", "n"]);
    assert_eq!((found.matched, found.as_of.as_str()), (4, "2026-06-30"));
}

fn band(snapshot: &Snapshot, wanted: &str) -> String {
    let text = format!("from house where {wanted} by band(age(built), 60) as_of 2026-06-30");
    column(&answer(snapshot, &text), 0).first().cloned().unwrap()
}

fn below(snapshot: &Snapshot) -> String {
    band(snapshot, "age(built) < 60")
}

fn above(snapshot: &Snapshot) -> String {
    band(snapshot, "age(built) >= 60")
}

#[test]
fn moves_balance_with_the_stocks() {
    let (_folder, snapshot) = leases();
    let asked = "from house where any(lease where running) by place.city, band(age(built), 50, 60)";
    let days = ["2025-11-30", "2025-12-31", "2026-03-31", "2026-04-30", "2026-06-30", "2026-07-31"];
    for (from, to) in days.iter().flat_map(|from| days.map(|to| (*from, to))) {
        let moves = answer(&snapshot, &format!("{asked} flow {from} to {to}"));
        for (side, day, without) in [(1, from, "entered"), (3, to, "left")] {
            let mut expected = std::collections::BTreeMap::new();
            let stock = answer(&snapshot, &format!("{asked} as_of {day}"));
            for row in 0..stock.rows {
                let key = [column(&stock, 0)[row].clone(), column(&stock, 1)[row].clone()];
                expected.insert(key, column(&stock, 2)[row].parse::<u64>().unwrap());
            }
            let mut found = std::collections::BTreeMap::new();
            for row in (0..moves.rows).filter(|row| column(&moves, 0)[*row] != without) {
                let key =
                    [column(&moves, side)[row].clone(), column(&moves, side + 1)[row].clone()];
                *found.entry(key).or_insert(0) += column(&moves, 5)[row].parse::<u64>().unwrap();
            }
            assert_eq!(found, expected, "{from} to {to}, of {day}");
        }
    }
}

#[test]
fn what_is_no_flow_is_refused() {
    let (_folder, snapshot) = leases();
    for (rest, said) in [
        ("measure count()", "goes without `measure`"),
        ("totals", "goes without `totals`"),
        ("over month 2026-01", "goes without `over`"),
        ("as_of 2026-01-01", "goes without `as_of`"),
    ] {
        let text = format!("from house flow 2026-04-30 to 2026-06-30 {rest}");
        let error = refused(&snapshot, &text);
        assert!(error.contains(said), "{rest}: {error}");
    }
    let error = refused(&snapshot, "from house flow 'first' to 'second'");
    assert!(error.contains("the version 'first' is not to be had here"), "{error}");
}

#[test]
fn rows_are_followed_by_their_keys_between_versions() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(&folder.path().join("d"));
    let mut writer = database.writer().unwrap();
    let mut write = |rows: &[(&str, &str, &str)], gone: &[&str]| {
        let mut batch = writer.batch();
        for (id, place, rent) in rows {
            let row = batch.row("house").unwrap().set("id", *id).unwrap();
            row.set("place", *place).unwrap().set("rent", *rent).unwrap();
        }
        writer.write(&batch).unwrap();
        for key in gone {
            assert!(writer.remove(key).unwrap());
        }
        let as_of = yiku::calendar::parse_date("2026-10-31");
        writer.commit(yiku::CommitInfo { as_of, ..Default::default() }).unwrap()
    };
    write(
        &[("a", "1101", "10"), ("b", "1101", "20"), ("c", "1102", "30"), ("d", "1201", "5")],
        &[],
    );
    database.keep("first").unwrap();
    // One moves, one is gone, one gets dearer, one comes.
    let now = write(&[("a", "1201", "10"), ("d", "1201", "50"), ("e", "1102", "40")], &["b"]);
    database.keep("second").unwrap();
    let context = Context::default().versions(&database);
    let ask = |text: &str| lines_in(&now, text, &context);
    assert_eq!(ask("from house flow 'first' to 'second'"), ["entered 1", "left 1", "stayed 3"]);
    assert_eq!(
        ask("from house by place.city flow 'first' to 'second'"),
        ["entered ? 11 1", "left 11 ? 1", "stayed 11 11 1", "stayed 12 12 1", "moved 11 12 1"]
    );
    assert_eq!(
        ask("from house where rent >= 20 by place.street flow 'first' to 2026-10-31"),
        ["entered ? 1102 1", "entered ? 1201 1", "left 1101 ? 1", "stayed 1102 1102 1"]
    );
    assert_eq!(ask("from house flow 'second' to 'first'"), ["entered 1", "left 1", "stayed 3"]);
    assert_eq!(
        lines_in(&now, "from house flow 'first' to 'second'", &context.scope("12")),
        ["entered 1", "left 0", "stayed 1"]
    );
    let error = ask("from house flow 'third' to 'second'");
    assert!(error[0].contains("no version is kept under the name `third`"), "{error:?}");
}
