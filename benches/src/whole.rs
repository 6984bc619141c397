//! The whole province as a registry would hand it over: two Parquet files, households and persons,
//! in the order of places. Made by SQL from numbers without a pattern: the same seed and the same
//! DuckDB give the same rows, in bounded memory.
//!
//! The 16 kinds of aid and the 32 marks are two sets of the person, not 48 columns: a registry
//! adds kinds and marks without a new schema, a person has one or none of them, and a question
//! asks for any of several. In Parquet they are two lists of codes, so that column stands against
//! column.

use std::fmt::Write;
use std::ops::Range;

use yiku::schema::PathNode;
use yiku::{Error, PathTree, Schema};

/// The day of the registry: 2026-10-31.
pub const AS_OF: i64 = 20_757;
/// Its schema.
pub const SCHEMA: &str = include_str!("whole.toml");
/// Cities; of each some counties, of each some townships, of each some villages.
const CITIES: u64 = 11;
const COUNTIES: u64 = 11;
const TOWNSHIPS: u64 = 12;
const VILLAGES: u64 = 20;
/// All villages.
const PLACES: u64 = CITIES * COUNTIES * TOWNSHIPS * VILLAGES;
/// Persons of a household in a hundred households.
const SIZES: [(u64, u64); 7] = [(1, 20), (2, 30), (3, 26), (4, 14), (5, 7), (6, 2), (7, 1)];
/// Marks, and kinds of aid.
const MARKS: u32 = 32;
const AIDS: u32 = 16;

/// How many households hold about so many persons.
#[must_use]
pub fn households(persons: u64) -> u64 {
    let hundred: u64 = SIZES.iter().map(|(size, share)| size * share).sum();
    (persons * 100).div_ceil(hundred)
}

/// The code of a village by its number.
fn code(village: u64) -> u64 {
    let (township, of_township) = (village / VILLAGES, village % VILLAGES + 1);
    let (county, of_county) = (township / TOWNSHIPS, township % TOWNSHIPS + 1);
    let (city, of_city) = (county / COUNTIES + 1, county % COUNTIES + 1);
    (((14 * 100 + city) * 100 + of_city) * 1_000 + of_county) * 1_000 + of_township
}

/// Every place: its code without the zeros behind it, its level, its full code.
fn places() -> Vec<(String, u8, u64)> {
    let mut codes = std::collections::BTreeMap::new();
    for code in (0..PLACES).map(code) {
        let units = [10_000_000_000, 100_000_000, 1_000_000, 1_000, 1];
        for (level, unit) in (0u8..).zip(units) {
            codes.insert((code / unit * unit, level), (code / unit).to_string());
        }
    }
    codes.into_iter().map(|((full, level), short)| (short, level, full)).collect()
}

/// The places as the CSV that `yiku load --tree` takes.
#[must_use]
pub fn places_csv() -> String {
    let mut text = "code,name\n".to_owned();
    for (short, _, _) in places() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{short},{short}");
    }
    text
}

/// The schema and its tree.
///
/// # Errors
/// Whatever the engine says.
pub fn schema() -> Result<(Schema, PathTree), Error> {
    let schema = Schema::from_toml(SCHEMA)?;
    let nodes = places().into_iter().map(|(name, level, code)| PathNode { code, level, name });
    let tree = PathTree::new(&schema.path, nodes.collect())?;
    Ok((schema, tree))
}

/// A number below `below` (a SQL expression), drawn for what `of` says.
fn drawn(of: &str, salt: u32, below: impl std::fmt::Display) -> String {
    format!("(hash({of}, {salt}) % {below})::bigint")
}

/// One of a list of texts with shares in a hundred.
fn share(of: &str, salt: u32, shares: &[(&str, u32)]) -> String {
    let mut sum = 0;
    let mut sql = "case when false then '' ".to_owned();
    for (value, share) in shares {
        sum += share;
        let _ = write!(sql, "when hash({of}, {salt}) % 100 < {sum} then '{value}' ");
    }
    sql + "end"
}

/// A value that stands in `share` of a hundred rows and is unknown in the others.
fn sometimes(of: &str, salt: u32, share: u32, value: &str) -> String {
    format!("case when hash({of}, {salt}) % 100 < {share} then {value} end")
}

/// Members of a household, by the number `h`.
fn size() -> String {
    let mut sum = 0;
    let mut sql = "case when false then 0 ".to_owned();
    for (size, share) in SIZES {
        sum += share;
        let _ = write!(sql, "when hash(h, 1) % 100 < {sum} then {size} ");
    }
    sql + "end"
}

