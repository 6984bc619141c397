//! A small province in a database, decisions about it, and what it then holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use yiku::{Database, Snapshot};
use yiku_fixtures::province::{Forms, Options, generate};
use yiku_indexer::{
    Applied, Decision, HouseholdRecord, LoadOptions, LoadReport, apply_decisions, household,
    load_departments, parse_tree, registry_schema,
};

/// A province and its database, in a folder of its own.
pub(crate) struct World {
    _dir: tempfile::TempDir,
    pub(crate) files: PathBuf,
    pub(crate) db: PathBuf,
    /// The keys of the households, sorted.
    pub(crate) keys: Vec<String>,
}

/// Loads departments' files.
pub(crate) fn load(db: &Path, paths: &[PathBuf]) -> LoadReport {
    let regions = yiku_fixtures::reference::REGIONS_CSV;
    let path = registry_schema().unwrap().path;
    let tree = parse_tree(regions, "regions".as_ref(), &path).unwrap();
    let options = LoadOptions { db, tree: Some(tree), as_of: None, threads: 2 };
    load_departments(paths, &options, &mut |_| {}).unwrap()
}

impl World {
    pub(crate) fn new(persons: u64, seed: u64) -> World {
        let dir = tempfile::tempdir().unwrap();
        let (files, db) = (dir.path().join("files"), dir.path().join("db"));
        let options = Options { persons, months: 1, seed, forms: Forms::Files, threads: 2 };
        generate(&files, &options, &mut |_| {}).unwrap();
        load(&db, std::slice::from_ref(&files));
        let mut world = World { _dir: dir, files, db, keys: Vec::new() };
        world.keys = keys(&world.snapshot());
        world
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Database::open(&self.db).unwrap().snapshot().unwrap()
    }

    /// Applies decisions, all of which must be taken.
    pub(crate) fn apply(&self, decisions: &[Value]) -> Applied {
        let applied = self.try_apply(decisions);
        assert!(applied.rejected.is_empty(), "{:?}", applied.rejected);
        assert_eq!(applied.applied, decisions.len() as u64);
        applied
    }

    pub(crate) fn try_apply(&self, decisions: &[Value]) -> Applied {
        apply_decisions(&self.db, &decisions.iter().map(decision).collect::<Vec<_>>()).unwrap()
    }

    /// Why a decision is rejected.
    pub(crate) fn refused(&self, decision: &Value) -> String {
        let applied = self.try_apply(std::slice::from_ref(decision));
        assert_eq!((applied.applied, applied.rejected.len()), (0, 1), "{decision}");
        applied.rejected.into_iter().next().unwrap().reason
    }

    pub(crate) fn household(&self, key: &str) -> HouseholdRecord {
        self.find(key).unwrap()
    }

    pub(crate) fn find(&self, key: &str) -> Option<HouseholdRecord> {
        household(&self.snapshot(), key).unwrap()
    }

    /// A household with at least so many members, not the first of them.
    pub(crate) fn with_members(&self, members: usize, nth: usize) -> HouseholdRecord {
        let mut all = self.keys.iter().map(|key| self.household(key));
        all.by_ref().filter(|household| household.persons.len() >= members).nth(nth).unwrap()
    }

    /// Changes the text of the file of a dataset and loads it.
    pub(crate) fn deliver(&self, word: &str, change: impl Fn(&str) -> String) -> LoadReport {
        let entries = std::fs::read_dir(&self.files).unwrap().map(|entry| entry.unwrap().path());
        let path = entries.filter(|p| p.is_file()).find(|p| p.to_string_lossy().contains(word));
        let path = path.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, change(&text)).unwrap();
        load(&self.db, &[path])
    }
}

pub(crate) fn decision(value: &Value) -> Decision {
    serde_json::from_value(value.clone()).unwrap()
}

/// The keys of all live households, sorted.
pub(crate) fn keys(snapshot: &Snapshot) -> Vec<String> {
    let mut keys = BTreeSet::new();
    for segment in snapshot.segments() {
        let key = segment.column(0, 0).unwrap();
        for run in segment.live(0).unwrap().runs() {
            key.texts(run, &mut |_, text| keys.extend(text.map(str::to_owned))).unwrap();
        }
    }
    keys.into_iter().collect()
}

/// Everything the registry holds, by household.
pub(crate) fn everything(snapshot: &Snapshot) -> BTreeMap<String, HouseholdRecord> {
    let read = |key: String| {
        let record = household(snapshot, &key).unwrap().unwrap();
        (key, record)
    };
    keys(snapshot).into_iter().map(read).collect()
}

/// The ID number of a member.
pub(crate) fn number(household: &HouseholdRecord, member: usize) -> String {
    household.persons[member].values["id_number"].as_str().unwrap().to_owned()
}

/// An ID number of nobody, of an area that was never assigned.
pub(crate) fn nobody(nth: u64) -> String {
    let digits = format!("9990011990{:02}{:02}{:03}", nth / 7 % 12 + 1, nth % 7 + 1, nth / 84 + 7);
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.bytes().zip(weights).map(|(d, w)| u32::from(d - b'0') * w).sum();
    let check = b"10X98765432"[(sum % 11) as usize];
    format!("{digits}{}", char::from(check))
}

/// A decision about a household with a warning.
pub(crate) fn warning(seq: u64, household: &str, id: &str, status: &str) -> Value {
    let closed = (status == "3").then_some("2026-11-20");
    json!({
        "seq": seq, "case": format!("w{id}"), "household": household,
        "warning": { "id": id, "rule": "a07", "level": "1", "raised_on": "2026-11-01",
            "status": status, "closed_on": closed },
    })
}

/// A new household with one member.
pub(crate) fn newcomer(seq: u64, case: &str, region: &str, number: &str) -> Value {
    json!({
        "seq": seq, "case": case, "at": "2026-11-02T09:30:00", "household": null, "head": number,
        "household_values": { "region": region, "urban": false, "income": 80_000,
            "discovered_by": "1", "discovered_on": "2026-11-02" },
        "persons": [{ "id_number": number, "remove": false,
            "values": { "name": "新来", "employment": "2" },
            "aid": [{ "kind": "12", "start": "2026-11-01", "end": null, "amount": 45_000 }],
            "end_aid": [] }],
        "warning": null, "cancel": false,
    })
}
