//! The door to departments' files on the disk: their bytes and the digest of them.
#![expect(clippy::disallowed_methods, reason = "departments' files are no part of a database")]

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Bytes read at a time.
const STEP_BYTES: usize = 1 << 20;

fn failed(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    move |source| Error::Io { action, path: path.to_owned(), source }
}

/// The first four bytes.
///
/// # Errors
/// [`Error::Io`], [`Error::EmptyFile`] if there are none.
pub(super) fn opening(path: &Path) -> Result<[u8; 4]> {
    let mut file = File::open(path).map_err(failed("open", path))?;
    let mut opening = [0; 4];
    let mut filled = 0;
    while let Some(rest) = opening.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest).map_err(failed("read", path))? {
            0 => break,
            read => filled += read,
        }
    }
    if filled == 0 {
        return Err(Error::EmptyFile { path: path.to_owned() });
    }
    Ok(opening)
}

/// All bytes of a file that is not too large.
///
/// # Errors
/// [`Error::Io`], [`Error::TooLarge`].
pub(super) fn whole(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let found = std::fs::metadata(path).map_err(failed("read", path))?.len();
    if found > limit {
        return Err(Error::TooLarge { path: path.to_owned(), found, limit });
    }
    std::fs::read(path).map_err(failed("read", path))
}

/// The SHA-256 of a file's bytes in hexadecimal, and its size.
///
/// # Errors
/// [`Error::Io`].
pub(crate) fn digest(path: &Path) -> Result<(String, u64)> {
    let mut file = File::open(path).map_err(failed("open", path))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; STEP_BYTES];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer).map_err(failed("read", path))?;
        if read == 0 {
            break;
        }
        size += u64::try_from(read).unwrap_or(0);
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
    let digest = hasher.finalize();
    Ok((digest.iter().map(|byte| format!("{byte:02x}")).collect(), size))
}

/// The text of a file of our own making, in whatever encoding.
///
/// # Errors
/// [`Error::Io`], [`Error::TooLarge`], [`Error::Encoding`], [`Error::EmptyFile`].
pub(crate) fn text_of(path: &Path) -> Result<String> {
    let text = super::decode(path, whole(path, super::FILE_BYTES_MAX)?)?;
    if text.trim().is_empty() {
        return Err(Error::EmptyFile { path: path.to_owned() });
    }
    Ok(text)
}