/// What every row knows of its household: number, place, and how poor county and household are.
fn base(seed: u64, all: u64, part: &Range<u64>) -> String {
    let (from, to) = (part.start, part.end);
    format!(
        "select n as n, n + {seed}::bigint * 1000000007 as h, n * {PLACES} // {all} as v,
         v // {} as county, 1 + (hash(county, 77) % 5)::bigint as want,
         hash(h, 2) % 1000 < 40 * want as poor
         from range({from}, {to}) _(n)",
        TOWNSHIPS * VILLAGES
    )
}

/// The SQL of the households of a part, in the order of places.
#[must_use]
pub fn household_sql(seed: u64, all: u64, part: Range<u64>) -> String {
    let base = base(seed, all, &part);
    let region = format!(
        "14 || printf('%02d%02d%03d%03d', county // {COUNTIES} + 1, county % {COUNTIES} + 1,
         v // {VILLAGES} % {TOWNSHIPS} + 1, v % {VILLAGES} + 1)"
    );
    let columns = [
        (format!("printf('H%010d', n * 3 + {})", drawn("h", 3, 3)), "household_id"),
        (region, "region"),
        (format!("v % {VILLAGES} < 7"), "urban"),
        (
            format!("printf('%d组%d号', 1 + {}, 1 + {})", drawn("h", 4, 9), drawn("h", 5, 120)),
            "address",
        ),
        (size(), "members"),
        (
            sometimes(
                "h",
                6,
                85,
                &format!(
                    "(case when poor then {} else {} end)::decimal(12,2)",
                    drawn("h", 7, 4_000),
                    format_args!("{} * 10", drawn("h", 7, 1_500))
                ),
            ),
            "income",
        ),
        (
            format!(
                "case when poor then {} end",
                share("h", 8, &[("1", 40), ("2", 20), ("3", 8), ("4", 4), ("5", 16), ("6", 12)])
            ),
            "cause",
        ),
        (
            sometimes("h", 9, 60, &share("h", 10, &[("A", 55), ("B", 35), ("C", 8), ("D", 2)])),
            "housing_grade",
        ),
        (format!("date '2026-10-31' - {}::int", drawn("h", 11, 5_000)), "registered_on"),
    ];
    let columns = columns.map(|(sql, name)| format!("{sql} as {name}"));
    format!("select {} from ({base})", columns.join(",\n"))
}

/// A set of codes, each with its own rate in a million, as a list.
fn codes(salt: u32, rates: impl Iterator<Item = u32>) -> String {
    let cases = (0..).zip(rates).map(|(nth, rate)| {
        // Every third belongs to the household: all its members have it.
        let of = if nth % 3 == 0 { "h" } else { "p" };
        format!(
            "case when hash({of}, {}) % 1000000 < {rate} * want // 3 then '{:02}' end",
            salt + nth,
            nth + 1
        )
    });
    let cases: Vec<String> = cases.collect();
    format!("list_filter([{}], x -> x is not null)", cases.join(", "))
}

/// Rates from `low` to `high` in a million, each so many times the one before.
fn rates(count: u32, low: f64, high: f64) -> impl Iterator<Item = u32> {
    let step = (high / low).powf(1.0 / f64::from(count - 1));
    // A rate is below a million.
    (0..count).map(move |nth| {
        let rate = low * step.powi(i32::try_from(nth).unwrap_or(0));
        format!("{rate:.0}").parse().unwrap_or(1)
    })
}

/// The check digit of an ID number (GB 11643) of 17 digits, as an integer `i`.
fn check_digit() -> String {
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let unit = |place: u32| 10u64.pow(16 - place);
    let digits = (0..).zip(weights).map(|(place, w)| format!("i // {} % 10 * {w}", unit(place)));
    let sum = digits.collect::<Vec<_>>().join(" + ");
    format!("'10X98765432'[({sum}) % 11 + 1]")
}

/// What every person's row knows, beside its household: number, birthday, age, digits of the ID.
fn persons(seed: u64, all: u64, part: &Range<u64>) -> String {
    let base = base(seed, all, part);
    let members = format!("select *, unnest(range({})) as k from ({base})", size());
    let born = "date '2026-10-31' - (hash(p, 12) % (32000 - least(k, 3) * 5000))::int";
    let persons = format!(
        "select *, h * 8 + k as p, {born} as b, hash(p, 13) % 2 = 0 as male from ({members})"
    );
    let id = "(999001 + county) * 100000000000
        + (year(b) * 10000 + month(b) * 100 + day(b)) * 1000
        + (hash(p, 14) % 500)::bigint * 2 + male::bigint";
    format!("select *, {id} as i, (date '2026-10-31' - b) // 365 as age from ({persons})")
}

