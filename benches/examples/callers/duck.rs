//! DuckDB as its experts would have it: in memory, rows in the order of places, places as numbers
//! in the row, sets as bits of an integer, a connection for each caller.

use std::path::Path;
use std::sync::Mutex;

use duckdb::Connection;
use duckdb::types::ValueRef;

use super::mix::Drawn;
use super::{Asks, Caller, Outcome, THREADS};

/// Its release, that of the crate.
pub(crate) const VERSION: &str = "1.5.6";

pub(crate) struct Duck {
    /// Where callers get theirs.
    first: Mutex<Connection>,
}

/// A list of codes as the bits of an integer.
fn bits(column: &str, count: u32, kind: &str) -> String {
    let bit = |place: u32| {
        format!(
            "(case when list_contains({column}, '{:02}') then {} else 0 end)::{kind}",
            place + 1,
            1u64 << place
        )
    };
    let parts: Vec<String> = (0..count).map(bit).collect();
    format!("case when {column} is not null then ({}) end as {column}", parts.join(" | "))
}

impl Duck {
    pub(crate) fn load(files: &Path) -> Outcome<Self> {
        let connection = Connection::open_in_memory()?;
        let place = |digits, kind| format!("left(h.region, {digits})::{kind}");
        let sql = format!(
            "set threads = {THREADS}; set memory_limit = '8GB';
             create table person as select {} as city, {} as county, {} as township,
                 p.sex::utinyint as sex, p.birth_date, p.disability_grade::utinyint as \
                 disability_grade, {}, {}
             from read_parquet('{files}/person.parquet') p
             join read_parquet('{files}/household.parquet') h using (household_id)
             order by h.region;",
            place(4, "smallint"),
            place(6, "integer"),
            place(9, "integer"),
            bits("aids", 16, "usmallint"),
            bits("marks", 32, "uinteger"),
            files = files.display()
        );
        connection.execute_batch(&sql)?;
        Ok(Self { first: Mutex::new(connection) })
    }
}

struct Asker(Connection);

impl Asks for Duck {
    fn caller(&self) -> Outcome<Box<dyn Caller + '_>> {
        let first = self.first.lock().map_err(|_| "a caller was lost")?;
        Ok(Box::new(Asker(first.try_clone()?)))
    }
}

impl Caller for Asker {
    fn ask(&mut self, drawn: &Drawn) -> Outcome<i64> {
        let mut statement = self.0.prepare(&drawn.sql)?;
        let mut rows = statement.query([])?;
        let mut sum = 0;
        while let Some(row) = rows.next()? {
            // Groups are small integers, counts are large ones.
            for place in 0.. {
                match row.get_ref(place) {
                    Ok(ValueRef::BigInt(value)) => sum += value,
                    Ok(_) => {}
                    Err(_) => break,
                }
            }
        }
        Ok(sum)
    }
}
