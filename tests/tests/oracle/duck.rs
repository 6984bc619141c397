//! The same rows in DuckDB, written as a person would model them in SQL: a table each with the
//! number of the row above, dates as DATE, codes by their names, sets as `;a;b;`, months as
//! `2026-10`, places as twelve digits with their level.

use duckdb::types::Value;
use duckdb::{Connection, appender_params_from_iter};
use yiku::schema::{ColumnSchema, Kind};
use yiku::{PathTree, Schema, calendar};
use yiku_tests::registry::{Cell, Row, Rows};

use crate::answer::Shown;

/// A database of SQL with the rows of a registry.
pub(crate) fn filled(schema: &Schema, tree: &PathTree, rows: &Rows) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    // DuckDB 1.5.6 with this step of its optimizer loses rows of `NOT EXISTS (…) OR …` whose
    // inner condition reads an outer column that is NULL; without it, or counting, it does not.
    connection.execute_batch("SET disabled_optimizers = 'deliminator'").unwrap();
    for (place, table) in schema.tables.iter().enumerate() {
        let columns = table.columns.iter().map(|c| format!("\"{}\" {}", c.name, kind(c.kind)));
        let level = (place == 0).then(|| "_level BIGINT".to_owned());
        let columns: Vec<String> = columns.chain(level).collect();
        let name = &table.name;
        let columns = columns.join(", ");
        let sql = format!("CREATE TABLE {name} (_row BIGINT, _parent BIGINT, {columns})");
        connection.execute_batch(&sql).unwrap();
        let mut appender = connection.appender(name).unwrap();
        let mut number = 0;
        let mut above = 0;
        let mut append = |row: &Row, parent: i64| {
            let mut values = vec![Value::BigInt(number), Value::BigInt(parent)];
            number += 1;
            for (column, cell) in table.columns.iter().zip(&row.cells) {
                values.push(value(schema, column, cell));
            }
            if let (0, Cell::Int(code)) = (place, &row.cells[schema.path_column()]) {
                let node = tree.get(u64::try_from(*code).unwrap()).unwrap();
                values.push(Value::BigInt(node.level.into()));
            }
            appender.append_row(appender_params_from_iter(values)).unwrap();
        };
        for row in rows.values() {
            each(schema, row, place, &mut above, &mut append);
        }
    }
    connection
}

/// Visits the rows of `table` at or beneath a row with the number of the row above them, which
/// counts on in `above`.
pub(crate) fn each(
    schema: &Schema,
    row: &Row,
    table: usize,
    above: &mut i64,
    visit: &mut dyn FnMut(&Row, i64),
) {
    if row.table == table {
        visit(row, 0);
    } else if schema.tables[table].parent == Some(row.table) {
        for child in row.beneath.iter().filter(|child| child.table == table) {
            visit(child, *above);
        }
        *above += 1;
    } else {
        row.beneath.iter().for_each(|child| each(schema, child, table, above, visit));
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Flag => "BOOLEAN",
        Kind::Int | Kind::Money => "BIGINT",
        Kind::Date => "DATE",
        Kind::Code | Kind::Codes | Kind::Month | Kind::Text | Kind::Id | Kind::Path => "VARCHAR",
    }
}

fn value(schema: &Schema, column: &ColumnSchema, cell: &Cell) -> Value {
    let codes = || &schema.lists[column.list.unwrap()].codes;
    let number = match cell {
        Cell::Unknown => return Value::Null,
        Cell::Text(text) => return Value::Text(text.clone()),
        Cell::Int(number) => *number,
    };
    match column.kind {
        Kind::Flag => Value::Boolean(number == 1),
        Kind::Code => Value::Text(codes()[usize::try_from(number).unwrap()].name.clone()),
        Kind::Codes => {
            let held = codes().iter().enumerate().filter(|(bit, _)| number >> bit & 1 == 1);
            let names: String = held.map(|(_, code)| format!("{};", code.name)).collect();
            Value::Text(format!(";{names}"))
        }
        Kind::Date => Value::Date32(i32::try_from(number).unwrap()),
        Kind::Month => Value::Text(calendar::month_text(number)),
        Kind::Path => Value::Text(format!("{number:012}")),
        _ => Value::BigInt(number),
    }
}

/// The rows of an answer of SQL.
pub(crate) fn asked(connection: &Connection, sql: &str) -> Result<Vec<Vec<Shown>>, String> {
    let said = |error: duckdb::Error| error.to_string();
    let mut statement = connection.prepare(sql).map_err(said)?;
    let mut rows = statement.query([]).map_err(said)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(said)? {
        let columns = row.as_ref().column_count();
        let cell = |place| match row.get::<_, Value>(place) {
            Ok(Value::Null) => Ok(Shown::Unknown),
            Ok(Value::BigInt(value)) => Ok(Shown::Int(value)),
            Ok(Value::Double(value)) => Ok(Shown::Float(value)),
            Ok(Value::Text(text)) => Ok(Shown::Text(text)),
            other => Err(format!("{other:?}")),
        };
        found.push((0..columns).map(cell).collect::<Result<Vec<_>, _>>()?);
    }
    Ok(found)
}
