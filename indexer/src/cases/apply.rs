//! Decisions into the registry: read, laid, written and committed as one.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use yiku::limits::TEXT_BYTES_MAX;
use yiku::rows::Cell;
use yiku::{Bundle, CommitInfo, Database, Snapshot, Writer};

use super::decision::Decision;
use super::kept::{self, Kept, Line, Mark};
use super::overlay::{Before, Laid, Overlay, Refused, add, because, is_row};
use super::places::Places;
use crate::error::Result;
use crate::load::surrogate_key;

/// What stands before the case in the key of a household that case-work made.
const MADE: char = 'C';

/// What became of a list of decisions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// The version that shows them.
    pub version: u64,
    /// Decisions that were applied now.
    pub applied: u64,
    /// Decisions that were applied or refused before.
    pub skipped: u64,
    /// The household of each decision that was applied now.
    pub placed: Vec<PlacedDecision>,
    /// Decisions that were refused, now or before: they count as done and change nothing.
    pub rejected: Vec<RejectedDecision>,
}

/// A decision and its household.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlacedDecision {
    /// The number of the decision.
    pub seq: u64,
    /// Its case.
    pub case: String,
    /// The key of the household that it was applied to.
    pub household: String,
}

/// A decision that contradicts the registry or itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectedDecision {
    /// The number of the decision.
    pub seq: u64,
    /// Its case.
    pub case: String,
    /// Where it is wrong, and what would be right.
    pub reason: String,
}

/// Applies decisions to a database in the order of their numbers, in one commit, each once: a
/// number at or below the last that was applied is passed over, whatever it says. A decision that
/// is wrong is rejected and the others are applied. Killed at any moment, everything is applied or
/// nothing.
///
/// # Errors
/// [`crate::Error::Engine`], also while a load is writing; [`crate::Error::Contract`] on a database
/// of another registry; [`crate::Error::Io`]. The database is then as it was before.
pub fn apply_decisions(db: &Path, decisions: &[Decision]) -> Result<Applied> {
    apply_decisions_to(&Database::open(db)?, db, decisions)
}

/// As [`apply_decisions`], to a database that is open already, and its folder. Writers of one
/// database do not exclude each other: the caller sees to it that no other call runs beside.
///
/// # Errors
/// As [`apply_decisions`].
pub fn apply_decisions_to(
    database: &Database,
    db: &Path,
    decisions: &[Decision],
) -> Result<Applied> {
    let mut writer = database.writer()?;
    let snapshot = writer.base();
    let mark = Mark::of(&snapshot, db)?;
    let mut sorted: Vec<&Decision> = decisions.iter().collect();
    sorted.sort_by_key(|decision| decision.seq);
    sorted.dedup_by_key(|decision| decision.seq);
    let (before, fresh) = sorted.split_at(sorted.partition_point(|d| d.seq <= mark.seq));
    let mut applied = Applied { version: snapshot.version(), ..Applied::default() };
    applied.skipped = u64::try_from(decisions.len() - fresh.len()).unwrap_or(0);
    if !before.is_empty() {
        applied.rejected = rejected_before(db, mark, before)?;
    }
    let Some(last) = fresh.last() else { return Ok(applied) };
    let places = Places::new(snapshot.schema())?;
    let key = surrogate_key(db, snapshot.rows(0) > 0)?;
    let (schema, tree) = (snapshot.schema(), snapshot.tree());
    let overlay = Overlay { schema, tree, places: &places, key: &key };
    let mut work = Work::new(&snapshot, overlay);
    work.read(&writer, fresh)?;
    let mut lines = Vec::with_capacity(fresh.len());
    for decision in fresh {
        let (seq, case) = (decision.seq, decision.case.clone());
        lines.push(match work.apply(decision) {
            Ok(laid) => {
                applied.applied += 1;
                let household = laid.household.clone();
                applied.placed.push(PlacedDecision { seq, case, household });
                Line::Laid(Box::new(laid))
            }
            Err(Refused::Because(reason)) => {
                let told = RejectedDecision { seq, case: case.clone(), reason: reason.clone() };
                applied.rejected.push(told);
                Line::Refused { seq, case, reason }
            }
            Err(Refused::Failed(error)) => return Err(error),
        });
    }
    work.write(&mut writer)?;
    let notes = kept::append(db, mark, last.seq, &lines)?.notes();
    applied.version = writer.commit(CommitInfo { as_of: None, notes })?.version();
    Ok(applied)
}

