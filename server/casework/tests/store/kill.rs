//! Kills: a process that works on a store is killed at many moments; whatever it acknowledged is
//! there, once, and whole. What it did not acknowledge is there whole or not at all.
//!
//! The work is done by this test program run again as a child, which is told its folder by an
//! environment variable.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::json;
use yiku_casework::store::{Filter, Reach};
use yiku_casework::{CaseFile, Evidence, Kind, Role, machine};

use crate::support::*;

const FOLDER: &str = "YIKU_KILL_FOLDER";
const FROM: &str = "YIKU_KILL_FROM";
const ROUNDS: u64 = 30;
/// More than the steps of the two households that a child does again.
const STEPS_MIN: u64 = 13;

/// One household's worth of work, each step acknowledged when its call has returned.
fn work(place: &Place, number: u32, acknowledge: &mut dyn FnMut(&str, &str)) {
    let case = place.declaration(number, &format!("open-{number}"));
    acknowledge("open", &case.id);
    let opened = CaseFile { version: 1, ..case };
    let person = opened.owner.clone().unwrap();
    let evidence = Evidence { authorised: vec![(person, "S1".to_owned())], ..Evidence::default() };
    let citizen = place.citizen(number);
    let id = format!("submit-{number}");
    let case = place.act(&citizen, &opened, ("submit", &id), &json!({}), evidence).unwrap();
    acknowledge("submit", &case.id);
    let submitted = CaseFile { version: 2, ..case };
    let town = staff("town", Role::Township, TOWNSHIP);
    let id = format!("agree-{number}");
    let case =
        place.act(&town, &submitted, ("agree", &id), &json!({}), Evidence::default()).unwrap();
    acknowledge("agree", &case.id);
    let wave = format!("RIFF\u{10}\0\0\0WAVEfmt invented {number}");
    let sound = place.store.attach(&citizen, wave.as_bytes(), "a.wav", now(), "192.0.2.1").unwrap();
    acknowledge("attach", &sound.digest);
    let list = [raised("A1", &format!("H{number}"), "2026-03", 30)];
    place.store.raise_warnings(&list, &context(now())).unwrap();
    acknowledge("raise", &number.to_string());
}

/// The child's work; run as an ordinary test, without a folder, it has nothing to do.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let from: u32 = std::env::var(FROM).unwrap().parse().unwrap();
    let place = Place::at(Path::new(&folder));
    let mut out = std::io::stdout();
    for number in from..from + 10_000 {
        work(&place, number, &mut |what, id| {
            out.write_all(format!("\nack {what} {number} {id}\n").as_bytes()).unwrap();
            out.flush().unwrap();
        });
    }
}

/// What was acknowledged: what, of which number, by which name.
type Acknowledged = BTreeSet<(String, u32, String)>;

/// Runs the child from a number on and kills it a moment after so many acknowledgements.
fn killed(
    folder: &Path,
    from: u32,
    (steps, moment): (u64, Duration),
    acknowledged: &mut Acknowledged,
) -> u32 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["kill::child", "--exact", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(FROM, from.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let (send, lines) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        for line in out.lines().map_while(Result::ok).filter(|line| line.starts_with("ack ")) {
            send.send(line).unwrap();
        }
    });
    let mut take = |line: &str| {
        // A line that the kill cut short was not acknowledged to anybody.
        if let [_, what, number, id] = line.split(' ').collect::<Vec<_>>()[..]
            && (id.len() == 15 || id.len() == 64 || what == "raise" && id == number)
        {
            let number: u32 = number.parse().unwrap();
            acknowledged.insert((what.to_owned(), number, id.to_owned()));
            return number;
        }
        from
    };
    let mut last = from;
    for _ in 0..steps {
        last = take(&lines.recv_timeout(Duration::from_secs(120)).unwrap());
    }
    std::thread::sleep(moment);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    for line in lines {
        last = take(&line);
    }
    last
}

