//! One sequence of operations, on a database and on the rows that it must hold.

use std::sync::Arc;

use yiku::segment::Access;
use yiku::{CommitInfo, Compaction, Database, Error, Snapshot, Writer};
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
    /// Bundles are read and written as they are.
    Gather,
    /// Another writer commits while the first has not.
    Beside,
    /// Scattered segments are written together.
    Compact,
    /// A version is kept under a name, or one is dropped.
    Name,
    /// Another number of month ends is kept.
    MonthEnds,
    /// The newest version is copied into another folder, which has an older copy or none.
    Export,
    /// Everything is looked through.
    Verify,
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

const OPS: [Op; 24] = [
    Op::Push,
    Op::Push,
    Op::Replace,
    Op::Replace,
    Op::Remove,
    Op::Remove,
    Op::Gather,
    Op::Beside,
    Op::Compact,
    Op::Name,
    Op::Name,
    Op::MonthEnds,
    Op::Export,
    Op::Verify,
    Op::Tree,
    Op::Commit,
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
    /// A copy of an older version.
    copy: Arc<Memory>,
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
            copy: Memory::new(Files::new()),
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
            Op::Beside => self.beside(),
            Op::Compact => self.compact(),
            Op::Name => self.name(),
            Op::MonthEnds => {
                let most = u32::try_from(self.random.below(4)).ok().filter(|most| *most > 0);
                self.database.keep_month_ends(most).unwrap();
                self.committed.keep_month_ends(most);
                self.committed.check_database(&self.database).unwrap();
            }
            Op::Export => self.export(),
            Op::Verify => {
                let mut wrong = Vec::new();
                let found = self.database.verify(&mut |error| wrong.push(error)).unwrap();
                assert!(wrong.is_empty() && found.wrong == 0, "{wrong:?}");
                assert_eq!(found.version, self.committed.version);
            }
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
                        next.rewrite(key);
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

    /// Another writer writes bundles and commits; the first goes on without knowing.
    fn beside(&mut self) {
        let mut writer = self.database.writer().unwrap();
        let mut next = self.committed.clone();
        let count = self.random.below(4);
        let keys = self.keys(count);
        next.write(&mut writer, &mut self.random, Mood::Mixed, &keys).unwrap();
        next.commit(&CommitInfo::default());
        let snapshot = writer.commit(CommitInfo::default()).unwrap();
        next.check(&snapshot).unwrap();
        self.committed = next;
    }

    fn compact(&mut self) {
        let how = *self.random.pick(&[Compaction::Steady, Compaction::Whole]);
        // Some are stopped after a few questions.
        let left = std::cell::Cell::new(self.random.below(6));
        let stop = || left.replace(left.get().wrapping_sub(1)) == 0;
        let never = || false;
        let stopped = self.random.chance(30);
        self.database.compact(how, if stopped { &stop } else { &never }).unwrap();
        self.committed.check_database(&self.database).unwrap();
    }

    fn name(&mut self) {
        let name = (*self.random.pick(&["one", "two", "2026-10"])).to_owned();
        if self.committed.names.contains_key(&name) {
            let again = self.database.keep(&name);
            assert!(matches!(again, Err(Error::NameTaken { .. })));
            self.database.drop_name(&name).unwrap();
            self.committed.name(&name, false);
        } else {
            let dropped = self.database.drop_name(&name);
            assert!(matches!(dropped, Err(Error::NoSuchName { .. })));
            let named = self.database.keep(&name).unwrap();
            assert_eq!(named.version, self.committed.version);
            self.committed.name(&name, true);
        }
        self.committed.check_database(&self.database).unwrap();
    }

    fn export(&mut self) {
        if self.random.chance(20) {
            self.copy = Memory::new(Files::new());
        }
        let exported = self.database.snapshot().unwrap().export_in(&*self.copy).unwrap();
        assert_eq!(exported.version, self.committed.version);
        let restored = Database::open_in(Memory::new(self.copy.durable())).unwrap();
        self.committed.check(&restored.snapshot().unwrap()).unwrap();
        let mut wrong = Vec::new();
        restored.verify(&mut |error| wrong.push(error)).unwrap();
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    fn commit(&mut self) {
        let Some((mut writer, next)) = self.writing.take() else { return };
        let mut info = CommitInfo::default();
        if self.random.chance(50) {
            info.as_of = Some(self.random.between(-40_000, 40_000));
            let key = format!("note {}", self.random.below(3));
            info.notes.insert(key, format!("version {}", next.version));
        }
        let first = self.committed.versions.iter().next();
        let first = first.map(|(key, version)| (key.clone(), *version));
        if self.random.chance(15) {
            // What is expected and does not hold takes all of it back.
            match &first {
                Some((key, version)) => writer.expect(key, Some(version + 1)),
                None => writer.expect("absent", Some(1)),
            }
            let refused = writer.commit(info).map(|snapshot| snapshot.version());
            assert!(matches!(refused, Err(Error::Conflict { .. })), "{refused:?}");
            self.writing = Some((writer, self.committed.clone()));
            return;
        }
        if let Some((key, version)) = &first {
            writer.expect(key, Some(*version));
        }
        let mut between = self.committed.clone();
        between.end_of_month(info.as_of);
        let mut next = next.onto(&between);
        next.commit(&info);
        let snapshot = writer.commit(info).unwrap();
        next.check(&snapshot).unwrap();
        next.check_database(&self.database).unwrap();
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
        let again = Database::open_in(Memory::new(self.storage.durable())).unwrap();
        self.committed.check_database(&again).unwrap();
    }
}
