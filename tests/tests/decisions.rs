//! The figures of the language and the households themselves say the same of what case-work
//! decided.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
#![expect(clippy::disallowed_methods, reason = "a test writes files of its own")]

use std::collections::BTreeMap;

use yiku::{Database, Snapshot};
use yiku_indexer::{Decision, WarningRow, apply_decisions, household};
use yiku_queries::{Limits, Plan, Query, Values};
use yiku_tests::{Random, registry};

/// A decision about a household with nothing but a warning.
fn warning(seq: u64, household: &str, (id, level, status): (usize, &str, &str)) -> Decision {
    let text = |text: &str| Some(text.to_owned());
    let warning = WarningRow {
        id: format!("W{id}"),
        rule: text("a07"),
        level: text(level),
        raised_on: text("2026-11-01"),
        status: text(status),
        closed_on: text("2026-11-20").filter(|_| status == "3"),
    };
    Decision {
        seq,
        case: format!("case {id}"),
        at: String::new(),
        household: text(household),
        head: None,
        household_values: BTreeMap::new(),
        persons: Vec::new(),
        warning: Some(warning),
        cancel: false,
    }
}

/// Groups and counts that a question is answered with, those without any row left out.
fn asked(snapshot: &Snapshot, text: &str) -> BTreeMap<String, i64> {
    let plan = Plan::new(&Query::parse(text).unwrap(), snapshot).unwrap();
    let answer = plan.run(snapshot, &Limits::default()).unwrap();
    let column = |nth: usize| &answer.columns.get(nth).unwrap().values;
    let (Values::Text(places), Values::Int(counts)) = (column(0), column(1)) else {
        return BTreeMap::new();
    };
    let rows = places.iter().zip(counts);
    rows.map(|(place, count)| (place.clone().unwrap_or_default().into(), count.unwrap_or(0)))
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// The same, household by household.
fn counted(snapshot: &Snapshot, keys: &[String], open: bool) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    for key in keys {
        let household = household(snapshot, key).unwrap().unwrap();
        let county: String = household.region.chars().take(6).collect();
        for warning in household.warnings {
            if !open || warning.get("status").is_some_and(|status| status == "1") {
                // A household of which only the city is known is in no county.
                let county = if county.ends_with("00") { String::new() } else { county.clone() };
                *counts.entry(county).or_insert(0) += 1;
            }
        }
    }
    counts
}

#[test]
fn warnings_by_county_are_those_of_the_households() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("db");
    let (_, rows) = registry::grown(&db, 5, 80);
    std::fs::create_dir_all(db.join("loads")).unwrap();
    std::fs::write(db.join("loads/surrogate.key"), [7; 32]).unwrap();
    let keys: Vec<String> = rows.keys().cloned().collect();
    let mut random = Random::new(3);
    for round in 0..40 {
        let list: Vec<Decision> = (0..5)
            .map(|nth| {
                // A warning belongs to one household for ever; some are told again.
                let id = random.below(120);
                let key = keys.get(id * 7 % keys.len()).unwrap();
                let (level, status) = (random.below(3) + 1, random.below(3) + 1);
                warning(round * 5 + nth + 1, key, (id, &level.to_string(), &status.to_string()))
            })
            .collect();
        let applied = apply_decisions(&db, &list).unwrap();
        assert_eq!((applied.applied, applied.rejected), (5, Vec::new()));
        let snapshot = Database::open(&db).unwrap().snapshot().unwrap();
        let all = asked(&snapshot, "from warning by region.county measure n = count()");
        assert_eq!(all, counted(&snapshot, &keys, false), "round {round}");
        let open = "from warning where status = open by region.county measure n = count()";
        assert_eq!(asked(&snapshot, open), counted(&snapshot, &keys, true), "round {round}");
    }
}
