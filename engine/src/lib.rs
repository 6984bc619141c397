//! # Yiku: an embedded analytical engine for registries
//!
//! A database is a folder. It holds a forest of tables under a *path*: the root table has a
//! hierarchical code, every row of a child table has exactly one parent row, and a root row with
//! everything beneath it, a *bundle*, is what is written, replaced and removed. Rows are stored
//! in the order of path and key, so a place at any level is one range of rows and the children
//! of a parent are one range of theirs.
//!
//! ```
//! # fn main() -> Result<(), yiku::Error> {
//! # let folder = std::env::temp_dir().join(format!("yiku-doc-{}", std::process::id()));
//! # let schema = yiku::Schema::from_toml(
//! #     r#"name = "s"
//! #        [path]
//! #        name = "place"
//! #        levels = [{ name = "district", digits = 2 }]
//! #        [[table]]
//! #        name = "school"
//! #        key = "id"
//! #        columns = [{ name = "id", kind = "id" }, { name = "place", kind = "path" }]"#)?;
//! # let node = yiku::schema::PathNode { code: 11, level: 0, name: "North".into() };
//! # let tree = yiku::PathTree::new(&schema.path, vec![node])?;
//! let database = yiku::Database::create(&folder, schema, tree)?;
//! let mut writer = database.writer()?;
//! let mut batch = writer.batch();
//! batch.row("school")?.set("id", "S1")?.set("place", "11")?;
//! writer.write(&batch)?;
//! let snapshot = writer.commit(yiku::CommitInfo::default())?;
//! assert_eq!(snapshot.rows(0), 1);
//! # std::fs::remove_dir_all(&folder).ok();
//! # Ok(()) }
//! ```
//!
//! - **Writing.** A [`Writer`] is the changes of one caller, up to their [commit](Writer::commit),
//!   which is durable and visible when it returns. As many as like have one, in one process at a
//!   time; what they commit at the same time shares a sync. [`Writer::expect`] keeps callers from
//!   overwriting each other.
//! - **Reading.** A [`Snapshot`] is one version, held open: it answers the same for ever and waits
//!   for nobody. Readers in other processes need no lock.
//! - **Keeping.** A version is kept under a name ([`Database::keep`]), copied into another folder
//!   while others write ([`Snapshot::export`]), looked at byte by byte ([`Database::verify`]).
//! - **Order.** [`Database::compact`] gives back the room of replaced rows, in the caller's thread.
//!
//! What it never does: read a clock, draw a random number, start a thread, know what the rows
//! are about. Integers are of 64 bits, money in its smallest unit, days counted from 1970-01-01;
//! the most of everything is in [`limits`]. What goes wrong is one [`Error`], a variant for each
//! thing that a caller can act on.

mod batch;
mod block;
mod bundle;
pub mod calendar;
mod checkpoint;
mod codec;
mod commit;
mod compact;
pub mod cpu;
mod database;
mod error;
mod export;
mod few;
pub mod format;
mod gather;
mod group;
pub mod kernel;
mod lift;
pub mod limits;
mod log;
mod manifest;
mod month_ends;
mod names;
mod parents;
mod path;
mod predicate;
mod prepare;
mod records;
mod row_set;
pub mod schema;
pub mod segment;
pub mod sieve;
pub mod storage;
mod sweep;
pub mod unfolded;
mod values;
mod verify;
mod version;
mod words;
mod writer;

pub use batch::{Batch, Value};
pub use bundle::Bundle;
pub use compact::Compaction;
pub use database::{Database, Snapshot};
pub use error::{Error, Result};
pub use path::PathTree;
pub use predicate::Predicate;
pub use row_set::RowSet;
pub use schema::Schema;
pub use segment::Segment;
pub use writer::{CommitInfo, Writer};

/// Rows on their way in, and out again.
pub mod rows {
    pub use crate::batch::RowBuilder;
    pub use crate::bundle::Cell;
    pub use crate::prepare::Prepared;
    pub use crate::values::Values;
}

/// What work on a whole database has done or found.
pub mod report {
    pub use crate::database::Named;
    pub use crate::export::Exported;
    pub use crate::verify::Verified;
}