/// The store is whole: every case is its events, every sealed thing opens, the chain holds.
fn whole(place: &Place) -> Vec<CaseFile> {
    let mut cases = Vec::new();
    let mut filter = Filter { limit: 200, ..Filter::of(Reach::Platform) };
    loop {
        let page = place.store.list(&filter).unwrap();
        cases.extend(page.cases);
        filter.after = page.next;
        if filter.after.is_none() {
            break;
        }
    }
    for case in &cases {
        let owner = case.owner.as_deref();
        let mut replayed =
            machine::blank(case.kind, &case.id, &case.region, owner, &case.author, case.opened_at);
        for step in place.store.events(&case.id).unwrap() {
            machine::apply(&mut replayed, &step.event);
            assert_eq!(replayed.version, step.version, "{}", case.id);
        }
        assert_eq!(replayed, *case);
    }
    assert_eq!(place.store.verify_journal().unwrap().broken, None);
    cases
}

/// Everything acknowledged is there, and nothing is there twice.
fn check(place: &Place, acknowledged: &Acknowledged) {
    let cases = whole(place);
    let known: BTreeMap<&str, &CaseFile> =
        cases.iter().map(|case| (case.id.as_str(), case)).collect();
    let version_of = |what: &str| match what {
        "open" => 1,
        "submit" => 2,
        _ => 3,
    };
    for (what, number, id) in acknowledged {
        match what.as_str() {
            "attach" => drop(place.store.attachment_content(id).unwrap()),
            "raise" => {
                let household = Some(format!("H{number}"));
                let filter = Filter { household, ..Filter::of(Reach::Platform) };
                let found = place.store.list(&filter).unwrap();
                assert_eq!(found.cases.len(), 1, "warnings of H{number}");
            }
            what => {
                let case = known.get(id.as_str()).unwrap_or_else(|| unreachable!("{id} is lost"));
                assert!(case.version >= version_of(what), "{id} lost `{what}`");
                assert_eq!(case.author, format!("citizen-{number}"));
            }
        }
    }
    let mut authors = BTreeSet::new();
    for case in cases.iter().filter(|case| case.kind == Kind::Declaration) {
        assert!(authors.insert(&case.author), "{} opened twice", case.author);
        assert!(case.version <= 3, "{} got a command twice", case.id);
    }
    // One change a decision, numbers without a gap, none for what was not decided.
    let told = place.store.outbox_after(0, 100_000).unwrap();
    let numbers: Vec<u64> = told.iter().map(|change| change.seq).collect();
    assert_eq!(numbers, (1..=told.len() as u64).collect::<Vec<_>>());
    let of: BTreeSet<&str> = told.iter().map(|change| change.case.as_str()).collect();
    let decided: BTreeSet<&str> = cases
        .iter()
        .filter(|case| case.kind == Kind::Warning || case.state == "agreed")
        .map(|case| case.id.as_str())
        .collect();
    assert_eq!((of.len(), of), (told.len(), decided));
    let events: u64 = cases.iter().map(|case| case.version).sum();
    assert_eq!(place.store.notices_after(0, 1_000_000).unwrap().len() as u64, events);
}

#[test]
fn a_kill_at_any_moment_loses_nothing_acknowledged_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Acknowledged::new();
    let mut from = 1;
    // A fixed sequence of moments, so that a failure comes again.
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..ROUNDS {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        // Counted in steps, so that a slow machine does as much; the rest is somewhere in a step.
        let when = (STEPS_MIN + seed % 11, Duration::from_micros(seed % 4_999));
        let last = killed(folder.path(), from, when, &mut acknowledged);
        check(&Place::at(folder.path()), &acknowledged);
        // The next child gives the last commands again, as a client does that got no answer.
        from = last.saturating_sub(1).max(1);
    }
    assert!(acknowledged.len() as u64 > ROUNDS * 2, "too little was done: {acknowledged:?}");
}
