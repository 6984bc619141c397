//! What is done to a database, step by step, and what may be found after any part of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use yiku::storage::Storage;
use yiku::{CommitInfo, Compaction, Database, Error, Result, Snapshot, Writer};
use yiku_tests::Random;
use yiku_tests::expected::Expected;
use yiku_tests::memory::{Files, Image, Memory};
use yiku_tests::sample::{Mood, schema, tree};

/// What is done in a step.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// The database is made.
    Create,
    /// It is closed and opened, as by another process.
    Reopen,
    /// New bundles in two batches, and a day.
    New(u32, u32),
    /// Many and wide bundles, so that the log fills.
    Wide(u32, u32),
    /// A batch so large that its segment is written to a file before the commit.
    Spill(u32, u32),
    /// Such a batch that is not committed.
    AbortSpill(u32, u32),
    /// Bundles replaced, and some removed.
    Replace(u32, u32),
    /// Bundles removed, the last ones of a segment among them.
    Remove(u32, u32),
    /// A larger tree and a note, no rows.
    Tree,
    /// An expectation that does not hold, and one that does.
    Expect,
    /// A writer that writes and is dropped.
    Abort,
    /// The version is kept under a name.
    Keep(&'static str),
    /// It is not kept any more.
    Drop(&'static str),
    /// So many month ends are kept.
    MonthEnds(u32),
    /// A commit whose rows speak of another month.
    NextMonth,
    /// Everything is put in order.
    Compact,
}

use Step::{
    Abort, AbortSpill, Compact, Create, Drop, Expect, Keep, MonthEnds, New, NextMonth, Remove,
    Reopen, Replace, Spill, Tree, Wide,
};

/// Scenarios: a name, what was done before, and what is done while the machine stops.
pub(crate) const SCENARIOS: [(&str, &[Step], &[Step]); 9] = [
    ("creation", &[], &[Create, New(0, 6)]),
    (
        "small commits",
        &[Create, New(0, 6), Replace(3, 8)],
        &[New(8, 10), Replace(4, 7), Abort, Remove(0, 2), Expect],
    ),
    (
        "another process goes on",
        &[Create, New(0, 6), Replace(3, 8), Reopen, Remove(1, 2), Replace(2, 4)],
        &[Reopen, Replace(0, 3), Reopen, Remove(4, 5)],
    ),
    (
        "a log that fills",
        &[Create, New(0, 4), Wide(10, 34), Wide(40, 64)],
        &[Replace(1, 3), Wide(70, 94), Replace(2, 6), Wide(10, 34), Remove(40, 44)],
    ),
    (
        "batches that are files before their commit",
        &[Create, New(0, 6), Replace(3, 8)],
        &[AbortSpill(100, 260), Spill(100, 260), Replace(1, 3), Remove(101, 103)],
    ),
    ("another tree", &[Create, New(0, 6), Replace(1, 3)], &[Replace(2, 4), Tree, New(6, 9)]),
    (
        "named versions",
        &[Create, New(0, 6), Replace(1, 3), Keep("first")],
        &[Replace(2, 5), Keep("second"), Remove(0, 2), Drop("first"), Replace(3, 5)],
    ),
    (
        "month ends",
        &[Create, New(0, 6), MonthEnds(1), NextMonth],
        &[NextMonth, Replace(0, 2), NextMonth, MonthEnds(0)],
    ),
    (
        "compaction",
        &[Create, New(0, 6), Tree, Replace(3, 8), Tree, Keep("old"), Remove(1, 5), Tree],
        &[Replace(0, 2), Compact, Replace(4, 6), Drop("old"), Compact],
    ),
];

/// A scenario as far as it came.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// What is known to be there; none before there is a database.
    pub(crate) done: Option<Expected>,
    /// What else may be there after the step that was not acknowledged.
    pub(crate) asked: Vec<Expected>,
    /// Snapshots that were taken, each with what it must answer for ever.
    pub(crate) held: Vec<(Snapshot, Expected)>,
    pub(crate) database: Option<Database>,
    pub(crate) steps: u64,
}

fn keys(numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|number| format!("H{number:03}")).collect()
}

/// Is refused for an expectation that does not hold, and states some that do.
fn expect(next: &mut Expected, writer: &mut Writer, random: &mut Random) -> Result<()> {
    let key = next.versions.keys().next().unwrap().clone();
    let version = next.versions[&key];
    writer.expect(&key, Some(version + 1));
    Expected::clone(next).write(writer, random, Mood::Mixed, &keys(0..1))?;
    let refused = writer.commit(CommitInfo::default()).unwrap_err();
    if !matches!(refused, Error::Conflict { .. }) {
        return Err(refused);
    }
    writer.expect(&key, Some(version));
    writer.expect("absent", None);
    next.write(writer, random, Mood::Mixed, &[key])
}

impl Run {
    /// Before anything that is already in a folder.
    pub(crate) fn from(done: Option<Expected>, steps: usize) -> Self {
        Self { done, steps: steps as u64, ..Self::default() }
    }

    /// What may be found: none is "no database".
    pub(crate) fn allowed(&self) -> Vec<Option<&Expected>> {
        let mut allowed = vec![self.done.as_ref()];
        allowed.extend(self.asked.iter().map(Some));
        allowed
    }

    /// Does the steps; ends at the first error.
    pub(crate) fn go(&mut self, storage: &Arc<Memory>, steps: &[Step]) -> Result<()> {
        for step in steps {
            self.steps += 1;
            self.step(storage, *step)?;
        }
        Ok(())
    }

