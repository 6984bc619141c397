//! A made-up province in the platform's own schema: households of 117 counties, their persons,
//! aid and observations. The same rows for every taker, without keeping them.

use std::path::Path;

use yiku::schema::PathNode;
use yiku::{CommitInfo, Database, Error, PathTree, Schema, Snapshot, Value};

use crate::mixed;

/// The day of the registry: 2026-10-31.
pub const AS_OF: i64 = 20_757;
/// Cities; of each some counties, of each some townships, of each some villages.
const CITIES: u64 = 11;
const COUNTIES: u64 = 11;
const TOWNSHIPS: u64 = 12;
const VILLAGES: u64 = 20;
/// Households of one batch.
const BATCH: u64 = 300_000;

/// A row of the province.
#[derive(Debug, Clone, Copy)]
pub enum Row {
    /// A household: place, urban, monthly income.
    Household(i64, bool, Option<i64>),
    /// A person of the household before: sex, day of birth, income, illness, grade of disability.
    Person(i64, i64, Option<i64>, Option<bool>, Option<i64>),
    /// Aid of the person before: kind, first day, last day, amount.
    Aid(i64, i64, Option<i64>, i64),
    /// An observation of the person before: indicator, month, value.
    Observation(i64, i64, i64),
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Calls `take` with the rows of some households, each with those beneath it.
///
/// # Errors
/// What `take` says.
pub fn rows<E>(
    households: std::ops::Range<u64>,
    all: u64,
    take: &mut dyn FnMut(Row) -> Result<(), E>,
) -> Result<(), E> {
    for household in households {
        let drawn = |salt: u64, below: u64| signed(mixed(household * 64 + salt) % below);
        let village = household * (CITIES * COUNTIES * TOWNSHIPS * VILLAGES) / all;
        let place = signed(code(village));
        let income = (drawn(0, 10) > 0).then(|| drawn(1, 900_000));
        take(Row::Household(place, drawn(2, 10) < 4, income))?;
        for person in 0..1 + mixed(household * 64 + 3) % 4 {
            let key = household * 64 + 4 + person * 12;
            let drawn = |salt: u64, below: u64| signed(mixed(key + salt) % below);
            let ill = (drawn(0, 20) > 0).then(|| drawn(1, 12) == 0);
            let grade = (drawn(2, 12) == 0).then(|| drawn(3, 4));
            let born = AS_OF - drawn(4, 33_000);
            let income = (drawn(5, 3) > 0).then(|| drawn(6, 600_000));
            take(Row::Person(1 + drawn(7, 2), born, income, ill, grade))?;
            if drawn(8, 3) == 0 {
                let start = AS_OF - drawn(9, 2_000);
                let end = (drawn(10, 3) == 0).then(|| start + drawn(11, 900));
                take(Row::Aid(drawn(3, 10), start, end, 10_000 + drawn(4, 60_000)))?;
            }
            if drawn(10, 4) == 0 {
                let month = 2026 * 12 + 9 - drawn(11, 24);
                take(Row::Observation(drawn(9, 3), month, drawn(8, 2_000_000)))?;
            }
        }
    }
    Ok(())
}

/// The code of a village by its number.
fn code(village: u64) -> u64 {
    let (township, of_township) = (village / VILLAGES, village % VILLAGES + 1);
    let (county, of_county) = (township / TOWNSHIPS, township % TOWNSHIPS + 1);
    let (city, of_city) = (county / COUNTIES + 1, county % COUNTIES + 1);
    (((14 * 100 + city) * 100 + of_city) * 1_000 + of_county) * 1_000 + of_township
}

fn tree(schema: &Schema) -> Result<PathTree, Error> {
    let mut codes = std::collections::BTreeSet::new();
    for village in 0..CITIES * COUNTIES * TOWNSHIPS * VILLAGES {
        let code = code(village);
        let units = [10_000_000_000, 100_000_000, 1_000_000, 1_000, 1];
        codes.extend((0u8..).zip(units).map(|(level, unit)| (code / unit * unit, level)));
    }
    let node = |(code, level): (u64, u8)| PathNode { code, level, name: code.to_string() };
    PathTree::new(&schema.path, codes.into_iter().map(node).collect())
}

/// The places of columns that the rows fill.
struct Columns {
    household: Vec<usize>,
    person: Vec<usize>,
    aid: Vec<usize>,
    observation: Vec<usize>,
}

impl Columns {
    fn new(schema: &Schema) -> Self {
        let of = |table: usize, names: &[&str]| {
            let table = schema.tables.get(table);
            let place = |name: &&str| table.and_then(|t| t.column_index(name)).unwrap_or(0);
            names.iter().map(place).collect()
        };
        Self {
            household: of(0, &["household_id", "region", "urban", "income"]),
            person: of(
                1,
                &[
                    "person_id",
                    "sex",
                    "birth_date",
                    "monthly_income",
                    "severe_illness",
                    "disability_grade",
                ],
            ),
            aid: of(2, &["aid_id", "kind", "start", "end", "amount"]),
            observation: of(3, &["observation_id", "indicator", "month", "value"]),
        }
    }
}

/// Writes a database of so many households.
///
/// # Errors
/// Whatever the engine says.
pub fn write(folder: &Path, households: u64) -> Result<Snapshot, Error> {
    let schema = Schema::from_toml(include_str!("../../indexer/registry.toml"))?;
    let tree = tree(&schema)?;
    let columns = Columns::new(&schema);
    let database = Database::create(folder, schema, tree)?;
    let mut writer = database.writer()?;
    let mut key = 0u64;
    let mut from = 0;
    while from < households {
        let mut batch = writer.batch();
        let to = households.min(from + BATCH);
        rows(from..to, households, &mut |row| {
            key += 1;
            let id = format!("{key:010}");
            let id = Value::Text(&id);
            let (table, places, values) = match row {
                Row::Household(place, urban, income) => {
                    (0, &columns.household, vec![id, place.into(), urban.into(), income.into()])
                }
                Row::Person(sex, born, income, ill, grade) => (
                    1,
                    &columns.person,
                    vec![id, sex.into(), born.into(), income.into(), ill.into(), grade.into()],
                ),
                Row::Aid(kind, start, end, amount) => (
                    2,
                    &columns.aid,
                    vec![id, kind.into(), start.into(), end.into(), amount.into()],
                ),
                Row::Observation(indicator, month, value) => (
                    3,
                    &columns.observation,
                    vec![id, indicator.into(), month.into(), value.into()],
                ),
            };
            let mut builder = batch.push(table)?;
            places.iter().zip(values).try_for_each(|(place, value)| builder.put(*place, value))
        })?;
        writer.write(&batch)?;
        from = to;
    }
    writer.commit(CommitInfo { as_of: Some(AS_OF), ..CommitInfo::default() })
}
