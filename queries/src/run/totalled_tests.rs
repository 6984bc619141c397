//! Rows added up by year and month in one pass, and ranks of computed values: as by a look at each
//! of them.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use yiku::Snapshot;

use super::tests::{Drawn, rows, written};
use crate::{Limits, Plan, Query};

/// Houses of three streets with days of building and rents that are often not known.
fn houses(count: usize) -> (tempfile::TempDir, Snapshot) {
    let mut drawn = Drawn(11);
    let mut own: Vec<(&str, Vec<(&str, String)>)> = Vec::with_capacity(count);
    for number in 0..count {
        let place = ["1101", "1102", "1201"].get(number * 3 / count).copied().unwrap_or("1201");
        let (year, month, day) = (drawn.below(9), drawn.below(12), drawn.below(28));
        let mut values = Vec::new();
        if drawn.below(9) > 0 {
            values.push(("built", format!("{}-{:02}-{:02}", 1995 + year, month + 1, day + 1)));
        }
        if drawn.below(4) > 0 {
            values.push(("rent", format!("{}.{:02}", drawn.below(4_000), drawn.below(100))));
        }
        // Numbers below 0, and here and there one that 29 bits do not hold.
        let far = if number > 7_000 && drawn.below(900) == 0 { 1 << 40 } else { 50 };
        values.push(("floors", (drawn.below(100).cast_signed() - far).to_string()));
        own.push((place, values));
    }
    let told: Vec<(&str, Vec<(&str, &str)>)> = own
        .iter()
        .map(|(place, values)| {
            (*place, values.iter().map(|(name, value)| (*name, value.as_str())).collect())
        })
        .collect();
    let houses: Vec<_> = told.iter().map(|(place, values)| (*place, values.as_slice())).collect();
    written(&houses, &[])
}

#[test]
fn what_is_added_up_in_one_pass_is_what_rows_add_up_to() {
    let (_folder, snapshot) = houses(9_500);
    let limits = |indexes| Limits { indexes, threads: 1, ..Limits::default() };
    for measures in [
        "n = count(), s = sum(rent), m = avg(rent), f = sum(floors)",
        "n = count()",
        "s = sum(rent)",
        "f = avg(floors), g = max(floors)",
    ] {
        for keys in [
            "year(built), month(built)",
            "month(built)",
            "year(built)",
            "year(built), quarter(built) totals",
            "year(built), built",
        ] {
            for filter in ["", "where floors > -10", "where rent > 3000", "where place within 1201"]
            {
                let (keys, totals) = match keys.strip_suffix(" totals") {
                    Some(keys) => (keys, "totals"),
                    None => (keys, ""),
                };
                let text = format!("from house {filter} by {keys} measure {measures} {totals}");
                let plan = Plan::new(&Query::parse(&text).unwrap(), &snapshot).unwrap();
                let asked = |indexes| rows(&plan.run(&snapshot, &limits(indexes)).unwrap());
                let found = asked(true);
                assert!(found.len() > 4, "{text}");
                assert_eq!(found, asked(false), "{text}");
            }
        }
    }
}

#[test]
fn ranks_of_computed_values_are_those_of_rows() {
    let (_folder, snapshot) = houses(9_500);
    let limits = |indexes| Limits { indexes, threads: 1, ..Limits::default() };
    for value in ["rent / floors", "rent * 0.5", "abs(floors / 3 - 2)", "rent / 7 + floors / 3"] {
        for keys in ["", "by place.street", "by place.city, year(built)"] {
            for filter in ["", "where floors > -10", "where floors = 3"] {
                let text = format!(
                    "from house {filter} {keys} measure m = median({value}), \
                     q = quantile({value}, 0.9), l = quantile({value}, 0), g = quantile({value}, 1)"
                );
                let plan = Plan::new(&Query::parse(&text).unwrap(), &snapshot).unwrap();
                let asked = |indexes| rows(&plan.run(&snapshot, &limits(indexes)).unwrap());
                assert_eq!(asked(true), asked(false), "{text}");
            }
        }
    }
}