/// Of decisions that were taken up before, those that were refused then.
fn rejected_before(db: &Path, mark: Mark, again: &[&Decision]) -> Result<Vec<RejectedDecision>> {
    let mut rejected = Vec::new();
    for line in kept::read(db, mark)? {
        if let Line::Refused { seq, case, reason } = line
            && again.iter().any(|decision| decision.seq == seq)
        {
            rejected.push(RejectedDecision { seq, case, reason });
        }
    }
    Ok(rejected)
}

/// Households and the ID numbers of those who left them for another.
type Came = Vec<(String, String)>;

/// The households that decisions change, on their way to a commit.
struct Work<'a> {
    snapshot: &'a Snapshot,
    overlay: Overlay<'a>,
    /// Households as they were, of those that were read together.
    read: BTreeMap<String, Option<Bundle>>,
    /// Households as they will be; none for one that leaves.
    changed: BTreeMap<String, Option<Bundle>>,
    /// Where persons will be who come or leave.
    moved: BTreeMap<String, Option<String>>,
    /// Where persons stand who were looked for: that takes a walk through all.
    found: RefCell<BTreeMap<String, Option<String>>>,
}

impl<'a> Work<'a> {
    fn new(snapshot: &'a Snapshot, overlay: Overlay<'a>) -> Work<'a> {
        let (changed, moved) = (BTreeMap::new(), BTreeMap::new());
        let (read, found) = (BTreeMap::new(), RefCell::default());
        Work { snapshot, overlay, read, changed, moved, found }
    }

    /// Reads the households that decisions name: together that takes little longer than for one.
    fn read(&mut self, writer: &Writer, decisions: &[&Decision]) -> Result<()> {
        let keys: BTreeSet<&str> =
            decisions.iter().filter_map(|d| d.household.as_deref()).collect();
        let keys: Vec<&str> = keys.into_iter().collect();
        let read = keys.iter().zip(writer.bundles(&keys)?);
        self.read = read.map(|(key, bundle)| ((*key).to_owned(), bundle)).collect();
        if decisions.len() > 1 {
            let persons = decisions.iter().flat_map(|d| d.persons.iter().map(|p| &p.id_number));
            let heads = decisions.iter().filter_map(|d| d.head.as_ref());
            let who: BTreeSet<String> =
                persons.chain(heads).filter_map(|number| self.overlay.person(number)).collect();
            let keys: Vec<&str> = who.iter().map(String::as_str).collect();
            let found = self.snapshot.find_all(self.overlay.places.person.place, &keys)?;
            self.found = RefCell::new(who.iter().cloned().zip(found).collect());
        }
        Ok(())
    }

    /// A household as it will be.
    fn bundle(&self, key: &str) -> Result<Option<Bundle>> {
        match self.changed.get(key).or_else(|| self.read.get(key)) {
            Some(bundle) => Ok(bundle.clone()),
            None => Ok(self.snapshot.bundle(key)?),
        }
    }

    /// The household where a person will be.
    fn registered(&self, who: &str) -> Result<Option<String>> {
        if let Some(household) = self.moved.get(who).or(self.found.borrow().get(who)) {
            return Ok(household.clone());
        }
        let household = self.snapshot.find(self.overlay.places.person.place, who)?;
        self.found.borrow_mut().insert(who.to_owned(), household.clone());
        Ok(household)
    }

    fn apply(&mut self, decision: &Decision) -> std::result::Result<Kept, Refused> {
        let (key, bundle) = self.place(decision)?;
        let stood = bundle.is_some();
        let Some(mut start) = bundle.or_else(|| self.empty(&key)) else {
            return because("the registry has no households");
        };
        let members = self.members(&start);
        let (came, others) = self.come(&mut start, decision)?;
        let how = Laid { stands: &|_, _| true, strict: true };
        let mut before = Before::new();
        let mut after = self.overlay.lay(start, decision, how, &mut before)?;
        if let (false, Some(bundle)) = (stood, &mut after) {
            if *bundle.cell(self.overlay.places.region) == Cell::Unknown {
                return because("household_values.region: a new household needs a place");
            }
            let who = decision.head.as_deref().and_then(|head| self.overlay.person(head));
            who.iter().for_each(|who| self.overlay.set_head(bundle, who));
            if self.members(bundle).is_empty() {
                return because("persons: a new household needs a member");
            }
        }
        // A household whose last member left is none.
        let had = stood && !members.is_empty();
        after = after.filter(|after| !had || !self.members(after).is_empty());
        for (other, bundle) in others {
            let bundle = Some(bundle).filter(|bundle| !self.members(bundle).is_empty());
            self.changed.insert(other, bundle);
        }
        for who in members {
            self.moved.insert(who, None);
        }
        for who in after.iter().flat_map(|bundle| self.members(bundle)).collect::<Vec<_>>() {
            self.moved.insert(who, Some(key.clone()));
        }
        self.changed.insert(key.clone(), after);
        let made = key.strip_prefix(MADE) == Some(&decision.case);
        Ok(Kept { household: key, made, decision: decision.clone(), before, came })
    }

    /// Takes members who stand in other households out of those, with everything beneath them; from
    /// where they came, and those households without them.
    fn come(
        &self,
        bundle: &mut Bundle,
        decision: &Decision,
    ) -> std::result::Result<(Came, BTreeMap<String, Bundle>), Refused> {
        let person = self.overlay.places.person;
        let (mut came, mut others) = (Came::new(), BTreeMap::new());
        for change in decision.persons.iter().filter(|change| !change.remove && !decision.cancel) {
            let Some(who) = self.overlay.person(&change.id_number) else { continue };
            let is_it = |row: &Bundle| is_row(row, person, &who);
            if bundle.beneath.iter().any(is_it) {
                continue;
            }
            let Some(other) = self.registered(&who)? else { continue };
            let mut left = match others.remove(&other) {
                Some(left) => Some(left),
                None => self.bundle(&other)?,
            };
            let beneath = left.as_mut().map(|left| &mut left.beneath);
            if let Some((place, rows)) =
                beneath.and_then(|rows| Some((rows.iter().position(is_it)?, rows)))
            {
                add(bundle, rows.remove(place));
                came.push((other.clone(), change.id_number.clone()));
            }
            others.extend(left.map(|left| (other, left)));
        }
        Ok((came, others))
    }

    /// The household that a decision is about: the one it names, the one its case made, the one of
    /// the head, or a new one.
    fn place(&self, decision: &Decision) -> std::result::Result<(String, Option<Bundle>), Refused> {
        let made = format!("{MADE}{}", decision.case);
        let named = decision.household.as_deref().unwrap_or(&made);
        if let Some(bundle) = self.bundle(named)? {
            return Ok((named.to_owned(), Some(bundle)));
        }
        if let Some(head) = &decision.head {
            let Some(who) = self.overlay.person(head) else {
                return because("head: not an ID number");
            };
            // A household that case-work made may have become one of the register since.
            let may_differ = decision.household.is_none() || named.starts_with(MADE);
            if may_differ && let Some(key) = self.registered(&who)? {
                let bundle = self.bundle(&key)?;
                return Ok((key, bundle));
            }
        }
        if named != made {
            return because(format!("household: `{named}` is not in the registry"));
        }
        if decision.cancel {
            return because("cancel: there is no such household");
        }
        if decision.case.is_empty() || made.len() > TEXT_BYTES_MAX {
            return because("case: a new household takes its key from the case: give a short one");
        }
        Ok((made, None))
    }

    fn empty(&self, key: &str) -> Option<Bundle> {
        let places = self.overlay.places;
        let mut bundle = Bundle::new(self.overlay.schema, places.household.place)?;
        bundle.set(places.household.key, Cell::Text(key.to_owned()));
        Some(bundle)
    }

    /// The numbers of the members of a household.
    fn members(&self, bundle: &Bundle) -> Vec<String> {
        let person = self.overlay.places.person;
        let rows = bundle.beneath.iter().filter(|row| row.table == person.place);
        rows.filter_map(|row| row.cell(person.key).text().map(str::to_owned)).collect()
    }

    fn write(&self, writer: &mut Writer) -> Result<()> {
        let mut batch = writer.batch();
        for (key, bundle) in &self.changed {
            match bundle {
                Some(bundle) => batch.put(bundle)?,
                None => drop(writer.remove(key)?),
            }
        }
        if !batch.is_empty() {
            writer.write(&batch)?;
        }
        Ok(())
    }
}
