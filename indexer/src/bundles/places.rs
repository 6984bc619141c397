//! Where the columns, codes and tags that the fold fills stand in the registry's schema: looked up
//! once by name, used for every row.

use yiku::Schema;

use crate::error::{Error, Result};
use crate::fold::{AID, HOUSEHOLD, MEMBER, PARTS};

/// A column of the fold and the column of the registry that it fills.
pub(super) type Copied = (usize, usize);

/// The tables of the registry and how they are filled.
pub(super) struct Places {
    pub(super) household: usize,
    pub(super) person: usize,
    pub(super) aid: usize,
    pub(super) observation: usize,
    /// Columns that are copied from the fold's table of the same name.
    pub(super) households: Vec<Copied>,
    pub(super) members: Vec<Copied>,
    pub(super) aids: Vec<Copied>,
    /// Columns that inspections, disasters and watching fill.
    pub(super) housing: [usize; 1],
    pub(super) disasters: [usize; 3],
    pub(super) monitored: [usize; 3],
    pub(super) own: Person,
    pub(super) tags: Tags,
    /// Number, indicator, month and value of an observation.
    pub(super) observed: [usize; 4],
    /// Place and code of what patients paid, what treatment cost, what aid was paid.
    pub(super) indicators: [(i64, &'static str); 3],
    /// The codes of employment that are work.
    pub(super) in_work: [i64; 3],
}

/// Columns of a person that other departments fill.
pub(super) struct Person {
    pub(super) person_id: usize,
    pub(super) id_number: usize,
    pub(super) tags: usize,
    pub(super) employed: usize,
    pub(super) employment: usize,
    pub(super) insurance_stopped: usize,
    pub(super) school_stage: usize,
    pub(super) disability: [usize; 3],
    pub(super) severe_illness: usize,
    pub(super) illness_since: usize,
    pub(super) death_date: usize,
}

/// The bits of the tags that the fold sets.
pub(super) struct Tags {
    pub(super) living_alone: i64,
    pub(super) hardship_worker: i64,
    pub(super) released: i64,
    pub(super) in_custody: i64,
    pub(super) student_grant: i64,
    pub(super) major_disease: i64,
    pub(super) two_counties: i64,
    pub(super) paid_after_death: i64,
}

/// Columns of the fold that are read for what they say, not copied.
const NOT_COPIED: [&str; 3] = ["size", "h", "id_number"];

/// Looks names up.
struct Find<'a>(&'a Schema);

impl Find<'_> {
    fn wrong<T>(what: String) -> Result<T> {
        Err(Error::Contract { contract: "registry".to_owned(), what })
    }

    fn table(&self, name: &str) -> Result<usize> {
        let found = self.0.table_index(name);
        found.map_or_else(|| Self::wrong(format!("no table `{name}`")), Ok)
    }

    fn column(&self, table: usize, name: &str) -> Result<usize> {
        let found = self.0.tables.get(table).and_then(|t| t.column_index(name));
        found.map_or_else(|| Self::wrong(format!("no column `{name}`")), Ok)
    }

    fn columns<const N: usize>(&self, table: usize, names: [&str; N]) -> Result<[usize; N]> {
        let mut places = [0; N];
        for (place, name) in places.iter_mut().zip(names) {
            *place = self.column(table, name)?;
        }
        Ok(places)
    }

    fn code(&self, list: &str, name: &str) -> Result<i64> {
        let list = self.0.lists.iter().find(|l| l.name == list);
        let place = list.and_then(|l| l.find(name)).map(i64::from);
        place.map_or_else(|| Self::wrong(format!("no code `{name}`")), Ok)
    }

    /// The columns that a part of the fold and a table both have.
    fn same(&self, part: usize, table: usize) -> Result<Vec<Copied>> {
        let names = PARTS.get(part).map_or(&[][..], |part| part.columns);
        let copied = (1..).zip(names).filter(|(_, name)| !NOT_COPIED.contains(name));
        copied.map(|(nth, name)| Ok((nth, self.column(table, name)?))).collect()
    }
}

impl Places {
    /// Looks everything up.
    ///
    /// # Errors
    /// [`Error::Contract`] when the schema lacks something.
    pub(super) fn new(schema: &Schema) -> Result<Places> {
        let find = Find(schema);
        let (household, person) = (find.table("household")?, find.table("person")?);
        let (aid, observation) = (find.table("aid")?, find.table("observation")?);
        let disasters = ["disaster_kind", "disaster_on", "disaster_loss"];
        let monitored = ["relapse_kind", "relapse_since", "relapse_cleared"];
        let observed = ["observation_id", "indicator", "month", "value"];
        let indicator = |name, code| Ok::<_, Error>((find.code("indicator", name)?, code));
        let work = |name| find.code("employment", name);
        Ok(Places {
            household,
            person,
            aid,
            observation,
            households: find.same(HOUSEHOLD, household)?,
            members: find.same(MEMBER, person)?,
            aids: find.same(AID, aid)?,
            housing: find.columns(household, ["housing_grade"])?,
            disasters: find.columns(household, disasters)?,
            monitored: find.columns(household, monitored)?,
            own: Person::new(&find, person)?,
            tags: Tags::new(&find)?,
            observed: find.columns(observation, observed)?,
            indicators: [
                indicator("medical_self_paid", "A07")?,
                indicator("medical_total", "M01")?,
                indicator("aid_paid", "P01")?,
            ],
            in_work: [work("in_work")?, work("flexible")?, work("public_post")?],
        })
    }
}

impl Person {
    fn new(find: &Find<'_>, table: usize) -> Result<Person> {
        let column = |name| find.column(table, name);
        let disability = ["disability_type", "disability_grade", "disability_since"];
        Ok(Person {
            person_id: column("person_id")?,
            id_number: column("id_number")?,
            tags: column("tags")?,
            employed: column("employed")?,
            employment: column("employment")?,
            insurance_stopped: column("insurance_stopped")?,
            school_stage: column("school_stage")?,
            disability: find.columns(table, disability)?,
            severe_illness: column("severe_illness")?,
            illness_since: column("illness_since")?,
            death_date: column("death_date")?,
        })
    }
}

impl Tags {
    fn new(find: &Find<'_>) -> Result<Tags> {
        let bit = |name| Ok::<_, Error>(1 << find.code("tags", name)?);
        Ok(Tags {
            living_alone: bit("living_alone")?,
            hardship_worker: bit("hardship_worker")?,
            released: bit("released")?,
            in_custody: bit("in_custody")?,
            student_grant: bit("student_grant")?,
            major_disease: bit("major_disease")?,
            two_counties: bit("two_counties")?,
            paid_after_death: bit("paid_after_death")?,
        })
    }
}
