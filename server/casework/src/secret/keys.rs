//! Keys and where they come from.
//!
//! Invariants: one root a version; each purpose has a key of its own, made from the root; a key
//! that was once used stays, so that old rows are still readable after a new version.
#![expect(clippy::disallowed_methods, reason = "the key file is outside every database")]

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use parking_lot::RwLock;
use sm3::Sm3;

use super::{hex, random, unhex};
use crate::error::{Error, Result};

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Sealing rows and attachments with SM4-GCM.
    Seal,
    /// Blind indexes with HMAC-SM3; always of version 1, so that they stay comparable.
    Index,
    /// Integrity of rows with HMAC-SM3.
    Integrity,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Seal => b"yiku seal",
            Self::Index => b"yiku index",
            Self::Integrity => b"yiku integrity",
        }
    }
}

/// 32 secret bytes, overwritten when dropped, never printed.
pub struct Key([u8; 32]);

impl Key {
    /// A key of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The keyed digest of parts, each with its length before it, so that no two lists of parts
    /// read alike.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let Ok(mut mac) = Hmac::<Sm3>::new_from_slice(&self.0) else {
            unreachable!("HMAC takes a key of any length")
        };
        for part in parts {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0 = [0; 32];
        std::hint::black_box(&self.0);
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// Where keys come from: a file, or a hardware module.
pub trait KeyProvider: fmt::Debug + Send + Sync {
    /// The key of a purpose and version.
    ///
    /// # Errors
    /// When there is no such version.
    fn key(&self, purpose: Purpose, version: u32) -> Result<Key>;

    /// The version that new rows are sealed with.
    fn current(&self) -> u32;
}

/// Keys in a file outside the store's folder, readable by its owner alone.
///
/// The file has one line a version: its number, a blank, 64 hex digits. The greatest is current.
#[derive(Debug)]
pub struct FileKeys {
    path: PathBuf,
    roots: RwLock<BTreeMap<u32, Key>>,
}

impl FileKeys {
    /// Reads the file, or makes it with one version when it is absent.
    ///
    /// # Errors
    /// When the file is inside the store's folder, readable by others, or not of its form.
    pub fn open(path: &Path, store: &Path) -> Result<Self> {
        let wrong = |reason| Error::Keys { path: path.to_owned(), reason };
        if absolute(path)?.starts_with(absolute(store)?) {
            return Err(wrong("is in the store's folder; keys are kept somewhere else"));
        }
        match File::open(path) {
            Ok(file) => {
                let open = file.metadata().map_err(|source| at("read", path, source))?;
                if open.permissions().mode() & 0o077 != 0 {
                    return Err(wrong("is readable by others; allow its owner alone (mode 0600)"));
                }
                let text = io::read_to_string(file).map_err(|source| at("read", path, source))?;
                let roots = read(&text).ok_or_else(|| {
                    wrong("is not of its form: on each line a version and 64 hex digits")
                })?;
                Ok(Self { path: path.to_owned(), roots: RwLock::new(roots) })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let keys = Self { path: path.to_owned(), roots: RwLock::default() };
                keys.rotate()?;
                Ok(keys)
            }
            Err(source) => Err(at("open", path, source)),
        }
    }

    /// Adds a version, which is current from now on; older rows keep theirs.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn rotate(&self) -> Result<u32> {
        let mut roots = self.roots.write();
        let next = roots.keys().next_back().map_or(1, |last| last.saturating_add(1));
        let mut root = [0; 32];
        random::fill(&mut root)?;
        let mut text = String::new();
        for (version, key) in roots.iter() {
            text.push_str(&format!("{version} {}\n", hex(key.bytes())));
        }
        text.push_str(&format!("{next} {}\n", hex(&root)));
        replace(&self.path, text.as_bytes())?;
        roots.insert(next, Key::new(root));
        Ok(next)
    }
}

impl KeyProvider for FileKeys {
    fn key(&self, purpose: Purpose, version: u32) -> Result<Key> {
        let roots = self.roots.read();
        let root = roots.get(&version).ok_or(Error::KeyMissing { version })?;
        Ok(Key::new(root.mac(&[purpose.label()])))
    }

    fn current(&self) -> u32 {
        self.roots.read().keys().next_back().copied().unwrap_or(0)
    }
}

fn read(text: &str) -> Option<BTreeMap<u32, Key>> {
    let mut roots = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (version, root) = line.split_once(' ')?;
        let root: [u8; 32] = unhex(root.trim())?.try_into().ok()?;
        if roots.insert(version.parse().ok()?, Key::new(root)).is_some() {
            return None;
        }
    }
    roots.contains_key(&1).then_some(roots)
}

/// Writes a file beside and puts it in the place of the old one, for its owner alone.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = path.with_extension("new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(at("remove", &beside, error));
        }
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .map_err(|source| at("create", &beside, source))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(|source| at("write", &beside, source))?;
    fs::rename(&beside, path).map_err(|source| at("replace", path, source))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| at("sync", folder, source))
}

/// The path without links as far as it exists, so that no detour hides where a file is.
fn absolute(path: &Path) -> Result<PathBuf> {
    let whole = std::path::absolute(path).map_err(|source| at("find", path, source))?;
    let mut rest = Vec::new();
    let mut known: &Path = &whole;
    loop {
        if let Ok(mut found) = fs::canonicalize(known) {
            found.extend(rest.iter().rev());
            return Ok(found);
        }
        match (known.parent(), known.file_name()) {
            (Some(parent), Some(name)) => {
                rest.push(name.to_owned());
                known = parent;
            }
            _ => return Ok(whole),
        }
    }
}

fn at(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Io { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    #[test]
    fn a_file_is_made_once_for_its_owner_and_keeps_old_versions() {
        let folder = tempfile::tempdir().unwrap();
        let (path, store) = (folder.path().join("keys"), folder.path().join("cases"));
        let keys = FileKeys::open(&path, &store).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let first = keys.key(Purpose::Seal, 1).unwrap();
        assert_ne!(first.bytes(), keys.key(Purpose::Index, 1).unwrap().bytes());
        assert_eq!(keys.rotate().unwrap(), 2);
        let again = FileKeys::open(&path, &store).unwrap();
        assert_eq!(again.current(), 2);
        assert_eq!(again.key(Purpose::Seal, 1).unwrap().bytes(), first.bytes());
        assert_ne!(again.key(Purpose::Seal, 2).unwrap().bytes(), first.bytes());
        assert!(matches!(again.key(Purpose::Seal, 3), Err(Error::KeyMissing { version: 3 })));
        assert_eq!(format!("{first:?}"), "Key");
    }

    #[test]
    fn a_file_in_the_store_or_open_to_others_or_damaged_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("cases");
        for inside in [store.join("keys"), folder.path().join("x/../cases/keys")] {
            fs::create_dir_all(folder.path().join("x")).unwrap();
            fs::create_dir_all(&store).unwrap();
            assert!(matches!(FileKeys::open(&inside, &store), Err(Error::Keys { .. })));
        }
        let path = folder.path().join("keys");
        FileKeys::open(&path, &store).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(FileKeys::open(&path, &store), Err(Error::Keys { .. })));
        for text in ["", "1 abcd\n", "2 0\n", "x\n"] {
            fs::remove_file(&path).unwrap();
            replace(&path, text.as_bytes()).unwrap();
            assert!(matches!(FileKeys::open(&path, &store), Err(Error::Keys { .. })), "{text}");
        }
    }
}
