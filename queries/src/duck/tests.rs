//! Free SQL over rows that can be counted, and what is refused.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use yiku::schema::PathNode;
use yiku::{CommitInfo, Database, PathTree, Schema, Snapshot};

use super::{Sql, SqlLimits, SqlValue};
use crate::Error;

const SCHEMA: &str = r#"
name = "s"
[path]
name = "place"
levels = [{ name = "city", digits = 2 }, { name = "street", digits = 4 }]
[[list]]
name = "colour"
codes = [["1", "red", "Red"], ["2", "blue", "Blue"], ["3", "green", "Green"]]
[[table]]
name = "house"
key = "id"
columns = [
    { name = "id", kind = "id" }, { name = "place", kind = "path" },
    { name = "floors", kind = "int" }, { name = "empty", kind = "flag", index = true },
    { name = "colour", kind = "code", list = "colour", index = true },
    { name = "colours", kind = "codes", list = "colour", index = true },
]
[[table]]
name = "order"
parent = "house"
key = "id"
columns = [
    { name = "id", kind = "id" }, { name = "price", kind = "money" },
    { name = "day", kind = "date" }, { name = "month", kind = "month" },
    { name = "note", kind = "text" },
]
"#;

/// More than a block of houses, and of orders.
const HOUSES: i64 = 70_000;

fn write(database: &Database, houses: std::ops::Range<i64>) {
    let mut writer = database.writer().unwrap();
    let mut batch = writer.batch();
    for n in houses {
        let mut row = batch.row("house").unwrap();
        row = row.set("id", format!("h{n:06}").as_str()).unwrap();
        row = row.set("place", ["11", "1101", "1102"][usize::try_from(n % 3).unwrap()]).unwrap();
        if n % 4 > 0 {
            row = row.set("floors", n % 4).unwrap().set("empty", n % 8 == 1).unwrap();
            row = row.set("colour", ["red", "blue"][usize::try_from(n % 2).unwrap()]).unwrap();
        }
        // Nothing, red, red and green.
        let set = [0, 1, 5][usize::try_from(n % 3).unwrap()];
        row.set("colours", yiku::Value::Int(set)).unwrap();
        for order in 0..n % 3 {
            let row = batch.row("order").unwrap();
            let row = row.set("id", format!("o{n}-{order}").as_str()).unwrap();
            let row = row.set("price", yiku::Value::Int(n)).unwrap();
            let row = row.set("day", "2026-10-31").unwrap().set("month", "2026-10").unwrap();
            if order == 0 {
                row.set("note", "it's; -- here").unwrap();
            }
        }
    }
    writer.write(&batch).unwrap();
    writer.commit(CommitInfo::default()).unwrap();
}

/// Houses of several segments, some of them replaced: those rows are dead.
fn snapshot(folder: &std::path::Path) -> Snapshot {
    let schema = Schema::from_toml(SCHEMA).unwrap();
    let places = [(1_100, 0), (1_101, 1), (1_102, 1)];
    let node = |(code, level): (u64, u8)| PathNode { code, level, name: format!("p{code}") };
    let tree = PathTree::new(&schema.path, places.map(node).to_vec()).unwrap();
    let database = Database::create(folder, schema, tree).unwrap();
    write(&database, 0..HOUSES - 100);
    write(&database, HOUSES - 300..HOUSES);
    database.snapshot().unwrap()
}

fn opened(snapshot: &Snapshot) -> Sql {
    Sql::open(snapshot, &SqlLimits::default()).unwrap()
}

/// The one row of an answer, as texts.
fn row(sql: &Sql, text: &str) -> String {
    let answer = sql.ask(text).unwrap();
    assert_eq!(answer.rows.len(), 1, "{text}");
    let shown = |value: &SqlValue| match value {
        SqlValue::Int(number) => number.to_string(),
        SqlValue::Text(text) => text.clone(),
        other => format!("{other:?}"),
    };
    answer.rows.first().unwrap().iter().map(shown).collect::<Vec<_>>().join(" ")
}

