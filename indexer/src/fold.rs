//! The fold: what all departments say, joined on the person, in the order of the register.
//!
//! Tables that it leaves, each in the order of its first column: `hh` (a row a household; its row
//! number is `h`, in the order of path and key), `m` (a row a member; its row number is `p`, in
//! the order of `h`), and for each other contract a table by `p` or `h`.

use duckdb::Connection;

use crate::check::{HOUSEHOLDS, MEMBERS, drops};
use crate::contract::Contracts;
use crate::error::{Error, Result};

/// One table of the fold: its name, whether its first column is `h` or `p`, and its other columns.
pub(crate) struct Part {
    pub(crate) table: &'static str,
    pub(crate) by: By,
    pub(crate) columns: &'static [&'static str],
}

/// What a part is keyed by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Household,
    Person,
}

/// Everything that is read back, in the order in which the writer takes it.
pub(crate) const PARTS: [Part; 15] = [
    Part {
        table: "hh",
        by: By::Household,
        columns: &["household_id", "region", "urban", "address", "income", "cause", "size"],
    },
    Part { table: "housing", by: By::Household, columns: &["grade"] },
    Part { table: "disasters", by: By::Household, columns: &["kind", "struck", "loss"] },
    Part { table: "monitored", by: By::Household, columns: &["kind", "since", "cleared"] },
    Part {
        table: "m",
        by: By::Person,
        columns: &[
            "h",
            "id_number",
            "name",
            "sex",
            "birth_date",
            "ethnicity",
            "relation",
            "marital",
            "education",
            "labour_ability",
            "monthly_income",
        ],
    },
    Part {
        table: "cards",
        by: By::Person,
        columns: &["disability_type", "disability_grade", "since"],
    },
    Part { table: "employment", by: By::Person, columns: &["employment", "stopped"] },
    Part { table: "students", by: By::Person, columns: &["stage", "grant"] },
    Part { table: "custody", by: By::Person, columns: &["released", "held"] },
    Part { table: "hardship", by: By::Person, columns: &[] },
    Part { table: "moved", by: By::Person, columns: &[] },
    Part { table: "health", by: By::Person, columns: &["ill", "ill_since", "died"] },
    Part { table: "aid", by: By::Person, columns: &["aid_id", "kind", "start", "end", "amount"] },
    Part { table: "settled", by: By::Person, columns: &["month", "self_paid", "total"] },
    Part { table: "paid", by: By::Person, columns: &["month", "amount"] },
];

// The places of the parts in `PARTS`.
pub(crate) const HOUSEHOLD: usize = 0;
pub(crate) const HOUSING: usize = 1;
pub(crate) const DISASTERS: usize = 2;
pub(crate) const MONITORED: usize = 3;
pub(crate) const MEMBER: usize = 4;
pub(crate) const CARDS: usize = 5;
pub(crate) const EMPLOYMENT: usize = 6;
pub(crate) const STUDENTS: usize = 7;
pub(crate) const CUSTODY: usize = 8;
pub(crate) const HARDSHIP: usize = 9;
pub(crate) const MOVED: usize = 10;
pub(crate) const HEALTH: usize = 11;
pub(crate) const AID: usize = 12;
pub(crate) const SETTLED: usize = 13;
pub(crate) const PAID: usize = 14;

/// Makes the tables of the fold, of the households in `touched` if there is such a table.
///
/// # Errors
/// [`Error::DuckDb`].
pub(crate) fn run(
    duckdb: &Connection,
    contracts: &Contracts,
    as_of: i64,
    only_touched: bool,
) -> Result<()> {
    let fold = Fold { duckdb, contracts };
    let only =
        if only_touched { "semi join touched t on t.household_id = r.household_id" } else { "" };
    fold.go(&format!(
        "create table hh as select * from {} r {only} order by region, household_id",
        fold.good(HOUSEHOLDS)
    ))?;
    fold.go(&format!(
        "create table m as select hh.rowid as h, s.* from {} s
         join hh on hh.household_id = s.household_id order by h, s.file, s.line",
        fold.good(MEMBERS)
    ))?;
    fold.go("create table person as select id_number, rowid as p, h from m")?;
    fold.persons(as_of)?;
    fold.households()?;
    fold.moved()
}

