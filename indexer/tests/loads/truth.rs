//! A province is generated and loaded from the files that departments deliver; the database is
//! compared with the generator's own account, figure by figure and fault by fault.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::register::{Cell, Register, load, province, share_numbers};
use serde_json::{Value, json};
use yiku::calendar;
use yiku_fixtures::province::Forms;
use yiku_indexer::LoadReport;

struct Loaded {
    dir: tempfile::TempDir,
    db: PathBuf,
    expected: Value,
    report: LoadReport,
    register: Register,
}

fn loaded(persons: u64, months: u32, seed: u64) -> Loaded {
    let dir = tempfile::tempdir().unwrap();
    let files = dir.path().join("files");
    province(&files, persons, months, seed, Forms::Files);
    let db = dir.path().join("db");
    let report = load(&db, std::slice::from_ref(&files)).unwrap();
    let expected = std::fs::read_to_string(files.join("truth/expected.json")).unwrap();
    let expected = serde_json::from_str(&expected).unwrap();
    let register = Register::read(&db);
    Loaded { dir, db, expected, report, register }
}

#[test]
fn the_database_holds_what_the_truth_says() {
    let loaded = loaded(20_000, 12, 7);
    assert_eq!(compare(&loaded), 8, "every kind of fault is planted");
    again(&loaded);
    parquet(&loaded);
}

#[test]
fn so_does_another_province() {
    compare(&loaded(60_000, 2, 2026));
}

/// Compares everything; returns how many kinds of faults there were.
fn compare(loaded: &Loaded) -> usize {
    let (expected, found) = (&loaded.expected, figures(&loaded.register));
    for (name, value) in found.as_object().unwrap() {
        assert_eq!(value, &expected[name], "{name}");
    }
    // What is not counted in the database is counted in the report.
    let counted = found.as_object().unwrap().len();
    assert_eq!(counted + 5, expected.as_object().unwrap().len(), "a figure is not compared");
    assert_eq!(loaded.report.as_of.map(calendar::date_text).as_deref(), expected["as_of"].as_str());
    outcomes(&loaded.report, expected);
    faults(loaded)
}

/// Every figure of the truth, counted in the database.
fn figures(register: &Register) -> Value {
    let rows = |table: &str| register.tables[register.schema.table_index(table).unwrap()].len();
    let last = calendar::month(2026, 10).unwrap();
    let as_of = calendar::month_end(last);
    let named = |list: &str, codes: Vec<Option<i64>>| {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for code in codes.into_iter().flatten() {
            *counts.entry(register.code(list, code)).or_default() += 1;
        }
        counts
    };
    let kinds = register.integers("aid", "kind");
    let (starts, ends) = (register.integers("aid", "start"), register.integers("aid", "end"));
    let spells = |is_so: &dyn Fn(i64, Option<i64>) -> bool| {
        // Kinds without a spell are in the truth as well.
        let list = register.schema.lists.iter().find(|l| l.name == "aid_kind").unwrap();
        let mut counts: BTreeMap<String, u64> =
            list.codes.iter().map(|code| (code.name.clone(), 0)).collect();
        for ((kind, start), end) in kinds.iter().zip(&starts).zip(&ends) {
            if is_so(start.unwrap(), *end) {
                *counts.get_mut(&register.code("aid_kind", kind.unwrap())).unwrap() += 1;
            }
        }
        counts
    };
    let indicators = register.integers("observation", "indicator");
    let months = register.integers("observation", "month");
    let values = register.integers("observation", "value");
    let money = |name: &str| {
        let mut sums: BTreeMap<String, i64> = BTreeMap::new();
        for ((indicator, month), value) in indicators.iter().zip(&months).zip(&values) {
            if register.code("indicator", indicator.unwrap()) == name {
                *sums.entry(calendar::month_text(month.unwrap())).or_default() += value.unwrap();
            }
        }
        sums
    };
    let mut tags: BTreeMap<String, u64> = BTreeMap::new();
    for bits in register.integers("person", "tags").into_iter().flatten() {
        for bit in (0..12).filter(|bit| bits >> bit & 1 == 1) {
            *tags.entry(register.code("tags", bit)).or_default() += 1;
        }
    }
    let known = |column: &str, value: Option<i64>| {
        let cells = register.integers("person", column);
        cells.iter().filter(|cell| value.map_or(cell.is_some(), |v| **cell == Some(v))).count()
    };
    json!({
        "persons": rows("person"),
        "households": rows("household"),
        "persons_by_county": by_county(register),
        "persons_by_sex": named("sex", register.integers("person", "sex")),
        "aid_spells": rows("aid"),
        "aid_running": spells(&|start, end| start <= as_of && end.is_none_or(|end| end >= as_of)),
        "aid_new": spells(&|start, _| calendar::month_of(start) == last),
        "aid_ended": spells(&|_, end| end.map(calendar::month_of) == Some(last)),
        "aid_paid": money("aid_paid"),
        "medical_self_paid": money("medical_self_paid"),
        "medical_total": money("medical_total"),
        "observations": named("indicator", indicators.clone()),
        "disabled": named("disability_grade", register.integers("person", "disability_grade")),
        "severe_illness": known("severe_illness", Some(1)),
        "deaths": known("death_date", None),
        "tags": tags,
    })
}