    fn open(&mut self, storage: &Arc<Memory>) -> Result<Database> {
        if let Some(database) = &self.database {
            return Ok(database.clone());
        }
        let database = Database::open_in(Arc::<Memory>::clone(storage))?;
        self.database = Some(database.clone());
        Ok(database)
    }

    pub(crate) fn step(&mut self, storage: &Arc<Memory>, step: Step) -> Result<()> {
        match step {
            Create => {
                self.asked = vec![Expected::new(2)];
                let shared: Arc<dyn Storage> = Arc::<Memory>::clone(storage);
                self.database = Some(Database::create_in(shared, schema(), tree(2))?);
                self.done = self.asked.pop();
            }
            Reopen => {
                self.database = None;
                self.open(storage)?;
            }
            Keep(name) | Drop(name) => {
                let keep = matches!(step, Keep(_));
                let mut next = self.done.clone().unwrap();
                next.name(name, keep);
                self.asked = vec![next];
                let database = self.open(storage)?;
                if keep {
                    let named = database.keep(name)?;
                    assert_eq!(named.version, self.done.as_ref().unwrap().version);
                } else {
                    database.drop_name(name)?;
                }
                self.acknowledge(&database)?;
            }
            MonthEnds(most) => {
                let most = Some(most).filter(|most| *most > 0);
                let mut next = self.done.clone().unwrap();
                next.keep_month_ends(most);
                self.asked = vec![next];
                let database = self.open(storage)?;
                database.keep_month_ends(most)?;
                self.acknowledge(&database)?;
            }
            Compact => {
                self.asked = self.done.iter().cloned().collect();
                let database = self.open(storage)?;
                database.compact(Compaction::Whole, &|| false)?;
                self.acknowledge(&database)?;
            }
            _ => {
                let database = self.open(storage)?;
                self.write(storage, &database, step)?;
            }
        }
        Ok(())
    }

    fn acknowledge(&mut self, database: &Database) -> Result<()> {
        self.done = self.asked.pop();
        self.asked.clear();
        let done = self.done.clone().unwrap();
        self.held.push((database.snapshot()?, done));
        Ok(())
    }

    /// A step that commits.
    fn write(&mut self, storage: &Memory, database: &Database, step: Step) -> Result<()> {
        let mut random = Random::new(self.steps);
        let mut next = self.done.clone().unwrap();
        let mut info = CommitInfo::default();
        let mut writer = database.writer()?;
        self.asked.clear();
        match step {
            New(from, to) => {
                let middle = from.midpoint(to);
                next.write(&mut writer, &mut random, Mood::Mixed, &keys(from..middle))?;
                next.write(&mut writer, &mut random, Mood::Constant, &keys(middle..to))?;
                info.as_of = Some(20_757);
            }
            Wide(from, to) => {
                next.write(&mut writer, &mut random, Mood::Wide, &keys(from..to))?;
            }
            Spill(from, to) | AbortSpill(from, to) => {
                let before = storage.changes();
                next.write(&mut writer, &mut random, Mood::Heavy, &keys(from..to))?;
                assert_eq!(storage.changes(), before + 1, "the batch is no file, or several");
                if matches!(step, AbortSpill(..)) {
                    return Ok(());
                }
            }
            Replace(from, to) => {
                next.write(&mut writer, &mut random, Mood::Mixed, &keys(from..to))?;
                next.remove(&mut writer, "absent")?;
            }
            Remove(from, to) => {
                for key in keys(from..to) {
                    next.remove(&mut writer, &key)?;
                }
            }
            Tree => {
                next.districts += 1;
                writer.set_tree(tree(next.districts))?;
                info.notes = BTreeMap::from([("tree".to_owned(), next.districts.to_string())]);
            }
            Expect => {
                expect(&mut next, &mut writer, &mut random)?;
            }
            Abort => {
                next.write(&mut writer, &mut random, Mood::Mixed, &keys(0..9))?;
                return Ok(());
            }
            NextMonth => {
                info.as_of = next.as_of.map(|day| day + 31);
                next.end_of_month(info.as_of);
                // The end of a month may be kept though the commit that ends it does not come.
                self.asked.push(next.clone());
                next.write(&mut writer, &mut random, Mood::Mixed, &keys(1..3))?;
            }
            _ => unreachable!(),
        }
        next.commit(&info);
        self.asked.push(next);
        let snapshot = writer.commit(info)?;
        self.done = self.asked.pop();
        self.asked.clear();
        self.held.push((snapshot, self.done.clone().unwrap()));
        Ok(())
    }

    /// What a database is that was just opened.
    pub(crate) fn which(&self, database: &Database, context: &str) -> Expected {
        for expected in self.allowed().into_iter().flatten() {
            if expected.may_be(database).unwrap_or_else(|error| panic!("{context}: {error}")) {
                let checked = expected.check_database(database);
                checked.unwrap_or_else(|error| panic!("{context}: {error}"));
                return expected.clone();
            }
        }
        let version = database.snapshot().map(|snapshot| snapshot.version());
        panic!("{context}: version {version:?} with names {:?}", database.names());
    }
}

/// The files on which a scenario begins, and what they hold.
pub(crate) fn before(steps: &[Step]) -> (Image, Option<Expected>) {
    let storage = Memory::new(Files::new());
    let mut run = Run::default();
    run.go(&storage, steps).unwrap();
    (storage.durable(), run.done)
}
