//! How long decisions take, from the closed database to the changed household that is read from it:
//! `cargo run --release -p yiku-indexer --example decisions -- DB COUNT [TOGETHER]`.
//!
//! The database is changed; take a copy. Of three decisions one is a warning, one a change with
//! aid, one a new household; TOGETHER of them make a commit.
#![expect(clippy::print_stdout, reason = "a program that prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "a program that looks at the clock")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;
use yiku::Database;
use yiku_indexer::{Decision, HouseholdRecord, apply_decisions, household};

type Failed = Box<dyn std::error::Error>;

fn main() -> Result<(), Failed> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |nth: usize| words.get(nth).and_then(|word| word.parse::<u64>().ok());
    let db = PathBuf::from(words.first().cloned().unwrap_or_default());
    let (count, together) = (number(1).unwrap_or(100), number(2).unwrap_or(1).max(1));
    let snapshot = Database::open(&db)?.snapshot()?;
    let first = snapshot.notes().get("casework.applied").and_then(|seq| seq.parse().ok());
    let first: u64 = first.unwrap_or(0);
    let keys = keys(&snapshot)?;
    let mut times = Vec::new();
    let mut most = 0;
    println!("{} persons, {} bytes", snapshot.rows(1), snapshot.size_bytes());
    for list in 0..count / together {
        let mut decisions = Vec::new();
        for seq in first + list * together + 1..=first + (list + 1) * together {
            let key = keys.get(usize::try_from(seq * 7_919)? % keys.len());
            let old = household(&snapshot, key.map_or("", String::as_str))?;
            decisions.push(decision(seq, &old.ok_or("no such household")?)?);
        }
        let start = Instant::now();
        let applied = apply_decisions(&db, &decisions)?;
        let now = Database::open(&db)?.snapshot()?;
        let key = applied.placed.last().map(|placed| placed.household.clone());
        let seen = household(&now, &key.unwrap_or_default())?;
        times.push(start.elapsed());
        most = most.max(now.segments().len());
        if seen.is_none() || applied.applied != together {
            return Err(format!("not applied: {:?}", applied.rejected).into());
        }
    }
    times.sort();
    let at = |part: usize| times.get((times.len() * part / 100).min(times.len() - 1));
    let [half, most_of, all] =
        [50, 99, 100].map(|part| at(part).copied().unwrap_or(Duration::ZERO));
    println!("{count} decisions, {together} a commit");
    println!("median {half:?}, 99 of 100 {most_of:?}, slowest {all:?}");
    println!("at most {most} segments stood");
    Ok(())
}

fn keys(snapshot: &yiku::Snapshot) -> Result<Vec<String>, Failed> {
    let mut keys = Vec::new();
    for segment in snapshot.segments() {
        for run in segment.live(0)?.runs() {
            let key = segment.column(0, 0)?;
            key.texts(run, &mut |_, text| keys.extend(text.map(str::to_owned)))?;
        }
    }
    Ok(keys)
}

fn decision(seq: u64, old: &HouseholdRecord) -> Result<Decision, Failed> {
    let person = old.persons.first().and_then(|person| person.values.get("id_number"));
    let nobody = nobody(seq);
    Ok(serde_json::from_value(match seq % 3 {
        0 => json!({ "seq": seq, "case": format!("w{seq}"), "household": old.key,
            "warning": { "id": format!("W{seq}"), "rule": "a07", "level": "1",
                "raised_on": "2026-11-01", "status": "1" } }),
        1 => json!({ "seq": seq, "case": format!("c{seq}"), "household": old.key,
            "household_values": { "income": seq },
            "persons": [{ "id_number": person,
                "aid": [{ "kind": "41", "start": "2027-01-01", "amount": seq }] }] }),
        _ => json!({ "seq": seq, "case": format!("n{seq}"), "head": nobody,
            "household_values": { "region": old.region, "income": 1 },
            "persons": [{ "id_number": nobody, "values": { "name": "新来" } }] }),
    })?)
}

/// An ID number of nobody, of an area that was never assigned.
fn nobody(nth: u64) -> String {
    let (year, month, day) = (1950 + nth / 336 % 50, nth / 28 % 12 + 1, nth % 28 + 1);
    let digits = format!("999999{year}{month:02}{day:02}{:03}", nth / 16_800 % 1_000);
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.bytes().zip(weights).map(|(d, w)| u32::from(d - b'0') * w).sum();
    let check = b"10X98765432".get((sum % 11) as usize).copied().unwrap_or(b'0');
    format!("{digits}{}", char::from(check))
}