fn by_county(register: &Register) -> BTreeMap<String, u64> {
    let regions = register.integers("household", "region");
    let person = register.schema.table_index("person").unwrap();
    let mut counts = BTreeMap::new();
    for row in &register.tables[person] {
        let county = regions[row.parent].unwrap() / 1_000_000;
        *counts.entry(county.to_string()).or_default() += 1;
    }
    counts
}

/// What became of the records, by contract.
fn outcomes(report: &LoadReport, expected: &Value) {
    let mut rejects: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    let mut sums: BTreeMap<(&str, String), u64> = BTreeMap::new();
    for file in &report.files {
        let contract = file.contract.clone().unwrap();
        for (reason, count) in &file.reasons {
            let reasons = rejects.entry(contract.clone()).or_default();
            *reasons.entry(reason.clone()).or_default() += count;
        }
        let unknown = file.unknown_cells.iter().map(|(_, count)| count).sum();
        let counts =
            [("unknown_cells", unknown), ("unmatched", file.unmatched), ("records", file.read)];
        for (what, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            *sums.entry((what, contract.clone())).or_default() += count;
        }
        assert_eq!(file.read, file.accepted + file.rejected + file.unmatched, "{contract}");
    }
    assert_eq!(json!(rejects), expected["rejects"], "rejects");
    for name in ["unknown_cells", "unmatched", "records"] {
        let of = sums.iter().filter(|((what, _), _)| *what == name);
        let found: BTreeMap<&str, u64> = of.map(|((_, c), n)| (c.as_str(), *n)).collect();
        assert_eq!(json!(found), expected[name], "{name}");
    }
}

type Place = (String, String, u64);

/// The lines of a CSV file, by the names of its columns.
fn lines(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().collect::<Result<_, _>>().unwrap()
}

/// Each planted fault, found or missed; and nothing found that was not planted. Returns how many
/// kinds there were.
fn faults(loaded: &Loaded) -> usize {
    let mut found: BTreeSet<Place> = BTreeSet::new();
    let mut places: BTreeSet<(String, u64, String)> = BTreeSet::new();
    for line in lines(loaded.report.rejects.as_ref().unwrap()) {
        let file = Path::new(&line["file"]).file_name().unwrap().to_string_lossy().into_owned();
        let at = line["line"].parse().unwrap();
        places.insert((file.clone(), at, line["column"].clone()));
        // Members of a household that was rejected are no fault of their own.
        if line["reason"] != "unknown_household" {
            found.insert((line["reason"].clone(), file, at));
        }
    }
    let numbers = loaded.register.column("person", "id_number");
    let tags = loaded.register.integers("person", "tags");
    let tagged: BTreeSet<Cell> = numbers
        .into_iter()
        .zip(tags)
        .filter(|(_, tags)| tags.is_some_and(|tags| tags >> 11 & 1 == 1))
        .map(|(number, _)| number)
        .collect();
    let mut score: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut planted = BTreeSet::new();
    for fault in lines(&loaded.dir.path().join("files/truth/faults.csv")) {
        let (kind, file) = (fault["kind"].clone(), fault["file"].clone());
        let at: u64 = fault["line"].parse().unwrap();
        let needs_two = ["duplicate", "two_counties", "paid_after_death"].contains(&kind.as_str());
        let is_found = if kind == "paid_after_death" {
            tagged.contains(&Cell::Text(fault["id_number"].clone()))
        } else {
            let place = (file.clone(), at, fault["column"].clone());
            planted.insert((kind.clone(), file.clone(), at));
            found.contains(&(kind.clone(), file, at)) && (needs_two || places.contains(&place))
        };
        let (hits, all) = score.entry(kind.clone()).or_default();
        *hits += u64::from(is_found);
        *all += 1;
        assert!(is_found || needs_two, "missed: {fault:?}");
    }
    for (kind, (hits, all)) in &score {
        println!("{kind:<18} found {hits} of {all}, missed {}", all - hits);
    }
    let invented: Vec<_> = found.difference(&planted).collect();
    assert!(invented.is_empty(), "not planted: {invented:?}");
    score.len()
}

/// The same bytes twice change nothing.
fn again(loaded: &Loaded) {
    let current = || std::fs::read(loaded.db.join("CURRENT")).unwrap();
    let before = current();
    let report = load(&loaded.db, &[loaded.dir.path().join("files")]).unwrap();
    assert!(report.unchanged && report.files.iter().all(|file| file.unchanged));
    assert_eq!(report.version, loaded.report.version);
    assert_eq!(current(), before);
}

/// The Parquet form of the same province gives the same rows.
fn parquet(loaded: &Loaded) {
    let files = loaded.dir.path().join("parquet");
    province(&files, 20_000, 12, 7, Forms::Parquet);
    let db = loaded.dir.path().join("db2");
    share_numbers(&loaded.db, &db);
    load(&db, &[files]).unwrap();
    assert!(Register::read(&db).sorted() == loaded.register.sorted(), "the databases differ");
}
