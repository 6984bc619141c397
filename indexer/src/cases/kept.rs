//! Decisions are kept beside the segments, so that they are laid again over what departments say
//! later.
//!
//! Invariants: `cases/decisions.jsonl` only grows by what a commit counts: a note of the version
//! says how many of its bytes count, and what lies behind them is the rest of a commit that did not
//! happen. What counts never changes.
#![expect(clippy::disallowed_methods, reason = "kept decisions are no part of the engine's format")]

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use yiku::Snapshot;

use super::decision::Decision;
use super::overlay::Before;
use crate::error::{Error, Result};

/// The note with the number of the last decision.
const APPLIED: &str = "casework.applied";
/// The note with the bytes that count.
const KEPT: &str = "casework.kept";

/// A decision that was laid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The household that it was laid over.
    pub(super) household: String,
    /// Whether case-work made that household.
    pub(super) made: bool,
    pub(super) decision: Decision,
    pub(super) before: Before,
    /// Members who stood in other households: from where they came, and their ID numbers.
    #[serde(default)]
    pub(super) came: Vec<(String, String)>,
}

/// What became of one decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Laid(Box<Kept>),
    /// Refused, and why.
    Refused {
        seq: u64,
        case: String,
        reason: String,
    },
}

/// How far decisions were applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// The number of the last decision; 0 before the first.
    pub(super) seq: u64,
    /// Bytes of the file that count.
    bytes: u64,
}

impl Mark {
    /// What the notes of a version say.
    ///
    /// # Errors
    /// [`Error::Io`] when they are not numbers.
    pub(super) fn of(snapshot: &Snapshot, db: &Path) -> Result<Mark> {
        let number = |note: &str| match snapshot.notes().get(note).map(|text| text.parse()) {
            None => Ok(0),
            Some(Ok(number)) => Ok(number),
            Some(Err(_)) => Err(damaged(db, format!("the note {note} is not a number"))),
        };
        Ok(Mark { seq: number(APPLIED)?, bytes: number(KEPT)? })
    }

    /// The notes of a version that goes as far.
    pub(super) fn notes(self) -> BTreeMap<String, String> {
        let note = |name: &str, number: u64| (name.to_owned(), number.to_string());
        [note(APPLIED, self.seq), note(KEPT, self.bytes)].into()
    }
}

fn path(db: &Path) -> PathBuf {
    db.join("cases").join("decisions.jsonl")
}

fn failed(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::Io { action, path: path.to_owned(), source }
}

fn damaged(db: &Path, what: String) -> Error {
    failed("read", &path(db))(io::Error::new(io::ErrorKind::InvalidData, what))
}

/// Everything that counts, in the order it was applied.
///
/// # Errors
/// [`Error::Io`], also where the file is lost, cut or damaged.
pub(super) fn read(db: &Path, mark: Mark) -> Result<Vec<Line>> {
    if mark.bytes == 0 {
        return Ok(Vec::new());
    }
    let path = path(db);
    let file = File::open(&path).map_err(failed("open", &path))?;
    let mut text = String::new();
    file.take(mark.bytes).read_to_string(&mut text).map_err(failed("read", &path))?;
    if u64::try_from(text.len()).ok() != Some(mark.bytes) {
        return Err(damaged(db, format!("it is shorter than {} bytes; restore it", mark.bytes)));
    }
    let lines = text.lines().zip(1u64..).map(|(line, number)| {
        let told = |error| damaged(db, format!("line {number}: {error}; restore it"));
        serde_json::from_str(line).map_err(told)
    });
    lines.collect()
}

/// Puts lines behind those that count, and returns when they are durable; how far the file goes
/// then.
///
/// # Errors
/// [`Error::Io`], also where the file is lost or cut.
pub(super) fn append(db: &Path, mark: Mark, seq: u64, lines: &[Line]) -> Result<Mark> {
    let path = path(db);
    let folder = path.parent().unwrap_or(db);
    fs::create_dir_all(folder).map_err(failed("create", folder))?;
    let is_new = !fs::exists(&path).map_err(failed("look for", &path))?;
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    let mut file = options.open(&path).map_err(failed("open", &path))?;
    let length = file.metadata().map_err(failed("read", &path))?.len();
    if length < mark.bytes {
        return Err(damaged(db, format!("it is shorter than {} bytes; restore it", mark.bytes)));
    }
    let mut bytes = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut bytes, line)
            .map_err(|error| failed("write", &path)(error.into()))?;
        bytes.push(b'\n');
    }
    file.set_len(mark.bytes).map_err(failed("cut", &path))?;
    file.seek(SeekFrom::Start(mark.bytes)).map_err(failed("write", &path))?;
    file.write_all(&bytes).map_err(failed("write", &path))?;
    file.sync_all().map_err(failed("sync", &path))?;
    if is_new {
        for place in [folder, db] {
            let place_file = File::open(place).map_err(failed("open", place))?;
            place_file.sync_all().map_err(failed("sync", place))?;
        }
    }
    let added = u64::try_from(bytes.len()).unwrap_or(0);
    Ok(Mark { seq, bytes: mark.bytes + added })
}
