//! What stops a load: one enum, a variant for each thing that somebody can act on.
//!
//! A record that breaks its contract is no error: it is a reject, a line of the report.

use std::io;
use std::path::PathBuf;

/// A result of the indexer.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a load was refused. The database is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that is not of any department's contract.
    #[error(
        "{}: no contract knows this file; found {found}; {nearest}; \
         correct its headers, or keep it out of the folder", .path.display()
    )]
    UnknownContract {
        /// The file.
        path: PathBuf,
        /// The headers that were found, or what stands in their place.
        found: String,
        /// The contract that comes nearest, and what it would need.
        nearest: String,
    },
    /// A file without a record.
    #[error("{}: the file is empty; ask the department to deliver it again", .path.display())]
    EmptyFile {
        /// The file.
        path: PathBuf,
    },
    /// Bytes that are not of the encoding that the file is written in.
    #[error(
        "{}, line {line}, byte {offset}: not {encoding}; \
         the file mixes encodings: save it again as UTF-8", .path.display()
    )]
    Encoding {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The byte in the file, from 0.
        offset: u64,
        /// The encoding that the bytes before are written in.
        encoding: &'static str,
    },
    /// A workbook that cannot be opened.
    #[error(
        "{}: not a readable workbook; it may be cut short: ask the department to deliver it again",
        .path.display()
    )]
    Workbook {
        /// The file.
        path: PathBuf,
        /// What the reader of workbooks says.
        source: Box<calamine::XlsxError>,
    },
    /// Delimited text whose quotes do not pair.
    #[error(
        "{}, line {line}: {what}; put a quoted cell between quotes and double those within it",
        .path.display()
    )]
    Csv {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// JSON that cannot be read as a whole.
    #[error("{}, line {line}: not readable as JSON", .path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What the reader of JSON says.
        source: serde_json::Error,
    },
    /// A file that is larger than the indexer reads in its form.
    #[error("{}: {found} bytes; files of this form are read up to {limit}: split it, or deliver \
             it as Parquet", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        found: u64,
        /// The largest that is read.
        limit: u64,
    },
    /// A Parquet file that cannot be read.
    #[error("{}: not a readable Parquet file; ask the department to deliver it again",
            .path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What DuckDB says.
        source: duckdb::Error,
    },
    /// A file of places that is not what it should be.
    #[error("{}, line {line}: {what}", .path.display())]
    Tree {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// A new database without the places it speaks of.
    #[error("a new database needs the tree of its places: give a CSV with the columns code, name")]
    MissingTree,
    /// A new database without a schema.
    #[error("{} holds no database: give the schema to create it with", .path.display())]
    MissingSchema {
        /// The folder.
        path: PathBuf,
    },
    /// A schema other than the one the database has.
    #[error("{} has another schema than the one given; load into a new folder", .path.display())]
    OtherSchema {
        /// The folder.
        path: PathBuf,
    },
    /// A table that the schema does not have, or that is missing among the files.
    #[error("table `{table}`: {what}")]
    Table {
        /// The table.
        table: String,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// A file whose header is not that of its table.
    #[error("{}: {what}", .path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// A file whose months overlap those of another of its contract.
    #[error(
        "{}: speaks of {found}, and another file of its contract of {other}: neither replaces the \
         other; deliver a file a month", .path.display()
    )]
    Months {
        /// The file.
        path: PathBuf,
        /// The months it speaks of.
        found: String,
        /// The months the other speaks of.
        other: String,
    },
    /// A file of which nothing can be taken, where an earlier one would be replaced.
    #[error(
        "{}: none of its {read} records can be taken, and it would replace {replaced} of an \
         earlier file; ask the department to deliver it again", .path.display()
    )]
    NothingTaken {
        /// The file.
        path: PathBuf,
        /// Records in it.
        read: u64,
        /// Records that would no longer count.
        replaced: u64,
    },
    /// No file at all.
    #[error("no file to load: give files, or a folder that holds some")]
    NoFiles,
    /// Files that need others which were never loaded.
    #[error(
        "nobody is registered: {missing} is missing; \
         load 民政 家庭户籍 and 民政 家庭成员 in one run, before or with the other files"
    )]
    NoRegister {
        /// The contracts that are missing.
        missing: &'static str,
    },
    /// A contract that contradicts itself; a fault of the program, found by its tests.
    #[error("contract {contract}: {what}")]
    Contract {
        /// The contract.
        contract: String,
        /// What is wrong with it.
        what: String,
    },
    /// The operating system refused.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The index of words could not be made or read.
    #[error("the index of words cannot be used; make it anew with `yiku index`")]
    Words {
        /// Why.
        source: Box<tantivy::TantivyError>,
    },
    /// DuckDB could not do its part.
    #[error("cannot {action}")]
    DuckDb {
        /// What was tried.
        action: &'static str,
        /// What DuckDB says.
        source: duckdb::Error,
    },
    /// Rows that Arrow could not hold.
    #[error("cannot {action}")]
    Arrow {
        /// What was tried.
        action: &'static str,
        /// What Arrow says.
        source: duckdb::arrow::error::ArrowError,
    },
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] yiku::Error),
    /// A thread of the load ended without a word.
    #[error("a worker of the load stopped; run it again")]
    Worker,
}

impl Error {
    /// For `map_err`: DuckDB failed while it did this.
    pub(crate) fn duckdb(action: &'static str) -> impl Fn(duckdb::Error) -> Self {
        move |source| Self::DuckDb { action, source }
    }

    /// For `map_err`: Arrow failed while it did this.
    pub(crate) fn arrow(action: &'static str) -> impl Fn(duckdb::arrow::error::ArrowError) -> Self {
        move |source| Self::Arrow { action, source }
    }
}
