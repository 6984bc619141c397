//! A process that applies decisions is killed at random moments: every decision counts once.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use yiku::Snapshot;
use yiku_indexer::{Decision, apply_decisions};

use crate::world::{World, decision, everything, newcomer, nobody, number, warning};

/// Set for the child: the database, and the file with its decisions.
const CHILD: &str = "YIKU_TEST_DECISIONS";
const DECISIONS: usize = 240;

/// Decisions of every kind, by household: each leaves one row that no other leaves.
fn decisions(world: &World) -> Vec<Value> {
    let households: Vec<_> = world.keys.iter().take(40).map(|key| world.household(key)).collect();
    let one = |nth: usize| {
        let seq = nth as u64 + 1;
        let household = &households[nth * 7 % households.len()];
        match nth % 3 {
            0 => warning(seq, &household.key, &format!("W{seq}"), "1"),
            1 => newcomer(seq, &format!("k{seq}"), &household.region, &nobody(seq)),
            _ => {
                let aid =
                    json!({ "kind": "41", "start": day(seq), "end": day(seq), "amount": seq });
                let person = json!({ "id_number": number(household, 0), "aid": [aid] });
                json!({ "seq": seq, "case": format!("a{seq}"), "household": household.key,
                    "persons": [person] })
            }
        }
    };
    (0..DECISIONS).map(one).collect()
}

fn day(seq: u64) -> String {
    format!("2027-{:02}-{:02}", seq / 28 + 1, seq % 28 + 1)
}

/// As the child of the test below: applies everything in lists of a few, again and again from the
/// first that is not done.
#[test]
fn a_child_applies_until_it_is_killed() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let (db, list): (std::path::PathBuf, Vec<Decision>) =
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for (nth, some) in list.chunks(3).enumerate() {
        // Now and then the outbox hands over what was done before.
        let from = if nth % 5 == 0 { 0 } else { nth * 3 };
        let again: Vec<Decision> = list[from..nth * 3].iter().chain(some).cloned().collect();
        apply_decisions(&db, &again).unwrap();
    }
}

#[test]
fn killed_at_any_moment_every_decision_counts_once() {
    let world = World::new(1_000, 41);
    let list = decisions(&world);
    let input = world.files.join(".decisions.json");
    let own: Vec<Decision> = list.iter().map(decision).collect();
    std::fs::write(&input, serde_json::to_vec(&(&world.db, &own)).unwrap()).unwrap();
    let before = world.snapshot();
    let (mut kills, mut most, mut random) = (0, 40_000, 0x2545_F491_4F6C_DD1D_u64);
    let start = Instant::now();
    loop {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["killed::a_child_applies_until_it_is_killed", "--exact"])
            .env(CHILD, &input)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // The longer it lasts, the more time a child has: in the end one comes through.
        most += most / 8;
        std::thread::sleep(Duration::from_micros(random % most));
        if child.try_wait().unwrap().is_some_and(|status| status.success()) {
            break;
        }
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            break;
        }
        kills += 1;
        check(&world.snapshot(), &before, &list);
    }
    println!("{kills} kills in {:?}", start.elapsed());
    assert!(kills >= 10, "{kills} kills are too few to say anything");
    check(&world.snapshot(), &before, &list);
    let applied = apply_decisions(&world.db, &own).unwrap();
    assert_eq!((applied.applied, applied.skipped), (0, DECISIONS as u64));
    // No row stands twice.
    let all = everything(&world.snapshot());
    let mut keys = std::collections::BTreeSet::new();
    for household in all.values() {
        let aid = household.persons.iter().flat_map(|person| &person.aid).map(|aid| &aid["aid_id"]);
        let warnings = household.warnings.iter().map(|warning| &warning["warning_id"]);
        for key in aid.chain(warnings) {
            assert!(keys.insert(key.to_string()), "{key} stands twice");
        }
    }
    let kept = std::fs::read_to_string(world.db.join("cases/decisions.jsonl")).unwrap();
    assert_eq!(kept.lines().count(), DECISIONS);
}

/// Of the decisions, exactly those up to the note are there, each once.
fn check(snapshot: &Snapshot, before: &Snapshot, list: &[Value]) {
    let note = snapshot.notes().get("casework.applied");
    let done: usize = note.map_or(0, |seq| seq.parse().unwrap());
    let more = |table: &str| {
        let table = snapshot.schema().table_index(table).unwrap();
        snapshot.rows(table) - before.rows(table)
    };
    let expect = |kind: usize| list.iter().take(done).skip(kind).step_by(3).count() as u64;
    assert_eq!(more("warning"), expect(0), "of {done}");
    assert_eq!((more("household"), more("person")), (expect(1), expect(1)), "of {done}");
    assert_eq!(more("aid"), expect(1) + expect(2), "of {done}");
}
