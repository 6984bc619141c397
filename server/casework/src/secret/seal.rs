//! Sealing: SM4-GCM with the version of the key beside it and the row's name as associated data.
//!
//! ```text
//! nonce 12 | ciphertext | tag 16        the key's version is a column of the same row
//! ```

use std::sync::Arc;

use aes_gcm::AesGcm;
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead, KeyInit, Nonce, Payload};
use sm4::Sm4;

use super::keys::{KeyProvider, Purpose};
use super::{hex, index, random};
use crate::error::{Error, Result};

type Sm4Gcm = AesGcm<Sm4, U12>;

const NONCE: usize = 12;

/// Sealed bytes and the version of their key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The version of the key.
    pub key: u32,
    /// Nonce, ciphertext and tag.
    pub bytes: Vec<u8>,
}

/// Seals, opens, and makes blind indexes and integrity codes with the keys of a provider.
#[derive(Debug, Clone)]
pub struct Vault {
    keys: Arc<dyn KeyProvider>,
}

impl Vault {
    /// A vault with these keys.
    pub fn new(keys: Arc<dyn KeyProvider>) -> Self {
        Self { keys }
    }

    fn cipher(&self, version: u32) -> Result<Sm4Gcm> {
        let key = self.keys.key(Purpose::Seal, version)?;
        let (half, _) = key.bytes().split_at(16);
        Sm4Gcm::new_from_slice(half).map_err(|_| Error::KeyMissing { version })
    }

    /// Seals bytes for one row of one table.
    ///
    /// # Errors
    /// When there are no random bytes or no key.
    pub fn seal(&self, table: &'static str, row: &str, plain: &[u8]) -> Result<Sealed> {
        let key = self.keys.current();
        let mut nonce = [0; NONCE];
        random::fill(&mut nonce)?;
        let aad = associated(table, row);
        let payload = Payload { msg: plain, aad: &aad };
        let body =
            self.cipher(key)?.encrypt(&Nonce::<Sm4Gcm>::from(nonce), payload).map_err(|_| {
                Error::Limit { what: "text to seal", found: plain.len() as u64, limit: u64::MAX }
            })?;
        let mut bytes = nonce.to_vec();
        bytes.extend_from_slice(&body);
        Ok(Sealed { key, bytes })
    }

    /// Opens what was sealed for this row.
    ///
    /// # Errors
    /// When the bytes were changed, are of another row, or their key is not there.
    pub fn open(&self, table: &'static str, row: &str, key: u32, bytes: &[u8]) -> Result<Vec<u8>> {
        let changed =
            || Error::Tampered { table, row: row.to_owned(), what: "what is sealed was changed" };
        let (nonce, body) = bytes.split_at_checked(NONCE).ok_or_else(changed)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| changed())?;
        let aad = associated(table, row);
        self.cipher(key)?
            .decrypt(&Nonce::<Sm4Gcm>::from(nonce), Payload { msg: body, aad: &aad })
            .map_err(|_| changed())
    }

    /// The blind index of an ID number: equal for equal numbers, telling nothing of them.
    ///
    /// # Errors
    /// When there is no key.
    pub fn index(&self, id_number: &str) -> Result<String> {
        self.index_of("id", &index::normalise(id_number))
    }

    /// The blind index of another kind of value: `name`, `phone`, `household`, `login`.
    ///
    /// # Errors
    /// When there is no key.
    pub fn index_of(&self, kind: &'static str, value: &str) -> Result<String> {
        let key = self.keys.key(Purpose::Index, 1)?;
        Ok(hex(&key.mac(&[kind.as_bytes(), value.as_bytes()])))
    }

    /// The integrity code of a row's parts.
    ///
    /// # Errors
    /// When there is no key.
    pub fn integrity(&self, table: &'static str, parts: &[&str]) -> Result<String> {
        let key = self.keys.key(Purpose::Integrity, 1)?;
        let mut all = vec![table.as_bytes()];
        all.extend(parts.iter().map(|part| part.as_bytes()));
        Ok(hex(&key.mac(&all)))
    }

    /// Checks a row's integrity code.
    ///
    /// # Errors
    /// [`Error::Tampered`] when it is not the one that was given.
    pub fn verify(&self, table: &'static str, row: &str, parts: &[&str], code: &str) -> Result<()> {
        if same(self.integrity(table, parts)?.as_bytes(), code.as_bytes()) {
            return Ok(());
        }
        Err(Error::Tampered { table, row: row.to_owned(), what: "its integrity code is another" })
    }
}

/// Whether two byte strings are equal, in time that does not depend on where they differ.
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).fold(0_u8, |differ, (a, b)| differ | (a ^ b)) == 0
}

fn associated(table: &str, row: &str) -> Vec<u8> {
    let mut text = table.as_bytes().to_vec();
    text.push(0);
    text.extend_from_slice(row.as_bytes());
    text
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::super::FileKeys;
    use super::*;

    fn keys(folder: &tempfile::TempDir) -> Arc<FileKeys> {
        let path = folder.path().join("keys");
        Arc::new(FileKeys::open(&path, &folder.path().join("cases")).unwrap())
    }

    #[test]
    fn what_is_sealed_opens_in_its_row_alone_and_not_when_changed() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::new(keys(&folder));
        let sealed = vault.seal("case", "D1", b"plain").unwrap();
        assert_eq!(vault.open("case", "D1", sealed.key, &sealed.bytes).unwrap(), b"plain");
        for (table, row) in [("case", "D2"), ("event", "D1")] {
            assert!(vault.open(table, row, sealed.key, &sealed.bytes).is_err());
        }
        for at in 0..sealed.bytes.len() {
            let mut bytes = sealed.bytes.clone();
            bytes[at] ^= 1;
            assert!(vault.open("case", "D1", sealed.key, &bytes).is_err(), "byte {at}");
        }
        assert!(vault.open("case", "D1", sealed.key, b"short").is_err());
    }

    #[test]
    fn rows_of_an_old_key_open_after_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let keys = keys(&folder);
        let vault = Vault::new(Arc::<FileKeys>::clone(&keys));
        let old = vault.seal("case", "D1", b"plain").unwrap();
        keys.rotate().unwrap();
        let new = vault.seal("case", "D1", b"plain").unwrap();
        assert_eq!((old.key, new.key), (1, 2));
        for sealed in [old, new] {
            assert_eq!(vault.open("case", "D1", sealed.key, &sealed.bytes).unwrap(), b"plain");
        }
    }

    #[test]
    fn an_index_does_not_see_blanks_or_case_and_differs_by_kind() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::new(keys(&folder));
        let index = vault.index("99910119491231000X").unwrap();
        assert_eq!(vault.index(" 99910119491231000x ").unwrap(), index);
        assert_ne!(vault.index_of("phone", "99910119491231000X").unwrap(), index);
        assert_eq!(index.len(), 64);
    }
}
