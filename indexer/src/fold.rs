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
    Part {
        table: "aid",
        by: By::Person,
        columns: &["aid_id", "kind", "start", "end", "amount"],
    },
    Part { table: "settled", by: By::Person, columns: &["month", "self_paid", "total"] },
    Part { table: "paid", by: By::Person, columns: &["month", "amount"] },
];

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
    let go = |sql: String| {
        duckdb.execute_batch(&sql).map_err(Error::duckdb("join the departments' records"))
    };
    let good = |id: &str| match contracts.get(id) {
        Some(contract) => format!(
            "(select * from {} s where not exists (
                 from {} d where d.file = s.file and d.line = s.line))",
            contract.table(),
            drops(contract),
        ),
        None => "(select 1 where false)".to_owned(),
    };
    let only = if only_touched {
        "where exists (from touched t where t.household_id = r.household_id)"
    } else {
        ""
    };
    go(format!(
        "create table hh as select * from {} r {only} order by region, household_id",
        good(HOUSEHOLDS)
    ))?;
    go(format!(
        "create table m as select hh.rowid as h, s.* from {} s
         join hh on hh.household_id = s.household_id order by h, s.file, s.line",
        good(MEMBERS)
    ))?;
    go("create table person as select id_number, rowid as p, h from m".to_owned())?;
    let by_person = |table: &str, id: &str, columns: &str, end: &str| {
        go(format!(
            "create table {table} as select p.p, {columns} from {} s
             join person p on p.id_number = s.id_number {end}",
            good(id)
        ))
    };
    by_person("cards", "disabled_federation.cards", "s.*", "order by p")?;
    by_person("employment", "human_resources.employment", "s.*", "order by p")?;
    by_person("students", "education.students", "s.*", "order by p")?;
    by_person("hardship", "trade_union.hardship", "s.*", "order by p")?;
    let held = format!(
        "bool_or(kind = 1)::bigint released,
         bool_or(kind = 0 and (s.\"end\" is null or s.\"end\" >= {as_of}))::bigint held"
    );
    by_person("custody", "justice.custody", &held, "group by p order by p")?;
    let events = "bool_or(kind = 0)::bigint ill, min(day) filter (kind = 0) ill_since,
                  min(day) filter (kind = 1) died";
    by_person("health", "health.events", events, "group by p order by p")?;
    by_person("aid", "civil_affairs.aid", "s.*", "order by p, s.\"start\", s.file, s.line")?;
    let sums = "s.month, sum(s.self_paid)::bigint self_paid, sum(s.total)::bigint total";
    let end = "group by p, s.month order by p, s.month";
    by_person("settled", "medical_insurance.settlements", sums, end)?;
    by_person("paid", "civil_affairs.payments", "s.month, sum(s.amount)::bigint amount", end)?;
    let by_household = |table: &str, id: &str, columns: &str| {
        go(format!(
            "create table {table} as select p.h, {columns} from {} s
             join person p on p.id_number = s.id_number group by p.h order by p.h",
            good(id)
        ))
    };
    by_household("housing", "housing.inspections", "arg_max(grade, inspected) grade")?;
    by_household(
        "disasters",
        "emergency.disasters",
        "arg_max(kind, struck) kind, max(struck) struck, arg_max_null(loss, struck) loss",
    )?;
    by_household(
        "monitored",
        "rural_revitalisation.monitored",
        "arg_max(kind, coalesce(since, 0)) kind, max(since) since,
         arg_max_null(cleared, coalesce(since, 0)) cleared",
    )?;
    two_counties(duckdb, contracts)
}

/// `moved`: who was found in households of two counties.
fn two_counties(duckdb: &Connection, contracts: &Contracts) -> Result<()> {
    let Some(members) = contracts.get(MEMBERS) else { return Ok(()) };
    let sql = format!(
        "create table moved as select distinct p.p from {} s
         join {} d on d.file = s.file and d.line = s.line and d.reason = 'two_counties'
         join person p on p.id_number = s.id_number order by p",
        members.table(),
        drops(members),
    );
    duckdb.execute_batch(&sql).map_err(Error::duckdb("join the departments' records"))
}