/// A name of two or three letters, some more frequent than others.
fn name() -> String {
    let letters = |salt: u32, list: &str| {
        let count = list.chars().count();
        let letters: Vec<String> = list.chars().map(|letter| format!("'{letter}'")).collect();
        let (first, second) = (drawn("p", salt, count), drawn("p", salt + 1, count));
        format!("[{}][least({first}, {second}) + 1]", letters.join(","))
    };
    let given = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国玉兰红梅志文晓东海燕春雪龙飞";
    format!(
        "{} || {} || case when hash(p, 20) % 10 < 7 then {} else '' end",
        letters(21, "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧"),
        letters(23, given),
        letters(25, given)
    )
}

/// A sum of money of some tens, now and then with cents.
fn money(salt: u32, top: u32) -> String {
    let (tens, cents) = (drawn("p", salt, top), drawn("p", salt + 1, 1_000));
    format!(
        "({tens} * 10 + case when {cents} < 300 then {cents} / 100.0 else 0 end)::decimal(12,2)"
    )
}

/// Who a person is.
fn who() -> Vec<(String, &'static str)> {
    let ethnicity = [("01", 96), ("03", 2), ("11", 1), ("02", 1)];
    let marital = share("p", 31, &[("20", 70), ("10", 14), ("30", 10), ("40", 6)]);
    let education = share("p", 33, &[("70", 40), ("80", 25), ("60", 15), ("30", 12), ("20", 8)]);
    let employment = share("p", 34, &[("1", 45), ("2", 30), ("5", 15), ("4", 7), ("3", 3)]);
    let relation = "case k when 0 then '02' when 1 then '10' when 2 then '20' else '30' end";
    let stage = "case when age between 3 and 21 then (1 + least((age - 3) // 4, 5))::varchar end";
    let ability = "case when age < 16 or age > 64 then '4' else '1' end";
    vec![
        (format!("printf('H%010d', n * 3 + {})", drawn("h", 3, 3)), "household_id"),
        ("printf('P%010d', n * 8 + k)".to_owned(), "person_id"),
        (name(), "name"),
        (format!("i::varchar || {}", check_digit()), "id_number"),
        ("case when male then '1' else '2' end".to_owned(), "sex"),
        ("b".to_owned(), "birth_date"),
        (share("p", 30, &ethnicity), "ethnicity"),
        (relation.to_owned(), "relation"),
        (format!("case when age < 20 then '10' else {marital} end"), "marital"),
        (sometimes("p", 32, 80, &education), "education"),
        (ability.to_owned(), "labour_ability"),
        (format!("case when age between 16 and 64 then {employment} end"), "employment"),
        (stage.to_owned(), "school_stage"),
    ]
}

/// How a person fares.
fn state() -> Vec<(String, &'static str)> {
    let disabled = |value: &str| sometimes("p", 40, 7, value);
    let types = [("4", 50), ("1", 15), ("2", 12), ("6", 12), ("5", 8), ("3", 3)];
    let grades = [("4", 35), ("3", 35), ("2", 20), ("1", 10)];
    let month = "strftime(date '2026-10-01' - to_months((hash(p, 53) % 30)::int), '%Y-%m')";
    let aids = codes(200, rates(AIDS, 4_000.0, 400_000.0));
    let marks = codes(300, rates(MARKS, 100.0, 300_000.0));
    vec![
        (disabled(&share("p", 41, &types)), "disability_type"),
        (disabled(&share("p", 42, &grades)), "disability_grade"),
        (disabled("date '2026-10-31' - (hash(p, 43) % 6000)::int"), "disability_since"),
        (sometimes("p", 44, 70, &money(45, 900)), "monthly_income"),
        (sometimes("p", 47, 15, &money(48, 4_000)), "medical_paid"),
        (format!("case when age > 59 then {} end", money(50, 300)), "pension"),
        (sometimes("p", 52, 75, month), "insured_until"),
        (format!("date '2026-10-31' - {}::int", drawn("h", 54, 365)), "checked_on"),
        (format!("case when poor then {aids} else [] end"), "aids"),
        (sometimes("p", 55, 98, &marks), "marks"),
    ]
}

/// The SQL of the persons of the households of a part, in their order.
#[must_use]
pub fn person_sql(seed: u64, all: u64, part: Range<u64>) -> String {
    let columns = who().into_iter().chain(state());
    let columns: Vec<String> = columns.map(|(sql, name)| format!("{sql} as {name}")).collect();
    format!("select {} from ({})", columns.join(",\n"), persons(seed, all, &part))
}
