//! A registry of a few dozen households, written by plain loops, so that a test can count by hand
//! what the program must answer.

use std::path::Path;

use yiku::schema::PathNode;
use yiku::{Batch, CommitInfo, Database, PathTree, Result, Schema, Value, calendar};

/// Households of county 140105 and 140106; one more lives in 140212, nobody in 140213.
pub(crate) const HOUSEHOLDS: i64 = 36;
/// What stands in personal columns, which must not leave over HTTP.
pub(crate) const SECRET: &str = "阿无名";

/// The platform's own schema.
pub(crate) fn schema() -> Schema {
    yiku_indexer::registry_schema().unwrap()
}

/// A province of two cities and four counties.
pub(crate) fn tree(schema: &Schema) -> PathTree {
    let places = [
        ("14", "山西省"),
        ("1401", "太原市"),
        ("140105", "小店区"),
        ("140105001", "坞城街道"),
        ("140105001001", "一社区"),
        ("140106", "迎泽区"),
        ("140106001", "柳巷街道"),
        ("140106001001", "二社区"),
        ("1402", "大同市"),
        ("140212", "新荣区"),
        ("140212100", "新荣镇"),
        ("140212100001", "三社区"),
        ("140213", "平城区"),
    ];
    let levels = schema.path.levels.iter().map(|level| usize::from(level.digits));
    let levels: Vec<usize> = levels.collect();
    let nodes = places.iter().map(|(code, name)| PathNode {
        code: format!("{code:0<12}").parse().unwrap(),
        level: levels.iter().position(|digits| *digits == code.len()).unwrap() as u8,
        name: (*name).to_owned(),
    });
    PathTree::new(&schema.path, nodes.collect()).unwrap()
}

/// The village of a household.
pub(crate) fn village(household: i64) -> &'static str {
    match household {
        HOUSEHOLDS => "140212100001",
        h if h % 3 == 0 => "140106001001",
        _ => "140105001001",
    }
}

/// How many persons a household has.
pub(crate) fn size(household: i64) -> i64 {
    if household == HOUSEHOLDS { 1 } else { 1 + household % 3 }
}

/// Whether the first person of a household is on dibao; and is paid for it in 2026-10.
pub(crate) fn is_on_dibao(household: i64) -> bool {
    household < HOUSEHOLDS && household % 6 == 0
}

/// What is paid to the first person of a household on dibao, in fen.
pub(crate) fn paid(household: i64) -> i64 {
    50_050 + household
}

/// Writes the registry into a folder.
pub(crate) fn create(folder: &Path) -> Database {
    let schema = schema();
    let tree = tree(&schema);
    let database = Database::create(folder, schema, tree).unwrap();
    let mut writer = database.writer().unwrap();
    let mut batch = writer.batch();
    for household in 0..=HOUSEHOLDS {
        household_of(&mut batch, household).unwrap();
    }
    writer.write(&batch).unwrap();
    let as_of = calendar::days(2026, 10, 31);
    writer.commit(CommitInfo { as_of, ..CommitInfo::default() }).unwrap();
    database
}

fn household_of(batch: &mut Batch, household: i64) -> Result<()> {
    let row = batch.row("household")?;
    let row = row.set("household_id", format!("H{household:03}").as_str())?;
    let row = row.set("region", village(household))?.set("urban", household % 2 == 0)?;
    row.set("address", format!("{SECRET}路{household}号").as_str())?;
    for person in 0..size(household) {
        let first = person == 0;
        let row = batch.row("person")?;
        let row = row.set("person_id", format!("P{household:03}-{person}").as_str())?;
        let row = row.set("name", SECRET)?.set("sex", if first { "male" } else { "female" })?;
        let row = row.set("birth_date", format!("{}-05-01", 1950 + household).as_str())?;
        row.set("severe_illness", first && household % 4 == 0)?;
        if first && is_on_dibao(household) {
            let row = batch.row("aid")?.set("aid_id", format!("A{household:03}").as_str())?;
            row.set("kind", "dibao_urban")?.set("start", "2025-01-01")?;
            let row = batch.row("observation")?;
            let row = row.set("observation_id", format!("O{household:03}").as_str())?;
            let row = row.set("indicator", "aid_paid")?.set("month", "2026-10")?;
            row.set("value", Value::Int(paid(household)))?;
        }
    }
    Ok(())
}

/// Replaces one household, so that there is a newer version.
pub(crate) fn change(database: &Database) {
    let mut writer = database.writer().unwrap();
    let mut batch = writer.batch();
    household_of(&mut batch, 0).unwrap();
    writer.write(&batch).unwrap();
    writer.commit(CommitInfo::default()).unwrap();
}
