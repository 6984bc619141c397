//! A process that decides and delivers is killed at random moments: every decision that was
//! acknowledged is in the registry exactly once, and nothing that was not decided is there.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test stops where it fails, starts itself again, and tells what it counted"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use yiku::{Database, Snapshot};
use yiku_casework::store::{Call, Command, Filter, Opening, Reach, Store};
use yiku_casework::workdays::Calendar;
use yiku_casework::{Actor, CaseFile, Context, Evidence, Kind, Role};
use yiku_server::{Platform, PlatformSettings, ServerState, Settings};

#[path = "small/mod.rs"]
#[expect(clippy::cast_possible_truncation, dead_code, reason = "a test's registry")]
mod small;

/// Set for the child: the folder it works in, and the number of the child.
const CHILD: &str = "YIKU_TEST_DELIVERY";
const HERE: &str = "140105001001";
/// Children that are killed.
const KILLS: u64 = 14;

fn state(folder: &Path) -> ServerState {
    let db = folder.join("db");
    let now = Some("2026-11-02T09:00:00+08:00".parse().unwrap());
    let settings = PlatformSettings { cases: folder.join("cases"), now, ..Default::default() };
    let platform = Platform::open(&db, settings).unwrap();
    let database = Database::open(&db).unwrap();
    ServerState::with_platform(database, Settings::default(), Some(platform)).unwrap()
}

/// The store of the same folder.
fn platform(folder: &Path) -> Platform {
    let settings = PlatformSettings { cases: folder.join("cases"), ..Default::default() };
    Platform::open(&folder.join("db"), settings).unwrap()
}

fn actor(account: &str, role: Role, scope: &str) -> Actor {
    Actor {
        account: account.to_owned(),
        name: account.to_owned(),
        role,
        scope: scope.to_owned(),
        department: None,
        person: None,
    }
}

/// An ID number of nobody, of an area that was never assigned.
fn nobody(nth: u64) -> String {
    let digits = format!(
        "99900{}1970{:02}{:02}{:03}",
        nth / 336_000,
        nth / 28 % 12 + 1,
        nth % 28 + 1,
        nth / 336 % 1000
    );
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.bytes().zip(weights).map(|(d, w)| u32::from(d - b'0') * w).sum();
    let check = b"10X98765432"[(sum % 11) as usize];
    format!("{digits}{}", char::from(check))
}

/// Gives commands to one declaration after another, each with a number of its own.
struct Deciding<'a> {
    store: &'a Store,
    calendar: &'a Calendar,
    round: u64,
    given: u64,
}

impl Deciding<'_> {
    fn context(&self, evidence: Evidence) -> Context<'_> {
        let now = jiff::civil::date(2026, 11, 2).at(10, 0, 0, 0);
        Context { now, workdays: self.calendar, evidence }
    }

    fn number(&mut self) -> String {
        self.given += 1;
        format!("round-{}-{}", self.round, self.given)
    }

    fn act(&mut self, who: &Actor, case: &CaseFile, name: &str, evidence: Evidence) -> CaseFile {
        let number = self.number();
        let (input, call) = (json!({}), Call { command_id: &number, ip: "" });
        let command = Command { name, version: case.version, input: &input };
        self.store.act(who, &case.id, &command, &self.context(evidence), &call).unwrap()
    }

    /// One declaration that a township agrees to, or, each third, rejects.
    fn decide(&mut self, nth: u64) -> CaseFile {
        let village = actor("u1", Role::Village, HERE);
        let township = actor("u2", Role::Township, &HERE[..9]);
        let id_number = nobody(self.round * 100_000 + nth);
        let members = json!([{ "name": "无名", "id_number": id_number, "relation": "02" }]);
        let input = json!({ "answers": { "family": { "region": HERE }, "members": members } });
        let owner = Some(id_number.as_str());
        let opening = Opening { kind: Kind::Declaration, region: HERE, owner, input: &input };
        let number = self.number();
        let call = Call { command_id: &number, ip: "" };
        let context = self.context(Evidence::default());
        let case = self.store.open_case(&village, &opening, &context, &call).unwrap();
        let index = self.store.index(&id_number).unwrap();
        let signed = Evidence { authorised: vec![(index, "one".to_owned())], ..Default::default() };
        let case = self.act(&village, &case, "submit", signed);
        if nth % 3 == 2 {
            let number = self.number();
            let input = json!({ "ground": "income_over", "reason": "收入高于标准。" });
            let command = Command { name: "reject", version: case.version, input: &input };
            let call = Call { command_id: &number, ip: "" };
            let context = self.context(Evidence::default());
            return self.store.act(&township, &case.id, &command, &context, &call).unwrap();
        }
        self.act(&township, &case, "agree", Evidence::default())
    }
}

