//! The files of a load: found in folders, and known by their digest.
#![expect(clippy::disallowed_methods, reason = "departments' files are no part of a database")]

use std::path::{Path, PathBuf};

use super::Tell;
use super::staging::in_parallel;
use crate::error::{Error, Result};
use crate::read;
use crate::report::Progress;

/// A file to be loaded.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) path: PathBuf,
    /// SHA-256 of its bytes, in hexadecimal.
    pub(super) digest: String,
    pub(super) bytes: u64,
    /// Whether these bytes were loaded before.
    pub(super) unchanged: bool,
}

/// The folder that the generator of provinces writes the truth into.
const TRUTH: &str = "truth";

/// Finds the files and takes their digests. The same bytes under two names are one delivery.
///
/// # Errors
/// [`Error::Io`], [`Error::NoFiles`].
pub(super) fn gather(paths: &[PathBuf], threads: usize, tell: Tell<'_>) -> Result<Vec<Delivery>> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, true, &mut files)?;
    }
    files.sort();
    files.dedup();
    if files.is_empty() {
        return Err(Error::NoFiles);
    }
    let total = u64::try_from(files.len()).unwrap_or(0);
    let mut done = 0;
    let digests = in_parallel(threads, &files, |path| read::digest(path), &mut |_| {
        done += 1;
        let step = "looking at files";
        tell(Progress { step, detail: String::new(), done, total });
    })?;
    let mut deliveries: Vec<Delivery> = Vec::new();
    for (path, (digest, bytes)) in files.into_iter().zip(digests) {
        if !deliveries.iter().any(|known| known.digest == digest) {
            deliveries.push(Delivery { path, digest, bytes, unchanged: false });
        }
    }
    Ok(deliveries)
}

/// Whether a folder holds a database: it may lie among the files that are loaded into it.
fn is_database(path: &Path) -> bool {
    path.join("CURRENT").is_file() && path.join("LOCK").is_file()
}

fn collect(path: &Path, named: bool, files: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |source| Error::Io { action: "read", path: path.to_owned(), source };
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    if !named && name.starts_with('.') {
        return Ok(());
    }
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    if !named && (name == TRUTH || is_database(path)) {
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(failed)? {
        collect(&entry.map_err(failed)?.path(), false, files)?;
    }
    Ok(())
}
