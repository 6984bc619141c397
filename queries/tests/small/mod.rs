//! A small registry in the platform's own schema, for tests of questions.

use yiku::schema::PathNode;
use yiku::{CommitInfo, Database, PathTree, Schema, Snapshot, Value, calendar};
use yiku_queries::household::Standards;

pub(crate) const DAY: &str = "2026-10-31";

/// The registry and what questions may name besides it.
pub(crate) struct Ground {
    _folder: tempfile::TempDir,
    pub(crate) database: Database,
    pub(crate) snapshot: Snapshot,
    pub(crate) standards: Standards,
}

/// The households: income in fen, day of birth of the member, and the month of an observation.
const HOUSEHOLDS: [(i64, &str, i64); 4] = [
    (i64::MAX, "0000-01-01", i64::MAX),
    (i64::MIN, "9999-12-31", i64::MIN),
    (68_000, "1950-02-28", 24_321),
    (-1, "2024-02-29", 24_300),
];

impl Ground {
    pub(crate) fn new() -> Self {
        let schema = Schema::from_toml(include_str!("../../../indexer/registry.toml")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let node =
            |(code, level, name): (u64, u8, &str)| PathNode { code, level, name: name.to_owned() };
        let places = [
            (140_000_000_000, 0, "北山省"),
            (140_100_000_000, 1, "东市"),
            (140_105_000_000, 2, "甲区"),
            (140_105_001_000, 3, "第一街道"),
            (140_105_001_001, 4, "一社区"),
            (140_200_000_000, 1, "西市"),
        ];
        let tree = PathTree::new(&schema.path, places.map(node).to_vec()).unwrap();
        let database = Database::create(&folder.path().join("db"), schema, tree).unwrap();
        let mut writer = database.writer().unwrap();
        let mut batch = writer.batch();
        for (place, (income, birth, value)) in HOUSEHOLDS.into_iter().enumerate() {
            let int = Value::Int;
            let row = batch.row("household").unwrap();
            let row = row.set("household_id", format!("H{place}").as_str()).unwrap();
            let row = row.set("region", int(140_105_001_001)).unwrap();
            row.set("income", int(income)).unwrap().set("urban", place % 2 == 0).unwrap();
            let row = batch.row("person").unwrap();
            let row = row.set("person_id", format!("P{place}").as_str()).unwrap();
            let birth = calendar::parse_date(birth).unwrap();
            row.set("birth_date", int(birth)).unwrap().set("name", "王").unwrap();
            let row = batch.row("observation").unwrap();
            let row = row.set("observation_id", format!("O{place}").as_str()).unwrap();
            row.set("value", int(value)).unwrap().set("month", int(24_321)).unwrap();
        }
        writer.write(&batch).unwrap();
        let as_of = calendar::parse_date(DAY);
        let snapshot = writer.commit(CommitInfo { as_of, ..CommitInfo::default() }).unwrap();
        drop(writer);
        let standards = Standards::builtin().unwrap();
        Self { _folder: folder, database, snapshot, standards }
    }
}