/// As the child of the test below: decides and acknowledges, and delivers beside it.
#[test]
fn a_child_decides_and_delivers_until_it_is_killed() {
    let Ok(told) = std::env::var(CHILD) else { return };
    let told: Value = serde_json::from_str(&told).unwrap();
    let folder = Path::new(told["folder"].as_str().unwrap()).to_owned();
    let path = folder.join("acknowledged");
    let mut acknowledged = fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
    let delivering = state(&folder);
    let delivering = thread::spawn(move || {
        loop {
            delivering.settle().unwrap();
        }
    });
    let platform = platform(&folder);
    let calendar = Calendar::built_in().unwrap();
    let mut deciding = Deciding {
        store: platform.store(),
        calendar: &calendar,
        round: told["round"].as_u64().unwrap(),
        given: 0,
    };
    for nth in 0..100_000 {
        let case = deciding.decide(nth);
        assert!(!delivering.is_finished(), "delivery broke");
        // Written whole in one call, as an answer is.
        acknowledged.write_all(format!("{} {}\n", case.id, case.state).as_bytes()).unwrap();
    }
}

/// The keys of all live households, with how often each stands there.
fn households(snapshot: &Snapshot) -> BTreeMap<String, usize> {
    let mut keys = BTreeMap::new();
    for segment in snapshot.segments() {
        let key = segment.column(0, 0).unwrap();
        for run in segment.live(0).unwrap().runs() {
            let mut count = |text: Option<&str>| {
                *keys.entry(text.unwrap().to_owned()).or_insert(0) += 1;
            };
            key.texts(run, &mut |_, text| count(text)).unwrap();
        }
    }
    keys
}

/// Every declaration in the store with its state.
fn declarations(store: &Store) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut filter =
        Filter { kinds: vec![Kind::Declaration], limit: 200, ..Filter::of(Reach::Platform) };
    loop {
        let page = store.list(&filter).unwrap();
        all.extend(page.cases.into_iter().map(|case| (case.id, case.state)));
        match page.next {
            Some(next) => filter.after = Some(next),
            None => return all,
        }
    }
}

/// The keys of households that declarations of a state made.
fn made(all: &BTreeMap<String, String>, state: &str) -> BTreeSet<String> {
    let of = all.iter().filter(|(_, its)| *its == state);
    of.map(|(id, _)| format!("C{id}")).collect()
}

/// What is in the registry now is of agreed declarations, each once.
fn check(folder: &Path) -> usize {
    let all = declarations(platform(folder).store());
    let agreed = made(&all, "agreed");
    let found = households(&Database::open(&folder.join("db")).unwrap().snapshot().unwrap());
    let mut delivered = 0;
    for (key, times) in &found {
        assert_eq!(*times, 1, "{key} stands there {times} times");
        if key.starts_with('C') {
            assert!(agreed.contains(key), "{key} was not agreed");
            delivered += 1;
        }
    }
    delivered
}

#[test]
fn killed_at_any_moment_every_agreed_declaration_is_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    drop(small::create(&folder.join("db")));
    fs::create_dir_all(folder.join("db/loads")).unwrap();
    fs::write(folder.join("db/loads/surrogate.key"), [7; 32]).unwrap();
    drop(platform(folder));
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut delivered = Vec::new();
    for round in 0..KILLS {
        let told = json!({ "folder": folder, "round": round });
        let mut child = Process::new(std::env::current_exe().unwrap())
            .args(["a_child_decides_and_delivers_until_it_is_killed", "--exact"])
            .env(CHILD, told.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        thread::sleep(Duration::from_micros(300_000 + random % 900_000));
        let ended = child.try_wait().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(ended.is_none(), "the child ended by itself: {said}");
        delivered.push(check(folder));
    }
    // What waited when the last child was killed is delivered by the next process.
    let state = state(folder);
    state.settle().unwrap();
    state.settle().unwrap();
    let last = check(folder);
    let all = declarations(platform(folder).store());
    let agreed = made(&all, "agreed");
    assert_eq!(last, agreed.len(), "every agreed declaration is in the registry");
    let written = fs::read_to_string(folder.join("acknowledged")).unwrap();
    let mut acknowledged = 0;
    for line in written.lines() {
        let (id, state) = line.split_once(' ').unwrap();
        assert_eq!(all.get(id).map(String::as_str), Some(state), "acknowledged and lost: {id}");
        acknowledged += 1;
    }
    println!("{KILLS} kills, {acknowledged} acknowledged, {last} in the registry: {delivered:?}");
    assert!(acknowledged > 50, "{acknowledged} decisions are too few to say anything");
    assert!(!made(&all, "rejected").is_empty(), "rejected ones were there to be left out");
}