#[test]
fn tables_are_what_the_engine_holds() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = snapshot(&folder.path().join("d"));
    let sql = opened(&snapshot);
    let houses = || 0..HOUSES;
    let orders: i64 = houses().map(|n| n % 3).sum();
    let told = row(&sql, "SELECT count(*), count(DISTINCT _row) FROM house");
    assert_eq!(told, format!("{HOUSES} {HOUSES}"));
    let paid: i64 = houses().map(|n| n % 3 * n).sum();
    let asked = r#"SELECT count(*), sum(price)::BIGINT, count(note) FROM "order""#;
    let notes = houses().filter(|n| n % 3 > 0).count();
    assert_eq!(row(&sql, asked), format!("{orders} {paid} {notes}"));
    // Every row hangs beneath the row that it was written beneath.
    let asked = r#"SELECT count(*) FROM "order" o JOIN house h ON h._row = o._parent
        WHERE right(h.id, 6)::BIGINT = o.price AND o.id LIKE 'o' || o.price || '-%'"#;
    assert_eq!(row(&sql, asked), orders.to_string());
    // Rows beneath one row have numbers that follow one another.
    let asked = r#"SELECT count(*) FROM (SELECT max(_row) - min(_row) + 1 - count(*) AS gap
        FROM "order" GROUP BY _parent) WHERE gap <> 0"#;
    assert_eq!(row(&sql, asked), "0");
    let green = houses().filter(|n| n % 3 == 2).count();
    let unknown = houses().filter(|n| n % 4 == 0).count();
    let asked = "SELECT count(*) FILTER (WHERE list_contains(colours, 'green')), \
        count(*) FILTER (WHERE len(colours) = 0), count(*) FILTER (WHERE empty IS NULL), \
        count(*) FILTER (WHERE colour IS NULL AND floors IS NULL) FROM house";
    let none = houses().filter(|n| n % 3 == 0).count();
    assert_eq!(row(&sql, asked), format!("{green} {none} {unknown} {unknown}"));
    let asked = "SELECT place, _level, colours, colour, empty FROM house WHERE id = 'h000005'";
    let list = r#"List([Text("red"), Text("green")])"#;
    assert_eq!(row(&sql, asked), format!("1102 1 {list} blue Flag(false)"));
    let asked =
        r#"SELECT DISTINCT day, month, day >= month, note FROM "order" WHERE note IS NOT NULL"#;
    assert_eq!(row(&sql, asked), "2026-10-31 2026-10-01 Flag(true) it's; -- here");
    assert_eq!(row(&sql, "SELECT name, above FROM _place WHERE digits = '1102'"), "p1102 11");
    assert_eq!(row(&sql, "SELECT label, place FROM _code WHERE name = 'green'"), "Green 2");
    assert!(sql.ask("SHOW TABLES").unwrap().rows.len() == 4);
    assert!(sql.ask("DESCRIBE house").unwrap().rows.len() == 8);
    assert!(!sql.ask("EXPLAIN SELECT id FROM house").unwrap().rows.is_empty());
}

#[test]
fn nothing_outside_is_reached_or_changed() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = snapshot(&folder.path().join("d"));
    let sql = opened(&snapshot);
    for (text, part) in [
        ("COPY house TO '/tmp/yiku-x.csv'", "`COPY` is not answered"),
        ("ATTACH '/tmp/yiku-x.db'", "`ATTACH` is not answered"),
        ("INSTALL httpfs", "begin with one of SELECT"),
        ("LOAD httpfs", "is not answered"),
        ("PRAGMA database_list", "is not answered"),
        ("SET threads = 8", "is not answered"),
        ("INSERT INTO house VALUES (1)", "is not answered"),
        ("CREATE TABLE t AS SELECT 1", "is not answered"),
        ("DROP VIEW house", "is not answered"),
        ("SELECT 1; SELECT 2", "one statement"),
        ("SELECT 1; COPY (SELECT 1) TO '/tmp/yiku-x.csv'", "one statement"),
        ("", "no statement"),
    ] {
        match sql.ask(text) {
            Err(Error::SqlRefused { what }) => assert!(what.contains(part), "{text}: {what}"),
            other => assert!(other.is_err() && part.is_empty(), "{text}: {other:?}"),
        }
    }
    for text in [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "FROM read_parquet('https://example.org/x.parquet')",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/yiku-x.csv'",
        "WITH a AS (SELECT 1) INSERT INTO house SELECT * FROM a",
        "SELECT * FROM _yiku(99)",
        "SELECT * FROM _yiku(-1)",
        "SELECT nothing FROM house",
        "SELECT 'a",
        "SELECT 1 /* ; ",
    ] {
        let found = sql.ask(text);
        assert!(matches!(found, Err(Error::Sql { .. })), "{text}: {found:?}");
    }
    assert!(!std::path::Path::new("/tmp/yiku-x.csv").exists());
    // What was refused left everything as it was.
    assert_eq!(row(&sql, "SELECT count(*) FROM house"), HOUSES.to_string());
    // Two snapshots in one thread do not see each other.
    let other = opened(&snapshot);
    assert_eq!(row(&other, "SELECT count(*) FROM house"), HOUSES.to_string());
}

#[test]
fn limits_hold() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = snapshot(&folder.path().join("d"));
    let few = SqlLimits { rows: 10, ..SqlLimits::default() };
    let sql = Sql::open(&snapshot, &few).unwrap();
    assert!(matches!(sql.ask("SELECT id FROM house"), Err(Error::Limit { limit: 10, .. })));
    assert_eq!(sql.ask("SELECT id FROM house ORDER BY id LIMIT 10").unwrap().rows.len(), 10);
    let small = SqlLimits { memory: 16 << 20, ..SqlLimits::default() };
    let sql = Sql::open(&snapshot, &small).unwrap();
    let large = sql.ask("SELECT list(a.id || b.id) FROM house a, house b WHERE a._row % 9 = 0");
    assert!(matches!(&large, Err(Error::Sql { reason }) if reason.contains("emory")), "{large:?}");
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = SqlLimits { stop: Some(Arc::clone(&stop)), ..SqlLimits::default() };
    let sql = Sql::open(&snapshot, &stopped).unwrap();
    assert_eq!(row(&sql, "SELECT count(*) FROM house"), HOUSES.to_string());
    stop.store(true, Ordering::Relaxed);
    assert!(matches!(sql.ask("SELECT count(id) FROM house"), Err(Error::Stopped)));
    // Without any table only the interrupter helps.
    let sql = opened(&snapshot);
    let interrupter = sql.interrupter();
    let endless = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range = 3";
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                interrupter.interrupt();
                std::thread::yield_now();
            }
        });
        assert!(matches!(sql.ask(endless), Err(Error::Sql { .. })));
        ended.store(true, Ordering::Relaxed);
    });
}
