//! What a load keeps in the database folder beside the engine's own files.
//!
//! `loads/CONTRACT/PERIOD/DIGEST.parquet` holds the cleaned records of a file,
//! `loads/surrogate.key` the key of person numbers, `rejects/DIGEST.csv` the rejects of a load.
#![expect(clippy::disallowed_methods, reason = "kept loads are no part of the engine's format")]

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::reject::Reject;

/// Bytes of the key of person numbers.
const KEY_BYTES: usize = 32;

fn failed(action: &'static str, path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::Io { action, path: path.to_owned(), source }
}

/// Where the cleaned records of a file are kept.
pub(super) fn kept_path(db: &Path, contract: &str, period: &str, digest: &str) -> PathBuf {
    let period = if period.is_empty() { "present" } else { period };
    db.join("loads").join(contract).join(period).join(format!("{digest}.parquet"))
}

/// Makes the folder of a file.
///
/// # Errors
/// [`Error::Io`].
pub(super) fn make_folder_of(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(failed("create", folder))
}

/// Makes a written file and the name of it last.
///
/// # Errors
/// [`Error::Io`].
pub(super) fn sync(path: &Path) -> Result<()> {
    for path in [path, path.parent().unwrap_or(path)] {
        let file = File::open(path).map_err(failed("open", path))?;
        file.sync_all().map_err(failed("sync", path))?;
    }
    Ok(())
}

/// The key of person numbers; drawn from the system when nobody has a number yet.
///
/// # Errors
/// [`Error::Io`], also where the key is lost or damaged and people have numbers: another key would
/// give them others.
pub(crate) fn surrogate_key(db: &Path, has_numbers: bool) -> Result<Vec<u8>> {
    const RANDOM: &str = "/dev/urandom";
    let path = db.join("loads").join("surrogate.key");
    match fs::read(&path) {
        Ok(key) if key.len() == KEY_BYTES => return Ok(key),
        Ok(key) if has_numbers => {
            let what = format!("it has {} bytes, not {KEY_BYTES}; restore it", key.len());
            return Err(failed("read", &path)(io::Error::new(io::ErrorKind::InvalidData, what)));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound && !has_numbers => {}
        Err(error) => return Err(failed("read", &path)(error)),
    }
    let mut key = vec![0; KEY_BYTES];
    let random = Path::new(RANDOM);
    let mut file = File::open(random).map_err(failed("open", random))?;
    file.read_exact(&mut key).map_err(failed("read", random))?;
    make_folder_of(&path)?;
    let mut file = File::create(&path).map_err(failed("create", &path))?;
    file.write_all(&key).map_err(failed("write", &path))?;
    sync(&path)?;
    Ok(key)
}

/// Writes all rejects of a load; the file, if there are any.
///
/// # Errors
/// [`Error::Io`].
pub(crate) fn write_rejects(db: &Path, name: &str, rejects: &[Reject]) -> Result<Option<PathBuf>> {
    if rejects.is_empty() {
        return Ok(None);
    }
    let path = db.join("rejects").join(format!("{name}.csv"));
    make_folder_of(&path)?;
    let file = File::create(&path).map_err(failed("create", &path))?;
    let mut writer = csv::Writer::from_writer(io::BufWriter::new(file));
    let failed_csv = |error: csv::Error| failed("write", &path)(io::Error::other(error));
    writer
        .write_record(["file", "line", "column", "reason", "outcome", "value"])
        .map_err(failed_csv)?;
    for reject in rejects {
        let file = reject.file.to_string_lossy();
        let line = reject.line.to_string();
        let (reason, outcome) = (reject.reason.code(), reject.outcome.code());
        writer
            .write_record([&*file, &line, &reject.column, reason, outcome, &reject.value])
            .map_err(failed_csv)?;
    }
    writer.flush().map_err(failed("write", &path))?;
    Ok(Some(path))
}
