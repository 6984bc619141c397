//! Sets in a folder, a file each.
//!
//! Invariants: a file is written whole under another name, made to last, and then given its own;
//! a name is never a way out of the folder.
#![expect(clippy::disallowed_methods, reason = "kept sets are no part of the engine's format")]

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SavedSet;
use crate::context::SetSource;
use crate::error::{Error, Result};
use crate::parse;

/// What the names of files end with.
const ENDING: &str = "set";
/// The most bytes of a name.
const NAME_MAX: usize = 64;
/// The most bytes of a file that is read: some 50 million keys of 18 characters.
const FILE_MAX: u64 = 1 << 30;

/// The folder `sets` of a database folder.
#[derive(Debug, Clone)]
pub struct SetFolder {
    folder: PathBuf,
}

fn failed(name: &str, action: &str, path: &Path) -> impl Fn(io::Error) -> Error {
    let (name, text) = (name.to_owned(), format!("cannot {action} {}", path.display()));
    move |source| Error::Set { name: name.clone(), reason: format!("{text}: {source}") }
}

impl SetFolder {
    /// The sets of the database in `folder`.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.join("sets") }
    }

    fn path(&self, name: &str) -> Result<PathBuf> {
        if !parse::is_name(name) || name.len() > NAME_MAX {
            let reason = format!(
                "a name of a set begins with a letter, has letters, digits and `_`, at most \
                 {NAME_MAX} bytes, and is no word of the language"
            );
            return Err(Error::Set { name: name.to_owned(), reason });
        }
        Ok(self.folder.join(format!("{name}.{ENDING}")))
    }

    /// Keeps a set under a name. One that is there is replaced only where `replace` says so.
    ///
    /// # Errors
    /// [`Error::Set`] when the name is none or is taken, or nothing can be written.
    pub fn keep(&self, name: &str, set: &SavedSet, replace: bool) -> Result<()> {
        let path = self.path(name)?;
        if !replace && path.exists() {
            let reason = "it is there already; drop it first, or say that it is to be replaced";
            return Err(Error::Set { name: name.to_owned(), reason: reason.to_owned() });
        }
        let text = set.text().map_err(|error| Error::Set {
            name: name.to_owned(),
            reason: format!("it cannot be written: {error}"),
        })?;
        let new = path.with_extension("new");
        fs::create_dir_all(&self.folder).map_err(failed(name, "create", &self.folder))?;
        let mut file = File::create(&new).map_err(failed(name, "create", &new))?;
        file.write_all(text.as_bytes()).map_err(failed(name, "write", &new))?;
        file.sync_all().map_err(failed(name, "sync", &new))?;
        fs::rename(&new, &path).map_err(failed(name, "rename", &new))?;
        let folder = File::open(&self.folder).map_err(failed(name, "open", &self.folder))?;
        folder.sync_all().map_err(failed(name, "sync", &self.folder))
    }

    /// Keeps a set no longer.
    ///
    /// # Errors
    /// [`Error::Set`] when there is none of this name or it cannot be removed.
    pub fn drop(&self, name: &str) -> Result<()> {
        let path = self.path(name)?;
        fs::remove_file(&path).map_err(failed(name, "remove", &path))
    }
}

impl SetSource for SetFolder {
    fn set(&self, name: &str) -> Result<Option<Arc<SavedSet>>> {
        let Ok(path) = self.path(name) else { return Ok(None) };
        let wrong = |reason| Error::Set { name: name.to_owned(), reason };
        match fs::metadata(&path) {
            Ok(found) if found.len() > FILE_MAX => {
                let bytes = found.len();
                return Err(wrong(format!("it has {bytes} bytes; the limit is {FILE_MAX}")));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(name, "read", &path)(error)),
        }
        let text = fs::read_to_string(&path).map_err(failed(name, "read", &path))?;
        Ok(Some(Arc::new(SavedSet::read(&text).map_err(wrong)?)))
    }

    fn names(&self) -> Result<Vec<String>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed("", "read", &self.folder)(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed("", "read", &self.folder))?.path();
            let is_set = path.extension().is_some_and(|ending| ending == ENDING);
            let name = path.file_stem().and_then(|stem| stem.to_str());
            names.extend(name.filter(|name| is_set && parse::is_name(name)).map(str::to_owned));
        }
        names.sort_unstable();
        Ok(names)
    }
}
