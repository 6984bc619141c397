//! One sequence of operations, on a database and on the rows that it must hold.

use std::sync::Arc;

use yiku::{Access, CommitInfo, Database, Error, Snapshot, Writer};
use yiku_tests::expected::Expected;
use yiku_tests::memory::{Files, Memory};
use yiku_tests::registry::Cell;
use yiku_tests::sample::{Mood, schema, tree};
use yiku_tests::{Random, naive};

/// What is done next.
#[derive(Debug, Clone, Copy)]
enum Op {
    /// New bundles, in one batch.
    Push,
    /// A batch of bundles of which some exist.
    Replace,
    Remove,
    /// Bundles are read and written as they are, and small segments written anew in one.
    Gather,
    /// A larger tree.
    Tree,
    Commit,
    /// The writer is dropped with what it wrote.
    Abort,
    /// The database is closed and opened.
    Reopen,
    /// A snapshot is held.
    Hold,
    /// The oldest held snapshot is let go.
    Drop,
    /// Everything is asked of a version.
    Filter,
    Sum,
}

const OPS: [Op; 16] = [
    Op::Push,
    Op::Push,
    Op::Replace,
    Op::Replace,
    Op::Remove,
    Op::Remove,
    Op::Gather,
    Op::Tree,
    Op::Commit,
    Op::Commit,
    Op::Abort,
    Op::Reopen,
    Op::Hold,
    Op::Drop,
    Op::Filter,
    Op::Sum,
];

