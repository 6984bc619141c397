//! The tables of a snapshot as a table function of DuckDB: `_yiku(PLACE)`, behind a view each.

use std::error::Error as Failure;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use duckdb::core::{DataChunkHandle, LogicalTypeHandle, LogicalTypeId};
use duckdb::vtab::{
    BindInfo, InitInfo, TableFunctionInfo, VTab, record_batch_to_duckdb_data_chunk,
};
use yiku::schema::Kind;
use yiku::{Schema, Snapshot, limits};

use super::ASKED;
use super::blocks::Block;
use super::fixed::{self, Fixed};
use crate::error::Result;
use crate::sql::{LEVEL, ROW};

/// The table function.
pub(super) const NAME: &str = "_yiku";
/// The column with the number of the row above.
const PARENT: &str = "_parent";

/// Rows that DuckDB takes at once.
pub(super) const CHUNK_ROWS: usize = 2_048;

/// Where the tables of a connection are read.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) snapshot: Snapshot,
    pub(super) relations: Vec<Relation>,
    stop: Option<Arc<AtomicBool>>,
}

/// A table, as SQL sees it.
#[derive(Debug)]
pub(super) struct Relation {
    pub(super) name: String,
    pub(super) columns: Vec<(String, Column)>,
    pub(super) of: Of,
}

/// Where its rows come from.
#[derive(Debug)]
pub(super) enum Of {
    /// A table of the schema.
    Table(usize),
    /// Rows that are few.
    Fixed(Fixed),
}

/// What stands in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Row,
    Parent,
    Level,
    /// A column of the schema, of a kind, with a code list.
    Own(usize, Kind, usize),
    Integer,
    Text,
}

impl Column {
    fn kind(self) -> LogicalTypeHandle {
        LogicalTypeHandle::from(match self {
            Self::Row | Self::Parent | Self::Level | Self::Integer => LogicalTypeId::Bigint,
            Self::Text => LogicalTypeId::Varchar,
            Self::Own(_, Kind::Flag, _) => LogicalTypeId::Boolean,
            Self::Own(_, Kind::Int | Kind::Money, _) => LogicalTypeId::Bigint,
            Self::Own(_, Kind::Date | Kind::Month, _) => LogicalTypeId::Date,
            Self::Own(_, Kind::Codes, _) => {
                return LogicalTypeHandle::list(&LogicalTypeHandle::from(LogicalTypeId::Varchar));
            }
            Self::Own(..) => LogicalTypeId::Varchar,
        })
    }
}

impl Relation {
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Source {
    pub(super) fn new(snapshot: &Snapshot, stop: Option<Arc<AtomicBool>>) -> Result<Self> {
        let schema = snapshot.schema();
        let mut relations: Vec<Relation> =
            (0..schema.tables.len()).map(|table| of_table(schema, table)).collect();
        relations.push(fixed::places(snapshot));
        relations.push(fixed::codes(schema));
        Ok(Self { snapshot: snapshot.clone(), relations, stop })
    }

    pub(super) fn stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// How many rows a relation has.
    fn rows(&self, relation: &Relation) -> u64 {
        match &relation.of {
            Of::Table(table) => self.snapshot.rows(*table),
            Of::Fixed(fixed) => fixed.rows() as u64,
        }
    }

    /// The first row of every block of a table: its segment, and its number there.
    fn blocks(&self, table: usize) -> Vec<(usize, u32)> {
        let segments = self.snapshot.segments().iter().enumerate();
        let block = limits::BLOCK_ROWS as usize;
        segments
            .flat_map(|(at, segment)| {
                (0..segment.rows(table)).step_by(block).map(move |row| (at, row))
            })
            .collect()
    }
}

fn of_table(schema: &Schema, table: usize) -> Relation {
    let declared = schema.tables.get(table);
    let mut columns = vec![(ROW.to_owned(), Column::Row)];
    columns.push(match table {
        0 => (LEVEL.to_owned(), Column::Level),
        _ => (PARENT.to_owned(), Column::Parent),
    });
    let own = declared.map_or(&[][..], |table| &table.columns).iter().enumerate();
    columns.extend(own.map(|(place, column)| {
        let list = column.list.unwrap_or(0);
        (column.name.clone(), Column::Own(place, column.kind, list))
    }));
    let name = declared.map(|table| table.name.clone()).unwrap_or_default();
    Relation { name, columns, of: Of::Table(table) }
}

/// The table function.
pub(super) struct Scanned;

/// What a statement reads of one table.
pub(super) struct Bound {
    source: Arc<Source>,
    relation: usize,
}

/// How far the reading has come: shared by the threads of DuckDB.
pub(super) struct Reading {
    /// Places of columns, in the order in which DuckDB wants them.
    wanted: Vec<usize>,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    /// The blocks that nobody has begun, the next at the end; none before the first call.
    left: Option<Vec<(usize, u32)>>,
    /// Blocks that were begun and not finished.
    begun: Vec<Block>,
    /// Rows of a table of few that were given.
    given: usize,
}

fn no_table() -> Box<dyn Failure> {
    "no such table of the snapshot".into()
}

impl VTab for Scanned {
    type InitData = Reading;
    type BindData = Bound;

