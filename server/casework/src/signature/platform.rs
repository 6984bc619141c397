//! The platform's own SM2 key, which endorses every signing event.
//!
//! Invariants: the key is behind a trait, so that a hardware module can take the file's place; the
//! file is outside the store, readable by its owner alone; the secret is never printed.
#![expect(clippy::disallowed_methods, reason = "the key file is outside every database")]

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use sm2::dsa::signature::Signer as _;
use sm2::dsa::{Signature, SigningKey};
use sm2::elliptic_curve::sec1::ToSec1Point;
use sm2::pkcs8::{
    DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, LineEnding,
};
use sm2::{PublicKey, SecretKey};

use super::DISTINGUISHING_ID;
use crate::error::{Error, Result};
use crate::secret::{fill, hex};

/// The longest file that is read as a key.
const KEY_BYTES_MAX: u64 = 16 * 1024;

/// A public SM2 key.
#[derive(Clone, PartialEq, Eq)]
pub struct PlatformPublicKey(pub(super) PublicKey);

impl fmt::Debug for PlatformPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlatformPublicKey({})", self.to_hex())
    }
}

impl PlatformPublicKey {
    /// Reads a public key in PEM (`BEGIN PUBLIC KEY`).
    ///
    /// # Errors
    /// When the text is none, or of another curve.
    pub fn from_pem(text: &str) -> Result<Self> {
        let reason = "must be the public SM2 key of a platform in PEM (BEGIN PUBLIC KEY)";
        let key = PublicKey::from_public_key_pem(text);
        key.map(Self).map_err(|_| Error::Input { name: "platform key", reason })
    }

    /// The key in PEM.
    ///
    /// # Errors
    /// When it cannot be written as PEM, which no key of the curve does.
    pub fn to_pem(&self) -> Result<String> {
        let text = self.0.to_public_key_pem(LineEnding::LF);
        text.map_err(|_| Error::Input { name: "platform key", reason: "must be an SM2 key" })
    }

    /// The point, uncompressed, as 130 hex digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex(self.0.to_sec1_point(false).as_bytes())
    }
}

/// Who endorses signing events: a key in a file, or a hardware module.
pub trait PlatformKey: fmt::Debug + Send + Sync {
    /// The public key that the endorsement is verified with.
    fn public_key(&self) -> PlatformPublicKey;

    /// Signs a message: r and s, 64 bytes.
    ///
    /// # Errors
    /// When the key cannot be used.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>>;
}

/// The platform's key in a file.
pub struct FilePlatformKey {
    key: SigningKey,
    public_key: PublicKey,
}

impl fmt::Debug for FilePlatformKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FilePlatformKey")
    }
}

impl FilePlatformKey {
    /// Reads the key from its PEM file (PKCS#8), or makes a new one where there is no file. The
    /// public key is kept beside it, for whoever verifies: `platform.pem` and `platform.pub.pem`.
    ///
    /// # Errors
    /// When the file is readable by others, is no SM2 key, or cannot be read or written.
    pub fn open(path: &Path) -> Result<Self> {
        let wrong = |reason| Error::Keys { path: path.to_owned(), reason };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Self::of(&fresh()?)?;
                key.keep(path)?;
                return Ok(key);
            }
            Err(source) => return Err(at("open", path, source)),
        };
        let about = file.metadata().map_err(|source| at("read", path, source))?;
        if about.permissions().mode() & 0o077 != 0 {
            return Err(wrong("is readable by others; allow its owner alone (mode 0600)"));
        }
        if about.len() > KEY_BYTES_MAX {
            return Err(wrong("is too large for a key"));
        }
        let text = io::read_to_string(file).map_err(|source| at("read", path, source))?;
        let secret = SecretKey::from_pkcs8_pem(&text);
        let secret = secret.map_err(|_| {
            wrong("must be a private SM2 key in PEM (BEGIN PRIVATE KEY); restore it from its copy")
        })?;
        Self::of(&secret)
    }

    /// A key that is kept nowhere, for tests and drills.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn unkept() -> Result<Self> {
        Self::of(&fresh()?)
    }

    fn of(secret: &SecretKey) -> Result<Self> {
        let key = SigningKey::new(DISTINGUISHING_ID, secret).map_err(|_| unusable())?;
        Ok(Self { key, public_key: secret.public_key() })
    }

    /// Writes the key whole or not at all; a file that is there by then is not replaced.
    fn keep(&self, path: &Path) -> Result<()> {
        let secret = SecretKey::from(self.key.as_nonzero_scalar());
        let pem = secret.to_pkcs8_pem(LineEnding::LF).map_err(|_| unusable())?;
        write_new(path, pem.as_bytes(), 0o600)?;
        let public = self.public_key().to_pem()?;
        write_new(&path.with_extension("pub.pem"), public.as_bytes(), 0o644)
    }
}

impl PlatformKey for FilePlatformKey {
    fn public_key(&self) -> PlatformPublicKey {
        PlatformPublicKey(self.public_key)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let signature: Signature = self.key.try_sign(message).map_err(|_| unusable())?;
        Ok(signature.to_bytes().to_vec())
    }
}

/// A new secret key from the system's random bytes.
pub(super) fn fresh() -> Result<SecretKey> {
    // A draw outside the curve's order is as likely as 2^-32; a second draw settles it.
    for _ in 0..8 {
        let mut bytes = [0_u8; 32];
        fill(&mut bytes)?;
        let key = SecretKey::from_slice(&bytes);
        bytes = [0; 32];
        std::hint::black_box(&bytes);
        if let Ok(key) = key {
            return Ok(key);
        }
    }
    Err(unusable())
}

pub(super) fn unusable() -> Error {
    Error::Input { name: "key", reason: "cannot sign" }
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let beside = path.with_extension("new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(at("remove", &beside, error));
        }
        _ => {}
    }
    let made = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside);
    made.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::hard_link(&beside, path))
        .and_then(|()| fs::remove_file(&beside))
        .map_err(|source| at("write", path, source))
}

fn at(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Io { action, path: path.to_owned(), source }
}