/// A database and what it must hold.
pub(crate) struct World {
    random: Random,
    storage: Arc<Memory>,
    database: Database,
    committed: Expected,
    /// What the writer has, if there is one.
    writing: Option<(Writer, Expected)>,
    held: Vec<(Snapshot, Expected)>,
    /// How filters were served.
    pub(crate) served: Vec<Access>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        eprintln!("seed {seed}");
        let storage = Memory::new(Files::new());
        let database = Database::create_in(Arc::<Memory>::clone(&storage), schema(), tree(1));
        Self {
            random: Random::new(seed),
            storage,
            database: database.unwrap(),
            committed: Expected::new(1),
            writing: None,
            held: Vec::new(),
            served: Vec::new(),
        }
    }

    fn keys(&mut self, count: usize) -> Vec<String> {
        let random = &mut self.random;
        // Keys of two forms, few enough to meet again.
        let form = random.below(2);
        let key = |number: i64| match form {
            0 => format!("H{number:04}"),
            _ => format!("house {number}"),
        };
        (0..count).map(|_| key(random.between(0, 60))).collect()
    }

    /// Does one thing to both sides and compares.
    pub(crate) fn step(&mut self) {
        let op = *self.random.pick(&OPS);
        match op {
            Op::Push | Op::Replace | Op::Remove | Op::Gather | Op::Tree => self.write(op),
            Op::Commit => self.commit(),
            Op::Abort => self.writing = None,
            Op::Reopen => {
                self.writing = None;
                self.database = Database::open_in(Arc::<Memory>::clone(&self.storage)).unwrap();
            }
            Op::Hold => {
                let held = (self.database.snapshot().unwrap(), self.committed.clone());
                self.held.push(held);
            }
            Op::Drop if self.held.is_empty() => {}
            Op::Drop => drop(self.held.remove(0)),
            Op::Filter => self.filter(),
            Op::Sum => self.sum(),
        }
    }

    fn write(&mut self, op: Op) {
        let (mut writer, mut next) = match self.writing.take() {
            Some(writing) => writing,
            None => (self.database.writer().unwrap(), self.committed.clone()),
        };
        let other = Database::open_in(Arc::<Memory>::clone(&self.storage)).unwrap();
        let refused = other.writer();
        assert!(matches!(refused, Err(Error::Locked { .. })), "there are two writing processes");
        let mood = *self.random.pick(&Mood::ALL);
        match op {
            Op::Tree => {
                next.districts += 1;
                writer.set_tree(tree(next.districts)).unwrap();
            }
            Op::Gather => {
                let keys = self.keys(3);
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                let mut seen = std::collections::BTreeSet::new();
                let mut batch = writer.batch();
                for (key, bundle) in keys.iter().zip(writer.bundles(&keys).unwrap()) {
                    let found = bundle.as_ref().map(naive::row);
                    assert_eq!(found.as_ref(), next.rows.get(*key), "bundle {key}");
                    if let Some(bundle) = bundle.filter(|_| seen.insert(*key)) {
                        batch.put(&bundle).unwrap();
                    }
                }
                writer.write(&batch).unwrap();
            }
            Op::Remove => {
                for key in self.keys(3) {
                    next.remove(&mut writer, &key).unwrap();
                }
            }
            _ => {
                let count = self.random.below(12);
                let mut keys = self.keys(count);
                if matches!(op, Op::Push) {
                    keys.retain(|key| !next.rows.contains_key(key));
                }
                next.write(&mut writer, &mut self.random, mood, &keys).unwrap();
            }
        }
        // What is not committed is seen by nobody.
        let seen = self.database.snapshot().unwrap();
        assert_eq!(seen.version(), self.committed.version);
        self.writing = Some((writer, next));
    }

    fn commit(&mut self) {
        let Some((mut writer, mut next)) = self.writing.take() else { return };
        let mut info = CommitInfo::default();
        if self.random.chance(50) {
            info.as_of = Some(self.random.between(-40_000, 40_000));
            let key = format!("note {}", self.random.below(3));
            info.notes.insert(key, format!("version {}", next.version));
        }
        next.commit(&info);
        let snapshot = writer.commit(info).unwrap();
        next.check(&snapshot).unwrap();
        self.committed = next.clone();
        let mut asked = naive::check_all(&snapshot).unwrap();
        self.served.append(&mut asked);
        for (snapshot, expected) in &self.held {
            expected.check(snapshot).unwrap();
        }
        // Half of the writers go on.
        self.writing = self.random.chance(50).then_some((writer, next));
    }

    /// Asks one held version everything, or the newest.
    fn filter(&mut self) {
        let place = self.random.below(self.held.len() + 1);
        let newest = (self.database.snapshot().unwrap(), self.committed.clone());
        let (snapshot, expected) = self.held.get(place).unwrap_or(&newest);
        expected.check(snapshot).unwrap();
        let mut asked = naive::check_all(snapshot).unwrap();
        self.served.append(&mut asked);
    }

    /// Adds up a column over the live rows that another column selects.
    fn sum(&mut self) {
        let snapshot = self.database.snapshot().unwrap();
        let (rent, wall) = (3, 6);
        let code = self.random.between(0, 4);
        let mut sum = 0i128;
        for segment in snapshot.segments() {
            let wanted = yiku::Predicate::In(vec![code]);
            let mut rows = segment.column(0, wall).unwrap().filter(&wanted).unwrap();
            rows.and(&segment.live(0).unwrap());
            let column = segment.column(0, rent).unwrap();
            rows.and(&column.known().unwrap());
            for run in rows.runs() {
                let mut values = Vec::new();
                column.integers(run, &mut values).unwrap();
                sum += values.into_iter().map(i128::from).sum::<i128>();
            }
        }
        let rows = self.committed.rows.values();
        let expected = rows.filter_map(|row| match (row.cells.get(wall), row.cells.get(rent)) {
            (Some(Cell::Int(wall)), Some(Cell::Int(rent))) if *wall == code => {
                Some(i128::from(*rent))
            }
            _ => None,
        });
        assert_eq!(sum, expected.sum::<i128>(), "rent of houses with wall {code}");
    }

    /// Compares what is left at the end.
    pub(crate) fn end(&mut self) {
        self.writing = None;
        self.filter();
        for (snapshot, expected) in &self.held {
            expected.check(snapshot).unwrap();
        }
        let again = Database::open_in(Arc::<Memory>::clone(&self.storage)).unwrap();
        self.committed.check(&again.snapshot().unwrap()).unwrap();
    }
}
