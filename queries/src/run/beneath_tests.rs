//! Least, greatest and counted once: what is told from bits is what a look at every row tells.

use std::collections::BTreeMap;

use yiku::Snapshot;

use super::tests::{lines, snapshot_of};

/// Houses of three streets with up to four leases, some without a start.
fn leases() -> Vec<Vec<Option<i64>>> {
    let drawn = |n: usize| n.wrapping_mul(2_654_435_761) >> 7;
    let start = |n: usize| {
        (!drawn(n).is_multiple_of(4)).then(|| i64::try_from(drawn(n + 9) % 12).unwrap_or(0) + 1)
    };
    (0..200).map(|house| (0..drawn(house) % 5).map(|at| start(house * 8 + at)).collect()).collect()
}

fn month(number: i64) -> String {
    format!("2026-{number:02}-03")
}

fn street(house: usize) -> &'static str {
    ["1101", "1102", "1201"].get(house * 3 / 200).copied().unwrap_or("1201")
}

/// The houses in a database; the rent of each is its number modulo 23.
fn stored(leases: &[Vec<Option<i64>>]) -> (tempfile::TempDir, Snapshot) {
    let text = |start: &Option<i64>| start.map_or_else(String::new, month);
    let texts: Vec<Vec<String>> = leases.iter().map(|own| own.iter().map(text).collect()).collect();
    let pairs: Vec<Vec<(&str, &str)>> =
        texts.iter().map(|own| own.iter().map(|start| (start.as_str(), "")).collect()).collect();
    let leased: Vec<&[(&str, &str)]> = pairs.iter().map(Vec::as_slice).collect();
    let rents: Vec<String> = (0..200).map(|house| (house % 23).to_string()).collect();
    let own: Vec<[(&str, &str); 1]> = rents.iter().map(|rent| [("rent", rent.as_str())]).collect();
    let houses: Vec<(&str, &[(&str, &str)])> =
        own.iter().enumerate().map(|(house, rent)| (street(house), rent.as_slice())).collect();
    snapshot_of(&houses, &leased)
}

/// A condition: in the language, and what it says of the months of a house that are known.
type Said = (&'static str, fn(&[i64]) -> Option<bool>);

const CONDITIONS: [Said; 7] = [
    ("max(lease.start) >= 2026-07-01", |m| m.iter().max().map(|m| *m >= 7)),
    ("max(lease.start) < 2026-07-01", |m| m.iter().max().map(|m| *m < 7)),
    ("max(lease.start) = 2026-09-03", |m| m.iter().max().map(|m| *m == 9)),
    ("min(lease.start) <= 2026-04-03", |m| m.iter().min().map(|m| *m <= 4)),
    ("min(lease.start) between 2026-03-01 and 2026-05-31", |m| {
        m.iter().min().map(|m| (3..=5).contains(m))
    }),
    ("min(lease.start) > 2026-02-28", |m| m.iter().min().map(|m| *m > 2)),
    ("max(lease.start where start < 2026-09-01) >= 2026-06-01", |m| {
        m.iter().filter(|m| **m < 9).max().map(|m| *m >= 6)
    }),
];

#[test]
fn the_least_and_the_greatest_are_compared_as_every_row_says() {
    let leases = leases();
    let (_folder, snapshot) = stored(&leases);
    for (text, says) in CONDITIONS {
        for (condition, want) in [(text.to_owned(), true), (format!("not ({text})"), false)] {
            let mut streets = BTreeMap::<&str, (usize, usize)>::new();
            for (house, own) in leases.iter().enumerate() {
                let known: Vec<i64> = own.iter().flatten().copied().collect();
                if says(&known) == Some(want) {
                    let slot = streets.entry(street(house)).or_default();
                    *slot = (slot.0 + 1, slot.1 + house % 23 * 100);
                }
            }
            let line =
                |(street, (n, rent)): (&&str, &(usize, usize))| format!("{street} {n} {rent}");
            let expected: Vec<String> = streets.iter().map(line).collect();
            let question = format!(
                "from house where {condition} by place.street measure n = count(), r = sum(rent)"
            );
            assert_eq!(lines(&snapshot, &question), expected, "{question}");
        }
    }
}

#[test]
fn houses_behind_leases_are_counted_once() {
    let leases = leases();
    let (_folder, snapshot) = stored(&leases);
    let some = |from: &str| {
        let own = leases.iter().enumerate().filter(|(house, own)| {
            street(*house).starts_with(from) && own.iter().flatten().any(|month| *month > 5)
        });
        own.count()
    };
    let late = "from lease where start > 2026-05-31";
    let question = format!("{late} by place.city measure n = count_distinct(house)");
    let expected: Vec<String> =
        ["11", "12"].iter().map(|city| format!("{city} {}", some(city))).collect();
    assert_eq!(lines(&snapshot, &question), expected);
    let question = format!("{late} measure n = count_distinct(house)");
    assert_eq!(lines(&snapshot, &question), [some("1").to_string()]);
}
