//! Questions as they are said in SQL. `UPDATE=1` in the environment writes the page anew; review
//! reads the difference. That the SQL means the same is for `tests/oracle`.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
#![expect(clippy::disallowed_methods, reason = "writes the project's own file")]

use yiku::schema::PathNode;
use yiku::{CommitInfo, Database, PathTree, Schema, Snapshot};

use super::Dialect;
use crate::{Plan, Query};

const ASKED: [&str; 18] = [
    "from person",
    "from person where severe_illness and age(birth_date) between 18 and 59 and not employed \
     by region.county measure people = count(), homes = count_distinct(household) totals",
    "from person where disability_grade in (1, 2) and tags has any (single_parent, orphan) \
     and name starts '王' and region within (1401, 140105001001) by household.urban, sex",
    "from household where per_capita(income) < 680 and none(person where employed) \
     by region.next measure n = count(), rest = sum(income) / count() order -n limit 5 offset 2",
    "from person where any(aid where kind = dibao_urban and running) \
     by band(age(birth_date), 0, 18, 60) measure n = count(), ill = count(where severe_illness)",
    "from household where sum(observation.value where indicator = medical_self_paid \
     and month > as_of - 12 months) > 0.5 * sum(person.monthly_income) * 12 \
     and all(person where age(birth_date) >= 60)",
    "from person by region.county measure n = count(), part = share(count()), \
     ill = per(1000, count(where severe_illness), count()) having n > 100 and ill is known",
    "from person by sex measure half = median(monthly_income), \
     most = quantile(monthly_income, 0.9 where employed), apart = stddev(age(birth_date))",
    "from household measure g = gini(per_capita(income)), l = lorenz(income, 10), \
     h = histogram(income, 0, 10000, 5), p = poverty_gap(per_capita(income), 680)",
    "from household by region.city, region.county measure n = count() \
     top 3 within region.city by -n",
    "from household by region.city, region.county totals order -count limit 20",
    "from household where any(person where any(aid where running)) by region.city \
     measure n = count(), came = inflow(), went = outflow() over month 2026-09 to 2026-10",
    "from aid where running by kind measure paid = sum(amount) compare month, year",
    "from household where any(person where any(aid where running)) by region.city \
     flow 2025-10-31 to 2026-10-31",
    "from aid where running flow 2025-10-31 to 2026-10-31",
    "from person matrix severe_illness, disability_grade is known, not employed",
    "from person where severe_illness select person_id, age(birth_date), household.region, tags, \
     share = monthly_income / 3 order -age(birth_date) limit 20",
    "from aid by month(start), coalesce(kind, dibao_urban) measure first = min(start), \
     later = max(if(running, end, 2026-10-31)), n = count(where person.name = 'O''Neil' or 1 = 2)",
];

fn snapshot(folder: &std::path::Path) -> Snapshot {
    let schema = Schema::from_toml(include_str!("../../../indexer/registry.toml")).unwrap();
    let places = [(14, 0), (1401, 1), (140_105, 2), (140_105_001, 3), (140_105_001_001, 4)];
    let node = |(code, level): (u64, u8)| {
        let digits = schema.path.levels.get(usize::from(level)).unwrap().digits;
        let unit = 10u64.pow(u32::from(schema.path.digits() - digits));
        PathNode { code: code * unit, level, name: code.to_string() }
    };
    let tree = PathTree::new(&schema.path, places.map(node).to_vec()).unwrap();
    let database = Database::create(folder, schema, tree).unwrap();
    let mut writer = database.writer().unwrap();
    writer.commit(CommitInfo { as_of: Some(20_757), ..CommitInfo::default() }).unwrap();
    database.snapshot().unwrap()
}

#[test]
fn questions_are_said_in_sql() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = snapshot(&folder.path().join("d"));
    let mut page = String::new();
    for text in ASKED {
        let query = Query::parse(text).unwrap();
        let said = Plan::new(&query, &snapshot).unwrap().to_sql(Dialect::DuckDb).unwrap();
        page.push_str(&format!("-- {}\n{said}\n", query.to_text()));
    }
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sql/said.sql");
        std::fs::write(path, page).unwrap();
        return;
    }
    assert!(page == include_str!("said.sql"), "UPDATE=1 cargo test --release -p yiku-queries sql");
}