/// The connection and the contracts, at hand for every statement.
struct Fold<'a> {
    duckdb: &'a Connection,
    contracts: &'a Contracts,
}

impl Fold<'_> {
    fn go(&self, sql: &str) -> Result<()> {
        self.duckdb.execute_batch(sql).map_err(Error::duckdb("join the departments' records"))
    }

    /// The records of a contract that were not dropped.
    fn good(&self, id: &str) -> String {
        match self.contracts.get(id) {
            Some(contract) => format!(
                "(select s.* from {} s
                  anti join {} d on d.file = s.file and d.line = s.line)",
                contract.table(),
                drops(contract),
            ),
            None => "(select 1 where false)".to_owned(),
        }
    }

    fn by_person(&self, table: &str, id: &str, columns: &str, end: &str) -> Result<()> {
        self.go(&format!(
            "create table {table} as select p.p, {columns} from {} s
             join person p on p.id_number = s.id_number {end}",
            self.good(id)
        ))
    }

    fn by_household(&self, table: &str, id: &str, columns: &str) -> Result<()> {
        self.go(&format!(
            "create table {table} as select p.h, {columns} from {} s
             join person p on p.id_number = s.id_number group by p.h order by p.h",
            self.good(id)
        ))
    }

    /// What is known of persons.
    fn persons(&self, as_of: i64) -> Result<()> {
        for (table, id) in [
            ("cards", "disabled_federation.cards"),
            ("employment", "human_resources.employment"),
            ("students", "education.students"),
            ("hardship", "trade_union.hardship"),
        ] {
            self.by_person(table, id, "s.*", "order by p")?;
        }
        let held = format!(
            "bool_or(kind = 1)::bigint released,
             bool_or(kind = 0 and (s.\"end\" is null or s.\"end\" >= {as_of}))::bigint held"
        );
        self.by_person("custody", "justice.custody", &held, "group by p order by p")?;
        let events = "bool_or(kind = 0)::bigint ill, min(day) filter (kind = 0) ill_since,
                      min(day) filter (kind = 1) died";
        self.by_person("health", "health.events", events, "group by p order by p")?;
        let order = "order by p, s.\"start\", s.file, s.line";
        self.by_person("aid", "civil_affairs.aid", "s.*", order)?;
        let months = "group by p, s.month order by p, s.month";
        let sums = "s.month, sum(s.self_paid)::bigint self_paid, sum(s.total)::bigint total";
        self.by_person("settled", "medical_insurance.settlements", sums, months)?;
        let sums = "s.month, sum(s.amount)::bigint amount";
        self.by_person("paid", "civil_affairs.payments", sums, months)
    }

    /// What is known of households by their heads; the latest counts.
    fn households(&self) -> Result<()> {
        self.by_household("housing", "housing.inspections", "arg_max(grade, inspected) grade")?;
        self.by_household(
            "disasters",
            "emergency.disasters",
            "arg_max(kind, struck) kind, max(struck) struck, arg_max_null(loss, struck) loss",
        )?;
        self.by_household(
            "monitored",
            "rural_revitalisation.monitored",
            "arg_max(kind, coalesce(since, 0)) kind, max(since) since,
             arg_max_null(cleared, coalesce(since, 0)) cleared",
        )
    }

    /// Who was found in households of two counties.
    fn moved(&self) -> Result<()> {
        let Some(members) = self.contracts.get(MEMBERS) else { return Ok(()) };
        self.go(&format!(
            "create table moved as select distinct p.p from {} s
             join {} d on d.file = s.file and d.line = s.line and d.reason = 'two_counties'
             join person p on p.id_number = s.id_number order by p",
            members.table(),
            drops(members),
        ))
    }
}