    fn bind(bind: &BindInfo) -> std::result::Result<Bound, Box<dyn Failure>> {
        let source = ASKED.with_borrow(Clone::clone).ok_or_else(no_table)?;
        let place = usize::try_from(bind.get_parameter(0).to_int64())?;
        let relation = source.relations.get(place).ok_or_else(no_table)?;
        for (name, column) in &relation.columns {
            bind.add_result_column(name, column.kind());
        }
        bind.set_cardinality(source.rows(relation), true);
        Ok(Bound { source, relation: place })
    }

    fn init(init: &InitInfo) -> std::result::Result<Reading, Box<dyn Failure>> {
        let wanted = init.get_column_indices().into_iter();
        // A number that is no column is that of the row: no value is asked for.
        let wanted = wanted.map(|place| usize::try_from(place).unwrap_or(usize::MAX)).collect();
        Ok(Reading { wanted, progress: Mutex::default() })
    }

    fn func(
        info: &TableFunctionInfo<Self>,
        output: &mut DataChunkHandle,
    ) -> std::result::Result<(), Box<dyn Failure>> {
        let (bound, reading) = (info.get_bind_data(), info.get_init_data());
        let source = &bound.source;
        if source.stopped() {
            return Err("stopped by the caller".into());
        }
        let relation = source.relations.get(bound.relation).ok_or_else(no_table)?;
        let lock = || reading.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted: Vec<Column> = reading
            .wanted
            .iter()
            .map(|place| relation.columns.get(*place).map_or(Column::Row, |(_, column)| *column))
            .collect();
        let table = match &relation.of {
            Of::Table(table) => *table,
            Of::Fixed(fixed) => {
                let mut progress = lock();
                let batch = fixed.chunk(&reading.wanted, progress.given)?;
                progress.given += batch.num_rows();
                return record_batch_to_duckdb_data_chunk(&batch, output);
            }
        };
        loop {
            let next = {
                let mut progress = lock();
                let left = progress.left.get_or_insert_with(|| {
                    let mut blocks = source.blocks(table);
                    blocks.reverse();
                    blocks
                });
                let fresh = if left.is_empty() { None } else { left.pop() };
                match progress.begun.pop() {
                    Some(block) => {
                        // The fresh one is for later.
                        if let (Some(left), Some(fresh)) = (&mut progress.left, fresh) {
                            left.push(fresh);
                        }
                        Ok(block)
                    }
                    None => Err(fresh),
                }
            };
            let mut block = match next {
                Ok(block) => block,
                Err(Some((segment, first))) => {
                    Block::read(source, (table, segment, first), &wanted)?
                }
                Err(None) => {
                    output.set_len(0);
                    return Ok(());
                }
            };
            let batch = block.chunk(&source.snapshot, &wanted)?;
            if !block.is_done() {
                lock().begun.push(block);
            }
            if batch.num_rows() > 0 {
                return record_batch_to_duckdb_data_chunk(&batch, output);
            }
        }
    }

    fn supports_pushdown() -> bool {
        true
    }

    fn parameters() -> Option<Vec<LogicalTypeHandle>> {
        Some(vec![LogicalTypeHandle::from(LogicalTypeId::Bigint)])
    }
}
